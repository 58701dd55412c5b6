//! Messages, enums and the rules of their fields as JSON Schema.
//!
//! # Source
//! <https://protobuf.dev/programming-guides/json/> for the forms of values, `buf/validate/validate.proto` for the rules.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value};
use utoipa::openapi::{
    Object, RefOr, Schema,
    schema::{ArrayBuilder, KnownFormat, ObjectBuilder, Ref, SchemaFormat, Type},
};

use super::comments::comment;

/// The schemas that the document's operations speak of.
#[derive(Default)]
pub(super) struct Schemas {
    /// By name.
    pub(super) named: BTreeMap<String, RefOr<Schema>>,
    /// Messages that clients send. There, a field must be given if its default breaks a rule; in an answer every field
    /// that cannot be absent is given.
    sent: BTreeSet<String>,
}

impl Schemas {
    /// Notes that clients send this message and all that is in it.
    pub(super) fn sends(&mut self, message: &MessageDescriptor) {
        if is_well_known(message) || !self.sent.insert(message.full_name().to_owned()) {
            return;
        }
        for field in message.fields() {
            if let Kind::Message(inner) = field.kind() {
                self.sends(&inner);
            }
        }
    }

    /// A message by reference; its schema is made when it is first spoken of.
    pub(super) fn refer(&mut self, message: &MessageDescriptor) -> RefOr<Schema> {
        let name = name_of(message.full_name(), message.package_name());
        if !self.named.contains_key(&name) {
            // A message may contain itself.
            self.named.insert(name.clone(), RefOr::T(Object::new().into()));
            let object = self.object(message, &message.fields().collect::<Vec<_>>());
            self.named.insert(name.clone(), object);
        }
        Ref::from_schema_name(name).into()
    }

    /// A message with some of its fields.
    pub(super) fn object(
        &mut self,
        message: &MessageDescriptor,
        fields: &[FieldDescriptor],
    ) -> RefOr<Schema> {
        let sent = self.sent.contains(message.full_name());
        let description = comment(&message.parent_file(), message.path());
        let mut object = ObjectBuilder::new().schema_type(Type::Object).description(description);
        for field in fields {
            object = object.property(field.json_name(), self.field(field));
            if if sent { must_be_given(field) } else { !field.supports_presence() } {
                object = object.required(field.json_name());
            }
        }
        RefOr::T(object.into())
    }

    /// A field with its rules.
    pub(super) fn field(&mut self, field: &FieldDescriptor) -> RefOr<Schema> {
        let rules = Rules::of(field);
        let description = comment(&field.parent_file(), field.path());
        if !field.is_list() {
            return self.value(&field.kind(), &rules, description);
        }
        let items = self.value(&field.kind(), &rules.items(), None);
        let array = ArrayBuilder::new()
            .items(items)
            .min_items(rules.size("min_items"))
            .max_items(rules.size("max_items"))
            .unique_items(rules.on("unique"))
            .description(description);
        RefOr::T(array.into())
    }

    fn value(&mut self, kind: &Kind, rules: &Rules, description: Option<&str>) -> RefOr<Schema> {
        let object = ObjectBuilder::new();
        let object = match kind {
            Kind::String => string(object, rules),
            Kind::Bytes => object.schema_type(Type::String).content_encoding("base64"),
            Kind::Bool => object.schema_type(Type::Boolean),
            Kind::Double | Kind::Float => {
                object.schema_type(Type::Number).format(Some(SchemaFormat::KnownFormat(KnownFormat::Double)))
            }
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 | Kind::Uint64 | Kind::Fixed64 => {
                object.schema_type(Type::String).pattern(Some("^-?[0-9]+$"))
            }
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 | Kind::Uint32 | Kind::Fixed32 => object
                .schema_type(Type::Integer)
                .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
                .minimum(rules.number("gte"))
                .maximum(rules.number("lte")),
            Kind::Enum(values) => return self.enumeration(values, rules, description),
            Kind::Message(message) if is_well_known(message) => well_known(object, message),
            Kind::Message(message) => return described(self.refer(message), description),
        };
        RefOr::T(object.description(description).into())
    }

    fn enumeration(
        &mut self,
        values: &EnumDescriptor,
        rules: &Rules,
        description: Option<&str>,
    ) -> RefOr<Schema> {
        let schema = |description: Option<&str>, excluded: &[i32]| -> RefOr<Schema> {
            let names = values.values().filter(|value| !excluded.contains(&value.number()));
            let names = names.map(|value| value.name().to_owned()).collect::<Vec<_>>();
            let object = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names));
            RefOr::T(object.description(description).into())
        };
        let excluded = rules.excluded();
        if !excluded.is_empty() {
            return schema(description, &excluded);
        }
        let name = name_of(values.full_name(), values.package_name());
        let whole = || schema(comment(&values.parent_file(), values.path()), &[]);
        self.named.entry(name.clone()).or_insert_with(whole);
        described(Ref::from_schema_name(name).into(), description)
    }
}

fn string(object: ObjectBuilder, rules: &Rules) -> ObjectBuilder {
    let object = object
        .schema_type(Type::String)
        .min_length(rules.size("min_len"))
        .max_length(rules.size("max_len"))
        .pattern(rules.text("pattern"));
    if rules.on("uuid") {
        return object.format(Some(SchemaFormat::Custom("uuid".to_owned())));
    }
    object
}

fn well_known(object: ObjectBuilder, message: &MessageDescriptor) -> ObjectBuilder {
    match message.name() {
        "Timestamp" => {
            object.schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        }
        "Duration" => object.schema_type(Type::String).pattern(Some("^-?[0-9]+(\\.[0-9]+)?s$")),
        "FieldMask" => object.schema_type(Type::String),
        _ => object,
    }
}

fn described(schema: RefOr<Schema>, description: Option<&str>) -> RefOr<Schema> {
    match schema {
        RefOr::Ref(mut reference) => {
            description.unwrap_or_default().clone_into(&mut reference.description);
            RefOr::Ref(reference)
        }
        inline @ RefOr::T(_) => inline,
    }
}

/// `updraft.enrollment.v1.Person.State` is `PersonState`.
pub(super) fn name_of(full_name: &str, package: &str) -> String {
    full_name.strip_prefix(package).unwrap_or(full_name).replace('.', "")
}

fn is_well_known(message: &MessageDescriptor) -> bool {
    message.package_name() == "google.protobuf"
}

/// Whether leaving a field out breaks one of its rules.
pub(crate) fn must_be_given(field: &FieldDescriptor) -> bool {
    let rules = Rules::of(field);
    let above_zero = |rule: &str| rules.whole(rule).is_some_and(|least| least > 0);
    let by_default =
        above_zero("gte") || above_zero("min_len") || above_zero("min_items") || rules.on("uuid");
    let by_pattern = rules.text("pattern").is_some() || rules.excluded().contains(&0);
    rules.on("required") || (!field.supports_presence() && (by_default || by_pattern))
}

/// The rules of one field by their names, those of its type among them.
struct Rules(BTreeMap<String, Value>);

impl Rules {
    fn of(field: &FieldDescriptor) -> Self {
        let mut rules = Self(BTreeMap::new());
        if let Some(extension) = proto::pool().get_extension_by_name("buf.validate.field") {
            let options = field.options();
            rules.read(options.get_extension(&extension).as_message());
        }
        rules
    }

    fn read(&mut self, written: Option<&DynamicMessage>) {
        for (rule, value) in written.into_iter().flat_map(DynamicMessage::fields) {
            match value {
                Value::Message(inner) if rule.name() != "items" => self.read(Some(inner)),
                value => {
                    self.0.insert(rule.name().to_owned(), value.clone());
                }
            }
        }
    }

    /// The rules of a list's entries.
    fn items(&self) -> Self {
        let mut rules = Self(BTreeMap::new());
        rules.read(self.0.get("items").and_then(Value::as_message));
        rules
    }

    fn on(&self, rule: &str) -> bool {
        self.0.get(rule).and_then(Value::as_bool) == Some(true)
    }

    fn text(&self, rule: &str) -> Option<&str> {
        self.0.get(rule).and_then(Value::as_str)
    }

    fn whole(&self, rule: &str) -> Option<i64> {
        match self.0.get(rule)? {
            Value::I32(number) => Some(i64::from(*number)),
            Value::I64(number) => Some(*number),
            Value::U64(number) => i64::try_from(*number).ok(),
            _ => None,
        }
    }

    fn number(&self, rule: &str) -> Option<utoipa::Number> {
        self.whole(rule).and_then(|number| isize::try_from(number).ok()).map(utoipa::Number::Int)
    }

    fn size(&self, rule: &str) -> Option<usize> {
        self.whole(rule).and_then(|number| usize::try_from(number).ok())
    }

    /// Numbers of the values that an enum must not have.
    fn excluded(&self) -> Vec<i32> {
        let values = self.0.get("not_in").and_then(Value::as_list).unwrap_or_default();
        values.iter().filter_map(Value::as_i32).collect()
    }
}

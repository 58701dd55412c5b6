//! The schemas that are advertised, and what they say of each attribute; what stands in no schema is passed over everywhere.
//!
//! # Source
//! RFC 7643, sections 2 (attributes), 3.1 (common attributes) and 7 (schema definition).

use scim_v2::filter::AttrPath;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// A user as JSON: attributes in their canonical spelling, those of extensions below the name of their schema.
pub(super) type Document = Map<String, Value>;

/// The schema of users.
pub(super) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The extension for companies.
pub(super) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// Our own extension.
pub(super) const EMPLOYMENT: &str = "urn:updraft:scim:schemas:extension:employment:1.0:User";
/// Our own extension of what is taken and never told back.
pub(super) const CONFIDENTIAL: &str = "urn:updraft:scim:schemas:extension:confidential:1.0:User";

const COMMON_ATTRIBUTES: &str = include_str!("schemas/common.json");
const USER_SCHEMA: &str = include_str!("schemas/user.json");
const EXTENSIONS: [(&str, &str); 3] = [
    (ENTERPRISE, include_str!("schemas/enterprise.json")),
    (EMPLOYMENT, include_str!("schemas/employment.json")),
    (CONFIDENTIAL, include_str!("schemas/confidential.json")),
];

/// Everything there is to know of attributes.
pub(super) struct Catalogue {
    /// Of the core: the common ones first, then those of the user.
    core: Vec<Attribute>,
    extensions: Vec<(&'static str, Vec<Attribute>)>,
    /// The schemas as they are served, by their names.
    pub(super) published: Vec<(&'static str, Value)>,
}

/// One attribute or sub-attribute.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Attribute {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: Kind,
    #[serde(rename = "multiValued")]
    pub(super) many: bool,
    pub(super) required: bool,
    #[serde(default)]
    pub(super) case_exact: bool,
    pub(super) mutability: Mutability,
    pub(super) returned: Returned,
    #[serde(default, rename = "subAttributes")]
    pub(super) parts: Vec<Attribute>,
}

/// The type of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Kind {
    /// Text.
    String,
    /// True or false.
    Boolean,
    /// An instant.
    DateTime,
    /// An address.
    Reference,
    /// An object of sub-attributes.
    Complex,
}

/// Who may change an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Mutability {
    /// The server alone.
    ReadOnly,
    /// The client.
    ReadWrite,
    /// The client, who never sees it again.
    WriteOnly,
}

/// When an attribute is part of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Returned {
    /// Whatever is asked for.
    Always,
    /// Never.
    Never,
    /// Unless the client asks for others or against it.
    Default,
    /// If the client asks for it.
    Request,
}

/// What a path leads to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target<'a> {
    /// A whole extension.
    Extension(&'static str),
    /// An attribute or one of its parts.
    Attribute(Place<'a>),
}

/// An attribute, and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// The schema whose object holds it; none for the core.
    pub(super) extension: Option<&'static str>,
    pub(super) attribute: &'a Attribute,
    pub(super) part: Option<&'a Attribute>,
}

#[derive(Deserialize)]
struct Definition {
    attributes: Vec<Attribute>,
}

impl Catalogue {
    /// Reads the schemas.
    ///
    /// # Errors
    /// If one of them is none.
    pub(super) fn load() -> Result<Self, serde_json::Error> {
        let attributes =
            |text: &str| serde_json::from_str::<Definition>(text).map(|schema| schema.attributes);
        let mut core = attributes(COMMON_ATTRIBUTES)?;
        core.extend(attributes(USER_SCHEMA)?);
        let (mut extensions, mut published) = (Vec::new(), vec![(USER, serde_json::from_str(USER_SCHEMA)?)]);
        for (urn, text) in EXTENSIONS {
            extensions.push((urn, attributes(text)?));
            published.push((urn, serde_json::from_str(text)?));
        }
        Ok(Self { core, extensions, published })
    }

    /// The attributes of an extension, or of the core.
    pub(super) fn attributes(&self, extension: Option<&str>) -> &[Attribute] {
        let Some(extension) = extension else { return &self.core };
        let found = self.extensions.iter().find(|(name, _)| *name == extension);
        found.map(|(_, attributes)| attributes.as_slice()).unwrap_or_default()
    }

    /// The extension of this name, in any case of letters.
    pub(super) fn extension(&self, name: &str) -> Option<&'static str> {
        self.extensions.iter().map(|(urn, _)| *urn).find(|urn| urn.eq_ignore_ascii_case(name))
    }

    /// What a path leads to; `None` for what is in no schema.
    ///
    /// A name without a schema is looked for in the core first and then in the extensions, as Entra ID sends `manager`.
    pub(super) fn find(&self, path: &AttrPath) -> Option<Target<'_>> {
        if let (Some(urn), None) = (&path.uri, &path.sub_attr)
            && let Some(extension) = self.extension(&format!("{urn}:{}", path.name))
        {
            return Some(Target::Extension(extension));
        }
        let place = |extension: Option<&'static str>| {
            let attribute = named(self.attributes(extension), &path.name)?;
            let part = match &path.sub_attr {
                Some(part) => Some(named(&attribute.parts, part)?),
                None => None,
            };
            Some(Target::Attribute(Place { extension, attribute, part }))
        };
        match &path.uri {
            Some(urn) if urn.eq_ignore_ascii_case(USER) => place(None),
            Some(urn) => place(Some(self.extension(urn)?)),
            None => {
                let extensions = self.extensions.iter().map(|(urn, _)| Some(*urn));
                std::iter::once(None).chain(extensions).find_map(place)
            }
        }
    }

    /// The schemas that a document has something of.
    pub(super) fn schemas_of(&self, document: &Document) -> Value {
        let has =
            |urn: &&str| document.get(*urn).and_then(Value::as_object).is_some_and(|part| !part.is_empty());
        let extensions = self.extensions.iter().map(|(urn, _)| *urn).filter(has);
        json!(std::iter::once(USER).chain(extensions).collect::<Vec<_>>())
    }
}

impl Attribute {
    /// The part of this name.
    pub(super) fn part(&self, name: &str) -> Option<&Attribute> {
        named(&self.parts, name)
    }
}

/// The attribute of a name, in any case of letters.
pub(super) fn named<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use scim_v2::{
        Validate,
        models::scim_schema::{Schema, get_schemas},
    };

    use super::*;

    fn path(text: &str) -> AttrPath {
        match text.parse().unwrap() {
            scim_v2::filter::PatchPath::Attr(path) => path,
            scim_v2::filter::PatchPath::Value(_) => panic!("{text} has a filter"),
        }
    }

    fn found(text: &str) -> Option<String> {
        let catalogue = Catalogue::load().unwrap();
        catalogue.find(&path(text)).map(|target| match target {
            Target::Extension(urn) => format!("all of {urn}"),
            Target::Attribute(place) => {
                let part = place.part.map(|part| format!(".{}", part.name)).unwrap_or_default();
                let schema = place.extension.map(|_| "extension ").unwrap_or_default();
                format!("{schema}{}{part}", place.attribute.name)
            }
        })
    }

    #[test]
    fn what_is_published_is_a_part_of_the_standard() {
        let catalogue = Catalogue::load().unwrap();
        let standard = get_schemas(vec!["user", "enterprise_user"]).unwrap();
        for (urn, schema) in &catalogue.published {
            let schema: Schema = serde_json::from_value({
                let mut schema = schema.clone();
                schema["meta"] = json!({});
                schema
            })
            .unwrap();
            schema.validate().unwrap();
            assert_eq!(schema.id, *urn);
            let Some(standard) = standard.iter().find(|standard| standard.id == schema.id) else { continue };
            for attribute in &schema.attributes {
                let same = standard.attributes.iter().find(|other| other.name == attribute.name);
                let same = same.unwrap_or_else(|| panic!("{} is not in the standard", attribute.name));
                assert_eq!((&same.r#type, same.multi_valued), (&attribute.r#type, attribute.multi_valued));
            }
        }
    }

    #[test]
    fn a_name_is_found_in_any_case_and_by_any_path() {
        assert_eq!(found("USERNAME").unwrap(), "userName");
        assert_eq!(found("name.GIVENNAME").unwrap(), "name.givenName");
        assert_eq!(found(&format!("{USER}:title")).unwrap(), "title");
        assert_eq!(found("manager").unwrap(), "extension manager");
        assert_eq!(found(&format!("{ENTERPRISE}:manager.value")).unwrap(), "extension manager.value");
        assert_eq!(found(&ENTERPRISE.to_uppercase()).unwrap(), format!("all of {ENTERPRISE}"));
        for unknown in ["nickName", "name.middleName", "urn:example:User:title", &format!("{USER}:manager")] {
            assert_eq!(found(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn nothing_secret_is_ever_returned() {
        let catalogue = Catalogue::load().unwrap();
        for extension in [None, Some(ENTERPRISE), Some(EMPLOYMENT), Some(CONFIDENTIAL)] {
            for attribute in catalogue.attributes(extension) {
                let is_confidential = extension == Some(CONFIDENTIAL);
                assert_eq!(
                    is_confidential,
                    attribute.mutability == Mutability::WriteOnly,
                    "{}",
                    attribute.name
                );
                assert_eq!(is_confidential, attribute.returned == Returned::Never, "{}", attribute.name);
            }
        }
    }
}

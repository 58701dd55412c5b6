//! Which attributes an answer has.
//!
//! # Source
//! RFC 7644, section 3.9; RFC 7643, section 2.4 (`returned`).

use scim_v2::{
    filter::{AttrPath, PatchPath},
    models::errors::ScimType,
};
use serde_json::Value;

use super::{
    refusal::Refusal,
    schema::{Attribute, Catalogue, Document, Returned, Target},
};

/// What a client asks for.
#[derive(Clone, Debug, Default)]
pub(super) struct Selection {
    /// Only these; without, whatever is returned by default.
    only: Option<Vec<AttrPath>>,
    /// Not these.
    without: Vec<AttrPath>,
}

impl Selection {
    /// Takes the names as they were sent.
    ///
    /// # Errors
    /// 400 if a name is no path, or both are given.
    pub(super) fn of<'a>(
        only: impl Iterator<Item = &'a str>,
        without: impl Iterator<Item = &'a str>,
    ) -> Result<Self, Refusal> {
        let path = |name: &str| match name.parse() {
            Ok(PatchPath::Attr(path)) => Ok(path),
            _ => Err(Refusal::value(name, "is no name of an attribute")),
        };
        let paths = |names: &mut dyn Iterator<Item = &'a str>| {
            let names = names.map(str::trim).filter(|name| !name.is_empty());
            names.map(path).collect::<Result<Vec<_>, _>>()
        };
        let (mut only, mut without) = (only, without);
        let (only, without) = (paths(&mut only)?, paths(&mut without)?);
        if !only.is_empty() && !without.is_empty() {
            let detail = "Send either attributes or excludedAttributes.";
            return Err(Refusal::bad(ScimType::InvalidValue, detail));
        }
        Ok(Self { only: (!only.is_empty()).then_some(only), without })
    }

    /// Cuts a user to what is asked for.
    pub(super) fn cut(&self, catalogue: &Catalogue, user: &Document) -> Document {
        let mut cut = self.kept(catalogue, None, user);
        cut.insert("schemas".to_owned(), catalogue.schemas_of(&cut));
        cut
    }

    fn kept(&self, catalogue: &Catalogue, extension: Option<&'static str>, holder: &Document) -> Document {
        let mut kept = Document::new();
        for (name, value) in holder {
            if let Some(attribute) = super::schema::named(catalogue.attributes(extension), name) {
                if let Some(value) = self.attribute(catalogue, extension, attribute, value) {
                    kept.insert(name.clone(), value);
                }
            } else if let (Some(urn), Some(part)) = (catalogue.extension(name), value.as_object()) {
                let part = self.kept(catalogue, Some(urn), part);
                if !part.is_empty() {
                    kept.insert(name.clone(), Value::Object(part));
                }
            }
        }
        kept
    }

    fn attribute(
        &self,
        catalogue: &Catalogue,
        extension: Option<&'static str>,
        attribute: &Attribute,
        value: &Value,
    ) -> Option<Value> {
        let whole = |path: &AttrPath| match catalogue.find(path) {
            Some(Target::Extension(urn)) => extension == Some(urn),
            Some(Target::Attribute(place)) => {
                place.part.is_none() && place.extension == extension && place.attribute.name == attribute.name
            }
            None => false,
        };
        let part_of = |path: &AttrPath, part: &Attribute| match catalogue.find(path) {
            Some(Target::Attribute(place)) => {
                place.extension == extension
                    && place.attribute.name == attribute.name
                    && place.part.is_some_and(|asked| asked.name == part.name)
            }
            _ => false,
        };
        let asked = self.only.as_deref().unwrap_or_default();
        let all = match attribute.returned {
            Returned::Never => return None,
            Returned::Always => return Some(value.clone()),
            _ if asked.iter().any(whole) => true,
            Returned::Request => false,
            Returned::Default => self.only.is_none() && !self.without.iter().any(whole),
        };
        let keeps = |part: &Attribute| {
            let asked = asked.iter().any(|path| part_of(path, part));
            let excluded = self.without.iter().any(|path| part_of(path, part));
            asked || (all && part.returned == Returned::Default && !excluded)
        };
        if attribute.parts.is_empty() {
            return all.then(|| value.clone());
        }
        let cut = |value: &Value| {
            let parts = value.as_object()?;
            let parts = parts.iter().filter(|(name, _)| attribute.part(name).is_some_and(keeps));
            let parts = parts.map(|(name, value)| (name.clone(), value.clone())).collect::<Document>();
            (!parts.is_empty()).then_some(Value::Object(parts))
        };
        match value {
            Value::Array(elements) => {
                let elements = elements.iter().filter_map(cut).collect::<Vec<_>>();
                (!elements.is_empty()).then_some(Value::Array(elements))
            }
            one => cut(one),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::schema::{CONFIDENTIAL, EMPLOYMENT, ENTERPRISE, USER};

    fn cut(only: &str, without: &str) -> Value {
        let user = json!({
            "id": "7", "userName": "ada", "title": "Analyst", "name": { "givenName": "Ada", "familyName": "Byron" },
            "emails": [{ "value": "a@example.com", "type": "work", "primary": true }],
            ENTERPRISE: { "department": "Analysis" },
            EMPLOYMENT: { "hireDate": "2010-01-04" }, CONFIDENTIAL: { "leaveFirstDay": "2013-09-01" },
        });
        let selection = Selection::of(only.split(','), without.split(',')).unwrap();
        Value::Object(selection.cut(&Catalogue::load().unwrap(), user.as_object().unwrap()))
    }

    #[test]
    fn without_a_wish_everything_is_told_but_what_never_is() {
        let whole = cut("", "");
        assert_eq!(whole["emails"], json!([{ "value": "a@example.com", "type": "work" }]));
        assert_eq!(whole[EMPLOYMENT], json!({ "hireDate": "2010-01-04" }));
        assert_eq!(whole["schemas"], json!([USER, ENTERPRISE, EMPLOYMENT]));
    }

    #[test]
    fn only_what_is_asked_for_is_told_and_the_identifier() {
        assert_eq!(cut("TITLE, nickName", ""), json!({ "id": "7", "schemas": [USER], "title": "Analyst" }));
        let part = json!({ "id": "7", "schemas": [USER], "name": { "givenName": "Ada" } });
        assert_eq!(cut("name.givenName", ""), part);
        assert_eq!(cut("emails.primary", "")["emails"], json!([{ "primary": true }]));
        let extension =
            json!({ "id": "7", "schemas": [USER, ENTERPRISE], ENTERPRISE: { "department": "Analysis" } });
        assert_eq!(cut(ENTERPRISE, ""), extension);
        assert_eq!(
            cut(&format!("{CONFIDENTIAL}:leaveFirstDay"), ""),
            json!({ "id": "7", "schemas": [USER] })
        );
    }

    #[test]
    fn what_is_excluded_is_not_told() {
        let cut = cut("", "id,title,name.givenName,department");
        assert_eq!((&cut["id"], &cut["title"]), (&json!("7"), &Value::Null));
        assert_eq!(cut["name"], json!({ "familyName": "Byron" }));
        assert_eq!(cut["schemas"], json!([USER, EMPLOYMENT]));
    }

    #[test]
    fn a_wish_that_cannot_be_read_is_refused() {
        for (only, without) in [("a b", ""), ("", "emails[type eq \"work\"]"), ("title", "name")] {
            assert!(Selection::of(only.split(','), without.split(',')).is_err());
        }
    }
}

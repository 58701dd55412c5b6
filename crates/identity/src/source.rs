use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest name of a source, characters.
const LENGTH_MAX: usize = 63;

/// The name of a system that feeds the directory, such as `payroll`.
///
/// A lower-case letter, then up to 62 lower-case letters, digits and hyphens: it stands in paths, claims
/// and log lines as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SourceId(String);

/// The text is no name of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a source is named by a lower-case letter and then at most 62 lower-case letters, digits and hyphens"
)]
pub struct NoSourceId;

impl SourceId {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SourceId {
    type Error = NoSourceId;

    fn try_from(text: String) -> Result<Self, NoSourceId> {
        let first = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
        let rest = text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if first && rest && text.len() <= LENGTH_MAX { Ok(Self(text)) } else { Err(NoSourceId) }
    }
}

impl FromStr for SourceId {
    type Err = NoSourceId;

    fn from_str(text: &str) -> Result<Self, NoSourceId> {
        Self::try_from(text.to_owned())
    }
}

impl From<SourceId> for String {
    fn from(source: SourceId) -> Self {
        source.0
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_named_in_one_way_only() {
        let longest = "a".repeat(LENGTH_MAX);
        for name in ["roster", "sap-hcm2", "a", &longest] {
            assert_eq!(name.parse::<SourceId>().unwrap().to_string(), name);
        }
        let long = "a".repeat(LENGTH_MAX + 1);
        for name in ["", "Roster", "2sap", "-sap", "sap hcm", "sap_hcm", "päyroll", "sap\n", &long] {
            assert_eq!(name.parse::<SourceId>(), Err(NoSourceId), "{name}");
        }
    }
}

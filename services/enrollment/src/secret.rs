//! The secret of a source: made, recognised by its digest, never kept.

use std::fmt::Write;

use identity::CredentialId;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// What every secret begins with, so that scanners find one that was left in a repository.
const PREFIX: &str = "updraft_";
/// Bytes of randomness.
const RANDOM_BYTES: usize = 32;
/// Digits of the identifier of the credential, which follows the prefix.
const ID_DIGITS: usize = 32;

/// A secret as it is handed out: `updraft_`, the credential it belongs to, `_`, 256 random bits; 105 letters, digits and `_`.
pub(crate) struct Secret(String);

impl Secret {
    /// Makes the secret of a credential.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub(crate) fn make(credential: CredentialId) -> Result<Self, getrandom::Error> {
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random)?;
        let mut text = format!("{PREFIX}{}_", credential.uuid().simple());
        for byte in random {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        Ok(Self(text))
    }

    /// Takes what somebody presents; none if no secret of ours looks like it.
    pub(crate) fn presented(text: &str) -> Option<Self> {
        let (id, random) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let lengths = id.len() == ID_DIGITS && random.len() == 2 * RANDOM_BYTES;
        (lengths && are_digits(id) && are_digits(random)).then(|| Self(text.to_owned()))
    }

    /// The credential that it says it belongs to.
    pub(crate) fn credential(&self) -> Option<CredentialId> {
        let id = self.0.get(PREFIX.len()..PREFIX.len() + ID_DIGITS)?;
        Uuid::try_parse(id).ok().map(CredentialId::from_uuid)
    }

    /// What is kept of it.
    pub(crate) fn sha256(&self) -> Vec<u8> {
        Sha256::digest(&self.0).to_vec()
    }

    /// Whether it is the one of which this is kept, in a time that does not depend on how much of it is right.
    pub(crate) fn is(&self, sha256: &[u8]) -> bool {
        self.sha256().ct_eq(sha256).into()
    }

    /// The secret itself, to be shown once.
    pub(crate) fn expose(self) -> String {
        self.0
    }
}

/// The bytes of a fingerprint; none unless it has 64 hexadecimal digits in lower case.
pub(crate) fn from_hexadecimal(digits: &str) -> Option<Vec<u8>> {
    if digits.len() != 64 || !are_digits(digits) {
        return None;
    }
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()).collect()
}

fn are_digits(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_recognised_by_its_digest_and_names_its_credential() {
        let credential = CredentialId::mint();
        let [made, other] = [(); 2].map(|()| Secret::make(credential).unwrap());
        let (kept, text) = (made.sha256(), made.expose());
        let presented = Secret::presented(&text).unwrap();
        assert_eq!(presented.credential(), Some(credential));
        assert!(presented.is(&kept));
        assert!(!presented.is(&other.sha256()));
        assert!(!presented.is(&[]));
    }

    #[test]
    fn what_no_secret_of_ours_looks_like_is_none() {
        let secret = Secret::make(CredentialId::mint()).unwrap().expose();
        let (shorter, upper) = (&secret[..secret.len() - 1], secret.to_uppercase());
        let foreign = secret.replace("updraft_", "payroll_");
        let cut_within_a_letter = format!("{PREFIX}ü{}", "0".repeat(95));
        for text in ["", "updraft_", "updraft__", shorter, &upper, &foreign, &cut_within_a_letter] {
            assert!(Secret::presented(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_fingerprint_has_64_digits() {
        let bytes = from_hexadecimal(&"0f".repeat(32)).unwrap();
        assert_eq!(bytes, [15; 32]);
        for text in ["", "0f", &"0F".repeat(32), &"+f".repeat(32), &"ü".repeat(32)] {
            assert_eq!(from_hexadecimal(text), None, "{text}");
        }
    }
}

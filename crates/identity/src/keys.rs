use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, io};

use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use pem::Pem;

use crate::{secret_file, token};

/// What stands before the 32 secret bytes in an Ed25519 private key.
///
/// # Source
///
/// RFC 8410, section 7: `OneAsymmetricKey` version 1 with the algorithm id-Ed25519, in DER.
const PRIVATE_KEY_HEAD: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// The Ed25519 keys that sign and verify tokens; cheap to clone.
///
/// A key is known by its thumbprint (RFC 7638), which tokens carry as `kid`. The key file is a sequence
/// of PEM blocks: the first is the private key that signs, every further one (`PRIVATE KEY` or
/// `PUBLIC KEY`) is only trusted. To rotate, put a new key first and remove the old one when its last
/// token has expired.
///
/// # Source
///
/// RFC 9068 (access tokens), RFC 8037 (Ed25519 in JOSE), RFC 8725 (one algorithm, typed, for an audience).
#[derive(Clone)]
pub struct Keys(pub(crate) Arc<KeyRing>);

pub(crate) struct KeyRing {
    pub(crate) header: Header,
    pub(crate) signing: EncodingKey,
    pub(crate) trusted: HashMap<String, DecodingKey>,
    published: JwkSet,
}

impl Keys {
    /// Reads the key file, and creates it with one new key where there is none.
    ///
    /// # Errors
    ///
    /// [`KeyError::File`] if it can be neither read nor created, or does not hold what [`Keys::from_pem`] takes.
    pub fn load_or_create(path: impl AsRef<Path>) -> Result<Self, KeyError> {
        let path = path.as_ref();
        let text = secret_file::read_or_create(path, || Ok(new_private_key()?.into_bytes()))
            .map_err(|source| KeyError::File { path: path.to_owned(), source })?;
        Self::from_pem(&text).map_err(|wrong| KeyError::File {
            path: path.to_owned(),
            source: io::Error::new(io::ErrorKind::InvalidData, wrong),
        })
    }

    /// Makes keys that no file remembers.
    ///
    /// # Errors
    ///
    /// [`KeyError::Random`] if the operating system has no randomness to give.
    pub fn generate() -> Result<Self, KeyError> {
        Self::from_pem(new_private_key().map_err(KeyError::Random)?)
    }

    /// Takes the keys from the text of a key file.
    ///
    /// # Errors
    ///
    /// [`KeyError::Pem`] if the text is no PEM, [`KeyError::NoPrivateKey`] if its first block is no
    /// private key, [`KeyError::NoEd25519`] if a block is no Ed25519 key.
    pub fn from_pem(text: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        let blocks = pem::parse_many(text)?;
        let first = blocks.first().filter(|block| block.tag() == "PRIVATE KEY");
        let signing = EncodingKey::from_ed_der(first.ok_or(KeyError::NoPrivateKey)?.contents());
        let published = JwkSet { keys: blocks.iter().map(public_key).collect::<Result<_, _>>()? };
        let trusted = published
            .keys
            .iter()
            .filter_map(|key| Some((key.common.key_id.clone()?, key)))
            .map(|(id, key)| Ok((id, DecodingKey::from_jwk(key)?)))
            .collect::<Result<_, KeyError>>()?;
        let header = Header {
            typ: Some(token::TYPE.to_owned()),
            kid: published.keys.first().and_then(|key| key.common.key_id.clone()),
            ..Header::new(Algorithm::EdDSA)
        };
        Ok(Self(Arc::new(KeyRing { header, signing, trusted, published })))
    }

    /// The public halves, to be published as a JSON Web Key Set.
    #[must_use]
    pub fn published(&self) -> &JwkSet {
        &self.0.published
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Keys").field(&self.0.trusted.keys()).finish()
    }
}

/// Why the keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key file cannot be read, created or understood.
    #[error("the key file {} cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the file system said, or what is wrong with it.
        source: io::Error,
    },
    /// The operating system gave no randomness.
    #[error("no randomness for a new key")]
    Random(#[source] io::Error),
    /// The key file is not PEM.
    #[error("the key file is not PEM")]
    Pem(#[from] pem::PemError),
    /// The key file does not begin with a private key.
    #[error("the key file does not begin with a PRIVATE KEY block")]
    NoPrivateKey,
    /// The signing key did not sign.
    #[error("the signing key does not sign")]
    Signing(#[source] jsonwebtoken::errors::Error),
    /// A block of the key file is no Ed25519 key.
    #[error("a block of the key file is no Ed25519 key")]
    NoEd25519(#[from] jsonwebtoken::errors::Error),
}

fn new_private_key() -> io::Result<String> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(io::Error::other)?;
    let key = [PRIVATE_KEY_HEAD.as_slice(), &secret].concat();
    Ok(pem::encode(&Pem::new("PRIVATE KEY", key)))
}

fn public_key(block: &Pem) -> Result<Jwk, KeyError> {
    let mut key = if block.tag() == "PRIVATE KEY" {
        Jwk::from_encoding_key(&EncodingKey::from_ed_der(block.contents()), Algorithm::EdDSA)?
    } else {
        let public = DecodingKey::from_ed_pem(pem::encode(block).as_bytes())?;
        Jwk::from_decoding_key(&public, Some(Algorithm::EdDSA))?
    };
    key.common.key_id = Some(key.thumbprint(ThumbprintHash::SHA256)?);
    key.common.public_key_use = Some(PublicKeyUse::Signature);
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Audience, Caller, PersonId, Role};

    fn caller() -> Caller {
        Caller::of(PersonId::mint(), [Role::Office, Role::Participant])
    }

    #[test]
    fn a_rotated_key_is_trusted_until_it_is_removed() {
        let [old, new] = [(); 2].map(|()| new_private_key().unwrap());
        let token = Keys::from_pem(&old).unwrap().issue(&caller(), Audience::Updraft, 60).unwrap();
        let rotated = Keys::from_pem(format!("{new}\n{old}")).unwrap();
        assert!(rotated.verify(&token).is_ok());
        assert_eq!(rotated.published().keys.len(), 2);
        let fresh = rotated.issue(&caller(), Audience::Updraft, 60).unwrap();
        let removed = Keys::from_pem(&new).unwrap();
        assert!(removed.verify(&fresh).is_ok(), "the first key signs");
        assert!(removed.verify(&token).is_err());
    }

    #[test]
    fn a_public_key_is_trusted_and_cannot_sign() {
        // The key pair of RFC 8410, section 10.
        let private = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----";
        let public = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----";
        let token = Keys::from_pem(private).unwrap().issue(&caller(), Audience::Services, 60).unwrap();
        let ours = new_private_key().unwrap();
        assert!(Keys::from_pem(format!("{ours}\n{public}")).unwrap().verify(&token).is_ok());
        assert!(matches!(Keys::from_pem(public), Err(KeyError::NoPrivateKey)));
        assert!(matches!(Keys::from_pem(""), Err(KeyError::NoPrivateKey)));
        let rubbish = pem::encode(&Pem::new("PRIVATE KEY", vec![7; 48]));
        assert!(matches!(Keys::from_pem(rubbish), Err(KeyError::NoEd25519(_))));
    }

    #[test]
    fn debug_shows_key_ids_and_nothing_secret() {
        let text = new_private_key().unwrap();
        let keys = Keys::from_pem(&text).unwrap();
        let shown = format!("{keys:?}");
        assert!(shown.contains(keys.0.header.kid.as_deref().unwrap()));
        assert!(!shown.contains(text.lines().nth(1).unwrap()));
        assert!(!shown.contains("EncodingKey"));
    }
}

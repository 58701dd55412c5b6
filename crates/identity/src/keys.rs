use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, io};

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use pem::Pem;
use serde::{Deserialize, Serialize};

use crate::{Caller, Id, PersonId, Role, secret_file};

const ISSUER: &str = "updraft";
const TOKEN_TYPE: &str = "at+jwt";
const LEEWAY_SECONDS: u64 = 30;

/// What stands before the 32 secret bytes in an Ed25519 private key.
///
/// # Source
///
/// RFC 8410, section 7: `OneAsymmetricKey` version 1 with the algorithm id-Ed25519, in DER.
const PRIVATE_KEY_HEAD: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// For whom a token is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// The public interfaces: what a client of the company presents.
    Updraft,
    /// The services behind the gateway: who calls, as the gateway or a service states it.
    Services,
}

impl Audience {
    /// The value of the claim `aud`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Updraft => "updraft",
            Self::Services => "updraft-services",
        }
    }
}

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
pub struct Keys(Arc<KeyRing>);

struct KeyRing {
    header: Header,
    signing: EncodingKey,
    trusted: HashMap<String, DecodingKey>,
    published: JwkSet,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    iat: u64,
    exp: u64,
    jti: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<PersonId>,
    roles: BTreeSet<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delegate_for: Option<PersonId>,
}

impl Keys {
    /// Reads the key file, and creates it with one new key where there is none.
    ///
    /// # Errors
    ///
    /// [`KeyError::File`] if it can be neither read nor created, else as [`Keys::from_pem`].
    pub fn load_or_create(path: impl AsRef<Path>) -> Result<Self, KeyError> {
        let path = path.as_ref();
        let text = secret_file::read_or_create(path, || Ok(new_private_key()?.into_bytes()))
            .map_err(|source| KeyError::File { path: path.to_owned(), source })?;
        Self::from_pem(&text)
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
            typ: Some(TOKEN_TYPE.to_owned()),
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

    /// Signs a statement of who calls, for `ttl_seconds` from now.
    ///
    /// # Panics
    ///
    /// Never: the signing key was proved to be an Ed25519 key when it was read.
    #[must_use]
    pub fn issue(&self, caller: &Caller, audience: Audience, ttl_seconds: u64) -> String {
        // Tokens live in real time, whatever the business clock says.
        let now = jsonwebtoken::get_current_timestamp();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: audience.name().to_owned(),
            sub: subject(caller),
            iat: now,
            exp: now.saturating_add(ttl_seconds),
            jti: Id::<Claims>::mint().to_string(),
            person: caller.person,
            roles: caller.roles.clone(),
            delegate_for: caller.delegate_for,
        };
        jsonwebtoken::encode(&self.0.header, &claims, &self.0.signing).expect("an Ed25519 key signs")
    }

    /// Verifies a token for any of our audiences, as a service does.
    ///
    /// # Errors
    ///
    /// [`TokenError::Expired`] more than 30 seconds after its end, else [`TokenError::Invalid`].
    pub fn verify(&self, token: &str) -> Result<Caller, TokenError> {
        self.verify_for_any(token, &[Audience::Updraft, Audience::Services])
    }

    /// Verifies a token for one audience alone.
    ///
    /// The gateway asks for [`Audience::Updraft`], so that a statement between services never passes
    /// for a client's token.
    ///
    /// # Errors
    ///
    /// As [`Keys::verify`].
    pub fn verify_for(&self, token: &str, audience: Audience) -> Result<Caller, TokenError> {
        self.verify_for_any(token, &[audience])
    }

    fn verify_for_any(&self, token: &str, audiences: &[Audience]) -> Result<Caller, TokenError> {
        let header = jsonwebtoken::decode_header(token)?;
        if header.typ.as_deref() != Some(TOKEN_TYPE) {
            return Err(TokenError::invalid(ErrorKind::InvalidToken));
        }
        let key = header.kid.and_then(|id| self.0.trusted.get(&id));
        let key = key.ok_or_else(|| TokenError::invalid(ErrorKind::InvalidSignature))?;
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.leeway = LEEWAY_SECONDS;
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&audiences.iter().map(|audience| audience.name()).collect::<Vec<_>>());
        rules.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        let claims = jsonwebtoken::decode::<Claims>(token, key, &rules)?.claims;
        Ok(Caller { person: claims.person, roles: claims.roles, delegate_for: claims.delegate_for })
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
    /// The key file can be neither read nor created.
    #[error("the key file {} can be neither read nor created", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the file system said.
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
    /// A block of the key file is no Ed25519 key.
    #[error("a block of the key file is no Ed25519 key")]
    NoEd25519(#[from] jsonwebtoken::errors::Error),
}

/// Why a token is refused; the caller learns no more than this.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The call carries no bearer token.
    #[error("the call carries no bearer token")]
    Missing,
    /// The token has expired.
    #[error("the token has expired")]
    Expired,
    /// The token is not one of ours, not for us, or was changed.
    #[error("the token is not valid here")]
    Invalid(#[source] jsonwebtoken::errors::Error),
}

impl TokenError {
    /// The reason for machines.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Missing => "TOKEN_MISSING",
            Self::Expired => "TOKEN_EXPIRED",
            Self::Invalid(_) => "TOKEN_INVALID",
        }
    }

    fn invalid(kind: ErrorKind) -> Self {
        Self::Invalid(jsonwebtoken::errors::new_error(kind))
    }
}

impl From<jsonwebtoken::errors::Error> for TokenError {
    fn from(error: jsonwebtoken::errors::Error) -> Self {
        match error.kind() {
            ErrorKind::ExpiredSignature => Self::Expired,
            _ => Self::Invalid(error),
        }
    }
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

/// A system is its role: it has no person to name.
fn subject(caller: &Caller) -> String {
    match caller.person {
        Some(person) => person.to_string(),
        None => caller.roles.iter().map(|role| role.name()).collect::<Vec<_>>().join("+"),
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::dangerous::insecure_decode_claims;

    use super::*;

    fn caller() -> Caller {
        Caller::of(PersonId::mint(), [Role::Office, Role::Participant])
    }

    /// Signs claims that [`Keys::issue`] would never make.
    fn forge(keys: &Keys, change: impl FnOnce(&mut Header, &mut Claims)) -> String {
        let token = keys.issue(&caller(), Audience::Updraft, 60);
        let mut claims = insecure_decode_claims::<Claims>(&token).unwrap();
        let mut header = keys.0.header.clone();
        change(&mut header, &mut claims);
        jsonwebtoken::encode(&header, &claims, &keys.0.signing).unwrap()
    }

    #[test]
    fn a_caller_survives_the_token() {
        let keys = Keys::generate().unwrap();
        for caller in
            [caller(), Caller::delegate(PersonId::mint(), PersonId::mint()), Caller::system(Role::Hris)]
        {
            let token = keys.issue(&caller, Audience::Services, 60);
            assert_eq!(keys.verify(&token).unwrap(), caller);
        }
    }

    #[test]
    fn a_token_holds_for_its_audience_alone() {
        let keys = Keys::generate().unwrap();
        let statement = keys.issue(&caller(), Audience::Services, 60);
        assert!(keys.verify_for(&statement, Audience::Services).is_ok());
        let refused = keys.verify_for(&statement, Audience::Updraft).unwrap_err();
        assert_eq!(refused.reason(), "TOKEN_INVALID");
        let elsewhere = forge(&keys, |_, claims| "payroll".clone_into(&mut claims.aud));
        assert!(matches!(keys.verify(&elsewhere), Err(TokenError::Invalid(_))));
    }

    #[test]
    fn a_token_ends_thirty_seconds_after_it_says() {
        let keys = Keys::generate().unwrap();
        let ended_ago = |seconds| forge(&keys, |_, claims| claims.exp = claims.iat - seconds);
        assert!(keys.verify(&ended_ago(LEEWAY_SECONDS - 5)).is_ok());
        assert!(matches!(keys.verify(&ended_ago(LEEWAY_SECONDS + 5)), Err(TokenError::Expired)));
    }

    #[test]
    fn another_issuer_type_or_key_is_refused() {
        let keys = Keys::generate().unwrap();
        let forged = [
            forge(&keys, |_, claims| "elsewhere".clone_into(&mut claims.iss)),
            forge(&keys, |header, _| header.typ = Some("JWT".to_owned())),
            forge(&keys, |header, _| header.kid = None),
            forge(&keys, |header, _| header.kid = Some("unknown".to_owned())),
            Keys::generate().unwrap().issue(&caller(), Audience::Updraft, 60),
            "no token".to_owned(),
            String::new(),
        ];
        for token in forged {
            assert!(matches!(keys.verify(&token), Err(TokenError::Invalid(_))), "{token}");
        }
    }

    #[test]
    fn no_algorithm_but_eddsa_is_accepted() {
        let keys = Keys::generate().unwrap();
        let token = keys.issue(&caller(), Audience::Updraft, 60);
        let claims = insecure_decode_claims::<Claims>(&token).unwrap();
        // The classic confusion: the public key, which anyone may know, used as a shared secret.
        let public = keys.0.trusted.values().next().unwrap().try_get_as_bytes().unwrap();
        let header = Header { alg: Algorithm::HS256, ..keys.0.header.clone() };
        let forged = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(public)).unwrap();
        assert!(matches!(keys.verify(&forged), Err(TokenError::Invalid(_))));
        let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", token.split('.').nth(1).unwrap());
        assert!(matches!(keys.verify(&unsigned), Err(TokenError::Invalid(_))));
    }

    #[test]
    fn changed_claims_are_refused() {
        let keys = Keys::generate().unwrap();
        let [mine, theirs] = [caller(), caller()].map(|caller| keys.issue(&caller, Audience::Updraft, 60));
        let parts: Vec<_> = mine.split('.').zip(theirs.split('.')).collect();
        let spliced = [parts[0].0, parts[1].1, parts[2].0].join(".");
        assert!(matches!(keys.verify(&spliced), Err(TokenError::Invalid(_))));
    }

    #[test]
    fn a_rotated_key_is_trusted_until_it_is_removed() {
        let [old, new] = [(); 2].map(|()| new_private_key().unwrap());
        let token = Keys::from_pem(&old).unwrap().issue(&caller(), Audience::Updraft, 60);
        let rotated = Keys::from_pem(format!("{new}\n{old}")).unwrap();
        assert!(rotated.verify(&token).is_ok());
        assert_eq!(rotated.published().keys.len(), 2);
        let fresh = rotated.issue(&caller(), Audience::Updraft, 60);
        let removed = Keys::from_pem(&new).unwrap();
        assert!(removed.verify(&fresh).is_ok(), "the first key signs");
        assert!(removed.verify(&token).is_err());
    }

    #[test]
    fn a_public_key_is_trusted_and_cannot_sign() {
        // The key pair of RFC 8410, section 10.
        let private = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----";
        let public = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----";
        let token = Keys::from_pem(private).unwrap().issue(&caller(), Audience::Services, 60);
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

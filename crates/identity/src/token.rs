use std::collections::BTreeSet;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation};
use serde::{Deserialize, Serialize};

use crate::{Caller, Id, KeyError, Keys, PersonId, Role, SourceId};

/// The type of every token, in its header.
///
/// # Source
///
/// RFC 9068, section 2.1.
pub(crate) const TYPE: &str = "at+jwt";

const ISSUER: &str = "updraft";
const LEEWAY_SECONDS: u64 = 30;

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
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<SourceId>,
}

impl Keys {
    /// Signs a statement of who calls, for `ttl_seconds` from now.
    ///
    /// # Errors
    ///
    /// [`KeyError::Signing`] if the key does not sign, which reading it should have shown.
    pub fn issue(&self, caller: &Caller, audience: Audience, ttl_seconds: u64) -> Result<String, KeyError> {
        // Tokens live in real time, whatever the business clock says.
        let now = jsonwebtoken::get_current_timestamp();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: audience.name().to_owned(),
            sub: caller.subject(),
            iat: now,
            exp: now.saturating_add(ttl_seconds),
            jti: Id::<Claims>::mint().to_string(),
            person: caller.person,
            roles: caller.roles.clone(),
            delegate_for: caller.delegate_for,
            source: caller.source.clone(),
        };
        jsonwebtoken::encode(&self.0.header, &claims, &self.0.signing).map_err(KeyError::Signing)
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
        if header.typ.as_deref() != Some(TYPE) {
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
        let Claims { person, roles, delegate_for, source, .. } = claims;
        Ok(Caller { person, roles, delegate_for, source })
    }
}

/// Why a token is refused; the caller learns no more than this.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The call carries no bearer token.
    #[error("the call carries no bearer token")]
    Missing,
    /// The call carries no bearer token, and its client certificate speaks for nobody.
    #[error("the client certificate is registered for no source")]
    UnknownCertificate,
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
            Self::UnknownCertificate => "CERTIFICATE_UNKNOWN",
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

#[cfg(test)]
mod tests {
    use jsonwebtoken::dangerous::insecure_decode_claims;
    use jsonwebtoken::{EncodingKey, Header};

    use super::*;

    fn caller() -> Caller {
        Caller::of(PersonId::mint(), [Role::Office, Role::Participant])
    }

    /// Signs claims that [`Keys::issue`] would never make.
    fn forge(keys: &Keys, change: impl FnOnce(&mut Header, &mut Claims)) -> String {
        let token = keys.issue(&caller(), Audience::Updraft, 60).unwrap();
        let mut claims = insecure_decode_claims::<Claims>(&token).unwrap();
        let mut header = keys.0.header.clone();
        change(&mut header, &mut claims);
        jsonwebtoken::encode(&header, &claims, &keys.0.signing).unwrap()
    }

    #[test]
    fn a_caller_survives_the_token() {
        let keys = Keys::generate().unwrap();
        for caller in [
            caller(),
            Caller::delegate(PersonId::mint(), PersonId::mint()),
            Caller::system(Role::Hris),
            Caller::hris("payroll".parse().unwrap()),
        ] {
            let token = keys.issue(&caller, Audience::Services, 60).unwrap();
            assert_eq!(keys.verify(&token).unwrap(), caller);
        }
    }

    #[test]
    fn a_token_holds_for_its_audience_alone() {
        let keys = Keys::generate().unwrap();
        let statement = keys.issue(&caller(), Audience::Services, 60).unwrap();
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
            Keys::generate().unwrap().issue(&caller(), Audience::Updraft, 60).unwrap(),
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
        let token = keys.issue(&caller(), Audience::Updraft, 60).unwrap();
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
        let [mine, theirs] =
            [caller(), caller()].map(|caller| keys.issue(&caller, Audience::Updraft, 60).unwrap());
        let parts: Vec<_> = mine.split('.').zip(theirs.split('.')).collect();
        let spliced = [parts[0].0, parts[1].1, parts[2].0].join(".");
        assert!(matches!(keys.verify(&spliced), Err(TokenError::Invalid(_))));
    }
}

//! Whose secret it is that an HR system presents.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use identity::{Caller, Role, SourceId};
use proto::hris::{
    AuthenticateSourceRequest, authenticate_source_request::Credential,
    source_service_client::SourceServiceClient,
};
use tonic::{Code, Status};

use crate::upstream::Upstreams;

/// How often one secret may be tried in vain within a minute.
const FAILURES_MAX: u32 = 10;
const WINDOW: Duration = Duration::from_mins(1);
/// How many secrets are kept in mind; beyond, the one that was tried first is forgotten.
const KEPT_MAX: usize = 4096;
/// Longer texts are no secrets of ours, nor are those with a NUL.
const SECRET_LENGTH_MAX: usize = 256;
const DEADLINE: Duration = Duration::from_secs(5);

/// Why a secret is refused.
#[derive(Debug)]
pub(crate) enum Refused {
    /// It does not hold.
    Wrong,
    /// It was tried in vain too often.
    TooOften {
        /// When it may be tried again.
        wait: Duration,
    },
    /// The directory does not answer.
    Away(Status),
}

/// Asks the directory whose a secret is, and lets nobody try secrets out.
///
/// Failures are counted by what stands in front of the last `_` of a secret, which names the credential and is not secret: whoever
/// knows the name of a source alone cannot lock it out.
#[derive(Default)]
pub(crate) struct SourceSecrets {
    failures: Mutex<HashMap<String, Failures>>,
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    since: Instant,
}

impl SourceSecrets {
    /// The source whose secret it is.
    ///
    /// # Errors
    /// Every variant of [`Refused`].
    pub(crate) async fn source(&self, upstreams: &Upstreams, secret: &str) -> Result<SourceId, Refused> {
        if secret.len() > SECRET_LENGTH_MAX || secret.contains('\0') {
            return Err(Refused::Wrong);
        }
        let (credential, _) = secret.rsplit_once('_').ok_or(Refused::Wrong)?;
        let now = Instant::now();
        self.check(credential, now)?;
        let known = ask(upstreams, secret).await?;
        match &known {
            Some(_) => self.forget(credential),
            None => self.count(credential, now),
        }
        known.ok_or(Refused::Wrong)
    }

    fn check(&self, credential: &str, now: Instant) -> Result<(), Refused> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(failures) = failures.get(credential) else { return Ok(()) };
        let wait = (failures.since + WINDOW).saturating_duration_since(now);
        if failures.count < FAILURES_MAX || wait.is_zero() { Ok(()) } else { Err(Refused::TooOften { wait }) }
    }

    fn count(&self, credential: &str, now: Instant) {
        let mut kept = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX && !kept.contains_key(credential) {
            kept.retain(|_, failures| now < failures.since + WINDOW);
            let first = kept.iter().min_by_key(|(_, failures)| failures.since);
            if let Some(first) = first.filter(|_| kept.len() >= KEPT_MAX).map(|(first, _)| first.clone()) {
                kept.remove(&first);
            }
        }
        let failures = kept.entry(credential.to_owned()).or_insert(Failures { count: 0, since: now });
        if now >= failures.since + WINDOW {
            *failures = Failures { count: 0, since: now };
        }
        failures.count += 1;
    }

    fn forget(&self, credential: &str) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(credential);
    }
}

async fn ask(upstreams: &Upstreams, secret: &str) -> Result<Option<SourceId>, Refused> {
    let connection = upstreams.connection("updraft.hris.v1", Caller::system(Role::Service));
    let away = |what: &str| Refused::Away(Status::unavailable(what));
    let connection = connection.ok_or_else(|| away("no directory is configured"))?;
    let credential = Some(Credential::Secret(secret.to_owned()));
    let mut request = tonic::Request::new(AuthenticateSourceRequest { credential });
    request.set_timeout(DEADLINE);
    match SourceServiceClient::new(connection).authenticate_source(request).await {
        Ok(answer) => match answer.into_inner().source_id.parse() {
            Ok(source) => Ok(Some(source)),
            Err(_) => Err(away("the directory names a source that cannot be")),
        },
        Err(status) if status.code() == Code::Unauthenticated => Ok(None),
        Err(status) => Err(Refused::Away(status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(secrets: &SourceSecrets, credential: &str, now: Instant) -> bool {
        secrets.check(credential, now).is_err()
    }

    #[test]
    fn a_secret_is_tried_ten_times_a_minute_and_others_are_none_the_worse() {
        let (secrets, begin) = (SourceSecrets::default(), Instant::now());
        for _ in 0..FAILURES_MAX {
            assert!(!is_refused(&secrets, "updraft_1", begin));
            secrets.count("updraft_1", begin);
        }
        assert!(is_refused(&secrets, "updraft_1", begin + WINDOW / 2));
        assert!(!is_refused(&secrets, "updraft_2", begin));
        assert!(!is_refused(&secrets, "updraft_1", begin + WINDOW));
        secrets.count("updraft_1", begin + WINDOW);
        assert!(!is_refused(&secrets, "updraft_1", begin + WINDOW));
    }

    #[test]
    fn a_success_forgets_the_failures() {
        let (secrets, begin) = (SourceSecrets::default(), Instant::now());
        (0..FAILURES_MAX).for_each(|_| secrets.count("updraft_1", begin));
        secrets.forget("updraft_1");
        assert!(!is_refused(&secrets, "updraft_1", begin));
    }

    #[test]
    fn what_is_kept_in_mind_is_bounded() {
        let (secrets, begin) = (SourceSecrets::default(), Instant::now());
        for number in 0..2 * KEPT_MAX {
            secrets.count(&format!("updraft_{number}"), begin + Duration::from_micros(number as u64));
        }
        assert_eq!(secrets.failures.lock().unwrap().len(), KEPT_MAX);
    }
}

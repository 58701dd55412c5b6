//! `SourceService`.

use boot::{not_found, refuse, unavailable};
use eventlog::{Begun, Receipt};
use identity::{CredentialId, Resource, SourceId};
use jiff::Timestamp;
use proto::hris::authenticate_source_request::Credential as Presented;
use proto::hris::source_service_server::SourceService;
use proto::{hris as api, status, time};
use tonic::{Code, Request, Response, Status};

use super::{id, violation};
use crate::Enrollment;
use crate::codec::{self, Source};
use crate::domain::source::{Command, CredentialKind, Registered, Settings, next_rank, stream};
use crate::secret::{self, Secret};
use crate::views::sources::{self, CredentialRow, SourceRow};

#[tonic::async_trait]
impl SourceService for Enrollment {
    async fn create_source(
        &self,
        request: Request<api::CreateSourceRequest>,
    ) -> Result<Response<api::CreateSourceResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::everything())?;
        let asked = call.message.source.clone().unwrap_or_default();
        let source: SourceId = asked.source_id.parse().map_err(|_| {
            let rule = "must be a lower-case letter, then lower-case letters, digits and hyphens";
            violation("source.source_id", "PATTERN", rule)
        })?;
        if let Begun::Work(mut work) = self.begin(&call.context()).await? {
            let mut unit = work.unit();
            sources::lock(unit.conn()).await.map_err(unavailable)?;
            let register = register(unit.conn()).await?;
            let (settings, rank) = (settings(&asked)?, next_rank(&register));
            let added = Registered { source: source.clone(), rank, settings: settings.clone() };
            let command = Command::Add { source: source.clone(), settings, register };
            let receipt = unit.execute::<Source>(stream(&source), command).await.map_err(refuse)?;
            sources::add(unit.conn(), &added, call.now).await.map_err(unavailable)?;
            work.commit(receipt).await.map_err(unavailable)?;
        }
        Ok(Response::new(api::CreateSourceResponse { source: Some(self.source(&source).await?) }))
    }

    async fn update_source(
        &self,
        request: Request<api::UpdateSourceRequest>,
    ) -> Result<Response<api::UpdateSourceResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::everything())?;
        let source = named(&call.message.source_id)?;
        let asked = call.message.source.clone().unwrap_or_default();
        if !asked.source_id.is_empty() && asked.source_id != source.as_str() {
            return Err(violation(
                "source.source_id",
                "OTHER_SOURCE",
                "must be that of the request, or empty",
            ));
        }
        if let Begun::Work(mut work) = self.begin(&call.context()).await? {
            let mut unit = work.unit();
            sources::lock(unit.conn()).await.map_err(unavailable)?;
            let register = register(unit.conn()).await?;
            let settings = settings(&asked)?;
            let command = Command::Change { source: source.clone(), settings: settings.clone(), register };
            let receipt = unit.execute::<Source>(stream(&source), command).await.map_err(refuse)?;
            sources::change(unit.conn(), &source, &settings).await.map_err(unavailable)?;
            work.commit(receipt).await.map_err(unavailable)?;
        }
        Ok(Response::new(api::UpdateSourceResponse { source: Some(self.source(&source).await?) }))
    }

    async fn list_sources(
        &self,
        request: Request<api::ListSourcesRequest>,
    ) -> Result<Response<api::ListSourcesResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::everything())?;
        let rows = sources::all(&self.pool).await.map_err(unavailable)?;
        Ok(Response::new(api::ListSourcesResponse { sources: rows.iter().map(shown).collect() }))
    }

    async fn create_source_credential(
        &self,
        request: Request<api::CreateSourceCredentialRequest>,
    ) -> Result<Response<api::CreateSourceCredentialResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::everything())?;
        let source = named(&call.message.source_id)?;
        let made = Made::of(&call.message)?;
        let (credential, secret) = match self.begin(&call.context()).await? {
            // What was shown once is not shown again: nobody has it any more.
            Begun::Replayed(first) => (CredentialId::from_uuid(first.id), String::new()),
            Begun::Work(mut work) => {
                let mut unit = work.unit();
                sources::lock(unit.conn()).await.map_err(unavailable)?;
                let register = register(unit.conn()).await?;
                let Made { credential, kind, sha256, secret } = made;
                let command = Command::MakeCredential { source: source.clone(), credential, kind, register };
                let receipt = unit.execute::<Source>(stream(&source), command).await.map_err(refuse)?;
                let kept =
                    sources::keep_credential(unit.conn(), credential, &source, kind, &sha256, call.now).await;
                if !kept.map_err(unavailable)? {
                    let message =
                        "This certificate speaks for a source already; revoke that credential first.";
                    return Err(status::refusal(Code::AlreadyExists, "CERTIFICATE_TAKEN", message));
                }
                let receipt = Receipt { id: credential.uuid(), ..receipt };
                work.commit(receipt).await.map_err(unavailable)?;
                (credential, secret)
            }
        };
        let credential = Some(self.credential(&source, credential).await?);
        Ok(Response::new(api::CreateSourceCredentialResponse { credential, secret }))
    }

    async fn list_source_credentials(
        &self,
        request: Request<api::ListSourceCredentialsRequest>,
    ) -> Result<Response<api::ListSourceCredentialsResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::everything())?;
        let source = named(&call.message.source_id)?;
        self.source(&source).await?;
        let rows = sources::credentials(&self.pool, &source).await.map_err(unavailable)?;
        let credentials = rows.iter().map(shown_credential).collect();
        Ok(Response::new(api::ListSourceCredentialsResponse { credentials }))
    }

    async fn revoke_source_credential(
        &self,
        request: Request<api::RevokeSourceCredentialRequest>,
    ) -> Result<Response<api::RevokeSourceCredentialResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::everything())?;
        let source = named(&call.message.source_id)?;
        let credential = id("credential_id", &call.message.credential_id)?;
        if let Begun::Work(mut work) = self.begin(&call.context()).await? {
            let mut unit = work.unit();
            let command = Command::RevokeCredential { source: source.clone(), credential };
            let receipt = unit.execute::<Source>(stream(&source), command).await.map_err(refuse)?;
            sources::revoke(unit.conn(), credential, call.now).await.map_err(unavailable)?;
            work.commit(receipt).await.map_err(unavailable)?;
        }
        let credential = Some(self.credential(&source, credential).await?);
        Ok(Response::new(api::RevokeSourceCredentialResponse { credential }))
    }

    async fn authenticate_source(
        &self,
        request: Request<api::AuthenticateSourceRequest>,
    ) -> Result<Response<api::AuthenticateSourceResponse>, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::everything())?;
        let source = match &call.message.credential {
            None => return Err(violation("credential", "REQUIRED", "must be set")),
            Some(Presented::Secret(text)) => self.source_of_secret(text, call.now).await?,
            Some(Presented::CertificateSha256(digits)) => match secret::from_hexadecimal(digits) {
                Some(sha256) => self.source_of(&sha256, call.now).await.map_err(unavailable)?,
                None => None,
            },
        };
        let source = source.ok_or_else(|| {
            status::refusal(Code::Unauthenticated, "CREDENTIAL_INVALID", "This credential does not hold.")
        })?;
        Ok(Response::new(api::AuthenticateSourceResponse { source_id: source.to_string() }))
    }
}

impl Enrollment {
    /// Whose secret it is; none if it does not hold.
    async fn source_of_secret(&self, text: &str, now: Timestamp) -> Result<Option<SourceId>, Status> {
        let Some(secret) = Secret::presented(text) else { return Ok(None) };
        let Some(credential) = secret.credential() else { return Ok(None) };
        let found = sources::credential(&self.pool, credential).await.map_err(unavailable)?;
        let holds = |row: &CredentialRow| {
            row.kind == CredentialKind::Secret && row.revoked_at.is_none() && secret.is(&row.sha256)
        };
        let Some(row) = found.filter(holds) else { return Ok(None) };
        sources::note_use(&self.pool, credential, now).await.map_err(unavailable)?;
        Ok(Some(row.source))
    }

    /// Whose client certificate it is; none if it speaks for no source.
    pub(crate) async fn source_of(&self, sha256: &[u8], now: Timestamp) -> sqlx::Result<Option<SourceId>> {
        let Some(row) = sources::certificate(&self.pool, sha256).await? else { return Ok(None) };
        sources::note_use(&self.pool, row.credential, now).await?;
        Ok(Some(row.source))
    }

    async fn source(&self, source: &SourceId) -> Result<api::Source, Status> {
        let found = sources::find(&self.pool, source).await.map_err(unavailable)?;
        found.as_ref().map(shown).ok_or_else(|| not_found("source"))
    }

    async fn credential(
        &self,
        source: &SourceId,
        credential: CredentialId,
    ) -> Result<api::Credential, Status> {
        let found = sources::credential(&self.pool, credential).await.map_err(unavailable)?;
        let row = found.filter(|row| row.source == *source).ok_or_else(|| not_found("credential"))?;
        Ok(shown_credential(&row))
    }
}

/// A credential to be kept.
struct Made {
    credential: CredentialId,
    kind: CredentialKind,
    sha256: Vec<u8>,
    /// Empty for a certificate.
    secret: String,
}

impl Made {
    fn of(message: &api::CreateSourceCredentialRequest) -> Result<Self, Status> {
        let wrong = |code, rule| violation("certificate_sha256", code, rule);
        let credential = CredentialId::mint();
        match codec::credential_kind(message.kind) {
            None => Err(violation("kind", "NOT_IN", "must be set")),
            Some(CredentialKind::Secret) if !message.certificate_sha256.is_empty() => {
                Err(wrong("NOT_OF_A_SECRET", "must be empty for a secret"))
            }
            Some(kind @ CredentialKind::Secret) => {
                let secret = Secret::make(credential).map_err(unavailable)?;
                Ok(Self { credential, kind, sha256: secret.sha256(), secret: secret.expose() })
            }
            Some(kind @ CredentialKind::Certificate) => {
                let sha256 = secret::from_hexadecimal(&message.certificate_sha256)
                    .ok_or_else(|| wrong("REQUIRED", "must be the fingerprint of the certificate"))?;
                Ok(Self { credential, kind, sha256, secret: String::new() })
            }
        }
    }
}

async fn register(conn: &mut sqlx::PgConnection) -> Result<Vec<Registered>, Status> {
    let rows = sources::all(conn).await.map_err(unavailable)?;
    Ok(rows.into_iter().map(|row| row.registered).collect())
}

/// A name that no source can have names none.
fn named(text: &str) -> Result<SourceId, Status> {
    text.parse().map_err(|_| not_found("source"))
}

fn settings(asked: &api::Source) -> Result<Settings, Status> {
    codec::source_settings(&asked.owns, asked.grace_days)
        .ok_or_else(|| violation("source.owns", "DEFINED_ONLY", "must name attributes"))
}

fn shown(row: &SourceRow) -> api::Source {
    api::Source {
        source_id: row.registered.source.to_string(),
        owns: codec::owns_to_proto(&row.registered.settings),
        rank: row.registered.rank,
        grace_days: row.registered.settings.grace_days,
        create_time: Some(time::to_proto(row.created_at)),
    }
}

fn shown_credential(row: &CredentialRow) -> api::Credential {
    api::Credential {
        credential_id: row.credential.to_string(),
        kind: codec::credential_kind_to_proto(row.kind).into(),
        create_time: Some(time::to_proto(row.created_at)),
        last_use_time: row.last_used_at.map(time::to_proto),
        revoke_time: row.revoked_at.map(time::to_proto),
    }
}

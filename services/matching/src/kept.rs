//! The inputs of runs: kept when a run is computed, found again when it is explained, published or computed anew.

use eventlog::BoxError;
use sqlx::PgConnection;

use crate::codec::{self, Kept, Spoilt};
use crate::domain::difference::{self, Difference, Kind, Subject};
use crate::domain::frozen::Frozen;
use crate::domain::inputs::Inputs;
use crate::domain::matrix::Matrix;
use crate::views::frozen;

/// Why the inputs of a run are not found.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// The database fails.
    #[error("the inputs of the run could not be read")]
    Database(#[from] sqlx::Error),
    /// The run was computed before inputs were kept.
    #[error("no inputs are kept that have the SHA-256 {0}")]
    NotKept(String),
    /// What is kept is not what was computed from.
    #[error("the inputs that are kept cannot be used")]
    Spoilt(#[from] Spoilt),
    /// The verdicts are not those of the inputs.
    #[error("the verdicts on the pairs are not those of the inputs")]
    Verdicts,
}

/// Keeps what a run was computed from.
pub(crate) async fn keep(conn: &mut PgConnection, frozen: &Frozen) -> sqlx::Result<()> {
    let Kept { digest, bytes } = codec::freeze(&frozen.inputs);
    let mentees = frozen.inputs.mentees.len();
    frozen::keep(conn, &digest, &bytes, |mentee| frozen.matrix.row(mentee), mentees).await
}

/// The inputs that have this digest.
///
/// # Errors
/// [`Lost`].
pub async fn inputs(conn: &mut PgConnection, digest: &str) -> Result<Inputs, Lost> {
    let bytes = frozen::inputs(conn, digest).await?.ok_or_else(|| Lost::NotKept(digest.to_owned()))?;
    Ok(codec::thaw(&bytes, digest)?)
}

/// What a run with this digest was computed from; the verdicts are read, and not made anew.
///
/// # Errors
/// [`Lost`].
pub async fn find(conn: &mut PgConnection, digest: &str) -> Result<Frozen, Lost> {
    let inputs = inputs(&mut *conn, digest).await?;
    let rows = frozen::verdicts(conn, digest).await?;
    let matrix = Matrix::from_rows(&inputs, &rows).ok_or(Lost::Verdicts)?;
    Ok(Frozen { digest: digest.to_owned(), inputs, matrix })
}

/// What has changed since a run with this digest was computed.
pub(crate) async fn changes(
    conn: &mut PgConnection,
    digest: &str,
    now: &Inputs,
) -> Result<Vec<Difference>, BoxError> {
    if codec::freeze(now).digest == digest {
        return Ok(Vec::new());
    }
    let not_kept = || vec![Difference { kind: Kind::NotKept, subject: Subject::Edition }];
    match inputs(conn, digest).await {
        Ok(then) => {
            let found = difference::between(&then, now);
            Ok(if found.is_empty() { not_kept() } else { found })
        }
        Err(Lost::NotKept(_)) => Ok(not_kept()),
        Err(other) => Err(other.into()),
    }
}

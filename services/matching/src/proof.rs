//! A run years later: computed again from what it was computed from, or verified without computing.

use std::collections::BTreeSet;

use assignment::Progress;
use eventlog::{Journal, Wake};
use identity::MatchRunId;
use sqlx::PgPool;

use crate::codec::{self, Run};
use crate::domain::Pair;
use crate::domain::certificate::{self, Unproved};
use crate::domain::frozen::Frozen;
use crate::domain::matrix::NoMatrix;
use crate::domain::solution::{self, Staged, Unsolvable};
use crate::kept::{self, Lost};

/// A run that was computed again.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// SHA-256 of the inputs, hexadecimal.
    pub inputs_digest: String,
    /// The result as it is recorded, in bytes.
    pub recorded: Vec<u8>,
    /// The result as it was computed now, in bytes.
    pub computed: Vec<u8>,
    /// Pairs that are in one of the two results only.
    pub differing: Vec<Pair>,
}

impl Replayed {
    /// Whether both results are the same, byte by byte.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.recorded == self.computed
    }
}

/// A run whose proof holds.
#[derive(Clone, Debug)]
pub struct Verified {
    /// SHA-256 of the inputs, hexadecimal.
    pub inputs_digest: String,
    /// The tandems.
    pub pairs: usize,
    /// The prices that prove them.
    pub prices: usize,
    /// The cost that the prices prove, a decimal integer.
    pub cost: String,
}

/// Why a run is neither computed again nor verified.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// There is no such run.
    #[error("there is no match run {0}")]
    Unknown(MatchRunId),
    /// The log fails.
    #[error("the match run could not be read")]
    Log(#[from] eventlog::Error),
    /// The database fails.
    #[error("the database could not be read")]
    Database(#[from] sqlx::Error),
    /// The inputs are not found.
    #[error("what the match run was computed from is not there")]
    Lost(#[from] Lost),
    /// The inputs are too many.
    #[error(transparent)]
    NoMatrix(#[from] NoMatrix),
    /// What was solved once is not solved again.
    #[error("the match run has no solution any more")]
    Unsolvable(#[from] Unsolvable),
    /// The proof does not hold.
    #[error("the match run is not proved")]
    Unproved(#[from] Unproved),
}

/// Computes a run again, as it stands last, from the inputs that are kept.
///
/// # Errors
/// [`ProofError`]; a result that differs is none.
pub async fn replay(pool: &PgPool, run: MatchRunId) -> Result<Replayed, ProofError> {
    let (staged, frozen) = load(pool, run).await?;
    let again = solution::solve(&frozen, staged.wishes.clone(), &Progress::default())?;
    let (recorded, computed) = (codec::result_bytes(&staged), codec::result_bytes(&again));
    let differing = if recorded == computed { Vec::new() } else { differing(&staged, &again) };
    Ok(Replayed { inputs_digest: staged.inputs_digest.clone(), recorded, computed, differing })
}

/// Pairs that one of the two has and the other has not: first those of the one, then those of the other.
fn differing(one: &Staged, other: &Staged) -> Vec<Pair> {
    let pairs =
        |staged: &Staged| -> BTreeSet<Pair> { staged.pairs.iter().map(|proposed| proposed.pair).collect() };
    let (one, other) = (pairs(one), pairs(other));
    one.difference(&other).chain(other.difference(&one)).copied().collect()
}

/// Verifies a run, as it stands last, by the pairs and prices that its event bears; the solver is not asked.
///
/// # Errors
/// [`ProofError::Unproved`] if the proof does not hold, the others if it cannot be looked at.
pub async fn verify(pool: &PgPool, run: MatchRunId) -> Result<Verified, ProofError> {
    let (staged, frozen) = load(pool, run).await?;
    certificate::verify(&frozen, &staged)?;
    Ok(Verified {
        inputs_digest: staged.inputs_digest.clone(),
        pairs: staged.pairs.len(),
        prices: staged.certificate.prices.len(),
        cost: staged.certificate.cost.clone(),
    })
}

/// What a run found last, and its inputs with every pair judged anew: the verdicts that are kept are not relied on.
async fn load(pool: &PgPool, run: MatchRunId) -> Result<(Box<Staged>, Frozen), ProofError> {
    // Nothing is appended, so that no view changes and nobody has to be woken.
    let journal = Journal::new(pool.clone(), Wake::default(), ());
    let (state, _) = journal.load::<Run>(run.uuid()).await?;
    let staged = state.known().ok_or(ProofError::Unknown(run))?.staged;
    let mut conn = pool.acquire().await?;
    let inputs = kept::inputs(&mut conn, &staged.inputs_digest).await?;
    let frozen = Frozen::assess(staged.inputs_digest.clone(), inputs, &Progress::default())?;
    Ok((staged, frozen))
}

#[cfg(test)]
mod golden;

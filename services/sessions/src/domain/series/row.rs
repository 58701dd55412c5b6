//! Two cancellations in a row.

use super::{Cause, Session, Standing};
use crate::domain::Side;

/// Who cancelled last, if cancelling or excusing the session at this index brings a first pair of cancellations together.
///
/// Sessions follow each other by month. An approved absence never counts: it neither adds to a row nor breaks it. A row
/// that has two already was reported by the decision that made them two.
pub(super) fn completed_by(sessions: &[Session], at: usize, side: Side, cause: Cause) -> Option<Side> {
    let before = row(sessions[..at].iter().rev());
    let after = row(sessions[at + 1..].iter());
    let own = (!cause.is_approved()).then_some(side);
    let length = before.len() + after.len() + usize::from(own.is_some());
    let is_new = before.len() < 2 && after.len() < 2;
    (length >= 2 && is_new).then(|| own.or(after.first().copied())).flatten()
}

/// The sides that cancelled, from here to the first session that was not cancelled.
fn row<'a>(sessions: impl Iterator<Item = &'a Session>) -> Vec<Side> {
    sessions
        .map(|session| session.standing)
        .filter(|standing| !matches!(standing, Standing::Cancelled { cause, .. } if cause.is_approved()))
        .map_while(|standing| match standing {
            Standing::Cancelled { side, .. } => Some(side),
            _ => None,
        })
        .collect()
}

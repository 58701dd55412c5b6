//! The read models: `project.rs` fills them, `reports.rs` asks them.

mod project;
mod reports;

pub use self::project::Changes;
pub use self::reports::{
    Counts, Edition, GridSession, GridTandem, PersistenceRow, SelfAssessmentRow, TopicRow, cancellations,
    edition, executives, funnel, grid, obligations, persistence, self_assessments, topics,
};

//! A whole edition of a real roster, played over REST in seconds.
//!
//! Reading order: [`play`] tells the story; `stage` is how it speaks to the system; `cast` who takes part; `acts` what happens;
//! `explain` why these tandems; `report` what it ends with. It uses nothing but the public interfaces and the manual clock of the admin port.

mod acts;
mod cast;
mod explain;
mod marker;
mod report;
mod run;
mod season;
mod stage;

use jiff::Timestamp;

pub use self::marker::Marker;
pub use self::run::{Args, run};
pub use self::stage::Stage;

/// When the story begins: 2013-08-12, 07:00 UTC.
pub const BEGIN: Timestamp = Timestamp::constant(1_376_290_800, 0);

/// Plays the edition and answers with the report, as text for a terminal.
///
/// # Errors
/// If the system refuses a step, with the step and the refusal.
pub async fn play(stage: &Stage) -> anyhow::Result<String> {
    let cast = acts::import(stage).await?;
    let edition = acts::draft(stage, &cast).await?;
    acts::open(stage, &cast, &edition).await?;
    acts::apply(stage, &cast, &edition).await?;
    acts::acknowledge(stage, &cast, &edition).await?;
    let priced = season::find_tandems(stage, &cast, &edition).await?;
    season::meet(stage, &cast, &edition).await?;
    season::complete(stage, &cast, &edition).await?;
    season::follow_up(stage, &cast, &edition).await?;
    let report = report::text(stage, &cast, &edition, &priced).await?;
    stage.resume_clock().await?;
    Ok(report)
}

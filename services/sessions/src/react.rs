//! What happens elsewhere and matters here: a tandem begins or ends, an edition is completed.

use boot::Clock;
use eventlog::{BoxError, Context, Follower, Journal, Recorded};
use identity::{EditionId, PersonId, SessionId, TandemId};
use jiff::Timestamp;
use sqlx::PgConnection;

use crate::codec::{FollowUp, News, Pair, Series, news};
use crate::domain::follow_up::{self, MONTHS, Subject};
use crate::domain::planning::{Availability, Frame, Rules, plan};
use crate::domain::series::{Act, Command, Ending, Plan, PlannedSession};
use crate::views::{Views, availabilities, editions, obligations, series, sessions};

/// Follows the events of the enrollment and the matching.
pub struct Reactions {
    pub(crate) journal: Journal<Views>,
    pub(crate) clock: Clock,
}

impl Follower for Reactions {
    fn name(&self) -> &'static str {
        "sessions"
    }

    async fn project(&self, conn: &mut PgConnection, events: &[Recorded]) -> Result<(), BoxError> {
        for event in events {
            project(conn, event).await?;
        }
        Ok(())
    }

    fn reacts_to(&self, event: &Recorded) -> bool {
        // What cannot be read is refused by the reaction.
        news(event).map_or(true, |news| {
            matches!(news, Some(News::TandemActivated(_) | News::TandemEnded(..) | News::EditionCompleted(_)))
        })
    }

    async fn react(&self, conn: &mut PgConnection, event: &Recorded) -> Result<(), BoxError> {
        match news(event)? {
            Some(News::TandemActivated(pair)) => self.plan(conn, pair, event.recorded_at).await,
            Some(News::TandemEnded(tandem, edition, ending)) => {
                self.ask_series(conn, tandem, edition, Act::End(ending)).await
            }
            Some(News::EditionCompleted(edition)) => {
                self.complete(conn, edition).await?;
                self.schedule_follow_ups(conn, edition, event.recorded_at).await
            }
            Some(
                News::EditionSet(..) | News::AvailabilityGiven(..) | News::Obliged(..) | News::Excused(..),
            )
            | None => Ok(()),
        }
    }
}

impl Reactions {
    /// Plans the sessions of a tandem around everything the two have planned already.
    async fn plan(&self, conn: &mut PgConnection, pair: Pair, activated: Timestamp) -> Result<(), BoxError> {
        let rules = edition_rules(conn, pair.edition).await?;
        let mentor = availability(conn, pair.edition, pair.mentor, &rules).await?;
        let mentee = availability(conn, pair.edition, pair.mentee, &rules).await?;
        let people = [pair.mentor, pair.mentee];
        sessions::hold_calendars(conn, people).await?;
        let busy = sessions::busy(&mut *conn, people, None).await?;

        let frame = Frame { rules: &rules, activated, mentor: &mentor, mentee: &mentee, busy: &busy };
        let schedule = plan(&frame);
        let session = |(month, start): (i32, Timestamp)| PlannedSession {
            id: SessionId::derived(pair.tandem.uuid(), &month.to_be_bytes()),
            month,
            start,
            minutes: rules.session_minutes,
        };
        let plan = Plan {
            mentor: pair.mentor,
            mentee: pair.mentee,
            sessions: schedule.starts.into_iter().map(session).collect(),
            months_without_time: schedule.months_without_time,
            time_zone: mentee.time_zone,
        };
        self.ask_series(conn, pair.tandem, pair.edition, Act::Plan(plan)).await
    }

    /// Ends every series of an edition that goes on.
    async fn complete(&self, conn: &mut PgConnection, edition: EditionId) -> Result<(), BoxError> {
        for tandem in series::running(&mut *conn, edition).await? {
            self.ask_series(conn, tandem, edition, Act::End(Ending::Completed)).await?;
        }
        Ok(())
    }

    async fn ask_series(
        &self,
        conn: &mut PgConnection,
        tandem: TandemId,
        edition: EditionId,
        act: Act,
    ) -> Result<(), BoxError> {
        let context = self.context();
        let command = Command { tandem, edition, now: context.now, act };
        self.journal.unit(conn, &context).execute::<Series>(tandem.uuid(), command).await?;
        Ok(())
    }

    /// Whoever was obliged is asked later, with or without a tandem: persistence is a share of them all.
    async fn schedule_follow_ups(
        &self,
        conn: &mut PgConnection,
        edition: EditionId,
        completed: Timestamp,
    ) -> Result<(), BoxError> {
        let last_day = edition_rules(conn, edition).await?.time_zone.to_datetime(completed).date();
        let context = self.context();
        for mentee in obligations::obliged(&mut *conn, edition).await? {
            for months in MONTHS {
                let subject = Subject::of(edition, mentee, months);
                let act = follow_up::Act::Schedule(subject, subject.due_date(last_day));
                let command = follow_up::Command { edition, act };
                self.journal
                    .unit(&mut *conn, &context)
                    .execute::<FollowUp>(subject.id.uuid(), command)
                    .await?;
            }
        }
        Ok(())
    }

    fn context(&self) -> Context {
        Context { now: self.clock.now(), actor: None, idempotency: None, expected_version: None }
    }
}

async fn edition_rules(conn: &mut PgConnection, edition: EditionId) -> Result<Rules, BoxError> {
    let rules = editions::find(conn, edition).await?;
    rules.ok_or_else(|| "an event names an edition that was never created".into())
}

async fn availability(
    conn: &mut PgConnection,
    edition: EditionId,
    person: PersonId,
    rules: &Rules,
) -> Result<Availability, BoxError> {
    let said = availabilities::find(conn, edition, person).await?;
    Ok(said.unwrap_or_else(|| Availability::unknown(rules.time_zone.clone())))
}

async fn project(conn: &mut PgConnection, event: &Recorded) -> Result<(), BoxError> {
    match news(event)? {
        Some(News::EditionSet(edition, rules)) => editions::keep(conn, edition, &rules).await?,
        Some(News::AvailabilityGiven(edition, person, said)) => {
            availabilities::keep(conn, edition, person, &said).await?;
        }
        Some(News::Obliged(edition, person)) => obligations::raise(conn, edition, person).await?,
        Some(News::Excused(edition, person)) => obligations::excuse(conn, edition, person).await?,
        Some(News::EditionCompleted(_) | News::TandemActivated(_) | News::TandemEnded(..)) | None => {}
    }
    Ok(())
}

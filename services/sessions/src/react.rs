//! What happens elsewhere and matters here: a tandem begins or ends, somebody is on leave or erased, an edition is completed.

use boot::Clock;
use eventlog::{BoxError, Context, Follower, Journal, Patches, Recorded};
use identity::{EditionId, PersonId, SessionId, TandemId};
use jiff::Timestamp;
use sqlx::PgConnection;
use vault::Vault;

use crate::codec::{FollowUp, News, Pair, Series, news};
use crate::domain::follow_up::{self, MONTHS, Subject};
use crate::domain::planning::{Availability, Frame, Rules, Slot, plan, plan_again};
use crate::domain::series::{Act, Command, Ending, Plan, PlannedSession};
use crate::views::leaves::{self, Freed};
use crate::views::{Views, absences, availabilities, editions, obligations, series, sessions};

/// Follows the events of the enrollment and the matching.
pub struct Reactions {
    pub(crate) journal: Journal<Views>,
    pub(crate) clock: Clock,
    pub(crate) vault: Vault,
}

impl Follower for Reactions {
    fn name(&self) -> &'static str {
        "sessions"
    }

    async fn project(&self, conn: &mut PgConnection, events: &[Recorded]) -> Result<(), BoxError> {
        let mut patches = Patches::default();
        for event in events {
            if let Some(news) = news(event)? {
                note(&mut patches, news);
            }
        }
        Ok(patches.write(conn).await?)
    }

    fn reacts_to(&self, event: &Recorded) -> bool {
        // What cannot be read is refused by the reaction.
        news(event).map_or(true, |news| {
            matches!(
                news,
                Some(
                    News::TandemActivated(_)
                        | News::TandemEnded(..)
                        | News::Absent(..)
                        | News::Erased(_)
                        | News::EditionCompleted(_)
                )
            )
        })
    }

    async fn react(&self, conn: &mut PgConnection, event: &Recorded) -> Result<(), BoxError> {
        match news(event)? {
            Some(News::TandemActivated(pair)) => self.plan(conn, pair, event.recorded_at).await,
            Some(News::TandemEnded(tandem, edition, ending)) => {
                self.ask_series(conn, tandem, edition, Act::End(ending)).await
            }
            Some(News::Absent(person, ..)) => {
                self.pause(conn, person).await?;
                self.resume(conn, person).await
            }
            Some(News::Erased(person)) => self.forget(conn, person).await,
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
        let calendars = self.calendars(conn, pair.edition, [pair.mentor, pair.mentee]).await?;
        let schedule = plan(&calendars.frame(activated));
        let minutes = calendars.rules.session_minutes;
        let session = |(month, start): (i32, Timestamp)| PlannedSession {
            id: SessionId::derived(pair.tandem.uuid(), &month.to_be_bytes()),
            month,
            start,
            minutes,
        };
        let plan = Plan {
            mentor: pair.mentor,
            mentee: pair.mentee,
            sessions: schedule.starts.into_iter().map(session).collect(),
            months_without_time: schedule.months_without_time,
            time_zone: calendars.mentee.time_zone,
        };
        self.ask_series(conn, pair.tandem, pair.edition, Act::Plan(plan)).await
    }

    /// What a person on leave has planned is off, and counts for nobody; the series goes on afterwards.
    async fn pause(&self, conn: &mut PgConnection, person: PersonId) -> Result<(), BoxError> {
        for planned in leaves::prevented(&mut *conn, Some(person), self.clock.now()).await? {
            let act = Act::Pause(planned.session, planned.side);
            self.ask_series(conn, planned.tandem, planned.edition, act).await?;
        }
        Ok(())
    }

    /// What was off for a leave that ended earlier, or never was, is planned again within its month.
    async fn resume(&self, conn: &mut PgConnection, person: PersonId) -> Result<(), BoxError> {
        let now = self.clock.now();
        for Freed { session, tandem, edition, people, start } in
            leaves::freed(&mut *conn, person, now).await?
        {
            let calendars = self.calendars(conn, edition, people).await?;
            if let Some(start) = plan_again(&calendars.frame(now), start) {
                self.ask_series(conn, tandem, edition, Act::Resume(session, start)).await?;
            }
        }
        Ok(())
    }

    /// What is said in a tandem is about both of its people, so that with one of them all of it is erased.
    async fn forget(&self, conn: &mut PgConnection, person: PersonId) -> Result<(), BoxError> {
        for tandem in series::of_person(&mut *conn, person).await? {
            self.vault.forget(conn, tandem.uuid()).await?;
        }
        Ok(())
    }

    /// When two people can meet, which stays as it is until the transaction ends.
    async fn calendars(
        &self,
        conn: &mut PgConnection,
        edition: EditionId,
        people: [PersonId; 2],
    ) -> Result<Calendars, BoxError> {
        let rules = edition_rules(conn, edition).await?;
        let [mentor, mentee] = people;
        let mentor = availability(conn, edition, mentor, &rules).await?;
        let mentee = availability(conn, edition, mentee, &rules).await?;
        sessions::hold_calendars(conn, people).await?;
        let paused_until = leaves::paused_until(self.clock.now());
        let busy = sessions::busy(&mut *conn, people, None, paused_until).await?;
        Ok(Calendars { rules, mentor, mentee, busy })
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

/// When a mentor and a mentee can meet.
struct Calendars {
    rules: Rules,
    mentor: Availability,
    mentee: Availability,
    busy: Vec<Slot>,
}

impl Calendars {
    /// What is planned at this moment has to fit in here.
    fn frame(&self, activated: Timestamp) -> Frame<'_> {
        let Self { rules, mentor, mentee, busy } = self;
        Frame { rules, activated, mentor, mentee, busy }
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

fn note(patches: &mut Patches, news: News) {
    match news {
        News::EditionSet(edition, rules) => editions::keep(patches, edition, &rules),
        News::AvailabilityGiven(edition, person, said) => {
            availabilities::keep(patches, edition, person, &said);
        }
        News::Obliged(edition, person) => obligations::raise(patches, edition, person),
        News::Excused(edition, person) => obligations::excuse(patches, edition, person),
        News::Absent(person, first_day, last_day) => absences::keep(patches, person, first_day, last_day),
        News::Erased(_) | News::EditionCompleted(_) | News::TandemActivated(_) | News::TandemEnded(..) => {}
    }
}

//! How facts change the tables.

use eventlog::{Patches, Recorded, Table};
use identity::TandemId;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde_json::json;
use sqlx::{PgConnection, query};
use uuid::Uuid;

use crate::domain::{Fact, SessionFate};

static EDITIONS: Table = Table {
    name: "editions",
    key: "edition_id",
    columns: "start_date, months, time_zone, anonymity_k, topic_ids, completed",
};
static APPLICATIONS: Table = Table {
    name: "applications",
    key: "application_id",
    columns: "edition_id, person_id, state, asked_back, accepted, topic_ids",
};
static OBLIGATIONS: Table = Table { name: "obligations", key: "edition_id, person_id", columns: "state" };
static NEEDS: Table =
    Table { name: "needs", key: "edition_id, person_id, topic_id", columns: "level, wanted" };
static TANDEMS: Table = Table {
    name: "tandems",
    key: "tandem_id",
    columns: "edition_id, mentor_id, mentee_id, state, activated",
};
static SESSIONS: Table = Table {
    name: "sessions",
    key: "session_id",
    columns: "tandem_id, edition_id, mentee_id, month, start_time, state, side, moves",
};
static ALERTS: Table = Table { name: "alerts", key: "position", columns: "edition_id" };
static FOLLOW_UPS: Table =
    Table { name: "follow_ups", key: "follow_up_id", columns: "edition_id, person_id, months, active" };
static LEVELS_AFTER: Table =
    Table { name: "levels_after", key: "edition_id, person_id, topic_id, months", columns: "level" };
static LEAVERS: Table = Table { name: "leavers", key: "person_id", columns: "last_day" };

/// What facts change in the tables.
#[derive(Debug, Default)]
pub struct Changes {
    patches: Patches,
    /// Tandems whose series ended, and when.
    ended: Vec<(TandemId, Timestamp)>,
}

impl Changes {
    /// Takes a fact in, in the order of the log.
    pub fn take(&mut self, event: &Recorded, fact: &Fact) {
        let patches = &mut self.patches;
        match fact {
            Fact::EditionSet { edition, start_date, months, time_zone, anonymity_k, topics } => patches.set(
                &EDITIONS,
                json!({ "edition_id": edition, "start_date": start_date, "months": months, "time_zone": time_zone,
                        "anonymity_k": anonymity_k, "topic_ids": topics, "completed": false }),
            ),
            Fact::EditionCompleted { edition } => {
                patches.change(&EDITIONS, json!({ "edition_id": edition, "completed": true }));
            }
            Fact::Applied { .. } | Fact::ApplicationIs { .. } => apply(patches, fact),
            Fact::ObligationIs { edition, person, state } => patches
                .set(&OBLIGATIONS, json!({ "edition_id": edition, "person_id": person, "state": state })),
            Fact::Needs { edition, person, needs } => {
                let obligation = json!({ "edition_id": edition, "person_id": person, "state": "acknowledged" });
                patches.set(&OBLIGATIONS, obligation);
                for (topic, level, wanted) in needs {
                    let need = json!({ "edition_id": edition, "person_id": person, "topic_id": topic,
                                       "level": level, "wanted": wanted });
                    patches.set(&NEEDS, need);
                }
            }
            Fact::TandemOffered { .. } | Fact::TandemIs { .. } => pair_up(patches, fact),
            Fact::SeriesPlanned { .. }
            | Fact::SessionMoved { .. }
            | Fact::SessionResumed { .. }
            | Fact::SessionIs { .. } => {
                meet(patches, fact);
            }
            Fact::SeriesEnded { tandem } => self.ended.push((*tandem, event.recorded_at)),
            Fact::Alerted { edition } => {
                patches.set(&ALERTS, json!({ "position": event.position, "edition_id": edition }));
            }
            Fact::FollowUpScheduled { .. } | Fact::FollowUpAnswered { .. } => follow_up(patches, fact),
            Fact::Left { person, last_day } => {
                patches.set(&LEAVERS, json!({ "person_id": person, "last_day": last_day }));
            }
            Fact::Returned { person } => patches.remove(&LEAVERS, json!({ "person_id": person })),
        }
    }

    /// Writes what was taken in.
    ///
    /// # Errors
    /// If a statement fails.
    pub async fn write(mut self, conn: &mut PgConnection) -> Result<(), sqlx::Error> {
        self.patches.write(conn).await?;
        end_series(conn, &self.ended).await
    }
}

fn apply(patches: &mut Patches, fact: &Fact) {
    match fact {
        Fact::Applied { application, edition, person, topics } => patches.set(
            &APPLICATIONS,
            json!({ "application_id": application, "edition_id": edition, "person_id": person,
                    "state": "submitted", "asked_back": false, "accepted": false, "topic_ids": topics }),
        ),
        Fact::ApplicationIs { application, state } => {
            patches.change(&APPLICATIONS, json!({ "application_id": application, "state": state }));
            if *state == "needs_info" {
                patches.change(&APPLICATIONS, json!({ "application_id": application, "asked_back": true }));
            } else if *state == "accepted" {
                patches.change(&APPLICATIONS, json!({ "application_id": application, "accepted": true }));
            }
        }
        _ => {}
    }
}

fn pair_up(patches: &mut Patches, fact: &Fact) {
    match fact {
        Fact::TandemOffered { tandem, edition, mentor, mentee } => patches.set(
            &TANDEMS,
            json!({ "tandem_id": tandem, "edition_id": edition, "mentor_id": mentor, "mentee_id": mentee,
                    "state": "published", "activated": false }),
        ),
        Fact::TandemIs { tandem, state } => {
            patches.change(&TANDEMS, json!({ "tandem_id": tandem, "state": state }));
            if *state == "active" {
                patches.change(&TANDEMS, json!({ "tandem_id": tandem, "activated": true }));
            }
        }
        _ => {}
    }
}

fn meet(patches: &mut Patches, fact: &Fact) {
    match fact {
        Fact::SeriesPlanned { tandem, edition, mentee, sessions } => {
            for (session, month, start) in sessions {
                let row = json!({ "session_id": session, "tandem_id": tandem, "edition_id": edition,
                                  "mentee_id": mentee, "month": month, "start_time": start, "state": "planned",
                                  "side": "", "moves": 0 });
                patches.set(&SESSIONS, row);
            }
        }
        Fact::SessionMoved { session, start } => {
            patches.change(&SESSIONS, json!({ "session_id": session, "start_time": start }));
            patches.add(&SESSIONS, json!({ "session_id": session, "moves": 1 }));
        }
        Fact::SessionResumed { session, start } => {
            let row = json!({ "session_id": session, "start_time": start, "state": "planned", "side": "" });
            patches.change(&SESSIONS, row);
        }
        Fact::SessionIs { session, fate } => {
            let (state, side) = match fate {
                SessionFate::Held => ("held", ""),
                SessionFate::Cancelled(side) => ("cancelled", side.name()),
                SessionFate::Excused(side) => ("excused", side.name()),
                SessionFate::Missed(side) => ("missed", side.name()),
            };
            patches.change(&SESSIONS, json!({ "session_id": session, "state": state, "side": side }));
        }
        _ => {}
    }
}

fn follow_up(patches: &mut Patches, fact: &Fact) {
    match fact {
        Fact::FollowUpScheduled { follow_up, edition, person, months } => patches.set(
            &FOLLOW_UPS,
            json!({ "follow_up_id": follow_up, "edition_id": edition, "person_id": person, "months": months }),
        ),
        Fact::FollowUpAnswered { follow_up, edition, person, months, active, levels } => {
            patches.change(&FOLLOW_UPS, json!({ "follow_up_id": follow_up, "active": active }));
            for (topic, level) in levels {
                let after = json!({ "edition_id": edition, "person_id": person, "topic_id": topic,
                                    "months": months, "level": level });
                patches.set(&LEVELS_AFTER, after);
            }
        }
        _ => {}
    }
}

/// What was still to come is gone; what is past and was never recorded stays due.
///
/// What comes after an end changes nothing that was still to come, so that the ends can wait for the patches.
async fn end_series(conn: &mut PgConnection, ended: &[(TandemId, Timestamp)]) -> Result<(), sqlx::Error> {
    if ended.is_empty() {
        return Ok(());
    }
    let (tandems, ends): (Vec<Uuid>, Vec<_>) =
        ended.iter().map(|(tandem, end)| (tandem.uuid(), end.to_sqlx())).unzip();
    query(
        "update sessions set state = 'ended'
         from unnest($1::uuid[], $2::timestamptz[]) as ended (tandem_id, at)
         where sessions.tandem_id = ended.tandem_id and state = 'planned' and start_time > at",
    )
    .bind(tandems)
    .bind(ends)
    .execute(conn)
    .await
    .map(drop)
}

#[cfg(test)]
mod tests {
    use eventlog::Draft;
    use identity::{ApplicationId, EditionId, PersonId, SessionId};

    use super::*;
    use crate::domain::Side;

    fn folded(facts: &[Fact]) -> Patches {
        let mut changes = Changes::default();
        for fact in facts {
            changes.take(&Draft::of(&()).rehearsed(), fact);
        }
        changes.patches
    }

    #[test]
    fn whoever_was_accepted_once_stays_accepted_after_a_withdrawal() {
        let (application, edition, person) = (ApplicationId::mint(), EditionId::mint(), PersonId::mint());
        let is = |state| Fact::ApplicationIs { application, state };
        let applied = Fact::Applied { application, edition, person, topics: vec!["hashtags".to_owned()] };
        let mut expected = Patches::default();
        let row = json!({ "application_id": application, "edition_id": edition, "person_id": person,
                          "state": "withdrawn", "asked_back": false, "accepted": true, "topic_ids": ["hashtags"] });
        expected.set(&APPLICATIONS, row);
        assert_eq!(folded(&[applied, is("accepted"), is("withdrawn")]), expected);
    }

    #[test]
    fn moves_of_a_session_add_up_and_its_last_start_holds() {
        let session = SessionId::mint();
        let moved = |start: &str| Fact::SessionMoved { session, start: start.parse().unwrap() };
        let missed = Fact::SessionIs { session, fate: SessionFate::Missed(Side::Mentee) };
        let mut expected = Patches::default();
        let row = json!({ "session_id": session, "start_time": "2013-10-04T08:00:00Z", "state": "missed",
                          "side": "mentee" });
        expected.change(&SESSIONS, row);
        expected.add(&SESSIONS, json!({ "session_id": session, "moves": 2 }));
        assert_eq!(folded(&[moved("2013-10-03T08:00:00Z"), moved("2013-10-04T08:00:00Z"), missed]), expected);
    }
}

//! How facts change the tables.

use eventlog::{Patches, Recorded, Table};
use identity::{EditionId, PersonId, SessionId, TandemId};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::known::{Known, Message};
use crate::domain::{Effect, Ending, Fact, Meeting, Notice, Pair, Session, Tandem};

static EDITIONS: Table = Table { name: "editions", key: "edition_id", columns: "time_zone, region" };
static TANDEMS: Table = Table { name: "tandems", key: "tandem_id", columns: "mentor_id, mentee_id" };
static SESSIONS: Table = Table {
    name: "sessions",
    key: "session_id",
    columns: "tandem_id, start_at, minutes, time_zone, sequence, open",
};
static LEAVERS: Table = Table { name: "leavers", key: "person_id", columns: "" };
static MESSAGES: Table = Table {
    name: "messages",
    key: "notification_id",
    columns: "person_id, kind, edition_id, subject_id, partner_id, due_date, months, ending, obsolete, created_at",
};

/// Takes facts into the tables, in the order of the log, and the messages that follow from them.
///
/// # Errors
/// If a statement fails, or a fact is about a tandem that was never offered.
pub async fn project(conn: &mut PgConnection, facts: &[(&Recorded, Fact)]) -> Result<(), sqlx::Error> {
    let known = Known::of(&mut *conn, facts.iter().map(|(_, fact)| fact)).await?;
    let mut page = Page { known, patches: Patches::default() };
    for (event, fact) in facts {
        page.take(event, fact)?;
    }
    page.patches.write(conn).await
}

/// What is known while facts are taken in, and what they change.
struct Page {
    known: Known,
    patches: Patches,
}

/// What an event says about one subject.
struct News<'e> {
    event: &'e Recorded,
    edition: EditionId,
    subject: Uuid,
}

impl Page {
    fn take(&mut self, event: &Recorded, fact: &Fact) -> Result<(), sqlx::Error> {
        let news = |edition, subject| News { event, edition, subject };
        match fact {
            Fact::Zone { edition, time_zone, region } => self.set_zone(*edition, time_zone, region),
            Fact::Left { person } => self.leave(*person),
            Fact::Returned { person } => {
                self.known.leavers.remove(person);
                self.patches.remove(&LEAVERS, json!({ "person_id": person }));
            }
            Fact::Personal { subject, edition, what } => self.tell(&news(*edition, *subject), &what.effect()),
            Fact::Offered { tandem, edition, pair, answer_by } => {
                self.pair_up(*tandem, *pair);
                let answer_by = answer_by.map(|instant| self.known.day(*edition, instant));
                self.tell(&news(*edition, tandem.uuid()), &Tandem::Offered { answer_by }.effect(*pair));
            }
            Fact::Tandem { tandem, edition, what } => {
                let effect = what.effect(self.known.pair(*tandem)?);
                self.tell(&news(*edition, tandem.uuid()), &effect);
            }
            Fact::Planned { tandem, edition, time_zone, meetings } => {
                let effect = Session::Planned.effect(self.known.pair(*tandem)?);
                for meeting in meetings {
                    self.plan(*tandem, time_zone, meeting);
                    self.tell(&news(*edition, meeting.session.uuid()), &effect);
                }
            }
            Fact::Session { tandem, edition, session, what } => {
                self.change(*tandem, *session, *what);
                let effect = what.effect(self.known.pair(*tandem)?);
                self.tell(&news(*edition, session.uuid()), &effect);
            }
            Fact::SeriesEnded { tandem, edition } => {
                for session in self.known.open_after(*tandem, event.recorded_at) {
                    self.change(*tandem, session, Session::Cancelled);
                    let effect = Session::Cancelled.effect(self.known.pair(*tandem)?);
                    self.tell(&news(*edition, session.uuid()), &effect);
                }
            }
        }
        Ok(())
    }

    fn set_zone(&mut self, edition: EditionId, time_zone: &str, region: &str) {
        self.known.zones.insert(edition, time_zone.to_owned());
        self.patches
            .set(&EDITIONS, json!({ "edition_id": edition, "time_zone": time_zone, "region": region }));
    }

    fn leave(&mut self, person: PersonId) {
        self.known.leavers.insert(person);
        self.patches.set(&LEAVERS, json!({ "person_id": person }));
        for messages in self.known.messages.values_mut() {
            take_back(&mut self.patches, messages, |message| message.person_id == person.uuid());
        }
    }

    fn pair_up(&mut self, tandem: TandemId, pair: Pair) {
        self.known.pairs.insert(tandem, pair);
        let row = json!({ "tandem_id": tandem, "mentor_id": pair.mentor, "mentee_id": pair.mentee });
        self.patches.set(&TANDEMS, row);
    }

    fn plan(&mut self, tandem: TandemId, time_zone: &str, Meeting { session, start, minutes }: &Meeting) {
        self.known.open.insert(*session, (tandem, *start));
        let row = json!({ "session_id": session, "tandem_id": tandem, "start_at": start, "minutes": minutes,
                          "time_zone": time_zone, "sequence": 0, "open": true });
        self.patches.set(&SESSIONS, row);
    }

    fn change(&mut self, tandem: TandemId, session: SessionId, what: Session) {
        match what {
            Session::Planned => {}
            Session::Moved { start } => {
                self.known.open.entry(session).and_modify(|(_, begins)| *begins = start);
                self.patches.change(&SESSIONS, json!({ "session_id": session, "start_at": start }));
            }
            Session::Resumed { start } => {
                self.known.open.insert(session, (tandem, start));
                let row = json!({ "session_id": session, "start_at": start, "open": true });
                self.patches.change(&SESSIONS, row);
            }
            Session::Cancelled | Session::Past => {
                self.known.open.remove(&session);
                self.patches.change(&SESSIONS, json!({ "session_id": session, "open": false }));
            }
        }
        if matches!(what, Session::Moved { .. } | Session::Resumed { .. } | Session::Cancelled) {
            self.patches.add(&SESSIONS, json!({ "session_id": session, "sequence": 1 }));
        }
    }

    /// Takes back what is of no use any more, and keeps what is to be told.
    fn tell(&mut self, news: &News<'_>, effect: &Effect) {
        if let Some(messages) = self.known.messages.get_mut(&news.subject) {
            take_back(&mut self.patches, messages, |message| {
                effect.obsolete.iter().any(|kind| kind.name() == message.kind)
                    && effect.only_for.is_none_or(|person| person.uuid() == message.person_id)
            });
        }
        for notice in &effect.tell {
            self.keep(news, notice);
        }
    }

    fn keep(&mut self, news: &News<'_>, notice: &Notice) {
        let obsolete = self.known.leavers.contains(&notice.to);
        let id = news.notification_id(notice.to);
        if !obsolete {
            self.known.keep(Message {
                subject_id: news.subject,
                notification_id: id,
                person_id: notice.to.uuid(),
                kind: notice.kind.name().to_owned(),
            });
        }
        let row = json!({
            "notification_id": id, "person_id": notice.to, "kind": notice.kind.name(), "edition_id": news.edition,
            "subject_id": news.subject, "partner_id": notice.partner, "due_date": notice.due, "months": notice.months,
            "ending": notice.ending.map(Ending::name), "obsolete": obsolete, "created_at": news.event.recorded_at,
        });
        self.patches.set(&MESSAGES, row);
    }
}

/// Nobody needs these messages any more.
fn take_back(patches: &mut Patches, messages: &mut Vec<Message>, useless: impl Fn(&Message) -> bool) {
    for message in messages.extract_if(.., |message| useless(message)) {
        patches.change(&MESSAGES, json!({ "notification_id": message.notification_id, "obsolete": true }));
    }
}

impl News<'_> {
    /// The same for the same event, subject and person, however often it is derived.
    fn notification_id(&self, to: PersonId) -> Uuid {
        let name = [self.subject.into_bytes(), to.uuid().into_bytes()].concat();
        Uuid::new_v5(&self.event.event_id, &name)
    }
}

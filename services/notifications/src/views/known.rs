//! What the tables say of those whom facts concern, asked once for all of them.

use std::collections::{HashMap, HashSet};

use identity::{EditionId, PersonId, SessionId, TandemId};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, query_as};
use uuid::Uuid;

use crate::domain::{Fact, Pair};

/// What has to be known to take facts in; who takes them in keeps it up to date.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The zones of editions.
    pub(super) zones: HashMap<EditionId, String>,
    /// Who is in a tandem.
    pub(super) pairs: HashMap<TandemId, Pair>,
    /// Who has left.
    pub(super) leavers: HashSet<PersonId>,
    /// What is planned in tandems whose series end.
    pub(super) open: HashMap<SessionId, (TandemId, Timestamp)>,
    /// Messages which are still of use, by subject.
    pub(super) messages: HashMap<Uuid, Vec<Message>>,
}

/// A message which is still of use.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Message {
    pub(super) subject_id: Uuid,
    pub(super) notification_id: Uuid,
    pub(super) person_id: Uuid,
    pub(super) kind: String,
}

/// Whom facts concern.
#[derive(Default)]
struct Concerned {
    editions: Vec<Uuid>,
    tandems: Vec<Uuid>,
    ending: Vec<Uuid>,
    people: Vec<Uuid>,
    leaving: Vec<Uuid>,
    subjects: Vec<Uuid>,
}

impl Concerned {
    fn by<'f>(facts: impl Iterator<Item = &'f Fact>) -> Self {
        let mut concerned = Self::default();
        for fact in facts {
            concerned.note(fact);
        }
        concerned
    }

    fn note(&mut self, fact: &Fact) {
        match fact {
            Fact::Zone { .. } | Fact::Returned { .. } => {}
            Fact::Left { person } => self.leaving.push(person.uuid()),
            Fact::Personal { subject, what, .. } => {
                self.subjects.push(*subject);
                self.people.extend(what.effect().tell.iter().map(|notice| notice.to.uuid()));
            }
            Fact::Offered { edition, pair, .. } => {
                self.editions.push(edition.uuid());
                self.people.extend([pair.mentor.uuid(), pair.mentee.uuid()]);
            }
            Fact::Tandem { tandem, .. } => {
                self.tandems.push(tandem.uuid());
                self.subjects.push(tandem.uuid());
            }
            Fact::Planned { tandem, .. } => self.tandems.push(tandem.uuid()),
            Fact::Session { tandem, session, .. } => {
                self.tandems.push(tandem.uuid());
                self.subjects.push(session.uuid());
            }
            Fact::SeriesEnded { tandem, .. } => {
                self.tandems.push(tandem.uuid());
                self.ending.push(tandem.uuid());
            }
        }
    }
}

impl Known {
    pub(super) async fn of<'f>(
        conn: &mut PgConnection,
        facts: impl Iterator<Item = &'f Fact>,
    ) -> Result<Self, sqlx::Error> {
        let Concerned { editions, tandems, ending, mut people, leaving, mut subjects } = Concerned::by(facts);
        let zones = "select edition_id, time_zone from editions where edition_id = any($1)";
        let zones: Vec<(Uuid, String)> = rows(&mut *conn, zones, editions).await?;
        let pairs = "select tandem_id, mentor_id, mentee_id from tandems where tandem_id = any($1)";
        let pairs: Vec<(Uuid, Uuid, Uuid)> = rows(&mut *conn, pairs, tandems).await?;
        people.extend(pairs.iter().flat_map(|(_, mentor, mentee)| [mentor, mentee]));
        let leavers = "select person_id from leavers where person_id = any($1)";
        let leavers: Vec<(Uuid,)> = rows(&mut *conn, leavers, people).await?;
        let open = "select session_id, tandem_id, start_at from sessions where tandem_id = any($1) and open";
        let open: Vec<(Uuid, Uuid, jiff_sqlx::Timestamp)> = rows(&mut *conn, open, ending).await?;
        subjects.extend(open.iter().map(|(session, ..)| session));
        let about = "select * from messages where subject_id = any($1) and not obsolete";
        let about: Vec<Message> = rows(&mut *conn, about, subjects).await?;
        let to = "select * from messages where person_id = any($1) and not obsolete";
        let to: Vec<Message> = rows(&mut *conn, to, leaving).await?;

        let pair = |mentor, mentee| Pair {
            mentor: PersonId::from_uuid(mentor),
            mentee: PersonId::from_uuid(mentee),
        };
        let mut known = Self {
            zones: zones.into_iter().map(|(edition, zone)| (EditionId::from_uuid(edition), zone)).collect(),
            pairs: pairs
                .into_iter()
                .map(|(tandem, mentor, mentee)| (TandemId::from_uuid(tandem), pair(mentor, mentee)))
                .collect(),
            leavers: leavers.into_iter().map(|(person,)| PersonId::from_uuid(person)).collect(),
            open: open
                .into_iter()
                .map(|(session, tandem, start)| {
                    (SessionId::from_uuid(session), (TandemId::from_uuid(tandem), start.to_jiff()))
                })
                .collect(),
            messages: HashMap::new(),
        };
        about.into_iter().chain(to).for_each(|message| known.keep(message));
        Ok(known)
    }

    /// Who is in a tandem that was offered before.
    pub(super) fn pair(&self, tandem: TandemId) -> Result<Pair, sqlx::Error> {
        self.pairs.get(&tandem).copied().ok_or(sqlx::Error::RowNotFound)
    }

    /// The day an instant falls on, as the edition counts.
    pub(super) fn day(&self, edition: EditionId, instant: Timestamp) -> Date {
        let zone = self.zones.get(&edition).and_then(|zone| TimeZone::get(zone).ok());
        instant.to_zoned(zone.unwrap_or(TimeZone::UTC)).date()
    }

    /// What is planned in a tandem after a moment.
    pub(super) fn open_after(&self, tandem: TandemId, moment: Timestamp) -> Vec<SessionId> {
        let later = self.open.iter().filter(|(_, (of, start))| *of == tandem && *start > moment);
        later.map(|(session, _)| *session).collect()
    }

    pub(super) fn keep(&mut self, message: Message) {
        self.messages.entry(message.subject_id).or_default().push(message);
    }
}

/// What a query finds for ids; nothing is asked if there are none.
async fn rows<T>(conn: &mut PgConnection, sql: &'static str, ids: Vec<Uuid>) -> Result<Vec<T>, sqlx::Error>
where
    T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    if ids.is_empty() { Ok(Vec::new()) } else { query_as(sql).bind(ids).fetch_all(conn).await }
}

//! From what sources say together to what happens to people.

use std::collections::{BTreeSet, HashMap, HashSet};

use eventlog::Unit;
use identity::PersonId;
use jiff::civil::Date;
use sqlx::PgConnection;
use uuid::Uuid;

use super::batch::know_related;
use super::{Refused, Sync};
use crate::codec::Person;
use crate::domain::iso_date;
use crate::domain::merge::Steps;
use crate::domain::person::Command;
use crate::domain::register::{Moment, Register};
use crate::domain::worker::FieldIssue;
use crate::views::{Views, birth_dates, directory, workers};

/// What happened to people.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// Whoever is not as before.
    pub(super) changed: HashSet<PersonId>,
    /// What a rule forbade.
    pub(super) refused: Vec<(PersonId, FieldIssue)>,
}

impl Sync {
    /// Writes the workers of a register, and brings everybody concerned to where they have to be.
    ///
    /// No event tells of the minted people yet.
    pub(super) async fn settle(
        &self,
        unit: &mut Unit<'_, Views>,
        register: &mut Register,
        minted: &BTreeSet<PersonId>,
        moment: Moment,
    ) -> Result<Settled, Refused> {
        complete(unit.conn(), register, moment).await?;
        let written: Vec<_> = register.written().collect();
        workers::write(unit.conn(), &written, moment.now, moment.today).await?;

        let existing: Vec<Uuid> = register
            .affected()
            .iter()
            .filter(|person| !minted.contains(person))
            .map(|person| person.uuid())
            .collect();
        let told = directory::told(unit.conn(), &existing).await?;
        let (mut shown, mut hidden, mut settled) = (Vec::new(), Vec::new(), Settled::default());
        let [mut starting, mut going] = <[Vec<(Uuid, Command)>; 2]>::default();
        for person in register.affected() {
            let told = told.get(person);
            let steps = if register.erased().contains(person) {
                let commands = told.map(|_| Command::Erase { today: moment.today }).into_iter().collect();
                Steps { commands, shown: None, hidden: true }
            } else {
                Steps::to(*person, told, register.merge(*person).standing(moment.today), moment.today)
            };
            if !steps.commands.is_empty() || steps.shown.is_some() {
                settled.changed.insert(*person);
            }
            let commands = steps.commands.into_iter().map(|command| (person.uuid(), command));
            if told.is_some() {
                going.extend(commands);
            } else {
                starting.extend(commands);
            }
            shown.extend(steps.shown.map(|(details, leave)| (*person, details, leave)));
            hidden.extend(steps.hidden.then_some(person.uuid()));
        }

        let (new, known): (Vec<_>, Vec<_>) = shown
            .iter()
            .map(|(person, details, leave)| (*person, details, *leave))
            .partition(|(person, ..)| minted.contains(person));
        directory::add_details(unit.conn(), &new).await?;
        directory::keep_details(unit.conn(), &known).await?;
        directory::hide(unit.conn(), &hidden).await?;
        let started =
            unit.start_many::<Person>(&starting).await.map_err(|error| Refused::Failed(error.into()))?;
        let gone =
            unit.execute_many::<Person>(&going).await.map_err(|error| Refused::Failed(error.into()))?;
        for ((person, _), answer) in starting.iter().zip(started).chain(going.iter().zip(gone)) {
            if let Err(rejection) = answer {
                let issue = FieldIssue::new("", "NOT_APPLIED", rejection.to_string());
                settled.refused.push((PersonId::from_uuid(*person), issue));
            }
        }
        for person in register.erased() {
            self.vault
                .forget(unit.conn(), person.uuid())
                .await
                .map_err(|error| Refused::Failed(error.into()))?;
        }
        Ok(settled)
    }

    /// Seals the dates of birth that are said, and deletes those that are not said any more.
    pub(super) async fn keep_births(
        &self,
        conn: &mut PgConnection,
        said: HashMap<PersonId, Option<Date>>,
    ) -> Result<(), Refused> {
        let failed = |error: vault::Error| Refused::Failed(error.into());
        let people: Vec<Uuid> = said.keys().map(|person| person.uuid()).collect();
        let sealed = birth_dates::kept_of(conn, &people).await?;
        let opened = self.vault.open_each(conn, &sealed).await.map_err(failed)?;
        let kept: HashMap<Uuid, Option<Date>> = sealed
            .iter()
            .zip(opened)
            .map(|((person, _), text)| {
                let text = text.unwrap_or_default();
                (*person, str::from_utf8(&text).ok().and_then(iso_date))
            })
            .collect();
        let (mut texts, mut dropped) = (Vec::new(), Vec::new());
        for (person, date) in said {
            match date {
                Some(date) if kept.get(&person.uuid()) != Some(&Some(date)) => {
                    texts.push((person.uuid(), date.to_string().into_bytes()));
                }
                None if kept.contains_key(&person.uuid()) => dropped.push(person.uuid()),
                _ => {}
            }
        }
        let sealed = self.vault.seal_each(conn, &texts).await.map_err(failed)?;
        let people: Vec<Uuid> = texts.iter().map(|(person, _)| *person).collect();
        birth_dates::keep_each(conn, &people, &sealed).await?;
        birth_dates::forget(conn, &dropped).await?;
        Ok(())
    }
}

/// Gets to know whoever reports to somebody who is somebody else now, and all superiors.
async fn complete(conn: &mut PgConnection, register: &mut Register, moment: Moment) -> Result<(), Refused> {
    let repointed = register.repointed().to_vec();
    if !repointed.is_empty() {
        let ranks: Vec<i32> = repointed.iter().map(|(rank, _)| *rank).collect();
        let keys: Vec<&str> = repointed.iter().map(|(_, key)| &**key).collect();
        let mut people = BTreeSet::new();
        for row in workers::reporting_to(&mut *conn, &ranks, &keys).await? {
            people.insert(row.stored.person);
            register.know(row.rank, row.stored);
        }
        know_related(conn, register, &[], people.clone()).await?;
        for person in people {
            register.look_at(person);
        }
    }
    let missing = register.missing_managers();
    if !missing.is_empty() {
        let keys = missing.iter().map(|(rank, key)| (*rank, key.as_str()));
        for row in workers::by_keys(&mut *conn, keys).await? {
            register.know(row.rank, row.stored);
        }
        for (rank, key) in missing {
            register.expect(rank, &key, moment.now, &mut PersonId::mint);
        }
    }
    Ok(())
}

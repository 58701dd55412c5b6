//! One person out of what several sources say: who decides what, and what follows for the person.

use identity::{OrgUnitId, PersonId};
use jiff::ToSpan;
use jiff::civil::Date;
use uuid::Uuid;

use super::person::{Command, Leave, Place};
use super::source::Attribute;
use super::worker::{Employment, FieldIssue, State, Stored};

/// Where the ids of departments come from: a department has the same id in every source that names it.
const DEPARTMENTS: Uuid = Uuid::from_u128(0x6f0b_9f52_2a0d_4c0e_9d3a_5a4c_7d1e_8b21);

/// A source as the merge sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// Its place among the sources.
    pub rank: i32,
    /// What it decides whoever else reports it.
    pub owns: Vec<Attribute>,
    /// Days between the deactivation of a worker and the last working day.
    pub grace_days: i32,
}

/// What the directory shows of a person beyond the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// The personnel number, or the key in the source where there is none.
    pub employee_number: String,
    /// The name at the identity provider.
    pub user_name: String,
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// Work address.
    pub email: String,
    /// Job title.
    pub job_title: String,
    /// Department.
    pub department: String,
}

/// What one source says of the person.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The source.
    pub source: &'a Source,
    /// The worker.
    pub stored: &'a Stored,
    /// Who the worker's superior is.
    pub manager: Option<PersonId>,
}

/// How a person stands by what all sources say together.
#[expect(clippy::large_enum_variant, reason = "most people are here, and each is looked at once")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Works here.
    Here {
        /// Where.
        place: Place,
        /// What is shown.
        details: Details,
        /// The first day, none for the day on which it is told, and the last of a leave, none while it is open.
        leave: Option<(Option<Date>, Option<Date>)>,
    },
    /// Has signed and not started.
    NotYet,
    /// Has left after this day.
    Gone(Date),
    /// Nobody says that there was ever such a person.
    Nobody,
}

/// Reports of one person, in order of rank.
#[derive(Clone, Debug)]
pub struct Merge<'a> {
    /// Of those who say that the person works here.
    live: Vec<Report<'a>>,
    /// Of those who say that the person has left.
    gone: Vec<Report<'a>>,
}

impl<'a> Merge<'a> {
    /// All that is said of a person.
    pub fn of(reports: impl IntoIterator<Item = Report<'a>>) -> Self {
        let mut reports: Vec<_> = reports.into_iter().collect();
        reports.sort_by_key(|report| report.source.rank);
        let (live, rest): (Vec<_>, Vec<_>) =
            reports.into_iter().partition(|report| report.stored.state == State::Active);
        let gone = rest
            .into_iter()
            .filter(|report| matches!(report.stored.state, State::Inactive | State::Left))
            .collect();
        Self { live, gone }
    }

    /// The report that decides an attribute: its owner's, or that of the smallest rank.
    #[must_use]
    pub fn deciding(&self, attribute: Attribute) -> Option<&Report<'a>> {
        let owner = self.live.iter().find(|report| report.source.owns.contains(&attribute));
        owner.or_else(|| self.live.first())
    }

    /// How the person stands on a day.
    #[must_use]
    pub fn standing(&self, today: Date) -> Standing {
        let gone = |report: &Report| report.stored.last_day.unwrap_or(today);
        let owns = |report: &&Report| report.source.owns.contains(&Attribute::Employment);
        let by_owner = self.gone.iter().find(owns).filter(|_| !self.live.iter().any(|live| owns(&live)));
        let Some(employment) = self.deciding(Attribute::Employment) else {
            return self.gone.iter().map(gone).max().map_or(Standing::Nobody, Standing::Gone);
        };
        // Whoever decides whether somebody works here is believed against all others, also in this.
        if let Some(report) = by_owner {
            return Standing::Gone(gone(report));
        }
        if employment.stored.waits(today) {
            return Standing::NotYet;
        }
        let leave = match employment.stored.worker.employment {
            Employment::OnLeave { first_day, last_day } => Some((first_day, last_day)),
            _ => None,
        };
        Standing::Here { place: self.place(employment), details: self.details(employment), leave }
    }

    fn place(&self, first: &Report) -> Place {
        let by = |attribute| self.deciding(attribute).unwrap_or(first);
        let hired = by(Attribute::HireDate).stored;
        Place {
            manager: by(Attribute::Manager).manager,
            org_unit: org_unit(&by(Attribute::OrgUnit).stored.worker.org_unit_path),
            hire_date: hired.worker.hire_date.unwrap_or_else(|| day_of(hired)),
        }
    }

    fn details(&self, first: &Report) -> Details {
        let by = |attribute| &self.deciding(attribute).unwrap_or(first).stored.worker;
        let (number, name) = (by(Attribute::EmployeeNumber), by(Attribute::Name));
        Details {
            employee_number: number.employee_number.as_ref().unwrap_or(&number.external_id).clone(),
            user_name: by(Attribute::UserName).user_name.clone(),
            given_name: name.given_name.clone(),
            family_name: name.family_name.clone(),
            email: by(Attribute::Email).email.clone(),
            job_title: by(Attribute::JobTitle).job_title.clone(),
            department: by(Attribute::OrgUnit).org_unit_path_end().to_owned(),
        }
    }

    /// What is noted of a leaver of this source who stays, because another that decides still lists them.
    #[must_use]
    pub fn stays(&self, rank: i32, today: Date) -> Option<FieldIssue> {
        // Whose last day is to come is there until then, by the word of this source itself.
        let deciding =
            self.deciding(Attribute::Employment).filter(|deciding| deciding.source.rank != rank)?;
        matches!(self.standing(today), Standing::Here { .. }).then(|| {
            let message = format!("The source {} still lists the person, and decides.", deciding.source.name);
            FieldIssue::new(field(Attribute::Employment), "CONFLICT", message)
        })
    }

    /// What other sources say otherwise than this one, or this one otherwise than they.
    #[must_use]
    pub fn conflicts(&self, rank: i32) -> Vec<FieldIssue> {
        let Some(own) = self.live.iter().find(|report| report.source.rank == rank) else { return Vec::new() };
        let mut issues = Vec::new();
        for attribute in Attribute::ALL {
            let Some(deciding) = self.deciding(attribute) else { continue };
            let differs = |report: &&Report| {
                report.source.rank != deciding.source.rank && differ(attribute, report, deciding)
            };
            let others = if deciding.source.rank == rank {
                self.live.iter().find(differs)
            } else {
                Some(own).filter(|own| differs(own)).map(|_| deciding)
            };
            if let Some(other) = others {
                let (other, decides) = (&other.source.name, &deciding.source.name);
                let message = format!("The source {other} says something else; {decides} decides.");
                issues.push(FieldIssue::new(field(attribute), "CONFLICT", message));
            }
        }
        issues
    }
}

/// The field of a record that says an attribute.
const fn field(attribute: Attribute) -> &'static str {
    match attribute {
        Attribute::EmployeeNumber => "worker.employee_number",
        Attribute::Name => "worker.family_name",
        Attribute::UserName => "worker.user_name",
        Attribute::Email => "worker.email",
        Attribute::JobTitle => "worker.job_title",
        Attribute::OrgUnit => "worker.org_unit_path",
        Attribute::Manager => "worker.manager_external_id",
        Attribute::HireDate => "worker.hire_date",
        Attribute::BirthDate => "worker.birth_date",
        Attribute::Employment => "worker.employment_status",
    }
}

/// Whether two say different things; who says nothing contradicts nobody.
fn differ(attribute: Attribute, one: &Report, other: &Report) -> bool {
    let (a, b) = (&one.stored.worker, &other.stored.worker);
    let texts = |a: &str, b: &str| !a.is_empty() && !b.is_empty() && a != b;
    let both = |a: Option<Date>, b: Option<Date>| a.zip(b).is_some_and(|(a, b)| a != b);
    match attribute {
        Attribute::EmployeeNumber | Attribute::BirthDate => false,
        Attribute::Name => texts(&a.given_name, &b.given_name) || texts(&a.family_name, &b.family_name),
        Attribute::UserName => texts(&a.user_name, &b.user_name),
        Attribute::Email => texts(&a.email, &b.email),
        Attribute::JobTitle => texts(&a.job_title, &b.job_title),
        Attribute::OrgUnit => texts(a.org_unit_path_end(), b.org_unit_path_end()),
        Attribute::Manager => one.manager.zip(other.manager).is_some_and(|(a, b)| a != b),
        Attribute::HireDate => both(a.hire_date, b.hire_date),
        Attribute::Employment => a.employment != b.employment,
    }
}

impl super::worker::Worker {
    /// The department.
    fn org_unit_path_end(&self) -> &str {
        self.org_unit_path.last().map_or("", String::as_str)
    }
}

/// The id of a unit: units of the same name below different ones are different, whoever leaves a level unnamed.
fn org_unit(path: &[String]) -> OrgUnitId {
    let named: Vec<&str> = path.iter().map(String::as_str).filter(|unit| !unit.is_empty()).collect();
    OrgUnitId::derived(DEPARTMENTS, named.join("\u{1f}").as_bytes())
}

/// The day on which a worker was first reported.
fn day_of(stored: &Stored) -> Date {
    stored.created_at.to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// What the events say of a person so far, and what is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Where the person stands.
    pub place: Place,
    /// The last working day of somebody who has left.
    pub last_day: Option<Date>,
    /// What is shown; nothing of somebody who never was.
    pub details: Option<Details>,
    /// The leave that was told last.
    pub leave: Option<Leave>,
}

/// What has to be done about a person.
#[derive(Clone, Debug, Default)]
pub struct Steps {
    /// What happens, in order.
    pub commands: Vec<Command>,
    /// What is to be shown from now on, with the leave that is told.
    pub shown: Option<(Details, Option<Leave>)>,
    /// Whether nothing is to be shown any more.
    pub hidden: bool,
}

impl Steps {
    /// The way from what was told to how a person stands.
    #[must_use]
    pub fn to(person: PersonId, told: Option<&Told>, standing: Standing, today: Date) -> Self {
        match (standing, told) {
            (Standing::Here { place, details, leave }, told) => {
                let mut commands = Vec::new();
                if told.is_none_or(|told| told.place != place || told.last_day.is_some()) {
                    commands.push(Command::Record { person, place });
                }
                // With the last working day ended what was left of a leave.
                let known = told.filter(|told| told.last_day.is_none()).and_then(|told| told.leave);
                let leave = leaves(known, leave, today, &mut commands);
                let as_shown =
                    told.is_some_and(|told| told.details.as_ref() == Some(&details) && told.leave == leave);
                let shown = (!as_shown).then_some((details, leave));
                Self { commands, shown, hidden: false }
            }
            // Of whoever never joined nothing is kept.
            (Standing::Nobody | Standing::Gone(_), None) => Self { hidden: true, ..Self::default() },
            (Standing::NotYet, None) => Self::default(),
            // Whoever has left and is to begin anew has left until then.
            (Standing::NotYet, Some(told)) => Self::leaving(told, told.last_day.unwrap_or(today), today),
            (Standing::Gone(last_day), Some(told)) => Self::leaving(told, last_day, today),
            (Standing::Nobody, Some(_)) => {
                Self { commands: vec![Command::Rescind { today }], shown: None, hidden: true }
            }
        }
    }

    fn leaving(told: &Told, last_day: Date, today: Date) -> Self {
        let last_day = last_day.max(told.place.hire_date);
        let command = match told.last_day {
            // Whoever never started has not left.
            None if told.place.hire_date > today => Some(Command::Rescind { today }),
            Some(_) if told.place.hire_date > today => None,
            Some(before) if before == last_day => None,
            // Another day than before corrects it.
            None | Some(_) => Some(Command::Leave { last_day }),
        };
        let hidden = matches!(command, Some(Command::Rescind { .. }));
        Self { commands: command.into_iter().collect(), shown: None, hidden }
    }
}

/// Ends the leave that was told, or tells the one that is; answers with what is told afterwards.
fn leaves(
    told: Option<Leave>,
    said: Option<(Option<Date>, Option<Date>)>,
    today: Date,
    commands: &mut Vec<Command>,
) -> Option<Leave> {
    let running = told.filter(|leave| leave.last_day.is_none_or(|last_day| last_day >= today));
    let first_day = |said: Option<Date>| said.or(running.map(|leave| leave.first_day)).unwrap_or(today);
    let new = said
        .map(|(first, last_day)| Leave { first_day: first_day(first), last_day })
        .filter(|leave| leave.last_day.is_none_or(|last_day| last_day >= leave.first_day));
    if new == told || new.is_none() && running.is_none() {
        return told;
    }
    if let Some(running) = running
        && new.is_none_or(|new| new.first_day != running.first_day)
    {
        let ends_before = new.map_or(today, |new| new.first_day.min(today));
        let last_day = ends_before.saturating_sub(1.day());
        commands.push(Command::EndLeave { first_day: running.first_day, last_day });
    }
    commands.extend(new.map(Command::BeAbsent));
    new
}

#[cfg(test)]
mod tests;

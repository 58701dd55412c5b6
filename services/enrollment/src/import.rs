//! The import of a roster: in the background, one at a time, all of it or nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use boot::Ground;
use eventlog::{Begun, BoxError, Context, Journal, Receipt, Unit};
use identity::{OperationId, OrgUnitId, PersonId};
use jiff::civil::Date;
use sqlx::PgPool;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;
use uuid::Uuid;
use vault::Vault;

use crate::codec::Person;
use crate::domain::iso_date;
use crate::domain::person::{Command, Place};
use crate::domain::reporting_line::{self, Superiors};
use crate::domain::roster::{self, Issue, Record};
use crate::views::directory::{self, Details, Listed};
use crate::views::operations::{self, Counts};
use crate::views::{Views, birth_dates};

/// Where the ids of departments come from: a department has the same id in every roster that names it.
const DEPARTMENTS: Uuid = Uuid::from_u128(0x6f0b_9f52_2a0d_4c0e_9d3a_5a4c_7d1e_8b21);

/// How often progress is noted.
const NOTE_PROGRESS: Duration = Duration::from_millis(100);

/// How long to wait before an outcome that could not be noted is noted again.
const NOTE_AGAIN: Duration = Duration::from_secs(1);

/// A roster on its way in.
pub(crate) struct Import {
    /// Where its progress is noted.
    pub(crate) operation: OperationId,
    /// The file.
    pub(crate) file: Vec<u8>,
    /// Whether everything is checked and nothing changed.
    pub(crate) dry_run: bool,
    /// Who imports it, and when.
    pub(crate) context: Context,
}

/// Takes rosters in.
#[derive(Clone)]
pub(crate) struct Imports {
    pool: PgPool,
    journal: Journal<Views>,
    vault: Vault,
    tasks: TaskTracker,
    shutdown: CancellationToken,
    /// Waiting here costs no database connection.
    one_at_a_time: Arc<Mutex<()>>,
    /// Tells this process from those before it.
    pub(crate) runner: Uuid,
}

/// Why a roster was not taken in.
enum Failure {
    /// Something is wrong with it.
    Refused(Vec<Issue>),
    /// Something is wrong with us.
    Failed(BoxError),
}

impl<E: Into<BoxError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Imports {
    /// Ready to take rosters in.
    pub(crate) fn new(ground: &Ground, journal: Journal<Views>) -> Self {
        Self {
            pool: ground.pool.clone(),
            journal,
            vault: ground.vault.clone(),
            tasks: ground.tasks.clone(),
            shutdown: ground.shutdown.clone(),
            one_at_a_time: Arc::default(),
            runner: OperationId::mint().uuid(),
        }
    }

    /// Ends what an earlier process left under way.
    pub(crate) async fn abandon(&self) -> sqlx::Result<()> {
        operations::abandon(&self.pool, self.runner).await
    }

    /// Takes a roster in, in the background; what is not done when the process ends is not done.
    pub(crate) fn start(&self, import: Import) {
        let imports = self.clone();
        let work = async move { imports.run(import).await }.in_current_span();
        self.tasks.spawn(self.shutdown.clone().run_until_cancelled_owned(work));
    }

    /// Takes a roster in and notes the outcome.
    async fn run(&self, mut import: Import) {
        let operation = import.operation;
        match self.take_in(&mut import).await {
            Ok(()) => {}
            Err(Failure::Refused(issues)) => {
                self.insist(|| operations::reject(&self.pool, operation, &issues)).await;
            }
            Err(Failure::Failed(error)) => {
                tracing::error!(error, %operation, "an import failed");
                let detail = "The import failed and nothing was changed; send the file again.";
                self.insist(|| operations::fail(&self.pool, operation, detail)).await;
            }
        }
    }

    /// Notes something as soon as the database answers.
    async fn insist<F: Future<Output = sqlx::Result<()>>>(&self, note: impl Fn() -> F) {
        while let Err(error) = note().await {
            tracing::debug!(%error, "an operation's outcome was not noted");
            tokio::time::sleep(NOTE_AGAIN).await;
        }
    }

    async fn take_in(&self, import: &mut Import) -> Result<(), Failure> {
        let file = std::mem::take(&mut import.file);
        let parsed = tokio::task::spawn_blocking(move || roster::parse(&file)).await?;
        let records = parsed.map_err(Failure::Refused)?;

        let _turn = self.one_at_a_time.lock().await;
        let Begun::Work(mut work) = self.journal.begin(&import.context).await? else { return Ok(()) };
        let mut unit = work.unit();
        let known = directory::everybody_alone(unit.conn()).await?;
        reporting_line::check(&records, &superiors(&known)).map_err(Failure::Refused)?;

        let roster = Roster::of(&records, known);
        let lines = records.iter().map(|record| roster.line(record)).collect::<Result<Vec<_>, _>>()?;
        let counts = counts(&lines);
        if import.dry_run {
            drop(work);
            operations::succeed(&self.pool, import.operation, counts).await?;
        } else {
            self.take_over(&mut unit, import.operation, &lines).await?;
            operations::succeed(unit.conn(), import.operation, counts).await?;
            work.commit(Receipt { id: import.operation.uuid(), version: 0, position: 0 }).await?;
        }
        Ok(())
    }

    /// Takes over what is new; who is as before is left alone.
    async fn take_over(
        &self,
        unit: &mut Unit<'_, Views>,
        operation: OperationId,
        lines: &[Line],
    ) -> Result<(), Failure> {
        let renamed: Vec<_> =
            lines.iter().filter(|line| line.renamed).map(|line| (line.person, &line.details, None)).collect();
        directory::keep_details(unit.conn(), &renamed).await?;
        let birth_dates = self.birth_dates(unit).await?;
        let mut noted = Instant::now();
        for (index, line) in lines.iter().enumerate() {
            let &Line { person, place, birth_date, .. } = line;
            if line.moved {
                unit.execute::<Person>(person.uuid(), Command::Record { person, place }).await?;
            }
            let born = birth_dates
                .as_ref()
                .and_then(|kept| birth_date.filter(|date| kept.get(&person) != Some(date)));
            if let Some(date) = born {
                let sealed = self.vault.seal(unit.conn(), person.uuid(), date.to_string().as_bytes()).await?;
                birth_dates::keep(unit.conn(), person, &sealed).await?;
            }
            if noted.elapsed() > NOTE_PROGRESS {
                noted = Instant::now();
                let percent = i32::try_from(index * 100 / lines.len()).unwrap_or_default();
                operations::progress(&self.pool, operation, percent).await?;
            }
        }
        Ok(())
    }

    /// The dates of birth that are kept; none if no rule needs any, so that the roster's are dropped.
    async fn birth_dates(
        &self,
        unit: &mut Unit<'_, Views>,
    ) -> Result<Option<HashMap<PersonId, Date>>, Failure> {
        if !birth_dates::needed(unit.conn()).await? {
            return Ok(None);
        }
        let mut kept = HashMap::new();
        for (person, sealed) in birth_dates::kept(unit.conn()).await? {
            let text = self.vault.open(unit.conn(), person.uuid(), &sealed).await?.unwrap_or_default();
            if let Some(date) = str::from_utf8(&text).ok().and_then(iso_date) {
                kept.insert(person, date);
            }
        }
        Ok(Some(kept))
    }
}

/// What a line of the roster says, and what of it is new.
struct Line {
    person: PersonId,
    place: Place,
    details: Details,
    birth_date: Option<Date>,
    known: bool,
    moved: bool,
    renamed: bool,
}

/// What becomes of the lines. A date of birth comes and goes with the rule that needs it; the person is the same.
fn counts(lines: &[Line]) -> Counts {
    let mut counts = Counts::default();
    for line in lines {
        match line {
            Line { known: false, .. } => counts.created += 1,
            Line { moved, renamed, .. } if *moved || *renamed => counts.updated += 1,
            _ => counts.unchanged += 1,
        }
    }
    counts
}

/// The people of a roster, those known and those first seen.
struct Roster<'a> {
    known: HashMap<String, Listed>,
    minted: HashMap<&'a str, PersonId>,
}

impl<'a> Roster<'a> {
    /// Whoever is first seen gets an id before anybody is recorded, as superiors may come later in the file.
    fn of(records: &'a [Record], known: Vec<Listed>) -> Self {
        let known: HashMap<_, _> =
            known.into_iter().map(|listed| (listed.details.employee_number.clone(), listed)).collect();
        let minted = records
            .iter()
            .map(|record| record.employee_number.as_str())
            .filter(|number| !known.contains_key(*number))
            .map(|number| (number, PersonId::mint()))
            .collect();
        Self { known, minted }
    }

    fn person(&self, employee_number: &str) -> Option<PersonId> {
        let known = self.known.get(employee_number).map(|listed| listed.person);
        known.or_else(|| self.minted.get(employee_number).copied())
    }

    fn line(&self, record: &Record) -> Result<Line, Failure> {
        let Some(person) = self.person(&record.employee_number) else {
            return Err(Failure::Failed("a line of the roster has got no id".into()));
        };
        let known = self.known.get(&record.employee_number);
        let (place, details) = (self.place(record), details(record));
        Ok(Line {
            person,
            place,
            birth_date: record.birth_date,
            known: known.is_some(),
            moved: known.is_none_or(|known| known.place != place || !known.active),
            renamed: known.is_none_or(|known| known.details != details),
            details,
        })
    }

    fn place(&self, record: &Record) -> Place {
        Place {
            manager: record.manager_employee_number.as_deref().and_then(|number| self.person(number)),
            org_unit: OrgUnitId::derived(DEPARTMENTS, record.department.as_bytes()),
            hire_date: record.hire_date,
        }
    }
}

fn details(record: &Record) -> Details {
    Details {
        employee_number: record.employee_number.clone(),
        user_name: String::new(),
        given_name: record.given_name.clone(),
        family_name: record.family_name.clone(),
        email: record.email.clone(),
        job_title: record.job_title.clone(),
        department: record.department.clone(),
    }
}

/// Who reports to whom among those who work here.
fn superiors(known: &[Listed]) -> Superiors {
    let number_of: HashMap<PersonId, &str> =
        known.iter().map(|listed| (listed.person, listed.details.employee_number.as_str())).collect();
    known
        .iter()
        .filter(|listed| listed.active)
        .map(|listed| {
            let superior = listed.place.manager.and_then(|manager| number_of.get(&manager));
            (listed.details.employee_number.clone(), superior.map(|number| (*number).to_owned()))
        })
        .collect()
}

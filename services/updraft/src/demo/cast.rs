//! Who takes part in the story, chosen from the roster by rules, never by name.

use std::collections::HashMap;

use anyhow::Context;
use identity::PersonId;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};

use super::stage::text;

/// The roster: 290 people.
pub(super) const ROSTER: &[u8] = include_bytes!("../../roster/adventureworks-employees.csv");
/// Day on which eligibility and levels are evaluated.
pub(super) const REFERENCE: Date = jiff::civil::date(2013, 9, 1);
/// Nobody older than that may be a mentor.
pub(super) const MAXIMUM_AGE: i16 = 28;
/// How many of the young apply.
pub(super) const APPLICANTS: usize = 28;
/// Where the company is.
pub(super) const TIME_ZONE: &str = "America/Los_Angeles";

/// One of the catalogue.
pub(super) const TOPICS: [(&str, &str); 6] = [
    ("linkedin-profile", "A profile on LinkedIn"),
    ("hashtags", "Hashtags and what they are good for"),
    ("video-channels", "What video channels earn their money with"),
    ("digital-business-models", "Digital business models"),
    ("messaging", "Messaging in groups"),
    ("online-reputation", "What the net says about us"),
];

/// Somebody of the roster.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// The directory's identifier.
    pub(super) id: PersonId,
    /// The HR system's key.
    pub(super) number: String,
    /// Levels below the top.
    pub(super) level: i64,
    leads_others: bool,
    job_title: String,
    department: String,
    birth_date: Date,
}

/// Everybody in the story.
pub(super) struct Cast {
    /// Two people of the programme office: one proposes, the other releases.
    pub(super) office: [PersonId; 2],
    /// The obliged, by number.
    pub(super) executives: Vec<Member>,
    /// People of these levels who are not obliged: the production supervisors.
    pub(super) excluded: Vec<PersonId>,
    /// The young who apply, in the order in which they do.
    pub(super) applicants: Vec<Member>,
    /// Somebody too old to be a mentor.
    pub(super) too_old: Member,
}

#[derive(Deserialize)]
struct Line {
    employee_number: String,
    birth_date: Date,
}

impl Cast {
    /// Chooses from the directory.
    pub(super) fn from_directory(people: &[Value]) -> anyhow::Result<Self> {
        let births = births()?;
        let mut members =
            people.iter().map(|person| member(person, &births)).collect::<anyhow::Result<Vec<_>>>()?;
        members.sort_by(|one, other| one.number.cmp(&other.number));

        let (supervisors, executives): (Vec<_>, Vec<_>) = members
            .iter()
            .filter(|member| member.level <= 2 && member.leads_others)
            .cloned()
            .partition(|member| member.job_title.starts_with("Production Supervisor"));
        let is_obliged = |member: &&Member| !executives.iter().any(|executive| executive.id == member.id);
        let hr = |member: &&Member| member.department == "Human Resources";
        let office: Vec<PersonId> =
            members.iter().filter(hr).filter(is_obliged).map(|member| member.id).collect();
        let (young, older): (Vec<_>, Vec<_>) = members
            .iter()
            .filter(is_obliged)
            .filter(|member| !hr(member) && member.level > 2)
            .cloned()
            .partition(|member| member.age() <= MAXIMUM_AGE);
        // Every second one, so that the applicants come from many departments.
        let applicants: Vec<_> = young.into_iter().step_by(2).take(APPLICANTS).collect();
        anyhow::ensure!(applicants.len() == APPLICANTS, "only {} people can apply", applicants.len());
        Ok(Self {
            office: [
                *office.first().context("no office")?,
                *office.get(1).context("no second in the office")?,
            ],
            excluded: supervisors.iter().map(|member| member.id).collect(),
            too_old: older.into_iter().next().context("nobody is too old")?,
            executives,
            applicants,
        })
    }
}

impl Member {
    /// Completed years at the reference date.
    pub(super) fn age(&self) -> i16 {
        let before_birthday =
            (REFERENCE.month(), REFERENCE.day()) < (self.birth_date.month(), self.birth_date.day());
        REFERENCE.year() - self.birth_date.year() - i16::from(before_birthday)
    }
}

/// When somebody can meet: executives twice a week, mentors every day for some hours; which ones follows from `index`.
pub(super) fn availability(index: usize, executive: bool) -> Value {
    const DAYS: [&str; 5] =
        ["WEEKDAY_MONDAY", "WEEKDAY_TUESDAY", "WEEKDAY_WEDNESDAY", "WEEKDAY_THURSDAY", "WEEKDAY_FRIDAY"];
    let window = |day: usize, from: usize, to: usize| json!({ "weekday": DAYS[day % DAYS.len()], "startMinute": from * 60, "endMinute": to * 60 });
    let windows: Vec<Value> = if executive {
        vec![window(index, 8, 12), window(index + 2, 13, 17)]
    } else {
        (0..DAYS.len()).map(|day| window(day, 9 + index % 3, 16 + index % 2)).collect()
    };
    json!({ "windows": windows, "timeZone": TIME_ZONE, "languages": ["en"] })
}

fn births() -> anyhow::Result<HashMap<String, Date>> {
    let mut lines = csv::Reader::from_reader(ROSTER);
    let births =
        lines.deserialize().map(|line| line.map(|line: Line| (line.employee_number, line.birth_date)));
    Ok(births.collect::<Result<_, _>>()?)
}

fn member(person: &Value, births: &HashMap<String, Date>) -> anyhow::Result<Member> {
    let number = text(person, "employeeNumber")?;
    Ok(Member {
        id: text(person, "personId")?.parse()?,
        level: person["level"].as_i64().context("a person without a level")?,
        leads_others: person["leadsOthers"]
            .as_bool()
            .context("a person of whom nobody knows whether they lead")?,
        job_title: text(person, "jobTitle")?,
        department: text(person, "department")?,
        birth_date: *births.get(&number).context("a person who is not on the roster")?,
        number,
    })
}

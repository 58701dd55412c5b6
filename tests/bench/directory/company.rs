//! A company of any size, the same every time: a tree of people as an HR system reports it.
//!
//! Everybody but the head reports to somebody one level up. Levels grow by 8, as spans of control between five and ten are
//! what companies of this size have, and only two in five of a level lead others, so that a leader has 20 reports where all
//! levels are full and fewer in the last. Divisions are those below the head's reports, departments those below theirs. Names
//! are of syllables, first days lie between 1985 and 2013. People come in the order of their personnel numbers, which
//! has nothing to do with where they stand: many are reported before their superior.

use jiff::ToSpan;
use jiff::civil::{Date, date};
use proto::hris::{EmploymentStatus, Worker};

/// How much larger each level is than the one above.
const GROWTH: u64 = 8;
/// Of five people, so many lead others.
const LEADERS_OF_FIVE: u64 = 2;
/// Parts of names.
const SYLLABLES: [&str; 16] =
    ["an", "ber", "co", "dal", "el", "fen", "go", "hil", "is", "jo", "ka", "lin", "mar", "no", "ri", "so"];

/// People, each by a number from 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Company {
    pub(crate) people: u64,
}

impl Company {
    /// Everybody as the HR system reports them.
    pub(crate) fn workers(self, version: u64) -> impl Iterator<Item = Worker> {
        self.reported().map(move |person| worker(person, version))
    }

    /// The numbers in the order of the report: a step that shares no factor with the size meets each once.
    fn reported(self) -> impl Iterator<Item = u64> {
        let step = (self.people * 5 / 8..=self.people).find(|step| gcd(*step, self.people) == 1).unwrap_or(1);
        (0..self.people).map(move |at| at * step % self.people)
    }
}

/// One of them.
pub(crate) fn worker(person: u64, version: u64) -> Worker {
    let [given_name, family_name] = [1, 2].map(|salt| name(hash(person, salt)));
    let hired: Date = date(1985, 1, 1) + i64::try_from(hash(person, 3) % 10_400).unwrap_or(0).days();
    Worker {
        external_id: key(person),
        source_version: version,
        employee_number: format!("{person:07}"),
        user_name: format!("{given_name}.{family_name}.{person}").to_lowercase(),
        email: format!("{given_name}.{family_name}.{person}@company.example").to_lowercase(),
        given_name,
        family_name,
        job_title: format!("Specialist {}", hash(person, 4) % 300),
        org_unit_path: path(person),
        manager_external_id: manager(person).map(key).unwrap_or_default(),
        hire_date: hired.to_string(),
        employment_status: EmploymentStatus::Active.into(),
        ..Worker::default()
    }
}

/// The units from the top down to the person's own.
fn path(person: u64) -> Vec<String> {
    let mut line: Vec<u64> = std::iter::successors(Some(person), |next| manager(*next)).collect();
    line.reverse();
    let units = line.iter().skip(1).take(3).zip(["Division", "Department", "Team"]);
    let mut path = vec!["Company".to_owned()];
    path.extend(units.map(|(leader, unit)| format!("{unit} {leader}")));
    path
}

/// Who leads a person; none leads the head.
pub(crate) fn manager(person: u64) -> Option<u64> {
    let (first, size) = level_of(person);
    if first == 0 {
        return None;
    }
    let above = size / GROWTH;
    let leaders = (above * LEADERS_OF_FIVE).div_ceil(5).max(above.min(GROWTH));
    Some(first - above + hash(person, 5) % leaders)
}

/// The first number of the person's level, and how many the level holds.
fn level_of(person: u64) -> (u64, u64) {
    let (mut first, mut size) = (0, 1);
    while person >= first + size {
        (first, size) = (first + size, size * GROWTH);
    }
    (first, size)
}

fn key(person: u64) -> String {
    format!("W-{person:07}")
}

fn name(mut hash: u64) -> String {
    let mut name = String::new();
    for _ in 0..3 {
        name.push_str(SYLLABLES[usize::try_from(hash % 16).unwrap_or(0)]);
        hash /= 16;
    }
    name[..1].to_uppercase() + &name[1..]
}

fn gcd(one: u64, other: u64) -> u64 {
    if other == 0 { one } else { gcd(other, one % other) }
}

/// Numbers without a pattern.
///
/// # Source
/// `SplitMix64`, Steele, Lea and Flood, OOPSLA 2014.
fn hash(person: u64, salt: u64) -> u64 {
    let mixed = (person * 8 + salt).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

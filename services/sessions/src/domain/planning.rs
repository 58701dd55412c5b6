//! When a tandem can meet: one session a month, inside both availabilities and without a collision.
//!
//! The first session takes the earliest common time, so that it comes within days of the start. It sets the rhythm: the
//! later ones keep its weekday and its time of day wherever both can, in the same week of the month.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use workdays::WorkingDays;

/// When a person can meet, week by week.
#[derive(Clone, Debug, PartialEq)]
pub struct Availability {
    /// Stretches of the week.
    pub windows: Vec<Window>,
    /// The zone in which they are meant.
    pub time_zone: TimeZone,
}

/// A stretch of a weekday.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The day.
    pub weekday: Weekday,
    /// Minutes after midnight, 0 to 1439.
    pub start_minute: i32,
    /// Minutes after midnight, 1 to 1440.
    pub end_minute: i32,
}

/// A stretch of time, without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// Where it begins.
    pub start: Timestamp,
    /// Where it ends.
    pub end: Timestamp,
}

/// What an edition says about its sessions.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// First day of the edition; its calendar month is month 1.
    pub start_date: Date,
    /// Months of the edition.
    pub months: i32,
    /// Length of a session.
    pub session_minutes: i32,
    /// The zone of whoever has said nothing else.
    pub time_zone: TimeZone,
    /// The days on which people work.
    pub working_days: WorkingDays,
    /// The catalogue of topics, by short names.
    pub topics: Vec<String>,
}

/// What a series has to fit into.
#[derive(Clone, Debug)]
pub struct Frame<'a> {
    /// What the edition says.
    pub rules: &'a Rules,
    /// When the tandem came to be.
    pub activated: Timestamp,
    /// When the mentor can meet.
    pub mentor: &'a Availability,
    /// When the mentee can meet, and the zone in which months and working days are counted.
    pub mentee: &'a Availability,
    /// What either of them has planned already.
    pub busy: &'a [Slot],
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// Month of the edition and start of its session, by month.
    pub starts: Vec<(i32, Timestamp)>,
    /// Months in which the two have no time in common.
    pub months_without_time: Vec<i32>,
}

impl Rules {
    /// Tells whether the catalogue has this topic.
    #[must_use]
    pub fn teaches(&self, topic: &str) -> bool {
        self.topics.iter().any(|taught| taught == topic)
    }
}

impl Availability {
    /// The availability of somebody who has said nothing yet.
    #[must_use]
    pub fn unknown(time_zone: TimeZone) -> Self {
        Self { windows: Vec::new(), time_zone }
    }
}

impl Slot {
    /// The slot of so many minutes from `start` on; at the end of time it is shorter.
    #[must_use]
    pub fn of_minutes(start: Timestamp, minutes: i32) -> Self {
        let length = SignedDuration::from_mins(minutes.into());
        Self { start, end: start.checked_add(length).unwrap_or(Timestamp::MAX) }
    }

    /// Tells whether the two share a moment.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    fn contains(&self, other: &Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    fn intersection(&self, other: &Self) -> Option<Self> {
        Self { start: self.start.max(other.start), end: self.end.min(other.end) }.if_any()
    }

    /// What is left of the slot before and after another one.
    fn minus(self, other: &Self) -> impl Iterator<Item = Self> + use<> {
        let before = Self { start: self.start, end: self.end.min(other.start) };
        let after = Self { start: self.start.max(other.end), end: self.end };
        [before, after].into_iter().filter_map(Self::if_any)
    }

    fn if_any(self) -> Option<Self> {
        (self.start < self.end).then_some(self)
    }
}

/// Plans one session for each month from the day after the activation on, or from the start date if that is later.
#[must_use]
pub fn plan(frame: &Frame<'_>) -> Schedule {
    let mut schedule = Schedule::default();
    let mut rhythm = None;
    for (month, days) in months(frame) {
        match best_start(frame, &days, rhythm) {
            Some(start) => {
                rhythm.get_or_insert_with(|| frame.local(start));
                schedule.starts.push((month, start));
            }
            None => schedule.months_without_time.push(month),
        }
    }
    schedule
}

/// Another start in the calendar month of a session, from the day after `frame.activated` on: the same, or the closest to it.
#[must_use]
pub fn plan_again(frame: &Frame<'_>, start: Timestamp) -> Option<Timestamp> {
    let rhythm = frame.local(start);
    let day_after = frame.local(frame.activated).date().saturating_add(1.day());
    let (first, last) = (rhythm.date().first_of_month(), rhythm.date().last_of_month());
    let days: Vec<Date> = first.max(day_after).series(1.day()).take_while(|day| *day <= last).collect();
    best_start(frame, &days, Some(rhythm))
}

impl Frame<'_> {
    fn local(&self, time: Timestamp) -> DateTime {
        self.mentee.time_zone.to_datetime(time)
    }
}

/// The months that are left, each with its days that are left.
fn months(frame: &Frame<'_>) -> impl Iterator<Item = (i32, Vec<Date>)> {
    let day_after = frame.local(frame.activated).date().saturating_add(1.day());
    let first_day = frame.rules.start_date.max(day_after);
    let first_month = frame.rules.start_date.first_of_month();
    (1..=frame.rules.months).zip(first_month.series(1.month())).filter_map(move |(month, first)| {
        let last = first.last_of_month();
        let days: Vec<Date> = first.max(first_day).series(1.day()).take_while(|day| *day <= last).collect();
        (!days.is_empty()).then_some((month, days))
    })
}

/// The start closest to the rhythm; without a rhythm yet, the earliest.
fn best_start(frame: &Frame<'_>, days: &[Date], rhythm: Option<DateTime>) -> Option<Timestamp> {
    let free = free_slots(frame, days);
    let in_rhythm = rhythm.into_iter().flat_map(|rhythm| {
        days.iter()
            .filter_map(move |day| frame.mentee.time_zone.to_timestamp(day.to_datetime(rhythm.time())).ok())
    });
    free.iter()
        .map(|slot| slot.start)
        .chain(in_rhythm)
        .filter(|start| {
            let session = Slot::of_minutes(*start, frame.rules.session_minutes);
            free.iter().any(|slot| slot.contains(&session))
        })
        .min_by_key(|start| (distance(frame.local(*start), rhythm), *start))
}

/// How far a local time is from the rhythm: by weekday, then by time of day, then by week of the month.
fn distance(local: DateTime, rhythm: Option<DateTime>) -> (bool, bool, i8) {
    let week = |local: DateTime| (local.day() - 1) / 7;
    rhythm.map_or((false, false, 0), |rhythm| {
        (
            local.weekday() != rhythm.weekday(),
            local.time() != rhythm.time(),
            (week(local) - week(rhythm)).abs(),
        )
    })
}

/// The stretches of these days in which both can meet and neither is busy.
fn free_slots(frame: &Frame<'_>, days: &[Date]) -> Vec<Slot> {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return Vec::new() };
    let working_days = days.iter().copied().filter(|day| frame.rules.working_days.contain(*day));
    // A day of the mentee reaches into the day before and the day after of a mentor elsewhere on the globe.
    let around =
        first.saturating_sub(1.day()).series(1.day()).take_while(|day| *day <= last.saturating_add(1.day()));
    let mentor = frame.mentor.slots(around);
    let common = frame
        .mentee
        .slots(working_days)
        .into_iter()
        .flat_map(|slot| mentor.iter().filter_map(move |other| slot.intersection(other)))
        .collect();
    frame
        .busy
        .iter()
        .fold(common, |free: Vec<Slot>, busy| free.into_iter().flat_map(|slot| slot.minus(busy)).collect())
}

impl Availability {
    /// The windows of these days as stretches of time; those that touch are one.
    fn slots(&self, days: impl Iterator<Item = Date>) -> Vec<Slot> {
        let mut slots: Vec<Slot> = days
            .flat_map(|day| self.windows.iter().filter_map(move |window| self.slot(day, *window)))
            .collect();
        slots.sort_unstable();
        slots.dedup_by(|next, slot| {
            let touches = next.start <= slot.end;
            if touches {
                slot.end = slot.end.max(next.end);
            }
            touches
        });
        slots
    }

    /// The window on a day; none on other weekdays.
    ///
    /// Where the clocks change, a wall time happens twice or not at all. Taking the later moment for the start and the earlier
    /// one for the end leaves only moments whose wall time lies inside the window, whichever way the clocks go.
    fn slot(&self, day: Date, window: Window) -> Option<Slot> {
        if day.weekday() != window.weekday {
            return None;
        }
        let midnight = day.to_datetime(jiff::civil::Time::midnight());
        let wall = |minute: i32| {
            let time = midnight.checked_add(minute.minutes()).ok()?;
            Some(self.time_zone.to_ambiguous_timestamp(time))
        };
        let start = wall(window.start_minute)?.later().ok()?;
        let end = wall(window.end_minute)?.earlier().ok()?;
        Slot { start, end }.if_any()
    }
}

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use jiff::civil::date;
use proptest::prelude::*;

use super::*;

const START_DATE: Date = date(2013, 9, 2);

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

/// Available from hour to hour on these weekdays.
fn available(zone_name: &str, weekdays: &[Weekday], hours: std::ops::Range<i32>) -> Availability {
    let window = |weekday: &Weekday| Window {
        weekday: *weekday,
        start_minute: hours.start * 60,
        end_minute: hours.end * 60,
    };
    Availability { windows: weekdays.iter().map(window).collect(), time_zone: zone(zone_name) }
}

fn berlin(weekdays: &[Weekday], hours: std::ops::Range<i32>) -> Availability {
    available("Europe/Berlin", weekdays, hours)
}

fn rules(session_minutes: i32) -> Rules {
    Rules {
        start_date: START_DATE,
        months: 6,
        session_minutes,
        time_zone: TimeZone::UTC,
        working_days: WorkingDays::default(),
        topics: Vec::new(),
    }
}

fn frame<'a>(mentor: &'a Availability, mentee: &'a Availability, busy: &'a [Slot]) -> Frame<'a> {
    static RULES: LazyLock<Rules> = LazyLock::new(|| rules(60));
    Frame { rules: &RULES, activated: "2013-08-20T12:00:00Z".parse().unwrap(), mentor, mentee, busy }
}

/// The starts in the mentee's time, as text.
fn planned(frame: &Frame<'_>) -> Vec<String> {
    plan(frame)
        .starts
        .iter()
        .map(|(_, start)| frame.local(*start).strftime("%a %F %H:%M").to_string())
        .collect()
}

fn hour(start: &str) -> Slot {
    Slot::of_minutes(start.parse().unwrap(), 60)
}

#[test]
fn what_was_off_is_planned_at_its_time_again_or_else_close_to_it_in_its_month() {
    let both = berlin(&[Weekday::Tuesday, Weekday::Wednesday], 9..12);
    let start: Timestamp = "2013-09-10T08:00:00Z".parse().unwrap();
    let again = |busy: &[Slot], now: &str| {
        let frame = Frame { activated: now.parse().unwrap(), ..frame(&both, &both, busy) };
        plan_again(&frame, start).map(|start| start.to_string())
    };
    let now = "2013-09-02T12:00:00Z";
    assert_eq!(again(&[], now).as_deref(), Some("2013-09-10T08:00:00Z"));
    // The weekday counts for more than the week.
    let taken = hour("2013-09-10T08:00:00Z");
    assert_eq!(again(&[taken], now).as_deref(), Some("2013-09-03T08:00:00Z"));
    assert_eq!(again(&[], "2013-09-24T12:00:00Z").as_deref(), Some("2013-09-25T08:00:00Z"));
    assert_eq!(again(&[], "2013-09-26T12:00:00Z"), None, "it stays in its month");
}

#[test]
fn nobody_meets_on_a_public_holiday_of_the_region() {
    // The first Thursday of October 2013 is the Day of German Unity.
    let both = berlin(&[Weekday::Thursday], 9..12);
    let hesse = Rules { working_days: "DE-HE".parse().unwrap(), ..rules(60) };
    let october = |rules: Rules| planned(&Frame { rules: &rules, ..frame(&both, &both, &[]) })[1].clone();
    assert_eq!(october(rules(60)), "Thu 2013-10-03 09:00");
    assert_eq!(october(hesse), "Thu 2013-10-10 09:00");
}

#[test]
fn every_month_gets_the_same_weekday_time_and_week_across_the_change_of_clocks() {
    let both = berlin(&[Weekday::Tuesday, Weekday::Thursday], 9..12);
    let expected = [
        "Tue 2013-09-03 09:00",
        "Tue 2013-10-01 09:00",
        "Tue 2013-11-05 09:00",
        "Tue 2013-12-03 09:00",
        "Tue 2014-01-07 09:00",
        "Tue 2014-02-04 09:00",
    ];
    assert_eq!(planned(&frame(&both, &both, &[])), expected);
}

#[test]
fn a_tandem_that_comes_later_begins_the_day_after_and_keeps_the_months_of_the_edition() {
    let both = berlin(&[Weekday::Monday, Weekday::Friday], 9..12);
    let late = Frame { activated: "2013-11-15T08:00:00Z".parse().unwrap(), ..frame(&both, &both, &[]) };
    let months: Vec<i32> = plan(&late).starts.iter().map(|(month, _)| *month).collect();
    assert_eq!(months, [3, 4, 5, 6]);
    assert_eq!(planned(&late)[0], "Mon 2013-11-18 09:00");
}

#[test]
fn a_busy_hour_is_stepped_around_on_the_same_weekday() {
    let both = berlin(&[Weekday::Tuesday], 9..12);
    let busy = [hour("2013-10-01T07:30:00Z")];
    assert_eq!(planned(&frame(&both, &both, &busy))[1], "Tue 2013-10-08 09:00");
    let all_tuesdays: Vec<Slot> =
        [1, 8, 15, 22, 29].map(|day| hour(&format!("2013-10-{day:02}T07:30:00Z"))).to_vec();
    assert_eq!(planned(&frame(&both, &both, &all_tuesdays))[1], "Tue 2013-10-01 10:30");
}

#[test]
fn months_without_a_common_time_are_named() {
    let (mentor, mentee) = (berlin(&[Weekday::Monday], 9..12), berlin(&[Weekday::Monday], 11..17));
    let away =
        Slot { start: "2013-11-01T00:00:00Z".parse().unwrap(), end: "2013-12-01T00:00:00Z".parse().unwrap() };
    assert_eq!(plan(&frame(&mentor, &mentee, &[away])).months_without_time, [3]);
    let never = berlin(&[Weekday::Tuesday], 9..12);
    assert_eq!(plan(&frame(&never, &mentee, &[])).months_without_time, [1, 2, 3, 4, 5, 6]);
}

#[test]
fn windows_in_two_zones_meet_where_they_overlap() {
    let mentor = available("America/New_York", &[Weekday::Wednesday], 8..10);
    let mentee = berlin(&[Weekday::Wednesday], 12..16);
    assert_eq!(planned(&frame(&mentor, &mentee, &[]))[1], "Wed 2013-10-02 14:00");
    // America leaves summer time a week after Europe: for that week it is an hour closer.
    let busy = [2, 9, 16, 23].map(|day| hour(&format!("2013-10-{day:02}T12:00:00Z")));
    let busy = [busy, busy.map(|slot| Slot::of_minutes(slot.end, 60))].concat();
    assert_eq!(planned(&frame(&mentor, &mentee, &busy))[1], "Wed 2013-10-30 14:00");
    let mentor = available("America/New_York", &[Weekday::Wednesday], 8..9);
    assert_eq!(planned(&frame(&mentor, &mentee, &busy))[1], "Wed 2013-10-30 13:00");
}

#[test]
fn two_windows_that_touch_are_one() {
    let halves = Availability {
        windows: [(540, 570), (570, 600)]
            .map(|(start_minute, end_minute)| Window { weekday: Weekday::Friday, start_minute, end_minute })
            .to_vec(),
        time_zone: zone("Europe/Berlin"),
    };
    assert_eq!(planned(&frame(&halves, &halves, &[]))[0], "Fri 2013-09-06 09:00");
}

#[test]
fn a_weekend_is_no_working_day() {
    let weekend = berlin(&[Weekday::Saturday, Weekday::Sunday], 0..24);
    assert!(plan(&frame(&weekend, &weekend, &[])).starts.is_empty());
}

#[test]
fn a_window_that_the_change_of_clocks_swallows_is_empty() {
    let night = Availability {
        windows: vec![Window { weekday: Weekday::Sunday, start_minute: 125, end_minute: 175 }],
        time_zone: zone("Europe/Berlin"),
    };
    assert_eq!(night.slot(date(2014, 3, 30), night.windows[0]), None);
    assert!(night.slot(date(2014, 3, 23), night.windows[0]).is_some());
}

const ZONES: [&str; 6] = [
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
];

/// Windows on the half hour, within these half hours of the day.
fn availability(half_hours: std::ops::Range<i32>) -> impl Strategy<Value = Availability> {
    let last = half_hours.end;
    let window = (1..=7_i8, half_hours, 1..=16_i32).prop_map(move |(weekday, start, length)| Window {
        weekday: Weekday::from_monday_one_offset(weekday).unwrap(),
        start_minute: start * 30,
        end_minute: (start + length).min(last) * 30,
    });
    (prop::collection::vec(window, 1..8), prop::sample::select(ZONES.to_vec()))
        .prop_map(|(windows, name)| Availability { windows, time_zone: zone(name) })
}

fn busy() -> impl Strategy<Value = Vec<Slot>> {
    let first: Timestamp = "2013-09-01T00:00:00Z".parse().unwrap();
    let slot = (0..180 * 48_i64)
        .prop_map(move |half_hour| Slot::of_minutes(first + SignedDuration::from_mins(half_hour * 30), 60));
    prop::collection::vec(slot, 0..300)
}

/// Whether the person can meet in every minute of the slot, by the wall clock.
fn is_inside(slot: &Slot, availability: &Availability) -> bool {
    let minutes = (slot.end.as_second() - slot.start.as_second()) / 60;
    (0..minutes).all(|minute| {
        let local = availability.time_zone.to_datetime(slot.start + SignedDuration::from_mins(minute));
        let of_day = i32::from(local.hour()) * 60 + i32::from(local.minute());
        let covers = |window: &Window| {
            window.weekday == local.weekday() && (window.start_minute..window.end_minute).contains(&of_day)
        };
        availability.windows.iter().any(covers)
    })
}

fn is_possible(frame: &Frame<'_>, start: Timestamp) -> bool {
    let slot = Slot::of_minutes(start, frame.rules.session_minutes);
    frame.rules.working_days.contain(frame.local(start).date())
        && is_inside(&slot, frame.mentor)
        && is_inside(&slot, frame.mentee)
        && !frame.busy.iter().any(|busy| busy.overlaps(&slot))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_session_is_inside_both_weeks_on_a_working_day_of_its_month_and_collides_with_nothing(
        mentor in availability(0..48),
        mentee in availability(0..48),
        busy in busy(),
        session_minutes in prop::sample::select(vec![30, 45, 60, 90]),
    ) {
        let rules = Rules { working_days: "DE-HE".parse().unwrap(), ..rules(session_minutes) };
        let frame = Frame { rules: &rules, ..frame(&mentor, &mentee, &busy) };
        let schedule = plan(&frame);
        for (month, start) in &schedule.starts {
            prop_assert!(is_possible(&frame, *start));
            let first = START_DATE.first_of_month().saturating_add((month - 1).months());
            prop_assert_eq!(frame.local(*start).date().first_of_month(), first);
            prop_assert!(frame.local(*start).date() >= START_DATE);
        }
        let months: Vec<i32> = schedule.starts.iter().map(|(month, _)| *month).collect();
        let all: BTreeSet<i32> = months.iter().chain(&schedule.months_without_time).copied().collect();
        prop_assert_eq!(all.len(), months.len() + schedule.months_without_time.len());
        prop_assert!(all.into_iter().eq(1..=6));
        prop_assert_eq!(plan(&frame), schedule);
    }

    #[test]
    fn a_month_is_left_out_only_if_it_has_no_time_and_the_first_session_is_the_earliest(
        mentor in availability(12..44),
        mentee in availability(12..44),
        busy in busy(),
    ) {
        let frame = frame(&mentor, &mentee, &busy);
        let schedule = plan(&frame);
        for (month, days) in months(&frame) {
            let possible = days.iter().flat_map(|day| (0..48).map(move |half| day.to_datetime(jiff::civil::Time::midnight()) + (half * 30).minutes()))
                .map(|local| mentee.time_zone.to_timestamp(local).unwrap())
                .find(|start| is_possible(&frame, *start));
            if schedule.months_without_time.contains(&month) {
                prop_assert_eq!(possible, None);
            } else if schedule.starts[0].0 == month && let Some(earliest) = possible {
                prop_assert!(schedule.starts[0].1 <= earliest);
            }
        }
    }
}

//! When a mail may go: quiet hours, messages that time has overtaken, and retries.

use jiff::civil::{DateTime, time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};
use workdays::WorkingDays;

use super::Kind;

/// The hours of a working day in which mail goes, start included, end not.
const HOURS: std::ops::Range<i8> = 7..20;
/// No region has so many days in a row on which nobody works.
const HOLIDAYS_MAX: i32 = 14;
/// A cancellation this close to its session does not wait for the morning.
const URGENT: SignedDuration = SignedDuration::from_hours(24);
/// The first retry comes after this time, each further one after twice as long.
const RETRY_MIN: SignedDuration = SignedDuration::from_mins(1);
const RETRY_MAX: SignedDuration = SignedDuration::from_hours(6);
/// After this time a mail server that does not take a mail has refused it.
const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(3 * 24);

/// A message that was not sent yet, as far as its time is concerned.
#[derive(Clone, Debug)]
pub struct Waiting<'a> {
    /// What about.
    pub kind: Kind,
    /// Whether something newer has replaced it.
    pub obsolete: bool,
    /// Start of the session it speaks of.
    pub start: Option<Timestamp>,
    /// Whether the recipient may have the session's calendar entry.
    pub invited: bool,
    /// The edition's zone.
    pub zone: &'a TimeZone,
    /// The edition's working days.
    pub working_days: WorkingDays,
}

/// What is to be done with a message now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes.
    Send,
    /// It waits until then.
    Wait(Timestamp),
    /// It is no longer of use.
    Suppress,
}

/// Judges a message at a time.
#[must_use]
pub fn judge(waiting: &Waiting<'_>, now: Timestamp) -> Verdict {
    let over = waiting.start.is_some_and(|start| start <= now);
    let calls_off_nothing = waiting.kind == Kind::SessionCancelled && !waiting.invited;
    if waiting.obsolete || calls_off_nothing || (waiting.kind.is_calendar() && over) {
        return Verdict::Suppress;
    }
    let soon = waiting.start.is_some_and(|start| start.duration_since(now) <= URGENT);
    if waiting.kind == Kind::SessionCancelled && soon {
        return Verdict::Send;
    }
    match awake_from(&now.to_zoned(waiting.zone.clone()), waiting.working_days) {
        Some(later) => Verdict::Wait(later),
        None => Verdict::Send,
    }
}

/// When to try again after the given number of attempts; none when it is time to give up.
#[must_use]
pub fn retry_at(attempts: i32, created: Timestamp, now: Timestamp) -> Option<Timestamp> {
    if now.duration_since(created) >= GIVE_UP_AFTER {
        return None;
    }
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or_default().min(16);
    let wait = RETRY_MIN.checked_mul(1 << doublings).unwrap_or(RETRY_MAX).min(RETRY_MAX);
    now.checked_add(wait).ok()
}

/// The end of the quiet hours if these are some: mail goes from seven to eight in the evening of working days.
fn awake_from(now: &Zoned, working_days: WorkingDays) -> Option<Timestamp> {
    let works = |day: &DateTime| working_days.contain(day.date());
    let local = now.datetime();
    if works(&local) && HOURS.contains(&local.hour()) {
        return None;
    }
    let first = if local.hour() < HOURS.start { local } else { local.saturating_add(1.day()) };
    let mut days = (0..=HOLIDAYS_MAX).map(|days| first.saturating_add(days.days()));
    let morning = days.find(works)?.date().to_datetime(time(HOURS.start, 0, 0, 0));
    Some(morning.to_zoned(now.time_zone().clone()).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn hesse() -> WorkingDays {
        "DE-HE".parse().unwrap()
    }

    fn verdict(kind: Kind, start: Option<&str>, now: &str) -> Verdict {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let waiting = Waiting {
            kind,
            obsolete: false,
            start: start.map(at),
            invited: true,
            zone: &zone,
            working_days: hesse(),
        };
        judge(&waiting, at(now))
    }

    #[test]
    fn given_office_hours_when_a_message_waits_then_it_goes() {
        for now in ["2013-09-02T05:00:00Z", "2013-09-02T12:00:00Z", "2013-09-02T17:59:59Z"] {
            assert_eq!(verdict(Kind::ObligationDue, None, now), Verdict::Send, "{now}");
        }
    }

    #[test]
    fn given_quiet_hours_when_a_message_waits_then_it_goes_at_seven_on_the_next_working_day() {
        for (now, morning) in [
            ("2013-09-02T04:59:59Z", "2013-09-02T05:00:00Z"), // Monday before seven
            ("2013-09-02T18:00:00Z", "2013-09-03T05:00:00Z"), // Monday at eight in the evening
            ("2013-09-06T19:00:00Z", "2013-09-09T05:00:00Z"), // Friday evening
            ("2013-09-07T10:00:00Z", "2013-09-09T05:00:00Z"), // Saturday
            ("2013-09-08T22:30:00Z", "2013-09-09T05:00:00Z"), // Monday, half past midnight
            ("2013-10-02T18:00:00Z", "2013-10-04T05:00:00Z"), // before the Day of German Unity
            ("2013-12-24T19:00:00Z", "2013-12-27T06:00:00Z"), // Christmas Eve
            ("2013-10-25T20:00:00Z", "2013-10-28T06:00:00Z"), // over the change to winter time
        ] {
            assert_eq!(verdict(Kind::FollowUpDue, None, now), Verdict::Wait(at(morning)), "{now}");
        }
    }

    #[test]
    fn given_a_session_within_a_day_when_it_is_cancelled_at_night_then_the_mail_does_not_wait() {
        let night = "2013-09-02T20:00:00Z";
        assert_eq!(verdict(Kind::SessionCancelled, Some("2013-09-03T06:00:00Z"), night), Verdict::Send);
        assert_ne!(verdict(Kind::SessionCancelled, Some("2013-09-04T06:00:00Z"), night), Verdict::Send);
        assert_ne!(verdict(Kind::SessionInvitation, Some("2013-09-03T06:00:00Z"), night), Verdict::Send);
    }

    #[test]
    fn given_a_session_whose_time_has_come_when_its_invitation_still_waits_then_it_is_suppressed() {
        let start = Some("2013-09-03T08:00:00Z");
        let suppressed = verdict(Kind::SessionInvitation, start, "2013-09-03T08:00:00Z");
        assert_eq!(suppressed, Verdict::Suppress);
    }

    #[test]
    fn given_nobody_was_invited_when_the_session_is_cancelled_then_nobody_is_told() {
        let zone = TimeZone::UTC;
        let start = Some(at("2013-09-04T08:00:00Z"));
        let kind = Kind::SessionCancelled;
        let waiting =
            Waiting { kind, obsolete: false, start, invited: false, zone: &zone, working_days: hesse() };
        assert_eq!(judge(&waiting, at("2013-09-02T12:00:00Z")), Verdict::Suppress);
    }

    #[test]
    fn given_something_newer_when_a_message_still_waits_then_it_is_suppressed() {
        let zone = TimeZone::UTC;
        let waiting = Waiting {
            kind: Kind::ObligationDue,
            obsolete: true,
            start: None,
            invited: false,
            zone: &zone,
            working_days: hesse(),
        };
        assert_eq!(judge(&waiting, at("2013-09-02T12:00:00Z")), Verdict::Suppress);
    }

    #[test]
    fn given_a_busy_mail_server_when_it_is_tried_again_then_the_pauses_double_for_three_days() {
        let created = at("2013-09-02T12:00:00Z");
        let pauses = [1, 2, 3, 4, 9, 10, 30]
            .map(|attempts| retry_at(attempts, created, created).unwrap().duration_since(created).as_mins());
        assert_eq!(pauses, [1, 2, 4, 8, 256, 360, 360]);
        assert_eq!(retry_at(20, created, at("2013-09-05T12:00:00Z")), None);
    }
}

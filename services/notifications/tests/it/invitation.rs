//! Invitations, as another implementation of iCalendar reads them.

use calcard::icalendar::{ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarProperty};
use mail_parser::{MessageParser, MimeHeaders};

use crate::server::Arrived;
use crate::stage::{MONDAY, Stage, at};

/// A calendar entry out of a mail.
struct Received {
    method: String,
    calendar: ICalendar,
}

impl Received {
    fn of(mail: &Arrived) -> Self {
        let parsed = MessageParser::default().parse(&mail.bytes).unwrap();
        assert_eq!(parsed.content_type().unwrap().subtype(), Some("alternative"));
        let kinds: Vec<_> = parsed.parts[1..].iter().map(|part| part.content_type().unwrap()).collect();
        let names: Vec<_> = kinds.iter().map(|kind| (kind.ctype(), kind.subtype().unwrap())).collect();
        assert_eq!(names, [("text", "plain"), ("text", "html"), ("text", "calendar")]);
        let method = kinds[2].attribute("method").unwrap().to_owned();
        let calendar = ICalendar::parse(parsed.parts[3].text_contents().unwrap()).unwrap();
        Self { method, calendar }
    }

    fn component(&self, kind: &ICalendarComponentType) -> &ICalendarComponent {
        self.calendar.components.iter().find(|component| component.component_type == *kind).unwrap()
    }

    fn text(&self, property: &ICalendarProperty) -> String {
        let event = self.component(&ICalendarComponentType::VEvent);
        let value = event.property(property).unwrap().values.first().unwrap();
        let instant = value.as_partial_date_time().and_then(|time| {
            assert_eq!((time.tz_hour, time.tz_minute), (Some(0), Some(0)), "times are in UTC");
            Some(time.to_date_time()?.to_date_time_with_tz(calcard::common::timezone::Tz::UTC)?.to_rfc3339())
        });
        let number = || value.as_integer().map(|number| number.to_string());
        instant.or_else(|| value.as_text().map(ToOwned::to_owned)).or_else(number).unwrap()
    }
}

/// The entry that reached the mentee, and that the mentor got one as well.
fn received(stage: &Stage) -> Received {
    let arrived = stage.boxes.arrived();
    assert_eq!(arrived.len(), 2);
    assert!(arrived.iter().any(|mail| mail.to == ["jolene@fair.test"]));
    Received::of(arrived.iter().find(|mail| mail.to == ["ken@fair.test"]).unwrap())
}

async fn tandem() -> Stage {
    let stage = Stage::new().await;
    stage.offered(MONDAY).await;
    stage.sender.turn(at(MONDAY)).await.unwrap();
    assert_eq!(stage.boxes.arrived().len(), 2);
    stage
}

#[tokio::test]
async fn a_session_is_one_entry_through_all_its_changes() {
    let stage = tandem().await;
    let session = stage.planned("2013-09-10T08:00:00Z", "2013-09-03T08:00:00Z").await;
    stage.sender.turn(at("2013-09-03T08:01:00Z")).await.unwrap();
    let invitation = received(&stage);
    assert_eq!(invitation.method, "REQUEST");
    let methods =
        invitation.component(&ICalendarComponentType::VCalendar).property(&ICalendarProperty::Method);
    assert!(format!("{methods:?}").to_uppercase().contains("REQUEST"));
    assert_eq!(invitation.text(&ICalendarProperty::Uid), session.to_string());
    assert_eq!(invitation.text(&ICalendarProperty::Sequence), "0");
    assert_eq!(invitation.text(&ICalendarProperty::Dtstart), "2013-09-10T08:00:00+00:00");
    assert_eq!(invitation.text(&ICalendarProperty::Dtend), "2013-09-10T09:00:00+00:00");
    assert_eq!(invitation.text(&ICalendarProperty::Dtstamp), "2013-09-03T08:00:00+00:00");
    assert_eq!(invitation.text(&ICalendarProperty::Organizer), "mailto:updraft@localhost");
    assert_eq!(invitation.text(&ICalendarProperty::Attendee), "mailto:ken@fair.test");
    assert_eq!(invitation.text(&ICalendarProperty::Summary), "Updraft: Jolene <b>Ng</b>");

    stage.moved(session, "2013-09-12T13:00:00Z", "2013-09-04T08:00:00Z").await;
    stage.sender.turn(at("2013-09-04T08:01:00Z")).await.unwrap();
    let moved = received(&stage);
    assert_eq!(moved.text(&ICalendarProperty::Uid), session.to_string());
    assert_eq!(moved.text(&ICalendarProperty::Sequence), "1");
    assert_eq!(moved.text(&ICalendarProperty::Dtstart), "2013-09-12T13:00:00+00:00");

    stage.series_ended("2013-09-05T08:00:00Z").await;
    stage.sender.turn(at("2013-09-05T08:01:00Z")).await.unwrap();
    let cancelled = received(&stage);
    assert_eq!(cancelled.method, "CANCEL");
    assert_eq!(cancelled.text(&ICalendarProperty::Uid), session.to_string());
    assert_eq!(cancelled.text(&ICalendarProperty::Sequence), "2");
}

#[tokio::test]
async fn a_session_that_is_cancelled_before_anybody_was_invited_reaches_nobody() {
    let stage = tandem().await;
    let night = "2013-09-03T20:00:00Z";
    stage.planned("2013-09-10T08:00:00Z", night).await;
    stage.series_ended("2013-09-03T21:00:00Z").await;
    stage.sender.turn(at("2013-09-04T08:00:00Z")).await.unwrap();
    assert!(stage.boxes.arrived().is_empty());
    let told = stage.told(stage.mentee).await;
    assert!(
        told.iter().filter(|(kind, _)| kind.starts_with("session")).all(|(_, state)| state == "suppressed")
    );
}

#[tokio::test]
async fn a_session_that_is_cancelled_the_night_before_is_called_off_at_night() {
    let stage = tandem().await;
    stage.planned("2013-09-10T06:00:00Z", "2013-09-03T08:00:00Z").await;
    stage.sender.turn(at("2013-09-03T08:01:00Z")).await.unwrap();
    assert_eq!(received(&stage).method, "REQUEST");
    stage.series_ended("2013-09-09T21:00:00Z").await;
    stage.sender.turn(at("2013-09-09T21:01:00Z")).await.unwrap();
    assert_eq!(received(&stage).method, "CANCEL");
}

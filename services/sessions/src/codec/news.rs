//! What happens in other services and matters here.

use eventlog::{Corrupt, Recorded};
use identity::{EditionId, PersonId, TandemId};
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use proto::{api, enrollment, matching};

use super::Fields;
use crate::domain::planning::{Availability, Rules, Window};
use crate::domain::series::Ending;

/// An event of another service, as far as it matters here.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum News {
    /// An edition was drafted or revised.
    EditionSet(EditionId, Rules),
    /// The meetings of an edition are over.
    EditionCompleted(EditionId),
    /// A person said when to meet.
    AvailabilityGiven(EditionId, PersonId, Availability),
    /// An executive is obliged.
    Obliged(EditionId, PersonId),
    /// An executive is released.
    Excused(EditionId, PersonId),
    /// A person is on leave from a day on, to the last one where it is known.
    Absent(PersonId, Date, Option<Date>),
    /// Everything by which a person can be known is erased.
    Erased(PersonId),
    /// A mentor and a mentee are a tandem from now on.
    TandemActivated(Pair),
    /// A tandem has ended.
    TandemEnded(TandemId, EditionId, Ending),
}

/// A tandem and who is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) tandem: TandemId,
    pub(crate) edition: EditionId,
    pub(crate) mentor: PersonId,
    pub(crate) mentee: PersonId,
}

/// What an event of another service says; none if it does not matter here.
pub(crate) fn news(event: &Recorded) -> Result<Option<News>, Corrupt> {
    Ok(of_enrollment(event)?.or(of_person(event)?).or(of_matching(event)?))
}

fn of_enrollment(event: &Recorded) -> Result<Option<News>, Corrupt> {
    let fields = Fields(event);
    let of = |edition: &str, person: &str| {
        Ok::<_, Corrupt>((fields.id("edition_id", edition)?, fields.id("person_id", person)?))
    };
    let news = if event.is::<enrollment::EditionCreated>() {
        let it: enrollment::EditionCreated = event.read()?;
        News::EditionSet(fields.id("edition_id", &it.edition_id)?, fields.rules(it.rules)?)
    } else if event.is::<enrollment::EditionRevised>() {
        let it: enrollment::EditionRevised = event.read()?;
        News::EditionSet(fields.id("edition_id", &it.edition_id)?, fields.rules(it.rules)?)
    } else if event.is::<enrollment::EditionCompleted>() {
        let it: enrollment::EditionCompleted = event.read()?;
        News::EditionCompleted(fields.id("edition_id", &it.edition_id)?)
    } else if event.is::<enrollment::ApplicationSubmitted>() {
        let it: enrollment::ApplicationSubmitted = event.read()?;
        let (edition, person) = of(&it.edition_id, &it.person_id)?;
        News::AvailabilityGiven(edition, person, fields.availability(it.availability)?)
    } else if event.is::<enrollment::ObligationAcknowledged>() {
        let it: enrollment::ObligationAcknowledged = event.read()?;
        let (edition, person) = of(&it.edition_id, &it.person_id)?;
        News::AvailabilityGiven(edition, person, fields.availability(it.availability)?)
    } else if event.is::<enrollment::ObligationRaised>() {
        let it: enrollment::ObligationRaised = event.read()?;
        let (edition, person) = of(&it.edition_id, &it.person_id)?;
        News::Obliged(edition, person)
    } else if event.is::<enrollment::ObligationExcused>() {
        let it: enrollment::ObligationExcused = event.read()?;
        let (edition, person) = of(&it.edition_id, &it.person_id)?;
        News::Excused(edition, person)
    } else {
        return Ok(None);
    };
    Ok(Some(news))
}

fn of_person(event: &Recorded) -> Result<Option<News>, Corrupt> {
    let fields = Fields(event);
    let news = if event.is::<enrollment::PersonAbsent>() {
        let it: enrollment::PersonAbsent = event.read()?;
        let last_day = match it.last_day.as_str() {
            "" => None,
            last_day => Some(fields.date("last_day", last_day)?),
        };
        let person = fields.id("person_id", &it.person_id)?;
        News::Absent(person, fields.date("first_day", &it.first_day)?, last_day)
    } else if event.is::<enrollment::PersonAbsenceEnded>() {
        let it: enrollment::PersonAbsenceEnded = event.read()?;
        let (first_day, last_day) =
            (fields.date("first_day", &it.first_day)?, fields.date("last_day", &it.last_day)?);
        News::Absent(fields.id("person_id", &it.person_id)?, first_day, Some(last_day))
    } else if event.is::<enrollment::PersonErased>() {
        let it: enrollment::PersonErased = event.read()?;
        News::Erased(fields.id("person_id", &it.person_id)?)
    } else {
        return Ok(None);
    };
    Ok(Some(news))
}

fn of_matching(event: &Recorded) -> Result<Option<News>, Corrupt> {
    let fields = Fields(event);
    let ended = |tandem: &str, edition: &str, ending| {
        let tandem = fields.id("tandem_id", tandem)?;
        Ok::<_, Corrupt>(News::TandemEnded(tandem, fields.id("edition_id", edition)?, ending))
    };
    let news = if event.is::<matching::TandemActivated>() {
        let it: matching::TandemActivated = event.read()?;
        News::TandemActivated(Pair {
            tandem: fields.id("tandem_id", &it.tandem_id)?,
            edition: fields.id("edition_id", &it.edition_id)?,
            mentor: fields.id("mentor_person_id", &it.mentor_person_id)?,
            mentee: fields.id("mentee_person_id", &it.mentee_person_id)?,
        })
    } else if event.is::<matching::TandemDissolved>() {
        let it: matching::TandemDissolved = event.read()?;
        ended(&it.tandem_id, &it.edition_id, Ending::Dissolved)?
    } else if event.is::<matching::TandemExpired>() {
        let it: matching::TandemExpired = event.read()?;
        ended(&it.tandem_id, &it.edition_id, Ending::Dissolved)?
    } else if event.is::<matching::TandemCompleted>() {
        let it: matching::TandemCompleted = event.read()?;
        ended(&it.tandem_id, &it.edition_id, Ending::Completed)?
    } else {
        return Ok(None);
    };
    Ok(Some(news))
}

impl Fields<'_> {
    fn rules(&self, rules: Option<enrollment::EditionRules>) -> Result<Rules, Corrupt> {
        let rules = self.some("rules", rules)?;
        Ok(Rules {
            start_date: self.date("start_date", &rules.start_date)?,
            months: rules.months,
            session_minutes: rules.session_minutes,
            time_zone: self.time_zone(&rules.time_zone)?,
            working_days: self.some("region", rules.region.parse().ok())?,
            topics: rules.topic_ids,
        })
    }

    fn availability(&self, availability: Option<api::Availability>) -> Result<Availability, Corrupt> {
        let availability = self.some("availability", availability)?;
        let windows = availability.windows.iter().map(|window| self.some("weekday", read_window(window)));
        Ok(Availability {
            windows: windows.collect::<Result<_, _>>()?,
            time_zone: self.time_zone(&availability.time_zone)?,
        })
    }

    fn time_zone(&self, name: &str) -> Result<TimeZone, Corrupt> {
        self.some("time_zone", TimeZone::get(name).ok())
    }
}

fn read_window(window: &api::Window) -> Option<Window> {
    let weekday = Weekday::from_monday_one_offset(window.weekday.try_into().ok()?).ok()?;
    Some(Window { weekday, start_minute: window.start_minute, end_minute: window.end_minute })
}

#[cfg(test)]
mod tests {
    use eventlog::Draft;
    use jiff::civil::date;

    use super::*;

    fn told(message: &impl prost::Name) -> Option<News> {
        news(&Draft::of(message).rehearsed()).unwrap()
    }

    #[test]
    fn an_edition_tells_when_its_sessions_are() {
        let edition = EditionId::mint();
        let rules = enrollment::EditionRules {
            start_date: "2013-09-02".to_owned(),
            months: 6,
            session_minutes: 60,
            time_zone: "Europe/Berlin".to_owned(),
            region: "DE-HE".to_owned(),
            topic_ids: vec!["hashtags".to_owned()],
            ..enrollment::EditionRules::default()
        };
        let expected = Rules {
            start_date: date(2013, 9, 2),
            months: 6,
            session_minutes: 60,
            time_zone: TimeZone::get("Europe/Berlin").unwrap(),
            working_days: "DE-HE".parse().unwrap(),
            topics: vec!["hashtags".to_owned()],
        };
        let (edition_id, rules) = (edition.to_string(), Some(rules));
        let created = enrollment::EditionCreated { edition_id, rules, ..Default::default() };
        assert_eq!(told(&created), Some(News::EditionSet(edition, expected)));
    }

    #[test]
    fn an_application_tells_when_the_mentor_can_meet() {
        let (edition, person) = (EditionId::mint(), PersonId::mint());
        let availability = api::Availability {
            windows: vec![api::Window { weekday: 5, start_minute: 540, end_minute: 720 }],
            time_zone: "Asia/Kolkata".to_owned(),
            languages: vec!["en".to_owned()],
        };
        let submitted = enrollment::ApplicationSubmitted {
            edition_id: edition.to_string(),
            person_id: person.to_string(),
            availability: Some(availability),
            ..Default::default()
        };
        let expected = Availability {
            windows: vec![Window { weekday: Weekday::Friday, start_minute: 540, end_minute: 720 }],
            time_zone: TimeZone::get("Asia/Kolkata").unwrap(),
        };
        assert_eq!(told(&submitted), Some(News::AvailabilityGiven(edition, person, expected)));
    }

    #[test]
    fn a_leave_has_an_end_or_none_yet_and_may_get_another() {
        let person = PersonId::mint();
        let person_id = person.to_string();
        let absent = |last_day: &str| enrollment::PersonAbsent {
            person_id: person_id.clone(),
            first_day: "2013-11-01".to_owned(),
            last_day: last_day.to_owned(),
        };
        let (first_day, last_day) = (date(2013, 11, 1), date(2013, 11, 30));
        assert_eq!(told(&absent("2013-11-30")), Some(News::Absent(person, first_day, Some(last_day))));
        assert_eq!(told(&absent("")), Some(News::Absent(person, first_day, None)));
        let ended = enrollment::PersonAbsenceEnded {
            person_id: person_id.clone(),
            first_day: "2013-11-01".to_owned(),
            last_day: "2013-11-30".to_owned(),
        };
        assert_eq!(told(&ended), Some(News::Absent(person, first_day, Some(last_day))));
        let endless = enrollment::PersonAbsenceEnded { last_day: String::new(), ..ended };
        assert!(news(&Draft::of(&endless).rehearsed()).is_err(), "an end is a day");
    }

    #[test]
    fn a_tandem_that_met_to_the_end_is_told_from_one_that_did_not() {
        let (tandem, edition) = (TandemId::mint(), EditionId::mint());
        let (tandem_id, edition_id) = (tandem.to_string(), edition.to_string());
        let completed = matching::TandemCompleted {
            tandem_id: tandem_id.clone(),
            edition_id: edition_id.clone(),
            ..Default::default()
        };
        let dissolved = matching::TandemDissolved { tandem_id, edition_id, ..Default::default() };
        assert_eq!(told(&completed), Some(News::TandemEnded(tandem, edition, Ending::Completed)));
        assert_eq!(told(&dissolved), Some(News::TandemEnded(tandem, edition, Ending::Dissolved)));
    }

    #[test]
    fn what_does_not_matter_is_no_news_and_what_cannot_be_read_is_reported() {
        assert_eq!(told(&enrollment::EditionOpened::default()), None);
        assert!(news(&Draft::of(&matching::TandemActivated::default()).rehearsed()).is_err());
    }
}

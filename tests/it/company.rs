//! A small company for tests: four obliged executives, eight young people, an office of two.

use std::collections::HashMap;
use std::fmt::Write;

use identity::PersonId;
use serde_json::{Value, json};

use crate::client::Client;
use crate::world::World;

/// The 290 people of the demonstration.
pub const ADVENTUREWORKS: &[u8] =
    include_bytes!("../../services/updraft/roster/adventureworks-employees.csv");

/// Columns: number, superior, department, born. `E1` leads the company, `E2`, `E3` and `H1` report to it and are obliged with it.
const PEOPLE: [(&str, &str, &str, &str); 16] = [
    ("E1", "", "Board", "1960-01-01"),
    ("E2", "E1", "Sales", "1965-01-01"),
    ("E3", "E1", "Production", "1966-01-01"),
    ("H1", "E1", "Personnel", "1967-01-01"),
    ("E4", "E2", "Sales", "1970-01-01"),
    ("E5", "E3", "Production", "1971-01-01"),
    ("H2", "H1", "Personnel", "1980-01-01"),
    ("H3", "H1", "Personnel", "1981-01-01"),
    ("Y1", "E4", "Sales", "1988-01-01"),
    ("Y2", "E4", "Sales", "1989-01-01"),
    ("Y3", "E4", "Sales", "1990-01-01"),
    // 28 on the reference date, 29 the day after.
    ("Y4", "E4", "Sales", "1984-09-02"),
    ("Y5", "E5", "Production", "1988-02-01"),
    ("Y6", "E5", "Production", "1989-02-01"),
    ("Y7", "E5", "Production", "1990-02-01"),
    // 29 on the reference date: too old.
    ("Y8", "E5", "Production", "1984-09-01"),
];

/// The executives who are obliged.
pub const EXECUTIVES: [&str; 4] = ["E1", "E2", "E3", "H1"];

/// A company whose edition is open.
pub struct Company {
    /// The system.
    pub world: World,
    /// The edition.
    pub edition: String,
    people: HashMap<String, PersonId>,
}

/// The roster as a file.
pub fn roster() -> String {
    let mut file = String::from(
        "employee_number,manager_employee_number,given_name,family_name,email,job_title,department,hire_date,birth_date\n",
    );
    for (number, superior, department, born) in PEOPLE {
        let mail = format!("{}@example.com", number.to_lowercase());
        let line = format!(
            "{number},{superior},Given{number},Family{number},{mail},Job,{department},2010-01-01,{born}"
        );
        writeln!(file, "{line}").expect("a string takes everything");
    }
    file
}

/// Settings of an edition, with one month after the other from October 2013.
pub fn settings() -> Value {
    json!({
        "name": "First edition",
        "referenceDate": "2013-09-01",
        "startDate": "2013-10-01",
        "months": 6,
        "sessionMinutes": 60,
        "obligationRule": { "maxLevel": 1, "leadersOnly": true },
        "eligibilityRule": { "tenureMonthsMin": 6, "levelMin": 2 },
        "pairingRule": { "chainLevels": 2, "otherDepartment": true },
        "topics": [
            { "topicId": "linkedin-profile", "title": "A profile on LinkedIn" },
            { "topicId": "hashtags", "title": "Hashtags" },
        ],
        "mentorCapacityMax": 1,
        "answerWorkingDays": 3,
        "acknowledgeDays": 14,
        "anonymityK": 5,
        "timeZone": "Europe/Berlin",
    })
}

/// Every weekday from nine to five in Berlin, in English.
pub fn availability() -> Value {
    let days = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"];
    let windows: Vec<Value> = days
        .iter()
        .map(|day| json!({ "weekday": format!("WEEKDAY_{day}"), "startMinute": 540, "endMinute": 1020 }))
        .collect();
    json!({ "windows": windows, "timeZone": "Europe/Berlin", "languages": ["en"] })
}

/// What a mentor offers.
pub fn offer() -> Value {
    json!({
        "offers": [{ "topicId": "linkedin-profile", "level": 4 }, { "topicId": "hashtags", "level": 3 }],
        "motivation": "Secret motivation.",
        "availability": availability(),
        "capacity": 1,
    })
}

/// An age rule with what the law asks for, owned by this person.
pub fn age_rule(owner: PersonId) -> Value {
    json!({
        "maximumAge": 28,
        "aim": "Executives learn from people who grew up with it.",
        "necessity": "Tenure alone brought no such mentors.",
        "ownerPersonId": owner,
        "worksCouncilReference": "WC 1",
        "expiryDate": "2014-12-31",
    })
}

impl Company {
    /// Imports the roster, drafts an edition with a released age rule, and opens it.
    pub async fn open() -> Self {
        let company = Self::draft().await;
        let path = format!("{}/open", company.path());
        company.office().post(&path, json!({})).await.ok();
        company
    }

    /// The same, before it opens.
    pub async fn draft() -> Self {
        Self::draft_in(World::new().await).await
    }

    /// The same, in a world that is there already.
    pub async fn draft_in(world: World) -> Self {
        Self::draft_by(world, settings()).await
    }

    /// The same, with an edition by these settings.
    pub async fn draft_by(world: World, settings: Value) -> Self {
        let office = world.office(None);
        assert_eq!(office.import(roster()).await["state"], "STATE_SUCCEEDED");
        let listed = office.list("/api/v1/people", "people").await;
        let people = listed
            .iter()
            .map(|person| {
                let id = person["personId"].as_str().expect("an id").parse().expect("an id");
                (person["employeeNumber"].as_str().expect("a number").to_owned(), id)
            })
            .collect();
        let mut company = Self { world, edition: String::new(), people };
        let office = company.office();
        company.edition = office.post("/api/v1/editions", json!({ "settings": settings })).await.id();
        let path = company.path();
        office.post(&format!("{path}/age-rule"), age_rule(company.id("H2"))).await.ok();
        company.second_office().post(&format!("{path}/age-rule/release"), json!({})).await.ok();
        // Only now birth dates are kept.
        assert_eq!(office.import(roster()).await["counts"]["unchanged"], 16);
        company
    }

    /// A company whose executives have acknowledged and whose mentors `Y1`, `Y2`, `Y5` and `Y6` are accepted.
    pub async fn ready() -> Self {
        Self::ready_by(settings(), &[]).await
    }

    /// The same with an edition by these settings, and more mentors.
    pub async fn ready_by(settings: Value, more: &[&str]) -> Self {
        Self::ready_in(World::new().await, settings, more).await
    }

    /// The same in a system that is there already.
    pub async fn ready_in(world: World, settings: Value, more: &[&str]) -> Self {
        let company = Self::draft_by(world, settings).await;
        company.start_matching(&[&["Y1", "Y2", "Y5", "Y6"], more].concat()).await;
        company
    }

    /// The same company after its system was started anew, with settings of its own.
    pub async fn restarted(self, more: &[&str]) -> Self {
        let World { whole, database, .. } = self.world;
        whole.drain().await;
        Self { world: World::on(database, more).await, ..self }
    }

    /// Opens the edition, accepts these mentors, lets every executive acknowledge, and begins to match.
    async fn start_matching(&self, mentors: &[&str]) {
        let office = self.office();
        office.post(&format!("{}/open", self.path()), json!({})).await.ok();
        for mentor in mentors {
            let application = self.apply(mentor).await;
            self.take(&application).await;
        }
        for executive in EXECUTIVES {
            self.acknowledge(executive).await;
        }
        office.post(&format!("{}/start-matching", self.path()), json!({})).await.ok();
    }

    /// Goes on to another edition, which is matching as well, with these mentors.
    pub async fn next_edition(&mut self, mentors: &[&str]) {
        let office = self.office();
        self.edition = office.post("/api/v1/editions", json!({ "settings": settings() })).await.id();
        self.start_matching(mentors).await;
    }

    /// Accepts an application.
    pub async fn take(&self, application: &str) {
        let path = format!("{}/applications/{application}/accept", self.path());
        self.office().post(&path, json!({})).await.ok();
    }

    /// A company whose tandems are active and whose edition runs.
    pub async fn running() -> Self {
        let company = Self::ready().await;
        company.publish().await;
        for tandem in company.tandems("STATE_PUBLISHED").await {
            tandem.accept(&company).await;
        }
        company.office().post(&format!("{}/start", company.path()), json!({})).await.ok();
        company.world.settle().await;
        company
    }

    /// The edition's path.
    pub fn path(&self) -> String {
        format!("/api/v1/editions/{}", self.edition)
    }

    /// Somebody's identifier.
    pub fn id(&self, number: &str) -> PersonId {
        self.people[number]
    }

    /// Somebody's number.
    pub fn number(&self, id: &Value) -> &str {
        let id: PersonId = id.as_str().expect("an id").parse().expect("an id");
        self.people
            .iter()
            .find(|(_, person)| **person == id)
            .map(|(number, _)| number.as_str())
            .expect("a person")
    }

    /// Somebody as a caller.
    pub fn person(&self, number: &str) -> Client {
        self.world.person(self.id(number))
    }

    /// The programme office.
    pub fn office(&self) -> Client {
        self.world.office(Some(self.id("H2")))
    }

    /// A second person of the programme office.
    pub fn second_office(&self) -> Client {
        self.world.office(Some(self.id("H3")))
    }

    /// Applies; answers with the application's identifier.
    pub async fn apply(&self, number: &str) -> String {
        self.person(number).post(&format!("{}/applications", self.path()), offer()).await.id()
    }

    /// The obligation of an executive.
    pub async fn obligation(&self, number: &str) -> String {
        let own = self.person(number).list(&format!("{}/obligations", self.path()), "obligations").await;
        own[0]["obligationId"].as_str().expect("an id").to_owned()
    }

    /// Acknowledges.
    pub async fn acknowledge(&self, number: &str) {
        let path = format!("{}/obligations/{}/acknowledge", self.path(), self.obligation(number).await);
        let needs = json!({
            "needs": [
                { "topicId": "linkedin-profile", "level": 0, "wanted": true },
                { "topicId": "hashtags", "level": 1, "wanted": true },
            ],
            "goals": "Secret goals.",
            "availability": availability(),
        });
        self.person(number).post(&path, needs).await.ok();
    }

    /// Computes, reviews and publishes a match run; answers with it as it was reviewed.
    pub async fn publish(&self) -> Value {
        let office = self.office();
        let runs = format!("{}/match-runs", self.path());
        self.world.settle().await;
        let run = office.post(&runs, json!({})).await.id();
        let path = format!("{runs}/{run}");
        for command in ["review", "publish"] {
            let read = office.get(&path).await;
            let etag = read.headers["etag"].to_str().expect("an etag").to_owned();
            let answer = office
                .send(
                    reqwest::Method::POST,
                    &format!("{path}/{command}"),
                    Some(json!({})),
                    &[("if-match", &etag)],
                )
                .await;
            answer.ok();
        }
        self.world.settle().await;
        office.get(&path).await.ok()
    }

    /// The tandems in a state.
    pub async fn tandems(&self, state: &str) -> Vec<Tandem> {
        let listed = self.office().list(&format!("{}/tandems", self.path()), "tandems").await;
        listed
            .iter()
            .filter(|tandem| tandem["state"] == state)
            .map(|tandem| Tandem {
                path: format!("{}/tandems/{}", self.path(), tandem["tandemId"].as_str().expect("an id")),
                mentor: self.number(&tandem["mentorPersonId"]).to_owned(),
                mentee: self.number(&tandem["menteePersonId"]).to_owned(),
            })
            .collect()
    }
}

/// A tandem of the company.
#[derive(Clone, Debug)]
pub struct Tandem {
    /// Its path.
    pub path: String,
    /// Number of the mentor.
    pub mentor: String,
    /// Number of the mentee.
    pub mentee: String,
}

impl Tandem {
    /// Both accept.
    pub async fn accept(&self, company: &Company) {
        for number in [&self.mentor, &self.mentee] {
            company.person(number).post(&format!("{}/accept", self.path), json!({})).await.ok();
        }
    }

    /// Both accept the charter.
    pub async fn agree(&self, company: &Company) {
        for number in [&self.mentor, &self.mentee] {
            company.person(number).post(&format!("{}/charter", self.path), json!({})).await.ok();
        }
    }

    /// The session of a month.
    pub async fn session(&self, company: &Company, month: i64) -> Value {
        let sessions =
            company.person(&self.mentor).list(&format!("{}/sessions", self.path), "sessions").await;
        sessions.into_iter().find(|session| session["month"] == month).expect("a session in that month")
    }

    /// The path of the session of a month.
    pub async fn session_path(&self, company: &Company, month: i64) -> String {
        let session = self.session(company, month).await;
        format!("{}/sessions/{}", self.path, session["sessionId"].as_str().expect("an id"))
    }
}

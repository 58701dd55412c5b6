//! Erasure (GDPR Art. 17): nothing tells any more who somebody was, and nothing breaks because of it.

use serde_json::json;
use sqlx::{AssertSqlSafe, PgPool};

use crate::company::{Company, Tandem};

/// The programme office ends what its roster says of somebody.
async fn end(company: &Company, number: &str, kind: &str) {
    let path = format!("/api/v1/sources/roster/workers/{number}/remove");
    company.office().post(&path, json!({ "kind": kind })).await.ok();
    company.world.settle().await;
}

/// The tables of every schema that hold a text, in the clear or as bytes, the log included. So short a text as a number is not
/// looked for among bytes: two of them stand side by side in ciphertext by chance.
async fn tables_with(pool: &PgPool, text: &str) -> Vec<String> {
    let tables: Vec<(String, String)> = sqlx::query_as(
        "select table_schema, table_name from information_schema.tables
         where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')
         order by table_schema, table_name",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let mut found = Vec::new();
    for (schema, table) in tables {
        let sql = format!(
            "select exists (select from \"{schema}\".\"{table}\" as kept
                            where kept::text ~ ('\\m' || $1 || '\\M')
                               or length($1) > 4 and kept::text like '%' || encode($1::bytea, 'hex') || '%')"
        );
        let holds: bool = sqlx::query_scalar(AssertSqlSafe(sql)).bind(text).fetch_one(pool).await.unwrap();
        if holds {
            found.push(format!("{schema}.{table}"));
        }
    }
    found
}

/// A running company in which a tandem has written something.
async fn with_content() -> (Company, Tandem) {
    let company = Company::running().await;
    let tandem = company.tandems("STATE_ACTIVE").await.remove(0);
    let mentor = company.person(&tandem.mentor);
    let questions = format!("{}/questions", tandem.path);
    mentor.post(&questions, json!({ "text": "Secret question?" })).await.ok();
    let actions = format!("{}/actions", tandem.path);
    mentor.post(&actions, json!({ "text": "Secret action.", "dueDate": "2013-11-15" })).await.ok();
    (company, tandem)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_table_says_who_was_erased_and_what_they_wrote_is_gone() {
    let (company, tandem) = with_content().await;
    let pool = PgPool::connect_with(company.world.database.admin_options()).await.unwrap();
    let number = tandem.mentor.as_str();
    // What is wrong with a line is kept with its number.
    let file = crate::company::roster().replace(&format!("{number},E"), &format!("{number},X"));
    company.office().import(file).await;
    company.office().import(crate::company::roster()).await;
    let found = tables_with(&pool, number).await;
    assert!(found.contains(&"enrollment.operation_issues".to_owned()), "{found:?}");
    let (name, mail) = (format!("Family{number}"), format!("{}@example.com", number.to_lowercase()));
    assert_ne!(tables_with(&pool, &name).await, Vec::<String>::new(), "the search finds what is there");
    end(&company, number, "KIND_ERASED").await;
    for text in [&name, &mail, &format!("Given{number}")] {
        assert_eq!(tables_with(&pool, text).await, Vec::<String>::new(), "{text}");
    }
    // The key in the source stays with the source's own bookkeeping, so that an old record makes nobody rise again.
    let keyed = tables_with(&pool, number).await;
    assert!(
        keyed.iter().all(|table| ["workers", "sync_batches"].iter().any(|kept| table.ends_with(kept))),
        "{keyed:?}"
    );

    // Pages of those who stay do not break.
    let partner = company.person(&tandem.mentee);
    let path = format!("/api/v1/people/{}", company.id(number));
    assert_eq!(partner.get(&path).await.status, 404);
    assert_eq!(company.office().get(&path).await.status, 404);
    let questions = partner.list(&format!("{}/questions", tandem.path), "questions").await;
    assert_eq!((questions.len(), &questions[0]["text"]), (1, &json!("")));
    let actions = partner.list(&format!("{}/actions", tandem.path), "actions").await;
    assert_eq!((actions.len(), &actions[0]["text"]), (1, &json!("")));
    let late = partner.post(&format!("{}/questions", tandem.path), json!({ "text": "Where are you?" })).await;
    assert_eq!(late.status, 409, "{:#}", late.body);

    let office = company.office();
    assert_eq!(company.tandems("STATE_DISSOLVED").await[0].path, tandem.path);
    let explanation = office.get(&format!("{}/explanation?language=en", tandem.path)).await;
    assert!(explanation.status.is_success(), "{:#}", explanation.body);
    let applications = office.list(&format!("{}/applications", company.path()), "applications").await;
    let of_erased = json!(company.id(number));
    let own = applications.iter().find(|application| application["personId"] == of_erased).unwrap();
    assert_eq!((&own["state"], &own["motivation"]), (&json!("STATE_WITHDRAWN"), &json!("")));
    assert!(applications.iter().any(|application| application["motivation"] == "Secret motivation."));
    let people = office.list("/api/v1/people", "people").await;
    assert_eq!(people.len(), 15);
    for list in ["tandems", "obligations", "repairs"] {
        office.list(&format!("{}/{list}", company.path()), list).await;
    }
    office.get(&format!("{}/report", company.path())).await.ok();
    office.get(&format!("{}/cadence-grid", company.path())).await.ok();
    partner.list("/api/v1/notifications", "notifications").await;
    assert!(company.world.replay().await.iter().all(boot::replay::Compared::agrees));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_executive_owes_nothing_and_the_edition_goes_on() {
    let (company, tandem) = with_content().await;
    end(&company, &tandem.mentee, "KIND_ERASED").await;
    let obligations = company.office().list(&format!("{}/obligations", company.path()), "obligations").await;
    let of_erased = json!(company.id(&tandem.mentee));
    let own = obligations.iter().find(|obligation| obligation["personId"] == of_erased).unwrap();
    assert_eq!((&own["state"], &own["displayName"]), (&json!("STATE_EXCUSED"), &json!("")));
    company.world.set_clock("2014-04-01T08:00:00Z").await;
    company.office().post(&format!("{}/complete", company.path()), json!({})).await.ok();
    company.world.settle().await;
    assert_eq!(company.tandems("STATE_COMPLETED").await.len(), 3);
    assert!(company.world.replay().await.iter().all(boot::replay::Compared::agrees));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_a_mistake_is_shown_no_more_and_has_no_tandem() {
    let (company, tandem) = with_content().await;
    end(&company, &tandem.mentor, "KIND_RESCINDED").await;
    let path = format!("/api/v1/people/{}", company.id(&tandem.mentor));
    company.office().get(&path).await.refused(404, "NOT_FOUND");
    assert_eq!(company.tandems("STATE_DISSOLVED").await.len(), 1);
    assert!(company.world.replay().await.iter().all(boot::replay::Compared::agrees));
}

//! Patches of rows, written to a table.

use eventlog::{Patches, Table, bytes};
use serde_json::{Value, json};
use sqlx::pool::PoolConnection;
use sqlx::{Executor, PgConnection, Postgres};

use crate::support::Database;

static PEOPLE: Table = Table { name: "people", key: "person_id", columns: "desk, moves, note" };
static THINGS: Table = Table {
    name: "things",
    key: "kind, number",
    columns: "names, levels, owners, sealed, extra, since, born, done, total",
};
static MARKS: Table = Table { name: "marks", key: "mark", columns: "" };

const ADA: &str = "00000000-0000-4000-8000-000000000001";
const BOB: &str = "00000000-0000-4000-8000-000000000002";

/// A database with the tables above and a count of the statements that reach them, and a connection that finds them.
async fn tables() -> (Database, PoolConnection<Postgres>) {
    let database = Database::create().await;
    let mut conn = database.pool.acquire().await.unwrap();
    let tables = "
        set search_path to matching;
        set time zone 'UTC';
        create table people (person_id uuid primary key, desk integer unique, moves bigint not null, note text,
                             later text not null default 'as ever');
        create table things (kind text, number integer, names text[], levels integer[], owners uuid[], sealed bytea,
                             extra jsonb, since timestamptz, born date, done boolean, total numeric,
                             primary key (kind, number));
        create table marks (mark text primary key);
        create table statements (kind text, on_table text);
        create function count_statement() returns trigger language plpgsql as $$
            begin insert into statements values (lower(tg_op), tg_table_name); return null; end $$;
        create trigger count before insert or delete on people for each statement execute function count_statement();
        create trigger count before insert or delete on things for each statement execute function count_statement();
        create trigger count before insert or delete on marks for each statement execute function count_statement();";
    conn.execute(tables).await.unwrap();
    (database, conn)
}

fn person(id: &str, columns: &Value) -> Value {
    let mut row = columns.clone();
    row["person_id"] = json!(id);
    row
}

/// What a patch does to a row.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Set,
    Replace,
    Change,
    Add,
    Remove,
}

/// Patches Ada's row; the number tells later steps from earlier ones.
fn take(patches: &mut Patches, step: Step, number: i32) {
    match step {
        Step::Set => patches.set(&PEOPLE, person(ADA, &json!({ "desk": number, "moves": 0 }))),
        Step::Replace => {
            let row = json!({ "desk": number, "moves": 1, "note": format!("all {number}") });
            patches.set(&PEOPLE, person(ADA, &row));
        }
        Step::Change => patches.change(&PEOPLE, person(ADA, &json!({ "note": number.to_string() }))),
        Step::Add => patches.add(&PEOPLE, person(ADA, &json!({ "moves": number }))),
        Step::Remove => patches.remove(&PEOPLE, person(ADA, &json!({}))),
    }
}

async fn all(conn: &mut PgConnection, table: &'static Table) -> Vec<Value> {
    let sql = format!("select to_jsonb(t) from {} as t order by to_jsonb(t)", table.name);
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(conn).await.unwrap()
}

/// Lets every sequence of four steps happen, to no row and to one that is there: folded, and one by one.
#[tokio::test]
async fn what_is_folded_is_as_if_each_patch_had_been_written_at_once() {
    let (_database, mut conn) = tables().await;
    let steps = [Step::Set, Step::Replace, Step::Change, Step::Add, Step::Remove];
    let mut outcomes = std::collections::BTreeSet::new();
    for sequence in 0..625 {
        let sequence: Vec<Step> = [125, 25, 5, 1].map(|place| steps[sequence / place % 5]).to_vec();
        for there in [false, true] {
            let mut rows = Vec::new();
            for at_once in [true, false] {
                conn.execute("delete from people").await.unwrap();
                let mut patches = Patches::default();
                if there {
                    patches.set(&PEOPLE, person(ADA, &json!({ "desk": 7, "moves": 100, "note": "old" })));
                    patches.write(&mut conn).await.unwrap();
                }
                for (number, step) in (1..).zip(&sequence) {
                    take(&mut patches, *step, number);
                    if at_once {
                        patches.write(&mut conn).await.unwrap();
                    }
                }
                patches.write(&mut conn).await.unwrap();
                rows.push(all(&mut conn, &PEOPLE).await);
            }
            assert_eq!(rows[0], rows[1], "{sequence:?}, there before: {there}");
            outcomes.insert(format!("{rows:?}"));
        }
    }
    assert!(outcomes.len() > 20, "the sequences differ in what they leave: {}", outcomes.len());
}

#[tokio::test]
async fn a_column_takes_every_type_and_null() {
    let (_database, mut conn) = tables().await;
    let full = json!({
        "kind": "full", "number": 1, "names": ["ä", "with \"quotes\", {braces}"], "levels": [3, 0],
        "owners": [ADA, BOB], "sealed": bytes(&[0, 255, 16]), "extra": { "a": [1, null] },
        "since": "2013-09-02T08:00:00.123456Z", "born": "1990-12-31", "done": true, "total": 12.5,
    });
    let mut patches = Patches::default();
    patches.set(&THINGS, full.clone());
    patches.set(&THINGS, json!({ "kind": "empty", "number": 1, "names": [], "sealed": bytes(&[]) }));
    patches.write(&mut conn).await.unwrap();
    let row: Value = sqlx::query_scalar("select to_jsonb(things) from things where kind = 'full'")
        .fetch_one(&mut *conn)
        .await
        .unwrap();
    let mut written = full;
    written["since"] = json!("2013-09-02T08:00:00.123456+00:00");
    assert_eq!(row, written);
    let empty = "select names = '{}' and sealed = '' and num_nulls(levels, owners, extra, since, born, done, total) = 7
                 from things where kind = 'empty'";
    assert!(sqlx::query_scalar::<_, bool>(empty).fetch_one(&mut *conn).await.unwrap());

    patches.change(&THINGS, json!({ "kind": "full", "number": 1, "names": null, "born": null }));
    patches.write(&mut conn).await.unwrap();
    let emptied =
        "select num_nulls(names, born) = 2 and num_nulls(levels, owners, sealed, extra, since, done) = 0
                   from things where kind = 'full'";
    assert!(sqlx::query_scalar::<_, bool>(emptied).fetch_one(&mut *conn).await.unwrap());
}

#[tokio::test]
async fn rows_are_told_apart_by_all_columns_of_the_key() {
    let (_database, mut conn) = tables().await;
    let thing = |kind: &str, number: i32| json!({ "kind": kind, "number": number });
    let mut patches = Patches::default();
    for (kind, number) in [("a", 1), ("a", 2), ("b", 1)] {
        patches.set(&THINGS, thing(kind, number));
    }
    patches.write(&mut conn).await.unwrap();
    patches.remove(&THINGS, thing("a", 1));
    patches.remove(&THINGS, thing("b", 2));
    patches.change(&THINGS, json!({ "kind": "b", "number": 1, "done": true }));
    patches.write(&mut conn).await.unwrap();
    let left: Vec<(String, i32, Option<bool>)> =
        sqlx::query_as("select kind, number, done from things order by kind")
            .fetch_all(&mut *conn)
            .await
            .unwrap();
    assert_eq!(left, [("a".to_owned(), 2, None), ("b".to_owned(), 1, Some(true))]);
}

#[tokio::test]
async fn a_thousand_rows_of_a_table_are_one_statement_and_so_are_their_changes() {
    let (_database, mut conn) = tables().await;
    let mut patches = Patches::default();
    for number in 0..1000 {
        patches.set(&THINGS, json!({ "kind": "many", "number": number }));
        patches.set(&MARKS, json!({ "mark": format!("{}", number % 10) }));
        patches.change(&THINGS, json!({ "kind": "many", "number": number, "done": number % 2 == 0 }));
    }
    patches.write(&mut conn).await.unwrap();
    for number in 0..1000 {
        if number % 3 == 0 {
            patches.remove(&THINGS, json!({ "kind": "many", "number": number }));
        } else {
            patches.change(&THINGS, json!({ "kind": "many", "number": number, "done": true }));
        }
    }
    patches.write(&mut conn).await.unwrap();
    patches.write(&mut conn).await.unwrap();
    let statements: Vec<(String, String, i64)> = sqlx::query_as(
        "select on_table, kind, count(*) from statements group by on_table, kind order by on_table, kind",
    )
    .fetch_all(&mut *conn)
    .await
    .unwrap();
    let expected = [("marks", "insert", 1), ("things", "delete", 1), ("things", "insert", 2)];
    assert_eq!(statements, expected.map(|(table, kind, count)| (table.to_owned(), kind.to_owned(), count)));
    let left: (i64, i64) = sqlx::query_as("select count(*), count(*) filter (where done) from things")
        .fetch_one(&mut *conn)
        .await
        .unwrap();
    assert_eq!((left, all(&mut conn, &MARKS).await.len()), ((666, 666), 10));
}

#[tokio::test]
async fn a_column_that_is_not_declared_keeps_its_value_and_is_new_with_its_default() {
    let (_database, mut conn) = tables().await;
    let mut patches = Patches::default();
    patches.set(&PEOPLE, person(ADA, &json!({ "moves": 0 })));
    patches.write(&mut conn).await.unwrap();
    conn.execute("update people set later = 'changed'").await.unwrap();
    patches.change(&PEOPLE, person(ADA, &json!({ "moves": 1 })));
    patches.set(&PEOPLE, person(BOB, &json!({ "moves": 2 })));
    patches.write(&mut conn).await.unwrap();
    let later: Vec<(i64, String)> =
        sqlx::query_as("select moves, later from people order by moves").fetch_all(&mut *conn).await.unwrap();
    assert_eq!(later, [(1, "changed".to_owned()), (2, "as ever".to_owned())]);
}

#[tokio::test]
async fn a_row_gives_up_a_unique_value_before_a_new_one_takes_it() {
    let (_database, mut conn) = tables().await;
    let mut patches = Patches::default();
    patches.set(&PEOPLE, person(BOB, &json!({ "desk": 1, "moves": 0 })));
    patches.write(&mut conn).await.unwrap();
    patches.change(&PEOPLE, person(BOB, &json!({ "desk": null })));
    patches.set(&PEOPLE, person(ADA, &json!({ "desk": 1, "moves": 0 })));
    patches.write(&mut conn).await.unwrap();
    patches.remove(&PEOPLE, person(ADA, &json!({})));
    patches.change(&PEOPLE, person(BOB, &json!({ "desk": 1 })));
    patches.write(&mut conn).await.unwrap();
    for (id, desk) in [(ADA, json!(1)), (BOB, json!(null))] {
        patches.set(&PEOPLE, person(id, &json!({ "desk": desk, "moves": 0, "note": null })));
    }
    patches.write(&mut conn).await.unwrap();
    patches.remove(&PEOPLE, person(ADA, &json!({})));
    patches.write(&mut conn).await.unwrap();
    assert_eq!(all(&mut conn, &PEOPLE).await.len(), 1);
}

#[tokio::test]
async fn what_cannot_be_a_row_is_refused_with_the_column() {
    let (_database, mut conn) = tables().await;
    let mut refused = async |row: Value| {
        let mut patches = Patches::default();
        patches.set(&PEOPLE, row);
        patches.write(&mut conn).await.unwrap_err().to_string()
    };
    let lacking = refused(person(ADA, &json!({ "desk": 1 }))).await;
    assert!(lacking.contains("null value in column \"moves\" of relation \"people\""), "{lacking}");
    let unknown = refused(person(ADA, &json!({ "moves": 1, "later": "not declared" }))).await;
    assert!(unknown.contains("people.later"), "{unknown}");
    let keyless = refused(json!({ "moves": 1 })).await;
    assert!(keyless.contains("people.person_id"), "{keyless}");
    let malformed = refused(person("Ada", &json!({ "moves": 1 }))).await;
    assert!(malformed.contains("invalid input syntax for type uuid"), "{malformed}");
    let taken = refused(person(ADA, &json!({ "moves": "many" }))).await;
    assert!(taken.contains("invalid input syntax for type bigint"), "{taken}");
    assert!(all(&mut conn, &PEOPLE).await.is_empty());
}

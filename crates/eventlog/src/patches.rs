//! Read models changed set by set: patches of rows are folded in memory and written with one statement per table.
//!
//! A view or a follower says what each event changes; how often a row is changed within a commit or a page does not matter
//! to the database, nor does the number of rows to the round trips.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use sqlx::{AssertSqlSafe, PgConnection};

/// A table of a read model; `update` and `insert` of all its columns must be allowed.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Table {
    /// Its name, found by the search path.
    pub name: &'static str,
    /// The columns of its primary key.
    pub key: &'static [&'static str],
}

/// Changes of rows, folded by table and key.
#[derive(Debug, Default)]
pub struct Patches(BTreeMap<&'static Table, BTreeMap<Key, Fold>>);

/// The values of the key columns, as JSON texts: all that they need is to be equal or not.
type Key = Vec<String>;

/// What the changes of one row amount to.
#[derive(Debug, Default)]
struct Fold {
    /// Whether the row there was goes.
    removes: bool,
    /// Whether a row comes where there is none.
    creates: bool,
    /// The columns that are set.
    columns: Map<String, Value>,
}

impl Patches {
    /// Sets columns of the row with this key, which is made if there is none and then needs all that may not be null.
    ///
    /// The row is a JSON object with the key; columns that it does not name stay as they are, and in a new row are null. Ids,
    /// dates, times and enumerations are texts as Postgres reads them; for bytes see [`bytes`].
    pub fn set(&mut self, table: &'static Table, row: Value) {
        if let Some((fold, columns)) = self.fold(table, row) {
            fold.creates = true;
            fold.columns.extend(columns);
        }
    }

    /// Sets columns of the row with this key if there is one, as [`Patches::set`] does.
    pub fn change(&mut self, table: &'static Table, row: Value) {
        if let Some((fold, columns)) = self.fold(table, row)
            && (fold.creates || !fold.removes)
        {
            fold.columns.extend(columns);
        }
    }

    /// Removes the row with this key, if there is one.
    pub fn remove(&mut self, table: &'static Table, key: Value) {
        if let Some((fold, columns)) = self.fold(table, key) {
            *fold = Fold { removes: true, creates: false, columns };
        }
    }

    fn fold(&mut self, table: &'static Table, row: Value) -> Option<(&mut Fold, Map<String, Value>)> {
        let Value::Object(columns) = row else {
            debug_assert!(false, "a row of {} is a JSON object", table.name);
            return None;
        };
        let key =
            table.key.iter().map(|column| columns.get(*column).map(Value::to_string).unwrap_or_default());
        let fold = self.0.entry(table).or_default().entry(key.collect()).or_default();
        Some((fold, columns))
    }

    /// Writes what was folded, and is empty again: in front of a statement that has to see it, and at the end.
    ///
    /// # Errors
    ///
    /// If the database refuses a row, e.g. a new one that lacks a column.
    pub async fn write(&mut self, conn: &mut PgConnection) -> sqlx::Result<()> {
        for (table, folds) in std::mem::take(&mut self.0) {
            let folds: Vec<Fold> = folds.into_values().collect();
            let removed =
                folds.iter().filter(|fold| fold.removes).map(|fold| Value::Object(fold.columns.clone()));
            remove(conn, table, removed.collect()).await?;
            let written = folds.into_iter().filter(|fold| fold.creates || !fold.removes);
            upsert(conn, table, written.collect()).await?;
        }
        Ok(())
    }
}

/// Bytes as a column of type `bytea` reads them.
#[must_use]
pub fn bytes(bytes: &[u8]) -> Value {
    let hexadecimal = bytes.iter().fold(String::from("\\x"), |mut text, byte| {
        text.extend(
            [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16).unwrap_or_default()),
        );
        text
    });
    Value::String(hexadecimal)
}

async fn remove(conn: &mut PgConnection, Table { name, key }: &Table, rows: Vec<Value>) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let key = key.join(", ");
    // The names are constants of the program.
    let sql = format!(
        "delete from {name}
         where ({key}) in (select {key} from jsonb_populate_recordset(null::{name}, $1))"
    );
    sqlx::query(AssertSqlSafe(sql)).bind(Value::Array(rows)).execute(conn).await.map(drop)
}

/// A new row is populated from the old one and the patch, so that columns not named by the patch stay as they are.
async fn upsert(conn: &mut PgConnection, Table { name, key }: &Table, folds: Vec<Fold>) -> sqlx::Result<()> {
    if folds.is_empty() {
        return Ok(());
    }
    let columns: BTreeSet<&str> =
        folds.iter().flat_map(|fold| fold.columns.keys().map(String::as_str)).collect();
    let set: Vec<String> = columns
        .into_iter()
        .filter(|column| !key.contains(column))
        .map(|column| format!("{column} = excluded.{column}"))
        .collect();
    let update = if set.is_empty() { "nothing".to_owned() } else { format!("update set {}", set.join(", ")) };
    let first = key.first().copied().unwrap_or_default();
    let same: Vec<String> = key.iter().map(|column| format!("old.{column} = named.{column}")).collect();
    let (same, key) = (same.join(" and "), key.join(", "));
    let sql = format!(
        "insert into {name}
         select fresh.*
         from unnest($1::jsonb[], $2::boolean[]) as given (patch, creates)
         cross join lateral jsonb_populate_record(null::{name}, patch) as named
         left join {name} as old on {same}
         cross join lateral jsonb_populate_record(old, patch) as fresh
         where creates or old.{first} is not null
         on conflict ({key}) do {update}"
    );
    let (patches, creates): (Vec<Value>, Vec<bool>) =
        folds.into_iter().map(|fold| (Value::Object(fold.columns), fold.creates)).unzip();
    sqlx::query(AssertSqlSafe(sql)).bind(patches).bind(creates).execute(conn).await.map(drop)
}

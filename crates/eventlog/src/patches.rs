//! Read models changed set by set: patches of rows are folded in memory and written with one statement per table.
//!
//! A view or a follower says what each event changes; how often a row is changed within a commit or a page does not matter
//! to the database, nor does the number of rows to the round trips.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sqlx::{AssertSqlSafe, PgConnection};

/// A table of a read model, each of whose rows only one writer changes at a time, as it belongs to a stream or to a follower.
///
/// The names are SQL, and constants of the program. What is not named here is never written: such a column keeps its value,
/// and has its default in a new row.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Table {
    /// Its name, found by the search path.
    pub name: &'static str,
    /// The columns of its primary key, separated by commas.
    pub key: &'static str,
    /// The others, separated by commas.
    pub columns: &'static str,
}

/// Changes of rows, folded by table and key: what is written is as if each had been written at once.
///
/// Rows are JSON objects which have the key. Ids, dates, times and enumerations are texts as Postgres reads them; for bytes
/// see [`bytes`].
#[derive(Debug, Default, PartialEq)]
pub struct Patches {
    tables: BTreeMap<&'static Table, BTreeMap<Key, Fold>>,
    /// The first column that its table does not declare, or key column that its row lacks.
    misnamed: Option<String>,
}

/// The values of the key columns, as JSON texts: all that they need is to be equal or not.
type Key = Vec<String>;

/// What the changes of one row amount to.
#[derive(Debug, Default, PartialEq)]
struct Fold {
    /// Whether the row there was goes.
    removes: bool,
    /// Whether a row comes where there is none.
    creates: bool,
    /// The columns of the row, old or new.
    columns: Map<String, Value>,
    /// Columns of an old row only, as they were changed before there could be a new one.
    changes: Map<String, Value>,
    /// What is added to columns of an old row.
    sums: Map<String, Value>,
}

impl Patches {
    /// Sets columns of the row with this key, which is made if there is none.
    ///
    /// Columns that it does not name stay as they are, and are null in a new row.
    pub fn set(&mut self, table: &'static Table, row: Value) {
        let (fold, columns) = self.fold(table, row);
        if !fold.creates {
            fold.creates = true;
            fold.changes = std::mem::take(&mut fold.columns);
        }
        fold.assign(columns);
    }

    /// Sets columns of the row with this key, if there is one.
    pub fn change(&mut self, table: &'static Table, row: Value) {
        let (fold, columns) = self.fold(table, row);
        if fold.creates || !fold.removes {
            fold.assign(columns);
        }
    }

    /// Adds whole numbers to columns of the row with this key, if there is one.
    pub fn add(&mut self, table: &'static Table, row: Value) {
        let (fold, columns) = self.fold(table, row);
        if fold.creates || !fold.removes {
            let (key, numbers) = columns.into_iter().partition(|(name, _)| table.is_key(name));
            fold.assign(key);
            fold.increase(numbers);
        }
    }

    /// Removes the row with this key, if there is one.
    pub fn remove(&mut self, table: &'static Table, key: Value) {
        let (fold, columns) = self.fold(table, key);
        *fold = Fold { removes: true, columns, ..Fold::default() };
    }

    /// Writes what was folded, and is empty again: in front of a statement that has to see it, and at the end.
    ///
    /// Tables go by name and rows by key. The database keeps the texts of the statements, which depend on the table alone.
    ///
    /// # Errors
    ///
    /// [`sqlx::Error::ColumnNotFound`] if a row names a column that its table does not declare, or lacks one of the key;
    /// others if the database refuses a row, e.g. a new one that lacks what may not be null.
    pub async fn write(&mut self, conn: &mut PgConnection) -> sqlx::Result<()> {
        let Self { tables, misnamed } = std::mem::take(self);
        if let Some(column) = misnamed {
            return Err(sqlx::Error::ColumnNotFound(column));
        }
        for (table, folds) in tables {
            let removed = folds.values().filter(|fold| fold.removes).map(|fold| json!(fold.columns));
            table.write(conn, Table::removal, removed.collect()).await?;
            let written: Vec<_> = folds.into_values().filter(|fold| fold.creates || !fold.removes).collect();
            if written.iter().all(|fold| fold.is_whole(table)) {
                let rows = written.into_iter().map(|fold| Value::Object(fold.columns));
                table.write(conn, Table::replacement, rows.collect()).await?;
            } else {
                table.write(conn, Table::upsert, written.into_iter().map(Fold::into_json).collect()).await?;
            }
        }
        Ok(())
    }

    fn fold(&mut self, table: &'static Table, row: Value) -> (&mut Fold, Map<String, Value>) {
        let columns = if let Value::Object(columns) = row { columns } else { Map::new() };
        let lacking = names(table.key).find(|name| !columns.contains_key(*name));
        let unknown = || columns.keys().map(String::as_str).find(|name| !table.declares(name));
        let misnamed = lacking.or_else(unknown).map(|name| format!("{}.{name}", table.name));
        self.misnamed = self.misnamed.take().or(misnamed);
        let key = names(table.key).filter_map(|name| columns.get(name)).map(Value::to_string);
        (self.tables.entry(table).or_default().entry(key.collect()).or_default(), columns)
    }
}

impl Fold {
    fn assign(&mut self, columns: Map<String, Value>) {
        self.changes.retain(|name, _| !columns.contains_key(name));
        self.sums.retain(|name, _| !columns.contains_key(name));
        self.columns.extend(columns);
    }

    fn increase(&mut self, numbers: Map<String, Value>) {
        for (name, number) in numbers {
            let known =
                [&mut self.columns, &mut self.changes].into_iter().find(|known| known.contains_key(&name));
            let known = known.unwrap_or(&mut self.sums);
            let sum = match known.get(&name) {
                None => number,
                // As in SQL, the sum with what is null is null.
                Some(so_far) => so_far
                    .as_i64()
                    .zip(number.as_i64())
                    .and_then(|(one, other)| one.checked_add(other))
                    .into(),
            };
            known.insert(name, sum);
        }
    }

    /// Whether nothing of an old row remains, so that none has to be read.
    fn is_whole(&self, table: &Table) -> bool {
        self.creates && table.all().all(|name| self.columns.contains_key(name))
    }

    fn into_json(self) -> Value {
        let Self { removes: _, creates, columns, changes, sums } = self;
        json!({ "creates": creates, "columns": columns, "changes": changes, "sums": sums })
    }
}

/// Bytes as a column of type `bytea` reads them.
#[must_use]
pub fn bytes(bytes: &[u8]) -> Value {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let digits = digits.filter_map(|digit| char::from_digit(digit.into(), 16));
    Value::String("\\x".chars().chain(digits).collect())
}

impl Table {
    async fn write(
        &self,
        conn: &mut PgConnection,
        statement: fn(&Self) -> String,
        rows: Vec<Value>,
    ) -> sqlx::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(AssertSqlSafe(statement(self))).bind(rows).execute(conn).await.map(drop)
    }

    fn removal(&self) -> String {
        let Self { name, key, .. } = self;
        format!(
            "delete from {name}
             where ({key}) in (
                 select {key} from unnest($1::jsonb[]) as given (row)
                 cross join lateral jsonb_populate_record(null::{name}, given.row) as named
             )"
        )
    }

    /// Rows that say all there is to say, which takes half the time of an upsert.
    ///
    /// Here and there old rows come first: one of them may give up a unique value that a new one takes. Each is found by the
    /// index, whatever the statistics say: of a table that is being filled they are out of date.
    fn replacement(&self) -> String {
        let Self { name, key, .. } = self;
        let all = self.all().collect::<Vec<_>>().join(", ");
        let fresh = self.all().map(|name| format!("fresh.{name}")).collect::<Vec<_>>().join(", ");
        let same: Vec<_> = names(key).map(|name| format!("stored.{name} = fresh.{name}")).collect();
        let (same, update) = (same.join(" and "), self.update());
        format!(
            "insert into {name} ({all})
             select {fresh}
             from unnest($1::jsonb[]) as given (row)
             cross join lateral jsonb_populate_record(null::{name}, given.row) as fresh
             order by not exists (select from {name} as stored where {same} offset 0)
             on conflict ({key}) do {update}"
        )
    }

    /// A row is populated from the old one and the patch, so that columns which the patch does not name stay as they are.
    ///
    fn upsert(&self) -> String {
        let Self { name, key, .. } = self;
        let all = self.all().collect::<Vec<_>>().join(", ");
        let fresh = self.all().map(|name| format!("fresh.{name}")).collect::<Vec<_>>().join(", ");
        let same: Vec<_> = names(key).map(|name| format!("stored.{name} = named.{name}")).collect();
        let (same, first) = (same.join(" and "), names(key).next().unwrap_or_default());
        let update = self.update();
        format!(
            "insert into {name} ({all})
             select {fresh}
             from unnest($1::jsonb[]) as given (fold)
             cross join lateral jsonb_populate_record(null::{name}, fold -> 'columns') as named
             left join lateral (select stored from {name} as stored where {same} offset 0) as found (old) on true
             cross join lateral (
                 select coalesce(jsonb_object_agg(name, (to_jsonb(old) ->> name)::bigint + number::bigint), '{{}}')
                 from jsonb_each_text(fold -> 'sums') as sum (name, number)
             ) as total (columns)
             cross join lateral jsonb_populate_record(
                 old, case when (old).{first} is null then '{{}}' else fold -> 'changes' || total.columns end || (fold -> 'columns')
             ) as fresh
             where (fold -> 'creates')::boolean or (old).{first} is not null
             order by (old).{first} is null
             on conflict ({key}) do {update}"
        )
    }

    /// What happens to an old row.
    fn update(&self) -> String {
        let set: Vec<_> = names(self.columns).map(|name| format!("{name} = excluded.{name}")).collect();
        if set.is_empty() { "nothing".to_owned() } else { format!("update set {}", set.join(", ")) }
    }

    fn is_key(&self, column: &str) -> bool {
        names(self.key).any(|name| name == column)
    }

    fn declares(&self, column: &str) -> bool {
        self.all().any(|name| name == column)
    }

    fn all(&self) -> impl Iterator<Item = &'static str> {
        names(self.key).chain(names(self.columns))
    }
}

fn names(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.split(',').map(str::trim).filter(|name| !name.is_empty())
}

//! Writers that loop on the server, without a client in between.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Executor, PgPool};

/// How a writer takes its time: a transaction lasts `hold` and the next one follows after `rest`, both in seconds as SQL.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) hold: &'static str,
    pub(crate) rest: &'static str,
}

/// All at different speeds, without a pause.
pub(crate) const SCATTERED: Pace = Pace { hold: "0.0005 * (1 + writer % 4) * random()", rest: "0" };

/// All wait for the next hundredth of a second; every other one then commits at once.
pub(crate) const AT_ONCE: Pace = Pace {
    hold: "writer % 2 * 0.002 * random()",
    rest: "0.01 - mod(extract(epoch from clock_timestamp()), 0.01)",
};

/// Writes to a stream of its own; every tenth transaction is given up.
pub(crate) async fn hammer(pool: PgPool, writer: u64, during: Duration, Pace { hold, rest }: Pace) {
    let seconds = during.as_secs();
    let writing = format!(
        "set statement_timeout = 0;
         do $$
         declare
             until timestamptz := clock_timestamp() + interval '{seconds} seconds';
             writer bigint := {writer};
             reached bigint := 0;
         begin
             while clock_timestamp() < until loop
                 insert into eventlog.events
                     (stream_kind, stream_id, version, event_id, name, schema_version, payload, recorded_at)
                 select 'hammer', lpad(writer::text, 32, 'f')::uuid, reached + n, gen_random_uuid(), 'Hammered', 1,
                        '', now()
                 from generate_series(1, 2) as n;
                 perform pg_sleep({hold});
                 if random() < 0.1 then
                     rollback;
                 else
                     commit;
                     reached := reached + 2;
                 end if;
                 perform pg_sleep({rest});
             end loop;
         end $$"
    );
    // A transaction of their own would keep the statements from committing.
    let mut conn = pool.acquire().await.unwrap();
    for statement in writing.splitn(2, ";\n") {
        conn.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
    }
}

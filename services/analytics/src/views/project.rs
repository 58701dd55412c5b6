//! How facts change the tables.

use eventlog::Recorded;
use identity::{EditionId, FollowUpId, PersonId, SessionId, TandemId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, query};

use crate::domain::{Fact, SessionFate};

/// Takes a fact into the tables.
///
/// # Errors
/// If a statement fails.
pub async fn project(conn: &mut PgConnection, event: &Recorded, fact: &Fact) -> Result<(), sqlx::Error> {
    match fact {
        Fact::EditionSet { .. } => set_edition(conn, fact).await,
        Fact::EditionCompleted { edition } => {
            let sql = "update editions set completed = true where edition_id = $1";
            query(sql).bind(edition.uuid()).execute(conn).await.map(drop)
        }
        Fact::Applied { .. } | Fact::ApplicationIs { .. } => set_application(conn, fact).await,
        Fact::ObligationIs { edition, person, state } => set_obligation(conn, *edition, *person, state).await,
        Fact::Needs { edition, person, needs } => set_needs(conn, *edition, *person, needs).await,
        Fact::TandemOffered { .. } | Fact::TandemIs { .. } => set_tandem(conn, fact).await,
        Fact::SeriesPlanned { tandem, edition, mentee, sessions } => {
            plan(conn, *tandem, *edition, *mentee, sessions).await
        }
        Fact::SessionMoved { session, start } => move_session(conn, *session, *start).await,
        Fact::SessionIs { session, fate } => end_session(conn, *session, *fate).await,
        Fact::SeriesEnded { tandem } => end_series(conn, *tandem, event.recorded_at).await,
        Fact::Alerted { edition } => {
            let sql = "insert into alerts (position, edition_id) values ($1, $2)";
            query(sql).bind(event.position).bind(edition.uuid()).execute(conn).await.map(drop)
        }
        Fact::FollowUpScheduled { follow_up, edition, person, months } => {
            schedule(conn, *follow_up, *edition, *person, *months).await
        }
        Fact::FollowUpAnswered { .. } => answer(conn, fact).await,
        Fact::Left { person, last_day } => {
            let sql = "insert into leavers (person_id, last_day) values ($1, $2)
                       on conflict (person_id) do update set last_day = excluded.last_day";
            query(sql).bind(person.uuid()).bind(last_day.to_sqlx()).execute(conn).await.map(drop)
        }
        Fact::Returned { person } => query("delete from leavers where person_id = $1")
            .bind(person.uuid())
            .execute(conn)
            .await
            .map(drop),
    }
}

async fn set_edition(conn: &mut PgConnection, fact: &Fact) -> Result<(), sqlx::Error> {
    let Fact::EditionSet { edition, start_date, months, time_zone, anonymity_k, topics } = fact else {
        return Ok(());
    };
    query(
        "insert into editions (edition_id, start_date, months, time_zone, anonymity_k, topic_ids)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (edition_id) do update
         set start_date = excluded.start_date, months = excluded.months, time_zone = excluded.time_zone,
             anonymity_k = excluded.anonymity_k, topic_ids = excluded.topic_ids",
    )
    .bind(edition.uuid())
    .bind(start_date.to_sqlx())
    .bind(months)
    .bind(time_zone)
    .bind(anonymity_k)
    .bind(topics)
    .execute(conn)
    .await
    .map(drop)
}

async fn set_application(conn: &mut PgConnection, fact: &Fact) -> Result<(), sqlx::Error> {
    let statement = match fact {
        Fact::Applied { application, edition, person, topics } => query(
            "insert into applications (application_id, edition_id, person_id, state, topic_ids)
             values ($1, $2, $3, 'submitted', $4)",
        )
        .bind(application.uuid())
        .bind(edition.uuid())
        .bind(person.uuid())
        .bind(topics),
        Fact::ApplicationIs { application, state } => query(
            "update applications
             set state = $2, asked_back = asked_back or $2 = 'needs_info', accepted = accepted or $2 = 'accepted'
             where application_id = $1",
        )
        .bind(application.uuid())
        .bind(*state),
        _ => return Ok(()),
    };
    statement.execute(conn).await.map(drop)
}

async fn set_obligation(
    conn: &mut PgConnection,
    edition: EditionId,
    person: PersonId,
    state: &str,
) -> Result<(), sqlx::Error> {
    query(
        "insert into obligations (edition_id, person_id, state) values ($1, $2, $3)
         on conflict (edition_id, person_id) do update set state = excluded.state",
    )
    .bind(edition.uuid())
    .bind(person.uuid())
    .bind(state)
    .execute(conn)
    .await
    .map(drop)
}

async fn set_needs(
    conn: &mut PgConnection,
    edition: EditionId,
    person: PersonId,
    needs: &[(String, i32, bool)],
) -> Result<(), sqlx::Error> {
    set_obligation(conn, edition, person, "acknowledged").await?;
    query(
        "insert into needs (edition_id, person_id, topic_id, level, wanted)
         select $1, $2, * from unnest($3::text[], $4::integer[], $5::boolean[])
         on conflict (edition_id, person_id, topic_id) do update
         set level = excluded.level, wanted = excluded.wanted",
    )
    .bind(edition.uuid())
    .bind(person.uuid())
    .bind(needs.iter().map(|(topic, ..)| topic.as_str()).collect::<Vec<_>>())
    .bind(needs.iter().map(|(_, level, _)| *level).collect::<Vec<_>>())
    .bind(needs.iter().map(|(.., wanted)| *wanted).collect::<Vec<_>>())
    .execute(conn)
    .await
    .map(drop)
}

async fn set_tandem(conn: &mut PgConnection, fact: &Fact) -> Result<(), sqlx::Error> {
    let statement = match fact {
        Fact::TandemOffered { tandem, edition, mentor, mentee } => query(
            "insert into tandems (tandem_id, edition_id, mentor_id, mentee_id, state)
             values ($1, $2, $3, $4, 'published')",
        )
        .bind(tandem.uuid())
        .bind(edition.uuid())
        .bind(mentor.uuid())
        .bind(mentee.uuid()),
        Fact::TandemIs { tandem, state } => query(
            "update tandems set state = $2, activated = activated or $2 = 'active' where tandem_id = $1",
        )
        .bind(tandem.uuid())
        .bind(*state),
        _ => return Ok(()),
    };
    statement.execute(conn).await.map(drop)
}

async fn plan(
    conn: &mut PgConnection,
    tandem: TandemId,
    edition: EditionId,
    mentee: PersonId,
    sessions: &[(SessionId, i32, Timestamp)],
) -> Result<(), sqlx::Error> {
    query(
        "insert into sessions (tandem_id, edition_id, mentee_id, session_id, month, start_time, state)
         select $1, $2, $3, planned.*, 'planned'
         from unnest($4::uuid[], $5::integer[], $6::timestamptz[]) as planned",
    )
    .bind(tandem.uuid())
    .bind(edition.uuid())
    .bind(mentee.uuid())
    .bind(sessions.iter().map(|(session, ..)| session.uuid()).collect::<Vec<_>>())
    .bind(sessions.iter().map(|(_, month, _)| *month).collect::<Vec<_>>())
    .bind(sessions.iter().map(|(.., start)| start.to_sqlx()).collect::<Vec<_>>())
    .execute(conn)
    .await
    .map(drop)
}

async fn move_session(
    conn: &mut PgConnection,
    session: SessionId,
    start: Timestamp,
) -> Result<(), sqlx::Error> {
    query("update sessions set start_time = $2, moves = moves + 1 where session_id = $1")
        .bind(session.uuid())
        .bind(start.to_sqlx())
        .execute(conn)
        .await
        .map(drop)
}

async fn end_session(
    conn: &mut PgConnection,
    session: SessionId,
    fate: SessionFate,
) -> Result<(), sqlx::Error> {
    let (state, side) = match fate {
        SessionFate::Held => ("held", ""),
        SessionFate::Cancelled(side) => ("cancelled", side.name()),
        SessionFate::Excused(side) => ("excused", side.name()),
        SessionFate::Missed(side) => ("missed", side.name()),
    };
    query("update sessions set state = $2, side = $3 where session_id = $1")
        .bind(session.uuid())
        .bind(state)
        .bind(side)
        .execute(conn)
        .await
        .map(drop)
}

/// What was still to come is gone; what is past and was never recorded stays due.
async fn end_series(conn: &mut PgConnection, tandem: TandemId, when: Timestamp) -> Result<(), sqlx::Error> {
    query(
        "update sessions set state = 'ended' where tandem_id = $1 and state = 'planned' and start_time > $2",
    )
    .bind(tandem.uuid())
    .bind(when.to_sqlx())
    .execute(conn)
    .await
    .map(drop)
}

async fn schedule(
    conn: &mut PgConnection,
    follow_up: FollowUpId,
    edition: EditionId,
    person: PersonId,
    months: i32,
) -> Result<(), sqlx::Error> {
    query("insert into follow_ups (follow_up_id, edition_id, person_id, months) values ($1, $2, $3, $4)")
        .bind(follow_up.uuid())
        .bind(edition.uuid())
        .bind(person.uuid())
        .bind(months)
        .execute(conn)
        .await
        .map(drop)
}

async fn answer(conn: &mut PgConnection, fact: &Fact) -> Result<(), sqlx::Error> {
    let Fact::FollowUpAnswered { follow_up, edition, person, months, active, levels } = fact else {
        return Ok(());
    };
    query("update follow_ups set active = $2 where follow_up_id = $1")
        .bind(follow_up.uuid())
        .bind(active)
        .execute(&mut *conn)
        .await?;
    query(
        "insert into levels_after (edition_id, person_id, months, topic_id, level)
         select $1, $2, $3, * from unnest($4::text[], $5::integer[])",
    )
    .bind(edition.uuid())
    .bind(person.uuid())
    .bind(months)
    .bind(levels.iter().map(|(topic, _)| topic.as_str()).collect::<Vec<_>>())
    .bind(levels.iter().map(|(_, level)| *level).collect::<Vec<_>>())
    .execute(conn)
    .await
    .map(drop)
}

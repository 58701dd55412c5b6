//! The report at the end of the story, as text for a terminal.

use std::fmt::Write;

use serde_json::Value;

use super::cast::Cast;
use super::stage::Stage;

/// Reads the reports as the programme office and sets them as text.
pub(super) async fn text(stage: &Stage, cast: &Cast, edition: &str, priced: &str) -> anyhow::Result<String> {
    let office = stage.office(Some(cast.office[0]))?;
    let report = office.get(&format!("editions/{edition}/report")).await?.body;
    let grid = office.get(&format!("editions/{edition}/cadence-grid")).await?.body;
    let mut page = String::from("\n");
    funnel(&mut page, &report)?;
    let repairs = office.list(&format!("editions/{edition}/repairs"), "repairs").await?;
    let offered = repairs.iter().filter(|repair| repair["state"] == "STATE_OFFERED").count();
    writeln!(page, "Repairs      {offered} of {} who were left over had another offer", repairs.len())?;
    writeln!(page, "A swap       {priced}")?;
    consistency(&mut page, &report)?;
    cadence(&mut page, &grid)?;
    persistence(&mut page, &report)?;
    topics(&mut page, &report)?;
    Ok(page)
}

fn funnel(page: &mut String, report: &Value) -> std::fmt::Result {
    let (funnel, obligations) = (&report["funnel"], &report["obligations"]);
    writeln!(
        page,
        "Mentors      {} applied, {} asked back, {} accepted, {} declined, {} withdrew",
        funnel["applied"], funnel["askedBack"], funnel["accepted"], funnel["declined"], funnel["withdrawn"]
    )?;
    writeln!(
        page,
        "Tandems      {} offered, {} active, {} refused, {} dissolved, {} completed",
        funnel["proposed"], funnel["activated"], funnel["refused"], funnel["dissolved"], funnel["completed"]
    )?;
    writeln!(
        page,
        "Executives   {} obliged: {} fulfilled, {} excused, {} lapsed, {} open",
        obligations["obliged"],
        obligations["fulfilled"],
        obligations["excused"],
        obligations["lapsed"],
        number(&obligations["due"]) + number(&obligations["acknowledged"])
    )
}

fn consistency(page: &mut String, report: &Value) -> std::fmt::Result {
    let (index, cancelled) = (&report["consistency"], &report["cancellations"]);
    writeln!(
        page,
        "Consistency  {} = {} sessions held of {} due; obligations {} x cadence {}",
        per_cent(&index["index"]),
        index["sessionsHeld"],
        index["sessionsDue"],
        per_cent(&index["obligationsFulfilled"]),
        per_cent(&index["cadenceKept"])
    )?;
    writeln!(
        page,
        "Not met      {} cancelled by mentees, {} by mentors; missed {} and {}; {} excused; {} alert",
        cancelled["byMentee"],
        cancelled["byMentor"],
        cancelled["missedByMentee"],
        cancelled["missedByMentor"],
        cancelled["approvedAbsences"],
        cancelled["alerts"]
    )
}

fn cadence(page: &mut String, grid: &Value) -> std::fmt::Result {
    writeln!(
        page,
        "\nCadence      H held  C cancelled  M missed  E excused  . no tandem  - planned  ? not recorded"
    )?;
    for row in grid["rows"].as_array().into_iter().flatten() {
        let cells = row["cells"].as_array().into_iter().flatten();
        let marks: Vec<&str> = cells.map(|cell| mark(cell["outcome"].as_str().unwrap_or_default())).collect();
        writeln!(page, "  {}", marks.join(" "))?;
    }
    Ok(())
}

fn mark(outcome: &str) -> &'static str {
    match outcome {
        "OUTCOME_HELD" => "H",
        "OUTCOME_CANCELLED_BY_MENTOR" | "OUTCOME_CANCELLED_BY_MENTEE" => "C",
        "OUTCOME_MISSED_BY_MENTOR" | "OUTCOME_MISSED_BY_MENTEE" => "M",
        "OUTCOME_EXCUSED" => "E",
        "OUTCOME_ENDED" | "OUTCOME_NONE" => ".",
        "OUTCOME_PLANNED" => "-",
        _ => "?",
    }
}

fn persistence(page: &mut String, report: &Value) -> std::fmt::Result {
    writeln!(page)?;
    for step in report["persistence"].as_array().into_iter().flatten() {
        if step["suppressed"] == true {
            writeln!(page, "Persistence  after {:>2} months: too few answers to speak of", step["months"])?;
        } else {
            writeln!(
                page,
                "Persistence  after {:>2} months: {} of {} still active",
                step["months"].to_string(),
                step["active"],
                step["mentees"]
            )?;
        }
    }
    Ok(())
}

fn topics(page: &mut String, report: &Value) -> std::fmt::Result {
    writeln!(page, "\nTopics                     needed  offered  covered  before  after")?;
    for topic in report["topics"].as_array().into_iter().flatten() {
        let id = topic["topicId"].as_str().unwrap_or_default();
        let assessed =
            report["selfAssessments"].as_array().into_iter().flatten().find(|row| row["topicId"] == id);
        let level = |field| {
            assessed.and_then(|row| row[field].as_f64()).map_or("-".to_owned(), |level| format!("{level:.1}"))
        };
        let count = |field: &str| topic[field].as_i64().map_or("-".to_owned(), |count| count.to_string());
        writeln!(
            page,
            "  {id:<24} {:>6}  {:>7}  {:>7}  {:>6}  {:>5}",
            count("needed"),
            count("offered"),
            count("covered"),
            level("before"),
            level("after")
        )?;
    }
    Ok(())
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_default()
}

fn per_cent(value: &Value) -> String {
    value.as_f64().map_or("-".to_owned(), |share| format!("{:.1} %", share * 100.0))
}

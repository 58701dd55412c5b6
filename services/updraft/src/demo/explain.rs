//! Why the run found these tandems, in words, and what a swap would cost.

use serde_json::{Value, json};

use super::acts::say;
use super::cast::Cast;
use super::stage::{Stage, text};

/// The languages of the explanations.
const LANGUAGES: [&str; 2] = ["en", "de"];

/// Has every tandem of a run explained in both languages, tells one, and has a swap priced.
pub(super) async fn explain(stage: &Stage, cast: &Cast, run: &str) -> anyhow::Result<()> {
    let office = stage.office(Some(cast.office[0]))?;
    let pairs = office.get(run).await?.body["pairs"].take();
    let pairs: &[Value] = pairs.as_array().map(Vec::as_slice).unwrap_or_default();
    for language in LANGUAGES {
        for (place, pair) in pairs.iter().enumerate() {
            let mentee = text(pair, "menteePersonId")?;
            let path = format!("{run}/explanations/{mentee}?language={language}");
            let explained = text(&office.get(&path).await?.body, "text")?;
            anyhow::ensure!(!explained.is_empty(), "the tandem of {mentee} is not explained in {language}");
            if place == 0 {
                say(&format!("            why the first: {explained}"));
            }
        }
    }
    say(&format!("            {} tandems are explained, in {}", pairs.len(), LANGUAGES.join(" and ")));

    let [one, other, ..] = pairs else { anyhow::bail!("there are no two tandems to swap") };
    let (one, other) = (text(one, "menteePersonId")?, text(other, "menteePersonId")?);
    let swap = json!({ "swaps": [{ "menteePersonId": one, "otherMenteePersonId": other }] });
    match office.post(&format!("{run}/price"), swap).await {
        Ok(priced) => say(&format!("            a swap of the first two: {}", text(&priced.body, "text")?)),
        // A swap may break a hard rule, which is an answer too.
        Err(refused) => say(&format!("            a swap of the first two: {refused}")),
    }
    Ok(())
}

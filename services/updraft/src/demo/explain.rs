//! Why the run found these tandems, in words, and what a swap would cost.

use serde_json::{Value, json};

use super::acts::say;
use super::cast::Cast;
use super::stage::{Actor, Stage, text};

/// The languages of the explanations.
const LANGUAGES: [&str; 2] = ["en", "de"];

/// Has every tandem of a run explained in both languages, tells one, and answers with the price of a swap.
pub(super) async fn explain(stage: &Stage, cast: &Cast, run: &str) -> anyhow::Result<String> {
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

    let priced = swap(&office, run, pairs).await?;
    say(&format!("            a swap: {priced}"));
    Ok(priced)
}

/// What the first swap costs with the first tandem that breaks no hard rule.
async fn swap(office: &Actor<'_>, run: &str, pairs: &[Value]) -> anyhow::Result<String> {
    let Some((one, others)) = pairs.split_first() else { anyhow::bail!("there are no tandems to swap") };
    for other in others {
        let (one, other) = (text(one, "menteePersonId")?, text(other, "menteePersonId")?);
        let swap = json!({ "swaps": [{ "menteePersonId": one, "otherMenteePersonId": other }] });
        if let Ok(priced) = office.post(&format!("{run}/price"), swap).await {
            return text(&priced.body, "text");
        }
    }
    anyhow::bail!("every swap with the first tandem breaks a hard rule")
}

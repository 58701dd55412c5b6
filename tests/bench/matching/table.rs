//! What is printed.

use crate::program::{Against, Heat, Target};
use crate::race::{CONTESTANTS, Entry, LIMIT_SECONDS, Outcome};

/// Who takes part and what the marks mean, and the head of the first table.
pub(crate) fn print_legend() {
    for contestant in &CONTESTANTS {
        println!("{:>10}  {}", contestant.name, contestant.title);
    }
    println!(
        "\n– not for this kind, would take over {LIMIT_SECONDS} s, or was wrong on a smaller one · >{LIMIT_SECONDS} stopped at that limit · \
         wrong: not the optimum · failed: no answer (why: below)"
    );
    print_head("processor seconds of the solve, median");
}

/// The row of an instance in the first table.
pub(crate) fn print_heat(heat: &Heat) {
    print_row(heat, |entry| seconds(entry.median("solve_s")));
}

/// All other tables.
pub(crate) fn print_summary<'t>(heats: &[Heat], targets: impl Iterator<Item = &'t Target>) {
    print_table(heats, "processor seconds of the solve, best of the runs", |entry| {
        seconds(entry.best("solve_s"))
    });
    let title = "processor seconds to fill the solver's own form of an instance, median";
    print_table(heats, title, |entry| seconds(entry.median("build_s")));
    let title = "memory, MB: peak of the process, the instance included, less the bare process";
    print_table(heats, title, |entry| format!("{:.1}", entry.median("memory_kb") / 1_024.0));
    print_instances(heats);
    print_fastest(heats);
    print_targets(heats, targets);
    print_efforts(heats);
    print_failures(heats);
}

fn print_table(heats: &[Heat], title: &str, cell: impl Fn(&Entry) -> String) {
    print_head(title);
    for heat in heats {
        print_row(heat, &cell);
    }
}

fn print_head(title: &str) {
    println!("\n{title}");
    print!("{:<20}", "");
    for contestant in &CONTESTANTS {
        print!(" {:>9}", contestant.name);
    }
    println!();
}

fn print_row(heat: &Heat, cell: impl Fn(&Entry) -> String) {
    print!("{:<20}", name(heat));
    for entry in &heat.entries {
        let text = match &entry.outcome {
            Outcome::Found(_) if heat.is_optimal(entry) => cell(entry),
            Outcome::Found(_) => "wrong".to_owned(),
            Outcome::Skipped => "–".to_owned(),
            Outcome::OutOfTime => format!(">{LIMIT_SECONDS}"),
            Outcome::Failed(_) => "failed".to_owned(),
        };
        print!(" {text:>9}");
    }
    println!();
}

fn print_instances(heats: &[Heat]) {
    println!(
        "\n{:<20} {:>9} {:>10} {:>10} {:>14}",
        "instance", "mentors", "pairs", "unmatched", "cost of pairs"
    );
    for heat in heats {
        let (name, optimum) = (name(heat), heat.optimum);
        let (mentors, pairs) = (grouped(heat.mentors), grouped(heat.pairs));
        println!(
            "{name:<20} {mentors:>9} {pairs:>10} {:>10} {:>14}",
            grouped(optimum.unmatched),
            optimum.cost
        );
    }
}

fn print_fastest(heats: &[Heat]) {
    println!("\n{:<20} {:>12} {:>9} {:>9}", "instance", "fastest peer", "time", "memory");
    for heat in heats {
        let Some((ours, peer)) = heat.ours().zip(heat.fastest("")) else { continue };
        let ratio = |number| ours.median(number) / peer.median(number);
        let (time, memory) = (ratio("solve_s"), ratio("memory_kb"));
        println!("{:<20} {:>12} {time:>7.3} × {memory:>7.3} ×", name(heat), peer.contestant.name);
    }
}

fn print_targets<'t>(heats: &[Heat], targets: impl Iterator<Item = &'t Target>) {
    println!("\n{:<20} {:<14} {:>10} {:>21} {:>8} {:>7}", "target", "", "ours", "against", "ratio", "limit");
    for target in targets {
        let is_meant = |heat: &&Heat| heat.family == target.family && heat.executives == target.executives;
        let Some(heat) = heats.iter().find(is_meant) else { continue };
        let Some(ours) = heat.ours() else { continue };
        let (whose, theirs) = match target.against {
            Against::Second => ("1 second", 1.0),
            Against::Own(number) => ("ours", ours.median(number)),
            Against::Fastest(prefix) => {
                let peer = heat.fastest(prefix);
                peer.map_or(("nobody", f64::NAN), |peer| (peer.contestant.name, peer.median(target.number)))
            }
        };
        let taken = ours.median(target.number);
        let ratio = taken / theirs;
        let verdict = if ratio <= target.limit { "reached" } else { "MISSED" };
        println!(
            "{:<20} {:<14} {:>10} {whose:>10} {:>10} {ratio:>8.4} {:>7} {verdict}",
            name(heat),
            target.number,
            seconds(taken),
            seconds(theirs),
            target.limit,
        );
    }
}

fn print_efforts(heats: &[Heat]) {
    println!("\nwhat our solver did");
    for heat in heats {
        let Some(run) = heat.ours().and_then(|ours| ours.runs.first()) else { continue };
        let counts = run.0.iter().filter(|(name, _)| !name.ends_with("_s") && !name.ends_with("_kb"));
        let counts = counts.map(|(name, count)| format!("{name} {count}"));
        let parts = run.0.iter().filter(|(name, _)| name.starts_with("of_it_"));
        let parts = parts.map(|(name, spent)| format!("{name} {}", seconds(*spent)));
        println!("{:<20} {}", name(heat), parts.chain(counts).collect::<Vec<_>>().join(", "));
    }
}

fn print_failures(heats: &[Heat]) {
    println!("\nwho did not find the optimum");
    for heat in heats {
        for entry in &heat.entries {
            let why = match &entry.outcome {
                Outcome::Found(worth) if !heat.is_optimal(entry) => {
                    format!("{} unmatched, cost {}", worth.unmatched, worth.cost)
                }
                Outcome::Failed(why) => why.clone(),
                _ => continue,
            };
            println!("{:<20} {:>10}  {why}", name(heat), entry.contestant.name);
        }
    }
}

fn name(heat: &Heat) -> String {
    format!("{} {}", heat.family, grouped(heat.executives as usize))
}

fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Three significant digits.
fn seconds(number: f64) -> String {
    let decimals = match number {
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        0.1.. => 3,
        0.01.. => 4,
        0.001.. => 5,
        _ => 6,
    };
    format!("{number:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_printed_to_be_read() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([123.4, 1.234, 0.012_34, 0.000_012].map(seconds), ["123", "1.23", "0.0123", "0.000012"]);
    }
}

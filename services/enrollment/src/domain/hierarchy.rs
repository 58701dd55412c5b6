//! The reporting line of a source: one tree with one top. What is not so is told, and taken over all the same.

use std::collections::HashMap;

use super::worker::FieldIssue;

/// So many people of a cycle are named; a longer one is cut short.
const CYCLE_NAMED_MAX: usize = 20;

/// The field that is wrong, whatever is.
const FIELD: &str = "worker.manager_external_id";

/// A worker of the reporting line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The key in the source.
    pub key: String,
    /// The superior's.
    pub manager: Option<String>,
    /// Whether anything was said of the worker now, so that what is wrong is told.
    pub told: bool,
}

/// All that is wrong with the reporting line, each with the key of the worker it is about.
///
/// The line reaches up from whoever was told of; the first top is the one that was known before all others.
#[must_use]
pub fn check(members: &[Member], first_top: Option<&str>) -> Vec<(String, FieldIssue)> {
    let managers: HashMap<&str, Option<&str>> =
        members.iter().map(|member| (member.key.as_str(), member.manager.as_deref())).collect();
    let mut found = Vec::new();
    for Member { key, manager, told } in members {
        match manager {
            Some(manager) if *told && !managers.contains_key(manager.as_str()) => {
                let message = format!("The source has not reported the manager {manager}.");
                found.push((key.clone(), FieldIssue::new(FIELD, "UNKNOWN_MANAGER", message)));
            }
            None if *told && first_top.is_some_and(|first| first != key) => {
                let first = first_top.unwrap_or_default();
                let message = format!("Both {first} and {key} report to nobody; there is one top.");
                found.push((key.clone(), FieldIssue::new(FIELD, "SECOND_TOP", message)));
            }
            _ => {}
        }
    }
    found.extend(cycles(members, &managers));
    found
}

/// Each cycle once, at the first of its members that was told of.
fn cycles(members: &[Member], managers: &HashMap<&str, Option<&str>>) -> Vec<(String, FieldIssue)> {
    let told: HashMap<&str, bool> = members.iter().map(|member| (member.key.as_str(), member.told)).collect();
    let mut met: HashMap<&str, usize> = HashMap::with_capacity(members.len());
    let mut found = Vec::new();
    for (walk, member) in members.iter().enumerate() {
        let mut path = Vec::new();
        let mut next = Some(member.key.as_str());
        while let Some(key) = next.filter(|key| managers.contains_key(key) && !met.contains_key(key)) {
            met.insert(key, walk);
            path.push(key);
            next = managers.get(key).copied().flatten();
        }
        // Who was met on this very walk closes a cycle; who was met before has been followed to the end.
        if let Some(closing) = next.filter(|key| met.get(key) == Some(&walk)) {
            let cycle: Vec<&str> = path.into_iter().skip_while(|key| *key != closing).collect();
            found.extend(told_of(&cycle, &told));
        }
    }
    found
}

fn told_of(cycle: &[&str], told: &HashMap<&str, bool>) -> Option<(String, FieldIssue)> {
    let start = cycle.iter().position(|key| told.get(key) == Some(&true))?;
    let mut chain: Vec<&str> =
        cycle.iter().cycle().skip(start).take(cycle.len().min(CYCLE_NAMED_MAX)).copied().collect();
    chain.extend((cycle.len() > CYCLE_NAMED_MAX).then_some("…"));
    chain.push(cycle[start]);
    let message = format!("The reporting line goes in a circle: {}.", chain.join(" → "));
    Some((cycle[start].to_owned(), FieldIssue::new(FIELD, "REPORTING_CYCLE", message)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(key: &str, manager: Option<&str>, told: bool) -> Member {
        Member { key: key.to_owned(), manager: manager.map(str::to_owned), told }
    }

    fn line(of: &[(&str, Option<&str>)]) -> Vec<Member> {
        of.iter().map(|(key, manager)| member(key, *manager, true)).collect()
    }

    fn issues(members: &[Member], first_top: Option<&str>) -> Vec<(String, &'static str, String)> {
        check(members, first_top).into_iter().map(|(key, issue)| (key, issue.reason, issue.message)).collect()
    }

    #[test]
    fn a_tree_is_in_order_whatever_the_order_of_its_members() {
        assert_eq!(issues(&line(&[("c", Some("b")), ("b", Some("a")), ("a", None)]), Some("a")), []);
        assert_eq!(issues(&[], None), []);
    }

    #[test]
    fn an_unknown_manager_is_named_for_whoever_was_told_of() {
        let mut members = line(&[("a", None), ("b", Some("x"))]);
        members.push(member("c", Some("y"), false));
        let message = "The source has not reported the manager x.".to_owned();
        assert_eq!(issues(&members, Some("a")), [("b".to_owned(), "UNKNOWN_MANAGER", message)]);
    }

    #[test]
    fn a_second_top_is_named_with_the_first() {
        let message = "Both a and b report to nobody; there is one top.".to_owned();
        let expected = [("b".to_owned(), "SECOND_TOP", message)];
        assert_eq!(issues(&line(&[("a", None), ("b", None)]), Some("a")), expected);
        assert_eq!(issues(&line(&[("b", None)]), Some("a")), expected);
    }

    #[test]
    fn a_cycle_is_named_once_with_its_chain_from_whoever_was_told_of() {
        let mut members = line(&[("a", None), ("e", Some("d")), ("b", Some("c"))]);
        members.push(member("c", Some("d"), false));
        members.push(member("d", Some("b"), false));
        let message = "The reporting line goes in a circle: b → c → d → b.".to_owned();
        assert_eq!(issues(&members, Some("a")), [("b".to_owned(), "REPORTING_CYCLE", message)]);
    }

    #[test]
    fn nobody_reports_to_themselves() {
        let message = "The reporting line goes in a circle: b → b.".to_owned();
        let expected = [("b".to_owned(), "REPORTING_CYCLE", message)];
        assert_eq!(issues(&line(&[("a", None), ("b", Some("b"))]), Some("a")), expected);
    }

    #[test]
    fn a_cycle_of_the_whole_company_is_cut_short() {
        let keys: Vec<String> = (0..50_000).map(|number| format!("n{number}")).collect();
        let next = |at: usize| Some(keys[(at + 1) % keys.len()].as_str());
        let members: Vec<_> = keys.iter().enumerate().map(|(at, key)| member(key, next(at), true)).collect();
        let issues = issues(&members, None);
        assert_eq!(issues.len(), 1);
        assert!(issues[0].2.ends_with("n18 → n19 → … → n0."), "{}", issues[0].2);
    }
}

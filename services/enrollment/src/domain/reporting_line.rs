//! The reporting line of a roster together with the directory: one tree with one top.

use std::collections::{BTreeMap, HashMap};

use crate::domain::roster::{Column, ISSUES_MAX, Issue, Record};

/// The superior's employee number of each employee that the directory knows, by employee number.
pub type Superiors = BTreeMap<String, Option<String>>;

/// Checks that everybody reports to somebody known, and nobody to themselves however indirectly.
///
/// People who are in the directory and not on the roster keep their place; the roster decides about all others.
///
/// # Errors
/// Everything that is wrong, by line, up to [`ISSUES_MAX`].
pub fn check(roster: &[Record], directory: &Superiors) -> Result<(), Vec<Issue>> {
    let line = Line::of(roster, directory);
    let mut issues = line.unknown_superiors();
    issues.extend(line.second_tops());
    issues.extend(line.cycles());
    issues.sort_by_key(|issue| issue.line);
    issues.truncate(ISSUES_MAX);
    if issues.is_empty() { Ok(()) } else { Err(issues) }
}

/// So many people of a cycle are named; a longer one is cut short.
const CYCLE_NAMED_MAX: usize = 20;

struct Line<'a> {
    roster: &'a [Record],
    superiors: HashMap<&'a str, Option<&'a str>>,
    /// A top that the directory knows and the roster does not mention.
    known_top: Option<&'a str>,
}

impl<'a> Line<'a> {
    fn of(roster: &'a [Record], directory: &'a Superiors) -> Self {
        let known = directory.iter().map(|(number, superior)| (number.as_str(), superior.as_deref()));
        let mut superiors: HashMap<_, _> = known.clone().collect();
        let listed = roster
            .iter()
            .map(|record| (record.employee_number.as_str(), record.manager_employee_number.as_deref()));
        let on_roster: HashMap<_, _> = listed.clone().collect();
        superiors.extend(listed);
        let known_top = known
            .filter(|(number, superior)| superior.is_none() && !on_roster.contains_key(number))
            .map(|(number, _)| number)
            .next();
        Self { roster, superiors, known_top }
    }

    fn unknown_superiors(&self) -> Vec<Issue> {
        let unknown = |record: &&Record| {
            record
                .manager_employee_number
                .as_deref()
                .is_some_and(|number| !self.superiors.contains_key(number))
        };
        self.roster
            .iter()
            .filter(unknown)
            .map(|record| {
                let number = record.manager_employee_number.as_deref().unwrap_or_default();
                issue(record, "UNKNOWN_MANAGER", format!("Nobody has the employee number {number}."))
            })
            .collect()
    }

    fn second_tops(&self) -> Vec<Issue> {
        let mut tops = self.roster.iter().filter(|record| record.manager_employee_number.is_none());
        let first = match self.known_top {
            Some(number) => number,
            None => match tops.next() {
                Some(record) => &record.employee_number,
                None => return Vec::new(),
            },
        };
        tops.map(|record| {
            let number = &record.employee_number;
            let detail = format!("Both {first} and {number} report to nobody; there is one top.");
            issue(record, "SECOND_TOP", detail)
        })
        .collect()
    }

    /// Each cycle once, at the first line of the roster that is part of it.
    fn cycles(&self) -> Vec<Issue> {
        let places: HashMap<&str, usize> = self
            .roster
            .iter()
            .enumerate()
            .map(|(place, record)| (record.employee_number.as_str(), place))
            .collect();
        let mut cleared: HashMap<&str, usize> = HashMap::new();
        let mut issues = Vec::new();
        for (walk, record) in self.roster.iter().enumerate() {
            let mut path = Vec::new();
            let mut next = Some(record.employee_number.as_str());
            while let Some(number) = next
                && !cleared.contains_key(number)
            {
                cleared.insert(number, walk);
                path.push(number);
                next = self.superiors.get(number).copied().flatten();
            }
            // Who was met on this very walk closes a cycle; who was met before has been followed to the end.
            if let Some(closing) = next.filter(|number| cleared.get(number) == Some(&walk)) {
                let cycle = path.iter().skip_while(|number| **number != closing).copied();
                issues.extend(self.cycle(&places, &cycle.collect::<Vec<_>>()));
            }
        }
        issues
    }

    fn cycle(&self, places: &HashMap<&str, usize>, members: &[&str]) -> Option<Issue> {
        let on_roster =
            members.iter().enumerate().filter_map(|(at, number)| Some((*places.get(number)?, at)));
        let (place, start) = on_roster.min()?;
        let mut chain: Vec<&str> =
            members.iter().cycle().skip(start).take(members.len().min(CYCLE_NAMED_MAX)).copied().collect();
        chain.extend((members.len() > CYCLE_NAMED_MAX).then_some("…"));
        chain.push(members[start]);
        let (record, chain) = (&self.roster[place], chain.join(" → "));
        Some(issue(record, "REPORTING_CYCLE", format!("The reporting line goes in a circle: {chain}.")))
    }
}

fn issue(record: &Record, code: &'static str, detail: String) -> Issue {
    Issue::new(record.line, Column::ManagerEmployeeNumber.header(), code, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::roster::tests::record;

    fn issues(roster: &[Record], directory: &Superiors) -> Vec<(usize, &'static str, String)> {
        let issues = check(roster, directory).unwrap_err();
        assert!(issues.iter().all(|issue| issue.column == "manager_employee_number"));
        issues.into_iter().map(|issue| (issue.line, issue.code, issue.detail)).collect()
    }

    fn directory(people: &[(&str, Option<&str>)]) -> Superiors {
        people.iter().map(|(number, superior)| ((*number).to_owned(), superior.map(str::to_owned))).collect()
    }

    #[test]
    fn a_tree_is_in_order_whatever_the_order_of_its_lines() {
        let roster = [record(2, "c", Some("b")), record(3, "b", Some("a")), record(4, "a", None)];
        assert_eq!(check(&roster, &directory(&[])), Ok(()));
    }

    #[test]
    fn a_part_of_the_company_fits_to_what_the_directory_knows() {
        let known = directory(&[("a", None), ("b", Some("a"))]);
        assert_eq!(check(&[record(2, "c", Some("b"))], &known), Ok(()));
        assert_eq!(check(&[record(2, "a", None)], &known), Ok(()), "the top itself is no second one");
    }

    #[test]
    fn an_unknown_superior_is_named() {
        let roster = [record(2, "a", None), record(3, "b", Some("x"))];
        let expected = (3, "UNKNOWN_MANAGER", "Nobody has the employee number x.".to_owned());
        assert_eq!(issues(&roster, &directory(&[])), [expected]);
    }

    #[test]
    fn a_second_top_is_named_with_the_first() {
        let detail = "Both a and b report to nobody; there is one top.".to_owned();
        let roster = [record(2, "a", None), record(3, "b", None)];
        assert_eq!(issues(&roster, &directory(&[])), [(3, "SECOND_TOP", detail.clone())]);
        let known = directory(&[("a", None)]);
        assert_eq!(issues(&[record(2, "b", None)], &known), [(2, "SECOND_TOP", detail)]);
    }

    #[test]
    fn a_cycle_is_named_once_with_its_chain() {
        let roster = [
            record(2, "a", None),
            record(3, "e", Some("d")),
            record(4, "b", Some("c")),
            record(5, "c", Some("d")),
            record(6, "d", Some("b")),
        ];
        let detail = "The reporting line goes in a circle: b → c → d → b.".to_owned();
        assert_eq!(issues(&roster, &directory(&[])), [(4, "REPORTING_CYCLE", detail)]);
    }

    #[test]
    fn a_cycle_of_the_whole_company_is_cut_short() {
        let numbers: Vec<String> = (0..50_000).map(|number| format!("n{number}")).collect();
        let next = |at: usize| Some(numbers[(at + 1) % numbers.len()].as_str());
        let roster: Vec<_> =
            numbers.iter().enumerate().map(|(at, number)| record(at + 2, number, next(at))).collect();
        let issues = issues(&roster, &directory(&[]));
        assert_eq!((issues.len(), issues[0].0), (1, 2));
        assert!(issues[0].2.ends_with("n18 → n19 → … → n0."), "{}", issues[0].2);
    }

    #[test]
    fn nobody_reports_to_themselves() {
        let detail = "The reporting line goes in a circle: b → b.".to_owned();
        let roster = [record(2, "a", None), record(3, "b", Some("b"))];
        assert_eq!(issues(&roster, &directory(&[])), [(3, "REPORTING_CYCLE", detail)]);
    }

    #[test]
    fn a_cycle_through_the_directory_is_found() {
        let known = directory(&[("a", None), ("b", Some("a")), ("c", Some("b"))]);
        let detail = "The reporting line goes in a circle: b → c → b.".to_owned();
        assert_eq!(issues(&[record(2, "b", Some("c"))], &known), [(2, "REPORTING_CYCLE", detail)]);
    }
}

//! Who may be a mentor, at the edition's reference date.

use jiff::civil::Date;

use crate::domain::rules::Rules;

/// What the rules ask about an applicant.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Whether the person works here.
    pub active: bool,
    /// Whether the person is obliged in the same edition.
    pub obliged: bool,
    /// Levels below the top; none of somebody who does not hang below it.
    pub level: Option<i32>,
    /// The first day with the company.
    pub hire_date: Date,
    /// Known only while a released age rule needs it.
    pub birth_date: Option<Date>,
}

/// The rule that keeps an applicant from being a mentor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ineligible {
    /// No longer with the company.
    #[error("The applicant does not work here any more.")]
    Left,
    /// Has to learn in the same edition.
    #[error("The applicant is obliged as an executive of this edition.")]
    Obliged,
    /// Stands too near to the top.
    #[error(
        "The rule LEVEL asks for at least {level_min} levels below the top; the applicant stands {level} below."
    )]
    Level {
        /// What the rule asks for.
        level_min: i32,
        /// Where the applicant stands.
        level: i32,
    },
    /// Hangs below nobody known.
    #[error(
        "The rule LEVEL asks for at least {level_min} levels below the top; the directory does not know where the applicant stands."
    )]
    LevelUnknown {
        /// What the rule asks for.
        level_min: i32,
    },
    /// Not long enough with the company.
    #[error(
        "The rule TENURE asks for {tenure_months_min} months with the company on {reference_date}; the applicant has {months}."
    )]
    Tenure {
        /// What the rule asks for.
        tenure_months_min: i32,
        /// Completed months.
        months: i32,
        /// The day that counts.
        reference_date: Date,
    },
    /// The age rule needs a date of birth that the directory does not hold.
    #[error("The rule MAXIMUM_AGE needs a date of birth, and the directory holds none of this applicant.")]
    AgeUnknown,
    /// Too old.
    #[error("The rule MAXIMUM_AGE admits at most {maximum_age} completed years on {reference_date}.")]
    MaximumAge {
        /// What the rule admits.
        maximum_age: i32,
        /// The day that counts.
        reference_date: Date,
    },
}

/// Checks an applicant against the rules of an edition and its released age rule.
///
/// # Errors
/// The first rule that is not kept.
pub fn check(candidate: &Candidate, rules: &Rules, maximum_age: Option<i32>) -> Result<(), Ineligible> {
    let reference_date = rules.reference_date;
    if !candidate.active {
        return Err(Ineligible::Left);
    }
    if candidate.obliged {
        return Err(Ineligible::Obliged);
    }
    let level_min = rules.eligibility.level_min;
    match candidate.level {
        Some(level) if level < level_min => return Err(Ineligible::Level { level_min, level }),
        None if level_min > 0 => return Err(Ineligible::LevelUnknown { level_min }),
        _ => {}
    }
    let months = completed_months(candidate.hire_date, reference_date);
    let tenure_months_min = rules.eligibility.tenure_months_min;
    if months < tenure_months_min {
        return Err(Ineligible::Tenure { tenure_months_min, months, reference_date });
    }
    if let Some(maximum_age) = maximum_age {
        let birth_date = candidate.birth_date.ok_or(Ineligible::AgeUnknown)?;
        if completed_months(birth_date, reference_date) / 12 > maximum_age {
            return Err(Ineligible::MaximumAge { maximum_age, reference_date });
        }
    }
    Ok(())
}

/// Whole months from one day to another; a month is complete on the same day of a later month.
///
/// Whoever is born on 29 February completes a year on 1 March of a common year, so one rule serves years as well.
fn completed_months(from: Date, to: Date) -> i32 {
    let months = |date: Date| i32::from(date.year()) * 12 + i32::from(date.month());
    months(to) - months(from) - i32::from(to.day() < from.day())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::rules::tests::rules;

    fn candidate() -> Candidate {
        Candidate {
            active: true,
            obliged: false,
            level: Some(3),
            hire_date: date(2013, 3, 1),
            birth_date: Some(date(1984, 9, 2)),
        }
    }

    #[test]
    fn an_applicant_who_keeps_every_rule_is_eligible() {
        assert_eq!(check(&candidate(), &rules(), Some(28)), Ok(()));
    }

    #[test]
    fn a_leaver_is_not_eligible() {
        assert_eq!(check(&Candidate { active: false, ..candidate() }, &rules(), None), Err(Ineligible::Left));
    }

    #[test]
    fn an_obliged_executive_is_not_eligible() {
        assert_eq!(
            check(&Candidate { obliged: true, ..candidate() }, &rules(), None),
            Err(Ineligible::Obliged)
        );
    }

    #[test]
    fn the_rule_of_levels_counts_from_the_top() {
        assert_eq!(check(&Candidate { level: Some(2), ..candidate() }, &rules(), None), Ok(()));
        let refused = Ineligible::Level { level_min: 2, level: 1 };
        assert_eq!(check(&Candidate { level: Some(1), ..candidate() }, &rules(), None), Err(refused));
    }

    #[test]
    fn the_rule_of_tenure_counts_completed_months_at_the_reference_date() {
        let hired = |hire_date| Candidate { hire_date, ..candidate() };
        assert_eq!(check(&hired(date(2013, 3, 1)), &rules(), None), Ok(()));
        let refused =
            Ineligible::Tenure { tenure_months_min: 6, months: 5, reference_date: date(2013, 9, 1) };
        assert_eq!(check(&hired(date(2013, 3, 2)), &rules(), None), Err(refused));
    }

    #[test]
    fn the_age_rule_counts_completed_years_at_the_reference_date() {
        let born = |birth_date| Candidate { birth_date: Some(birth_date), ..candidate() };
        assert_eq!(check(&born(date(1984, 9, 2)), &rules(), Some(28)), Ok(()), "turns 29 the day after");
        let refused = Ineligible::MaximumAge { maximum_age: 28, reference_date: date(2013, 9, 1) };
        assert_eq!(check(&born(date(1984, 9, 1)), &rules(), Some(28)), Err(refused));
    }

    #[test]
    fn a_birthday_on_29_february_counts_on_1_march() {
        assert_eq!(completed_months(date(1984, 2, 29), date(2013, 2, 28)) / 12, 28);
        assert_eq!(completed_months(date(1984, 2, 29), date(2013, 3, 1)) / 12, 29);
    }

    #[test]
    fn the_age_rule_needs_a_date_of_birth_and_no_other_rule_does() {
        let unknown = Candidate { birth_date: None, ..candidate() };
        assert_eq!(check(&unknown, &rules(), Some(28)), Err(Ineligible::AgeUnknown));
        assert_eq!(check(&unknown, &rules(), None), Ok(()));
    }
}

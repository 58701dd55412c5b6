//! The families of instances; each is determined by its letter and its size.

use std::collections::BTreeMap;
use std::fmt;

use crate::instance::Instance;
use crate::people::{Executive, Mentor, is_admissible, score};
use crate::random::Random;

/// How many mentors an executive of a sparse family looks at.
const CANDIDATES: u32 = 50;

/// A distribution of instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Realistic people (see `people`) and 52 mentors per 100 executives, with one, two or three places, each equally
    /// probable. Every executive looks at fifty mentors drawn at random, a shift worker at fifty drawn from those of the
    /// division who are free in the same hour; those drawn twice or against a hard rule fall away, which leaves 47.
    /// About six executives in a thousand cannot be covered.
    Realistic,
    /// Three mentors with one place per executive, fifty different ones for each, scores uniform: much slack.
    Uniform,
    /// As many mentors with one place as executives, fifty draws for each, doubles fall away, scores uniform; one of
    /// the fifty comes from a random permutation, so that everybody can be covered, and then every mentor is needed.
    Square,
    /// Five mentors with one place for two executives, every pair admissible, scores uniform.
    DenseUniform,
    /// The same with realistic scores; the hard rules do not hold.
    DenseRealistic,
}

impl Family {
    /// The instance of this size.
    #[must_use]
    pub fn instance(self, executives: u32) -> Instance {
        let random = Random::new(u64::from(executives) << 8 | self as u64);
        match self {
            Self::Realistic => realistic(executives, random),
            Self::Uniform => uniform(executives, random),
            Self::Square => square(executives, random),
            Self::DenseUniform => dense_uniform(executives, random),
            Self::DenseRealistic => dense_realistic(executives, random),
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Realistic => "R",
            Self::Uniform => "U",
            Self::Square => "T",
            Self::DenseUniform => "D uniform",
            Self::DenseRealistic => "D realistic",
        })
    }
}

fn realistic(executives: u32, mut random: Random) -> Instance {
    let mentors: Vec<Mentor> =
        (0..executives * 52 / 100).map(|_| Mentor::draw(&mut random, executives)).collect();
    let everybody: Vec<u32> = (0..).zip(&mentors).map(|(at, _)| at).collect();
    let mut shifts: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (at, mentor) in (0..).zip(&mentors) {
        if let Some(division) = mentor.shift_division() {
            shifts.entry(division).or_default().push(at);
        }
    }
    let capacities = mentors.iter().map(|_| 1 + random.below(3)).collect();
    let mut instance = Instance::new(capacities, false);
    for _ in 0..executives {
        let executive = Executive::draw(&mut random, executives);
        let known =
            if executive.works_shifts() { shifts.get(&executive.division()) } else { Some(&everybody) };
        let mut drawn: Vec<u32> = (0..CANDIDATES).filter_map(|_| random.one_of(known?)).collect();
        drawn.sort_unstable();
        drawn.dedup();
        drawn.retain(|&mentor| is_admissible(&executive, &mentors[mentor as usize]));
        let scored = |mentor: u32| (mentor, score(&executive, &mentors[mentor as usize], &mut random));
        instance.push(drawn.into_iter().map(scored));
    }
    instance
}

fn uniform(executives: u32, mut random: Random) -> Instance {
    let mentors = 3 * executives;
    let mut instance = Instance::new(vec![1; mentors as usize], true);
    for _ in 0..executives {
        let mut drawn = Vec::new();
        while drawn.len() < CANDIDATES.min(mentors) as usize {
            let mentor = random.below(mentors);
            if !drawn.contains(&mentor) {
                drawn.push(mentor);
            }
        }
        drawn.sort_unstable();
        instance.push(drawn.into_iter().map(|mentor| (mentor, uniform_score(&mut random))));
    }
    instance
}

fn square(executives: u32, mut random: Random) -> Instance {
    let mut instance = Instance::new(vec![1; executives as usize], true);
    for planted in random.permutation(executives) {
        let mut drawn: Vec<u32> = (1..CANDIDATES).map(|_| random.below(executives)).collect();
        drawn.push(planted);
        drawn.sort_unstable();
        drawn.dedup();
        instance.push(drawn.into_iter().map(|mentor| (mentor, uniform_score(&mut random))));
    }
    instance
}

fn dense_uniform(executives: u32, mut random: Random) -> Instance {
    let mentors = executives * 5 / 2;
    let mut instance = Instance::new(vec![1; mentors as usize], true);
    for _ in 0..executives {
        instance.push((0..mentors).map(|mentor| (mentor, uniform_score(&mut random))));
    }
    instance
}

fn dense_realistic(executives: u32, mut random: Random) -> Instance {
    let mentors: Vec<Mentor> =
        (0..executives * 5 / 2).map(|_| Mentor::draw(&mut random, executives)).collect();
    let mut instance = Instance::new(vec![1; mentors.len()], true);
    for _ in 0..executives {
        let executive = Executive::draw(&mut random, executives);
        instance.push((0..).zip(&mentors).map(|(at, mentor)| (at, score(&executive, mentor, &mut random))));
    }
    instance
}

fn uniform_score(random: &mut Random) -> u16 {
    u16::try_from(random.below(10_001)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Family; 5] =
        [Family::Realistic, Family::Uniform, Family::Square, Family::DenseUniform, Family::DenseRealistic];

    #[test]
    fn an_instance_read_is_the_one_written() {
        let path = std::env::temp_dir().join(format!("updraft-instance-{}", std::process::id()));
        for family in ALL {
            let instance = family.instance(60);
            instance.write(&path).unwrap();
            assert_eq!(Instance::read(&path).unwrap(), instance);
        }
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_row_names_existing_mentors_in_order_and_each_once() {
        for family in ALL {
            let instance = family.instance(200);
            for executive in 0..instance.executives() {
                let row = &instance.mentors[instance.pairs(executive)];
                assert!(row.is_sorted_by(|one, next| one < next), "{family}");
                assert!(row.iter().all(|&mentor| (mentor as usize) < instance.capacities.len()), "{family}");
            }
            assert!(instance.costs.iter().all(|cost| (1..=10_001).contains(cost)), "{family}");
        }
    }

    #[test]
    fn the_realistic_family_keeps_its_proportions() {
        let instance = Family::Realistic.instance(5_000);
        assert_eq!(instance.capacities.len(), 2_600);
        assert!((5_000..5_400).contains(&instance.places()), "{} places", instance.places());
        let pairs = instance.mentors.len() / instance.executives();
        assert!((46..=50).contains(&pairs), "{pairs} pairs each");
    }
}

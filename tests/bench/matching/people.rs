//! People as a company has them: topics, free hours, a place in the organisation; and how well two of them fit.
//!
//! Sixteen topics. An executive needs three different ones, weighing 3, 2 and 1, drawn in proportion to 60 / rank: most
//! want the same few. A mentor offers three to six different ones at a level of 1 to 4, drawn in proportion to
//! 20 + 60 / rank: supply follows demand only halfway, so good mentors for the first topics are scarce.
//!
//! The organisation is a tree: units of about forty executives with their mentors, but at least four, eight units a
//! division; everybody's unit is drawn uniformly. A week has twenty hours. An executive is free in each with 40 %, a mentor
//! in the first nineteen with 50 %. In the last hour only 3 % of the mentors are free; 3 % of the executives work shifts
//! and are free in that hour alone. So there are small groups in which too many depend on too few, as companies have.
//!
//! Hard rules: not the same unit, and at least one common hour. The score of a pair, 0 to 10,000:
//!
//! | points | for |
//! |---|---|
//! | 5,500 | topics: sum of weight × level, of at most 24 |
//! | 2,000 | common hours, full with four |
//! | 1,500 | another division; 700 for another unit of the same division |
//! | 1,000 | wishes, languages, load and what else counts: uniform |

use crate::random::Random;

const TOPICS: usize = 16;
const HOURS: u32 = 20;
const LAST_HOUR: u32 = 1 << (HOURS - 1);
const UNIT_EXECUTIVES: u32 = 40;
const UNITS_MIN: u32 = 4;
const DIVISION_UNITS: u32 = 8;

/// Somebody who needs a mentor.
#[derive(Clone, Debug)]
pub(crate) struct Executive {
    needs: [(usize, u16); 3],
    hours: u32,
    unit: u32,
}

/// Somebody who offers places.
#[derive(Clone, Debug)]
pub(crate) struct Mentor {
    levels: [u16; TOPICS],
    hours: u32,
    unit: u32,
}

impl Executive {
    pub(crate) fn draw(random: &mut Random, executives: u32) -> Self {
        let mut topics = Vec::new();
        while topics.len() < 3 {
            let topic = random.weighted(&popularity(0));
            if !topics.contains(&topic) {
                topics.push(topic);
            }
        }
        let hours = if random.chance(3) { LAST_HOUR } else { free_hours(random, HOURS, 40) };
        let needs = [(topics[0], 3), (topics[1], 2), (topics[2], 1)];
        Self { needs, hours, unit: unit(random, executives) }
    }

    pub(crate) fn works_shifts(&self) -> bool {
        self.hours == LAST_HOUR
    }

    pub(crate) fn division(&self) -> u32 {
        division(self.unit)
    }
}

impl Mentor {
    pub(crate) fn draw(random: &mut Random, executives: u32) -> Self {
        let mut levels = [0; TOPICS];
        let mut missing = 3 + random.below(4);
        while missing > 0 {
            let topic = random.weighted(&popularity(20));
            if levels[topic] == 0 {
                levels[topic] = 1 + u16::try_from(random.below(4)).unwrap_or_default();
                missing -= 1;
            }
        }
        let last = if random.chance(3) { LAST_HOUR } else { 0 };
        let hours = free_hours(random, HOURS - 1, 50) | last;
        Self { levels, hours, unit: unit(random, executives) }
    }

    /// The division, if free when shift workers are.
    pub(crate) fn shift_division(&self) -> Option<u32> {
        (self.hours & LAST_HOUR != 0).then(|| division(self.unit))
    }
}

/// Whether the hard rules let the two be a pair.
pub(crate) fn is_admissible(executive: &Executive, mentor: &Mentor) -> bool {
    executive.unit != mentor.unit && executive.hours & mentor.hours != 0
}

/// How well the two fit, 0 to 10,000.
pub(crate) fn score(executive: &Executive, mentor: &Mentor, random: &mut Random) -> u16 {
    let topics: u16 = executive.needs.iter().map(|&(topic, weight)| weight * mentor.levels[topic]).sum();
    let common = (executive.hours & mentor.hours).count_ones().min(4);
    let distance = match (executive.unit == mentor.unit, executive.division() == division(mentor.unit)) {
        (true, _) => 0,
        (false, true) => 700,
        (false, false) => 1_500,
    };
    let points = 5_500 * u32::from(topics) / 24 + 500 * common + distance + random.below(1_001);
    u16::try_from(points).unwrap_or(u16::MAX)
}

fn popularity(floor: u32) -> [u32; TOPICS] {
    let mut rank = 0;
    [(); TOPICS].map(|()| {
        rank += 1;
        floor + 60 / rank
    })
}

fn free_hours(random: &mut Random, hours: u32, percent: u32) -> u32 {
    (0..hours).fold(0, |free, hour| free | u32::from(random.chance(percent)) << hour)
}

fn unit(random: &mut Random, executives: u32) -> u32 {
    random.below(executives.div_ceil(UNIT_EXECUTIVES).max(UNITS_MIN))
}

fn division(unit: u32) -> u32 {
    unit / DIVISION_UNITS
}

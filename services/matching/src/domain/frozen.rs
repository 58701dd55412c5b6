//! What a run is computed from, frozen: the inputs, their digest, and the verdict on every pair.

use std::collections::BTreeMap;

use assignment::Progress;
use identity::PersonId;

use crate::domain::Pair;
use crate::domain::inputs::{Inputs, Participant};
use crate::domain::matrix::{Matrix, NoMatrix};
use crate::domain::pairing::{self, Points};
use crate::domain::scoring::Criterion;

/// What a run is computed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frozen {
    /// SHA-256 of the inputs as they are stored, hexadecimal.
    pub digest: String,
    /// The inputs.
    pub inputs: Inputs,
    /// The verdict on every pair of them.
    pub matrix: Matrix,
}

/// A place of a mentor, or all of them where they earn the same points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The mentor, by index.
    pub mentor: usize,
    /// The first place, counted from 0.
    pub place: u32,
    /// How many places.
    pub places: u32,
}

/// The places of all mentors, those of a mentor next to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seats {
    /// The places.
    pub seats: Vec<Seat>,
    /// Per mentor, where theirs begin.
    firsts: Vec<usize>,
}

impl Seats {
    /// The index of a mentor's place, if there is one.
    #[must_use]
    pub fn at(&self, mentor: usize, place: u32) -> Option<usize> {
        let first = *self.firsts.get(mentor)?;
        let is_apart = self.seats.get(first)?.places <= 1;
        let index = if is_apart { first + usize::try_from(place).ok()? } else { first };
        let seat = self.seats.get(index).filter(|seat| seat.mentor == mentor)?;
        (seat.place..seat.place + seat.places).contains(&place).then_some(index)
    }
}

impl Frozen {
    /// Judges every pair of the inputs.
    ///
    /// # Errors
    /// [`NoMatrix`].
    pub fn assess(digest: String, inputs: Inputs, progress: &Progress) -> Result<Self, NoMatrix> {
        let matrix = Matrix::assess(&inputs, progress)?;
        Ok(Self { digest, inputs, matrix })
    }

    /// The mentee at an index.
    #[must_use]
    pub fn mentee(&self, index: usize) -> PersonId {
        self.inputs.mentees[index].participant.standing.person
    }

    /// The mentor at an index.
    #[must_use]
    pub fn mentor(&self, index: usize) -> PersonId {
        self.inputs.mentors[index].participant.standing.person
    }

    /// The two at their indices.
    #[must_use]
    pub fn pair(&self, mentee: usize, mentor: usize) -> Pair {
        Pair { mentor: self.mentor(mentor), mentee: self.mentee(mentee) }
    }

    /// The points of an admissible pair at one of the mentor's places.
    #[must_use]
    pub fn points_at(&self, mentee: usize, seat: Seat) -> Option<Points> {
        let points = self.matrix.verdict(mentee, seat.mentor).ok()?;
        if seat.place == 0 {
            return Some(points);
        }
        let mentor = &self.inputs.mentors[seat.mentor];
        let load = pairing::load_points(&self.inputs.scoring, mentor, seat.place);
        Some(Points { by: points.by.with(Criterion::LoadBalance, load), ..points })
    }

    /// The places of the mentors.
    ///
    /// They are apart only where they earn different points: then the best answer fills the better ones first by itself.
    #[must_use]
    pub fn seats(&self) -> Seats {
        let balanced = self.inputs.scoring.rules.weights().of(Criterion::LoadBalance) > 0;
        let (mut seats, mut firsts) = (Vec::new(), Vec::with_capacity(self.inputs.mentors.len()));
        for (index, places) in self.inputs.mentors.iter().map(|mentor| mentor.places).enumerate() {
            firsts.push(seats.len());
            let (apart, each) = if balanced && places > 1 { (places, 1) } else { (1, places) };
            seats.extend((0..apart).map(|place| Seat { mentor: index, place, places: each }));
        }
        Seats { seats, firsts }
    }

    /// The indices of the mentees by person.
    #[must_use]
    pub fn mentees(&self) -> BTreeMap<PersonId, usize> {
        by_person(self.inputs.mentees.iter().map(|mentee| &mentee.participant))
    }

    /// The indices of the mentors by person.
    #[must_use]
    pub fn mentors(&self) -> BTreeMap<PersonId, usize> {
        by_person(self.inputs.mentors.iter().map(|mentor| &mentor.participant))
    }
}

fn by_person<'a>(people: impl Iterator<Item = &'a Participant>) -> BTreeMap<PersonId, usize> {
    people.enumerate().map(|(index, participant)| (participant.standing.person, index)).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    use crate::domain::inputs::tests::inputs;
    use crate::domain::scoring::{PerCriterion, Scoring, ScoringRules};

    pub(crate) fn frozen(inputs: Inputs) -> Frozen {
        Frozen::assess("digest".to_owned(), inputs, &Progress::default()).unwrap()
    }

    fn two_places() -> Inputs {
        let mut inputs = inputs();
        inputs.mentors[0].places = 2;
        inputs
    }

    #[test]
    fn places_are_apart_where_they_earn_different_points() {
        let frozen = frozen(two_places());
        let seats = frozen.seats();
        let expected =
            [(0, 0, 1), (0, 1, 1), (1, 0, 1)].map(|(mentor, place, places)| Seat { mentor, place, places });
        assert_eq!(seats.seats, expected);
        assert_eq!([seats.at(0, 0), seats.at(0, 1), seats.at(1, 0)], [Some(0), Some(1), Some(2)]);
        assert_eq!([seats.at(0, 2), seats.at(1, 1), seats.at(2, 0)], [None; 3]);
        let load = |seat| frozen.points_at(0, seat).unwrap().by.of(Criterion::LoadBalance);
        assert_eq!(seats.seats.iter().map(|seat| load(*seat)).collect::<Vec<_>>(), [500, 250, 500]);
    }

    #[test]
    fn places_are_one_seat_where_load_does_not_count() {
        let mut inputs = two_places();
        let weights = PerCriterion([10_000, 0, 0, 0, 0, 0, 0]);
        inputs.scoring = Scoring { version: 1, rules: ScoringRules::try_new(weights, &[]).unwrap() };
        let seats = frozen(inputs).seats();
        assert_eq!(seats.seats.len(), 2);
        assert_eq!([seats.at(0, 0), seats.at(0, 1), seats.at(0, 2)], [Some(0), Some(0), None]);
    }
}

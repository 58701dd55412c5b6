//! A market that is kept: solved once, repaired after every change.

use crate::cost::Cost;
use crate::floor;
use crate::market::{Market, NOBODY};
use crate::opening;
use crate::path::Search;
use crate::problem::{Invalid, Problem, SCORE_MAX};
use crate::progress::{Cancelled, Effort, Progress, Stage};
use crate::rows::Rows;
use crate::solve::{Certificate, Solution};
use crate::vacancy::Vacancy;
use crate::value::Value;

/// A problem that was validated and brought into the form the searches need, not solved yet.
#[derive(Clone, Debug)]
pub struct Instance(Market);

impl Instance {
    /// Validates a problem and sorts its pairs; takes time and memory linear in their number.
    ///
    /// # Errors
    ///
    /// [`Invalid`] if the problem contradicts itself; what it is and where.
    pub fn new(problem: &Problem) -> Result<Self, Invalid> {
        problem.validate()?;
        Ok(Self(Market::open(problem)))
    }

    /// Finds the best assignment.
    ///
    /// # Errors
    ///
    /// [`Cancelled`] if that was asked of the progress.
    pub fn solve(self, progress: &Progress) -> Result<Engine, Cancelled> {
        let mut engine = Engine::new(self.0);
        let left = opening::auction(&mut engine.market, progress, &mut engine.effort)?;
        engine.settle(&left, progress)?;
        Ok(engine)
    }
}

/// The best assignment of a problem, ready for changes and questions.
#[derive(Clone, Debug)]
pub struct Engine {
    market: Market,
    /// Per mentor, the executives of the admissible pairs; made when the first price has to fall.
    columns: Option<Rows>,
    search: Search,
    vacancy: Vacancy,
    effort: Effort,
    /// Whether the prices are the smallest.
    is_lowest: bool,
}

impl Engine {
    fn new(market: Market) -> Self {
        let mentors = market.mentors();
        Self {
            market,
            columns: None,
            search: Search::new(mentors),
            vacancy: Vacancy::new(mentors),
            effort: Effort::default(),
            is_lowest: false,
        }
    }

    /// What it took so far.
    #[must_use]
    pub fn effort(&self) -> Effort {
        self.effort
    }

    /// Makes an optimum of seats and prices at which nobody envies anybody.
    fn settle(&mut self, standing: &[u32], progress: &Progress) -> Result<(), Cancelled> {
        self.is_lowest = false;
        for (left, &executive) in standing.iter().enumerate().rev() {
            progress.report(Stage::Admission, left)?;
            self.search.admit(&mut self.market, executive, &mut self.effort);
        }
        let asked = |&mentor: &u32| self.is_asked(mentor);
        let vacancies: Vec<u32> = (0..).take(self.market.mentors()).filter(asked).collect();
        for (left, &mentor) in vacancies.iter().enumerate().rev() {
            progress.report(Stage::Vacancies, left)?;
            self.fill(mentor);
        }
        Ok(())
    }

    /// Whether a mentor has a free place that has a price.
    fn is_asked(&self, mentor: u32) -> bool {
        self.market.has_free_place(mentor as usize) && self.market.prices[mentor as usize] > Value::ZERO
    }

    /// Offers a mentor's free places until they are taken or cost nothing.
    fn fill(&mut self, mentor: u32) {
        while self.is_asked(mentor) {
            let columns =
                self.columns.get_or_insert_with(|| self.market.rows.transposed(self.market.mentors()));
            self.vacancy.fill(&mut self.market, columns, mentor, &mut self.effort);
        }
    }

    /// The best assignment with its proof; the smallest prices are found now, if they were not since the last change.
    ///
    /// # Errors
    ///
    /// [`Cancelled`] if that was asked of the progress; the engine is as it was.
    pub fn solution(&mut self, progress: &Progress) -> Result<Solution, Cancelled> {
        if !self.is_lowest {
            floor::lower(&mut self.market, progress, &mut self.effort)?;
            self.is_lowest = true;
        }
        let market = &self.market;
        let seats = || (0..market.executives()).map(|executive| market.seat_of(executive));
        let taken = || seats().filter(|seat| seat.mentor != NOBODY);
        Ok(Solution {
            assignment: seats().map(|seat| (seat.mentor != NOBODY).then_some(seat.mentor as usize)).collect(),
            score: taken().map(|seat| i64::from(SCORE_MAX) - i64::from(seat.loss)).sum(),
            certificate: Certificate {
                prices: market.prices.iter().copied().map(Cost::from).collect(),
                cost: (0..market.executives()).map(|executive| Cost::from(market.paid(executive))).sum(),
            },
        })
    }
}

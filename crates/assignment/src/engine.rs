//! A market that is kept: solved once, repaired after every change.

use crate::columns::Columns;
use crate::cost::Cost;
use crate::floor;
use crate::market::{Market, NOBODY};
use crate::opening;
use crate::path::Search;
use crate::prices::Prices;
use crate::problem::{Invalid, Problem, SCORE_MAX};
use crate::progress::{Cancelled, Effort, Progress, Stage};
use crate::solve::{Certificate, Solution};
use crate::vacancy::Vacancy;
use crate::value::Value;

/// A problem that was validated and brought into the form the searches need, not solved yet.
#[derive(Clone, Debug)]
pub struct Instance<'p>(pub(crate) Market<'p>);

impl<'p> Instance<'p> {
    /// Validates a problem and groups its pairs; takes time and memory linear in their number.
    ///
    /// # Errors
    ///
    /// [`Invalid`] if the problem contradicts itself; what it is and where.
    pub fn new(problem: &'p Problem) -> Result<Self, Invalid> {
        Market::open(problem).map(Self)
    }

    /// Finds the best assignment.
    ///
    /// # Errors
    ///
    /// [`Cancelled`] if that was asked of the progress.
    pub fn solve(self, progress: &Progress) -> Result<Engine<'p>, Cancelled> {
        let mut engine = Engine::new(self.0);
        let left = opening::auction(&mut engine.market, progress, &mut engine.effort)?;
        engine.settle(&left, progress)?;
        Ok(engine)
    }

    /// Finds the best assignment from an earlier one, of the same people but perhaps other pairs, places, locks and scores.
    ///
    /// Any prices are a valid beginning, and so are all pairs that are tight at them; the less has changed, the less is left
    /// to do. Prices that no problem of this size can have are taken as zero.
    ///
    /// # Errors
    ///
    /// [`Cancelled`] if that was asked of the progress.
    pub fn resume(self, earlier: &Solution, progress: &Progress) -> Result<Engine<'p>, Cancelled> {
        let mut engine = Engine::new(self.0);
        let market = &mut engine.market;
        for (mentor, &earlier) in (0..market.mentors()).zip(&earlier.certificate.prices) {
            market.prices.set(mentor, Value::of_price(earlier).unwrap_or_default());
        }
        let seats = (0_u32..).zip(&earlier.assignment).take(market.executives());
        for (executive, mentor) in seats {
            let (row, Some(mentor)) = (executive as usize, *mentor) else { continue };
            let Some((index, loss)) = market.rows.find(row, mentor) else { continue };
            let paid = market.measure.pair(row, mentor, loss) + market.prices[mentor];
            let stands = market.seat_of(row).mentor == NOBODY && market.has_free_place(mentor);
            if stands && paid == market.best_of_row(row).0 {
                market.seat(executive, index, loss);
            }
        }
        let standing = market.standing();
        engine.settle(&standing, progress)?;
        Ok(engine)
    }
}

/// The best assignment of a problem, ready for changes and questions.
#[derive(Clone, Debug)]
pub struct Engine<'p> {
    pub(crate) market: Market<'p>,
    /// Per mentor, the executives of the admissible pairs; made when the first price has to fall.
    pub(crate) columns: Option<Columns>,
    pub(crate) search: Search,
    vacancy: Vacancy,
    pub(crate) effort: Effort,
    /// The smallest prices, if they were found since the last change. The market keeps its own: from somewhere in the
    /// middle it is not far to where a change leads, up or down.
    pub(crate) lowest: Option<Prices>,
    /// Executives to be admitted by the repair that is due.
    pub(crate) standing: Vec<u32>,
    /// Mentors who may have a free place with a price since.
    pub(crate) touched: Vec<u32>,
}

impl<'p> Engine<'p> {
    fn new(market: Market<'p>) -> Self {
        Self {
            market,
            columns: None,
            search: Search::new(),
            vacancy: Vacancy::new(),
            effort: Effort::default(),
            lowest: None,
            standing: Vec::new(),
            touched: Vec::new(),
        }
    }

    /// What it took so far.
    #[must_use]
    pub fn effort(&self) -> Effort {
        self.effort
    }

    /// Makes an optimum of seats and prices at which nobody envies anybody.
    fn settle(&mut self, standing: &[u32], progress: &Progress) -> Result<(), Cancelled> {
        for (left, &executive) in standing.iter().enumerate().rev() {
            progress.report(Stage::Admission, left)?;
            self.search.admit(&mut self.market, executive, &mut self.effort);
        }
        let vacancies = (0..).take(self.market.mentors()).filter(|&mentor| self.is_asked(mentor));
        let vacancies: Vec<u32> = vacancies.collect();
        if vacancies.is_empty() {
            return Ok(());
        }
        let columns = self.columns_within_reach();
        for (left, &mentor) in vacancies.iter().enumerate().rev() {
            progress.report(Stage::Vacancies, left)?;
            self.fill(mentor, &columns);
        }
        Ok(())
    }

    /// The pairs that can matter while prices only fall: whatever would be too dear for free now will be then.
    fn columns_within_reach(&mut self) -> Columns {
        self.market.find_ceilings();
        let (executives, mentors) = (self.market.executives(), self.market.mentors());
        let market = &mut self.market;
        let length = |executive| {
            let least = market.least(executive);
            let within = |&(_, loss): &(u32, u16)| market.measure.at_least(loss) < least;
            u32::try_from(market.rows.scan(executive).take_while(within).count()).unwrap_or(u32::MAX)
        };
        let lengths: Vec<u32> = (0..executives).map(length).collect();
        Columns::of_best(&self.market.rows, mentors, &lengths)
    }

    /// All pairs by mentor; made when the first change needs them.
    pub(crate) fn take_columns(&mut self) -> Columns {
        self.market.find_ceilings();
        let market = &self.market;
        let all = || Columns::of(&market.rows, market.executives(), market.mentors());
        self.columns.take().unwrap_or_else(all)
    }

    /// Whether a mentor has a free place that has a price.
    pub(crate) fn is_asked(&self, mentor: u32) -> bool {
        self.market.has_free_place(mentor as usize) && self.market.prices[mentor as usize] > Value::ZERO
    }

    /// Offers a mentor's free places until they are taken or cost nothing.
    pub(crate) fn fill(&mut self, mentor: u32, columns: &Columns) {
        while self.is_asked(mentor) {
            self.vacancy.fill(&mut self.market, columns, mentor, &mut self.effort);
        }
    }

    /// The best assignment: per executive the mentor, if there is one.
    #[must_use]
    pub fn assignment(&self) -> Vec<Option<usize>> {
        let seats = (0..self.market.executives()).map(|executive| self.market.seat_of(executive));
        seats.map(|seat| (seat.mentor != NOBODY).then_some(seat.mentor as usize)).collect()
    }

    /// The best assignment with its proof; the smallest prices are found now, if they were not since the last change.
    ///
    /// # Errors
    ///
    /// [`Cancelled`] if that was asked of the progress; the engine is as it was.
    pub fn solution(&mut self, progress: &Progress) -> Result<Solution, Cancelled> {
        self.find_lowest(progress)?;
        let (market, prices) = (&self.market, self.known_lowest().iter());
        let seats = (0..market.executives()).map(|executive| market.seat_of(executive));
        let taken = seats.filter(|seat| seat.mentor != NOBODY);
        Ok(Solution {
            assignment: self.assignment(),
            score: taken.map(|seat| i64::from(SCORE_MAX) - i64::from(seat.loss)).sum(),
            certificate: Certificate {
                prices: prices.map(Cost::from).collect(),
                cost: (0..market.executives()).map(|executive| Cost::from(market.paid(executive))).sum(),
            },
        })
    }

    /// Finds the smallest prices that prove the optimum, if they were not since the last change.
    pub(crate) fn find_lowest(&mut self, progress: &Progress) -> Result<(), Cancelled> {
        if self.lowest.is_none() {
            self.lowest = Some(floor::lowest(&mut self.market, progress, &mut self.effort)?);
        }
        Ok(())
    }

    /// Asks at the smallest prices, which have been found.
    pub(crate) fn at_lowest<T>(
        &mut self,
        ask: impl FnOnce(&mut Search, &mut Market<'p>, &mut Effort) -> T,
    ) -> T {
        let Self { market, search, effort, lowest, .. } = self;
        let Some(lowest) = lowest else { return ask(search, market, effort) };
        std::mem::swap(lowest, &mut market.prices);
        let answer = ask(search, market, effort);
        std::mem::swap(lowest, &mut market.prices);
        answer
    }

    /// The smallest prices, if they are known; any that prove the optimum otherwise.
    pub(crate) fn known_lowest(&self) -> &Prices {
        self.lowest.as_ref().unwrap_or(&self.market.prices)
    }

    /// Whether no pair of this loss or a greater one can be better for an executive than what they have.
    pub(crate) fn is_out_of_reach(&self, executive: usize, loss: u16) -> bool {
        self.market.measure.at_least(loss) >= self.market.least_at(executive, self.known_lowest())
    }
}

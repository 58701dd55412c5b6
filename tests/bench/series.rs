//! What the rounds have measured, and how it is printed.

use std::time::Duration;

/// One number of every round.
#[derive(Clone, Debug, Default)]
pub struct Series(Vec<f64>);

impl Series {
    /// Takes a number in.
    pub fn push(&mut self, sample: f64) {
        self.0.push(sample);
    }

    /// In milliseconds.
    pub fn push_time(&mut self, sample: Duration) {
        self.push(sample.as_secs_f64() * 1000.0);
    }

    /// The one in the middle; not a number of none.
    #[must_use]
    pub fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// The largest; not a number of none.
    #[must_use]
    pub fn max(&self) -> f64 {
        self.0.iter().copied().fold(f64::NAN, f64::max)
    }

    /// The smallest; not a number of none.
    #[must_use]
    pub fn min(&self) -> f64 {
        self.0.iter().copied().fold(f64::NAN, f64::min)
    }

    /// The ratio of every round to the same round of another series.
    #[must_use]
    pub fn to(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(one, other)| one / other).collect())
    }

    /// The larger of every round.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(one, other)| one.max(*other)).collect())
    }
}

/// What is to be reached.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// So much or more.
    AtLeast(f64),
    /// So much or less.
    AtMost(f64),
}

impl Target {
    /// How the table says it.
    fn verdict(self, reached: f64) -> String {
        let (sign, bound, holds) = match self {
            Self::AtLeast(bound) => ("≥", bound, reached >= bound),
            Self::AtMost(bound) => ("≤", bound, reached <= bound),
        };
        format!("{sign} {bound:<5} {}", if holds { "reached" } else { "NOT REACHED" })
    }
}

/// The heading of the table.
pub fn heading(title: &str) {
    println!("\n{title:<58} {:>10} {:>10}  {:>7}  target", "median", "best", "ratio");
}

/// A row of rates or the like, of which more is better.
pub fn row(work: &str, series: &Series, ratio: Option<&Series>, target: Option<Target>) {
    line(work, series.median(), series.max(), ratio.map(Series::median), target);
}

/// A row of times in milliseconds, of which less is better.
pub fn row_of_times(work: &str, series: &Series, ratio: Option<&Series>, target: Option<Target>) {
    line(work, series.median(), series.min(), ratio.map(Series::median), target);
}

/// The heading of a table that shows the worst round instead of the best.
pub fn heading_of_delays(title: &str) {
    println!("\n{title:<58} {:>10} {:>10}  {:>7}  target", "median", "worst", "");
}

/// A row of such a table; one of the two numbers has a target.
pub fn row_of_delays(work: &str, series: &Series, target: Option<(f64, Target)>) {
    let verdict = target.map(|(reached, target)| target.verdict(reached)).unwrap_or_default();
    println!("{work:<58} {:>10.2} {:>10.2}  {:>7}  {verdict}", series.median(), series.max(), "");
}

fn line(work: &str, median: f64, best: f64, ratio: Option<f64>, target: Option<Target>) {
    let decimals = if median < 100.0 { 2 } else { 0 };
    let said = ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
    let verdict = target.zip(ratio).map(|(target, ratio)| target.verdict(ratio)).unwrap_or_default();
    println!("{work:<58} {median:>10.decimals$} {best:>10.decimals$}  {said:>7}  {verdict}");
}

//! How time and memory grow with the number of executives: an SVG of two panels, both axes logarithmic.

use bench_matching::Family;

use crate::program::Heat;
use crate::race::{CONTESTANTS, Contestant};

const PANEL_WIDTH: f64 = 440.0;
const PANEL_HEIGHT: f64 = 400.0;
const MARGIN: f64 = 60.0;
const GRID: &str = "stroke=\"#dddddd\"";
const LEGEND_WIDTH: f64 = 110.0;
/// Ours first; most of them can be told apart by people who do not see red and green.
const COLOURS: [&str; 12] = [
    "#d55e00", "#0072b2", "#009e73", "#7fbc41", "#cc79a7", "#e69f00", "#8c6d31", "#bd9e39", "#444444",
    "#777777", "#999999", "#bbbbbb",
];

/// A logarithmic axis over whole powers of ten: the exponents at both ends, and the length in pixels.
#[derive(Clone, Copy, Debug)]
struct Axis {
    from: i32,
    to: i32,
    length: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64>, length: f64) -> Self {
        let (mut from, mut to) = (i32::MAX, i32::MIN);
        for value in values {
            let exponent = exponent_of(value);
            (from, to) = (from.min(exponent), to.max(exponent + 1));
        }
        if from < to { Self { from, to, length } } else { Self { from: 0, to: 1, length } }
    }

    fn at(self, value: f64) -> f64 {
        (value.log10() - f64::from(self.from)) / f64::from(self.to - self.from) * self.length
    }

    fn marks(self) -> impl Iterator<Item = (f64, String)> {
        (self.from..=self.to).map(move |exponent| {
            let value = 10_f64.powi(exponent);
            let decimals = usize::try_from(-exponent).unwrap_or(0);
            (self.at(value), format!("{value:.decimals$}"))
        })
    }
}

/// The whole power of ten at or below a positive number.
fn exponent_of(value: f64) -> i32 {
    (-9..9).rev().find(|&exponent| 10_f64.powi(exponent) <= value).unwrap_or(-9)
}

/// The line of one contestant: executives, and a number.
#[derive(Debug)]
struct Line {
    at: usize,
    points: Vec<(f64, f64)>,
}

/// Draws the family R; a contestant needs two instances to make a line.
pub(crate) fn growth(heats: &[Heat]) -> String {
    let heats: Vec<&Heat> = heats.iter().filter(|heat| heat.family == Family::Realistic).collect();
    let (width, height) = (2.0 * (PANEL_WIDTH + MARGIN) + LEGEND_WIDTH + MARGIN, PANEL_HEIGHT + 2.0 * MARGIN);
    let head = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    let times = lines(&heats, "solve_s", 1.0);
    let memories = lines(&heats, "memory_kb", 1.0 / 1_024.0);
    let elements = [
        panel(MARGIN, "solve, processor seconds, by executives", &times),
        panel(2.0 * MARGIN + PANEL_WIDTH, "memory, MB, by executives", &memories),
        legend(&times, 2.0 * (PANEL_WIDTH + MARGIN) + 20.0),
    ];
    format!("{head}{}\n</svg>\n", elements.concat().join("\n"))
}

fn lines(heats: &[&Heat], number: &str, unit: f64) -> Vec<Line> {
    let line = |(at, contestant): (usize, &Contestant)| {
        let point = |heat: &&Heat| {
            let entry = heat.entries.iter().find(|entry| entry.contestant.name == contestant.name)?;
            let value = entry.median(number) * unit;
            (heat.is_optimal(entry) && value > 0.0).then_some((f64::from(heat.executives), value))
        };
        Line { at, points: heats.iter().filter_map(point).collect() }
    };
    CONTESTANTS.iter().enumerate().map(line).filter(|line| line.points.len() > 1).collect()
}

fn panel(left: f64, title: &str, lines: &[Line]) -> Vec<String> {
    let all = || lines.iter().flat_map(|line| &line.points);
    let across = Axis::over(all().map(|point| point.0), PANEL_WIDTH);
    let up = Axis::over(all().map(|point| point.1), PANEL_HEIGHT);
    let (right, bottom) = (left + PANEL_WIDTH, MARGIN + PANEL_HEIGHT);
    let columns = across.marks().flat_map(|(x, mark)| {
        let x = left + x;
        [segment((x, MARGIN), (x, bottom), GRID), text((x, bottom + 18.0), "middle", &mark)]
    });
    let rows = up.marks().flat_map(|(y, mark)| {
        let y = bottom - y;
        [segment((left, y), (right, y), GRID), text((left - 6.0, y + 4.0), "end", &mark)]
    });
    // Ours is drawn last, above all others.
    let curves = lines.iter().rev().map(|line| {
        let place = |&(x, y): &(f64, f64)| format!("{:.1},{:.1}", left + across.at(x), bottom - up.at(y));
        let places: Vec<String> = line.points.iter().map(place).collect();
        format!("<polyline fill=\"none\" {} points=\"{}\"/>", stroke(line), places.join(" "))
    });
    let title = text((left, MARGIN - 20.0), "start", title);
    [title].into_iter().chain(columns).chain(rows).chain(curves).collect()
}

fn legend(lines: &[Line], left: f64) -> Vec<String> {
    let entry = |(row, line): (u32, &Line)| {
        let y = MARGIN + 20.0 * f64::from(row);
        let name = text((left + 30.0, y + 4.0), "start", CONTESTANTS[line.at].name);
        [segment((left, y), (left + 24.0, y), &stroke(line)), name]
    };
    (0..).zip(lines).flat_map(entry).collect()
}

fn segment(from: (f64, f64), to: (f64, f64), stroke: &str) -> String {
    let (x1, y1, x2, y2) = (from.0, from.1, to.0, to.1);
    format!("<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" {stroke}/>")
}

fn text((x, y): (f64, f64), anchor: &str, words: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>")
}

fn stroke(line: &Line) -> String {
    let width = if line.at == 0 { 3.5 } else { 1.5 };
    format!("stroke=\"{}\" stroke-width=\"{width}\"", COLOURS[line.at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_spans_its_values_in_whole_powers_of_ten() {
        let axis = Axis::over([0.02, 300.0].into_iter(), 100.0);
        let marks: Vec<_> = axis.marks().map(|(_, text)| text).collect();
        assert_eq!(marks, ["0.01", "0.1", "1", "10", "100", "1000"]);
        assert!((axis.at(1.0) - 40.0).abs() < 1e-9);
    }
}

//! One solver of crates.io on one instance: crates SOLVER INSTANCE ANSWER.
//!
//! Mentors become as many columns as they have places. A dense matrix has the penalty wherever there is no pair; the
//! auctions for sparse matrices leave people out by themselves.

use std::path::Path;

use anyhow::bail;
use bench_matching::{Gauge, Instance, write_answer};
use pathfinding::matrix::Matrix;
use sparse_linear_assignment::{AuctionSolution, AuctionSolver, ForwardAuctionSolver, KhoslaSolver};

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().collect();
    let [_, solver, instance, answer] = words.as_slice() else { bail!("crates SOLVER INSTANCE ANSWER") };
    let (instance, answer) = (Path::new(instance), Path::new(answer));
    let mut gauge = Gauge::start()?;
    let read = Instance::read(instance)?;
    gauge.lap("load_s");
    let columns = match solver.as_str() {
        "khosla" => auction::<KhoslaSolver<u32>>(read, &mut gauge)?,
        "forward" => auction::<ForwardAuctionSolver<u32>>(read, &mut gauge)?,
        "lapjv" => lapjv(read, &mut gauge)?,
        "pathfinding" => pathfinding(read, &mut gauge)?,
        _ => bail!("no solver is called {solver}"),
    };
    gauge.memory()?;
    let mentors = mentors(&Instance::read(instance)?, &columns);
    gauge.print();
    Ok(write_answer(answer, mentors)?)
}

/// The first column of each mentor, and one more for the end.
fn first_columns(instance: &Instance) -> Vec<u32> {
    let mut columns = vec![0];
    columns.extend(instance.capacities.iter().scan(0, |end, capacity| {
        *end += capacity;
        Some(*end)
    }));
    columns
}

fn auction<S: AuctionSolver<u32, S>>(instance: Instance, gauge: &mut Gauge) -> anyhow::Result<Vec<usize>> {
    let first = first_columns(&instance);
    let (places, executives) = (first[first.len() - 1], instance.executives());
    // Rows without any pair are refused, and so are fewer columns than rows.
    let with_pairs: Vec<usize> =
        (0..executives).filter(|&executive| !instance.pairs(executive).is_empty()).collect();
    let (mut solver, mut solution): (S, AuctionSolution<u32>) = S::new(0, 0, 0);
    let rows = u32::try_from(with_pairs.len())?;
    solver.init(rows, places.max(rows))?;
    for (row, &executive) in (0..).zip(&with_pairs) {
        let (mut columns, mut costs) = (Vec::new(), Vec::new());
        for pair in instance.pairs(executive) {
            let mentor = instance.mentors[pair] as usize;
            columns.extend(first[mentor]..first[mentor + 1]);
            costs.resize(columns.len(), f64::from(instance.costs[pair]));
        }
        solver.extend_from_values(row, &columns, &costs)?;
    }
    drop(instance);
    gauge.lap("build_s");
    gauge.repeat("solve_s", || solver.solve(&mut solution, false, None))?;
    let mut taken = vec![usize::MAX; executives];
    for (executive, column) in with_pairs.into_iter().zip(solution.person_to_object) {
        taken[executive] = column as usize;
    }
    Ok(taken)
}

/// Calls back with every cell that is a pair: row, column, cost.
fn each_cell(instance: &Instance, first: &[u32], mut visit: impl FnMut(usize, usize, u16)) {
    for executive in 0..instance.executives() {
        for pair in instance.pairs(executive) {
            let mentor = instance.mentors[pair] as usize;
            for column in first[mentor]..first[mentor + 1] {
                visit(executive, column as usize, instance.costs[pair]);
            }
        }
    }
}

/// The matrix has to be square: further rows cost nothing.
fn lapjv(instance: Instance, gauge: &mut Gauge) -> anyhow::Result<Vec<usize>> {
    let first = first_columns(&instance);
    let executives = instance.executives();
    let size = executives.max(first[first.len() - 1] as usize);
    let mut costs = lapjv::Matrix::zeros((size, size));
    costs.rows_mut().into_iter().take(executives).for_each(|mut row| row.fill(f64::from(instance.penalty)));
    each_cell(&instance, &first, |row, column, cost| costs[(row, column)] = f64::from(cost));
    drop(instance);
    gauge.lap("build_s");
    let (columns, _) = gauge.repeat("solve_s", || lapjv::lapjv(&costs))?;
    Ok(columns.into_iter().take(executives).collect())
}

fn pathfinding(instance: Instance, gauge: &mut Gauge) -> anyhow::Result<Vec<usize>> {
    let first = first_columns(&instance);
    let executives = instance.executives();
    let size = executives.max(first[first.len() - 1] as usize);
    let mut costs = Matrix::new(executives, size, i64::from(instance.penalty));
    each_cell(&instance, &first, |row, column, cost| costs[(row, column)] = i64::from(cost));
    drop(instance);
    gauge.lap("build_s");
    Ok(gauge.repeat("solve_s", || pathfinding::kuhn_munkres::kuhn_munkres_min(&costs)).1)
}

/// The mentors of the columns; none for a column that is nobody's place or no pair.
fn mentors(instance: &Instance, columns: &[usize]) -> Vec<Option<usize>> {
    let first = first_columns(instance);
    let places = first[first.len() - 1] as usize;
    let mentor_of = |(executive, &column): (usize, &usize)| {
        let mentor = first.partition_point(|&start| start as usize <= column) - 1;
        let row = &instance.mentors[instance.pairs(executive)];
        let is_pair = column < places && row.binary_search_by(|&other| (other as usize).cmp(&mentor)).is_ok();
        is_pair.then_some(mentor)
    };
    columns.iter().enumerate().map(mentor_of).collect()
}

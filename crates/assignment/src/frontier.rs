//! Repairs that disturb few: a place for one executive with 0, 1, 2 … other tandems moved.

use std::collections::BTreeMap;

use crate::change::Refused;
use crate::cost::Cost;
use crate::engine::Instance;
use crate::market::Market;
use crate::value::Value;

/// One way to find a mentor for somebody who has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// Who goes to whom (executive, mentor): the one without a mentor first, then whoever makes room for the one before.
    pub moves: Vec<(usize, usize)>,
    /// What the new pairs cost less what the old pairs of those who move did.
    pub cost: Cost,
}

impl Repair {
    /// How many other tandems are moved.
    #[must_use]
    pub fn moved(&self) -> usize {
        self.moves.len().saturating_sub(1)
    }
}

/// Per mentor, the cheapest chain of a certain number of moves that brings one executive too many there.
type Layer = BTreeMap<u32, Chain>;

#[derive(Clone, Copy)]
struct Chain {
    cost: Value,
    /// The last to move, and the mentor left, if any.
    executive: u32,
    from: Option<u32>,
}

impl Instance<'_> {
    /// The cheapest repairs for an executive without a mentor, each with more moves and a lower cost than the one before;
    /// empty if `most` other moves do not suffice.
    ///
    /// The assignment need not be the best one, so this works on tandems that meet already: nobody is moved but in a chain
    /// in which each makes room for the one before. Layer *r* holds the cheapest chain of *r* moves to each mentor, as in
    /// the algorithm of Bellman and Ford; a chain that would move somebody twice is left out. That finds the cheapest chain
    /// of up to two other moves from any assignment, and of any number if no exchange among those who sit would improve it,
    /// as it is after a dissolved pair. Takes time proportional to the pairs of those who sit with a mentor reached.
    ///
    /// # Errors
    ///
    /// [`Refused`] if the executive has a mentor, or the assignment names somebody who does not exist or a pair that is not
    /// admissible.
    ///
    /// # Source
    ///
    /// R. Bellman, On a routing problem, Quarterly of Applied Mathematics 16 (1958) 87–90.
    pub fn frontier(
        &self,
        assignment: &[Option<usize>],
        executive: usize,
        most: usize,
    ) -> Result<Vec<Repair>, Refused> {
        let market = &self.0;
        let seated = seated(market, assignment)?;
        let index = match assignment.get(executive) {
            Some(None) => u32::try_from(executive).map_err(|_| Refused::Nobody)?,
            Some(Some(_)) => return Err(Refused::Seated { executive }),
            None => return Err(Refused::Nobody),
        };
        let mut layers = vec![Layer::new()];
        extend(market, index, None, Value::ZERO, &mut layers[0]);
        let mut repairs: Vec<(Value, Repair)> = Vec::new();
        for moved in 0..=most {
            let is_free = |mentor: &u32| {
                let mentor = *mentor as usize;
                seated[mentor].len() < (market.places(mentor) + market.locked(mentor)) as usize
            };
            let ends = layers[moved].iter().filter(|(mentor, _)| is_free(mentor));
            if let Some((&mentor, chain)) = ends.min_by_key(|(_, chain)| chain.cost)
                && repairs.last().is_none_or(|(cost, _)| chain.cost < *cost)
            {
                let moves = moves(&layers, moved, mentor);
                repairs.push((chain.cost, Repair { moves, cost: chain.cost.into() }));
            }
            let next = next(market, &seated, &layers);
            layers.push(next);
        }
        Ok(repairs.into_iter().map(|(_, repair)| repair).collect())
    }
}

/// Per mentor, who sits there, with what the pair costs.
fn seated(market: &Market<'_>, assignment: &[Option<usize>]) -> Result<Vec<Vec<(u32, Value)>>, Refused> {
    if assignment.len() != market.executives() {
        return Err(Refused::Nobody);
    }
    let mut seated = vec![Vec::new(); market.mentors()];
    for (index, (executive, mentor)) in (0_u32..).zip(assignment.iter().enumerate()) {
        if let &Some(mentor) = mentor {
            let pair = market.rows.find(executive, mentor);
            let (_, loss) = pair.ok_or(Refused::NoPair { executive, mentor })?;
            seated[mentor].push((index, market.measure.pair(executive, mentor, loss)));
        }
    }
    Ok(seated)
}

/// The chains with one move more than those of the last layer.
fn next(market: &Market<'_>, seated: &[Vec<(u32, Value)>], layers: &[Layer]) -> Layer {
    let mut next = Layer::new();
    let Some(last) = layers.last() else { return next };
    for (&mentor, chain) in last {
        let movers = moves(layers, layers.len() - 1, mentor);
        for &(executive, paid) in &seated[mentor as usize] {
            let is_locked = market.seat_of(executive as usize).locked;
            if !is_locked && movers.iter().all(|mover| mover.0 != executive as usize) {
                extend(market, executive, Some(mentor), chain.cost - paid, &mut next);
            }
        }
    }
    next
}

/// Adds the moves of one executive away from a mentor to a layer.
fn extend(market: &Market<'_>, executive: u32, from: Option<u32>, cost: Value, layer: &mut Layer) {
    for (mentor, loss) in market.rows.row(executive as usize) {
        if Some(mentor) == from {
            continue;
        }
        let cost = cost + market.measure.pair(executive as usize, mentor as usize, loss);
        let chain = Chain { cost, executive, from };
        layer
            .entry(mentor)
            .and_modify(|known| {
                if cost < known.cost {
                    *known = chain;
                }
            })
            .or_insert(chain);
    }
}

/// The moves of the chain of one layer that ends at this mentor, the first one first.
fn moves(layers: &[Layer], last: usize, mentor: u32) -> Vec<(usize, usize)> {
    let mut moves = Vec::with_capacity(last + 1);
    let mut end = Some(mentor);
    for layer in layers[..=last].iter().rev() {
        let Some((mentor, chain)) = end.and_then(|mentor| Some((mentor, layer.get(&mentor)?))) else { break };
        moves.push((chain.executive as usize, mentor as usize));
        end = chain.from;
    }
    moves.reverse();
    moves
}

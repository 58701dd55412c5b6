//! What every mentor asks for.

use std::ops::Index;

use crate::value::Value;

/// Per mentor, a price ≥ 0; beside it no more than its points, which take an eighth of the memory and mostly decide alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prices {
    exact: Vec<Value>,
    points: Vec<i32>,
}

impl Prices {
    /// So many prices of nothing.
    pub(crate) fn zero(count: usize) -> Self {
        Self { exact: vec![Value::ZERO; count], points: vec![0; count] }
    }

    /// No more than the points of a price: what costs as many with them, costs as many with the price.
    #[inline]
    pub(crate) fn points(&self, mentor: usize) -> i32 {
        self.points[mentor]
    }

    #[inline]
    pub(crate) fn set(&mut self, mentor: usize, price: Value) {
        self.exact[mentor] = price;
        self.points[mentor] = price.points_at_most();
    }

    pub(crate) fn len(&self) -> usize {
        self.exact.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Value> + '_ {
        self.exact.iter().copied()
    }
}

impl From<Vec<Value>> for Prices {
    fn from(exact: Vec<Value>) -> Self {
        let points = exact.iter().copied().map(Value::points_at_most).collect();
        Self { exact, points }
    }
}

impl Index<usize> for Prices {
    type Output = Value;

    #[inline]
    fn index(&self, mentor: usize) -> &Value {
        &self.exact[mentor]
    }
}

//! Numbers that look random and are the same everywhere.

/// A stream of numbers that its seed determines.
///
/// # Source
///
/// `SplitMix64`: G. L. Steele, D. Lea, C. H. Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The stream of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        for (shift, factor) in [(30, 0xbf58_476d_1ce4_e5b9), (27, 0x94d0_49bb_1331_11eb)] {
            bits = (bits ^ (bits >> shift)).wrapping_mul(factor);
        }
        bits ^ (bits >> 31)
    }

    /// Uniform in 0 to `limit` − 1; 0 if the limit is 0. The bias is below `limit` / 2³².
    pub fn below(&mut self, limit: u32) -> u32 {
        let scaled = (self.next() >> 32) * u64::from(limit);
        u32::try_from(scaled >> 32).unwrap_or_default()
    }

    /// True with this probability.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// An index below a length; 0 if that is 0.
    pub fn index(&mut self, length: usize) -> usize {
        self.below(u32::try_from(length).unwrap_or(u32::MAX)) as usize
    }

    /// One of these, if there are any.
    pub fn one_of(&mut self, items: &[u32]) -> Option<u32> {
        items.get(self.index(items.len())).copied()
    }

    /// An index, drawn in proportion to the weights; 0 if all of them are 0.
    pub fn weighted(&mut self, weights: &[u32]) -> usize {
        let mut rest = self.below(weights.iter().sum());
        let passed = |&&weight: &&u32| {
            let passes = rest >= weight;
            rest = rest.saturating_sub(weight);
            passes
        };
        weights.iter().take_while(passed).count() % weights.len().max(1)
    }

    /// A permutation of 0 to `count` − 1, all equally probable.
    ///
    /// # Source
    ///
    /// R. Durstenfeld, Algorithm 235: Random permutation, Comm. ACM 7 (1964) 420.
    pub fn permutation(&mut self, count: u32) -> Vec<u32> {
        let mut order: Vec<u32> = (0..count).collect();
        for last in (1..count).rev() {
            order.swap(last as usize, self.below(last + 1) as usize);
        }
        order
    }
}

//! What a search knows of the mentors it has reached, mostly few of many.

/// Labels by mentor, close together in the memory; to forget them takes as long as there are labels.
#[derive(Clone, Debug)]
pub(crate) struct Labels<T> {
    /// Per mentor, one more than the index of the label; 0 without one. Empty until the first search.
    places: Vec<u32>,
    labels: Vec<(u32, T)>,
}

impl<T: Copy> Labels<T> {
    pub(crate) fn new() -> Self {
        Self { places: Vec::new(), labels: Vec::new() }
    }

    /// Forgets all labels; there are so many mentors.
    pub(crate) fn begin(&mut self, mentors: usize) {
        for (mentor, _) in self.labels.drain(..) {
            self.places[mentor as usize] = 0;
        }
        self.places.resize(mentors, 0);
    }

    #[inline]
    pub(crate) fn get(&self, mentor: u32) -> Option<T> {
        let place = (self.places[mentor as usize] as usize).checked_sub(1)?;
        self.labels.get(place).map(|label| label.1)
    }

    #[inline]
    pub(crate) fn set(&mut self, mentor: u32, label: T) {
        let place = &mut self.places[mentor as usize];
        if let Some(known) = (*place as usize).checked_sub(1).and_then(|place| self.labels.get_mut(place)) {
            known.1 = label;
            return;
        }
        self.labels.push((mentor, label));
        *place = u32::try_from(self.labels.len()).unwrap_or_default();
    }

    /// All mentors reached.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, T)> + '_ {
        self.labels.iter().copied()
    }
}

//! The end of the log as this process has read it, once for all of its followers.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use crate::Recorded;
use crate::checkpoint::Share;

/// The most events that are read at once near the end of the log.
pub(crate) const PAGE: u16 = 1000;

/// How many events are kept for followers that are a little behind; who is further back reads for itself.
const EVENTS_KEPT: usize = 4000;

/// The pages read last, in order and without a gap.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    pages: VecDeque<Arc<[Recorded]>>,
    /// The position behind which the first of them begins.
    after: i64,
    /// The position of the last event.
    reached: i64,
}

impl Tail {
    /// An empty tail behind a position.
    pub(crate) fn at(position: i64) -> Self {
        Self { pages: VecDeque::new(), after: position, reached: position }
    }

    /// The position of the last event that followers may be given.
    pub(crate) fn reached(&self) -> i64 {
        self.reached
    }

    /// Whether what follows on a position is kept.
    pub(crate) fn keeps(&self, position: i64) -> bool {
        position >= self.after
    }

    /// Adds the events that follow on what has been reached.
    pub(crate) fn add(&mut self, page: Vec<Recorded>) {
        let Some(last) = page.last() else { return };
        self.reached = last.position;
        self.pages.push_back(page.into());
        let mut kept: usize = self.pages.iter().map(|page| page.len()).sum();
        while kept > EVENTS_KEPT
            && let Some(oldest) = self.pages.pop_front()
        {
            kept -= oldest.len();
            self.after = oldest.last().map_or(self.after, |last| last.position);
        }
    }

    /// The events beyond a position, at most so many; none if they are no longer kept.
    ///
    /// Who stands right behind the newest page shares it with the others.
    pub(crate) fn beyond(&self, position: i64, limit: usize) -> Option<Page> {
        if !self.keeps(position) || position >= self.reached {
            return None;
        }
        let first =
            self.pages.partition_point(|page| page.last().is_some_and(|last| last.position <= position));
        let events = if first + 1 == self.pages.len() {
            Arc::clone(&self.pages[first])
        } else {
            let later = self.pages.range(first..).flat_map(|page| page.iter());
            later.skip_while(|event| event.position <= position).take(limit).cloned().collect()
        };
        let start = events.partition_point(|event| event.position <= position);
        let (range, up_to) = (start..events.len(), events.last().map_or(position, |last| last.position));
        Some(Page { events, range, up_to }.cut(limit))
    }
}

/// Events in a row, as far as the last one or further.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    events: Arc<[Recorded]>,
    range: Range<usize>,
    /// Up to here there are no other events.
    pub(crate) up_to: i64,
}

impl Page {
    /// All events up to a position.
    pub(crate) fn new(events: Vec<Recorded>, up_to: i64) -> Self {
        Self { range: 0..events.len(), events: events.into(), up_to }
    }

    pub(crate) fn events(&self) -> &[Recorded] {
        &self.events[self.range.clone()]
    }

    /// The page without what lies beyond a position.
    pub(crate) fn until(mut self, position: i64) -> Self {
        if position < self.up_to {
            let events = self.events().partition_point(|event| event.position <= position);
            self.range.end = self.range.start + events;
            self.up_to = position;
        }
        self
    }

    /// The page without the events of other lanes.
    pub(crate) fn only(self, share: Share) -> Self {
        if share.is_all() {
            return self;
        }
        let own = self.events().iter().filter(|event| share.includes(&event.stream)).cloned();
        Self::new(own.collect(), self.up_to)
    }

    /// The first so many events of the page.
    pub(crate) fn cut(mut self, limit: usize) -> Self {
        if self.range.len() > limit {
            self.range.end = self.range.start + limit;
            self.up_to = self.events().last().map_or(self.up_to, |last| last.position);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use std::ops::RangeInclusive;

    use super::*;
    use crate::Draft;

    fn events(positions: RangeInclusive<i64>) -> Vec<Recorded> {
        positions.map(|position| Recorded { position, ..Draft::of(&()).rehearsed() }).collect()
    }

    fn positions(page: &Page) -> Vec<i64> {
        page.events().iter().map(|event| event.position).collect()
    }

    #[test]
    fn the_newest_page_is_shared_and_older_ones_are_put_together() {
        let mut tail = Tail::at(2);
        tail.add(events(4..=6));
        tail.add(events(7..=9));
        assert!(tail.beyond(1, 100).is_none());
        assert!(tail.beyond(9, 100).is_none());
        let newest = tail.beyond(7, 100).unwrap();
        assert_eq!((positions(&newest), newest.up_to), (vec![8, 9], 9));
        assert!(Arc::ptr_eq(&newest.events, &tail.pages[1]));
        let both = tail.beyond(2, 100).unwrap();
        assert_eq!((positions(&both), both.up_to), (vec![4, 5, 6, 7, 8, 9], 9));
    }

    #[test]
    fn a_page_that_is_cut_reaches_as_far_as_its_last_event() {
        let mut tail = Tail::at(0);
        tail.add(events(1..=3));
        let page = tail.beyond(0, 2).unwrap();
        assert_eq!((positions(&page), page.up_to), (vec![1, 2], 2));
        tail.add(events(4..=5));
        let page = tail.beyond(0, 3).unwrap();
        assert_eq!((positions(&page), page.up_to), (vec![1, 2, 3], 3));
        let page = tail.beyond(1, 100).unwrap().until(4);
        assert_eq!((positions(&page), page.up_to), (vec![2, 3, 4], 4));
        let page = Page::new(events(1..=3), 8);
        assert_eq!(page.clone().until(6).up_to, 6);
        assert_eq!(page.clone().cut(3).up_to, 8);
        assert_eq!(page.cut(2).up_to, 2);
    }

    #[test]
    fn only_the_end_of_a_long_log_is_kept() {
        let mut tail = Tail::at(0);
        for page in 0..10 {
            tail.add(events(page * 1000 + 1..=(page + 1) * 1000));
        }
        assert!(tail.beyond(5_999, 1000).is_none());
        assert_eq!(tail.beyond(6_000, 1000).unwrap().up_to, 7_000);
        assert_eq!(tail.reached(), 10_000);
    }

    #[test]
    fn a_lane_is_given_its_own_streams_and_passes_the_others() {
        let page = Page::new(events(1..=3), 3);
        let shares = [0, 1].map(|lane| Share { lane, lanes: 2 });
        let pages = shares.map(|share| page.clone().only(share));
        // All of these events are of the stream with the nil id.
        assert_eq!(pages.map(|page| (page.events().len(), page.up_to)), [(3, 3), (0, 3)]);
    }
}

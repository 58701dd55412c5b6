//! The consistency index: sessions held of sessions due, and its two factors.
//!
//! What is due is due from every obliged executive, whether a mentor was found or not; otherwise a programme would look the
//! better the fewer tandems it has. With D sessions due, P of them in months with a tandem, H held: the index H/D is the
//! product of P/D (obligations fulfilled) and H/P (cadence kept).

use std::collections::BTreeMap;

use jiff::Timestamp;

/// What is known of one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// To come, or past and not recorded.
    Planned,
    /// The two met.
    Held,
    /// Cancelled or missed by a side.
    Failed,
    /// An approved absence.
    Excused,
}

/// One session of an executive, in whichever tandem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// Month of the edition, from 1.
    pub month: i32,
    /// Start.
    pub start: Timestamp,
    /// What is known of it.
    pub state: SessionState,
}

/// One obliged executive who is not excused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Executive {
    /// Sessions, those of ended tandems that never came to pass left out.
    pub sessions: Vec<Session>,
    /// The first instant after the executive's last day; none while employed.
    pub left: Option<Timestamp>,
}

/// First instant of a month of the edition, and of the month after.
pub type Month = (Timestamp, Timestamp);

/// The index and what it is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Consistency {
    /// Sessions due.
    pub due: i32,
    /// Of these, in months with a tandem.
    pub planned: i32,
    /// Of these, held.
    pub held: i32,
}

impl Consistency {
    /// Counts what is due at an instant; `months` are those of the edition, in order.
    #[must_use]
    pub fn at(now: Timestamp, months: &[Month], executives: &[Executive]) -> Self {
        let mut counted = Self::default();
        for executive in executives {
            let by_month = by_month(&executive.sessions);
            for (number, (begins, ends)) in (1..).zip(months) {
                if executive.left.is_some_and(|left| left <= *begins) {
                    continue;
                }
                counted.add(now, *ends, by_month.get(&number).map_or(&[], Vec::as_slice));
            }
        }
        counted
    }

    /// Held of due, 0 to 1.
    #[must_use]
    pub fn index(self) -> Option<f64> {
        share(self.held, self.due)
    }

    /// Planned of due, 0 to 1: the first factor.
    #[must_use]
    pub fn obligations_fulfilled(self) -> Option<f64> {
        share(self.planned, self.due)
    }

    /// Held of planned, 0 to 1: the second factor.
    #[must_use]
    pub fn cadence_kept(self) -> Option<f64> {
        share(self.held, self.planned)
    }

    fn add(&mut self, now: Timestamp, ends: Timestamp, sessions: &[Session]) {
        let has = |state| sessions.iter().any(|session| session.state == state);
        let held = has(SessionState::Held);
        if !held && has(SessionState::Excused) {
            return;
        }
        let past = |session: &Session| session.state != SessionState::Planned || session.start <= now;
        if !sessions.iter().any(past) && now < ends {
            return;
        }
        self.due += 1;
        self.planned += i32::from(!sessions.is_empty());
        self.held += i32::from(held);
    }
}

fn by_month(sessions: &[Session]) -> BTreeMap<i32, Vec<Session>> {
    let mut months: BTreeMap<i32, Vec<Session>> = BTreeMap::new();
    for session in sessions {
        months.entry(session.month).or_default().push(*session);
    }
    months
}

fn share(part: i32, whole: i32) -> Option<f64> {
    (whole > 0).then(|| f64::from(part) / f64::from(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn months() -> Vec<Month> {
        vec![
            (at("2013-10-01T00:00:00Z"), at("2013-11-01T00:00:00Z")),
            (at("2013-11-01T00:00:00Z"), at("2013-12-01T00:00:00Z")),
        ]
    }

    fn session(month: i32, state: SessionState) -> Session {
        let start = if month == 1 { "2013-10-10T09:00:00Z" } else { "2013-11-10T09:00:00Z" };
        Session { month, start: at(start), state }
    }

    fn executive(sessions: &[Session]) -> Executive {
        Executive { sessions: sessions.to_vec(), left: None }
    }

    #[test]
    fn the_index_is_the_product_of_its_factors() {
        let executives = [
            executive(&[session(1, SessionState::Held), session(2, SessionState::Held)]),
            executive(&[session(1, SessionState::Failed), session(2, SessionState::Held)]),
            executive(&[]),
        ];
        let counted = Consistency::at(at("2013-12-01T00:00:00Z"), &months(), &executives);
        assert_eq!(counted, Consistency { due: 6, planned: 4, held: 3 });
        let product = counted.obligations_fulfilled().unwrap() * counted.cadence_kept().unwrap();
        assert!((product - counted.index().unwrap()).abs() < 1e-12);
    }

    #[test]
    fn an_approved_absence_is_not_due() {
        let executives = [executive(&[session(1, SessionState::Excused), session(2, SessionState::Held)])];
        let counted = Consistency::at(at("2013-12-01T00:00:00Z"), &months(), &executives);
        assert_eq!(counted, Consistency { due: 1, planned: 1, held: 1 });
    }

    #[test]
    fn a_session_is_due_from_its_start_and_a_month_without_one_from_its_end() {
        let executives = [executive(&[session(1, SessionState::Planned)]), executive(&[])];
        let before = Consistency::at(at("2013-10-09T00:00:00Z"), &months(), &executives);
        assert_eq!(before.index(), None);
        let after = Consistency::at(at("2013-10-11T00:00:00Z"), &months(), &executives);
        assert_eq!(after, Consistency { due: 1, planned: 1, held: 0 });
        let month_over = Consistency::at(at("2013-11-01T00:00:00Z"), &months(), &executives);
        assert_eq!(month_over, Consistency { due: 2, planned: 1, held: 0 });
    }

    #[test]
    fn a_second_tandem_in_the_same_month_does_not_make_the_month_due_twice() {
        let executives = [executive(&[session(1, SessionState::Failed), session(1, SessionState::Held)])];
        let counted = Consistency::at(at("2013-11-01T00:00:00Z"), &months(), &executives);
        assert_eq!(counted, Consistency { due: 1, planned: 1, held: 1 });
    }

    #[test]
    fn nothing_is_due_from_an_executive_who_has_left() {
        let executives = [Executive { sessions: Vec::new(), left: Some(at("2013-11-01T00:00:00Z")) }];
        let counted = Consistency::at(at("2013-12-01T00:00:00Z"), &months(), &executives);
        assert_eq!(counted, Consistency { due: 1, planned: 0, held: 0 });
    }
}

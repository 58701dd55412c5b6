//! When and in which languages a person can meet.

/// A person's week and languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Availability {
    /// Stretches of the week, in the zone below.
    pub windows: Vec<Window>,
    /// The zone of the windows, by the IANA time zone database.
    pub time_zone: String,
    /// Languages by BCP 47, best first.
    pub languages: Vec<String>,
}

/// A stretch of a weekday.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The day by ISO 8601: 1 is Monday, 7 Sunday.
    pub weekday: i32,
    /// Minutes after midnight, 0 to 1439.
    pub start_minute: i32,
    /// Minutes after midnight, after the start, at most 1440.
    pub end_minute: i32,
}

/// A window ends before it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A stretch of the week ends at minute {end_minute}, not after its start at minute {start_minute}.")]
pub struct EmptyWindow {
    start_minute: i32,
    end_minute: i32,
}

impl Availability {
    /// Checks that every window has a length.
    ///
    /// # Errors
    /// The first window that has none.
    pub fn check(&self) -> Result<(), EmptyWindow> {
        match self.windows.iter().find(|window| window.end_minute <= window.start_minute) {
            Some(&Window { start_minute, end_minute, .. }) => Err(EmptyWindow { start_minute, end_minute }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn mornings() -> Availability {
        Availability {
            windows: vec![Window { weekday: 1, start_minute: 540, end_minute: 720 }],
            time_zone: "Europe/Berlin".to_owned(),
            languages: vec!["de".to_owned(), "en".to_owned()],
        }
    }

    pub(crate) fn backwards() -> Availability {
        let windows = vec![Window { weekday: 1, start_minute: 720, end_minute: 720 }];
        Availability { windows, ..mornings() }
    }

    #[test]
    fn every_window_ends_after_its_start() {
        assert_eq!(mornings().check(), Ok(()));
        assert_eq!(backwards().check(), Err(EmptyWindow { start_minute: 720, end_minute: 720 }));
    }
}

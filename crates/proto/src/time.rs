//! Instants between jiff and protobuf.

use jiff::Timestamp;

const NANOSECONDS_A_SECOND: i128 = 1_000_000_000;

/// An instant as protobuf writes it: nanoseconds always count forward.
#[must_use]
pub fn to_proto(instant: Timestamp) -> prost_types::Timestamp {
    let nanoseconds = instant.as_nanosecond();
    prost_types::Timestamp {
        seconds: i64::try_from(nanoseconds.div_euclid(NANOSECONDS_A_SECOND)).unwrap_or_default(),
        nanos: i32::try_from(nanoseconds.rem_euclid(NANOSECONDS_A_SECOND)).unwrap_or_default(),
    }
}

/// An instant as protobuf wrote it; `None` outside the years -9999 to 9999 or with nanoseconds out of range.
#[must_use]
pub fn from_proto(instant: &prost_types::Timestamp) -> Option<Timestamp> {
    if !(0..1_000_000_000).contains(&instant.nanos) {
        return None;
    }
    let nanoseconds = i128::from(instant.seconds) * NANOSECONDS_A_SECOND + i128::from(instant.nanos);
    Timestamp::from_nanosecond(nanoseconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_survives_the_way_there_and_back() {
        for text in ["2013-09-01T00:00:00Z", "1969-12-31T23:59:59.5Z", "2026-11-23T10:11:12.000000001Z"] {
            let instant: Timestamp = text.parse().unwrap();
            assert_eq!(from_proto(&to_proto(instant)), Some(instant));
        }
    }

    #[test]
    fn nanoseconds_out_of_range_are_no_instant() {
        assert_eq!(from_proto(&prost_types::Timestamp { seconds: 0, nanos: -1 }), None);
    }
}

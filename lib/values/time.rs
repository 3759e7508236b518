//! Points in time as records write them.

use super::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{fmt, str::FromStr};

/// A second of UTC, `YYYY-MM-DDThh:mm:ssZ` as text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Time(u64);

impl Time {
    /// This second.
    pub fn now() -> Time {
        Time::from(SystemTime::now())
    }

    /// Seconds since 1970.
    pub fn seconds(self) -> u64 {
        self.0
    }

    /// From seconds since 1970; years after 9999 have no text and are cut to its end.
    pub fn from_seconds(seconds: u64) -> Time {
        Time(seconds.min(253_402_300_799))
    }

    /// The same second for the system.
    pub fn to_system(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.0)
    }

    /// How long ago; zero for the future.
    pub fn age(self) -> Duration {
        Duration::from_secs(Time::now().0.saturating_sub(self.0))
    }
}

impl From<SystemTime> for Time {
    fn from(time: SystemTime) -> Time {
        Time::from_seconds(time.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs()))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_rfc3339_seconds(self.to_system()).fmt(f)
    }
}

impl FromStr for Time {
    type Err = Error;

    fn from_str(text: &str) -> Result<Time, Error> {
        humantime::parse_rfc3339(text).map(Time::from).map_err(|_| {
            Error::malformed(format!("\"{}\" is no time; write it as 2026-01-31T12:00:00Z", text.escape_default()))
        })
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

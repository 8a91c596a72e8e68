//! A point on the ground, in degrees of WGS 84, written `22.3571, 102.6230`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Parts of a degree that are kept: 11 cm.
const PARTS: f64 = 1e6;

/// Latitude and longitude.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Position {
    lat_e6: i32,
    lon_e6: i32,
}

/// Text or numbers that name no point.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no position; write latitude and longitude in degrees, such as \"22.3571, 102.6230\""
)]
pub struct NotAPosition(pub String);

impl Position {
    /// The point at so many degrees north and east.
    pub fn degrees(lat: f64, lon: f64) -> Result<Self, NotAPosition> {
        if !(-90.0..=90.0).contains(&lat) || !(-180.0..=180.0).contains(&lon) {
            return Err(NotAPosition(format!("{lat}, {lon}")));
        }
        #[expect(clippy::cast_possible_truncation, reason = "180 million fits")]
        let parts = |degrees: f64| (degrees * PARTS).round() as i32;
        Ok(Self { lat_e6: parts(lat), lon_e6: parts(lon) })
    }

    /// Degrees north.
    pub fn lat(self) -> f64 {
        f64::from(self.lat_e6) / PARTS
    }

    /// Degrees east.
    pub fn lon(self) -> f64 {
        f64::from(self.lon_e6) / PARTS
    }
}

impl FromStr for Position {
    type Err = NotAPosition;

    fn from_str(text: &str) -> Result<Self, NotAPosition> {
        let refuse = || NotAPosition(text.chars().take(40).collect());
        let (lat, lon) = text.split_once(',').ok_or_else(refuse)?;
        let number = |part: &str| part.trim().parse::<f64>().map_err(|_| refuse());
        Self::degrees(number(lat)?, number(lon)?).map_err(|_| refuse())
    }
}

impl TryFrom<String> for Position {
    type Error = NotAPosition;

    fn try_from(text: String) -> Result<Self, NotAPosition> {
        text.parse()
    }
}

impl From<Position> for String {
    fn from(position: Position) -> Self {
        position.to_string()
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}, {:.6}", self.lat(), self.lon())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_reads_back_as_it_is_written() {
        let place: Position = " 22.3571,102.623 ".parse().unwrap();
        assert_eq!(place.to_string(), "22.357100, 102.623000");
        assert_eq!(place.to_string().parse(), Ok(place));
    }

    #[test]
    fn what_lies_on_no_globe_is_refused() {
        for bad in ["", "22.3", "91, 102", "22, 181", "NaN, 1", "22.3 102.6", "bắc, đông"] {
            assert!(bad.parse::<Position>().is_err(), "{bad}");
        }
    }
}

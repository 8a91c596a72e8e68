//! The border of an area, read from GeoJSON (RFC 7946): a polygon or several, alone or as features.
//!
//! **Kept simplified**: a picture of a commune on a telephone shows no more.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::position::Position;

/// Bytes of a file at most: a province's communes in one file are not one outline.
pub const OUTLINE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Points of a file at most.
const POINTS_READ_MAX: usize = 100_000;

/// Points that are kept at most, over all rings.
const POINTS_KEPT_MAX: usize = 600;

/// Rings at most: islands and holes.
const RINGS_MAX: usize = 40;

/// The rings of a border.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Outline(Vec<Vec<Position>>);

/// A file that holds no border.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAnOutline {
    /// No JSON.
    #[error("not JSON ({0}); export the border as GeoJSON")]
    Json(String),
    /// No polygon in it.
    #[error("no Polygon or MultiPolygon in it; export the commune's border alone, as GeoJSON")]
    NoPolygon,
    /// A ring that encloses nothing, or with a point that is none.
    #[error(
        "ring {0} is no list of at least 4 points of longitude and latitude in degrees (WGS 84); \
         export with that coordinate system"
    )]
    Ring(usize),
    /// Too much of it.
    #[error("more than {POINTS_READ_MAX} points or {RINGS_MAX} rings; simplify the border first")]
    TooMuch,
}

impl Outline {
    /// Reads GeoJSON.
    pub fn parse(text: &str) -> Result<Self, NotAnOutline> {
        let value: Value =
            serde_json::from_str(text).map_err(|error| NotAnOutline::Json(error.to_string()))?;
        let mut rings = Vec::new();
        gather(&value, &mut rings)?;
        if rings.is_empty() {
            return Err(NotAnOutline::NoPolygon);
        }
        if rings.iter().map(Vec::len).sum::<usize>() > POINTS_READ_MAX {
            return Err(NotAnOutline::TooMuch);
        }
        // Coarser and coarser, until it is few enough: the first step is some 10 m.
        let mut tolerance = 1e-4;
        while rings.iter().map(Vec::len).sum::<usize>() > POINTS_KEPT_MAX && tolerance < 1.0 {
            rings = rings.iter().map(|ring| simplified(ring, tolerance)).collect();
            tolerance *= 1.5;
        }
        Ok(Self(rings))
    }

    /// The rings, each closed.
    pub fn rings(&self) -> &[Vec<Position>] {
        &self.0
    }
}

/// Adds the rings of every polygon in `value`.
fn gather(value: &Value, rings: &mut Vec<Vec<Position>>) -> Result<(), NotAnOutline> {
    let list = |key: &str| value[key].as_array().map(Vec::as_slice).unwrap_or_default();
    match value["type"].as_str().unwrap_or_default() {
        "FeatureCollection" => list("features").iter().try_for_each(|one| gather(one, rings)),
        "Feature" => gather(&value["geometry"], rings),
        "GeometryCollection" => list("geometries").iter().try_for_each(|one| gather(one, rings)),
        "Polygon" => list("coordinates").iter().try_for_each(|one| add(one, rings)),
        "MultiPolygon" => {
            let polygons = list("coordinates").iter();
            let all =
                polygons.flat_map(|one| one.as_array().map(Vec::as_slice).unwrap_or_default());
            all.into_iter().try_for_each(|one| add(one, rings))
        }
        _ => Ok(()),
    }
}

fn add(ring: &Value, rings: &mut Vec<Vec<Position>>) -> Result<(), NotAnOutline> {
    let wrong = || NotAnOutline::Ring(rings.len() + 1);
    let points = ring.as_array().ok_or_else(wrong)?;
    if rings.len() == RINGS_MAX || points.len() > POINTS_READ_MAX {
        return Err(NotAnOutline::TooMuch);
    }
    let point = |value: &Value| {
        let degree = |nth: usize| value.get(nth).and_then(Value::as_f64);
        // GeoJSON has the longitude first.
        Position::degrees(degree(1)?, degree(0)?).ok()
    };
    let read: Option<Vec<Position>> = points.iter().map(point).collect();
    let read = read.filter(|ring| ring.len() >= 4).ok_or_else(wrong)?;
    rings.push(read);
    Ok(())
}

/// The ring without the points that lie within `tolerance` degrees of the last one that was kept.
fn simplified(ring: &[Position], tolerance: f64) -> Vec<Position> {
    let mut kept: Vec<Position> = Vec::new();
    for (nth, point) in ring.iter().enumerate() {
        let near = kept.last().is_some_and(|last| {
            let (north, east) = (point.lat() - last.lat(), point.lon() - last.lon());
            north.hypot(east) < tolerance
        });
        // The ends stay, so that the ring stays closed; and so do enough for a shape.
        if !near || nth + 1 == ring.len() || ring.len() <= 8 {
            kept.push(*point);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUARE: &str = "[[102.5,22.3],[102.7,22.3],[102.7,22.5],[102.5,22.3]]";

    #[test]
    fn a_polygon_is_found_in_whatever_it_is_wrapped() {
        let polygon = format!(r#"{{"type":"Polygon","coordinates":[{SQUARE}]}}"#);
        let multi = format!(r#"{{"type":"MultiPolygon","coordinates":[[{SQUARE}],[{SQUARE}]]}}"#);
        let feature = format!(r#"{{"type":"Feature","properties":{{}},"geometry":{polygon}}}"#);
        let all = format!(r#"{{"type":"FeatureCollection","features":[{feature},{feature}]}}"#);
        for (text, rings) in [(&polygon, 1), (&multi, 2), (&feature, 1), (&all, 2)] {
            let outline = Outline::parse(text).unwrap();
            assert_eq!(outline.rings().len(), rings, "{text}");
            assert_eq!(outline.rings()[0][0], "22.3, 102.5".parse().unwrap());
        }
    }

    #[test]
    fn what_is_no_border_is_told() {
        let ring = |points: &str| format!(r#"{{"type":"Polygon","coordinates":[{points}]}}"#);
        assert_eq!(Outline::parse(r#"{"type":"Point"}"#), Err(NotAnOutline::NoPolygon));
        assert!(matches!(Outline::parse("…"), Err(NotAnOutline::Json(_))));
        // Metres of a national grid are no degrees.
        let metres = ring("[[2475000,500000],[1,1],[2,2],[3,3]]");
        for bad in [metres, ring("[[102.5,22.3]]"), ring("7")] {
            assert_eq!(Outline::parse(&bad), Err(NotAnOutline::Ring(1)), "{bad}");
        }
    }

    #[test]
    fn a_fine_border_is_kept_coarse_and_closed() {
        let points: Vec<String> = (0..20_000_u32)
            .map(|n| {
                let angle = f64::from(n) * std::f64::consts::TAU / 19_999.0;
                format!("[{},{}]", 102.6 + angle.cos() / 5.0, 22.4 + angle.sin() / 5.0)
            })
            .collect();
        let text = format!(r#"{{"type":"Polygon","coordinates":[[{}]]}}"#, points.join(","));
        let outline = Outline::parse(&text).unwrap();
        let ring = &outline.rings()[0];
        assert!((100..=600).contains(&ring.len()), "{} points", ring.len());
        assert_eq!(ring.first(), ring.last());
    }
}

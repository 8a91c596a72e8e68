//! Where the speakers stand: a plot of their positions over the area's border, drawn here.
//!
//! No tiles and no script. **Status shows by shape and in words as well as by colour**, and a list
//! stands beside the picture with the same numbers.

use std::fmt::Write as _;

use crate::fleet::{Outline, Position};
use crate::id::ControllerId;
use crate::server::Health;
use crate::web::commune::town::Town;

/// Width of the picture in its own units; its height follows from the ground.
const WIDTH: f64 = 360.0;

/// Height at most and at least: a commune along a river fits on a telephone too.
const HEIGHT: (f64, f64) = (160.0, 420.0);

/// Room around what is drawn.
const MARGIN: f64 = 22.0;

/// Marks that stand on one point are drawn this far around it.
const APART: f64 = 15.0;

/// What is drawn where nothing spreads: some 2 km around it, in degrees.
const SPREAD_MIN: f64 = 0.02;

/// The picture.
pub(super) struct Map {
    pub(super) width: f64,
    pub(super) height: f64,
    /// The border as the `d` of a path; empty where none was imported.
    pub(super) border: String,
    pub(super) marks: Vec<Mark>,
}

/// One speaker on it.
pub(super) struct Mark {
    pub(super) number: usize,
    pub(super) id: ControllerId,
    pub(super) place: String,
    pub(super) class: &'static str,
    pub(super) state: String,
    pub(super) x: f64,
    pub(super) y: f64,
    /// The outline of its shape, around its own middle.
    pub(super) shape: &'static str,
    /// Whether its name stands beside it: where it is alone, a number says nothing.
    pub(super) named: bool,
}

/// What a map needs of a speaker.
pub(super) struct Placed {
    pub(super) id: ControllerId,
    pub(super) place: String,
    pub(super) state: String,
    pub(super) health: Health,
    pub(super) position: Position,
}

/// The class by which a speaker is coloured.
pub(super) fn class(health: Health) -> &'static str {
    match health {
        Health::Bad => "bad",
        Health::Warn => "warn",
        Health::Maintained => "kept",
        Health::Good => "good",
    }
}

/// A square, a triangle, a diamond or a circle.
fn shape(health: Health) -> &'static str {
    match health {
        Health::Bad => "M-10-10h20v20h-20z",
        Health::Warn => "M0-13L13 10H-13z",
        Health::Maintained => "M0-13L13 0 0 13-13 0z",
        Health::Good => "M-11 0a11 11 0 1 0 22 0a11 11 0 1 0-22 0z",
    }
}

/// Where a speaker stands: its own point, else that of its village.
pub(super) fn position(town: &Town, id: &ControllerId) -> Option<Position> {
    let controller = town.controller(id)?;
    let area = town.schedule.tree.get(&controller.area);
    controller.position.or_else(|| area?.position)
}

/// From degrees to the picture.
struct Scale {
    west: f64,
    north: f64,
    east_to_x: f64,
    south_to_y: f64,
    left: f64,
    top: f64,
}

impl Scale {
    /// The scale that shows all of `points`, and the height that it takes.
    fn of(points: &[Position]) -> (Self, f64) {
        let range = |degrees: fn(Position) -> f64| {
            let all = || points.iter().map(|point| degrees(*point));
            let (low, high) = (all().fold(f64::MAX, f64::min), all().fold(f64::MIN, f64::max));
            let more = (SPREAD_MIN - (high - low)).max(0.0) / 2.0;
            (low - more, high + more)
        };
        let (south, north) = range(Position::lat);
        let (west, east) = range(Position::lon);
        // Degrees of longitude are narrower the farther north.
        let narrow = f64::midpoint(north, south).to_radians().cos().max(0.1);
        let inner = WIDTH - 2.0 * MARGIN;
        let unit = inner / ((east - west) * narrow);
        let unit = unit.min((HEIGHT.1 - 2.0 * MARGIN) / (north - south));
        let height = ((north - south) * unit + 2.0 * MARGIN).max(HEIGHT.0);
        let scale = Self {
            west,
            north,
            east_to_x: unit * narrow,
            south_to_y: unit,
            left: (WIDTH - (east - west) * unit * narrow) / 2.0,
            top: (height - (north - south) * unit) / 2.0,
        };
        (scale, height.round())
    }

    fn point(&self, at: Position) -> (f64, f64) {
        let x = self.left + (at.lon() - self.west) * self.east_to_x;
        (x, self.top + (self.north - at.lat()) * self.south_to_y)
    }
}

impl Map {
    /// The picture of these speakers; none where nobody measured where they stand, or where all stand
    /// on one point of an empty field: without a border there is nothing to see it against.
    pub(super) fn draw(placed: Vec<Placed>, outline: Option<&Outline>) -> Option<Self> {
        let first = placed.first()?.position;
        if outline.is_none() && placed.iter().all(|one| one.position == first) {
            return None;
        }
        let named = placed.len() == 1;
        let rings = outline.map(Outline::rings).unwrap_or_default();
        let mut points: Vec<Position> = placed.iter().map(|one| one.position).collect();
        points.extend(rings.iter().flatten());
        let (scale, height) = Scale::of(&points);
        let mut border = String::new();
        for ring in rings {
            for (nth, at) in ring.iter().enumerate() {
                let (x, y) = scale.point(*at);
                let _ = write!(border, "{}{x:.0} {y:.0}", if nth == 0 { 'M' } else { 'L' });
            }
            border.push('Z');
        }
        let mut marks: Vec<Mark> = Vec::new();
        let mut taken: Vec<Position> = Vec::new();
        for (nth, one) in placed.into_iter().enumerate() {
            let (x, y) = scale.point(one.position);
            let same = taken.iter().filter(|at| **at == one.position).count();
            let (right, down) = around(same);
            taken.push(one.position);
            marks.push(Mark {
                number: nth + 1,
                class: class(one.health),
                shape: shape(one.health),
                named,
                id: one.id,
                place: one.place,
                state: one.state,
                x: (x + right).round(),
                y: (y + down).round(),
            });
        }
        Some(Self { width: WIDTH, height, border, marks })
    }
}

/// Where the nth mark of one point goes.
fn around(nth: usize) -> (f64, f64) {
    let turn = f64::from(u32::try_from(nth).unwrap_or(u32::MAX)) * 1.2 - 1.2;
    if nth == 0 { (0.0, 0.0) } else { (turn.cos() * APART, turn.sin() * APART) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(id: &str, position: &str, health: Health) -> Placed {
        let (place, state) = (id.to_owned(), String::new());
        let (id, position) = (id.parse().unwrap(), position.parse().unwrap());
        Placed { id, place, state, health, position }
    }

    fn border() -> Outline {
        let ring = "[[[102.6,22.2],[102.7,22.2],[102.7,22.5],[102.6,22.2]]]";
        Outline::parse(&format!("{{\"type\":\"Polygon\",\"coordinates\":{ring}}}")).unwrap()
    }

    #[test]
    fn what_lies_north_is_above_and_everything_is_inside() {
        let all = vec![
            placed("nam", "22.30, 102.60", Health::Good),
            placed("bac", "22.50, 102.61", Health::Bad),
            placed("dong", "22.40, 102.90", Health::Warn),
        ];
        let map = Map::draw(all, None).unwrap();
        let [south, north, east] = &map.marks[..] else { panic!("three marks") };
        assert!(north.y < south.y && east.x > south.x);
        for mark in &map.marks {
            let inside = (10.0..map.width - 10.0).contains(&mark.x);
            assert!(inside && (10.0..map.height - 10.0).contains(&mark.y), "{}", mark.place);
        }
    }

    #[test]
    fn one_speaker_alone_is_drawn_with_its_name_inside_a_border_and_not_at_all_without_one() {
        let alone = || vec![placed("nam-nga", "22.40, 102.65", Health::Good)];
        assert!(Map::draw(alone(), None).is_none());
        let map = Map::draw(alone(), Some(&border())).unwrap();
        assert!(map.marks[0].named && !map.border.is_empty());
    }

    #[test]
    fn every_health_has_a_shape_of_its_own() {
        let all = [Health::Bad, Health::Warn, Health::Maintained, Health::Good];
        let shapes: std::collections::BTreeSet<&str> = all.map(shape).into();
        assert_eq!(shapes.len(), all.len());
    }

    #[test]
    fn two_speakers_of_one_village_do_not_cover_each_other() {
        let one = |id| placed(id, "22.30, 102.60", Health::Good);
        let map = Map::draw(vec![one("a"), one("b")], Some(&border())).unwrap();
        assert!((map.marks[0].x - map.marks[1].x).abs() > 5.0);
        assert!(Map::draw(vec![one("a"), one("b")], None).is_none(), "an empty field");
        assert!(Map::draw(vec![], Some(&border())).is_none());
    }
}

//! The floors of the building hold: every room of `src/lib.rs` uses rooms on lower floors only, and
//! below the gateways nothing touches a disk, a network, a clock, a process or chance.
//!
//! Production code may not use a room on its own floor either; a room's tests may.

#[path = "reading/source.rs"]
mod source;

use std::collections::BTreeSet;
use std::path::Path;

use source::{Source, Token, repository};

/// The rooms on each floor, as the picture in `src/lib.rs` shows them.
const FLOORS: [(u8, &[&str]); 10] = [
    (9, &["cli"]),
    (8, &["web"]),
    (7, &["server", "controller", "sim"]),
    (
        6,
        &[
            "store", "vault", "log", "broker", "speaker", "decoder", "clock", "entropy",
            "shutdown", "terminal",
        ],
    ),
    (5, &["dispatch", "agent"]),
    (4, &["protocol"]),
    (3, &["manifest"]),
    (2, &["schedule", "receipt", "report"]),
    (1, &["audio", "bulletin", "calendar", "fleet", "trust", "access", "audit", "config"]),
    (0, &["unit", "time", "id", "lang", "digest", "note"]),
];

/// The floor of the gateways: nothing below it meets the outside.
const GATEWAYS: u8 = 6;

/// What meets the outside, and what to do instead.
const OUTSIDE: [(&[&str], &str); 11] = [
    (&["std", "fs"], "take the bytes as an argument; `vault`, `log` and `store` keep files"),
    (&["std", "net"], "take text or bytes; the gateways speak to networks"),
    (&["std", "process"], "return an error; only gateways start or end processes"),
    (&["std", "thread"], "be a machine that its caller runs; `server` and `controller` spawn"),
    (&["std", "env"], "take the value as an argument; `cli` and the binaries read the environment"),
    (&["tokio"], "be a machine that its caller runs; `server` and `controller` are its pumps"),
    (&["getrandom"], "take the random bytes as an argument; `entropy` draws them"),
    (&["Instant", "now"], "take `time::Now` as an argument; `clock` reads it"),
    (&["SystemTime", "now"], "take `time::Now` as an argument; `clock` reads it"),
    (&["Utc", "now"], "take `time::Now` as an argument; `clock` reads it"),
    (&["Local", "now"], "take `time::Now` as an argument; `clock` reads it"),
];

/// A path that the code names from its first word on: `["crate", "time", "Now"]`.
struct Named<'a> {
    words: Vec<&'a str>,
    at: Token<'a>,
    /// How many modules stand around it: none in `src/lib.rs`, one in a room.
    depth: usize,
    /// `std::env!` reads the compiler's environment, which is no outside.
    is_macro: bool,
}

impl Named<'_> {
    /// The room it leads to, if it leads out of the modules around it.
    fn room(&self) -> Option<&str> {
        let climbed = self.words.iter().take_while(|&&word| word == "super").count();
        match self.words.first() {
            Some(&"crate") => self.words.get(1).copied(),
            _ if climbed > 0 && climbed == self.depth => self.words.get(climbed).copied(),
            _ => None,
        }
    }

    fn leads_to(&self, outside: &[&str]) -> bool {
        // A type may be imported under the path that `now` is called on; a crate is always first.
        match outside {
            [_, "now"] => self.words.windows(2).any(|pair| pair == outside),
            _ => self.words.starts_with(outside),
        }
    }
}

fn floor_of(room: &str) -> Option<u8> {
    FLOORS.iter().find(|(_, rooms)| rooms.contains(&room)).map(|(floor, _)| *floor)
}

/// The room that a file is part of; none for `src/lib.rs` itself.
fn room_of(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("src/")?.strip_suffix(".rs")?;
    inside.split('/').next().filter(|&room| room != "lib" && room != "main")
}

/// Every path of the code, with braces in `use` spread out.
fn named(source: &Source) -> Vec<Named<'_>> {
    let tokens = source.tokens();
    let outer = source.path.matches('/').count();
    let (mut found, mut braces, mut next) = (Vec::new(), Vec::new(), 0);
    while let Some(at) = tokens.get(next) {
        match at.text {
            "{" => braces.push(next > 1 && tokens[next - 2].text == "mod"),
            "}" => drop(braces.pop()),
            _ => {}
        }
        if !is_name(at.text) || (next > 0 && tokens[next - 1].text == "::") {
            next += 1;
            continue;
        }
        let mut paths = Vec::new();
        next = spread(&tokens, next, Vec::new(), &mut paths);
        let is_macro = tokens.get(next).is_some_and(|token| token.text == "!");
        let depth = outer + braces.iter().filter(|&&is_module| is_module).count();
        let here = |(words, at)| Named { words, at, depth, is_macro };
        found.extend(paths.into_iter().map(here));
    }
    found
}

/// Adds the paths that begin with `head` and go on at `next`; returns where they end.
fn spread<'a>(
    tokens: &[Token<'a>],
    mut next: usize,
    mut head: Vec<&'a str>,
    paths: &mut Vec<(Vec<&'a str>, Token<'a>)>,
) -> usize {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    while is_name(text(next)) || text(next) == "*" {
        head.push(text(next));
        next += 1;
        if text(next) != "::" {
            paths.push((head, tokens[next - 1]));
            return next;
        }
        next += 1;
    }
    if text(next) != "{" {
        // A turbofish: `Vec::<u8>`.
        paths.push((head, tokens[next - 1]));
        return next;
    }
    next += 1;
    while !["}", ""].contains(&text(next)) {
        let is_branch = is_name(text(next)) || ["*", "{"].contains(&text(next));
        let is_alias = text(next) == "as";
        next = match () {
            () if is_alias => next + 2,
            () if is_branch => spread(tokens, next, head.clone(), paths),
            () => next + 1,
        };
    }
    next + 1
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Where a room uses one that it may not stand on.
fn climbs(source: &Source) -> Vec<String> {
    let Some(room) = room_of(&source.path) else { return Vec::new() };
    let Some(floor) = floor_of(room) else {
        return vec![format!("{}: the room `{room}` has no floor; give it one here", source.path)];
    };
    let fault = |path: &Named| {
        let used = path.room().filter(|&used| used != room)?;
        let place = format!("{}:{}", source.path, path.at.line);
        let complaint = complaint(floor, floor_of(used), path.at.test)?;
        let above = floor_of(used).map_or(String::new(), |used| format!(" (floor {used})"));
        Some(format!("{place}: `{room}` (floor {floor}) uses `{used}`{above}, {complaint}"))
    };
    named(source).iter().filter_map(fault).collect()
}

/// What is wrong with using a room on floor `used` from one on floor `floor`.
fn complaint(floor: u8, used: Option<u8>, is_test: bool) -> Option<&'static str> {
    let Some(used) = used else {
        return Some("which is no room; name the room that holds it");
    };
    match used.cmp(&floor) {
        std::cmp::Ordering::Less => None,
        std::cmp::Ordering::Equal if is_test => None,
        std::cmp::Ordering::Equal => Some(
            "which stands beside it; take what is needed as an argument, or move what both need \
             one floor down",
        ),
        std::cmp::Ordering::Greater if is_test => {
            Some("which is above it; move the test up to that room or to `tests/`")
        }
        std::cmp::Ordering::Greater => Some(
            "which is above it; take what is needed as an argument, or move this to a room above \
             that one",
        ),
    }
}

/// Where a room below the gateways meets the outside. Its tests may: they read their vectors.
fn leaks(source: &Source) -> Vec<String> {
    let floor = room_of(&source.path).and_then(floor_of);
    let Some(floor) = floor.filter(|&floor| floor < GATEWAYS) else { return Vec::new() };
    let fault = |path: &Named| {
        let (outside, advice) = OUTSIDE.iter().find(|(outside, _)| path.leads_to(outside))?;
        let (line, name) = (path.at.line, outside.join("::"));
        let is_fine = path.at.test || path.is_macro;
        (!is_fine).then(|| {
            format!(
                "{}:{line}: uses `{name}` on floor {floor}, below the gateways; {advice}",
                source.path
            )
        })
    };
    named(source).iter().filter_map(fault).collect()
}

/// Where the doors of `src/lib.rs` and its picture differ from [`FLOORS`].
fn unlisted(lib: &Source) -> Vec<String> {
    let doors = modules(lib);
    let picture = picture(&lib.text);
    let rooms: BTreeSet<&str> = FLOORS.iter().flat_map(|(_, rooms)| *rooms).copied().collect();
    let homeless = doors.difference(&rooms);
    let mut faults = Vec::new();
    faults.extend(
        homeless.map(|room| format!("src/lib.rs: `{room}` has no floor; give it one in FLOORS")),
    );
    faults.extend(rooms.iter().filter(|room| !doors.contains(*room)).map(|room| {
        format!("src/lib.rs: `{room}` has a floor and no `pub mod`; take it out of FLOORS")
    }));
    faults.extend(doors.iter().filter_map(|room| misdrawn(room, &picture)));
    faults
}

/// The names of the `mod` items in a file.
fn modules(source: &Source) -> BTreeSet<&str> {
    let tokens = source.tokens();
    let pairs = tokens.windows(2).filter(|pair| pair[0].text == "mod");
    pairs.map(|pair| pair[1].text).collect()
}

/// The rooms in the picture of a module doc, each with the floor whose row it stands in.
fn picture(text: &str) -> Vec<(u8, &str)> {
    let rows = text.lines().map_while(|line| line.strip_prefix("//!"));
    let drawn = rows.skip_while(|row| row.trim() != "```text").skip(1);
    let (mut floor, mut rooms) = (0, Vec::new());
    for row in drawn.take_while(|row| row.trim() != "```") {
        let mut words = row.split_whitespace().peekable();
        if let Some(number) = words.peek().and_then(|word| word.parse().ok()) {
            floor = number;
            words.next();
        }
        rooms.extend(words.map(|word| (floor, word.trim_matches(['(', ')']))));
    }
    rooms
}

fn misdrawn(room: &str, picture: &[(u8, &str)]) -> Option<String> {
    let floor = floor_of(room)?;
    let is_drawn = picture.contains(&(floor, room));
    (!is_drawn).then(|| format!("src/lib.rs: draw `{room}` on floor {floor} of the picture"))
}

fn library() -> Vec<Source> {
    let found = repository(Path::new(env!("CARGO_MANIFEST_DIR")));
    let library: Vec<Source> = found.into_iter().filter(Source::is_library).collect();
    assert!(library.iter().any(|source| source.path == "src/lib.rs"), "the library was found");
    library
}

fn none_of(faults: &[String]) {
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn a_room_uses_rooms_on_lower_floors_only() {
    none_of(&library().iter().flat_map(climbs).collect::<Vec<_>>());
}

#[test]
fn nothing_below_the_gateways_meets_the_outside() {
    none_of(&library().iter().flat_map(leaks).collect::<Vec<_>>());
}

#[test]
fn the_stand_in_for_signatures_is_named_by_the_simulator_alone() {
    let names =
        |source: &&Source| source.tokens().iter().any(|token| token.text == "with_keyed_hash");
    let library = library();
    let named: Vec<&str> = library.iter().filter(names).map(|s| s.path.as_str()).collect();
    let outside = |path: &&&str| **path != "src/note.rs" && !path.starts_with("src/sim/");
    assert_eq!(named.iter().find(outside), None);
    assert!(named.len() > 1, "{named:?}");
}

#[test]
fn every_room_has_one_floor_a_door_and_its_place_in_the_picture() {
    let library = library();
    none_of(
        &library.iter().filter(|it| it.path == "src/lib.rs").flat_map(unlisted).collect::<Vec<_>>(),
    );
}

mod scanner {
    use super::{Source, climbs, floor_of, leaks, named, unlisted};

    /// The faults of `text` if it stood at `path`.
    fn faults(path: &str, text: &str) -> Vec<String> {
        let source = Source::new(path, text);
        [climbs(&source), leaks(&source)].concat()
    }

    fn lib(text: &str) -> Vec<String> {
        unlisted(&Source::new("src/lib.rs", text))
    }

    #[test]
    fn a_lower_room_may_be_used() {
        assert!(
            faults("src/manifest.rs", "use crate::time::Timestamp; crate::id::read()").is_empty()
        );
    }

    #[test]
    fn a_room_may_use_itself() {
        let text = "use crate::audio::{cut, peak}; use super::super::audio; use super::peak;";
        assert!(faults("src/audio/chain.rs", text).is_empty());
    }

    #[test]
    fn a_higher_room_may_not_be_used() {
        let found = faults("src/bulletin/version.rs", "\nuse crate::store::Store;");
        assert_eq!(
            found,
            [
                "src/bulletin/version.rs:2: `bulletin` (floor 1) uses `store` (floor 6), which is above \
              it; take what is needed as an argument, or move this to a room above that one"
            ]
        );
    }

    #[test]
    fn a_room_beside_may_not_be_used() {
        let found = faults("src/receipt.rs", "fn f(day: &crate::schedule::Day) {}");
        assert!(found[0].contains("`schedule` (floor 2), which stands beside it"), "{found:?}");
    }

    #[test]
    fn every_branch_of_a_braced_use_counts() {
        let text = "use crate::{\n time::{self, Now},\n store::{Store as It, newsroom},\n cli,\n};";
        let found = faults("src/fleet.rs", text);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].starts_with("src/fleet.rs:3:") && found[2].starts_with("src/fleet.rs:4:"));
    }

    #[test]
    fn an_alias_does_not_hide_what_follows_it() {
        let source = Source::new("src/made_up.rs", "use a::{b as c, d};");
        let words: Vec<_> = named(&source).into_iter().map(|it| it.words.join("::")).collect();
        assert_eq!(words, ["use", "a::b", "a::d"]);
    }

    #[test]
    fn a_room_reached_by_super_counts() {
        assert_eq!(faults("src/fleet.rs", "use super::store::Store;").len(), 1);
        assert_eq!(faults("src/fleet/area.rs", "use super::{super::store, y};").len(), 1);
        assert_eq!(faults("src/fleet/area.rs", "super::super::cli::run();").len(), 1);
        assert_eq!(faults("src/fleet.rs", "mod inner { use super::super::store; }").len(), 1);
        assert!(faults("src/fleet.rs", "mod inner { use super::store; }").is_empty());
    }

    #[test]
    fn a_macro_that_names_an_upper_room_counts() {
        assert_eq!(faults("src/id.rs", "macro_rules! m { () => { $crate::cli::run() } }").len(), 1);
    }

    #[test]
    fn what_stands_at_the_root_is_no_way_around() {
        let found = faults("src/agent.rs", "use crate::Store;");
        assert!(found[0].contains("`Store`, which is no room"), "{found:?}");
        assert_eq!(faults("src/agent.rs", "use crate::*;").len(), 1);
    }

    #[test]
    fn comments_and_strings_use_nothing() {
        let text =
            "//! [`crate::store`]\n/* crate::cli */ const A: &str = \"crate::cli, tokio::spawn\";";
        assert!(faults("src/time.rs", text).is_empty());
    }

    #[test]
    fn a_test_may_use_the_room_beside_it_but_none_above() {
        let beside = "#[cfg(test)]\nmod tests { use crate::schedule::Day; }";
        assert!(faults("src/receipt.rs", beside).is_empty());
        let above = faults("src/receipt/tests.rs", "use crate::store::Store;");
        assert!(above[0].contains("move the test up"), "{above:?}");
    }

    #[test]
    fn a_room_without_a_floor_is_found() {
        assert_eq!(
            faults("src/attic/box.rs", ""),
            ["src/attic/box.rs: the room `attic` has no floor; give it one here"]
        );
    }

    #[test]
    fn nothing_below_the_gateways_opens_files_or_sockets_or_starts_anything() {
        let all = [
            "std::fs",
            "std::net::TcpStream",
            "std::process",
            "std::thread",
            "std::env",
            "tokio::time",
        ];
        for outside in all {
            assert_eq!(faults("src/agent.rs", &format!("use {outside};")).len(), 1, "{outside}");
        }
        assert_eq!(faults("src/agent.rs", "use std::{fmt, fs::File, io};").len(), 1);
    }

    #[test]
    fn nothing_below_the_gateways_reads_a_clock_or_draws_lots() {
        let all = [
            "Instant::now()",
            "std::time::SystemTime::now()",
            "chrono::Utc::now()",
            "getrandom::fill(b)",
        ];
        for outside in all {
            let found = faults("src/agent.rs", &format!("fn f() {{ {outside} }}"));
            assert_eq!(found.len(), 1, "{outside}");
        }
    }

    #[test]
    fn a_gateway_meets_the_outside_and_so_may_a_test() {
        assert!(faults("src/vault.rs", "use std::fs;").is_empty());
        assert!(faults("src/note.rs", "#[cfg(test)] mod tests { use std::fs; }").is_empty());
    }

    #[test]
    fn the_version_that_the_compiler_knows_is_no_outside() {
        let text = "const V: &str = env!(\"CARGO_PKG_VERSION\"); std::env!(\"X\"); let env = 1;";
        assert!(faults("src/config.rs", text).is_empty());
    }

    #[test]
    fn a_door_without_a_floor_is_found() {
        assert!(
            lib("pub mod attic;")
                .contains(&"src/lib.rs: `attic` has no floor; give it one in FLOORS".to_owned())
        );
    }

    #[test]
    fn a_floor_without_a_door_is_found() {
        assert!(lib("").iter().any(|fault| fault.contains("`note` has a floor and no `pub mod`")));
    }

    #[test]
    fn the_picture_must_show_each_room_on_its_floor() {
        let drawn = "//! ```text\n//!  6  store  vault   gateways\n//!     clock\n//! ══\n//!  5  agent\n//! ```\n";
        let found =
            lib(&format!("{drawn}pub mod clock; pub mod agent; pub mod vault; pub mod note;"));
        let misdrawn: Vec<_> = found.iter().filter(|fault| fault.contains("draw")).collect();
        assert_eq!(misdrawn, ["src/lib.rs: draw `note` on floor 0 of the picture"]);
    }

    #[test]
    fn no_room_has_two_floors() {
        for (floor, rooms) in super::FLOORS {
            for room in rooms {
                assert_eq!(floor_of(room), Some(floor), "{room} stands on two floors");
            }
        }
    }
}

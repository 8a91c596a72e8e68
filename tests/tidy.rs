//! The shape of the code and the cleanness of every text file.
//!
//! Short functions, short files, one noun to a module; no half-done work; text that reads the same
//! on every machine. Shape is measured on the library without its tests, the rest everywhere.

#[path = "reading/source.rs"]
mod source;

use std::fmt;
use std::path::Path;

use source::{Source, Token, repository};

/// Names that say nothing about what a module is.
const NOT_NOUNS: [&str; 7] = ["utils", "helpers", "common", "misc", "types", "manager", "service"];

/// What no Rust file says, and what to do instead.
const UNFINISHED: [(&[&str], &str); 5] = [
    (&["todo", "!"], "finish it"),
    (&["unimplemented", "!"], "finish it"),
    (&["#", "[", "ignore"], "a test runs or is not there"),
    (&["#", "[", "allow"], "write `#[expect(…, reason = \"…\")]`"),
    (&["#", "!", "[", "allow"], "write `#![expect(…, reason = \"…\")]`"),
];

/// What only tests say.
const UNWRAP: [&str; 4] = [".", "unwrap", "(", ")"];

/// What is true on one machine or in one workplace only. Each is written in two halves, so that
/// this file passes.
const FOREIGN: [(&str, &str); 8] = [
    (concat!("/wo", "rk/"), "a path of one machine; say it relative to the repository"),
    (concat!("/tmp/", "wk-"), "a path of one machine; say it relative to the repository"),
    (concat!(".lib", "rary/"), "a path of one machine; say it relative to the repository"),
    (concat!("CE", "O"), "a word of one workplace; name the reason itself"),
    (concat!("crates", ".io"), "the host of a registry; tools know where packages come from"),
    (concat!("pypi", ".org"), "the host of a registry; tools know where packages come from"),
    (concat!("deb.debian", ".org"), "the host of a registry; tools know where packages come from"),
    (
        concat!("registry.npmjs", ".org"),
        "the host of a registry; tools know where packages come from",
    ),
];

/// How long things may be, in lines.
struct Limits {
    median: usize,
    /// All but one in twenty are at most this long.
    p95: usize,
    max: usize,
}

const FUNCTIONS: Limits = Limits { median: 8, p95: 35, max: 70 };
const FILES: Limits = Limits { median: 200, p95: 500, max: 500 };

/// Something with a length, and where it stands.
struct Measured {
    lines: usize,
    place: String,
}

/// The lengths of all things of one kind.
struct Lengths(Vec<Measured>);

impl Lengths {
    fn new(mut all: Vec<Measured>) -> Self {
        all.sort_by_key(|it| it.lines);
        Self(all)
    }

    /// The length that this many of a hundred do not exceed.
    fn percentile(&self, hundredths: usize) -> usize {
        let rank = (self.0.len() * hundredths).div_ceil(100);
        self.0.get(rank.saturating_sub(1)).map_or(0, |it| it.lines)
    }

    /// What exceeds the limits; the first sentence tells the figures.
    fn faults(&self, what: &str, limits: &Limits) -> Vec<String> {
        let long = self.0.iter().rev().filter(|it| it.lines > limits.max);
        let mut faults: Vec<String> = long
            .map(|it| {
                format!(
                    "{} is {} lines long; split it (at most {})",
                    it.place, it.lines, limits.max
                )
            })
            .collect();
        if self.percentile(50) > limits.median || self.percentile(95) > limits.p95 {
            let longest =
                self.0.iter().rev().take(10).map(|it| format!("{} {}", it.lines, it.place));
            let longest = longest.collect::<Vec<_>>().join(", ");
            faults.push(format!("half or one in twenty is too long; the longest: {longest}"));
        }
        if !faults.is_empty() {
            let (median, p95) = (limits.median, limits.p95);
            let wanted = format!("median ≤ {median}, p95 ≤ {p95}, max ≤ {}", limits.max);
            faults.insert(0, format!("{what}: {self}; wanted: {wanted}"));
        }
        faults
    }
}

impl fmt::Display for Lengths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, median, p95) = (self.0.len(), self.percentile(50), self.percentile(95));
        write!(f, "{count} measured, median {median}, p95 {p95}, max {}", self.percentile(100))
    }
}

/// The functions of a file that are no tests, from `fn` to the closing brace.
fn functions(source: &Source) -> Vec<Measured> {
    let tokens = source.tokens();
    let starts = tokens
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| pair[0].text == "fn" && !pair[0].test && pair[1].text != "(");
    let measured = starts.filter_map(|(at, pair)| {
        let end = body_end(&tokens[at..])?;
        let place = format!("{}:{} `{}`", source.path, pair[0].line, pair[1].text);
        Some(Measured { lines: end - pair[0].line + 1, place })
    });
    measured.collect()
}

/// The line of the brace that closes the first body; `None` if a `;` comes before it.
fn body_end(tokens: &[Token]) -> Option<usize> {
    let (mut braces, mut inner) = (0_usize, 0_usize);
    for token in tokens {
        match token.text {
            "(" | "[" => inner += 1,
            ")" | "]" => inner -= 1,
            "{" => braces += 1,
            "}" if braces == 1 => return Some(token.line),
            "}" => braces -= 1,
            ";" if braces == 0 && inner == 0 => return None,
            _ => {}
        }
    }
    None
}

/// The file without the items that are there for tests: nothing, if all of it is.
fn length(source: &Source) -> Measured {
    let tests = source.tests.iter().map(|range| source.code[range.clone()].lines().count());
    let lines = source.text.lines().count() - tests.sum::<usize>();
    Measured { lines, place: source.path.clone() }
}

fn shape(source: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    if !source.is_rust() {
        return faults;
    }
    if !source.text.starts_with("//!") {
        faults.push(format!("{}:1: does not open with `//!`; say what it is", source.path));
    }
    let stem = source.path.rsplit('/').next().and_then(|name| name.strip_suffix(".rs"));
    if stem == Some("mod") {
        faults.push(format!("{}: is called mod.rs; call it after its folder", source.path));
    }
    let tokens = source.tokens();
    let inline = tokens.windows(3).filter(|it| it[0].text == "mod" && it[2].text == "{");
    let names = stem.into_iter().chain(inline.map(|it| it[1].text));
    let empty = names.filter(|name| NOT_NOUNS.contains(name));
    faults.extend(
        empty.map(|name| format!("{}: `{name}` is no noun; name what it holds", source.path)),
    );
    faults
}

fn unfinished(source: &Source) -> Vec<String> {
    let tokens = source.tokens();
    let mut faults = Vec::new();
    for (at, token) in tokens.iter().enumerate().filter(|_| source.is_rust()) {
        let begins = |words: &[&str]| {
            let here = tokens[at..].iter().map(|token| token.text);
            here.take(words.len()).eq(words.iter().copied())
        };
        let place = format!("{}:{}", source.path, token.line);
        let found = UNFINISHED.iter().filter(|(words, _)| begins(words));
        faults.extend(
            found.map(|(words, advice)| format!("{place}: says `{}`; {advice}", words.concat())),
        );
        if begins(&UNWRAP) && !token.test && is_shipped(source) {
            faults.push(format!("{place}: unwraps; return the error, or `expect` the invariant"));
        }
    }
    faults
}

/// What is wrong with the text of one line, and with its end.
fn text_faults(source: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    for (number, line) in source.text.split('\n').enumerate() {
        let place = format!("{}:{}", source.path, number + 1);
        faults.extend(line_faults(line, source.is_rust()).map(|what| format!("{place}: {what}")));
    }
    if !source.text.ends_with('\n') || source.text.ends_with("\n\n") {
        faults.push(format!("{}: does not end with one newline", source.path));
    }
    faults
}

fn line_faults(line: &str, is_rust: bool) -> impl Iterator<Item = String> {
    let decomposed = line.contains(|c| ('\u{300}'..='\u{36f}').contains(&c));
    let plain = [
        (line.contains('\r'), "ends with CR LF or holds a CR; end lines with LF"),
        (line.trim_end_matches('\r').ends_with([' ', '\t']), "ends with a blank"),
        (is_rust && line.contains('\t'), "holds a tab; write spaces, or `\\t` in a string"),
        (decomposed, "holds a combining mark; write composed letters (Unicode NFC)"),
    ];
    let plain = plain.into_iter().filter(|(is_so, _)| *is_so).map(|(_, what)| what.to_owned());
    let foreign = FOREIGN.iter().filter(|(word, _)| says(line, word));
    plain.chain(foreign.map(|(word, why)| format!("says `{word}`, {why}")))
}

/// Whether `word` stands in `line` and is no part of a longer word.
fn says(line: &str, word: &str) -> bool {
    let is_open = |next: Option<char>| !next.is_some_and(char::is_alphanumeric);
    let ends_open = word.ends_with(char::is_alphanumeric);
    line.match_indices(word).any(|(at, _)| {
        let after = line[at + word.len()..].chars().next();
        is_open(line[..at].chars().next_back()) && (!ends_open || is_open(after))
    })
}

/// Every text file of the repository.
fn everything() -> Vec<Source> {
    let found = repository(Path::new(env!("CARGO_MANIFEST_DIR")));
    assert!(found.iter().any(Source::is_library), "the library was found");
    found
}

/// The files that are built into the binaries.
fn shipped() -> Vec<Source> {
    everything().into_iter().filter(is_shipped).collect()
}

fn is_shipped(source: &Source) -> bool {
    source.is_rust() && source.path.starts_with("src/")
}

fn none_of(faults: &[String]) {
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn functions_are_short() {
    let all = Lengths::new(shipped().iter().flat_map(functions).collect());
    none_of(&all.faults("functions", &FUNCTIONS));
}

#[test]
fn files_are_short() {
    let all = Lengths::new(shipped().iter().map(length).filter(|it| it.lines > 0).collect());
    none_of(&all.faults("files", &FILES));
}

#[test]
fn every_module_says_what_it_is_and_is_named_after_it() {
    none_of(&everything().iter().flat_map(shape).collect::<Vec<_>>());
}

#[test]
fn nothing_is_half_done() {
    none_of(&everything().iter().flat_map(unfinished).collect::<Vec<_>>());
}

#[test]
fn every_text_reads_the_same_on_every_machine() {
    none_of(&everything().iter().flat_map(text_faults).collect::<Vec<_>>());
}

/// Were one literal misread, all that follows it in its file would go unseen.
#[test]
fn the_scanner_finds_every_brace_in_pairs() {
    for source in everything().iter().filter(|it| it.is_rust()) {
        let count = |brace| source.code.matches(brace).count();
        assert_eq!(count('{'), count('}'), "{}", source.path);
        assert!(source.code.len() == source.text.len(), "{} moved", source.path);
    }
}

mod ruler {
    use super::{
        FILES, FOREIGN, FUNCTIONS, Lengths, Measured, Source, functions, length, shape,
        text_faults, unfinished,
    };

    /// A function of so many lines.
    fn function(lines: usize) -> String {
        format!("fn f() {{\n{}}}\n", "    f();\n".repeat(lines - 2))
    }

    fn rust(text: &str) -> Source {
        Source::new("src/made_up.rs", text)
    }

    fn lines_of_functions(text: &str) -> Vec<usize> {
        functions(&rust(text)).iter().map(|it| it.lines).collect()
    }

    fn lengths(lines: &[usize]) -> Lengths {
        let measured = |&lines: &usize| Measured { lines, place: "a".to_owned() };
        Lengths::new(lines.iter().map(measured).collect())
    }

    #[test]
    fn a_function_is_as_long_as_from_fn_to_its_brace() {
        assert_eq!(lines_of_functions("#[must_use]\npub fn f(\n  a: [u8; 2],\n) -> u8 {\n}"), [4]);
        assert_eq!(lines_of_functions("fn f() { \"}\"; '}' } fn g() {\n}"), [1, 2]);
    }

    #[test]
    fn a_function_within_counts_for_itself_and_for_its_surroundings() {
        assert_eq!(lines_of_functions("fn f() {\n  fn g() {\n  }\n}"), [4, 2]);
    }

    #[test]
    fn what_has_no_body_is_no_function() {
        assert!(
            lines_of_functions("trait T { fn f(&self) -> [u8; 2]; } type F = fn(u8);").is_empty()
        );
    }

    #[test]
    fn the_functions_of_tests_do_not_count() {
        let text = "fn f() {}\n#[cfg(test)]\nmod tests {\n  fn g() {\n}\n}\nfn h() {}";
        assert_eq!(lines_of_functions(text), [1, 1]);
    }

    #[test]
    fn one_function_over_the_maximum_is_found_and_named() {
        let all = Lengths::new(functions(&rust(&format!("\n{}", function(71)))));
        let faults = all.faults("functions", &FUNCTIONS);
        assert!(faults[0].starts_with("functions: 1 measured, median 71, p95 71, max 71; wanted"));
        assert_eq!(
            faults[1], "src/made_up.rs:2 `f` is 71 lines long; split it (at most 70)",
            "{faults:?}"
        );
    }

    #[test]
    fn a_function_of_the_maximum_passes() {
        assert!(
            lengths(&[&[1; 99][..], &[70]].concat()).faults("functions", &FUNCTIONS).is_empty()
        );
    }

    #[test]
    fn a_median_over_the_limit_is_found() {
        assert_eq!(lengths(&[8, 8, 9]).faults("functions", &FUNCTIONS).len(), 0);
        assert!(lengths(&[8, 9, 9]).faults("functions", &FUNCTIONS)[0].contains("median 9"));
    }

    #[test]
    fn more_than_one_in_twenty_over_the_limit_is_found() {
        let nineteen = [1; 19];
        assert_eq!(lengths(&[&nineteen[..], &[36]].concat()).faults("", &FUNCTIONS).len(), 0);
        let faults = lengths(&[&nineteen[..], &[36, 36]].concat()).faults("", &FUNCTIONS);
        assert!(faults[0].contains("p95 36"), "{faults:?}");
    }

    #[test]
    fn a_file_is_measured_without_its_tests() {
        let tests = "#[cfg(test)]\nmod tests {\n\n}\n";
        assert_eq!(length(&rust(&format!("//! A.\n\n{tests}"))).lines, 2);
        assert_eq!(length(&Source::new("src/a/tests.rs", "//! A.\n")).lines, 0);
    }

    #[test]
    fn a_file_over_the_maximum_is_found() {
        let long = Lengths::new(vec![length(&rust(&"\n".repeat(501)))]);
        assert!(long.faults("files", &FILES)[1].contains("is 501 lines long"));
    }

    #[test]
    fn a_module_that_does_not_say_what_it_is_is_found() {
        assert!(shape(&rust("// A.\n"))[0].contains("does not open with `//!`"));
        assert!(shape(&rust("//! A.\n")).is_empty());
        assert!(shape(&Source::new("docs/a.md", "A.\n")).is_empty());
    }

    #[test]
    fn a_module_named_after_nothing_is_found() {
        for path in ["src/a/mod.rs", "src/utils.rs", "src/a/manager.rs"] {
            assert_eq!(shape(&Source::new(path, "//! A.\n")).len(), 1, "{path}");
        }
        assert_eq!(shape(&rust("//! A.\nmod helpers { }\n")).len(), 1);
    }

    #[test]
    fn half_done_work_is_found_in_tests_too() {
        for text in ["todo!()", "unimplemented!(\"a\")", "#[ignore]", "#[allow(x)]", "#![allow(x)]"]
        {
            let found = unfinished(&Source::new("tests/made_up.rs", text));
            assert_eq!(found.len(), 1, "{text}");
        }
    }

    #[test]
    fn words_about_half_done_work_are_none() {
        let text = "// todo!()\nlet todo = \"todo!(), #[allow(x)]\"; fn ignore() {} allow(todo);";
        assert!(unfinished(&rust(text)).is_empty());
    }

    #[test]
    fn only_tests_unwrap() {
        let found = unfinished(&rust("\na\n  .unwrap();\n#[cfg(test)] mod tests { a.unwrap() }"));
        assert_eq!(
            found,
            ["src/made_up.rs:3: unwraps; return the error, or `expect` the invariant"]
        );
        assert!(unfinished(&Source::new("tests/a.rs", "a.unwrap()")).is_empty());
        assert!(unfinished(&rust("a.unwrap_or(b)")).is_empty());
    }

    #[test]
    fn blanks_that_nobody_sees_are_found() {
        assert_eq!(text_faults(&rust("a \nb\t\n")).len(), 3);
        assert_eq!(text_faults(&rust("a\r\n")).len(), 1);
        assert_eq!(text_faults(&rust("\ta\n")).len(), 1);
        assert!(text_faults(&Source::new("run.sh", "\ta\n")).is_empty());
    }

    #[test]
    fn a_file_ends_with_one_newline() {
        assert!(text_faults(&rust("a\n")).is_empty());
        assert_eq!(text_faults(&rust("a")).len(), 1);
        assert_eq!(text_faults(&rust("a\n\n")).len(), 1);
    }

    #[test]
    fn a_decomposed_letter_is_found_and_a_composed_one_passes() {
        assert!(text_faults(&Source::new("a.md", "Bản tin Mông\n")).is_empty());
        assert_eq!(
            text_faults(&Source::new("a.md", "a\nBa\u{309}n\n")),
            ["a.md:2: holds a combining mark; write composed letters (Unicode NFC)"]
        );
    }

    #[test]
    fn what_is_true_on_one_machine_only_is_found() {
        for (word, _) in FOREIGN {
            let source = Source::new("docs/a.md", &format!("See `{word}` there.\n"));
            assert_eq!(text_faults(&source).len(), 1, "{word}");
        }
        let deep =
            format!("In {}{}env and static.{}/a\n", FOREIGN[0].0, FOREIGN[2].0, FOREIGN[4].0);
        assert_eq!(text_faults(&Source::new("docs/a.md", &deep)).len(), 3);
    }

    #[test]
    fn a_word_that_only_begins_or_ends_like_a_foreign_one_passes() {
        let text = concat!("docs/wo", "rk/a.md, self.lib", "rary.len() / 2, VICE", "OS\n");
        assert!(text_faults(&Source::new("docs/a.md", text)).is_empty());
    }
}

//! The text files of this repository, and of Rust files what the compiler would read of them.
//!
//! A scanner, no parser: it knows comments, literals, braces and `#[cfg(test)]`, which is enough to
//! measure shape and to follow paths. **It never changes where a line or a byte stands**, so every
//! fault can name its line.

use std::fs;
use std::iter;
use std::ops::Range;
use std::path::Path;

/// The kinds of text that the repository keeps.
const KINDS: [&str; 6] = ["rs", "md", "toml", "html", "sql", "sh"];

/// Scripts that are called by their bare name.
const SCRIPTS: [&str; 1] = ["run"];

/// One text file.
pub struct Source {
    /// From the root of the repository, with `/`.
    pub path: String,
    pub text: String,
    /// The text with comments and the insides of literals blanked; all of it if it is not Rust.
    pub code: String,
    /// Where the code is only there for tests.
    pub tests: Vec<Range<usize>>,
}

/// A word, a `::`, or one sign of the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    pub text: &'a str,
    pub line: usize,
    /// Whether it is only there for tests.
    pub test: bool,
}

impl Source {
    /// Reads `text` as what stands at `path`.
    pub fn new(path: &str, text: &str) -> Self {
        let code = if is_rust(path) { blanked(text) } else { text.to_owned() };
        let tests = match path {
            _ if !is_rust(path) => Vec::new(),
            _ if is_test_file(path) => iter::once(0..code.len()).collect(),
            _ => test_items(&code),
        };
        Self { path: path.to_owned(), text: text.to_owned(), code, tests }
    }

    pub fn is_rust(&self) -> bool {
        is_rust(&self.path)
    }

    /// Whether this is a module of the library.
    pub fn is_library(&self) -> bool {
        self.is_rust() && self.path.starts_with("src/") && !self.path.starts_with("src/bin/")
    }

    /// The code, word for word.
    pub fn tokens(&self) -> Vec<Token<'_>> {
        let (mut line, mut at, mut tokens) = (1, 0, Vec::new());
        while let Some(first) = self.code[at..].chars().next() {
            let text = &self.code[at..at + token_length(&self.code[at..], first)];
            if first == '\n' {
                line += 1;
            } else if !first.is_whitespace() {
                tokens.push(Token { text, line, test: self.tests.iter().any(|r| r.contains(&at)) });
            }
            at += text.len();
        }
        tokens
    }
}

/// Every text file under `root` but what was built or made by a demonstration, by path.
pub fn repository(root: &Path) -> Vec<Source> {
    let mut found = Vec::new();
    walk(root, "", &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<Source>) {
    let entries = fs::read_dir(folder).expect("a folder of the repository can be listed");
    for entry in entries.map(|entry| entry.expect("a folder of the repository can be listed")) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let (path, kind) = (format!("{prefix}{name}"), entry.file_type().expect("it has a kind"));
        if kind.is_dir() && !is_foreign(&name) {
            walk(&entry.path(), &format!("{path}/"), found);
        } else if kind.is_file() && is_text(&name) {
            let text = fs::read_to_string(entry.path());
            found.push(Source::new(&path, &text.unwrap_or_else(|why| panic!("{path}: {why}"))));
        }
    }
}

fn is_text(name: &str) -> bool {
    SCRIPTS.contains(&name) || KINDS.iter().any(|kind| has_extension(name, kind))
}

fn is_foreign(folder: &str) -> bool {
    folder == "target" || folder == ".git" || folder.starts_with("loaban-demo")
}

fn is_rust(path: &str) -> bool {
    has_extension(path, "rs")
}

fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|it| it == extension)
}

/// Whether all of the file is there for tests: `tests.rs`, what it holds, and the folders of tests.
fn is_test_file(path: &str) -> bool {
    let (mut folders, name) = (path.split('/'), path.rsplit('/').next());
    name == Some("tests.rs") || folders.any(|folder| ["tests", "benches", "fuzz"].contains(&folder))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn token_length(rest: &str, first: char) -> usize {
    match first {
        _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
        ':' if rest.starts_with("::") => 2,
        _ => first.len_utf8(),
    }
}

/// The text with comments and the insides of literals blanked.
fn blanked(text: &str) -> String {
    let (mut code, mut at) = (String::with_capacity(text.len()), 0);
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let after_word = text[..at].chars().next_back().is_some_and(is_word);
        if let Some(length) = hidden_length(rest, after_word) {
            code.extend(rest[..length].bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }));
            at += length;
        } else {
            code.push(c);
            at += c.len_utf8();
        }
    }
    code
}

/// How long the comment or literal is that begins here, if one does.
fn hidden_length(rest: &str, after_word: bool) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment_length(rest));
    }
    if rest.starts_with('"') {
        return Some(string_length(rest));
    }
    if rest.starts_with('\'') {
        return char_length(rest);
    }
    if after_word { None } else { raw_string_length(rest) }
}

/// Block comments nest.
fn block_comment_length(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(c) = rest[at..].chars().next() {
        let sign = &rest[at..];
        let (step, now) = match () {
            () if sign.starts_with("/*") => (2, depth + 1),
            () if sign.starts_with("*/") => (2, depth - 1),
            () => (c.len_utf8(), depth),
        };
        (at, depth) = (at + step, now);
        if depth == 0 {
            break;
        }
    }
    at
}

fn string_length(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// `None` for a lifetime, which opens with the same sign.
fn char_length(rest: &str) -> Option<usize> {
    let mut chars = rest.char_indices().skip(1);
    let (_, first) = chars.next()?;
    let (second_at, second) = chars.next()?;
    match first {
        '\\' => rest[second_at + second.len_utf8()..]
            .find('\'')
            .map(|end| second_at + second.len_utf8() + end + 1),
        _ => (second == '\'').then_some(second_at + 1),
    }
}

fn raw_string_length(rest: &str) -> Option<usize> {
    let prefix = ["br", "cr", "r"].into_iter().find(|prefix| rest.starts_with(prefix))?;
    let hashes = rest[prefix.len()..].bytes().take_while(|&b| b == b'#').count();
    let open = prefix.len() + hashes + 1;
    if rest.as_bytes().get(open - 1) != Some(&b'"') {
        return None;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    Some(rest[open..].find(&close).map_or(rest.len(), |end| open + end + close.len()))
}

/// Where items stand under `#[cfg(test)]`, or under a condition that demands it.
fn test_items(code: &str) -> Vec<Range<usize>> {
    let (mut items, mut from) = (Vec::new(), 0);
    while let Some(at) = code[from..].find("#[cfg(").map(|at| from + at) {
        let condition = &code[at + "#[cfg(".len()..];
        from = at + 1;
        if condition.starts_with("test)") || condition.starts_with("all(test,") {
            from = at + item_length(&code[at..]);
            items.push(at..from);
        }
    }
    items
}

/// An item ends with its `;`, with the `}` of its body, or where that of its surroundings comes.
fn item_length(rest: &str) -> usize {
    let (mut depth, mut inner) = (0_i32, 0_i32);
    for (at, c) in rest.char_indices() {
        match c {
            '(' | '[' => inner += 1,
            ')' | ']' => inner -= 1,
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return at;
        }
        if depth == 0 && (c == '}' || c == ';') && inner == 0 {
            return at + c.len_utf8();
        }
    }
    rest.len()
}

mod tests {
    use super::Source;

    /// The words of `text`, those of tests in parentheses.
    fn words(text: &str) -> String {
        let source = Source::new("src/made_up.rs", text);
        let tokens = source.tokens().into_iter();
        let shown = tokens.map(|token| {
            if token.test { format!("({})", token.text) } else { token.text.to_owned() }
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_are_no_code() {
        assert_eq!(words("a // b\n/* c /* d */ e */ f"), "a f");
    }

    #[test]
    fn what_a_string_says_is_no_code() {
        assert_eq!(words(r#"a "b \" // c" d"#), "a d");
        assert_eq!(words("a r#\"b \" c\"# d br\"e\" f"), "a d f");
        assert_eq!(words("bar\"b\" c"), "bar c");
    }

    #[test]
    fn a_quote_or_a_brace_in_a_char_opens_nothing() {
        assert_eq!(words(r#"a '"' b '{' c '\'' d '\u{1f}' e 'ế' f"#), "a b c d e f");
    }

    #[test]
    fn a_lifetime_is_no_char() {
        assert_eq!(words("&'a str, 'x'"), "& ' a str ,");
    }

    #[test]
    fn a_word_knows_its_line() {
        let source = Source::new("src/made_up.rs", "\"ế\n\"\n/*\n*/ a");
        assert_eq!(source.tokens().last().map(|token| token.line), Some(4));
    }

    #[test]
    fn an_inline_module_of_tests_is_a_test() {
        assert_eq!(words("#[cfg(test)]\nmod t { a }\nb").split(") ").last(), Some("b"));
    }

    #[test]
    fn an_item_of_tests_ends_with_its_semicolon() {
        assert!(words("#[cfg(test)] const A: [u8; 2] = [1; 2]; b").ends_with("(;) b"));
    }

    #[test]
    fn code_that_a_feature_brings_is_no_test() {
        assert!(words("#[cfg(any(test, unix))] mod a { b }").ends_with(" b }"));
        assert!(words("#[cfg(not(test))] mod a { b }").ends_with(" b }"));
    }

    #[test]
    fn the_file_of_tests_and_what_it_holds_are_tests() {
        for path in ["src/a/tests.rs", "src/a/tests/edge.rs", "tests/log.rs"] {
            assert!(Source::new(path, "a").tokens()[0].test, "{path}");
        }
    }
}

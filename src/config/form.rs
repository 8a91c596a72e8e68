//! A TOML document read key by key, with the line of everything in it.

use std::cell::RefCell;
use std::fmt::Display;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{FILE_BYTES_MAX, Fault, Faults};

/// Where the values of one document stand, and what was found wrong with them.
struct Form<'f> {
    file: &'f str,
    line_starts: Vec<usize>,
    faults: RefCell<Vec<Fault>>,
}

impl<'f> Form<'f> {
    fn new(file: &'f str, text: &str) -> Self {
        let after_feeds = text.match_indices('\n').map(|(at, _)| at + 1);
        let line_starts = std::iter::once(0).chain(after_feeds).collect();
        Self { file, line_starts, faults: RefCell::default() }
    }

    fn line(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|&start| start <= offset)
    }

    fn fault(&self, line: usize, sentence: String) {
        self.faults.borrow_mut().push(Fault { file: self.file.to_owned(), line, sentence });
    }
}

/// Reads `text`, which came from `file`, into what `build` makes of it.
///
/// `build` reads every key first and only then gives up on those that failed:
///
/// ```
/// use loaban::config::{self, parse};
/// use std::net::SocketAddr;
///
/// let text = "listen = \"127.0.0.1:8080\"\n[store]\npool = 4\n";
/// let (listen, pool) = config::read("loaban.toml", text, |form| {
///     let listen = form.required("listen", str::parse::<SocketAddr>);
///     let pool = form.section("store", |store| store.required("pool", parse::within::<u32>(1..=64)));
///     Some((listen?, pool?))
/// })?;
/// assert_eq!((listen.port(), pool), (8080, 4));
/// # Ok::<(), config::Faults>(())
/// ```
///
/// # Panics
/// Where `build` returns `None` although nothing was wrong.
pub fn read<T>(
    file: &str,
    text: &str,
    build: impl FnOnce(&mut Table<'_>) -> Option<T>,
) -> Result<T, Faults> {
    let form = Form::new(file, text);
    if text.len() > FILE_BYTES_MAX {
        let bytes = text.len();
        form.fault(1, format!("{bytes} bytes are more than {FILE_BYTES_MAX}; split the file"));
        return Err(Faults(form.faults.into_inner()));
    }
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let line = form.line(error.span().map_or(0, |span| span.start));
        form.fault(line, format!("not TOML: {}", error.message().replace('\n', " ")));
    }
    // What a broken document seems to say is not worth a second sentence.
    let value =
        if errors.is_empty() { Table::read(&form, Some(root.get_ref()), 1, build) } else { None };
    let value = Faults(form.faults.into_inner()).or(value)?;
    Ok(value.expect("a reading that yields nothing has noted a fault"))
}

/// One table of a document. Every key that is asked for is known; any other is a fault.
pub struct Table<'f> {
    form: &'f Form<'f>,
    entries: Option<&'f DeTable<'f>>,
    line: usize,
    known: Vec<&'static str>,
}

impl<'f> Table<'f> {
    fn read<T>(
        form: &'f Form<'f>,
        entries: Option<&'f DeTable<'f>>,
        line: usize,
        build: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let mut table = Self { form, entries, line, known: Vec::new() };
        let value = build(&mut table);
        table.refuse_unknown();
        value
    }

    /// The line on which the table begins.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Notes a fault at `key`, or at the table's beginning where it has no such key.
    pub fn fault(&self, key: &str, sentence: impl Into<String>) {
        let line = self.value(key).map_or(self.line, |value| self.form.line(value.span().start));
        self.form.fault(line, sentence.into());
    }

    /// Whether `key` is there.
    pub fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// Whether `key` is there and is a list.
    pub fn has_list(&self, key: &str) -> bool {
        self.value(key).is_some_and(|value| value.get_ref().is_array())
    }

    /// The value of `key`; a fault where it is missing, of another kind, or refused by `parse`.
    pub fn required<A, T, E>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(A) -> Result<T, E>,
    ) -> Option<T>
    where
        A: FromValue<'f>,
        E: Display,
    {
        let value = self.optional(key, parse);
        if !self.has(key) {
            self.form.fault(self.line, format!("`{key}` is missing; write {key} = …"));
        }
        value
    }

    /// The value of `key`, `None` where it is missing; a fault where it is wrong.
    pub fn optional<A, T, E>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(A) -> Result<T, E>,
    ) -> Option<T>
    where
        A: FromValue<'f>,
        E: Display,
    {
        self.known.push(key);
        self.parse_value(key, self.value(key)?, parse)
    }

    /// The values of the list `key`, `None` where it is missing; a fault for each that is wrong.
    pub fn list<A, T, E>(
        &mut self,
        key: &'static str,
        mut parse: impl FnMut(A) -> Result<T, E>,
    ) -> Option<Vec<T>>
    where
        A: FromValue<'f>,
        E: Display,
    {
        self.known.push(key);
        let value = self.value(key)?;
        let Some(values) = value.get_ref().as_array() else {
            self.wrong_kind(key, "a list in [ ]", value);
            return None;
        };
        Some(values.iter().filter_map(|value| self.parse_value(key, value, &mut parse)).collect())
    }

    /// What `build` makes of the table `key`, `None` where it is missing.
    pub fn table<T>(
        &mut self,
        key: &'static str,
        build: impl FnOnce(&mut Table<'f>) -> Option<T>,
    ) -> Option<T> {
        self.known.push(key);
        self.nested(key, self.value(key)?, build)
    }

    /// Like [`Table::table`]; a missing table is read as an empty one, so its defaults stand and
    /// its required keys are named.
    pub fn section<T>(
        &mut self,
        key: &'static str,
        build: impl FnOnce(&mut Table<'f>) -> Option<T>,
    ) -> Option<T> {
        if self.has(key) {
            return self.table(key, build);
        }
        self.known.push(key);
        Self::read(self.form, None, self.line, build)
    }

    /// What `build` makes of each table of `[[key]]`, in their order; empty where there is none.
    pub fn tables<T>(
        &mut self,
        key: &'static str,
        mut build: impl FnMut(&mut Table<'f>) -> Option<T>,
    ) -> Vec<T> {
        self.known.push(key);
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(values) = value.get_ref().as_array() else {
            self.wrong_kind(key, &format!("a list of tables, each under [[{key}]]"), value);
            return Vec::new();
        };
        values.iter().filter_map(|value| self.nested(key, value, &mut build)).collect()
    }

    fn value(&self, key: &str) -> Option<&'f Spanned<DeValue<'f>>> {
        self.entries?.get(key)
    }

    fn parse_value<A, T, E>(
        &self,
        key: &str,
        value: &'f Spanned<DeValue<'f>>,
        parse: impl FnOnce(A) -> Result<T, E>,
    ) -> Option<T>
    where
        A: FromValue<'f>,
        E: Display,
    {
        let line = self.form.line(value.span().start);
        let Some(raw) = A::from_value(value.get_ref(), line) else {
            self.wrong_kind(key, A::KIND, value);
            return None;
        };
        let refuse = |error| self.form.fault(line, format!("`{key}`: {error}"));
        parse(raw).map_err(refuse).ok()
    }

    fn nested<T>(
        &self,
        key: &str,
        value: &'f Spanned<DeValue<'f>>,
        build: impl FnOnce(&mut Table<'f>) -> Option<T>,
    ) -> Option<T> {
        let Some(entries) = value.get_ref().as_table() else {
            self.wrong_kind(key, "a table", value);
            return None;
        };
        Self::read(self.form, Some(entries), self.form.line(value.span().start), build)
    }

    fn wrong_kind(&self, key: &str, wanted: &str, value: &Spanned<DeValue<'_>>) {
        let found = value.get_ref().type_str();
        let line = self.form.line(value.span().start);
        self.form.fault(line, format!("`{key}` must be {wanted}, not {found}"));
    }

    fn refuse_unknown(&self) {
        for key in self.entries.into_iter().flat_map(DeTable::keys) {
            if self.known.contains(&key.get_ref().as_ref()) {
                continue;
            }
            let known = self.known.join(", ");
            let sentence = format!("unknown key `{}`; known here: {known}", key.get_ref());
            self.form.fault(self.form.line(key.span().start), sentence);
        }
    }
}

/// What a parser may ask of a TOML value: `&str`, `i64`, `bool`, or one of them [`At`] its line.
pub trait FromValue<'f>: Sized {
    /// What it is called where something else was found.
    const KIND: &'static str;

    /// The value, where it is of this kind; `line` is where it stands.
    fn from_value(value: &'f DeValue<'f>, line: usize) -> Option<Self>;
}

impl<'f> FromValue<'f> for &'f str {
    const KIND: &'static str = "text in quotes";

    fn from_value(value: &'f DeValue<'f>, _line: usize) -> Option<Self> {
        value.as_str()
    }
}

impl<'f> FromValue<'f> for i64 {
    const KIND: &'static str = "a whole number of at most 63 bits";

    fn from_value(value: &'f DeValue<'f>, _line: usize) -> Option<Self> {
        let number = value.as_integer()?;
        Self::from_str_radix(number.as_str(), number.radix()).ok()
    }
}

impl<'f> FromValue<'f> for bool {
    const KIND: &'static str = "true or false";

    fn from_value(value: &'f DeValue<'f>, _line: usize) -> Option<Self> {
        value.as_bool()
    }
}

/// A value with the line on which it stands, for checks that come after the reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At<T> {
    /// The line, counted from 1.
    pub line: usize,
    /// What stands there.
    pub value: T,
}

impl<T> At<T> {
    /// What `parse` makes of the value, still at its line.
    pub fn parse<U, E>(self, parse: impl FnOnce(T) -> Result<U, E>) -> Result<At<U>, E> {
        Ok(At { line: self.line, value: parse(self.value)? })
    }
}

impl<'f, A: FromValue<'f>> FromValue<'f> for At<A> {
    const KIND: &'static str = A::KIND;

    fn from_value(value: &'f DeValue<'f>, line: usize) -> Option<Self> {
        Some(Self { line, value: A::from_value(value, line)? })
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::super::FAULTS_MAX;
    use super::super::parse::{switch, within};
    use super::*;

    type Sample = (SocketAddr, Option<u32>, Vec<String>, Vec<bool>);

    fn sample(text: &str) -> Result<Sample, Faults> {
        read("a.toml", text, |form| {
            let listen = form.required("listen", str::parse::<SocketAddr>);
            let store =
                form.section("store", |store| Some(store.optional("pool", within::<u32>(1..=64))));
            let names = form.list("names", |name: &str| Ok::<_, String>(name.to_owned()));
            let on = form.tables("site", |site| site.required("on", switch));
            Some((listen?, store?, names.unwrap_or_default(), on))
        })
    }

    #[test]
    fn a_whole_file_becomes_a_whole_value() {
        let text = "listen = \"[::1]:80\"\nnames = [\"a\",\n\"b\"]\n[store]\npool = 0x10\n\
            [[site]]\non = true\n[[site]]\non = false\n";
        let (listen, pool, names, on) = sample(text).unwrap();
        assert_eq!((listen.port(), pool), (80, Some(16)));
        assert_eq!((names.len(), on), (2, vec![true, false]));
    }

    #[test]
    fn every_fault_is_named_at_once_with_its_line() {
        let text = "names = [\"a\",\n7]\nlisten = \"here\"\n[store]\npool = 65\nspeed = 1\n\
            [[site]]\n\n[[site]]\non = 1\n";
        let faults = sample(text).unwrap_err().to_string();
        let lines: Vec<&str> = faults.lines().collect();
        assert_eq!(lines[0], "a.toml:2: `names` must be text in quotes, not integer");
        assert_eq!(lines[1], "a.toml:3: `listen`: invalid socket address syntax");
        assert_eq!(lines[2], "a.toml:5: `pool`: 65 is outside 1 to 64; choose inside it");
        assert_eq!(lines[3], "a.toml:6: unknown key `speed`; known here: pool");
        assert_eq!(lines[4], "a.toml:7: `on` is missing; write on = …");
        assert_eq!(lines[5], "a.toml:10: `on` must be true or false, not integer");
        assert_eq!(lines.len(), 6, "{faults}");
    }

    #[test]
    fn text_that_is_no_toml_is_a_fault_with_its_line() {
        let faults = sample("listen = \"[::1]:80\"\nnames = [\n").unwrap_err();
        assert!(faults.0.iter().all(|fault| fault.line >= 2), "{faults}");
        assert!(faults.to_string().contains("not TOML"), "{faults}");
    }

    #[test]
    fn a_key_written_twice_is_a_fault() {
        let faults = sample("listen = \"[::1]:80\"\nlisten = \"[::1]:81\"\n").unwrap_err();
        assert_eq!(faults.0[0].line, 2, "{faults}");
    }

    #[test]
    fn a_file_that_is_too_large_is_not_even_parsed() {
        let faults = sample(&" ".repeat(FILE_BYTES_MAX + 1)).unwrap_err();
        assert!(faults.to_string().contains("split the file"), "{faults}");
    }

    #[test]
    fn a_number_beyond_63_bits_is_a_fault_and_no_panic() {
        let text = "listen = \"[::1]:80\"\n[store]\npool = 99999999999999999999\n";
        assert!(sample(text).unwrap_err().to_string().contains("63 bits"));
    }

    #[test]
    fn a_file_of_nothing_but_faults_names_the_first_of_them_and_counts_the_rest() {
        let keys: Vec<String> = (0..FAULTS_MAX + 50).map(|i| format!("k{i} = 1\n")).collect();
        let faults = sample(&keys.concat()).unwrap_err().0;
        assert_eq!(faults.len(), FAULTS_MAX + 1);
        assert_eq!(faults[FAULTS_MAX].sentence, "51 more faults; mend these first");
    }

    #[test]
    fn a_value_keeps_its_line_where_the_parser_asks_for_it() {
        let text = "names = [\n\"a\",\n\"b\"]\n";
        let names = read("a.toml", text, |form| {
            form.list("names", |name: At<&str>| Ok::<_, String>(name.line))
        });
        assert_eq!(names, Ok(vec![2, 3]));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "[a-z\\[\\]{}=\"'#., \n0-9_-]{0,120}") {
            if let Err(faults) = sample(&text) {
                proptest::prop_assert!(!faults.0.is_empty());
                let lines = text.matches('\n').count() + 1;
                proptest::prop_assert!(faults.0.iter().all(|f| (1..=lines).contains(&f.line)));
            }
        }
    }
}

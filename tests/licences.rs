//! Every crate that is built in may be passed on: its licence is one of a short list, or offers one.
//!
//! Licences are read as SPDX expressions (SPDX 2.3, annex D) from what `cargo metadata` tells, for
//! every platform. The old `MIT/Apache-2.0` means `OR`.

use std::process::Command;

use serde_json::Value;

/// Licences under which a crate may be part of this work: permissive ones, and MPL-2.0, which binds
/// its own files only.
const ALLOWED: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// The words of an expression that are still to be read.
struct Expression<'a> {
    rest: &'a [String],
}

impl Expression<'_> {
    /// `a AND b OR c`: AND binds closer than OR.
    fn any(&mut self) -> Option<bool> {
        let mut satisfied = self.all()?;
        while self.takes("OR") {
            satisfied |= self.all()?;
        }
        Some(satisfied)
    }

    fn all(&mut self) -> Option<bool> {
        let mut satisfied = self.one()?;
        while self.takes("AND") {
            satisfied &= self.one()?;
        }
        Some(satisfied)
    }

    fn one(&mut self) -> Option<bool> {
        if self.takes("(") {
            let satisfied = self.any()?;
            return self.takes(")").then_some(satisfied);
        }
        let licence = self.name()?;
        if self.takes("WITH") {
            // An exception only permits more than its licence.
            self.name()?;
        }
        // `+`: this version or a later one.
        Some(ALLOWED.contains(&licence.trim_end_matches('+')))
    }

    fn name(&mut self) -> Option<String> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        let is_sign = ["AND", "OR", "WITH", "(", ")"].contains(&first.as_str());
        (!is_sign).then(|| first.clone())
    }

    fn takes(&mut self, sign: &str) -> bool {
        let is_next = self.rest.first().is_some_and(|word| word == sign);
        if is_next {
            self.rest = &self.rest[1..];
        }
        is_next
    }
}

/// Whether the allowed licences satisfy `text`; `None` if it is no expression.
fn is_satisfied(text: &str) -> Option<bool> {
    let spaced = text.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<String> = spaced.split_whitespace().map(str::to_owned).collect();
    let mut expression = Expression { rest: &words };
    let satisfied = expression.any()?;
    expression.rest.is_empty().then_some(satisfied)
}

/// What is wrong with the licence of one package of the metadata.
fn fault(package: &Value) -> Option<String> {
    let name = format!("{} {}", text(package, "name")?, text(package, "version")?);
    let Some(licence) = text(package, "license") else {
        return Some(format!("{name} names no licence; read its files, or replace it"));
    };
    match is_satisfied(licence) {
        Some(true) => None,
        Some(false) => {
            Some(format!("{name} is under `{licence}`, which is not allowed; replace it"))
        }
        None => Some(format!("{name} is under `{licence}`, which is no SPDX expression")),
    }
}

fn text<'a>(package: &'a Value, key: &str) -> Option<&'a str> {
    package.get(key)?.as_str()
}

/// Every package that the lock file names, as cargo describes it.
fn packages() -> Vec<Value> {
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo can be started, for it runs this test");
    assert!(
        cargo.status.success(),
        "cargo metadata failed; run `cargo fetch --locked` first:\n{}",
        String::from_utf8_lossy(&cargo.stderr)
    );
    let mut metadata: Value = serde_json::from_slice(&cargo.stdout).expect("cargo writes JSON");
    match metadata["packages"].take() {
        Value::Array(packages) => packages,
        other => panic!("the packages are a list, not {other}"),
    }
}

#[test]
fn every_dependency_may_be_passed_on() {
    let packages = packages();
    let faults: Vec<String> = packages.iter().filter_map(fault).collect();
    assert!(packages.len() > 1, "there are dependencies to look at");
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

mod expression {
    use serde_json::json;

    use super::{fault, is_satisfied};

    #[test]
    fn an_allowed_licence_is_satisfied_and_another_is_not() {
        assert_eq!(is_satisfied("MIT"), Some(true));
        assert_eq!(is_satisfied("GPL-3.0-only"), Some(false));
        assert_eq!(is_satisfied("mit"), Some(false));
    }

    #[test]
    fn one_side_of_an_or_is_enough() {
        assert_eq!(is_satisfied("MIT OR GPL-3.0-only"), Some(true));
        assert_eq!(is_satisfied("GPL-3.0-only OR MIT"), Some(true));
        assert_eq!(is_satisfied("GPL-2.0-only OR GPL-3.0-only"), Some(false));
    }

    #[test]
    fn an_and_needs_both_sides() {
        assert_eq!(is_satisfied("MIT AND BSD-3-Clause"), Some(true));
        assert_eq!(is_satisfied("MIT AND GPL-3.0-only"), Some(false));
        assert_eq!(is_satisfied("GPL-3.0-only AND MIT"), Some(false));
    }

    #[test]
    fn and_binds_closer_than_or() {
        assert_eq!(is_satisfied("MIT OR ISC AND GPL-3.0-only"), Some(true));
        assert_eq!(is_satisfied("GPL-3.0-only AND ISC OR MIT"), Some(true));
    }

    #[test]
    fn parentheses_bind_closest() {
        assert_eq!(is_satisfied("(MIT OR ISC) AND GPL-3.0-only"), Some(false));
        assert_eq!(is_satisfied("(MIT OR GPL-3.0-only) AND Unicode-3.0"), Some(true));
        assert_eq!(is_satisfied("((MIT))"), Some(true));
    }

    #[test]
    fn an_exception_takes_nothing_away_and_allows_no_other_licence() {
        assert_eq!(is_satisfied("Apache-2.0 WITH LLVM-exception"), Some(true));
        assert_eq!(is_satisfied("GPL-2.0-only WITH Classpath-exception-2.0"), Some(false));
        assert_eq!(is_satisfied("GPL-2.0-only WITH Classpath-exception-2.0 OR MIT"), Some(true));
    }

    #[test]
    fn the_old_slash_is_an_or() {
        assert_eq!(is_satisfied("GPL-3.0/MIT"), Some(true));
        assert_eq!(is_satisfied("GPL-2.0 / GPL-3.0"), Some(false));
    }

    #[test]
    fn a_later_version_includes_this_one() {
        assert_eq!(is_satisfied("Apache-2.0+"), Some(true));
    }

    #[test]
    fn what_is_no_expression_is_not_guessed() {
        for text in ["", "MIT OR", "OR MIT", "(MIT", "MIT)", "MIT ISC", "MIT WITH", "AND", "()"] {
            assert_eq!(is_satisfied(text), None, "{text}");
        }
    }

    #[test]
    fn a_fault_names_the_crate_and_its_licence() {
        let package = json!({"name": "a", "version": "1.0.0", "license": "GPL-3.0-only"});
        let found = fault(&package).expect("it is not allowed");
        assert_eq!(found, "a 1.0.0 is under `GPL-3.0-only`, which is not allowed; replace it");
    }

    #[test]
    fn a_crate_that_names_no_licence_is_found() {
        let package = json!({"name": "a", "version": "1.0.0", "license": null});
        assert!(fault(&package).expect("it is found").contains("a 1.0.0 names no licence"));
    }

    #[test]
    fn a_crate_under_an_allowed_licence_passes() {
        let package = json!({"name": "a", "version": "1.0.0", "license": "MIT OR Apache-2.0"});
        assert_eq!(fault(&package), None);
    }
}

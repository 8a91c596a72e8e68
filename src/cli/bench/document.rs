//! A part of a document that a command writes: what stands between two marks is replaced, the rest is left alone.

use std::fs;
use std::path::Path;

use anyhow::Context;

use crate::vault::write_atomic;

/// Replaces what stands between `<!-- begin: NAME -->` and `<!-- end: NAME -->` in the file.
pub(super) fn rewrite(path: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let old =
        fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let new = replaced(&old, name, text).with_context(|| {
        format!(
            "{} has no part between <!-- begin: {name} --> and <!-- end: {name} -->",
            path.display()
        )
    })?;
    Ok(write_atomic(path, new.as_bytes())?)
}

fn replaced(old: &str, name: &str, text: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- begin: {name} -->\n"), format!("<!-- end: {name} -->"));
    let (before, rest) = old.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some([before, &begin, "\n", text.trim(), "\n\n", &end, after].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_is_replaced_and_twice_is_once() {
        let old = "a\n<!-- begin: x -->\nold\n<!-- end: x -->\nb\n";
        let new = replaced(old, "x", "new\n").unwrap();
        assert_eq!(new, "a\n<!-- begin: x -->\n\nnew\n\n<!-- end: x -->\nb\n");
        assert_eq!(replaced(&new, "x", "new").unwrap(), new);
        assert_eq!(replaced(old, "y", "new"), None);
    }
}

//! The lines of one thing in a schedule file, written anew; comments above it stay where they are.

/// `file` with the block that begins on `line` written anew, or taken away where `text` is empty;
/// `None` where no heading of its own stands there.
pub(in crate::schedule) fn replaced(
    file: &str,
    line: usize,
    (own, inner): (&str, &str),
    text: &str,
) -> Option<String> {
    let lines: Vec<&str> = file.split_inclusive('\n').collect();
    let first = line.checked_sub(1)?;
    if lines.get(first)?.split('#').next()?.trim() != own {
        return None;
    }
    let is_other = |line: &&str| {
        let line = line.trim_start();
        line.starts_with('[') && (own == inner || !line.starts_with(inner))
    };
    let rest = &lines[first + 1..];
    let length = rest.iter().position(is_other).unwrap_or(rest.len());
    // Blank lines and comments before the next heading belong to that.
    let said = |line: &&str| !(line.trim().is_empty() || line.trim_start().starts_with('#'));
    let kept = rest[..length].iter().rposition(said).map_or(0, |last| last + 1);
    let before = lines[..first].concat();
    Some(before + text + &lines[first + 1 + kept..].concat())
}

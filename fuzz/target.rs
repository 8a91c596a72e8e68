//! What is fuzzed: something that takes bytes from outside, and what must hold whatever they are.

/// What became of an input, as a short word for what is new: inputs that lead to new words are kept as seeds.
pub type Outcome = Result<String, Broken>;

/// A promise that an input broke.
#[derive(Debug)]
pub struct Broken(pub String);

/// Refuses where a promise does not hold.
pub fn holds(promise: bool, otherwise: impl FnOnce() -> String) -> Result<(), Broken> {
    if promise { Ok(()) } else { Err(Broken(otherwise())) }
}

/// An error's word, after a look at its sentence: it must say something, and nothing that could fool a terminal.
pub fn sentence(error: &dyn std::fmt::Display) -> Outcome {
    let text = error.to_string();
    let plain = text.chars().all(|c| c == '\n' || c == '\t' || !c.is_control());
    holds(text.trim().len() > 5, || format!("an error says only {text:?}"))?;
    holds(plain, || format!("an error carries control characters: {text:?}"))?;
    // Numbers and quoted words differ from input to input.
    let word: String = text.chars().filter(|c| c.is_alphabetic() || *c == ' ').take(40).collect();
    Ok(word)
}

/// Something that takes bytes from outside.
pub trait Target {
    /// Its name on the command line.
    fn name(&self) -> String;

    /// Inputs to begin with.
    fn seeds(&self) -> Vec<Vec<u8>>;

    /// Its part of the time.
    fn share(&self) -> u32 {
        4
    }

    /// Tries one input.
    fn run(&mut self, input: &[u8]) -> Outcome;

    /// Bytes that it may take for an input of so many.
    fn memory_max(&self, input: usize) -> usize {
        (4 << 20) + 64 * input
    }

    /// Anything that is counted and no failure.
    fn remark(&self) -> String {
        String::new()
    }
}

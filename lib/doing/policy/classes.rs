//! Selections of failure classes: `failed`, `retryable`, `timeout,signal`, `none`.

use crate::values::result::FailureClass;
use crate::values::{Error, Result};

/// A set of failure classes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Classes(u32);

impl Classes {
    /// No class.
    pub const NONE: Classes = Classes(0);
    /// Every class.
    pub const ALL: Classes = Classes((1 << FailureClass::ALL.len()) - 1);
    /// Those where trying again may help.
    pub const RETRYABLE: Classes = Classes(
        bit(FailureClass::Temporary)
            | bit(FailureClass::Timeout)
            | bit(FailureClass::Signal)
            | bit(FailureClass::Resource)
            | bit(FailureClass::Staging)
            | bit(FailureClass::Source)
            | bit(FailureClass::Sandbox)
            | bit(FailureClass::Network)
            | bit(FailureClass::Cancelled),
    );

    /// Whether a class is in it.
    pub fn has(self, class: FailureClass) -> bool {
        self.0 & bit(class) != 0
    }

    /// Reads a comma-separated list of `all`, `failed` (the same), `retryable`, `none` and classes.
    pub fn parse(words: &str) -> Result<Classes> {
        words.split(',').try_fold(Classes::NONE, |found, word| Ok(Classes(found.0 | Classes::word(word.trim())?.0)))
    }

    fn word(word: &str) -> Result<Classes> {
        match word {
            "all" | "failed" => Ok(Classes::ALL),
            "retryable" => Ok(Classes::RETRYABLE),
            "none" => Ok(Classes::NONE),
            _ => FailureClass::from_word(word).map(|class| Classes(bit(class))).ok_or_else(|| {
                let classes: Vec<_> = FailureClass::ALL.iter().map(|class| class.word()).collect();
                Error::usage(format!(
                    "\"{}\" selects no failures; write all, failed, retryable, none, or of {}",
                    word.escape_default(),
                    classes.join(", ")
                ))
            }),
        }
    }
}

const fn bit(class: FailureClass) -> u32 {
    1 << class as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_select_what_they_say() {
        for class in FailureClass::ALL {
            assert!(Classes::ALL.has(class) && !Classes::NONE.has(class));
            assert_eq!(Classes::RETRYABLE.has(class), class.retryable(), "{}", class.word());
            assert!(Classes::parse(class.word()).unwrap().has(class));
        }
        let two = Classes::parse("timeout, signal").unwrap();
        assert!(two.has(FailureClass::Signal) && !two.has(FailureClass::Command));
        assert!(Classes::parse("weather").is_err() && Classes::parse("").is_err());
    }
}

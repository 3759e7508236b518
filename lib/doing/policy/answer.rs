//! What a hook answers.

use super::Action;
use serde::Deserialize;
use std::time::Duration;

/// A hook's answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    pub action: Action,
    /// How long a retry waits.
    pub delay: Option<Duration>,
    /// What the hook wants to be remembered.
    pub note: Option<String>,
}

#[derive(Deserialize)]
struct Object {
    action: String,
    delay_ms: Option<u64>,
    note: Option<String>,
}

/// Reads an answer: one word, or an object with `action`. The error says what was wrong with it.
pub fn parse_answer(text: &[u8]) -> Result<Answer, String> {
    let text = std::str::from_utf8(text).map_err(|_| "the answer is no UTF-8".to_owned())?.trim();
    if text.is_empty() {
        return Err("it gave no answer".to_owned());
    }
    if !text.starts_with('{') {
        return Ok(Answer { action: action(text)?, delay: None, note: None });
    }
    let object: Object =
        serde_json::from_str(text).map_err(|error| format!("it answered \"{}\": {error}", brief(text)))?;
    Ok(Answer { action: action(&object.action)?, delay: object.delay_ms.map(Duration::from_millis), note: object.note })
}

fn action(word: &str) -> Result<Action, String> {
    Action::from_word(word)
        .ok_or_else(|| format!("it answered \"{}\", expected retry, continue, quit or terminate", brief(word)))
}

fn brief(text: &str) -> String {
    text.chars().take(60).collect::<String>().escape_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_or_an_object_is_an_answer() {
        assert_eq!(parse_answer(b" retry\n").unwrap().action, Action::Retry);
        let answer = parse_answer(b"{\"action\":\"retry\",\"delay_ms\":250,\"note\":\"weather\"}").unwrap();
        assert_eq!((answer.delay, answer.note.as_deref()), (Some(Duration::from_millis(250)), Some("weather")));
        for bad in ["", "\n", "maybe", "retry quit", "{", "{\"action\":\"x\"}", "[\"retry\"]", "{\"delay_ms\":1}"] {
            assert!(parse_answer(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(parse_answer(b"\xff").is_err());
    }
}

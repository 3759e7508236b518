//! Names with patterns and numbers: branches, tags, versions.

use std::cmp::Ordering;

/// Whether a shell pattern is this text; `*` and `?` stand for any character.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    // The places in the pattern at which the text read so far can stand.
    let mut places = vec![false; pattern.len() + 1];
    places[0] = true;
    skip_stars(&pattern, &mut places);
    for c in text {
        let mut next = vec![false; pattern.len() + 1];
        let mut at = 0;
        while at < pattern.len() {
            if places[at] {
                match pattern[at] {
                    '*' => next[at] = true,
                    '?' => next[at + 1] = true,
                    '[' => match class(&pattern[at..]) {
                        Some((length, negated, ranges)) => {
                            let within = ranges.iter().any(|(low, high)| (*low..=*high).contains(&c));
                            next[at + length] |= within != negated;
                        }
                        None => next[at + 1] |= c == '[',
                    },
                    literal => next[at + 1] |= literal == c,
                }
            }
            at += 1;
        }
        skip_stars(&pattern, &mut next);
        places = next;
    }
    places[pattern.len()]
}

fn skip_stars(pattern: &[char], places: &mut [bool]) {
    for at in 0..pattern.len() {
        if places[at] && pattern[at] == '*' {
            places[at + 1] = true;
        }
    }
}

type Class = (usize, bool, Vec<(char, char)>);

/// A class of characters: how long its text is, whether it is the others, and which they are.
fn class(pattern: &[char]) -> Option<Class> {
    let negated = pattern.get(1) == Some(&'!');
    let start = 1 + usize::from(negated);
    let end = start + 1 + pattern.get(start + 1..)?.iter().position(|c| *c == ']')?;
    let mut ranges = Vec::new();
    let mut rest = &pattern[start..end];
    while let [low, more @ ..] = rest {
        (rest, ranges) = match more {
            ['-', high, more @ ..] => (more, [ranges, vec![(*low, *high)]].concat()),
            more => (more, [ranges, vec![(*low, *low)]].concat()),
        };
    }
    Some((end + 1, negated, ranges))
}

/// Which of two names has the higher version: numbers count as numbers, words come before numbers, and what
/// is between them does not count.
pub(super) fn by_version(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (parts(left), parts(right));
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, _) => return Ordering::Less,
            (_, None) => return Ordering::Greater,
            (Some(left), Some(right)) => match compare(left, right) {
                Ordering::Equal => {}
                order => return order,
            },
        }
    }
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while bytes.get(at).is_some_and(|b| !b.is_ascii_alphanumeric()) {
            at += 1;
        }
        let start = at;
        let is_number = bytes.get(at)?.is_ascii_digit();
        while bytes.get(at).is_some_and(|b| b.is_ascii_alphanumeric() && b.is_ascii_digit() == is_number) {
            at += 1;
        }
        text.get(start..at)
    })
}

fn compare(left: &str, right: &str) -> Ordering {
    let number = |text: &str| text.as_bytes()[0].is_ascii_digit();
    match (number(left), number(right)) {
        (false, false) => left.cmp(right),
        (false, true) => Ordering::Less,
        (true, false) => Ordering::Greater,
        (true, true) => {
            // Without leading zeros the longer number is the larger one.
            let (left, right) = (left.trim_start_matches('0'), right.trim_start_matches('0'));
            left.len().cmp(&right.len()).then_with(|| left.cmp(right))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cross_slashes() {
        for (pattern, text, expected) in [
            ("v*", "v1/2", true),
            ("refs/tags/v[0-9].?", "refs/tags/v1.2", true),
            ("v[!0-9]*", "v1", false),
            ("*.beta", "1.0", false),
            ("[x", "[x", true),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn versions_are_ordered() {
        let mut names = ["1.0", "1.10", "1.9", "1.beta", "1", "2"];
        names.sort_by(|left, right| by_version(left, right));
        assert_eq!(names, ["1", "1.beta", "1.0", "1.9", "1.10", "2"]);
        assert_eq!(by_version("1.beta", "1~beta"), Ordering::Equal);
    }
}

//! Patterns of file names as BuildStream understands them: `*` and `?` stop at `/`, `**` does not, `[a-z]` and
//! `[!a-z]` are one character. Nothing can be escaped.

/// A pattern.
#[derive(Clone, Debug)]
pub struct Glob {
    tokens: Vec<Token>,
}

#[derive(Clone, Debug)]
enum Token {
    Literal(char),
    /// `?`
    One,
    /// `*`
    Some,
    /// `**`
    All,
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Glob {
    /// Reads a pattern. A leading `/` makes no difference: names are matched as if they had one.
    pub fn new(pattern: &str) -> Glob {
        let pattern: Vec<char> = pattern.strip_prefix('/').unwrap_or(pattern).chars().collect();
        let mut tokens = vec![Token::Literal('/')];
        let mut at = 0;
        while let Some(&c) = pattern.get(at) {
            at += 1;
            tokens.push(match c {
                '*' if pattern.get(at) == Some(&'*') => {
                    at += 1;
                    Token::All
                }
                '*' => Token::Some,
                '?' => Token::One,
                '[' => match class(&pattern[at..]) {
                    Some((token, length)) => {
                        at += length;
                        token
                    }
                    None => Token::Literal('['),
                },
                c => Token::Literal(c),
            });
        }
        Glob { tokens }
    }

    /// Whether the pattern is this name.
    pub fn matches(&self, name: &str) -> bool {
        // The tokens before which the name read so far can stand; no pattern makes it slow.
        let mut places = vec![false; self.tokens.len() + 1];
        let mut next = places.clone();
        places[0] = true;
        self.skip_empty(&mut places);
        for c in std::iter::once('/').chain(name.strip_prefix('/').unwrap_or(name).chars()) {
            next.fill(false);
            for (at, token) in self.tokens.iter().enumerate().filter(|&(at, _)| places[at]) {
                match token {
                    Token::Some if c != '/' => next[at] = true,
                    Token::All => next[at] = true,
                    token if token.takes(c) => next[at + 1] = true,
                    _ => {}
                }
            }
            self.skip_empty(&mut next);
            std::mem::swap(&mut places, &mut next);
        }
        places[self.tokens.len()]
    }

    /// `*` and `**` may stand for nothing.
    fn skip_empty(&self, places: &mut [bool]) {
        for (at, token) in self.tokens.iter().enumerate() {
            if places[at] && matches!(token, Token::Some | Token::All) {
                places[at + 1] = true;
            }
        }
    }
}

impl Token {
    /// Whether a token that stands for one character stands for this one.
    fn takes(&self, c: char) -> bool {
        match self {
            Token::Literal(literal) => *literal == c,
            Token::One => c != '/',
            Token::Some | Token::All => false,
            Token::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
            }
        }
    }
}

/// The class whose text follows `[`, and how long the text is with its `]`.
fn class(text: &[char]) -> Option<(Token, usize)> {
    let negated = text.first() == Some(&'!');
    let start = usize::from(negated);
    // A `]` that comes first is one of the characters.
    let end = start + 1 + text.get(start + 1..)?.iter().position(|&c| c == ']')?;
    let mut ranges = Vec::new();
    let mut rest = &text[start..end];
    while let [low, more @ ..] = rest {
        match more {
            ['-', high, more @ ..] => {
                ranges.push((*low, *high));
                rest = more;
            }
            more => {
                ranges.push((*low, *low));
                rest = more;
            }
        }
    }
    Some((Token::Class { negated, ranges }, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_slashes() {
        for (pattern, name, expected) in [
            ("*", "a", true),
            ("*", "a/b", false),
            ("*", "", true),
            ("**", "a/b", true),
            ("/usr/**", "usr/", true),
            ("/usr/**", "usr", false),
            ("a*c", "abbc", true),
            ("a?c", "a/c", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]x]", "]", true),
            ("[x", "[x", true),
            ("**.so*", "lib/a.so.1", true),
            ("**/*.h", "a/b.h", true),
            ("**/*.h", "b.h", false),
            ("***", "a/b", true),
        ] {
            assert_eq!(Glob::new(pattern).matches(name), expected, "{pattern} {name}");
        }
        assert!(!Glob::new(&"*a".repeat(200)).matches(&"a".repeat(5000).replace('a', "ab")));
    }
}

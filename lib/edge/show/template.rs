//! BuildStream's format strings: `%{state: >12} %{full-key} %{name}`.

use crate::edge::colour::{Brush, Style};
use crate::values::{Error, Result};

/// What BuildStream shows if nobody asks for something else.
pub(super) const DEFAULT: &str = "%{state: >12} %{full-key} %{name} %{workspace-dirs}";

/// A format string, understood.
#[derive(Debug)]
pub(super) struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug, PartialEq)]
enum Piece {
    Text(String),
    Field(Field, Spec),
}

/// A field of a format string.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Field {
    ArtifactCasDigest,
    BuildDeps,
    Config,
    Deps,
    Description,
    Env,
    FullKey,
    Key,
    Kind,
    Name,
    Public,
    RuntimeDeps,
    SourceInfo,
    State,
    Vars,
    WorkspaceDirs,
    Workspaced,
}

/// BuildStream's names of the fields.
const FIELDS: [(&str, Field); 17] = [
    ("artifact-cas-digest", Field::ArtifactCasDigest),
    ("build-deps", Field::BuildDeps),
    ("config", Field::Config),
    ("deps", Field::Deps),
    ("description", Field::Description),
    ("env", Field::Env),
    ("full-key", Field::FullKey),
    ("key", Field::Key),
    ("kind", Field::Kind),
    ("name", Field::Name),
    ("public", Field::Public),
    ("runtime-deps", Field::RuntimeDeps),
    ("source-info", Field::SourceInfo),
    ("state", Field::State),
    ("vars", Field::Vars),
    ("workspace-dirs", Field::WorkspaceDirs),
    ("workspaced", Field::Workspaced),
];

impl Template {
    /// Reads a format string. What looks like a field and is none stays as it is, as in BuildStream.
    pub fn parse(text: &str) -> Result<Template> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("%{") {
            plain += &rest[..start];
            rest = &rest[start..];
            let end = rest.find('}').filter(|end| !rest[1..*end].contains('%'));
            let found = end.and_then(|end| Some((field(&rest[2..end])?, end)));
            let Some(((field, spec), end)) = found else {
                plain += &rest[..2];
                rest = &rest[2..];
                continue;
            };
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Field(field, Spec::parse(spec)?));
            rest = &rest[end + 1..];
        }
        plain += rest;
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Template { pieces })
    }

    /// Fills the fields in.
    pub fn fill(&self, brush: Brush, mut value: impl FnMut(Field) -> Result<(String, Style)>) -> Result<String> {
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out += text,
                Piece::Field(field, spec) => {
                    let (text, style) = value(*field)?;
                    out += &brush.paint(style, &spec.apply(&text));
                }
            }
        }
        Ok(out)
    }
}

/// The field of `name` or `name:spec`.
fn field(inner: &str) -> Option<(Field, &str)> {
    let (name, spec) = inner.split_once(':').unwrap_or((inner, ""));
    FIELDS.iter().find(|(known, _)| *known == name).map(|(_, field)| (*field, spec))
}

/// Python's format specification, as far as it applies to text: `[[fill]align][0][width][.precision][s]`.
#[derive(Debug, PartialEq, Default)]
struct Spec {
    fill: Option<char>,
    align: Option<char>,
    width: usize,
    precision: Option<usize>,
}

impl Spec {
    fn parse(text: &str) -> Result<Spec> {
        let wrong = || {
            Error::usage(format!(
                "--format: \":{}\" is no way to format a text; write for instance %{{name: >20}}, %{{key:.4}}",
                text.escape_default()
            ))
        };
        let mut spec = Spec::default();
        let mut chars: Vec<char> = text.chars().collect();
        let is_align = |c: Option<&char>| matches!(c, Some('<' | '>' | '^'));
        if is_align(chars.get(1)) {
            spec.fill = Some(chars[0]);
            spec.align = Some(chars[1]);
            chars.drain(..2);
        } else if is_align(chars.first()) {
            spec.align = Some(chars.remove(0));
        }
        if chars.first() == Some(&'0') {
            spec.fill = spec.fill.or(Some('0'));
        }
        let mut rest: String = chars.into_iter().collect();
        if rest.ends_with('s') {
            rest.pop();
        }
        let (width, precision) = match rest.split_once('.') {
            Some((width, precision)) => (width.to_owned(), Some(precision.to_owned())),
            None => (rest, None),
        };
        // A line is no longer than this; Python would try.
        const WIDEST: usize = 10_000;
        let number = |text: &str| text.parse().ok().filter(|&number: &usize| number <= WIDEST).ok_or_else(wrong);
        if !width.is_empty() {
            spec.width = number(&width)?;
        }
        spec.precision = precision.map(|precision| number(&precision)).transpose()?;
        Ok(spec)
    }

    fn apply(&self, text: &str) -> String {
        let text: String = text.chars().take(self.precision.unwrap_or(usize::MAX)).collect();
        let padding = self.width.saturating_sub(text.chars().count());
        let before = match self.align {
            Some('>') => padding,
            Some('^') => padding / 2,
            _ => 0,
        };
        let fill = self.fill.unwrap_or(' ');
        let run = |count: usize| std::iter::repeat_n(fill, count).collect::<String>();
        run(before) + &text + &run(padding - before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(format: &str, value: &str) -> String {
        Template::parse(format).unwrap().fill(Brush(false), |_| Ok((value.to_owned(), Style::Plain))).unwrap()
    }

    #[test]
    fn fields_are_formatted_as_python_does() {
        // Each expected text is what Python's "{:...}".format("abc") gives.
        for (spec, expected) in [
            ("", "abc"),
            (": >6", "   abc"),
            (":>6", "   abc"),
            (":<6", "abc   "),
            (":6", "abc   "),
            (":*^6", "*abc**"),
            (":^6s", " abc  "),
            (":.2", "ab"),
            (":>5.2", "   ab"),
            (":06", "abc000"),
            (":2", "abc"),
        ] {
            assert_eq!(filled(&format!("[%{{name{spec}}}]"), "abc"), format!("[{expected}]"), "{spec}");
        }
    }

    #[test]
    fn what_is_no_field_stays() {
        assert_eq!(filled("100% %{nothing} %{name} %{", "x"), "100% %{nothing} x %{");
        assert!(Template::parse("%{name:=5}").is_err() && Template::parse("%{name:x}").is_err());
    }
}

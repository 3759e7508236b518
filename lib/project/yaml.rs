//! Reading YAML as BuildStream reads it: one document, a mapping at the top, every scalar a text; no anchors,
//! no tags of one's own, no key twice.

use super::mark::{File, Mark};
use super::node::{List, Mapping, Node, Scalar, excerpt};
use crate::values::{Error, Result};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

/// How deep a document may be nested: far more than projects need, and little enough for every walk of it.
const DEEPEST: usize = 200;

/// From this size on a mapping's keys are compared by hash.
const LARGE: usize = 16;

/// Reads a file that is shown as `display` in errors.
pub fn load(path: &Path, display: &str) -> Result<Mapping> {
    let bytes = std::fs::read(path).map_err(|error| cannot_read(path, error))?;
    parse(&decode(bytes, display)?, File::new(path, display))
}

/// The error of a file that could not be read, in BuildStream's words.
pub(super) fn cannot_read(path: &Path, error: std::io::Error) -> Error {
    use std::io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
    match error.kind() {
        NotFound | NotADirectory => Error::load("missing-file", format!("there is no file {}", path.display())),
        IsADirectory => {
            Error::load("loading-directory", format!("expected a file, found the directory {}", path.display()))
        }
        _ => Error::io("cannot read", path, error),
    }
}

/// The text of a file: UTF-8, with or without a byte order mark, with line ends of any kind.
pub(super) fn decode(bytes: Vec<u8>, display: &str) -> Result<String> {
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|&&byte| byte == b'\n').count() + 1;
        Error::load("invalid-yaml", format!("expected UTF-8, found other bytes in line {line} of {display}"))
    })?;
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    };
    Ok(if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text })
}

/// Reads a document. An empty one is an empty mapping.
pub fn parse(text: &str, file: File) -> Result<Mapping> {
    if let Some((index, bad)) = text.char_indices().find(|(_, c)| !is_printable(*c)) {
        let line = text[..index].matches('\n').count() + 1;
        return Err(invalid(file, line, 0, format!("found the control character U+{:04X}", u32::from(bad))));
    }
    let mut reader = Reader { parser: Parser::new_from_str(text), file, lines: text.split('\n').collect() };
    reader.document()
}

/// What YAML allows in a text.
fn is_printable(c: char) -> bool {
    c >= ' ' && c != '\u{7f}' && !('\u{80}'..'\u{a0}').contains(&c) && c != '\u{fffe}' && c != '\u{ffff}'
        || matches!(c, '\t' | '\n' | '\u{85}')
}

fn invalid(file: File, line: usize, column: usize, message: String) -> Error {
    let mark = Mark::new(file, u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX));
    Error::load("invalid-yaml", message).at(mark.place())
}

struct Reader<'input> {
    parser: Parser<'input, StrInput<'input>>,
    file: File,
    lines: Vec<&'input str>,
}

impl<'input> Reader<'input> {
    fn document(&mut self) -> Result<Mapping> {
        let mut document = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
                Event::StreamEnd => break,
                Event::MappingStart(anchor, _) if document.is_none() => {
                    self.no_anchor(anchor, span)?;
                    document = Some(self.mapping(self.mark(span), 1)?);
                }
                _ if document.is_some() => {
                    return Err(self.invalid(span, "expected one document, found a second one"));
                }
                _ => return Err(self.invalid(span, "expected a mapping at the top of the document")),
            }
        }
        Ok(document.unwrap_or_else(|| Mapping::new(Vec::new(), Mark::new(self.file, 1, 0))))
    }

    fn mapping(&mut self, mark: Mark, depth: usize) -> Result<Mapping> {
        let mut entries: Vec<(Arc<str>, Node)> = Vec::new();
        let mut seen = HashSet::new();
        loop {
            let (event, span) = self.next()?;
            let key: Arc<str> = match event {
                Event::MappingEnd => return Ok(Mapping::new(entries, mark)),
                Event::Scalar(text, _, anchor, tag) => {
                    self.no_anchor(anchor, span)?;
                    self.core_tag(tag.as_deref(), span)?;
                    Arc::from(text)
                }
                _ => return Err(self.invalid(span, "expected a text as key, found a list or a mapping")),
            };
            let twice = match entries.len() {
                count if count < LARGE => entries.iter().any(|(name, _)| *name == key),
                count => {
                    if count == LARGE {
                        seen.extend(entries.iter().map(|(name, _)| name.clone()));
                    }
                    !seen.insert(key.clone())
                }
            };
            if twice {
                return Err(self.invalid(span, &format!("the key \"{}\" is there twice", excerpt(&key))));
            }
            let (event, span) = self.next()?;
            let mut value = self.node(event, span, depth)?;
            if let Node::List(list) = &mut value {
                self.correct_mark(list, mark);
            }
            entries.push((key, value));
        }
    }

    /// A list whose dashes stand no deeper than the keys around it begins with its first dash; the parser
    /// says that it begins with its first item.
    fn correct_mark(&self, list: &mut List, around: Mark) {
        let line = self.lines.get((list.mark.line as usize).saturating_sub(1)).unwrap_or(&"");
        let before = line.char_indices().nth(list.mark.column as usize).map_or(*line, |(end, _)| &line[..end]);
        if before.trim() == "-" {
            list.mark.column = around.column;
        }
    }

    /// A block scalar begins with its `|` or `>`; the parser says that it begins with its first line.
    fn header(&self, content: Mark) -> Mark {
        let above = self.lines.iter().take(content.line as usize - 1).enumerate();
        let Some((index, line)) = above.rev().find(|(_, line)| !line.trim().is_empty()) else { return content };
        let is_header = |rest: &str| rest.split('#').next().is_some_and(|it| it.trim().len() <= 2);
        let found =
            line.char_indices().enumerate().filter(|(_, (at, c))| matches!(c, '|' | '>') && is_header(&line[at + 1..]));
        let Some((column, _)) = found.last() else { return content };
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        Mark::new(self.file, number(index + 1), number(column))
    }

    fn list(&mut self, mark: Mark, depth: usize) -> Result<List> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(List::new(items, mark));
            }
            items.push(self.node(event, span, depth)?);
        }
    }

    fn node(&mut self, event: Event<'input>, span: Span, depth: usize) -> Result<Node> {
        if depth >= DEEPEST {
            return Err(self.invalid(span, &format!("the document is nested deeper than {DEEPEST}")));
        }
        let mark = self.mark(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.no_anchor(anchor, span)?;
                self.core_tag(tag.as_deref(), span)?;
                // The span of a value that is not there is that of the colon or dash before it; it stands
                // behind them.
                let absent = text.is_empty() && style == ScalarStyle::Plain;
                let mark = match style {
                    ScalarStyle::Literal | ScalarStyle::Folded => self.header(mark),
                    _ => Mark { column: mark.column.saturating_add(u32::from(absent)), ..mark },
                };
                Ok(Node::Scalar(Scalar::new(strip(&text), mark)))
            }
            Event::SequenceStart(anchor, _) => {
                self.no_anchor(anchor, span)?;
                self.list(mark, depth + 1).map(Node::List)
            }
            Event::MappingStart(anchor, _) => {
                self.no_anchor(anchor, span)?;
                self.mapping(mark, depth + 1).map(Node::Mapping)
            }
            Event::Alias(_) => Err(self.invalid(span, "expected a value, found an alias, which is not allowed")),
            _ => Err(self.invalid(span, "expected a value")),
        }
    }

    fn next(&mut self) -> Result<(Event<'input>, Span)> {
        match self.parser.next_event() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => Err(self.scan_error(&error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn scan_error(&self, error: &ScanError) -> Error {
        let marker = error.marker();
        invalid(self.file, marker.line(), marker.col(), format!("expected YAML: {}", error.info()))
    }

    fn mark(&self, span: Span) -> Mark {
        let line = u32::try_from(span.start.line()).unwrap_or(u32::MAX).max(1);
        Mark::new(self.file, line, u32::try_from(span.start.col()).unwrap_or(u32::MAX))
    }

    fn no_anchor(&self, anchor: usize, span: Span) -> Result<()> {
        if anchor == 0 { Ok(()) } else { Err(self.invalid(span, "found an anchor, which is not allowed")) }
    }

    fn core_tag(&self, tag: Option<&Tag>, span: Span) -> Result<()> {
        let Some(tag) = tag else { return Ok(()) };
        let text = format!("{}{}", tag.handle, tag.suffix);
        if text.starts_with("tag:yaml.org,2002:") {
            return Ok(());
        }
        Err(self.invalid(span, &format!("found the tag {}, which is not allowed", excerpt(&text))))
    }

    fn invalid(&self, span: Span, message: &str) -> Error {
        invalid(self.file, span.start.line(), span.start.col(), message.to_owned())
    }
}

/// Without white space at its ends: Unicode's, and U+001C to U+001F.
pub fn strip(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Mapping> {
        parse(text, File::named("test.bst"))
    }

    fn text_of(text: &str, key: &str) -> String {
        read(text).expect("YAML").text(key).expect("a text").expect("a value").to_owned()
    }

    #[test]
    fn every_scalar_is_a_text_without_white_space_at_its_ends() {
        for (yaml, value) in [
            ("a: yes", "yes"),
            ("a: 1.50", "1.50"),
            ("a: ~", "~"),
            ("a:", ""),
            ("a: !!int 0x10", "0x10"),
            ("a: |\n  x\n  y\n\n", "x\ny"),
            ("a: \" \u{a0}x  y\u{2003} \"", "x  y"),
            ("a: \"\\u001cx\\u001f\"", "x"),
            ("a: \"\u{200b}x\"", "\u{200b}x"),
            ("\u{feff}a: x".trim_start_matches('\u{feff}'), "x"),
        ] {
            assert_eq!(text_of(yaml, "a"), value, "{yaml}");
        }
        assert_eq!(text_of("\" a \": b", " a "), "b", "keys are not stripped");
        assert_eq!(text_of("<<: b", "<<"), "b");
    }

    #[test]
    fn line_ends_and_byte_order_marks_do_not_matter() {
        let text = decode(b"\xef\xbb\xbfa: |\r\n  x\r\n  y\rb: c\r\n".to_vec(), "f").expect("UTF-8");
        assert_eq!(text, "a: |\n  x\n  y\nb: c\n");
        assert!(decode(b"a: \xff".to_vec(), "f").is_err());
    }

    #[test]
    fn what_is_no_plain_mapping_is_refused() {
        for bad in [
            "a: 1\na: 2",
            "a: &x 1",
            "a: *x",
            "a: !x 1",
            "a: ! 1",
            "- a",
            "a",
            "---\n",
            "---\na: 1\n---\nb: 1",
            "[a]: b",
            "a: [",
            "a: \u{1}",
            "a: %{x}",
            "a: @x",
        ] {
            let error = read(bad).expect_err(bad);
            assert_eq!(error.reason(), Some("invalid-yaml"), "{bad}");
        }
        for good in ["", "# only a comment\n", "---\na: 1", "a: 1\n...\n", "!foo\na: !bar [b]"] {
            assert!(read(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn keys_that_are_many_are_still_compared() {
        let mut text: String = (0..100).map(|n| format!("k{n}: x\n")).collect();
        assert_eq!(read(&text).expect("YAML").entries.len(), 100);
        text += "k50: y\n";
        assert!(read(&text).is_err());
    }

    #[test]
    fn deep_nesting_is_an_error_and_no_crash() {
        for text in [format!("a: {}", "[".repeat(100_000)), format!("a: {}", "- ".repeat(5_000))] {
            assert!(read(&text).is_err());
        }
    }

    #[test]
    fn marks_are_those_of_libyaml() {
        let root = read("kind: x\ndepends:\nlist:\n- a\n-  b: c\nflow: {x: [y]}\n? q\n: r\n").expect("YAML");
        let at = |node: &Node| (node.mark().line, node.mark().column);
        assert_eq!((root.mark.line, root.mark.column), (1, 0));
        assert_eq!(at(root.get("kind").expect("kind")), (1, 6));
        assert_eq!(at(root.get("depends").expect("depends")), (2, 8));
        let list = root.get("list").expect("list");
        assert_eq!(at(list), (4, 0));
        let items = &list.list().expect("a list").items;
        assert_eq!((at(&items[0]), at(&items[1])), ((4, 2), (5, 3)));
        let flow = root.get("flow").expect("flow");
        assert_eq!(at(flow), (6, 6));
        assert_eq!(at(flow.mapping().expect("a mapping").get("x").expect("x")), (6, 10));
        assert_eq!(at(root.get("q").expect("q")), (8, 2));
        let root = read("a: |\n\n  x | y >\nb:\n- >-  # text\n  z\n").expect("YAML");
        assert_eq!(at(root.get("a").expect("a")), (1, 3));
        assert_eq!(at(&root.get("b").expect("b").list().expect("a list").items[0]), (5, 2));
    }
}

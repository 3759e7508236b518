//! Where in a YAML text its values stand.

use crate::values::{Error, Result};
use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput};

/// How deep a document may be nested.
const DEEPEST: usize = 200;

/// A value and its place, in characters from the start of the text.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) start: usize,
    end: usize,
    line: usize,
    pub(super) column: usize,
    /// Whether it is written in braces or brackets.
    pub(super) is_flow: bool,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Scalar { text: String, quote: Option<char>, is_block: bool },
    Mapping { entries: Vec<(Node, Node)> },
    Sequence { items: Vec<Node> },
    Alias,
}

/// Reads a document; `None` where there is none.
pub(super) fn parse(text: &str) -> Result<Option<Node>> {
    let mut reader = Reader { parser: Parser::new_from_str(text), text: text.chars().collect() };
    loop {
        match reader.next()? {
            (Event::StreamStart | Event::DocumentStart(_), _) => {}
            (Event::StreamEnd | Event::DocumentEnd, _) => return Ok(None),
            (event, span) => {
                let node = reader.node(event, span, 0)?;
                // A document of nothing but comments is an empty scalar.
                let empty =
                    matches!(&node.kind, Kind::Scalar { text, quote: None, .. } if text.is_empty() || text == "~");
                return Ok(Some(node).filter(|_| !empty));
            }
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    text: Vec<char>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span)> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(Error::load("invalid-yaml", format!("the file cannot be read: {error}"))),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node> {
        if depth > DEEPEST {
            return Err(Error::load("invalid-yaml", "the file is nested too deeply"));
        }
        let mut end = span.end.index();
        let kind = match event {
            Event::Scalar(text, style, ..) => {
                let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                if is_block {
                    // The blank lines behind it are not its own.
                    end -= self.text.iter().take(end).rev().take_while(|c| c.is_whitespace()).count();
                }
                let quote = match style {
                    ScalarStyle::SingleQuoted => Some('\''),
                    ScalarStyle::DoubleQuoted => Some('"'),
                    _ => None,
                };
                Kind::Scalar { text: text.into_owned(), quote, is_block }
            }
            Event::MappingStart(..) => {
                let mut entries = Vec::new();
                loop {
                    let (event, span) = self.next()?;
                    if matches!(event, Event::MappingEnd) {
                        end = span.end.index();
                        break;
                    }
                    let key = self.node(event, span, depth + 1)?;
                    let (event, span) = self.next()?;
                    let mut value = self.node(event, span, depth + 1)?;
                    self.place_empty(&key, &mut value);
                    entries.push((key, value));
                }
                Kind::Mapping { entries }
            }
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                loop {
                    let (event, span) = self.next()?;
                    if matches!(event, Event::SequenceEnd) {
                        end = span.end.index();
                        break;
                    }
                    items.push(self.node(event, span, depth + 1)?);
                }
                Kind::Sequence { items }
            }
            _ => Kind::Alias,
        };
        let start = span.start.index();
        let is_flow = !matches!(kind, Kind::Scalar { .. }) && matches!(self.text.get(start), Some('{' | '['));
        let mut node = Node { start, end, line: span.start.line(), column: span.start.col(), is_flow, kind };
        self.place_sequence(&mut node);
        Ok(node)
    }

    /// An empty value is told to stand before the colon: it belongs behind.
    fn place_empty(&self, key: &Node, value: &mut Node) {
        let is_scalar = matches!(value.kind, Kind::Scalar { quote: None, .. });
        if is_scalar && value.start == value.end {
            let colon = self.text.iter().skip(key.end).position(|c| *c == ':');
            value.start = colon.map_or(value.start, |colon| key.end + colon + 1);
            value.end = value.start;
        }
    }

    /// A block sequence is told to start with its first item: it does with the dash before it.
    fn place_sequence(&self, node: &mut Node) {
        let Kind::Sequence { items } = &node.kind else { return };
        let Some(first) = items.first().filter(|_| !node.is_flow) else { return };
        let before = self.text.iter().take(first.start).rposition(|c| !c.is_whitespace());
        if let Some(dash) = before.filter(|dash| self.text.get(*dash) == Some(&'-')) {
            node.start = dash;
            node.column = self.text.iter().take(dash).rev().take_while(|c| **c != '\n' && **c != '\r').count();
        }
    }
}

impl Node {
    /// The mapping that starts at a line and a column.
    pub(super) fn mapping_at(&self, place: (usize, usize)) -> Option<&Node> {
        self.find(&|node| node.is_mapping() && (node.line, node.column) == place)
    }

    /// The mapping that starts with a character.
    pub(super) fn mapping_from(&self, start: usize) -> Option<&Node> {
        self.find(&|node| node.is_mapping() && node.start == start)
    }

    fn find(&self, fits: &dyn Fn(&Node) -> bool) -> Option<&Node> {
        if fits(self) {
            return Some(self);
        }
        match &self.kind {
            Kind::Mapping { entries } => entries.iter().find_map(|(_, value)| value.find(fits)),
            Kind::Sequence { items } => items.iter().find_map(|item| item.find(fits)),
            _ => None,
        }
    }

    /// What a mapping has under a key.
    pub(super) fn entry(&self, key: &str) -> Option<&Node> {
        let Kind::Mapping { entries } = &self.kind else { return None };
        let named = |node: &Node| matches!(&node.kind, Kind::Scalar { text, .. } if text == key);
        entries.iter().find(|(name, _)| named(name)).map(|(_, value)| value)
    }

    pub(super) fn is_mapping(&self) -> bool {
        matches!(self.kind, Kind::Mapping { .. })
    }

    pub(super) fn is_collection(&self) -> bool {
        matches!(self.kind, Kind::Mapping { .. } | Kind::Sequence { .. })
    }

    pub(super) fn is_empty(&self) -> bool {
        match &self.kind {
            Kind::Mapping { entries } => entries.is_empty(),
            Kind::Sequence { items } => items.is_empty(),
            _ => false,
        }
    }

    /// The quotes of a scalar.
    pub(super) fn quote(&self) -> Option<char> {
        match &self.kind {
            Kind::Scalar { quote, .. } => *quote,
            _ => None,
        }
    }

    /// Where the value ends. A block ends with its last value, not where the next one begins.
    pub(super) fn end(&self) -> usize {
        if self.is_flow || self.is_empty() { self.end } else { self.last_end() }
    }

    /// Behind what a further entry comes.
    pub(super) fn last_end(&self) -> usize {
        match &self.kind {
            Kind::Mapping { entries } => entries.last().map_or(self.start + 1, |(_, value)| value.end()),
            Kind::Sequence { items } => items.last().map_or(self.start + 1, Node::end),
            _ => self.end,
        }
    }
}

//! The expressions of conditionals: names of options, texts, numbers, lists and tuples, compared and joined
//! (spec: keys 1.3). BuildStream gives them to Jinja2; what of Jinja2 projects do not use is refused.

use std::borrow::Cow;
use std::cmp::Ordering;

/// What an expression, or an option, is.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    None,
    Bool(bool),
    Int(i64),
    Text(String),
    List(Vec<Value>),
    Tuple(Vec<Value>),
}

/// How deep an expression may be nested.
const DEEPEST: usize = 100;

/// Evaluates an expression; `option` gives the value of a name. An error is its words.
pub fn evaluate<'a>(expression: &'a str, option: &dyn Fn(&str) -> Option<&'a Value>) -> Result<bool, String> {
    let tokens = tokens(expression)?;
    let mut evaluator = Evaluator { tokens: &tokens, position: 0, depth: 0, option };
    let value = evaluator.tuple_or_value()?;
    match evaluator.peek() {
        None => truth(value, true),
        Some(token) => Err(format!("expected the end of the expression, found {token:?}")),
    }
}

#[derive(Clone, PartialEq, Debug)]
enum Token<'a> {
    Name(&'a str),
    Text(String),
    Int(i64),
    Sign(&'static str),
}

const SIGNS: [&str; 12] = ["==", "!=", "<=", ">=", "<", ">", "(", ")", "[", "]", ",", "-"];

fn tokens(text: &str) -> Result<Vec<Token<'_>>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            tokens.push(Token::Sign(sign));
            sign.len()
        } else if first == '\'' || first == '"' {
            let (content, length) = quoted(rest, first)?;
            match tokens.last_mut() {
                // Texts that stand side by side are one.
                Some(Token::Text(before)) => before.push_str(&content),
                _ => tokens.push(Token::Text(content.into_owned())),
            }
            length
        } else if first.is_ascii_digit() {
            let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.').unwrap_or(rest.len());
            let digits = rest[..length].replace('_', "");
            tokens.push(Token::Int(digits.parse().map_err(|_| format!("{} is no whole number", &rest[..length]))?));
            length
        } else if first.is_alphabetic() || first == '_' {
            let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            tokens.push(Token::Name(&rest[..length]));
            length
        } else {
            return Err(format!("\"{}\" has no meaning in an expression", first.escape_default()));
        };
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

/// The content of a quoted text at the start of `text`, and the length with the quotes.
fn quoted(text: &str, quote: char) -> Result<(Cow<'_, str>, usize), String> {
    let mut content = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((index, c)) = chars.next() {
        if c == quote {
            return Ok((Cow::Owned(content), index + 1));
        }
        if c != '\\' {
            content.push(c);
            continue;
        }
        match chars.next() {
            Some((_, c @ ('\\' | '\'' | '"'))) => content.push(c),
            Some((_, 'n')) => content.push('\n'),
            Some((_, 't')) => content.push('\t'),
            _ => return Err("of the escapes in a text only \\\\ \\' \\\" \\n \\t are known".to_owned()),
        }
    }
    Err(format!("a text has no closing {quote}"))
}

/// A value, or a name that stands for none: an error as soon as it is used.
enum Found<'a> {
    Value(Cow<'a, Value>),
    Undefined(&'a str),
}

struct Evaluator<'e, 'a> {
    tokens: &'e [Token<'a>],
    position: usize,
    depth: usize,
    option: &'e dyn Fn(&str) -> Option<&'a Value>,
}

type Outcome<'a> = Result<Found<'a>, String>;

/// Each method reads its part of the expression; with `live` false it reads without evaluating, as the right
/// side of `and` and `or` needs it.
impl<'e, 'a> Evaluator<'e, 'a> {
    fn tuple_or_value(&mut self) -> Outcome<'a> {
        let first = self.or(true)?;
        if !self.take_sign(",") {
            return Ok(first);
        }
        let mut items = vec![defined(first, true)?.into_owned()];
        while self.peek().is_some() {
            items.push(defined(self.or(true)?, true)?.into_owned());
            if !self.take_sign(",") {
                break;
            }
        }
        Ok(Found::Value(Cow::Owned(Value::Tuple(items))))
    }

    fn or(&mut self, live: bool) -> Outcome<'a> {
        let mut left = self.and(live)?;
        while self.take_name("or") {
            let decided = live && truth_of(&left)?;
            let right = self.and(live && !decided)?;
            if !decided {
                left = right;
            }
        }
        Ok(left)
    }

    fn and(&mut self, live: bool) -> Outcome<'a> {
        let mut left = self.not(live)?;
        while self.take_name("and") {
            let decided = live && !truth_of(&left)?;
            let right = self.not(live && !decided)?;
            if !decided {
                left = right;
            }
        }
        Ok(left)
    }

    fn not(&mut self, live: bool) -> Outcome<'a> {
        if !self.take_name("not") {
            return self.comparison(live);
        }
        self.nested(|this| {
            let value = this.not(live)?;
            Ok(found(if live { !truth_of(&value)? } else { false }))
        })
    }

    fn comparison(&mut self, live: bool) -> Outcome<'a> {
        let mut left = self.atom(live)?;
        let mut result: Option<bool> = None;
        while let Some(operator) = self.take_operator() {
            // A chain stops at its first part that does not hold.
            let live = live && result != Some(false);
            let right = self.atom(live)?;
            if live {
                let (a, b) = (defined(left, true)?, defined(right, true)?);
                result = Some(compare(operator, &a, &b)?);
                left = Found::Value(b);
            } else {
                left = right;
            }
        }
        match result {
            Some(result) => Ok(found(result)),
            None => Ok(left),
        }
    }

    fn atom(&mut self, live: bool) -> Outcome<'a> {
        let atom = match self.next() {
            Some(Token::Name("true" | "True")) => found(true),
            Some(Token::Name("false" | "False")) => found(false),
            Some(Token::Name("none" | "None")) => Found::Value(Cow::Owned(Value::None)),
            Some(Token::Name(word @ ("and" | "or" | "not" | "in" | "is" | "if" | "else"))) => {
                return Err(format!("expected a value, found \"{word}\""));
            }
            Some(Token::Name(name)) => match (self.option)(name) {
                Some(value) => Found::Value(Cow::Borrowed(value)),
                None => Found::Undefined(name),
            },
            Some(Token::Text(text)) => Found::Value(Cow::Owned(Value::Text(text))),
            Some(Token::Int(number)) => Found::Value(Cow::Owned(Value::Int(number))),
            Some(Token::Sign("-")) => match self.next() {
                Some(Token::Int(number)) => Found::Value(Cow::Owned(Value::Int(-number))),
                _ => return Err("expected a number after \"-\"".to_owned()),
            },
            Some(Token::Sign("(")) => self.nested(|this| this.parentheses(live))?,
            Some(Token::Sign("[")) => {
                let items = self.nested(|this| this.items("]", live))?;
                Found::Value(Cow::Owned(Value::List(items)))
            }
            Some(token) => return Err(format!("expected a value, found {token:?}")),
            None => return Err("expected a value, found the end of the expression".to_owned()),
        };
        self.test(atom)
    }

    /// `is defined`, `is not defined` and their opposites, which may follow a value.
    fn test(&mut self, value: Found<'a>) -> Outcome<'a> {
        if !self.take_name("is") {
            return Ok(value);
        }
        let negated = self.take_name("not");
        let defined = matches!(value, Found::Value(_));
        match self.next() {
            Some(Token::Name("defined")) => Ok(found(defined != negated)),
            Some(Token::Name("undefined")) => Ok(found(defined == negated)),
            _ => Err("of the tests after \"is\" only \"defined\" and \"undefined\" are known".to_owned()),
        }
    }

    fn parentheses(&mut self, live: bool) -> Outcome<'a> {
        if self.take_sign(")") {
            return Ok(Found::Value(Cow::Owned(Value::Tuple(Vec::new()))));
        }
        let first = self.or(live)?;
        if self.take_sign(")") {
            return Ok(first);
        }
        if !self.take_sign(",") {
            return Err("expected \")\" or \",\"".to_owned());
        }
        let mut items = vec![defined(first, live)?.into_owned()];
        items.extend(self.items(")", live)?);
        Ok(Found::Value(Cow::Owned(Value::Tuple(items))))
    }

    fn items(&mut self, end: &'static str, live: bool) -> Result<Vec<Value>, String> {
        let mut items = Vec::new();
        while !self.take_sign(end) {
            items.push(defined(self.or(live)?, live)?.into_owned());
            if !self.take_sign(",") {
                if self.take_sign(end) {
                    break;
                }
                return Err(format!("expected \",\" or \"{end}\""));
            }
        }
        Ok(items)
    }

    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<T, String> {
        if self.depth >= DEEPEST {
            return Err(format!("it is nested deeper than {DEEPEST}"));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn peek(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.position)
    }

    fn next(&mut self) -> Option<Token<'a>> {
        let token = self.tokens.get(self.position).cloned();
        self.position += 1;
        token
    }

    fn take_name(&mut self, word: &str) -> bool {
        let there = matches!(self.peek(), Some(Token::Name(name)) if *name == word);
        self.position += usize::from(there);
        there
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let there = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.position += usize::from(there);
        there
    }

    fn take_operator(&mut self) -> Option<&'static str> {
        let operator = match (self.peek()?, self.tokens.get(self.position + 1)) {
            (Token::Sign(sign), _) => {
                ["==", "!=", "<=", ">=", "<", ">"].into_iter().find(|operator| operator == sign)?
            }
            (Token::Name("in"), _) => "in",
            (Token::Name("not"), Some(Token::Name("in"))) => {
                self.position += 1;
                "not in"
            }
            _ => return None,
        };
        self.position += 1;
        Some(operator)
    }
}

fn found<'a>(value: bool) -> Found<'a> {
    Found::Value(Cow::Owned(Value::Bool(value)))
}

/// The value, which must be there if it is needed.
fn defined(value: Found<'_>, live: bool) -> Result<Cow<'_, Value>, String> {
    match value {
        Found::Value(value) => Ok(value),
        Found::Undefined(_) if !live => Ok(Cow::Owned(Value::None)),
        Found::Undefined(name) => Err(format!("there is no option \"{name}\"")),
    }
}

fn truth(value: Found<'_>, live: bool) -> Result<bool, String> {
    Ok(is_true(&*defined(value, live)?))
}

fn truth_of(value: &Found<'_>) -> Result<bool, String> {
    match value {
        Found::Value(value) => Ok(is_true(value)),
        Found::Undefined(name) => Err(format!("there is no option \"{name}\"")),
    }
}

fn is_true(value: &Value) -> bool {
    match value {
        Value::None => false,
        Value::Bool(value) => *value,
        Value::Int(number) => *number != 0,
        Value::Text(text) => !text.is_empty(),
        Value::List(items) | Value::Tuple(items) => !items.is_empty(),
    }
}

/// As Python compares: a boolean is a number, and values of different types are not equal.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b))
        }
        _ => match (number(a), number(b)) {
            (Some(a), Some(b)) => a == b,
            _ => a == b,
        },
    }
}

fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Bool(value) => Some(i64::from(*value)),
        Value::Int(number) => Some(*number),
        _ => None,
    }
}

fn compare(operator: &str, a: &Value, b: &Value) -> Result<bool, String> {
    Ok(match operator {
        "==" => equal(a, b),
        "!=" => !equal(a, b),
        "in" => contains(b, a)?,
        "not in" => !contains(b, a)?,
        _ => {
            let order = order(a, b)?;
            match operator {
                "<" => order == Ordering::Less,
                "<=" => order != Ordering::Greater,
                ">" => order == Ordering::Greater,
                _ => order != Ordering::Less,
            }
        }
    })
}

fn contains(container: &Value, item: &Value) -> Result<bool, String> {
    match (container, item) {
        (Value::Text(text), Value::Text(part)) => Ok(text.contains(&**part)),
        (Value::List(items) | Value::Tuple(items), _) => Ok(items.iter().any(|other| equal(item, other))),
        _ => Err("\"in\" wants a text in a text, or a value in a list".to_owned()),
    }
}

fn order(a: &Value, b: &Value) -> Result<Ordering, String> {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => Ok(a.cmp(b)),
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
            match a.iter().zip(b).find(|(a, b)| !equal(a, b)) {
                Some((a, b)) => order(a, b),
                None => Ok(a.len().cmp(&b.len())),
            }
        }
        _ => match (number(a), number(b)) {
            (Some(a), Some(b)) => Ok(a.cmp(&b)),
            _ => Err("values of different types have no order".to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expression: &str) -> Result<bool, String> {
        let text = |text: &str| Value::Text(text.to_owned());
        let options = [
            ("b", Value::Bool(true)),
            ("n", Value::Bool(false)),
            ("e", text("abc")),
            ("empty", text("")),
            ("fl", Value::List(vec![text("x"), text("y")])),
            ("nofl", Value::List(Vec::new())),
        ];
        evaluate(expression, &|name| options.iter().find(|(option, _)| *option == name).map(|(_, value)| value))
    }

    #[test]
    fn what_holds() {
        for expression in [
            "b",
            "not n",
            "e",
            "fl",
            "not nofl",
            "not empty",
            "true",
            "True",
            "not none",
            "b and e",
            "n or b",
            "e == 'abc'",
            "e == \"abc\"",
            "e != 'abd'",
            "'x' in fl",
            "'z' not in fl",
            "'b' in e",
            "\"\" in e",
            "e in ['abc', 'd']",
            "e in ('abc',)",
            "e in ('abc', 'd',)",
            "(b)",
            "not (n or n)",
            "b == 1",
            "b == true",
            "not b == 'True'",
            "1 < 2 <= 2",
            "'a' < 'b'",
            "fl == ['x', 'y']",
            "not fl == ('x', 'y')",
            "n or b and b",
            "not n and b",
            "b or zzz",
            "not (n and zzz)",
            "zzz is not defined",
            "not zzz is defined",
            "b is defined",
            "zzz is undefined",
            "-1 < 0",
            "'a' 'bc' == e",
            "1 > 2 > zzz or b",
            "b, n",
            "'it\\'s' == \"it's\"",
            "fl != []",
            "e not in fl and b",
            "not not b",
            "e == 'abc' == 'abc'",
        ] {
            assert_eq!(check(expression), Ok(true), "{expression}");
        }
    }

    #[test]
    fn what_does_not_hold() {
        for expression in [
            "n",
            "nofl",
            "empty",
            "b == 'True'",
            "e == 'ab'",
            "n and zzz",
            "0",
            "[]",
            "()",
            "zzz is defined",
            "not b or n",
        ] {
            assert_eq!(check(expression), Ok(false), "{expression}");
        }
    }

    #[test]
    fn what_has_no_meaning_or_no_value() {
        for expression in [
            "",
            "zzz",
            "zzz == 'a'",
            "b and zzz",
            "b = 'a'",
            "b && n",
            "!b",
            "b || n",
            "'a' if b else 'c'",
            "e|upper",
            "fl[0]",
            "e.upper()",
            "e ~ 'x'",
            "e is iterable",
            "(b",
            "b)",
            "[b",
            "'a",
            "1.5",
            "b b",
            "not",
            "e ==",
            "%}",
            "e in b",
            "e < 1",
            "1 + 1",
            "'\\x41'",
        ] {
            assert!(check(expression).is_err(), "{expression}");
        }
        assert!(check(&"(".repeat(100_000)).is_err());
        assert!(check(&"not ".repeat(100_000)).is_err());
    }
}

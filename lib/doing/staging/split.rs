//! Split rules: which of an artifact's paths a selection of domains takes (spec: artifacts 3.3).

use crate::values::{Code, Error, Result};
use regex::RegexSet;
use serde_json::Value;

/// The split rules of one artifact.
pub struct SplitRules {
    domains: Vec<String>,
    patterns: RegexSet,
}

/// What is wanted of an artifact.
#[derive(Clone, Copy, Debug)]
pub struct Selection<'a> {
    /// Domains; empty means all.
    pub include: &'a [String],
    pub exclude: &'a [String],
    /// Whether what no domain claims is taken.
    pub orphans: bool,
}

impl Selection<'_> {
    /// Whether everything is taken, without looking at any rule.
    pub fn is_everything(&self) -> bool {
        self.orphans && self.include.is_empty() && self.exclude.is_empty()
    }
}

impl SplitRules {
    /// Reads the rules of an artifact's public data.
    pub fn new(public: &Value) -> Result<SplitRules> {
        let mut domains = Vec::new();
        let mut patterns = Vec::new();
        for (domain, rules) in public["bst"]["split-rules"].as_object().into_iter().flatten() {
            let rules = rules.as_array().into_iter().flatten().filter_map(Value::as_str);
            let rules: Vec<String> = rules.map(pattern).collect::<Result<_>>()?;
            domains.push(domain.clone());
            patterns.push(any_of(&rules));
        }
        let patterns = RegexSet::new(&patterns)
            .map_err(|error| Error::new(Code::Staging, format!("split rules cannot be used: {error}")))?;
        Ok(SplitRules { domains, patterns })
    }

    /// Those of some domains that the rules do not have.
    pub fn unknown<'a>(&self, wanted: &'a [String]) -> Vec<&'a str> {
        wanted.iter().map(String::as_str).filter(|domain| !self.domains.iter().any(|own| own == domain)).collect()
    }

    /// Whether a path, which has no leading slash, is taken.
    pub fn takes(&self, selection: &Selection, path: &str) -> bool {
        let name = format!("/{path}");
        let mut claimed = false;
        let mut included = false;
        let mut excluded = false;
        for domain in self.patterns.matches(&name).into_iter().map(|index| &self.domains[index]) {
            claimed = true;
            included = included || selection.include.is_empty() || selection.include.contains(domain);
            excluded = excluded || selection.exclude.contains(domain);
        }
        (included || (selection.orphans && !claimed)) && !excluded
    }
}

/// Globs that stand for whole absolute paths, as a list of which one must match.
pub fn any_of(patterns: &[String]) -> String {
    if patterns.is_empty() {
        // What nothing matches.
        return r"[^\s\S]".to_owned();
    }
    format!(r"(?s)\A(?:{})\z", patterns.join("|"))
}

/// A glob as a regular expression: `*` and `?` stop at `/`, `**` does not, `[a-z]` and `[!a-z]` are one
/// character. The name that it is compared with begins with `/`.
pub fn pattern(glob: &str) -> Result<String> {
    let glob: Vec<char> = glob.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    while let Some(&c) = glob.get(at) {
        at += 1;
        match c {
            '*' if glob.get(at) == Some(&'*') => {
                at += 1;
                out += ".*";
            }
            '*' => out += "[^/]*",
            '?' => out += "[^/]",
            '[' => {
                let start = at + usize::from(glob.get(at) == Some(&'!'));
                // A `]` that comes first is one of the characters.
                match glob.iter().skip(start + 1).position(|&c| c == ']') {
                    Some(length) if start < glob.len() => {
                        let end = start + 1 + length;
                        out += &class(&glob[start..end], start > at)?;
                        at = end + 1;
                    }
                    _ => out += r"\[",
                }
            }
            c => out += &regex::escape(c.encode_utf8(&mut [0; 4])),
        }
    }
    Ok(out)
}

/// A set of characters.
fn class(text: &[char], negated: bool) -> Result<String> {
    let mut out = String::from(if negated { "[^" } else { "[" });
    let mut rest = text;
    while let [low, more @ ..] = rest {
        let (high, more) = match more {
            ['-', high, more @ ..] => (high, more),
            more => (low, more),
        };
        if high < low {
            return Err(Error::new(Code::Staging, format!("the range {low}-{high} of a pattern is backwards")));
        }
        out += &format!(r"\x{{{:x}}}-\x{{{:x}}}", u32::from(*low), u32::from(*high));
        rest = more;
    }
    out.push(']');
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn matches(glob: &str, name: &str) -> bool {
        let pattern = any_of(&[pattern(glob).expect("a pattern")]);
        regex::Regex::new(&pattern).expect("a regular expression").is_match(name)
    }

    #[test]
    fn globs_are_those_of_buildstream() {
        for (glob, name, expected) in [
            ("/usr/bin/*", "/usr/bin/tool", true),
            ("/usr/bin/*", "/usr/bin/a/b", false),
            ("/usr/bin/*", "/usr/bin/", true),
            ("/usr/**", "/usr/a/b\nc", true),
            ("usr/bin", "/usr/bin", false),
            ("*bin", "/bin", false),
            ("**bin", "/usr/bin", true),
            ("/?", "/a", true),
            ("/?", "//", false),
            ("/[a-c]x", "/bx", true),
            ("/[!a-c]x", "/bx", false),
            ("/[!a-c]x", "/x", false),
            ("/[]x]", "/]", true),
            ("/[^x]", "/^", true),
            ("/[&&~[]", "/&", true),
            ("/[x", "/[x", true),
            ("/[!]", "/[!]", true),
            ("/a.so", "/abso", false),
            ("/lib*.so*", "/libé.so.1", true),
        ] {
            assert_eq!(matches(glob, name), expected, "{glob} {name}");
        }
        assert!(pattern("[z-a]").is_err());
        assert!(!regex::Regex::new(&any_of(&[])).expect("one").is_match("/"));
    }

    #[test]
    fn selections_follow_the_rules() {
        let public = json!({"bst": {"split-rules": {"a": ["/a", "/ab"], "b": ["/b", "/ab"], "none": []}}});
        let rules = SplitRules::new(&public).expect("rules");
        let (a, b, none) = (["a".to_owned()], ["b".to_owned()], []);
        let takes = |include: &[String], exclude: &[String], orphans, path: &str| {
            rules.takes(&Selection { include, exclude, orphans }, path)
        };
        assert!(takes(&a, &none, false, "a") && takes(&a, &none, false, "ab") && !takes(&a, &none, false, "b"));
        assert!(!takes(&a, &b, false, "ab") && takes(&none, &b, true, "a") && takes(&none, &b, true, "orphan"));
        assert!(!takes(&none, &none, false, "orphan") && takes(&a, &none, true, "orphan"));
        assert_eq!(rules.unknown(&["a".to_owned(), "x".to_owned()]), ["x"]);
    }
}

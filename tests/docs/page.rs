//! Man pages as the tests read them.

use std::path::{Path, PathBuf};

/// The root of the checkout.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A man page.
pub struct Page {
    pub path: PathBuf,
    /// `bst-key.1`
    pub name: String,
    pub text: String,
}

/// Every page of the suite, by name.
pub fn all() -> Vec<Page> {
    let mut pages: Vec<Page> = std::fs::read_dir(root().join("man"))
        .expect("man/")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|section| section.to_string_lossy().parse::<u8>().is_ok()))
        .map(|path| Page {
            name: path.file_name().expect("a name").to_string_lossy().into_owned(),
            text: std::fs::read_to_string(&path).expect("a page"),
            path,
        })
        .collect();
    pages.sort_by(|a, b| a.name.cmp(&b.name));
    pages
}

/// The page of this name.
pub fn find(name: &str) -> Option<Page> {
    all().into_iter().find(|page| page.name == name)
}

impl Page {
    /// The lines of a section, with its subsections, or of a subsection.
    pub fn section(&self, title: &str) -> Vec<&str> {
        let Some(start) = self.text.lines().position(|line| heading(line).is_some_and(|(_, found)| found == title))
        else {
            return Vec::new();
        };
        let level = self.text.lines().nth(start).and_then(heading).map_or(0, |(level, _)| level);
        let lines = self.text.lines().skip(start + 1);
        lines.take_while(|line| heading(line).is_none_or(|(found, _)| found > level)).collect()
    }

    /// What stands after `.TP` in a section: the tag's line, in plain text, and the text below it.
    pub fn entries(&self, title: &str) -> Vec<(String, String)> {
        let lines = self.section(title);
        let starts: Vec<usize> = (0..lines.len()).filter(|&i| lines[i] == ".TP" || lines[i] == ".TQ").collect();
        starts
            .iter()
            .enumerate()
            .filter_map(|(n, &start)| {
                let end = starts.get(n + 1).copied().unwrap_or(lines.len());
                let body = &lines[start + 1..end];
                let (tag, text) = body.split_first()?;
                let text: Vec<String> = text.iter().map(|line| plain(line)).collect();
                Some((plain(tag), text.join(" ").trim().to_owned()))
            })
            .collect()
    }

    /// Every flag that the section OPTIONS describes, with its dashes, sorted.
    pub fn flags(&self) -> Vec<String> {
        let mut flags: Vec<String> = self
            .entries("OPTIONS")
            .iter()
            .flat_map(|(tag, _)| {
                tag.split([' ', ',', '=', '|', '['])
                    .filter(|word| word.starts_with('-'))
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .collect();
        flags.sort();
        flags
    }

    /// The code blocks (`.EX` to `.EE`) of a section, as they would be typed.
    pub fn code(&self, title: &str) -> Vec<String> {
        let mut blocks = Vec::new();
        let mut block: Option<String> = None;
        for line in self.section(title) {
            match (line, &mut block) {
                (".EX", _) => block = Some(String::new()),
                (".EE", _) => blocks.extend(block.take()),
                (line, Some(block)) => {
                    *block += &unescape(line);
                    block.push('\n');
                }
                _ => {}
            }
        }
        blocks
    }
}

/// Level and title of a heading.
fn heading(line: &str) -> Option<(u8, &str)> {
    let (level, title) = match line.strip_prefix(".SH ") {
        Some(title) => (1, title),
        None => (2, line.strip_prefix(".SS ")?),
    };
    Some((level, title.trim_matches('"')))
}

/// A line of roff as plain text: without its macro, with quotes and fonts taken off.
pub fn plain(line: &str) -> String {
    let Some(request) = line.strip_prefix('.') else { return unescape(line) };
    let (name, rest) = request.split_once(' ').unwrap_or((request, ""));
    match name {
        // Arguments that alternate between two fonts are set without space between them.
        "BR" | "BI" | "IR" | "IB" | "RB" | "RI" => unescape(&arguments(rest).concat()),
        "B" | "I" | "SM" | "SB" => unescape(&arguments(rest).join(" ")),
        _ => String::new(),
    }
}

/// The arguments of a macro: words, or what stands in double quotes.
fn arguments(text: &str) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (argument, tail) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        arguments.push(argument.to_owned());
        rest = tail.trim_start();
    }
    arguments
}

/// Text without escapes of roff.
fn unescape(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once('\\') {
        plain += before;
        let mut chars = escape.chars();
        rest = match chars.next() {
            Some('f') => {
                let font = chars.next();
                match (font, chars.as_str()) {
                    (Some('['), tail) => tail.split_once(']').map_or("", |(_, tail)| tail),
                    (Some('('), tail) => tail.get(2..).unwrap_or(""),
                    (_, tail) => tail,
                }
            }
            Some('(') => {
                let tail = chars.as_str();
                plain += match tail.get(..2) {
                    Some("aq") => "'",
                    Some("dq") => "\"",
                    Some("ti") => "~",
                    Some("ha") => "^",
                    Some("ga") => "`",
                    Some("rs") => "\\",
                    Some("bu") => "*",
                    _ => "",
                };
                tail.get(2..).unwrap_or("")
            }
            Some('e') => {
                plain.push('\\');
                chars.as_str()
            }
            Some('&' | '%' | '|' | '^' | 'c' | '/') => chars.as_str(),
            Some('"') => "",
            Some(other) => {
                plain.push(other);
                chars.as_str()
            }
            None => "",
        };
    }
    plain + rest
}

#[test]
fn roff_becomes_plain_text() {
    assert_eq!(plain(r#".BR \-j ", " \-\-jobs =\fIN\fR"#), "-j, --jobs=N");
    assert_eq!(plain(r".B \-\-all"), "--all");
    assert_eq!(plain(r##".BI \-o " NAME VALUE""##), "-o NAME VALUE");
    assert_eq!(plain(r"it\(aqs \fBbold\fP\&."), "it's bold.");
}

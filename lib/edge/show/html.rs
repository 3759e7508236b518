//! One page for people who get a link instead of a terminal: what failed and why, the logs folded, what is
//! blocked by what, the time line. No script, nothing from elsewhere.

use super::{Shown, State, timeline};
use crate::edge::words::{brief, origin, reason};
use crate::store::{Store, fs};
use crate::values::name::local_name;
use crate::values::record::Action;
use crate::values::result::BuildResult;
use crate::values::{Digest, Result, time::Time};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Of a longer log the begin and the end are on the page.
const LOG_PART: u64 = 256 << 10;

/// Writes the page for records, and for the events of their run if there are any.
pub(super) fn write(path: &Path, all: &[Shown], events: Option<&Path>, store: &Store) -> Result<()> {
    let bars = match events {
        Some(events) => timeline::of_events(events)?,
        None => timeline::of_records(all),
    };
    let page = Page { all, store }.text(&bars);
    // A bare name lies in the current directory, which has to have a name too to be written to.
    fs::write_atomic(&Path::new(".").join(path), page.as_bytes(), 0o644)
}

struct Page<'a> {
    all: &'a [Shown],
    store: &'a Store,
}

impl Page<'_> {
    fn text(&self, bars: &[timeline::Bar]) -> String {
        let mut out = String::from("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n");
        out += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
        let title = self.title();
        let _ =
            write!(out, "<title>{0}</title>\n<style>\n{1}</style></head><body>\n<h1>{0}</h1>\n", text(&title), STYLE);
        self.counts(&mut out);
        self.failures(&mut out);
        self.blocked(&mut out);
        timeline::html(bars, &mut out);
        self.elements(&mut out);
        let _ = writeln!(out, "<p class=\"dim\">Written {} by bst-show.</p>\n</body></html>", Time::now());
        out
    }

    fn title(&self) -> String {
        let mut projects: Vec<&str> = self.all.iter().map(|shown| shown.identity.project.as_str()).collect();
        projects.sort_unstable();
        projects.dedup();
        let failed = self.all.iter().filter(|shown| shown.failed()).count();
        let verdict = match failed {
            0 => "nothing failed".to_owned(),
            1 => "1 element failed".to_owned(),
            n => format!("{n} elements failed"),
        };
        format!("{}: {verdict}", projects.join(", "))
    }

    fn counts(&self, out: &mut String) {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for shown in self.all {
            *counts.entry(word(shown)).or_default() += 1;
        }
        *out += "<ul class=\"counts\">";
        for (word, count) in counts {
            let _ = write!(out, "<li class=\"{}\"><b>{count}</b> {word}</li>", class(word));
        }
        *out += "</ul>\n";
    }

    fn failures(&self, out: &mut String) {
        let failed: Vec<_> = self.all.iter().filter(|shown| shown.failed()).collect();
        if failed.is_empty() {
            return;
        }
        *out += "<h2>Failed</h2>\n";
        for shown in failed {
            self.failure(shown, out);
        }
    }

    fn failure(&self, shown: &Shown, out: &mut String) {
        let _ = writeln!(out, "<article id=\"{}\"><h3>{}</h3>", anchor(shown), text(&shown.identity.element));
        if let Some(problem) = &shown.error {
            let file = problem.file.as_ref().map(|file| format!("{file}: ")).unwrap_or_default();
            let _ = writeln!(out, "<p class=\"why\">{}{}</p>", text(&file), text(&problem.message));
        }
        if let Some(result) = shown.result.as_ref().filter(|result| !result.success) {
            if shown.error.is_none() {
                let _ = writeln!(out, "<p class=\"why\">{}</p>", text(&reason(result)));
            }
            self.circumstances(shown, result, out);
            self.log(shown, result, out);
        }
        if let Some(key) = shown.key {
            let _ = writeln!(out, "<p class=\"key\">{key}</p>");
        }
        *out += "</article>\n";
    }

    fn circumstances(&self, shown: &Shown, result: &BuildResult, out: &mut String) {
        let replayed = shown.schedule.as_ref().is_none_or(|schedule| schedule.action == Action::Replayed);
        let what = if replayed { "A cached failure" } else { "The build" };
        let took = result.duration_ms.map(|took| format!(", took {}", brief(took))).unwrap_or_default();
        let builder = result.builder.as_ref().map(|builder| format!(", by {builder}")).unwrap_or_default();
        let _ = writeln!(out, "<p class=\"dim\">{what}{}{took}{}</p>", text(&origin(result)), text(&builder));
        let schedule = shown.schedule.as_ref();
        for decision in schedule.map_or(&[][..], |schedule| &schedule.decisions) {
            let note = decision.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
            let line = format!("{}, said the {}{note}", decision.action, decision.by);
            let _ = writeln!(out, "<p class=\"dim\">Then: {}</p>", text(&line));
        }
    }

    /// The end of the log is open, all of it folded.
    fn log(&self, shown: &Shown, result: &BuildResult, out: &mut String) {
        let tail = result.log_tail.as_deref().unwrap_or_default().trim_end();
        if !tail.is_empty() {
            let _ = writeln!(out, "<pre>{}</pre>", text(tail));
        }
        let stored: Option<crate::values::record::ArtifactField> = shown.record.get("artifact").ok().flatten();
        let Some(digest) = result.log.or(stored.and_then(|artifact| artifact.log)) else { return };
        match self.read_log(&digest) {
            Ok(log) => {
                let size = digest.size();
                let _ = writeln!(
                    out,
                    "<details><summary>The log, {size} bytes</summary><pre>{}</pre></details>",
                    text(&log)
                );
            }
            Err(error) => {
                let _ = writeln!(out, "<p class=\"dim\">The log is not here: {}</p>", text(&error.to_string()));
            }
        }
    }

    fn read_log(&self, digest: &Digest) -> Result<String> {
        let mut file = self.store.cas().open(digest)?;
        let path = self.store.cas().path(digest);
        let failed = |error| crate::values::Error::io("cannot read", &path, error);
        let mut begin = Vec::new();
        if digest.size() <= 2 * LOG_PART {
            file.read_to_end(&mut begin).map_err(failed)?;
            return Ok(String::from_utf8_lossy(&begin).into_owned());
        }
        let mut end = Vec::new();
        file.by_ref().take(LOG_PART).read_to_end(&mut begin).map_err(failed)?;
        file.seek(SeekFrom::Start(digest.size() - LOG_PART)).map_err(failed)?;
        file.read_to_end(&mut end).map_err(failed)?;
        let left_out = digest.size() - 2 * LOG_PART;
        Ok(format!(
            "{}\n\n[... {left_out} bytes are left out here ...]\n\n{}",
            String::from_utf8_lossy(&begin),
            String::from_utf8_lossy(&end)
        ))
    }

    fn blocked(&self, out: &mut String) {
        let blocked: Vec<_> = self.all.iter().filter(|shown| word(shown) == "blocked").collect();
        if blocked.is_empty() {
            return;
        }
        *out += "<h2>Blocked</h2>\n";
        for shown in blocked {
            let _ = write!(out, "<article class=\"blocked\"><h3>{}</h3><p>by ", text(&shown.identity.element));
            let roots = shown.schedule.as_ref().map_or(&[][..], |schedule| &schedule.blocked_by);
            for (number, root) in roots.iter().enumerate() {
                let comma = if number > 0 { ", " } else { "" };
                let _ = match self.find(&root.element, root.key) {
                    Some(found) => write!(out, "{comma}<a href=\"#{}\">{}</a>", anchor(found), text(&root.element)),
                    None => write!(out, "{comma}{}", text(&root.element)),
                };
            }
            *out += "</p></article>\n";
        }
    }

    fn find(&self, element: &str, key: Option<crate::values::Key>) -> Option<&Shown> {
        let local = local_name(element);
        self.all.iter().find(|shown| shown.key == key && local_name(&shown.identity.element) == local && shown.failed())
    }

    fn elements(&self, out: &mut String) {
        let _ = write!(out, "<h2>All elements</h2>\n<details><summary>{} elements</summary>", self.all.len());
        *out += "<table><tr><th>State</th><th>Element</th><th>Key</th></tr>\n";
        for shown in self.all {
            let word = word(shown);
            let key = shown.key.map(|key| key.brief()).unwrap_or_default();
            let name = text(&shown.identity.element);
            let class = class(word);
            let _ =
                writeln!(out, "<tr><td class=\"{class}\">{word}</td><td>{name}</td><td class=\"key\">{key}</td></tr>");
        }
        *out += "</table></details>\n";
    }
}

const STYLE: &str = include_str!("page.css");

/// What became of an element, in a word.
fn word(shown: &Shown) -> &'static str {
    match (shown.schedule.as_ref().map(|schedule| schedule.action), shown.state) {
        (Some(Action::Blocked), _) => "blocked",
        (Some(Action::Cancelled), _) => "cancelled",
        (Some(Action::Skipped), _) => "skipped",
        (Some(Action::Replayed), State::Failed) => "replayed",
        (Some(Action::Built), State::Cached) => "built",
        (_, state) => state.word(),
    }
}

fn class(word: &str) -> String {
    word.replace(' ', "-")
}

/// A name for links, unlike that of any other element.
fn anchor(shown: &Shown) -> String {
    let key = shown.key.map(|key| key.brief()).unwrap_or_default();
    let name: String = shown
        .identity
        .element
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') { c } else { '_' })
        .collect();
    format!("e-{name}-{key}")
}

/// Text of others, as text and nothing else.
pub(super) fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

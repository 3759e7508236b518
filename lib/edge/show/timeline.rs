//! The time line of the page: a bar for each build.

use super::Shown;
use super::html::text;
use crate::edge::pipe::Reader;
use crate::edge::words::brief;
use crate::values::record::Action;
use crate::values::{Error, Record, Result};
use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;

/// One build.
pub(super) struct Bar {
    name: String,
    /// Milliseconds from some begin.
    begin: u64,
    end: u64,
    class: &'static str,
}

/// The builds that a file of events speaks of.
pub(super) fn of_events(path: &Path) -> Result<Vec<Bar>> {
    let file = std::fs::File::open(path).map_err(|error| Error::io("cannot read", path, error))?;
    let mut reader = Reader::new(file);
    let mut open: HashMap<u64, (String, u64)> = HashMap::new();
    let mut bars = Vec::new();
    while let Some(event) = reader.next_record() {
        let event = event.map_err(|error| Error::malformed(format!("{}: {error}", path.display())))?;
        add(&event, &mut open, &mut bars)?;
    }
    bars.sort_by_key(|bar| (bar.begin, bar.end));
    Ok(bars)
}

fn add(event: &Record, open: &mut HashMap<u64, (String, u64)>, bars: &mut Vec<Bar>) -> Result<()> {
    let (at, slot): (u64, u64) = (event.require("at_ms")?, event.get("slot")?.unwrap_or(0));
    match event.require::<String>("event")?.as_str() {
        "start" => drop(open.insert(slot, (event.require("element")?, at))),
        "end" => {
            if let Some((name, begin)) = open.remove(&slot) {
                let class = match (event.get::<bool>("success")?, event.get::<String>("class")?.as_deref()) {
                    (Some(true), _) => "built",
                    (_, Some("cancelled")) => "cancelled",
                    _ => "failed",
                };
                bars.push(Bar { name, begin, end: at, class });
            }
        }
        _ => {}
    }
    Ok(())
}

/// The builds of this run as the results tell them, to the second.
pub(super) fn of_records(all: &[Shown]) -> Vec<Bar> {
    let mut bars: Vec<Bar> = all.iter().filter_map(of_record).collect();
    let first = bars.iter().map(|bar| bar.begin).min().unwrap_or(0);
    for bar in &mut bars {
        bar.begin -= first;
        bar.end -= first;
    }
    bars.sort_by_key(|bar| (bar.begin, bar.end));
    bars
}

fn of_record(shown: &Shown) -> Option<Bar> {
    let schedule = shown.schedule.as_ref().filter(|schedule| schedule.action == Action::Built)?;
    let result = shown.result.as_ref()?;
    let begin = result.started?.seconds().saturating_mul(1000);
    let end = begin.saturating_add(result.duration_ms?);
    let class = if result.success { "built" } else { "failed" };
    let attempts = if schedule.attempts > 1 { format!(" (attempt {})", schedule.attempts) } else { String::new() };
    Some(Bar { name: shown.identity.element.clone() + &attempts, begin, end, class })
}

/// Adds the section to the page.
pub(super) fn html(bars: &[Bar], out: &mut String) {
    let end = bars.iter().map(|bar| bar.end).max().unwrap_or(0);
    if bars.is_empty() {
        return;
    }
    let _ = writeln!(out, "<h2>Time line</h2>\n<p class=\"dim\">{} builds in {}</p>", bars.len(), brief(end));
    for bar in bars {
        let percent = |time: u64| time as f64 * 100.0 / end.max(1) as f64;
        let (left, width) = (percent(bar.begin), percent(bar.end - bar.begin));
        let _ = writeln!(
            out,
            "<div class=\"bar\"><i class=\"{}\" style=\"left:{left:.2}%;width:{width:.2}%\"></i><span>{} {}</span></div>",
            bar.class,
            text(&bar.name),
            brief(bar.end - bar.begin)
        );
    }
}

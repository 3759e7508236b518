//! From the events of a run to a trace that chrome://tracing and Perfetto open.

use crate::edge::pipe::Reader;
use crate::values::{Error, Record, Result};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::io::Read;

/// The trace of a stream of events: one row for each job that ran at a time, marks for what was decided, a
/// curve of how many ran.
pub(super) fn trace(events: impl Read) -> Result<String> {
    let mut reader = Reader::new(events);
    let mut trace = Trace::default();
    while let Some(event) = reader.next_record() {
        trace.add(&event?)?;
    }
    let text = serde_json::to_string(&json!({"displayTimeUnit": "ms", "traceEvents": trace.finish()}));
    text.map(|text| text + "\n").map_err(|error| Error::malformed(format!("the trace cannot be written: {error}")))
}

#[derive(Default)]
struct Trace {
    events: Vec<Value>,
    /// By slot: what began there, and when.
    open: HashMap<u64, (Value, u64)>,
    slots: u64,
    last: u64,
}

impl Trace {
    fn add(&mut self, event: &Record) -> Result<()> {
        let kind: String = event.require("event")?;
        let at: u64 = event.require("at_ms")?;
        self.last = self.last.max(at);
        let slot: u64 = event.get("slot")?.unwrap_or(0);
        match kind.as_str() {
            "start" => {
                let name: Value = event.require("element")?;
                self.slots = self.slots.max(slot + 1);
                self.open.insert(slot, (name, at));
                self.count(at);
            }
            "end" => {
                if let Some((name, begun)) = self.open.remove(&slot) {
                    let args = arguments(event, &["project", "key", "attempt", "class", "description", "success"])?;
                    let failed = event.get::<bool>("success")? == Some(false);
                    let colour = if failed { "terrible" } else { "good" };
                    self.events.push(complete(&name, begun, at, slot, args, colour));
                }
                self.count(at);
            }
            "decide" | "stop" | "warn" | "wait" => {
                let args = arguments(event, &["element", "action", "by", "note", "why", "message"])?;
                let name = match event.get::<String>("action")? {
                    Some(action) => format!("{kind}: {action}"),
                    None => kind,
                };
                self.events.push(
                    json!({"ph": "i", "s": "g", "name": name, "ts": micros(at), "pid": 1, "tid": 0, "args": args}),
                );
            }
            _ => {}
        }
        Ok(())
    }

    fn count(&mut self, at: u64) {
        let args = json!({"jobs": self.open.len()});
        self.events.push(json!({"ph": "C", "name": "running", "ts": micros(at), "pid": 1, "args": args}));
    }

    /// What never ended ends with the last event.
    fn finish(mut self) -> Vec<Value> {
        let mut open: Vec<_> = std::mem::take(&mut self.open).into_iter().collect();
        open.sort_by_key(|(slot, _)| *slot);
        for (slot, (name, begun)) in open {
            self.events.push(complete(&name, begun, self.last, slot, Map::new(), "bad"));
        }
        let label = |name: &str, tid: u64, text: String| json!({"ph": "M", "name": name, "pid": 1, "tid": tid, "args": {"name": text}});
        let mut all = vec![label("process_name", 0, "bst-schedule".to_owned())];
        all.extend((0..self.slots).map(|slot| label("thread_name", slot, format!("job {}", slot + 1))));
        all.append(&mut self.events);
        all
    }
}

fn complete(name: &Value, begun: u64, ended: u64, slot: u64, args: Map<String, Value>, colour: &str) -> Value {
    json!({"ph": "X", "name": name, "ts": micros(begun), "dur": micros(ended.saturating_sub(begun)), "pid": 1,
           "tid": slot, "args": args, "cname": colour})
}

fn micros(milliseconds: u64) -> u64 {
    milliseconds.saturating_mul(1000)
}

fn arguments(event: &Record, fields: &[&str]) -> Result<Map<String, Value>> {
    let mut found = Map::new();
    for field in fields {
        if let Some(value) = event.get::<Value>(field)? {
            found.insert((*field).to_owned(), value);
        }
    }
    Ok(found)
}

//! The graph for Graphviz.

use super::{Shown, State};
use crate::values::name::local_name;
use crate::values::record::{Action, DependencyType};
use std::collections::HashSet;
use std::fmt::Write;

/// The graph in the DOT language: an arrow goes from an element to what it needs; dashed if only at run time.
pub(super) fn dot(all: &[Shown]) -> String {
    let mut text = String::from("digraph elements {\n  rankdir=LR;\n  node [shape=box, style=filled];\n");
    let mut seen = HashSet::new();
    for shown in all {
        let node = id(&shown.identity.project, &shown.identity.element);
        if !seen.insert(node.clone()) {
            continue;
        }
        let (colour, word) = look(shown);
        let label = quoted(&format!("{}\n{word}", shown.identity.element));
        let _ = writeln!(text, "  {node} [label={label}, fillcolor=\"{colour}\"];");
        for dependency in &shown.depends {
            let style = match dependency.when {
                DependencyType::Runtime => " [style=dashed]",
                DependencyType::Build | DependencyType::All => "",
            };
            let _ = writeln!(text, "  {node} -> {}{style};", id(&dependency.project, &dependency.element));
        }
    }
    text + "}\n"
}

fn look(shown: &Shown) -> (&'static str, &'static str) {
    match (shown.schedule.as_ref().map(|schedule| schedule.action), shown.state) {
        (Some(Action::Blocked), _) => ("khaki", "blocked"),
        (Some(Action::Cancelled), _) => ("lightgrey", "cancelled"),
        (Some(Action::Built), State::Cached) => ("palegreen", "built"),
        (_, state @ (State::Failed | State::Error | State::NoReference)) => ("lightcoral", state.word()),
        (_, state @ (State::Cached | State::Junction)) => ("plum", state.word()),
        (_, state @ State::Buildable) => ("white", state.word()),
        (_, state @ (State::FetchNeeded | State::Waiting)) => ("lightblue", state.word()),
    }
}

/// Through different junctions an element has different full names but is one node.
fn id(project: &str, element: &str) -> String {
    quoted(&format!("{project}/{}", local_name(element)))
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

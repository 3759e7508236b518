//! Records of what was loaded.

use super::{Line, Loaded};
use crate::project::graph::Scope;
use crate::values::record::{self, Dependency, Staged};
use crate::values::{Code, Error, Record, Result};
use std::collections::HashMap;

impl Loaded {
    /// The record of a line, and whether it has an error.
    pub fn record(&self, line: &Line) -> Result<(Record, Option<Error>)> {
        match line {
            Line::Broken { name, error } => {
                let mut record = Record::default();
                record.set("v", &record::VERSION)?;
                record.set("element", name)?;
                if let Some(top) = &self.top {
                    record.set("project", &top.name)?;
                }
                record.set_error(error)?;
                Ok((record, Some(error.clone())))
            }
            Line::Element(position) => self.element(*position),
        }
    }

    fn element(&self, position: usize) -> Result<(Record, Option<Error>)> {
        let element = &self.graph.nodes[position].element;
        let mut record = Record::default();
        record.set("v", &record::VERSION)?;
        record.set("project", &element.project.name)?;
        record.set("element", &element.full_name)?;
        record.set("kind", &element.kind.to_string())?;
        record.set("depends", &self.depends(position))?;
        if let Some(error) = &self.errors[position] {
            record.set_error(error)?;
            return Ok((record, Some(error.clone())));
        }
        let Some(resolved) = &self.resolved[position] else { return Ok((record, None)) };
        record.set("sources", &resolved.sources)?;
        record.set("build", &resolved.build)?;
        let keys = self.keys[position];
        if let Some(weak) = keys.weak {
            record.set("weak_key", &weak)?;
        }
        let Some(key) = keys.strict else {
            let error = self.no_ref(position);
            record.set_error(&error)?;
            return Ok((record, Some(error)));
        };
        record.set("key", &key)?;
        if self.named[position] {
            if let Some(stage) = self.stage(position) {
                record.set("stage", &stage)?;
            }
        }
        Ok((record, None))
    }

    fn depends(&self, position: usize) -> Vec<Dependency> {
        let edges = self.graph.nodes[position].edges.iter();
        edges
            .map(|edge| {
                let to = &self.graph.nodes[edge.to].element;
                Dependency {
                    element: to.full_name.clone(),
                    key: self.keys[edge.to].strict,
                    project: to.project.name.clone(),
                    strict: edge.declaration.strict,
                    when: edge.declaration.when,
                }
            })
            .collect()
    }

    /// What the build of an element stages; none if one of it has no key.
    fn stage(&self, position: usize) -> Option<Vec<Staged>> {
        let scope = self.graph.scope(&[position], Scope::Build);
        let places: HashMap<usize, usize> =
            scope.iter().enumerate().map(|(place, &element)| (element, place)).collect();
        scope
            .iter()
            .map(|&member| {
                let node = &self.graph.nodes[member];
                let runtime = node.edges.iter().filter(|edge| edge.declaration.when.runs());
                Some(Staged {
                    element: node.element.full_name.clone(),
                    key: self.keys[member].strict?,
                    project: node.element.project.name.clone(),
                    runtime: runtime.filter_map(|edge| places.get(&edge.to).copied()).collect(),
                })
            })
            .collect()
    }

    /// The error of an element without key: it names the element whose source has no ref.
    fn no_ref(&self, position: usize) -> Error {
        let lacks = |position: &usize| {
            let resolved = self.resolved[*position].as_ref();
            resolved.is_some_and(|resolved| resolved.sources.iter().any(|source| source.unique.is_none()))
        };
        let own = lacks(&position).then_some(position);
        let culprit = own.or_else(|| self.graph.scope(&[position], Scope::All).into_iter().find(lacks));
        let name = |position: usize| &*self.graph.nodes[position].element.full_name;
        let message = match culprit {
            Some(culprit) if culprit == position => {
                format!("a source of {} has no ref; bst-track finds one", name(position))
            }
            Some(culprit) => {
                format!(
                    "{} depends on {}, a source of which has no ref; bst-track finds one",
                    name(position),
                    name(culprit)
                )
            }
            None => format!("{} has no key", name(position)),
        };
        Error::new(Code::NoRef, message)
    }
}

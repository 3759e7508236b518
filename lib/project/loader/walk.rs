//! From targets to everything that they depend on.

use super::{Declaration, Dependency, Element, Session};
use crate::project::conf::Project;
use crate::values::{Error, Result};
use std::collections::HashMap;
use std::sync::Arc;

/// What loading a target gave.
pub type Outcome = Result<Arc<Element>>;

/// Loads targets one after the other, each as if it were the only one: what is broken stays broken, and the
/// rest is not disturbed.
pub struct Walk {
    session: Arc<Session>,
    /// By number of the element.
    states: Vec<State>,
}

#[derive(Clone)]
enum State {
    New,
    /// What it depends on is being loaded.
    Open,
    Loaded,
    Failed(Error),
}

/// An element whose dependencies are being loaded.
struct Frame {
    element: Arc<Element>,
    /// How many of its declarations are done.
    next: usize,
    done: Vec<Dependency>,
    positions: HashMap<usize, usize>,
    /// The dependency whose own dependencies are being loaded.
    waiting: Option<Arc<Element>>,
}

impl Walk {
    /// Nothing is loaded yet.
    pub fn new(session: &Arc<Session>) -> Walk {
        Walk { session: session.clone(), states: Vec::new() }
    }

    /// Loads targets of the first project, with other threads reading ahead.
    pub fn targets(&mut self, project: &Arc<Project>, names: &[String]) -> Vec<Outcome> {
        let session = self.session.clone();
        session.files.ahead(session.settings.threads.saturating_sub(1), || {
            let local = names.iter().filter(|name| !name.contains(':')).map(|name| super::element::normal(name));
            session.files.ask(project, local);
            names.iter().map(|name| self.target(project, name)).collect()
        })
    }

    fn target(&mut self, project: &Arc<Project>, name: &str) -> Outcome {
        if name.starts_with('/') {
            let message = format!(
                "expected the name of an element, relative to {}, found {name}",
                project.element_path.display()
            );
            return Err(Error::load("invalid-data", message));
        }
        let (project, name) = project.locate(name, None)?;
        let element = project.element_at(&name, None, 0)?;
        self.load(&element)?;
        Ok(element)
    }

    /// Loads what an element depends on, in the order of the files, each dependency with its own dependencies
    /// before the next one.
    fn load(&mut self, target: &Arc<Element>) -> Result<()> {
        let mut frames = Vec::new();
        self.open(target, &mut frames);
        while let Some(frame) = frames.last_mut() {
            match self.step(frame) {
                Ok(Some(next)) => self.open(&next, &mut frames),
                Ok(None) => {
                    let Some(frame) = frames.pop() else { break };
                    let _ = frame.element.dependencies.set(frame.done);
                    self.states[frame.element.id] = State::Loaded;
                }
                Err(error) => {
                    // What is waiting for it fails with it, at its next step.
                    self.states[frame.element.id] = State::Failed(error);
                    frames.pop();
                }
            }
        }
        match self.state(target) {
            State::Failed(error) => Err(error),
            _ => Ok(()),
        }
    }

    fn open(&mut self, element: &Arc<Element>, frames: &mut Vec<Frame>) {
        if !matches!(self.state(element), State::New) {
            return;
        }
        match element.declared() {
            Err(error) => self.states[element.id] = State::Failed(error),
            Ok(_) => {
                self.states[element.id] = State::Open;
                frames.push(Frame {
                    element: element.clone(),
                    next: 0,
                    done: Vec::new(),
                    positions: HashMap::new(),
                    waiting: None,
                });
            }
        }
    }

    fn state(&mut self, element: &Element) -> State {
        if self.states.len() <= element.id {
            self.states.resize(element.id + 1, State::New);
        }
        self.states[element.id].clone()
    }

    /// Goes on with an element: gives a dependency whose own dependencies come first, or nothing when the
    /// last one is done.
    fn step(&mut self, frame: &mut Frame) -> Result<Option<Arc<Element>>> {
        if let Some(waiting) = frame.waiting.take() {
            if let State::Failed(error) = self.state(&waiting) {
                return Err(error);
            }
        }
        let Some(declaration) = frame.element.declared()?.get(frame.next).cloned() else { return Ok(None) };
        frame.next += 1;
        let project = &frame.element.project;
        let element = match &declaration.junction {
            Some(junction) => {
                let other = project.through(junction, Some(declaration.mark))?;
                self.read_ahead(&other, &declaration.name);
                other.element_at(&declaration.name, Some(declaration.mark), 0)?
            }
            None => {
                let element = project.element_at(&declaration.name, Some(declaration.mark), 0)?;
                self.check_no_junction(frame, &element, &declaration)?;
                element
            }
        };
        frame.waiting = Some(element.clone());
        match frame.positions.get(&element.id) {
            Some(&position) => frame.done[position].declaration.merge(declaration),
            None => {
                frame.positions.insert(element.id, frame.done.len());
                frame.done.push(Dependency { element: element.clone(), declaration });
            }
        }
        Ok(Some(element))
    }

    fn read_ahead(&self, project: &Arc<Project>, name: &str) {
        self.session.files.ask(project, std::iter::once(super::element::normal(name)));
    }

    /// A junction is nothing to depend on. BuildStream does not see it where the project behind the junction
    /// was needed before.
    fn check_no_junction(&self, frame: &Frame, element: &Element, declaration: &Declaration) -> Result<()> {
        if &*element.kind != "junction" {
            return Ok(());
        }
        let needed = frame.done.iter().any(|done| {
            let of_junction = done.element.project.junction.as_ref();
            of_junction.is_some_and(|junction| junction.full_name == element.full_name)
        });
        if needed || element.project.needs_behind(&element.name) {
            return Ok(());
        }
        let message = format!("{} is a junction; depend on an element of its project", element.full_name);
        Err(Error::load("invalid-data", message).at(declaration.mark.place()))
    }
}

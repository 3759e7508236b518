//! The one shell script that runs a batch of commands, each in a shell of its own, as BuildStream wraps them
//! (spec: artifacts 3.4). On top of that it says on descriptor 3 which command starts, and with which
//! status one failed. The commands do not have that descriptor.

use super::super::sandbox::STATUS;
use std::collections::BTreeMap;

/// One command of a batch.
#[derive(Clone, Debug)]
pub struct Step {
    /// The arguments, for instance `sh -c -e TEXT`.
    pub words: Vec<String>,
    /// What the element wrote: the name of the command in messages.
    pub label: String,
    pub phase: String,
    pub cwd: String,
    /// All of the environment, but PWD.
    pub environment: BTreeMap<String, String>,
}

impl Step {
    /// A command of a build.
    pub fn build(text: &str, phase: &str, cwd: &str, environment: &BTreeMap<String, String>) -> Step {
        Step {
            words: ["sh", "-c", "-e"].map(str::to_owned).into_iter().chain([format!("{text}\n")]).collect(),
            label: text.to_owned(),
            phase: phase.to_owned(),
            cwd: cwd.to_owned(),
            environment: environment.clone(),
        }
    }

    /// An integration command.
    pub fn integration(text: &str, environment: &BTreeMap<String, String>) -> Step {
        Step {
            words: ["sh", "-e", "-c"].map(str::to_owned).into_iter().chain([text.to_owned()]).collect(),
            label: text.to_owned(),
            phase: "integration".to_owned(),
            cwd: "/".to_owned(),
            environment: environment.clone(),
        }
    }
}

/// The script of a batch. It starts in the directory and with the environment of the first command.
pub fn of(steps: &[Step]) -> String {
    let mut script = String::new();
    for (index, step) in steps.iter().enumerate() {
        if let Some(before) = index.checked_sub(1).and_then(|before| steps.get(before)) {
            script += &change(before, step);
        }
        let words: Vec<String> = step.words.iter().map(|word| quote(word)).collect();
        let label = quote(&format!("'{}'", step.label));
        script += &format!(
            "echo {index} >&{STATUS}\n\
             (set -ex; {}) {STATUS}>&- || {{ s=$?; echo Command {label} failed with exitcode $s >&2; \
             echo {index} $s >&{STATUS}; exit 1; }}\n",
            words.join(" ")
        );
    }
    script
}

/// What takes the shell from one command's directory and environment to the next one's.
fn change(before: &Step, step: &Step) -> String {
    let mut script = String::new();
    if before.cwd != step.cwd {
        let cwd = quote(&step.cwd);
        script += &format!("mkdir -p {cwd}\ncd {cwd}\n");
    }
    for name in before.environment.keys().filter(|name| !step.environment.contains_key(*name)) {
        script += &format!("unset {name}\n");
    }
    for (name, value) in &step.environment {
        if before.environment.get(name) != Some(value) {
            script += &format!("export {name}={}\n", quote(value));
        }
    }
    script
}

/// A word for the shell.
pub(super) fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\"'\"'"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shell_gets_the_words_back() {
        for word in ["a b", "it's", "", "$x `y`", "a\nb", "plain-1.0", "é", "~", "*", "#"] {
            let output = std::process::Command::new("sh").arg("-c").arg(format!("printf %s {}", quote(word))).output();
            assert_eq!(String::from_utf8(output.expect("sh").stdout).expect("UTF-8"), word);
        }
    }
}

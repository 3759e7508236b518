//! The completions, asked from the shells themselves.

use crate::support::{Place, Run};
use bst_plumbing::edge::cli::programs;

/// What bash would offer for a command line whose last word is being typed.
fn bash(words: &[&str]) -> Vec<String> {
    let place = Place::new();
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let program = words.first().expect("a program");
    let script = format!(
        "set -u; eval \"$(bst-completions bash {program})\"\nCOMP_WORDS=({}); COMP_CWORD={}\n\
         _{}; [ ${{#COMPREPLY[@]}} = 0 ] || printf '%s\\n' \"${{COMPREPLY[@]}}\"\ncomplete -p {program} >/dev/null",
        quoted.join(" "),
        words.len() - 1,
        program.replace('-', "_"),
    );
    let mut command = place.shell("exec bash --norc -c \"$0\"");
    command.arg(script);
    let run = Run::of(&mut command, "").exits(0);
    run.out.lines().map(str::to_owned).collect()
}

#[test]
fn bash_offers_flags_and_their_words() {
    assert_eq!(bash(&["bst-cat", "--li"]), ["--list"]);
    for program in programs::ALL {
        let offered = bash(&[program.name, "-"]);
        for flag in program.flags {
            assert!(offered.contains(&format!("--{}", flag.long)), "{}: {offered:?}", program.name);
        }
        assert!(offered.contains(&"--help".to_owned()) && offered.contains(&"--version".to_owned()));
    }
}

#[test]
fn fish_offers_every_flag_with_its_help() {
    let place = Place::new();
    for program in programs::ALL {
        let name = program.name;
        let script = format!("bst-completions fish {name} | source; complete -C '{name} --'");
        let mut command = place.shell("exec fish --no-config -c \"$0\"");
        command.arg(script);
        let run = Run::of(&mut command, "").exits(0);
        for flag in program.flags {
            let line = run.out.lines().find(|line| line.split(['\t', '=']).next() == Some(&format!("--{}", flag.long)));
            assert!(line.is_some_and(|line| line.ends_with(flag.help)), "{name} --{}: {}", flag.long, run.out);
        }
    }
}

#[test]
fn zsh_is_given_every_flag() {
    let place = Place::new();
    for program in programs::ALL {
        let name = program.name;
        // The completion system runs only at a prompt; what it would be told is enough.
        let script =
            format!("_arguments() {{ print -rl -- \"$@\"; }}\nbst-completions zsh {name} >_it; zsh -n _it && . ./_it");
        let mut command = place.shell("exec zsh -f -c \"$0\"");
        command.arg(script);
        let run = Run::of(&mut command, "").exits(0);
        for flag in program.flags {
            let long = &flag.long;
            let found = [format!("--{long}["), format!("--{long}=[")].iter().any(|start| run.out.contains(start));
            assert!(found, "{name} --{}: {}", flag.long, run.out);
        }
    }
}

#[test]
fn all_programs_at_once_can_be_sourced() {
    let place = Place::new();
    place.sh("bst-completions bash >all && bash -n all && bash -c '. ./all && complete -p bst-cat'").exits(0);
    place.sh("bst-completions fish >all && fish --no-config -n all").exits(0);
    place.sh("bst-completions zsh >all && zsh -n all").exits(0);
}

//! Completions for bash, without the help of the package bash-completion.

use super::{Program, Value, flags, function, spellings, value};
use crate::edge::cli::Operands;

pub(super) fn script(program: &Program) -> String {
    let function = function(program);
    let name = program.name;
    let all: Vec<String> = flags(program).flat_map(spellings).collect();
    let options = match program.operands {
        Operands::None => "",
        Operands::Some(..) | Operands::Command => "-o bashdefault -o default ",
    };
    format!(
        r#"# bash completion for {name}, made by bst-completions
{function}() {{
    local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD - 1]}}
    # bash makes words of --flag=value at the equals sign
    if [[ $cur == = ]]; then
        cur=
    elif [[ $prev == = ]]; then
        prev=${{COMP_WORDS[COMP_CWORD - 2]}}
    fi
    COMPREPLY=()
    case $prev in
{values}    esac
    case $cur in
    -*) COMPREPLY=($(compgen -W "{words}" -- "$cur")) ;;
    esac
}}
complete {options}-F {function} {name}
"#,
        values = flags(program).filter_map(arm).collect::<String>(),
        words = all.join(" "),
    )
}

/// The arm of the case statement for what follows one flag.
fn arm(flag: &crate::edge::cli::Flag) -> Option<String> {
    let action = match value(flag)? {
        Value::Directory => r#"COMPREPLY=($(compgen -d -- "$cur"))"#.to_owned(),
        Value::File => r#"COMPREPLY=($(compgen -f -- "$cur"))"#.to_owned(),
        Value::Program => r#"COMPREPLY=($(compgen -c -- "$cur"))"#.to_owned(),
        Value::Words(words) => format!(r#"COMPREPLY=($(compgen -W "{}" -- "$cur"))"#, words.join(" ")),
        Value::List(words) => {
            let before = r#"local before=; [[ $cur != *,* ]] || before=${cur%,*},"#;
            let words = words.join(" ");
            format!(r#"{before}; COMPREPLY=($(compgen -P "$before" -W "{words}" -- "${{cur##*,}}"))"#)
        }
        Value::Other => ":".to_owned(),
    };
    Some(format!("    {}) {action}; return ;;\n", spellings(flag).join(" | ")))
}

use super::*;
use crate::project::plugins::Family;
use serde_json::json;

/// A helper that is a script of sh.
fn helper(place: &Path, script: &str) -> PathBuf {
    let path = place.join("bst-element-k");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a file");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    path
}

fn ask(script: &str, times: usize) -> Vec<Result<Answer>> {
    let place = tempfile::tempdir().expect("a directory");
    let program = helper(place.path(), script);
    let helpers = Helpers::new(Vec::new(), Some(Duration::from_millis(700)));
    (0..times).map(|number| helpers.ask(&program, &json!({"number": number}), Domain::Element)).collect()
}

#[test]
fn one_process_answers_all_questions() {
    let answers = ask("while read -r line; do echo \"{\\\"unique_key\\\": [$$, $line]}\"; done", 3);
    let keys: Vec<Value> = answers.into_iter().map(|a| a.expect("an answer").unique_key.expect("a key")).collect();
    assert_eq!([&keys[0][1]["number"], &keys[2][1]["number"]], [&json!(0), &json!(2)]);
    assert!(keys.iter().all(|key| key[0] == keys[0][0]), "{keys:?}");
}

#[test]
fn null_is_a_key_and_absent_is_none() {
    let answer = |text: &str| ask(&format!("read -r line; echo '{text}'"), 1).remove(0).expect("an answer");
    assert_eq!(answer("{\"unique_key\": null}").unique_key, Some(Value::Null));
    assert_eq!(answer("{}").unique_key, None);
}

#[test]
fn a_refusal_is_the_helpers_own_word() {
    let refused = ask("read -r line; echo '{\"error\": {\"message\": \"no\", \"reason\": \"x-y\"}}'", 1).remove(0);
    let error = refused.expect_err("an error");
    assert_eq!((error.message(), error.reason()), ("no", Some("x-y")));
}

#[test]
fn a_broken_helper_is_told_once_and_not_asked_again() {
    for script in ["exit 3", "read -r line; echo nonsense", "kill -9 $$", "sleep 60", "head -c 200 /dev/zero; sleep 60"]
    {
        let answers = ask(script, 2);
        let messages: Vec<String> = answers.into_iter().map(|a| a.expect_err(script).to_string()).collect();
        assert!(messages[0].contains("bst-element-k"), "{script}: {messages:?}");
    }
}

#[test]
fn a_helper_that_is_gone_does_not_end_the_program() {
    // SAFETY: sets a disposition, as the programs do.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    let place = tempfile::tempdir().expect("a directory");
    let program = helper(place.path(), "read -r line; echo '{}'; exec <&-; exit 0");
    let helpers = Helpers::new(Vec::new(), Some(Duration::from_secs(5)));
    let question = json!({"text": "x".repeat(1 << 20)});
    assert!(helpers.ask(&program, &json!({}), Domain::Element).is_ok());
    assert!(helpers.ask(&program, &question, Domain::Element).is_err());
}

#[test]
fn a_kind_does_not_lead_out_of_the_directories() {
    let place = tempfile::tempdir().expect("a directory");
    let program = helper(place.path(), "exit 0");
    let plugin = |kind: &str, code: Option<PathBuf>| Plugin {
        role: Role::Element,
        kind: kind.to_owned(),
        family: Family::Own,
        code,
        defaults: None,
    };
    let helpers = Helpers::new(vec![place.path().to_owned()], None);
    assert_eq!(helpers.find(&plugin("k", None)), Some(program.clone()));
    assert_eq!(helpers.find(&plugin("x/../k", None)), None);
    let nowhere = Helpers::new(Vec::new(), None);
    assert_eq!(nowhere.find(&plugin("k", Some(place.path().join("k.py")))), Some(program.clone()));
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o644)).expect("a mode");
    assert_eq!(helpers.find(&plugin("k", None)), None);
}

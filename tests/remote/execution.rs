//! bst-remote-execute.

use crate::goods::tree;
use crate::server::{Fault, Kind, TestServer};
use crate::support::Place;
use bst_plumbing::store::Store;
use bst_plumbing::store::import::Import;
use bst_plumbing::values::proto::{Action, Command};
use bst_plumbing::values::{Digest, directory};
use bst_remote::proto::execution::{ActionResult, ExecutedActionMetadata, OutputDirectory, Tree};
use prost::Message;
use std::time::{Duration, Instant};
use tonic::Code;

/// A store with an action, a server that knows what it gives, and a configuration that names the server.
struct Scene {
    place: Place,
    server: TestServer,
    action: Digest,
    output: Digest,
}

fn scene(with_cache: bool) -> Scene {
    let (place, server) = (Place::new(), TestServer::start());
    let url = server.url();
    let connection = "\n    connection-config: {retry-limit: 2, retry-delay: 20, request-timeout: 2}\n";
    let service = |name: &str| format!("  {name}:\n    url: {url}{connection}");
    let mut conf = format!("remote-execution:\n{}{}", service("execution-service"), service("storage-service"));
    if with_cache {
        conf += &service("action-cache-service");
    }
    place.write("home/.config/buildstream.conf", conf);
    let cas = Store::new(place.store()).cas();
    let input = cas.import_tree(&tree(&place, "input"), Import::default()).expect("a tree");
    let command = Command { arguments: vec!["true".into()], output_paths: vec![".".into()], ..Command::default() };
    let command = cas.put(&command.encode_to_vec()).expect("a blob");
    let action =
        Action { command_digest: Some(command.to_proto()), input_root_digest: Some(input.to_proto()), platform: None };
    let action = cas.put(&action.encode_to_vec()).expect("a blob");
    let output = {
        let elsewhere = Place::new();
        let cas = Store::new(elsewhere.store()).cas();
        let output = cas.import_tree(&tree(&elsewhere, "output"), Import::default()).expect("a tree");
        for (_, bytes) in crate::goods::content(&elsewhere.store()) {
            server.state().put(bytes);
        }
        output
    };
    let log = server.state().put("out\n");
    let result = ActionResult {
        exit_code: 3,
        output_directories: vec![OutputDirectory {
            path: "x".into(),
            root_directory_digest: Some(output.to_proto()),
            tree_digest: None,
        }],
        stdout_digest: Some(log.to_proto()),
        stderr_raw: "err\n".into(),
        execution_metadata: Some(ExecutedActionMetadata { worker: "far away".into(), ..Default::default() }),
        ..ActionResult::default()
    };
    server.state().actions.insert(action, result);
    Scene { place, server, action, output }
}

impl Scene {
    #[track_caller]
    fn runs(&self) {
        let run = self.place.run("bst-remote-execute", &["--log=log", &self.action.to_string()], "").exits(0);
        let answer = &run.records()[0];
        assert_eq!(answer["exit_code"], 3, "{}", run.out);
        assert_eq!(answer["worker"], "far away");
        assert_eq!(answer["outputs"][0]["tree"], self.output.to_string());
        assert_eq!(std::fs::read_to_string(self.place.path("log")).expect("the log"), "out\nerr\n");
        let store = Store::new(self.place.store());
        assert!(bst_remote::transfer::walk::is_complete(&store.cas(), self.output).expect("readable"));
    }
}

#[test]
fn an_action_goes_there_and_what_it_made_comes_back() {
    let scene = scene(false);
    scene.runs();
    let state = scene.server.state();
    assert!(state.blobs.contains_key(&scene.action));
    assert!(state.blobs.contains_key(&Digest::of(b"file 3 of input\n")), "the input root went there");
    assert_eq!((state.count("Execute"), state.count("WaitExecution")), (1, 0));
}

#[test]
fn a_result_that_is_known_is_not_run_for() {
    let scene = scene(true);
    scene.runs();
    assert_eq!(scene.server.state().count("Execute"), 0);
    let run = scene.place.run("bst-remote-execute", &["--skip-cache", &scene.action.to_string()], "").exits(0);
    assert_eq!(run.records()[0]["cached"], false);
    assert_eq!(scene.server.state().count("Execute"), 1);
    assert_eq!(run.err, "out\nerr\n", "without --log the action speaks on stderr");
}

#[test]
fn an_execution_outlives_its_connection() {
    let scene = scene(false);
    scene.server.state().faults = vec![
        Fault { times: 1, ..Fault::new("Execute", Kind::BreakAfter(0)) },
        Fault { times: 2, ..Fault::new("WaitExecution", Kind::BreakAfter(0)) },
    ];
    scene.runs();
    let state = scene.server.state();
    assert_eq!((state.count("Execute"), state.count("WaitExecution")), (1, 3));
}

#[test]
fn a_server_that_forgot_an_execution_is_asked_again() {
    let scene = scene(false);
    scene.server.state().faults = vec![
        Fault { times: 1, ..Fault::new("Execute", Kind::BreakAfter(0)) },
        Fault { times: 1, ..Fault::new("WaitExecution", Kind::Status(Code::NotFound)) },
    ];
    scene.runs();
    assert_eq!(scene.server.state().count("Execute"), 2);
}

#[test]
fn a_server_that_lost_the_input_gets_it_again() {
    let scene = scene(false);
    scene.server.state().faults =
        vec![Fault { times: 1, ..Fault::new("Execute", Kind::Status(Code::FailedPrecondition)) }];
    scene.runs();
    assert_eq!(scene.server.state().count("FindMissingBlobs"), 2);
}

#[test]
fn outputs_of_the_older_form_are_understood() {
    let scene = scene(false);
    let tree = {
        let mut state = scene.server.state();
        let root = directory::decode(&state.blobs[&scene.output]).expect("a directory");
        let mut waiting: Vec<Digest> = vec![scene.output];
        let mut children = Vec::new();
        while let Some(digest) = waiting.pop() {
            let message = directory::decode(&state.blobs[&digest]).expect("a directory");
            for node in &message.directories {
                waiting.push(directory::node_digest(&node.digest, &node.name).expect("a digest"));
            }
            if digest != scene.output {
                children.push(message);
                state.blobs.remove(&digest);
            }
        }
        state.put(Tree { root: Some(root), children }.encode_to_vec())
    };
    let mut state = scene.server.state();
    let result = state.actions.get_mut(&scene.action).expect("the result");
    result.output_directories[0].root_directory_digest = None;
    result.output_directories[0].tree_digest = Some(tree.to_proto());
    drop(state);
    scene.runs();
}

#[test]
fn what_goes_wrong_there_is_said_and_is_not_the_builds_fault() {
    for (method, kind, words) in [
        ("Execute", Kind::Status(Code::Unimplemented), "no such service"),
        ("Execute", Kind::Status(Code::Unavailable), "cannot execute action"),
        ("Execute", Kind::Status(Code::FailedPrecondition), "cannot execute action"),
        ("Execute", Kind::Garbage, "cannot execute action"),
        ("BatchReadBlobs", Kind::Corrupt, "digest"),
    ] {
        let scene = scene(false);
        scene.server.fault(method, kind.clone());
        let run = scene.place.run("bst-remote-execute", &[&scene.action.to_string()], "").exits(7);
        let error = &run.records()[0]["error"];
        assert_eq!(error["code"], "network", "{method} {kind:?}: {error}");
        let message = error["message"].as_str().expect("a message");
        assert!(message.contains(words) && message.contains(&scene.server.url()), "{message}");
    }
    let scene = scene(false);
    let nothing = Digest::of(b"nothing").to_string();
    scene.place.run("bst-remote-execute", &[&nothing], "").exits(1);
    scene.place.write("home/.config/buildstream.conf", "");
    let run = scene.place.run("bst-remote-execute", &[&nothing], "").exits(2);
    assert!(run.err.contains("remote-execution"), "{}", run.err);
}

#[test]
fn an_interrupt_cancels_the_execution() {
    let scene = scene(false);
    scene.server.fault("Execute", Kind::Endless);
    let mut child = scene
        .place
        .command("bst-remote-execute")
        .arg(scene.action.to_string())
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("bst-remote-execute");
    let deadline = Instant::now() + Duration::from_secs(20);
    while scene.server.state().count("Execute") == 0 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(200));
    let pid = i32::try_from(child.id()).expect("a pid");
    // SAFETY: a plain system call on a child that was not waited for.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGINT) }, 0);
    let status = child.wait().expect("an end");
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(2), "{status:?}");
    assert_eq!(scene.server.state().count("CancelOperation"), 1);
}

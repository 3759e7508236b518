//! Servers as users of BuildStream configure them.

use crate::goods::commit;
use crate::server::TestServer;
use crate::support::Place;

fn conf(place: &Place, text: &str) {
    place.write("home/.config/buildstream.conf", text);
}

#[test]
fn the_users_configuration_the_project_and_the_command_line_are_heard_in_buildstreams_order() {
    let servers: Vec<TestServer> = (0..4).map(|_| TestServer::start()).collect();
    let [global, own, recommended, line] = &servers[..] else { panic!("four servers") };
    let place = Place::new();
    let name = commit(&place, "a.bst", 1, false).to_string();
    let pushed = |words: &[&str]| {
        servers.iter().for_each(|server| server.state().assets.clear());
        let mut all = words.to_vec();
        all.push(&name);
        place.run("bst-push", &all, "").exits(0);
        servers.iter().map(|server| !server.state().assets.is_empty()).collect::<Vec<_>>()
    };
    let push = |server: &TestServer| format!("{{url: '{}', push: True}}", server.url());
    conf(&place, &format!("artifacts: {{servers: [{}]}}\n", push(global)));
    assert_eq!(pushed(&[]), [true, false, false, false]);

    // What a project recommends stands behind, and is used for pushing too.
    let project = format!("name: p\nmin-version: 2.0\nartifacts: [{}]\n", push(recommended));
    place.write("project/project.conf", project);
    let there = place.path("project/elements").display().to_string();
    std::fs::create_dir_all(&there).expect("a directory");
    assert_eq!(pushed(&["-C", &there]), [true, false, true, false]);
    assert_eq!(pushed(&["-C", &there, "--ignore-project-artifact-remotes"]), [true, false, false, false]);

    // What is said for the project counts more than what is said for all.
    let both = format!(
        "artifacts: {{servers: [{}]}}\nprojects: {{p: {{artifacts: {{servers: [{}]}}}}}}\n",
        push(global),
        push(own)
    );
    conf(&place, &both);
    assert_eq!(pushed(&["-C", &there]), [false, true, true, false]);
    conf(&place, &both.replace("{artifacts: {servers", "{artifacts: {override-project-caches: True, servers"));
    assert_eq!(pushed(&["-C", &there]), [false, true, false, false]);

    conf(&place, &both);
    let flag = format!("--artifact-remote={}", line.url());
    assert_eq!(pushed(&["-C", &there, &flag]), [false, false, true, true]);
}

#[test]
fn the_project_behind_a_junction_recommends_too() {
    let (above, behind) = (TestServer::start(), TestServer::start());
    let place = Place::new();
    let recommend = |server: &TestServer| format!("artifacts: [{{url: '{}', push: True}}]\n", server.url());
    place.write("top/project.conf", format!("name: top\nmin-version: 2.0\n{}", recommend(&above)));
    place.write("top/sub.bst", "kind: junction\nsources: [{kind: local, path: sub}]\n");
    place.write("top/sub/project.conf", format!("name: p\nmin-version: 2.0\n{}", recommend(&behind)));
    commit(&place, "a.bst", 1, false);
    let record = crate::stock::record("sub.bst:a.bst", 1, 101);
    place.run("bst-push", &["-C", "top"], &record).exits(0);
    assert!(!above.state().assets.is_empty() && !behind.state().assets.is_empty());
}

#[test]
fn servers_are_pushed_to_only_if_they_say_so() {
    let server = TestServer::start();
    let place = Place::new();
    let name = commit(&place, "a.bst", 1, false).to_string();
    conf(&place, &format!("artifacts: {{servers: [{{url: '{}'}}]}}\n", server.url()));
    let run = place.run("bst-push", &[&name], "").exits(7);
    assert!(run.err.contains("no server to push to"), "{}", run.err);
    assert!(server.state().calls.is_empty());
    let flag = format!("--artifact-remote=url={},push=False", server.url());
    place.run("bst-push", &[&flag, &name], "").exits(7);
}

#[test]
fn without_servers_there_is_nothing_to_pull_from() {
    let place = Place::new();
    let run = place.run("bst-pull", &[&crate::stock::name("a.bst", 1).to_string()], "").exits(7);
    assert!(run.err.contains("there is no server"), "{}", run.err);
}

#[test]
fn mistakes_are_named_with_their_place() {
    let place = Place::new();
    conf(&place, "artifacts:\n  servers:\n  - url: http://a\n    typ: index\n");
    let run = place.run("bst-pull", &["p/a/x"], "").exits(2);
    assert!(run.err.contains("buildstream.conf:4:") && run.err.contains("typ"), "{}", run.err);
    for bad in ["--artifact-remote=url=http://a,type=x", "--artifact-remote=url=http://a,colour=red", "--jobs=0"] {
        let place = Place::new();
        place.run("bst-push", &[bad, &crate::stock::name("a.bst", 1).to_string()], "").exits(2);
    }
    let place = Place::new();
    let name = commit(&place, "a.bst", 1, false).to_string();
    let run = place.run("bst-push", &["--artifact-remote=ftp://a", &name], "").exits(7);
    assert!(run.err.contains("ftp://a") && run.err.contains("left out"), "{}", run.err);
}

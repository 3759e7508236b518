//! Certificates and tokens.

use crate::goods::commit;
use crate::server::{Options, TestServer};
use crate::support::Place;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::sync::Arc;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto::ring};

/// An authority, with which certificates are signed.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Authority(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for a name, and its key, in both forms.
    fn sign(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        (params.signed_by(&key, &self.0).expect("a certificate"), key)
    }
}

/// A server with TLS; `clients`: who must sign the certificates of clients.
fn server(authority: &Authority, clients: Option<&Authority>, token: Option<&str>) -> TestServer {
    let (certificate, key) = authority.sign("localhost");
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions");
    let builder = match clients {
        Some(clients) => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from(clients.0.der().to_vec())).expect("a root");
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(ring::default_provider()));
            builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
        }
        None => builder.with_no_client_auth(),
    };
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let mut config = builder.with_single_cert(chain, key).expect("a certificate");
    config.alpn_protocols = vec![b"h2".to_vec()];
    let token = token.map(str::to_owned);
    TestServer::with(Options { tls: Some(Arc::new(config)), token, ..Options::default() })
}

fn conf(place: &Place, server: &TestServer, auth: &str) {
    let text = format!(
        "artifacts:\n  servers:\n  - url: {}\n    push: true\n    auth: {{{auth}}}\n    \
         connection-config: {{retry-limit: 1, retry-delay: 10, request-timeout: 5}}\n",
        server.url()
    );
    place.write("home/.config/buildstream.conf", text);
}

#[test]
fn a_server_with_a_certificate_of_ours_is_trusted_and_no_other() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let server = server(&ours, None, None);
    let place = Place::new();
    let name = commit(&place, "a.bst", 1, false).to_string();
    place.write("ours.pem", ours.pem());
    place.write("theirs.pem", theirs.pem());
    let path = |file: &str| place.path(file).display().to_string();

    conf(&place, &server, &format!("server-cert: '{}'", path("ours.pem")));
    place.run("bst-push", &[&name], "").exits(0);

    for auth in [format!("server-cert: '{}'", path("theirs.pem")), String::new()] {
        conf(&place, &server, &auth);
        let run = place.run("bst-push", &["--replace", &name], "").exits(7);
        assert!(run.err.contains("certificate") && run.err.contains("see server-cert"), "{}", run.err);
    }
    conf(&place, &server, &format!("server-cert: '{}'", path("missing.pem")));
    let run = place.run("bst-push", &[&name], "").exits(7);
    assert!(run.err.contains("missing.pem"), "{}", run.err);
    place.write("garbage.pem", "this is no certificate\n");
    conf(&place, &server, &format!("server-cert: '{}'", path("garbage.pem")));
    let run = place.run("bst-push", &[&name], "").exits(7);
    assert!(run.err.contains(&server.url()), "{}", run.err);
}

#[test]
fn a_server_that_wants_to_know_its_clients_gets_our_certificate() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let server = server(&authority, Some(&clients), None);
    let place = Place::new();
    let name = commit(&place, "a.bst", 1, false).to_string();
    let (certificate, key) = clients.sign("client");
    place.write("ca.pem", authority.pem());
    place.write("client.pem", certificate.pem());
    place.write("client.key", key.serialize_pem());
    let path = |file: &str| place.path(file).display().to_string();
    let trust = format!("server-cert: '{}'", path("ca.pem"));
    let who = format!("{trust}, client-cert: '{}', client-key: '{}'", path("client.pem"), path("client.key"));
    conf(&place, &server, &who);
    place.run("bst-push", &[&name], "").exits(0);
    conf(&place, &server, &trust);
    let run = place.run("bst-push", &["--replace", &name], "").exits(7);
    assert!(run.err.contains("client-cert"), "{}", run.err);
}

#[test]
fn a_token_goes_with_every_call_and_is_read_again_when_it_expired() {
    let authority = Authority::new();
    let server = server(&authority, None, Some("first"));
    let place = Place::new();
    let name = commit(&place, "a.bst", 1, false).to_string();
    place.write("ca.pem", authority.pem());
    place.write("token", "first\n");
    let path = |file: &str| place.path(file).display().to_string();
    conf(&place, &server, &format!("server-cert: '{}', access-token: '{}'", path("ca.pem"), path("token")));
    place.run("bst-push", &[&name], "").exits(0);

    place.write("token", "stale\n");
    let run = place.run("bst-pull", &[], &crate::stock::record("b.bst", 2, 102)).exits(7);
    assert!(run.err.contains("the token expired") && run.err.contains("access-token"), "{}", run.err);
    assert!(!run.err.contains("stale"), "a token is a secret: {}", run.err);

    // Somebody renews the token while the program runs.
    let mut child = place
        .command("bst-remote-query")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("bst-remote-query");
    use std::io::{BufRead, BufReader, Write};
    let mut input = child.stdin.take().expect("stdin");
    let mut output = BufReader::new(child.stdout.take().expect("stdout"));
    let mut line = String::new();
    input.write_all(crate::stock::record("b.bst", 2, 102).as_bytes()).expect("written");
    output.read_line(&mut line).expect("a record");
    assert!(line.contains("\"error\""), "{line}");
    place.write("token", "first\n");
    line.clear();
    input.write_all(crate::stock::record("a.bst", 1, 101).as_bytes()).expect("written");
    output.read_line(&mut line).expect("a record");
    assert!(line.contains("\"cached\""), "{line}");
    drop(input);
    child.wait().expect("an end");
}

//! HTTP and HTTPS. Nothing is set up before the first request.

use super::retry::Failure;
use super::{locked, netrc};
use bst_plumbing::edge::cli::VERSION;
use bst_plumbing::values::Code;
use std::collections::HashMap;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;
use ureq::http::{Response, StatusCode, header};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body};

/// How long a server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(30);
/// How long nothing may come.
const SILENCE: Duration = Duration::from_secs(60);
const MOST_REDIRECTS: u32 = 10;
const LARGEST_TOKEN: u64 = 1 << 20;

/// A client for all requests of a run.
pub(super) struct Http {
    agent: OnceLock<Agent>,
    /// Where `.netrc` is.
    home: Option<PathBuf>,
    silence: Duration,
    /// Tokens that servers gave, by what they are good for.
    tokens: Mutex<HashMap<String, String>>,
}

/// What a server sent.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) etag: Option<String>,
    /// Where the body starts in the whole, if it is a part.
    pub(super) start: Option<u64>,
    /// Length of the body.
    pub(super) length: Option<u64>,
    pub(super) body: Box<dyn Read>,
}

impl Http {
    pub(super) fn new(home: Option<PathBuf>, silence: Option<Duration>) -> Http {
        Http { agent: OnceLock::new(), home, silence: silence.unwrap_or(SILENCE), tokens: Mutex::default() }
    }

    fn agent(&self) -> &Agent {
        self.agent.get_or_init(|| {
            let trusted = rustls_native_certs::load_native_certs().certs;
            let trusted: Vec<Certificate<'static>> =
                trusted.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
            let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&trusted)).build();
            Agent::config_builder()
                .tls_config(tls)
                .http_status_as_error(false)
                .max_redirects(MOST_REDIRECTS)
                .user_agent(format!("bst-plumbing/{VERSION}"))
                .accept("*/*")
                .timeout_connect(Some(CONNECT))
                .timeout_recv_response(Some(self.silence))
                .timeout_per_read(Some(self.silence))
                .build()
                .new_agent()
        })
    }

    /// Asks for a URL: the whole, or what comes from byte `from` on. Answers that are no success are failures.
    pub(super) fn get(&self, url: &str, from: u64, headers: &[(&str, &str)]) -> Result<Answer, Failure> {
        let mut answer = self.send(url, from, headers, self.token_for(url).as_deref())?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            if let Some(authorization) = self.authorization(url, &answer)? {
                answer = self.send(url, from, headers, Some(&authorization))?;
            }
        }
        let status = answer.status();
        let expected = status == StatusCode::NOT_MODIFIED || from > 0 && status == StatusCode::RANGE_NOT_SATISFIABLE;
        if status.is_success() || expected {
            return Ok(read(answer));
        }
        let message = format!("{url}: the server answers {status}");
        Err(match status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => later(&answer, message),
            _ if status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED => later(&answer, message),
            _ => Failure::lasting(Code::Network, message),
        })
    }

    fn send(
        &self,
        url: &str,
        from: u64,
        headers: &[(&str, &str)],
        authorization: Option<&str>,
    ) -> Result<Response<Body>, Failure> {
        let mut request = self.agent().get(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if from > 0 {
            request = request.header(header::RANGE, format!("bytes={from}-"));
        }
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        request.call().map_err(|error| failure(url, &error))
    }

    /// What to answer to a server that asks who is there: name and password from `.netrc`, or a token that
    /// another server gives, as registries of images want it.
    fn authorization(&self, url: &str, answer: &Response<Body>) -> Result<Option<String>, Failure> {
        let asked = answer.headers().get_all(header::WWW_AUTHENTICATE).iter();
        let asked: Vec<&str> = asked.filter_map(|asked| asked.to_str().ok()).collect();
        if let Some(challenge) = asked.iter().find_map(|asked| asked.strip_prefix("Bearer ")) {
            let token = self.token(challenge)?;
            let authorization = format!("Bearer {token}");
            locked(&self.tokens).insert(place_of(url).to_owned(), authorization.clone());
            return Ok(Some(authorization));
        }
        Ok(self.login(url))
    }

    fn token_for(&self, url: &str) -> Option<String> {
        locked(&self.tokens).get(place_of(url)).cloned()
    }

    /// Asks the server that a challenge names: `realm="URL",service="...",scope="..."`.
    fn token(&self, challenge: &str) -> Result<String, Failure> {
        let value = |name: &str| {
            let (_, rest) = challenge.split_once(&format!("{name}=\""))?;
            rest.split('"').next()
        };
        let realm = value("realm").unwrap_or_default();
        let query: Vec<String> =
            ["service", "scope"].into_iter().filter_map(|name| Some(format!("{name}={}", value(name)?))).collect();
        let url = format!("{realm}?{}", query.join("&"));
        let answer = self.send(&url, 0, &[], self.login(&url).as_deref())?;
        let refused = || Failure::lasting(Code::Network, format!("{url}: no token came"));
        let mut text = String::new();
        read(answer).body.take(LARGEST_TOKEN).read_to_string(&mut text).map_err(|_| refused())?;
        let answer: serde_json::Value = serde_json::from_str(&text).map_err(|_| refused())?;
        let token = answer.get("token").or(answer.get("access_token")).and_then(serde_json::Value::as_str);
        token.map(str::to_owned).ok_or_else(refused)
    }

    fn login(&self, url: &str) -> Option<String> {
        let (_, rest) = url.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let has_port = |port: &str| port.bytes().all(|b| b.is_ascii_digit());
        let host = host.rsplit_once(':').filter(|(_, port)| has_port(port)).map_or(host, |(host, _)| host);
        let login = netrc::find(self.home.as_deref()?, host)?;
        Some(format!("Basic {}", base64(format!("{}:{}", login.user, login.password).as_bytes())))
    }
}

/// What of a URL a token is good for: all but the last two parts of its path, which say what of an image it is.
fn place_of(url: &str) -> &str {
    let above = |url| str::rsplit_once(url, '/').map_or(url, |(above, _)| above);
    above(above(url))
}

fn read(answer: Response<Body>) -> Answer {
    let text = |name| answer.headers().get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
    let start = text(header::CONTENT_RANGE)
        .and_then(|range| range.strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok());
    let length = text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
    let etag = text(header::ETAG).map(str::to_owned);
    let status = answer.status();
    let body = answer.into_body().into_with_config().limit(u64::MAX).reader();
    Answer { status, etag, start, length, body: Box::new(body) }
}

fn later(answer: &Response<Body>, message: String) -> Failure {
    let after = answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    Failure { again: Some(after.map(Duration::from_secs)), ..Failure::passing(message) }
}

fn failure(url: &str, error: &ureq::Error) -> Failure {
    let message = format!("{url}: {error}");
    match error {
        ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::InvalidProxyUrl => {
            Failure::lasting(Code::Source, message)
        }
        ureq::Error::TooManyRedirects | ureq::Error::RedirectFailed => Failure::lasting(Code::Network, message),
        ureq::Error::Tls(_) | ureq::Error::Pem(_) | ureq::Error::Rustls(_) => Failure::lasting(Code::Network, message),
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
            // A certificate that is not trusted will not be trusted later.
            Failure::lasting(Code::Network, message)
        }
        _ => Failure::passing(message),
    }
}

/// The text of bytes that a header carries.
pub(super) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, b| bits << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let index = (bits >> (18 - 6 * digit)) & 63;
            text.push(if digit <= chunk.len() { char::from(DIGITS[index as usize]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_pads() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("user:pass", "dXNlcjpwYXNz")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}

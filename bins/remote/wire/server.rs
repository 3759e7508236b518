//! One server: how it is reached, and the forms that calls to it have.

use super::capabilities::Capabilities;
use super::credentials::{self, Token};
use super::retry::{self, Policy, Tries};
use bst_plumbing::project::remotes::Remote;
use bst_plumbing::values::{Code, Error, Result};
use prost::Message;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::OnceCell;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, Streaming};
use tonic_prost::ProstCodec;

/// Room for what is on its way on one stream, and on all of one connection.
const STREAM_WINDOW: u32 = 2 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;

/// The largest message that is accepted. Servers send what was asked for, which is less.
const LARGEST_MESSAGE: usize = 32 << 20;

/// For how long a server that could not be reached is not tried again.
const REST: Duration = Duration::from_secs(30);

/// Whether bytes are compressed on their way, where the server can.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Compress {
    /// Unless the server is on this machine.
    #[default]
    Auto,
    Always,
    Never,
}

/// A server that is spoken to.
pub struct Server {
    remote: Remote,
    compress: bool,
    endpoint: Endpoint,
    /// Made with the first call, because it needs the runtime.
    channel: OnceLock<Channel>,
    token: Option<Token>,
    policy: Policy,
    /// Set when the server could not be reached.
    down: Mutex<Option<(Instant, Status)>>,
    pub(super) capabilities: OnceCell<Capabilities>,
}

impl Server {
    /// Prepares to speak to a server; the connection is made when it is needed.
    pub fn new(remote: &Remote, compress: Compress) -> Result<Server> {
        let default = Policy::default();
        let wishes = &remote.connection;
        let policy = Policy {
            limit: wishes.retry_limit.unwrap_or(default.limit),
            delay: wishes.retry_delay.unwrap_or(default.delay),
            timeout: wishes.request_timeout.unwrap_or(default.timeout),
        };
        let reload = remote.auth.access_token_reload;
        Ok(Server {
            endpoint: endpoint(remote, policy)?,
            channel: OnceLock::new(),
            token: remote.auth.access_token.as_deref().map(|path| Token::new(path, reload)).transpose()?,
            compress: match compress {
                Compress::Auto => !is_local(&remote.url),
                Compress::Always => true,
                Compress::Never => false,
            },
            remote: remote.clone(),
            policy,
            down: Mutex::new(None),
            capabilities: OnceCell::new(),
        })
    }

    /// Its URL, which is how messages name it.
    pub fn url(&self) -> &str {
        &self.remote.url
    }

    /// How it was configured.
    pub fn remote(&self) -> &Remote {
        &self.remote
    }

    /// The instance that calls name; mostly none.
    pub fn instance(&self) -> String {
        self.remote.instance_name.clone().unwrap_or_default()
    }

    /// Whether bytes are to be compressed, if the server can.
    pub(super) fn compresses(&self) -> bool {
        self.compress
    }

    /// How persistent calls are.
    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// A call with one answer, made again if that may help.
    pub async fn unary<Q, R>(&self, path: &'static str, request: &Q) -> Result<R, Status>
    where
        Q: Message + Clone + 'static,
        R: Message + Default + 'static,
    {
        let mut tries = Tries::new(self);
        loop {
            match self.once(path, request.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(status) => tries.after(status).await?,
            }
        }
    }

    /// The same, made once.
    pub async fn once<Q, R>(&self, path: &'static str, request: Q) -> Result<R, Status>
    where
        Q: Message + 'static,
        R: Message + Default + 'static,
    {
        let mut grpc = self.ready().await?;
        let call = grpc.unary(self.request(request), PathAndQuery::from_static(path), ProstCodec::<Q, R>::default());
        Ok(self.timely(call).await?.into_inner())
    }

    /// A call with a stream of answers, made once.
    pub async fn download<Q, R>(&self, path: &'static str, request: Q) -> Result<Streaming<R>, Status>
    where
        Q: Message + 'static,
        R: Message + Default + 'static,
    {
        let mut grpc = self.ready().await?;
        let codec = ProstCodec::<Q, R>::default();
        let call = grpc.server_streaming(self.request(request), PathAndQuery::from_static(path), codec);
        Ok(self.timely(call).await?.into_inner())
    }

    /// A call with a stream of requests, made once. How long it takes is the caller's matter.
    pub async fn upload<Q, R, S>(&self, path: &'static str, requests: S) -> Result<R, Status>
    where
        Q: Message + 'static,
        R: Message + Default + 'static,
        S: tokio_stream::Stream<Item = Q> + Send + 'static,
    {
        let mut grpc = self.ready().await?;
        let codec = ProstCodec::<Q, R>::default();
        let answer = grpc.client_streaming(self.request(requests), PathAndQuery::from_static(path), codec).await?;
        Ok(answer.into_inner())
    }

    /// Waits for something of a call, but not for ever.
    pub async fn timely<T>(&self, call: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
        match tokio::time::timeout(self.policy.timeout, call).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Status::deadline_exceeded(format!("no answer within {:?}", self.policy.timeout))),
        }
    }

    async fn ready(&self) -> Result<Grpc<Channel>, Status> {
        if let Some((since, status)) = &*self.down() {
            if since.elapsed() < REST {
                return Err(status.clone());
            }
        }
        let mut grpc = Grpc::new(self.channel.get_or_init(|| self.endpoint.connect_lazy()).clone())
            .max_decoding_message_size(LARGEST_MESSAGE)
            .max_encoding_message_size(usize::MAX);
        self.timely(async { grpc.ready().await.map_err(|error| Status::from_error(error.into())) }).await?;
        Ok(grpc)
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(token) = &self.token {
            request.metadata_mut().insert("authorization", token.header());
        }
        request
    }

    /// Reads the token again: whether there is another one than before.
    pub(super) fn renew_token(&self) -> bool {
        let renew = |token: &Token| {
            let used: MetadataValue<Ascii> = token.header();
            token.renew(&used)
        };
        self.token.as_ref().is_some_and(renew)
    }

    /// After the last try of a call: if the server cannot be reached, no other call waits for it again.
    pub(super) fn gave_up(&self, status: &Status) {
        if status.code() == tonic::Code::Unavailable && retry::causes(status).next().is_some() {
            *self.down() = Some((Instant::now(), Status::unavailable(reason(status))));
        }
    }

    fn down(&self) -> std::sync::MutexGuard<'_, Option<(Instant, Status)>> {
        self.down.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The error of a call that failed while doing `what` ("cannot read blob ...").
    pub fn error(&self, what: impl std::fmt::Display, status: &Status) -> Error {
        let hint = match status.code() {
            tonic::Code::Unauthenticated => "; the server wants another token: see access-token",
            tonic::Code::PermissionDenied => "; the server does not allow this to us",
            tonic::Code::Unimplemented => "; the server has no such service: see type and url",
            tonic::Code::ResourceExhausted => "; the server has no room, or too much to do",
            _ if retry::is_about_trust(status) => "; see server-cert, client-cert and client-key",
            // A server that refuses a client's certificate may hang up before its reason is read.
            _ if self.url().starts_with("https:") && hung_up(status) => {
                "; if it wants to know its clients, see client-cert and client-key"
            }
            _ => "",
        };
        self.network(format!("{what}: {}{hint}", reason(status)))
    }

    /// An error that is this server's.
    pub fn network(&self, what: impl std::fmt::Display) -> Error {
        Error::new(Code::Network, format!("{}: {what}", self.url()))
    }
}

/// Whether the connection ended under the call, in the words of the layers below.
fn hung_up(status: &Status) -> bool {
    let reason = reason(status).to_lowercase();
    ["closed", "broken pipe", "reset", "eof"].iter().any(|word| reason.contains(word))
}

/// Why a call failed, in words: what the server said, or what this side found at the bottom of it.
fn reason(status: &Status) -> String {
    let deepest = retry::causes(status).last().map(ToString::to_string);
    let words = deepest.unwrap_or_else(|| status.message().trim().escape_default().to_string());
    let code = match status.code() {
        tonic::Code::Unavailable => "cannot be reached",
        tonic::Code::DeadlineExceeded => "took too long",
        tonic::Code::Unknown | tonic::Code::Cancelled => "failed",
        code => return format!("{} ({words})", name(code)),
    };
    format!("{code} ({words})")
}

/// gRPC's name of a code.
fn name(code: tonic::Code) -> &'static str {
    match code {
        tonic::Code::Ok => "OK",
        tonic::Code::Cancelled => "CANCELLED",
        tonic::Code::Unknown => "UNKNOWN",
        tonic::Code::InvalidArgument => "INVALID_ARGUMENT",
        tonic::Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        tonic::Code::NotFound => "NOT_FOUND",
        tonic::Code::AlreadyExists => "ALREADY_EXISTS",
        tonic::Code::PermissionDenied => "PERMISSION_DENIED",
        tonic::Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        tonic::Code::FailedPrecondition => "FAILED_PRECONDITION",
        tonic::Code::Aborted => "ABORTED",
        tonic::Code::OutOfRange => "OUT_OF_RANGE",
        tonic::Code::Unimplemented => "UNIMPLEMENTED",
        tonic::Code::Internal => "INTERNAL",
        tonic::Code::Unavailable => "UNAVAILABLE",
        tonic::Code::DataLoss => "DATA_LOSS",
        tonic::Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// Whether a URL leads to this machine, where compressing takes longer than sending.
fn is_local(url: &str) -> bool {
    let host = url.split_once("://").map_or("", |(_, rest)| rest);
    url.starts_with("unix:") || ["localhost", "127.", "[::1]"].iter().any(|local| host.starts_with(local))
}

fn endpoint(remote: &Remote, policy: Policy) -> Result<Endpoint> {
    let url = match remote.url.split_once("://") {
        Some(("grpc", rest)) => format!("http://{rest}"),
        Some(("grpcs", rest)) => format!("https://{rest}"),
        _ => remote.url.clone(),
    };
    let wrong = |error: tonic::transport::Error| {
        let source = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        Error::usage(format!("cannot use the server \"{}\": {source}", remote.url.escape_default()))
    };
    if !["http://", "https://", "unix:"].iter().any(|scheme| url.starts_with(scheme)) {
        let text = remote.url.escape_default();
        return Err(Error::usage(format!("\"{text}\" is no server; expected http://HOST:PORT or https://HOST:PORT")));
    }
    let secure = url.starts_with("https://");
    let mut endpoint = Endpoint::from_shared(url)
        .and_then(|endpoint| endpoint.user_agent(concat!("bst-plumbing/", env!("CARGO_PKG_VERSION"))))
        .map_err(wrong)?
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .connect_timeout(policy.timeout.min(Duration::from_secs(10)))
        // An execution says nothing for hours; that the other side is gone is noticed all the same.
        .tcp_keepalive(Some(Duration::from_secs(60)));
    if let Some(time) = remote.connection.keepalive_time {
        endpoint = endpoint.http2_keep_alive_interval(time).keep_alive_while_idle(true);
    }
    if secure {
        endpoint = endpoint.tls_config(credentials::tls(&remote.auth)?).map_err(wrong)?;
    }
    Ok(endpoint)
}

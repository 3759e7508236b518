//! A server of the Remote Execution and Remote Asset APIs in memory, which can be told to misbehave.

mod execution;
mod faults;
mod services;
mod state;

pub use faults::{Fault, Kind};
pub use state::{Options, State};

use hyper_util::rt::{TokioExecutor, TokioIo};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A server that runs as long as this is there.
pub struct TestServer {
    address: SocketAddr,
    secure: bool,
    state: Arc<Mutex<State>>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl TestServer {
    /// A server that does as it should.
    pub fn start() -> TestServer {
        TestServer::with(Options::default())
    }

    /// A server with limits or credentials.
    pub fn with(options: Options) -> TestServer {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let tls = options.tls.clone().map(TlsAcceptor::from);
        let secure = tls.is_some();
        let state = Arc::new(Mutex::new(State::new(options)));
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("an address");
        runtime.spawn(accept(listener, tls, state.clone()));
        TestServer { address, secure, state, runtime: Some(runtime) }
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How clients name it.
    pub fn url(&self) -> String {
        // Certificates are made for this name.
        if self.secure {
            format!("https://localhost:{}", self.address.port())
        } else {
            format!("http://{}", self.address)
        }
    }

    /// What it has and saw.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics with the lock held")
    }

    /// Tells it to misbehave.
    pub fn fault(&self, method: &'static str, kind: Kind) {
        self.state().faults.push(Fault::new(method, kind));
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, state: Arc<Mutex<State>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (state, tls) = (state.clone(), tls.clone());
        tokio::spawn(async move {
            let service = hyper::service::service_fn(move |request| services::answer(state.clone(), request));
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            // What goes wrong with a connection is the client's to notice.
            match tls {
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        let _ = server.serve_connection(TokioIo::new(stream), service).await;
                    }
                }
                None => {
                    let _ = server.serve_connection(TokioIo::new(stream), service).await;
                }
            }
        });
    }
}

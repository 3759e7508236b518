//! Certificates and tokens.

use bst_plumbing::project::remotes::Auth;
use bst_plumbing::values::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Certificate, ClientTlsConfig, Identity};

/// What TLS needs to know.
pub fn tls(auth: &Auth) -> Result<ClientTlsConfig> {
    let mut config = ClientTlsConfig::new();
    config = match &auth.server_cert {
        Some(path) => config.ca_certificate(Certificate::from_pem(read(path)?)),
        None => config.with_native_roots(),
    };
    if let (Some(cert), Some(key)) = (&auth.client_cert, &auth.client_key) {
        config = config.identity(Identity::from_pem(read(cert)?, read(key)?));
    }
    Ok(config)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| Error::io("cannot read the credentials", path, error))
}

/// The token that goes along with every call: the content of a file, which others renew.
pub struct Token {
    path: PathBuf,
    reload: Option<Duration>,
    state: Mutex<State>,
}

struct State {
    header: MetadataValue<Ascii>,
    read: Instant,
}

impl Token {
    /// Reads it for the first time.
    pub fn new(path: &Path, reload: Option<Duration>) -> Result<Token> {
        let state = State { header: header(path)?, read: Instant::now() };
        Ok(Token { path: path.to_owned(), reload, state: Mutex::new(state) })
    }

    /// The value of the header `authorization`.
    pub fn header(&self) -> MetadataValue<Ascii> {
        let mut state = self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if self.reload.is_some_and(|reload| state.read.elapsed() >= reload) {
            // A file that is being replaced, or is gone for a moment: the old token may still do.
            if let Ok(header) = header(&self.path) {
                state.header = header;
            }
            state.read = Instant::now();
        }
        state.header.clone()
    }

    /// Reads the file again after the server refused `used`: whether there is another one to try.
    pub fn renew(&self, used: &MetadataValue<Ascii>) -> bool {
        let Ok(header) = header(&self.path) else { return false };
        let changed = header != *used;
        *self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = State { header, read: Instant::now() };
        changed
    }
}

fn header(path: &Path) -> Result<MetadataValue<Ascii>> {
    let bytes = read(path)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut value: MetadataValue<Ascii> = format!("Bearer {}", text.trim())
        .parse()
        .map_err(|_| Error::usage(format!("{} holds no token: expected one line of text", path.display())))?;
    value.set_sensitive(true);
    Ok(value)
}

//! A line to a server that breaks: bytes stop, the connection is cut, or what comes is noise.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What the line does with what the server sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Line {
    /// Each of the first `times` connections is cut after so many bytes.
    Cut { bytes: usize, times: usize },
    /// After so many bytes nothing comes any more.
    Stall { bytes: usize },
    /// Bytes that no server sends.
    Noise,
    /// So many bytes in each hundredth of a second.
    Slow { bytes: usize },
}

/// A line that is there as long as the test runs.
pub struct Proxy {
    address: SocketAddr,
    /// Connections that were made.
    pub connections: Arc<AtomicUsize>,
}

impl Proxy {
    /// A line to a server.
    pub fn new(to: SocketAddr, line: Line) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let number = count.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || connect(client, to, line, number));
            }
        });
        Proxy { address, connections }
    }

    /// How clients name the server behind it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn connect(mut client: TcpStream, to: SocketAddr, line: Line, number: usize) {
    if line == Line::Noise {
        let _ = client.write_all(b"220 mail.example.com ESMTP\r\n");
        let _ = client.read(&mut [0; 1024]);
        return;
    }
    let Ok(server) = TcpStream::connect(to) else { return };
    let (mut up_from, mut up_to) = (client.try_clone().expect("a socket"), server.try_clone().expect("a socket"));
    std::thread::spawn(move || drop(std::io::copy(&mut up_from, &mut up_to)));
    down(server, client, line, number);
}

fn down(mut server: TcpStream, mut client: TcpStream, line: Line, number: usize) {
    let mut left = match line {
        Line::Cut { bytes, times } if number < times => bytes,
        Line::Stall { bytes } => bytes,
        _ => usize::MAX,
    };
    let mut buffer = [0; 16_384];
    let piece = if let Line::Slow { bytes } = line { bytes.min(buffer.len()) } else { buffer.len() };
    while let Ok(length @ 1..) = server.read(&mut buffer[..piece]) {
        let passed = length.min(left);
        if client.write_all(&buffer[..passed]).is_err() {
            return;
        }
        left -= passed;
        if let Line::Slow { .. } = line {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        if left == 0 {
            break;
        }
    }
    if let Line::Stall { .. } = line {
        // It stays open and says nothing.
        std::thread::sleep(std::time::Duration::from_secs(60));
    }
    let _ = client.shutdown(Shutdown::Both);
}

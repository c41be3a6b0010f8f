//! Lines as messages to a syslog server (RFC 5424): over a local datagram socket or UDP one a datagram
//! (RFC 5426), over TCP one after its length (RFC 6587 §3.4.1).

use std::fs;
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs as _, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use crate::clock::SharedClock;
use crate::logs::SyslogServer;

/// Facility 10 (security and authorization), severity 5 (normal but significant).
const PRIORITY: u8 = 10 * 8 + 5;

/// How long a server may take to be connected to, or to take a message; lines wait meanwhile.
const PATIENCE: Duration = Duration::from_secs(2);

/// The way to a server; made with the first message, and anew after a failure.
pub(super) struct Syslog {
    server: SyslogServer,
    clock: SharedClock,
    host: String,
    connection: Option<Connection>,
}

enum Connection {
    Unix(UnixDatagram),
    Udp(UdpSocket),
    Tcp(TcpStream),
}

impl Syslog {
    pub(super) fn new(server: SyslogServer, clock: SharedClock) -> Self {
        Self {
            server,
            clock,
            host: host_name(),
            connection: None,
        }
    }

    /// Sends each of `lines`. A server that was started anew closed the connection, which shows only when
    /// it is used; so a message that fails is sent once more.
    pub(super) fn send(&mut self, lines: &[u8]) -> io::Result<()> {
        let lines = lines.split(|byte| *byte == b'\n');
        for line in lines.filter(|line| !line.is_empty()) {
            let message = self.message(line);
            if self.send_one(&message).is_err() {
                self.connection = None;
                self.send_one(&message)
                    .inspect_err(|_| self.connection = None)?;
            }
        }
        Ok(())
    }

    fn send_one(&mut self, message: &[u8]) -> io::Result<()> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(Connection::open(&self.server)?),
        };
        connection.send(message)
    }

    /// JSON escapes what is not printable ASCII or UTF-8, and has no line breaks here.
    fn message(&self, line: &[u8]) -> Vec<u8> {
        let head = format!(
            "<{PRIORITY}>1 {} {} doorward {} audit - ",
            self.clock.now(),
            self.host,
            std::process::id()
        );
        [head.as_bytes(), line].concat()
    }
}

impl Connection {
    fn open(server: &SyslogServer) -> io::Result<Self> {
        match server {
            SyslogServer::Unix(path) => {
                let socket = UnixDatagram::unbound()?;
                socket.connect(path)?;
                socket.set_write_timeout(Some(PATIENCE))?;
                Ok(Self::Unix(socket))
            }
            SyslogServer::Udp(address) => {
                let first = address.to_socket_addrs()?.next();
                let address = first.ok_or(io::ErrorKind::NotFound)?;
                let any: IpAddr = match address {
                    SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
                    SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
                };
                let socket = UdpSocket::bind((any, 0))?;
                socket.connect(address)?;
                Ok(Self::Udp(socket))
            }
            SyslogServer::Tcp(address) => {
                let mut last = io::ErrorKind::NotFound.into();
                for address in address.to_socket_addrs()? {
                    match TcpStream::connect_timeout(&address, PATIENCE) {
                        Ok(stream) => {
                            stream.set_write_timeout(Some(PATIENCE))?;
                            stream.set_nodelay(true)?;
                            return Ok(Self::Tcp(stream));
                        }
                        Err(error) => last = error,
                    }
                }
                Err(last)
            }
        }
    }

    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        match self {
            Self::Unix(socket) => socket.send(message).map(drop),
            Self::Udp(socket) => socket.send(message).map(drop),
            Self::Tcp(stream) => {
                let mut framed = format!("{} ", message.len()).into_bytes();
                framed.extend_from_slice(message);
                stream.write_all(&framed)
            }
        }
    }
}

/// `-` where there is none to tell (RFC 5424 §6.2.4).
fn host_name() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    let is_good =
        !name.is_empty() && name.len() <= 255 && name.bytes().all(|b| b.is_ascii_graphic());
    if is_good {
        name.to_owned()
    } else {
        "-".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::net::TcpListener;

    use prometheus_client::metrics::counter::Counter;
    use serde_json::json;

    use crate::clock::{ManualClock, Timestamp};
    use crate::logs::{LineLog, LogTarget, SyslogServer};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    fn log(server: SyslogServer) -> (LineLog, Counter) {
        let clock = ManualClock::at(Timestamp::from_seconds(1_763_696_385));
        let lost = Counter::default();
        let log = LineLog::open(LogTarget::Syslog(server), clock, lost.clone()).unwrap();
        (log, lost)
    }

    fn assert_message(message: &str, number: u8) {
        let id = std::process::id();
        assert!(
            message.starts_with("<85>1 2025-11-21T03:39:45.000Z "),
            "{message}"
        );
        let end = format!(" doorward {id} audit - {{\"n\":{number}}}");
        assert!(message.ends_with(&end), "{message}");
        assert_eq!(message.split(' ').count(), 8, "{message}");
    }

    #[test]
    fn a_line_is_a_datagram_to_the_local_socket_also_after_a_restart_of_the_server() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let server = UnixDatagram::bind(&path).unwrap();
        let (log, lost) = log(SyslogServer::Unix(path.clone()));
        let receive = |server: &UnixDatagram| {
            let mut buffer = [0; 4096];
            server.set_read_timeout(Some(PATIENCE)).unwrap();
            let length = server.recv(&mut buffer).unwrap();
            String::from_utf8(buffer[..length].to_vec()).unwrap()
        };
        for number in [1, 2] {
            log.write(&json!({ "n": number }));
        }
        assert_message(&receive(&server), 1);
        assert_message(&receive(&server), 2);
        drop(server);
        fs::remove_file(&path).unwrap();
        log.write(&json!({ "n": 3 }));
        log.flush(PATIENCE);
        assert_eq!(lost.get(), 1, "nobody was there");
        let server = UnixDatagram::bind(&path).unwrap();
        log.write(&json!({ "n": 4 }));
        assert!(receive(&server).contains("lost_lines"));
        assert_message(&receive(&server), 4);
    }

    #[test]
    fn over_tcp_each_message_stands_after_its_length() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (log, lost) = log(SyslogServer::Tcp(address));
        log.write(&json!({ "n": 1 }));
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut length = Vec::new();
        let mut byte = [0];
        while byte != *b" " {
            stream.read_exact(&mut byte).unwrap();
            length.push(byte[0]);
        }
        let length: usize = String::from_utf8(length).unwrap().trim().parse().unwrap();
        let mut message = vec![0; length];
        stream.read_exact(&mut message).unwrap();
        assert_message(&String::from_utf8(message).unwrap(), 1);
        assert_eq!(lost.get(), 0);
    }

    #[test]
    fn over_udp_a_line_is_a_datagram() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        server.set_read_timeout(Some(PATIENCE)).unwrap();
        let (log, _) = log(SyslogServer::Udp(server.local_addr().unwrap().to_string()));
        log.write(&json!({ "n": 1 }));
        let mut buffer = [0; 4096];
        let length = server.recv(&mut buffer).unwrap();
        assert_message(std::str::from_utf8(&buffer[..length]).unwrap(), 1);
    }
}

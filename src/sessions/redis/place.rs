//! Where a Redis is, in each of the ways in which it is run. What is not there cannot be written: a
//! socket has no TLS, a Cluster no database, a Sentinel always a master.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::secret::SecretText;

/// Where the keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// One server, by its Unix socket.
    Socket {
        /// The socket.
        path: PathBuf,
        /// The number of the database.
        database: u32,
    },
    /// One server.
    Server {
        /// The server.
        node: Node,
        /// How it is spoken to.
        transport: Transport,
        /// The number of the database.
        database: u32,
    },
    /// A master and its replicas, which Sentinels watch.
    Sentinel(Sentinel),
    /// A Redis Cluster.
    Cluster {
        /// Some of its nodes; the others are learnt from them.
        nodes: Vec<Node>,
        /// How all nodes are spoken to.
        transport: Transport,
    },
}

/// A master and its replicas, which Sentinels watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentinel {
    /// The Sentinels. What more than half of them say, counts.
    pub sentinels: Vec<Node>,
    /// What they call the master.
    pub master: String,
    /// Who we are to the Sentinels.
    pub login: Option<Login>,
    /// How the Sentinels and the servers are spoken to.
    pub transport: Transport,
    /// The number of the database.
    pub database: u32,
}

/// Who we are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The user of the ACL; without, the one called `default`.
    pub user: Option<String>,
    /// The password.
    pub password: SecretText,
}

/// How servers are spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// As it is.
    Plain,
    /// Over TLS, and the server must have a certificate for the name that we call it by.
    Tls(TlsFiles),
}

/// The files of a TLS client. Read anew for each connection, so that they may be replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// The authorities that are trusted; without, those of the system.
    pub authorities: Option<PathBuf>,
    /// Who we are.
    pub client: Option<ClientCertificate>,
}

/// The certificate by which a server knows us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate chain, PEM.
    pub cert: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
}

/// A server, by name and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// A name or an IP address, the latter without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// Not a name and a port.
#[derive(Debug, thiserror::Error)]
#[error("not a host and a port")]
pub struct NotANode;

/// `host:port`; an IPv6 address with or without brackets, as Redis writes it without.
impl FromStr for Node {
    type Err = NotANode;

    fn from_str(text: &str) -> Result<Self, NotANode> {
        let (host, port) = text.rsplit_once(':').ok_or(NotANode)?;
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let unusual = |c: char| !(c.is_ascii_alphanumeric() || ".-_:".contains(c));
        let host = bare.unwrap_or(host);
        match port.parse() {
            Ok(port) if port != 0 && !host.is_empty() && !host.contains(unusual) => Ok(Self {
                host: host.to_owned(),
                port,
            }),
            _ => Err(NotANode),
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_a_host_and_a_port() {
        let check = |text: &str, expected: Option<(&str, u16)>| {
            let node = text.parse::<Node>().ok();
            let node = node.as_ref().map(|node| (node.host.as_str(), node.port));
            assert_eq!(node, expected, "{text}");
        };
        check("redis-1.internal:6379", Some(("redis-1.internal", 6379)));
        check("10.0.0.1:26379", Some(("10.0.0.1", 26379)));
        check("[::1]:6379", Some(("::1", 6379)));
        check("::1:6379", Some(("::1", 6379)));
        for wrong in [
            "redis",
            ":6379",
            "redis:",
            "redis:0",
            "redis:70000",
            "redis://a:1",
            "a b:1",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn a_node_shows_itself_as_it_is_written() {
        for text in ["redis:6379", "[::1]:6379"] {
            assert_eq!(text.parse::<Node>().unwrap().to_string(), text);
        }
    }
}

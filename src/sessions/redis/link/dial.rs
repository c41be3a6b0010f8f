//! One connection to one server: TLS, login, database, and how long each may take.

use std::future::Future;
use std::io;
use std::path::Path;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, ErrorKind,
    IntoConnectionInfo as _, RedisConnectionInfo, RedisError, RedisResult, TlsCertificates,
};

use crate::sessions::redis::place::{Login, Node, TlsFiles, Transport};

/// How long a connection may take to be there. Somebody waits for the answer, and beyond this a 503
/// serves them better.
pub(super) const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// How long an answer may take, the wait for a place in the queue included.
pub(super) const RESPONSE_LIMIT: Duration = Duration::from_secs(2);

/// How servers are spoken to, and as whom.
#[derive(Clone, Debug)]
pub(super) struct Dial {
    pub(super) transport: Transport,
    pub(super) login: Option<Login>,
    pub(super) database: u32,
}

impl Dial {
    /// A connection to this server.
    pub(super) async fn node(&self, node: &Node) -> RedisResult<MultiplexedConnection> {
        let (host, port) = (node.host.clone(), node.port);
        match &self.transport {
            Transport::Plain => self.open(ConnectionAddr::Tcp(host, port), None).await,
            Transport::Tls(files) => {
                let certificates = read(files).await?;
                let address = ConnectionAddr::TcpTls {
                    host,
                    port,
                    insecure: false,
                    tls_params: None,
                };
                self.open(address, Some(certificates)).await
            }
        }
    }

    /// A connection to the server behind this socket.
    pub(super) async fn socket(&self, path: &Path) -> RedisResult<MultiplexedConnection> {
        self.open(ConnectionAddr::Unix(path.to_owned()), None).await
    }

    async fn open(
        &self,
        address: ConnectionAddr,
        certificates: Option<TlsCertificates>,
    ) -> RedisResult<MultiplexedConnection> {
        // Many share one connection: a command must not wait for the acknowledgement of the one before.
        let server: ConnectionInfo = address.into_connection_info()?;
        let server = server
            .set_redis_settings(self.settings())
            .set_tcp_settings(TcpSettings::default().set_nodelay(true));
        let client = match certificates {
            Some(certificates) => Client::build_with_tls(server, certificates)?,
            None => Client::open(server)?,
        };
        let limits = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_LIMIT))
            .set_response_timeout(Some(RESPONSE_LIMIT));
        let connection = client.get_multiplexed_async_connection_with_config(&limits);
        within(CONNECT_LIMIT, connection).await
    }

    /// Without a name for `CLIENT SETINFO`, which is one command less to be allowed.
    fn settings(&self) -> RedisConnectionInfo {
        let settings = RedisConnectionInfo::default()
            .set_skip_set_lib_name()
            .set_db(i64::from(self.database));
        let Some(login) = &self.login else {
            return settings;
        };
        let settings = settings.set_password(login.password.expose());
        match &login.user {
            Some(user) => settings.set_username(user),
            None => settings,
        }
    }
}

async fn read(files: &TlsFiles) -> RedisResult<TlsCertificates> {
    let client_tls = match &files.client {
        Some(client) => Some(ClientTlsConfig {
            client_cert: file(&client.cert).await?,
            client_key: file(&client.key).await?,
        }),
        None => None,
    };
    let root_cert = match &files.authorities {
        Some(path) => Some(file(path).await?),
        None => None,
    };
    Ok(TlsCertificates {
        client_tls,
        root_cert,
    })
}

async fn file(path: &Path) -> RedisResult<Vec<u8>> {
    let read = tokio::fs::read(path).await;
    read.map_err(|error| {
        let what = format!("{}: {error}", path.display());
        RedisError::from((ErrorKind::Client, "a TLS file cannot be read", what))
    })
}

/// An answer that may take `limit`.
pub(super) async fn within<T>(
    limit: Duration,
    answer: impl Future<Output = RedisResult<T>>,
) -> RedisResult<T> {
    tokio::time::timeout(limit, answer)
        .await
        .unwrap_or_else(|_elapsed| Err(RedisError::from(io::Error::from(io::ErrorKind::TimedOut))))
}

//! A real Redis server that speaks TLS, with certificates of a test's own.

use doorward::sessions::redis::RedisConfig;
use doorward::sessions::redis::place::{ClientCertificate, Place, TlsFiles, Transport};

use super::redis::RedisServer;
use super::tls::Authority;

/// A server that speaks TLS alone, to those who have a certificate of `authority`.
pub(crate) struct TlsServer {
    pub(crate) server: RedisServer,
    pub(crate) files: TlsFiles,
    _directory: tempfile::TempDir,
}

impl TlsServer {
    pub(crate) fn start(name: &str) -> Self {
        let _already = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let directory = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        let ca = directory.path().join("ca.pem");
        std::fs::write(&ca, authority.pem()).unwrap();
        let theirs = authority.issue(directory.path(), "server", &[name]);
        let ours = authority.issue(directory.path(), "client", &["doorward"]);
        let server = RedisServer::start_with(&[
            "--tls-port",
            "PORT",
            "--tls-cert-file",
            theirs.cert.to_str().unwrap(),
            "--tls-key-file",
            theirs.key.to_str().unwrap(),
            "--tls-ca-cert-file",
            ca.to_str().unwrap(),
        ]);
        let files = TlsFiles {
            authorities: Some(ca),
            client: Some(ClientCertificate {
                cert: ours.cert,
                key: ours.key,
            }),
        };
        Self {
            server,
            files,
            _directory: directory,
        }
    }

    pub(crate) fn config(&self, files: TlsFiles, key_prefix: &str) -> RedisConfig {
        let mut node = self.server.node();
        node.port = self.server.setting("--tls-port").parse().unwrap();
        RedisConfig {
            place: Place::Server {
                node,
                transport: Transport::Tls(files),
                database: 2,
            },
            login: None,
            key_prefix: key_prefix.to_owned(),
        }
    }
    /// The same, as a line of `[sessions]`.
    pub(crate) fn setting(&self) -> String {
        let (ca, own) = (self.files.authorities.as_ref(), self.files.client.as_ref());
        let (ca, own) = (ca.unwrap(), own.unwrap());
        format!(
            "store = {{ url = \"rediss://127.0.0.1:{}\", ca = \"{}\", client_cert = \"{}\", \
             client_key = \"{}\" }}",
            self.server.setting("--tls-port"),
            ca.display(),
            own.cert.display(),
            own.key.display(),
        )
    }

    /// How many sessions a gateway keeps in its first database.
    pub(crate) async fn sessions(&self) -> usize {
        let keys = ["KEYS", "doorward:{sessions}:session:*"];
        let keys = self.server.command(&keys).await;
        redis::from_redis_value::<Vec<String>>(keys).unwrap().len()
    }
}

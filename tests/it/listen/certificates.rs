//! Certificates, versions and key exchange.

use std::os::unix::fs::symlink;
use std::path::Path;

use rustls::version::{TLS12, TLS13};
use rustls::{NamedGroup, ProtocolVersion};
use tokio::io::AsyncWriteExt;

use super::gateway::{Gateway, read_hello, soon};
use crate::support::tls::{Client, shown};

#[tokio::test]
async fn the_certificate_is_picked_by_the_name_that_is_asked_for() {
    let authority_names: [(&str, &[&str]); 3] = [
        ("first", &["gw.test"]),
        ("wild", &["*.apps.test", "Apps.Test"]),
        ("one", &["one.apps.test"]),
    ];
    let files = tempfile::TempDir::new().unwrap();
    let authority = crate::support::tls::Authority::new();
    let gateway = Gateway::start_with(|config| {
        config.certificates = authority_names
            .map(|(stem, names)| authority.issue(files.path(), stem, names))
            .to_vec();
    });
    let certificate = |stem: &str| leaf(files.path(), stem);
    let client = authority.client();
    for (asked, stem) in [
        ("gw.test", "first"),
        ("GW.Test", "first"),
        ("apps.test", "wild"),
        ("two.apps.test", "wild"),
        ("one.apps.test", "one"),
    ] {
        let stream = client.connect(gateway.https, asked).await;
        assert_eq!(shown(&stream), certificate(stem), "{asked}");
    }
    let nameless = client.clone().without_sni();
    let stream = nameless.connect(gateway.https, "gw.test").await;
    assert_eq!(shown(&stream), certificate("first"));
    for stranger in ["a.two.apps.test", "elsewhere.test"] {
        let refused = client.try_connect(gateway.https, stranger).await;
        let words = refused.unwrap_err().to_string();
        assert!(words.contains("gw.test"), "shown the first: {words}");
    }
}

fn leaf(directory: &Path, stem: &str) -> rustls::pki_types::CertificateDer<'static> {
    use rustls::pki_types::pem::PemObject;
    PemObject::from_pem_file(directory.join(format!("{stem}.crt"))).unwrap()
}

#[tokio::test]
async fn the_key_exchange_is_post_quantum_and_old_clients_get_tls_1_2() {
    let gateway = Gateway::start();
    for (versions, version, group) in [
        (
            &[&TLS13],
            ProtocolVersion::TLSv1_3,
            NamedGroup::X25519MLKEM768,
        ),
        (&[&TLS12], ProtocolVersion::TLSv1_2, NamedGroup::X25519),
    ] {
        let client = gateway.authority.client_of(versions);
        let stream = client.connect(gateway.https, "gw.test").await;
        let (_, session) = stream.get_ref();
        assert_eq!(session.protocol_version(), Some(version));
        let agreed = session.negotiated_key_exchange_group().unwrap();
        assert_eq!(agreed.name(), group);
    }
}

#[tokio::test]
async fn the_handler_learns_name_protocol_and_addresses() {
    let mut gateway = Gateway::start();
    let client = gateway.client().offering(&["http/1.1"]);
    let mut stream = client.connect(gateway.https, "GW.test").await;
    let local = stream.get_ref().0.local_addr().unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: gw.test\r\n\r\n")
        .await
        .unwrap();
    read_hello(&mut stream).await;
    let connection = gateway.next_seen().await.connection;
    assert_eq!(connection.sni.as_deref(), Some("gw.test"));
    assert_eq!(connection.protocol.as_str(), "http/1.1");
    assert_eq!((connection.peer, connection.local), (local, gateway.https));
}

/// As Kubernetes does it: the files are links into a directory behind a link that moves.
#[tokio::test]
async fn a_renewed_certificate_is_served_without_closing_what_is_open() {
    let files = tempfile::TempDir::new().unwrap();
    let authority = crate::support::tls::Authority::new();
    let gateway = Gateway::start_with(|config| {
        let old = files.path().join("old");
        std::fs::create_dir(&old).unwrap();
        authority.issue(&old, "tls", &["gw.test"]);
        symlink("old", files.path().join("data")).unwrap();
        config.certificates[0].cert = files.path().join("data/tls.crt");
        config.certificates[0].key = files.path().join("data/tls.key");
    });
    let tls = std::sync::Arc::clone(&gateway.tls);
    let watching = tokio::spawn(async move { tls.watch().await });
    let client = authority.client();
    let mut open = client.connect(gateway.https, "gw.test").await;
    let old = shown(&open);

    let new = files.path().join("new");
    std::fs::create_dir(&new).unwrap();
    authority.issue(&new, "tls", &["gw.test"]);
    symlink("new", files.path().join("next")).unwrap();
    std::fs::rename(files.path().join("next"), files.path().join("data")).unwrap();

    soon(async { while current(&client, &gateway).await == old {} }).await;
    assert_eq!(current(&client, &gateway).await, leaf(&new, "tls"));
    assert!(gateway.counts(r#"doorward_certificate_reloads_total{result="ok"} 1"#));
    open.write_all(b"GET / HTTP/1.1\r\nhost: gw.test\r\n\r\n")
        .await
        .unwrap();
    read_hello(&mut open).await;
    watching.abort();
}

async fn current(client: &Client, gateway: &Gateway) -> rustls::pki_types::CertificateDer<'static> {
    shown(&client.connect(gateway.https, "gw.test").await)
}

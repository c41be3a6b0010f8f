//! Several servers, and servers with TLS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use doorward::trust::Trust;
use http::{Request, StatusCode};
use http_body_util::Full;
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use url::Url;

use crate::support::front::{Setup, reason, whole};
use crate::support::sample::Sample;

/// An origin where nobody listens.
async fn nobody() -> Url {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    url.parse().unwrap()
}

#[tokio::test]
async fn servers_take_turns() {
    let samples = [Sample::start().await, Sample::start().await];
    let front = Setup::before(samples.each_ref().map(Sample::url))
        .start()
        .await;
    for _ in 0..6 {
        assert_eq!(front.get("/x").await.status(), StatusCode::OK);
    }
    let shares = samples.each_ref().map(|sample| sample.seen().len());
    assert_eq!(shares, [3, 3]);
}

#[tokio::test]
async fn a_server_that_is_away_is_passed_over_and_the_upload_not_lost() {
    let sample = Sample::start().await;
    let servers = [nobody().await, nobody().await, sample.url()];
    let front = Setup::before(servers).start().await;
    for count in 1..=4 {
        let request = Request::post("/x").body(Full::from("abc")).unwrap();
        let response = front.send(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        sample.uploaded(3 * count).await;
    }
    assert_eq!(sample.seen().len(), 4);
}

#[tokio::test]
async fn when_all_servers_are_away_each_is_asked_once() {
    let front = Setup::before([nobody().await, nobody().await])
        .start()
        .await;
    let request = Request::post("/x")
        .body(Full::<Bytes>::from("abc"))
        .unwrap();
    let response = front.send(request).await.unwrap();
    assert_eq!(reason(&response), Some("connect-refused"));
}

/// The origin of a relay before this address, and how many connections it has taken.
async fn counted(address: SocketAddr) -> (Url, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let taken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&taken);
    tokio::spawn(async move {
        while let Ok((mut client, _peer)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let mut server = TcpStream::connect(address).await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
        }
    });
    (url.parse().unwrap(), taken)
}

#[tokio::test]
async fn one_connection_serves_request_after_request_and_none_waits_for_another() {
    let sample = Sample::start().await;
    let (url, taken) = counted(sample.address()).await;
    let front = Setup::before([url]).start().await;
    for _ in 0..5 {
        let response = front.get("/x").await;
        assert!(whole(response).await.is_ok());
    }
    assert_eq!(taken.load(Ordering::SeqCst), 1);
    let events = front.get("/events").await;
    let long = front.get("/bytes/10000000?chunked").await;
    assert_eq!(front.get("/x").await.status(), StatusCode::OK);
    assert_eq!(taken.load(Ordering::SeqCst), 3, "two of them are at work");
    assert_eq!(whole(long).await.unwrap().len(), 10_000_000);
    drop(events);
}

/// A server that ends TLS before this address, and its certificate.
async fn with_tls(address: SocketAddr) -> (Url, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _peer)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let mut server = TcpStream::connect(address).await.unwrap();
                tokio::spawn(async move { copy_bidirectional(&mut stream, &mut server).await });
            }
        }
    });
    (url.parse().unwrap(), made.cert.der().clone())
}

#[tokio::test]
async fn a_server_with_tls_must_be_trusted() {
    let sample = Sample::start().await;
    let (url, certificate) = with_tls(sample.address()).await;
    let trusted = Trust::Only(vec![certificate]);
    for (trust, expected) in [(trusted, None), (Trust::nobody(), Some("connect-refused"))] {
        let mut setup = Setup::before([url.clone()]);
        setup.upstream.trust = trust;
        assert_eq!(reason(&setup.start().await.get("/x").await), expected);
    }
    assert_eq!(sample.seen().len(), 1);
}

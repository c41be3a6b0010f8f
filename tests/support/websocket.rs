//! Just enough of a WebSocket (RFC 6455) for an echo: the handshake, and frames shorter than 126 bytes.

use std::io;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Opcodes (RFC 6455 §5.2) with the FIN bit.
pub(crate) const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;

/// Answers a handshake, and sends every message back until the client closes.
pub(crate) fn echo(mut request: Request<Incoming>) -> Response<Empty<Bytes>> {
    let mut response = Response::new(Empty::new());
    let Some(key) = request.headers().get(SEC_WEBSOCKET_KEY) else {
        *response.status_mut() = StatusCode::UPGRADE_REQUIRED;
        return response;
    };
    let accept = accept(key.as_bytes());
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        if let Ok(upgraded) = upgrade.await {
            // The client may leave without a word.
            drop(send_back(TokioIo::new(upgraded)).await);
        }
    });
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept.parse().unwrap());
    response
}

/// The answer to a key (RFC 6455 §4.2.2).
pub(crate) fn accept(key: &[u8]) -> String {
    let mut hash = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    hash.update(key);
    hash.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    STANDARD.encode(hash.finish())
}

async fn send_back<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) -> io::Result<()> {
    loop {
        let (opcode, payload) = read_frame(&mut stream).await?;
        let mut frame = vec![opcode, u8::try_from(payload.len()).unwrap()];
        frame.extend_from_slice(&payload);
        stream.write_all(&frame).await?;
        if opcode == CLOSE {
            return stream.shutdown().await;
        }
    }
}

/// Reads a short frame, masked or not.
pub(crate) async fn read_frame<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<(u8, Vec<u8>)> {
    let opcode = stream.read_u8().await?;
    let length = stream.read_u8().await?;
    let mut mask = [0; 4];
    if length & 0x80 != 0 {
        stream.read_exact(&mut mask).await?;
    }
    let mut payload = vec![0; usize::from(length & 0x7f)];
    stream.read_exact(&mut payload).await?;
    for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    Ok((opcode, payload))
}

/// A short text message as a client sends it: masked.
pub(crate) fn masked_text(text: &str) -> Vec<u8> {
    let mask = [1, 2, 3, 4];
    let length = u8::try_from(text.len()).unwrap();
    let mut frame = vec![TEXT, 0x80 | length];
    frame.extend_from_slice(&mask);
    let payload = text.bytes().zip(mask.iter().cycle());
    frame.extend(payload.map(|(byte, mask)| byte ^ mask));
    frame
}

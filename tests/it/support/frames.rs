//! HTTP/2 written by hand, frame by frame (RFC 9113 §4): what no client would send.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

/// Of `DATA` and `HEADERS`: nothing more comes on this stream.
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// Error codes (RFC 9113 §7).
pub(crate) const REFUSED_STREAM: u32 = 7;
pub(crate) const ENHANCE_YOUR_CALM: u32 = 11;

/// A frame as it came.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    /// The bytes of a frame. All that concerns the whole connection is of stream 0.
    pub(crate) fn bytes((kind, flags): (u8, u8), stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut bytes = vec![length[1], length[2], length[3], kind, flags];
        bytes.extend(stream.to_be_bytes());
        bytes.extend(payload);
        bytes
    }

    /// A whole request without a body, with these fields in this order.
    pub(crate) fn request(stream: u32, fields: &[(&str, &str)]) -> Vec<u8> {
        let flags = END_HEADERS | END_STREAM;
        Self::bytes((HEADERS, flags), stream, &block(fields))
    }

    /// What is said of the error: in the first four bytes of `RST_STREAM`, the second four of `GOAWAY`.
    pub(crate) fn error_code(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }

    /// The status of an answer; it comes first. Those that the static table has not (RFC 7541 A) are
    /// spelled in Huffman's code, and only the ones that tests ask for are known here.
    pub(crate) fn status(&self) -> u16 {
        // The size of the table of fields may be told before.
        let is_update = |byte: &&u8| **byte & 0b1110_0000 == 0b0010_0000;
        let updates = self.payload.iter().take_while(is_update).count();
        match &self.payload[updates..] {
            [0x88, ..] => 200,
            [0x8c, ..] => 400,
            [0x8d, ..] => 404,
            [0x48, 0x82, 0x68, 0x01, ..] => 401,
            [0x48, 0x82, 0x68, 0x41, ..] => 421,
            [0x48, 0x83, 0x68, 0x0d, ..] => 405,
            [0x48, 0x83, 0x69, 0x90, ..] => 431,
            other => panic!("a status that is not known here: {other:02x?}"),
        }
    }
}

/// A block of fields (RFC 7541 §6.2.2): each spelled out, nothing remembered.
pub(crate) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            push_length(&mut block, text.len());
            block.extend(text.as_bytes());
        }
    }
    block
}

/// An integer with a prefix of seven bits (RFC 7541 §5.1).
fn push_length(block: &mut Vec<u8>, length: usize) {
    if length < 127 {
        block.push(u8::try_from(length).unwrap());
        return;
    }
    block.push(127);
    let mut rest = length - 127;
    while rest >= 128 {
        block.push(u8::try_from(rest % 128).unwrap() | 128);
        rest /= 128;
    }
    block.push(u8::try_from(rest).unwrap());
}

/// A connection on which the client has said that it speaks HTTP/2, and nothing else.
pub(crate) struct Wire {
    stream: TlsStream<TcpStream>,
}

impl Wire {
    pub(crate) async fn open(stream: TlsStream<TcpStream>) -> Self {
        let mut wire = Self { stream };
        let mut preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        preface.extend(Frame::bytes((SETTINGS, 0), 0, &[]));
        wire.send(&preface).await.unwrap();
        wire
    }

    /// Sends these bytes; an error where the other side has gone.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// The next frame; none where the other side has gone, in whichever way.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).await.ok()?;
        let [a, b, c, kind, _flags, stream @ ..] = head;
        let length = u32::from_be_bytes([0, a, b, c]);
        let mut payload = vec![0; length as usize];
        self.stream.read_exact(&mut payload).await.ok()?;
        Some(Frame {
            kind,
            stream: u32::from_be_bytes(stream),
            payload,
        })
    }

    /// The next frame of this kind; those before it are passed over.
    pub(crate) async fn next_of(&mut self, kind: u8) -> Option<Frame> {
        loop {
            let frame = self.next().await?;
            if frame.kind == kind {
                return Some(frame);
            }
        }
    }
}

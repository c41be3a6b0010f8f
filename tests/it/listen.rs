//! The listening side over real sockets and real TLS.

mod certificates;
mod framing;
mod gateway;
mod http2;
mod limits;
mod shutdown;

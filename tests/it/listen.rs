//! The listening side over real sockets and real TLS.

mod certificates;
mod framing;
mod gateway;
mod limits;
mod shutdown;

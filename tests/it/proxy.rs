//! Forwarding, against the sample service and against upstreams that misbehave.

mod bodies;
mod heads;
mod http2_upstreams;
mod limits;
mod memory;
mod servers;
mod websocket;

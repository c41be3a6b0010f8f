//! Runs the sample service of the tests by hand: `cargo run --example sample-service -- --listen 127.0.0.1:0`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a program for tests and demos; it prints where it listens"
)]

use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;

#[expect(dead_code, reason = "the tests look into what the service has seen")]
mod sample;

/// A service without a login: answers with what it received.
#[derive(Parser)]
struct Arguments {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let sample = sample::Sample::listen(Arguments::parse().listen).await?;
    println!("sample service: http://{}", sample.address());
    let mut second = tokio::time::interval(Duration::from_secs(1));
    for tick in 0_u64.. {
        second.tick().await;
        sample.publish(&format!("tick {tick}"));
        if tick % 3 == 0 {
            sample.release();
        }
    }
    Ok(())
}

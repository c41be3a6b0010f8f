//! Large bodies pass at a flat memory figure.

use std::process::Command;

use bytes::Bytes;
use futures_util::stream;
use http::Request;
use http_body::Frame;
use http_body_util::{BodyExt as _, Empty, StreamBody};

use crate::support::front::{Front, Setup};
use crate::support::sample::Sample;

const MIB: u64 = 1024 * 1024;
/// Enough that a copy of the body would show.
const SIZE: u64 = 256 * MIB;
/// For buffers, the allocator and its moods.
const MARGIN: u64 = 32 * MIB;
const NAME: &str = "proxy::memory::large_bodies_pass_at_a_flat_memory_figure";
/// Set for a process that runs this test alone: others would be measured with it.
const ALONE: &str = "DOORWARD_TEST_ALONE";

#[test]
fn large_bodies_pass_at_a_flat_memory_figure() {
    if std::env::var_os(ALONE).is_none() {
        let mut alone = Command::new(std::env::current_exe().unwrap());
        let alone = alone.args(["--exact", NAME]).env(ALONE, "1");
        let output = alone.output().unwrap();
        let shown = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{shown}");
        assert!(shown.contains("1 passed"), "{shown}");
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = { runtime }.worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let sample = Sample::start().await;
        let front = Setup::before([sample.url()]).start().await;
        // What is needed once is there before the measurement.
        upload(&front, MIB).await;
        download(&front, MIB).await;
        let before = peak_memory();
        upload(&front, SIZE).await;
        download(&front, SIZE).await;
        let grown = peak_memory() - before;
        assert!(grown < MARGIN, "grown by {} MiB", grown / MIB);
    });
}

async fn upload(front: &Front, size: u64) {
    let chunks = stream::iter(0..size / (64 * 1024));
    let chunks = futures_util::StreamExt::map(chunks, |_| {
        // Allocated afresh, so that what is kept is seen.
        Ok::<_, std::io::Error>(Frame::data(Bytes::from(vec![1; 64 * 1024])))
    });
    let request = Request::post("/upload")
        .body(StreamBody::new(chunks))
        .unwrap();
    let response = front.send(request).await.unwrap();
    let report = response.into_body().collect().await.unwrap().to_bytes();
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    assert_eq!(report["body"]["length"], size);
}

async fn download(front: &Front, size: u64) {
    let request = Request::get(format!("/bytes/{size}"));
    let response = front.send(request.body(Empty::new()).unwrap()).await;
    let mut body = response.unwrap().into_body();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        length += frame.unwrap().into_data().unwrap().len() as u64;
    }
    assert_eq!(length, size);
}

/// The most memory that this process has held so far, in bytes.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kibibytes = line.unwrap().split_whitespace().nth(1).unwrap();
    kibibytes.parse::<u64>().unwrap() * 1024
}

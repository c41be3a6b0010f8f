//! `doorward serve`: the gateway in the foreground, until it is told to stop.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use http::Request;
use hyper::body::Incoming;
use tokio::runtime::{Builder, Runtime};

use super::Exit;
use crate::app::App;
use crate::clock::{SharedClock, SystemClock};
use crate::config::Config;
use crate::listen::{self, Bound, Connection, Stop, Stopped};
use crate::logs;

/// How long the logs may take to be written out at the end.
const FLUSH_LIMIT: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or Ctrl-C, then finishes what is in flight.
pub fn run(config: &Config) -> anyhow::Result<Exit> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the command line reads the environment"
    )]
    let filter = std::env::var("DOORWARD_LOG").ok();
    logs::init_tracing(filter.as_deref())?;
    let bound = listen::bind(&config.listen, config.ops)?;
    // Pools, watchers and followers live here, beside the workers that pingora makes and drops.
    let state = state_runtime()?;
    let clock: SharedClock = Arc::new(SystemClock);
    let app = state.block_on(App::assemble(config, &clock))?;
    let stop = state
        .block_on(async { Stop::on_signals() })
        .context("cannot wait for signals")?;
    announce(&bound)?;
    let stopped = serve(config, bound, app, (&state, stop));
    state.shutdown_timeout(Duration::from_secs(1));
    tracing::info!("{}", in_words(stopped));
    Ok(Exit::Done)
}

fn in_words(stopped: Stopped) -> String {
    match stopped {
        Stopped::Drained => "stopped".to_owned(),
        Stopped::CutOff(open) => format!("stopped; {open} connections were cut off"),
        Stopped::AtOnce => "stopped at once, as asked twice".to_owned(),
    }
}

/// Few threads: what runs here waits most of the time.
fn state_runtime() -> anyhow::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).thread_name("state").enable_all();
    builder.build().context("cannot start threads")
}

fn serve(config: &Config, bound: Bound, app: App, (state, stop): (&Runtime, Stop)) -> Stopped {
    let App {
        gate,
        ops,
        tls,
        metrics,
        drain,
        logs,
        mut background,
    } = app;
    let tls_config = Arc::clone(&tls.server);
    background.spawn_on(async move { tls.watch().await }, state.handle());
    let ops = Arc::new(ops);
    let stopped = listen::serve(
        bound,
        &config.listen,
        listen::Parts {
            handler: gate,
            ops: move |request: Request<Incoming>, _: &Arc<Connection>| {
                let answer = ops.answer(request.method(), request.uri().path());
                async { answer }
            },
            tls: tls_config,
            trusted_proxies: config.trusted_proxies.clone(),
            metrics: metrics.connections.clone(),
            drain,
            stop,
        },
    );
    for log in logs {
        log.flush(FLUSH_LIMIT);
    }
    drop(background);
    stopped
}

/// One line for each address: what to connect to, port numbers that the system chose included.
fn announce(bound: &Bound) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for address in bound.https() {
        writeln!(out, "listening on https://{address}")?;
    }
    for address in bound.redirect_http() {
        writeln!(out, "redirecting http://{address} to https")?;
    }
    if let Some(address) = bound.ops() {
        writeln!(out, "health and metrics on http://{address}")?;
    }
    out.flush()
}

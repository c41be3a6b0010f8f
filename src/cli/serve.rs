//! `doorward serve`: the gateway in the foreground, until it is told to stop.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use http::Request;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Exit;
use crate::app::App;
use crate::app::reload::Reload;
use crate::clock::{SharedClock, SystemClock};
use crate::config::Config;
use crate::listen::{self, Bound, Connection, Stop, Stopped};
use crate::logs;
use crate::wire::request_body::RequestBody;

/// How long the access log may take to be written out at the end.
const FLUSH_LIMIT: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or Ctrl-C, then finishes what is in flight.
pub fn run(config: &Config, file: &Path) -> anyhow::Result<Exit> {
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
    let signals = state
        .block_on(async { Signals::listen() })
        .context("cannot wait for signals")?;
    announce(&bound)?;
    let gateway = Gateway { config, file, app };
    let stopped = gateway.serve(bound, &state, signals);
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

/// Takes up the configuration at each SIGHUP; those that come meanwhile count as one.
async fn reload_on(mut hangups: Signal, reload: Reload, file: PathBuf) {
    let reload = Arc::new(reload);
    while hangups.recv().await.is_some() {
        let (reload, file) = (Arc::clone(&reload), file.clone());
        let reading = tokio::task::spawn_blocking(move || reload.run(&file));
        if reading.await.is_err() {
            tracing::error!("the configuration could not be read again");
        }
    }
}

/// Few threads: what runs here waits most of the time.
fn state_runtime() -> anyhow::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).thread_name("state").enable_all();
    builder.build().context("cannot start threads")
}

/// What the process is told from outside. From the listening on, no signal among them ends it by itself.
struct Signals {
    stop: Stop,
    hangups: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            stop: Stop::on_signals()?,
            hangups: signal(SignalKind::hangup())?,
        })
    }
}

/// A gateway that is ready, and the file that it came from.
struct Gateway<'a> {
    config: &'a Config,
    file: &'a Path,
    app: App,
}

impl Gateway<'_> {
    fn serve(self, bound: Bound, state: &Runtime, signals: Signals) -> Stopped {
        let config = self.config;
        let App {
            gate,
            reload,
            ops,
            tls,
            metrics,
            drain,
            access_log,
            audit,
            mut background,
        } = self.app;
        let reloading = reload_on(signals.hangups, reload, self.file.to_owned());
        background.spawn_on(reloading, state.handle());
        let tls_config = Arc::clone(&tls.server);
        background.spawn_on(async move { tls.watch().await }, state.handle());
        let ops = Arc::new(ops);
        let stopped = listen::serve(
            bound,
            &config.listen,
            listen::Parts {
                handler: gate,
                ops: move |request: Request<RequestBody>, _: &Arc<Connection>| {
                    let answer = ops.answer(request.method(), request.uri().path());
                    async { answer }
                },
                tls: tls_config,
                trusted_proxies: config.trusted_proxies.clone(),
                metrics: metrics.connections.clone(),
                drain,
                stop: signals.stop,
            },
        );
        if let Err(error) = state.block_on(audit.flush()) {
            tracing::error!(%error, "the last entries of the audit trail are not kept");
        }
        access_log.flush(FLUSH_LIMIT);
        drop(background);
        stopped
    }
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

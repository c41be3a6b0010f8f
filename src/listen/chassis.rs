//! pingora's server around the gates: its services, their worker runtimes, and the end of it all.
//!
//! pingora's own orderly end sleeps for a fixed time and then cancels what runs. So the waiting is done
//! here, by [`Drain`], and pingora is told to stop when nothing is left that could be cut.

use std::os::fd::IntoRawFd;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use pingora_core::apps::ServerApp;
use pingora_core::listeners::ListenerConfig;
use pingora_core::protocols::l4::stream::L4BufferSettings;
use pingora_core::server::configuration::ServerConf;
use pingora_core::server::{
    ListenFds, RunArgs, Server, ShutdownSignal, ShutdownSignalWatch, ShutdownWatch,
};
use pingora_core::services::Service;
use pingora_core::services::listening;
use rustls::ServerConfig;
use std::time::Duration;
use tokio_rustls::TlsAcceptor;

use super::Config;
use super::bound::{Bound, OpenListener};
use super::drain::Drain;
use super::gate::{Gate, Transport};
use super::handler::RequestHandler;
use super::http_connection::TimeLimits;
use super::redirect::Redirect;
use super::slots::{Limits, Slots};
use super::stop::Stop;
use crate::metrics::connections::ConnectionMetrics;
use crate::net::Networks;

/// Scrapers and probes are few. They have places of their own, so that a gateway with no place left
/// can still say so.
const OPS_CONNECTIONS: u32 = 64;

/// What the listening side is put together from.
#[derive(Debug)]
pub struct Parts<H, O> {
    /// Answers what comes in by HTTPS.
    pub handler: H,
    /// Answers what comes in at the address of health and metrics.
    pub ops: O,
    /// TLS: see [`tls::Tls`](super::tls::Tls).
    pub tls: Arc<ServerConfig>,
    /// Proxies before us: many clients come from one address there, so that the limit per address
    /// does not hold for them.
    pub trusted_proxies: Networks,
    /// What is counted.
    pub metrics: ConnectionMetrics,
    /// Begins when the gateway is told to stop.
    pub drain: Drain,
    /// Tells it to.
    pub stop: Stop,
}

/// How the gateway came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Everything in flight was finished.
    Drained,
    /// The time was up with so many connections still open.
    CutOff(usize),
    /// It was asked a second time.
    AtOnce,
}

/// Serves until told to stop. Blocks, and makes runtimes of its own: call it outside of any.
///
/// Each service has its own worker threads, so that health is still told when the gateway is busy;
/// what a handler holds must not depend on the runtime that its requests run in.
pub fn serve<H, O>(bound: Bound, config: &Config, parts: Parts<H, O>) -> Stopped
where
    H: RequestHandler,
    O: RequestHandler,
{
    let stopped = Arc::new(Mutex::new(Stopped::Drained));
    let shutdown = Shutdown {
        stop: tokio::sync::Mutex::new(parts.stop),
        drain: parts.drain.clone(),
        limit: config.drain_timeout,
        stopped: Arc::clone(&stopped),
    };
    let slots = Slots::new(
        Limits {
            total: config.max_connections,
            per_address: config.max_connections_per_address,
            shared_addresses: parts.trusted_proxies,
        },
        parts.metrics.open.clone(),
    );
    let build = Build {
        config,
        slots,
        drain: parts.drain,
        metrics: parts.metrics,
    };
    let mut server = Server::new_with_opt_and_conf(None, server_conf(config));
    server.add_service(build.https(bound.https, parts.handler, parts.tls));
    if !bound.redirect.is_empty() {
        server.add_service(build.redirect(bound.redirect));
    }
    if !bound.ops.is_empty() {
        server.add_service(build.ops(bound.ops, parts.ops));
    }
    server.run(RunArgs {
        shutdown_signal: Box::new(shutdown),
    });
    *stopped.lock()
}

fn server_conf(config: &Config) -> ServerConf {
    ServerConf {
        threads: config.threads.max(1),
        grace_period_seconds: Some(0),
        graceful_shutdown_timeout_seconds: Some(0),
        ..ServerConf::default()
    }
}

/// Makes the services.
struct Build<'a> {
    config: &'a Config,
    slots: Arc<Slots>,
    drain: Drain,
    metrics: ConnectionMetrics,
}

impl Build<'_> {
    fn https<H: RequestHandler>(
        &self,
        listeners: Vec<OpenListener>,
        handler: H,
        tls: Arc<ServerConfig>,
    ) -> Preopened<Gate<H>> {
        let transport = Transport::Tls {
            acceptor: TlsAcceptor::from(tls),
            handshake_timeout: self.config.handshake_timeout,
        };
        let gate = self.gate(handler, transport);
        self.service("https", listeners, gate)
    }

    fn redirect(&self, listeners: Vec<OpenListener>) -> Preopened<Gate<Redirect>> {
        let gate = self.gate(Redirect::to(&self.config.public_url), Transport::Plain);
        self.service("redirect", listeners, gate).on_one_thread()
    }

    /// Goes on while the others drain, and nobody waits for its connections.
    fn ops<O: RequestHandler>(
        &self,
        listeners: Vec<OpenListener>,
        handler: O,
    ) -> Preopened<Gate<O>> {
        let apart = Build {
            config: self.config,
            slots: Slots::new(
                Limits {
                    total: OPS_CONNECTIONS,
                    per_address: OPS_CONNECTIONS,
                    shared_addresses: Networks::default(),
                },
                // Not shown: what matters is what clients hold open.
                prometheus_client::metrics::gauge::Gauge::default(),
            ),
            drain: Drain::new(),
            metrics: self.metrics.clone(),
        };
        let gate = apart.gate(handler, Transport::Plain);
        apart.service("ops", listeners, gate).on_one_thread()
    }

    fn gate<H: RequestHandler>(&self, handler: H, transport: Transport) -> Gate<H> {
        Gate {
            handler: Arc::new(handler),
            transport,
            slots: Arc::clone(&self.slots),
            limits: TimeLimits {
                header: self.config.header_timeout,
                idle: self.config.idle_timeout,
                slow_heads: self.metrics.slow_heads.clone(),
            },
            drain: self.drain.clone(),
            metrics: self.metrics.clone(),
        }
    }

    fn service<A>(&self, name: &str, listeners: Vec<OpenListener>, app: A) -> Preopened<A>
    where
        A: ServerApp + Send + Sync + 'static,
    {
        let mut inner = listening::Service::new(name.to_owned(), app);
        for open in &listeners {
            // rustls and hyper have buffers of their own.
            let unbuffered = L4BufferSettings::unbuffered();
            let endpoint = ListenerConfig::tcp(open.address.to_string()).l4_buffer(unbuffered);
            inner.add_listener(endpoint);
        }
        Preopened {
            listeners,
            inner,
            shutdown: self.drain.watch(),
            _drain: self.drain.clone(),
        }
    }
}

/// A listening service on sockets that are bound already.
///
/// pingora looks for an inherited socket before it binds one, as for a hand-over between two
/// processes. Ours are put there, so that a port in use is an error that we report, not a panic in a
/// thread after 30 tries.
struct Preopened<A> {
    listeners: Vec<OpenListener>,
    inner: listening::Service<A>,
    shutdown: ShutdownWatch,
    /// The accept loops stop when the other end of `shutdown` is gone.
    _drain: Drain,
}

impl<A> Preopened<A> {
    fn on_one_thread(mut self) -> Self {
        self.inner.threads = Some(1);
        self
    }
}

#[async_trait]
impl<A: ServerApp + Send + Sync + 'static> Service for Preopened<A> {
    async fn start_service(
        &mut self,
        fds: Option<ListenFds>,
        _pingora_shutdown: ShutdownWatch,
        listeners_per_fd: usize,
    ) {
        if let Some(fds) = &fds {
            let mut table = fds.lock();
            for open in self.listeners.drain(..) {
                table.add(open.address.to_string(), open.listener.into_raw_fd());
            }
        }
        self.inner
            .start_service(fds, self.shutdown.clone(), listeners_per_fd)
            .await;
    }

    fn name(&self) -> &str {
        self.inner.name()
    }

    fn threads(&self) -> Option<usize> {
        self.inner.threads
    }
}

/// What pingora waits for.
struct Shutdown {
    stop: tokio::sync::Mutex<Stop>,
    drain: Drain,
    limit: Duration,
    stopped: Arc<Mutex<Stopped>>,
}

#[async_trait]
impl ShutdownSignalWatch for Shutdown {
    async fn recv(&self) -> ShutdownSignal {
        let mut stop = self.stop.lock().await;
        stop.asked().await;
        tracing::info!(
            connections = self.drain.open_connections(),
            "stopping: nothing new is taken, what is in flight may finish"
        );
        self.drain.begin();
        let stopped = tokio::select! {
            biased;
            () = stop.asked() => Stopped::AtOnce,
            left = self.drain.finished(self.limit) => match left {
                0 => Stopped::Drained,
                left => Stopped::CutOff(left),
            },
        };
        *self.stopped.lock() = stopped;
        // Nothing is left, or what is left is to be cut: no more waiting.
        ShutdownSignal::FastShutdown
    }
}

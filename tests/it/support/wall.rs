//! A TCP proxy that a test breaks and mends: the network between a store and its replica.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How the network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weather {
    /// Bytes pass.
    Fair,
    /// Connections are closed, old and new.
    Cut,
    /// Connections stay, but no byte passes.
    Silent,
}

/// A proxy in front of one address.
#[derive(Debug)]
pub(crate) struct Wall {
    address: SocketAddr,
    target: watch::Sender<SocketAddr>,
    weather: watch::Sender<Weather>,
}

impl Wall {
    /// A proxy in front of `target`, in fair weather. It ends with its value.
    pub(crate) async fn before(target: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (weather, forecast) = watch::channel(Weather::Fair);
        let (target, leads_to) = watch::channel(target);
        tokio::spawn(accept(listener, leads_to, forecast));
        Self {
            address,
            target,
            weather,
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Leads new connections to another address.
    pub(crate) fn lead_to(&self, target: SocketAddr) {
        self.target.send_replace(target);
    }

    /// Closes all connections, and from now on each new one at once.
    pub(crate) fn cut(&self) {
        self.weather.send_replace(Weather::Cut);
    }

    /// Keeps all connections, but lets nothing through, not even later.
    pub(crate) fn silence(&self) {
        self.weather.send_replace(Weather::Silent);
    }

    /// Lets new connections through again. Those that were cut or silenced stay lost.
    pub(crate) fn mend(&self) {
        self.weather.send_replace(Weather::Fair);
    }
}

async fn accept(
    listener: TcpListener,
    target: watch::Receiver<SocketAddr>,
    forecast: watch::Receiver<Weather>,
) {
    let mut over = forecast.clone();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (client, _) = accepted.unwrap();
                let target = *target.borrow();
                tokio::spawn(carry(client, target, forecast.clone()));
            }
            _gone = over.wait_for(|_| false) => return,
        }
    }
}

async fn carry(mut client: TcpStream, target: SocketAddr, mut forecast: watch::Receiver<Weather>) {
    let weather = *forecast.borrow_and_update();
    if weather == Weather::Fair {
        let Ok(mut server) = TcpStream::connect(target).await else {
            return;
        };
        let worse = tokio::select! {
            // The weather first: once it is bad, not one more byte passes.
            biased;
            worse = forecast.wait_for(|weather| *weather != Weather::Fair) => {
                worse.map(|worse| *worse).ok()
            }
            _closed = copy_bidirectional(&mut client, &mut server) => return,
        };
        if worse != Some(Weather::Silent) {
            return;
        }
        hold((client, server), forecast).await;
    } else if weather == Weather::Silent {
        hold(client, forecast).await;
    }
}

/// Keeps connections open and unread until the wall is cut or gone; mending does not bring them back.
async fn hold<T>(_connections: T, mut forecast: watch::Receiver<Weather>) {
    let _over = forecast
        .wait_for(|weather| *weather == Weather::Cut)
        .await
        .is_ok();
}

//! What a part says in its log, as an event to wait for.

use std::time::Duration;

use tokio::sync::watch;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

/// Counts what is logged on this thread, which is that of the test and of all its tasks.
pub(crate) struct Happenings {
    count: watch::Sender<usize>,
    _logging: DefaultGuard,
}

struct Counter(watch::Sender<usize>);

impl<S: Subscriber> Layer<S> for Counter {
    fn on_event(&self, _event: &Event<'_>, _context: Context<'_, S>) {
        self.0.send_modify(|count| *count += 1);
    }
}

impl Happenings {
    /// The longest wait for anything.
    pub(crate) const LIMIT: Duration = Duration::from_secs(10);

    pub(crate) fn watch() -> Self {
        let count = watch::Sender::default();
        let counter = Counter(count.clone()).with_filter(LevelFilter::INFO);
        let subscriber = tracing_subscriber::registry().with(counter);
        Self {
            count,
            _logging: tracing::subscriber::set_default(subscriber),
        }
    }

    pub(crate) fn receiver(&self) -> watch::Receiver<usize> {
        self.count.subscribe()
    }

    /// Waits until this many more have happened.
    pub(crate) async fn more(&self, number: usize) {
        let wanted = *self.count.borrow() + number;
        let mut counts = self.receiver();
        let happened = counts.wait_for(|count| *count >= wanted);
        let happened = tokio::time::timeout(Self::LIMIT, happened).await;
        happened.expect("something is logged").unwrap();
    }
}

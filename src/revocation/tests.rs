use std::task::Poll;

use futures_util::{FutureExt as _, poll};

use super::*;
use crate::clock::{Clock as _, ManualClock};

const KEEP: Duration = Duration::from_mins(16);
const STALE: Duration = Duration::from_secs(30);
const MILLISECOND: Duration = Duration::from_millis(1);
const START: Timestamp = Timestamp::from_seconds(1_000);

fn memory() -> (Arc<Revocations>, Arc<ManualClock>) {
    let clock = ManualClock::at(START);
    let config = Config {
        keep: KEEP,
        max_staleness: STALE,
    };
    (Revocations::new(config, clock.clone()), clock)
}

fn session() -> SessionId {
    SessionId::new(START)
}

fn ended(session: SessionId) -> Ended {
    Ended { session, at: START }
}

#[test]
fn a_session_stands_by_what_was_heard_and_when() {
    let (revocations, _clock) = memory();
    let (gone, other) = (session(), session());
    let check = |session, now, expected| {
        assert_eq!(
            revocations.check(session, now),
            expected,
            "{session:?} {now}"
        );
    };
    check(Some(other), START, Standing::Unknown);
    check(None, START, Standing::Live);
    revocations.note(ended(gone));
    check(Some(gone), START, Standing::Ended);

    revocations.heard_up_to(START);
    check(Some(other), START, Standing::Live);
    check(Some(other), START.plus(STALE), Standing::Live);
    check(
        Some(other),
        START.plus(STALE).plus(MILLISECOND),
        Standing::Unknown,
    );
    check(Some(other), START.minus(STALE), Standing::Live);
    check(
        Some(other),
        START.minus(STALE).minus(MILLISECOND),
        Standing::Unknown,
    );
    check(Some(gone), START.plus(STALE * 2), Standing::Ended);
    check(None, START.plus(STALE * 2), Standing::Live);
}

#[test]
fn an_end_is_remembered_as_long_as_its_tokens_live_and_no_longer() {
    let (revocations, clock) = memory();
    for _ in 0..1000 {
        revocations.note(ended(session()));
    }
    clock.advance(KEEP.saturating_sub(MILLISECOND));
    revocations.memory.forget_until(clock.now());
    assert_eq!(revocations.memory.sizes(), (1000, 0));
    clock.advance(MILLISECOND);
    revocations.memory.forget_until(clock.now());
    assert_eq!(revocations.memory.sizes(), (0, 0));
}

#[tokio::test]
async fn a_stream_ends_when_its_session_does() {
    let (revocations, _clock) = memory();
    let (one, other) = (session(), session());
    let mut first = Box::pin(revocations.ended(one));
    let mut second = Box::pin(revocations.ended(one));
    let mut elsewhere = Box::pin(revocations.ended(other));
    let unpolled = revocations.ended(one);
    assert_eq!(poll!(&mut first), Poll::Pending);
    assert_eq!(poll!(&mut second), Poll::Pending);
    assert_eq!(poll!(&mut elsewhere), Poll::Pending);

    revocations.note(ended(one));
    first.await;
    second.await;
    unpolled.await;
    assert_eq!(poll!(&mut elsewhere), Poll::Pending);
    assert_eq!(revocations.ended(one).now_or_never(), Some(()));
}

#[tokio::test]
async fn a_watch_that_is_over_leaves_nothing_behind() {
    let (revocations, _clock) = memory();
    let one = session();
    let mut first = Box::pin(revocations.ended(one));
    let second = revocations.ended(one);
    assert_eq!(poll!(&mut first), Poll::Pending);
    drop(second);
    assert_eq!(revocations.memory.sizes(), (0, 1));
    drop(first);
    assert_eq!(revocations.memory.sizes(), (0, 0));
}

#[tokio::test]
async fn who_waits_for_a_fresh_memory_waits_for_the_store() {
    let (revocations, clock) = memory();
    let mut fresh = Box::pin(revocations.wait_until_fresh());
    assert_eq!(poll!(&mut fresh), Poll::Pending);
    revocations.heard_up_to(clock.now());
    fresh.await;
    assert!(revocations.is_fresh());
    clock.advance(STALE * 2);
    assert!(!revocations.is_fresh());
}

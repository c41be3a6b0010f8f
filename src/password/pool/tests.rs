use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::super::tests::{bcrypt_hash, cheap};
use super::*;

fn right() -> SecretText {
    SecretText::from("correct horse")
}

fn new() -> NewPassword {
    NewPassword::unchecked("correct horse")
}

fn wrong() -> SecretText {
    SecretText::from("wrong horse")
}

fn pool(config: Config) -> Passwords {
    Passwords::new(config).unwrap()
}

/// Polls once: as far as a call gets without waiting.
fn first_step<F: Future>(call: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    call.poll(&mut Context::from_waker(Waker::noop()))
}

/// How many hashes a check computes, and what comes of it.
async fn cost(stored: Option<PasswordHash>, password: SecretText) -> (u64, Checked) {
    let pool = pool(cheap());
    let checked = pool.check(stored, password).await.unwrap();
    (pool.figures().computed, checked)
}

#[tokio::test(start_paused = true)]
async fn an_unknown_user_costs_what_a_wrong_password_costs() {
    let current = super::super::hash(&cheap(), &right()).unwrap();
    let endless = SecretText::new("x".repeat(rules::MAX_BYTES + 1));
    let unaffordable = PasswordHash::new(
        "$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
    );
    let one_wrong = (1, Checked::Wrong);
    assert_eq!(cost(Some(current.clone()), wrong()).await, one_wrong);
    assert_eq!(cost(None, wrong()).await, one_wrong);
    assert_eq!(cost(None, SecretText::from("")).await, one_wrong);
    assert_eq!(cost(None, endless.clone()).await, one_wrong);
    assert_eq!(cost(Some(current.clone()), endless).await, one_wrong);
    assert_eq!(cost(Some(current), right()).await, (1, Checked::Right));
    let (computed, checked) = cost(Some(unaffordable), wrong()).await;
    assert_eq!(
        (computed, checked),
        (1, Checked::Unverifiable(Unverifiable::TooCostly))
    );
}

#[tokio::test(start_paused = true)]
async fn no_refusal_is_told_sooner_than_another() {
    let refused = [
        None,
        Some(super::super::hash(&cheap(), &right()).unwrap()),
        Some(bcrypt_hash("correct horse", bcrypt::Version::TwoB)),
        Some(PasswordHash::new("of no known form")),
    ];
    for stored in refused {
        let pool = pool(cheap());
        let began = Instant::now();
        pool.check(stored, wrong()).await.unwrap();
        assert!(began.elapsed() >= WRONG_ANSWER_AFTER);
    }
}

/// A check of it takes half a second on a modest machine.
const DEAR: &str =
    "$pbkdf2-sha256$i=1000000$c29tZSBzYWx0IGJ5dGVzIQ$0kmu5ZvHpC60M6edcfok5KtLev7+ymm0q0karzMkp14";

async fn time_of_a_refusal(pool: &Passwords, stored: Option<PasswordHash>) -> Duration {
    let began = Instant::now();
    let checked = pool.check(stored, wrong()).await.unwrap();
    assert_eq!(checked, Checked::Wrong);
    began.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_dear_hash_slows_every_later_refusal_to_its_own_pace() {
    let pool = pool(cheap());
    let unknown_before = time_of_a_refusal(&pool, None).await;
    assert!(
        unknown_before < 2 * WRONG_ANSWER_AFTER,
        "{unknown_before:?}"
    );
    let dear = time_of_a_refusal(&pool, Some(PasswordHash::new(DEAR))).await;
    assert!(dear >= Duration::from_secs(1), "{dear:?}");
    let bcrypt = bcrypt_hash("correct horse", bcrypt::Version::TwoB);
    let current = super::super::hash(&cheap(), &right()).unwrap();
    for stored in [None, Some(bcrypt), Some(current)] {
        let later = time_of_a_refusal(&pool, stored).await;
        assert!(later >= Duration::from_secs(1), "{later:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_waits_without_a_place_in_the_pool() {
    let pool = pool(Config {
        max_concurrent: 1,
        max_waiting: 0,
        ..cheap()
    });
    let mut call = pin!(pool.check(None, wrong()));
    assert!(first_step(call.as_mut()).is_pending());
    while pool.0.places.available_permits() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(first_step(call.as_mut()).is_pending());
    assert!(pool.hash(new()).await.is_ok());
}

#[tokio::test]
async fn an_outdated_hash_is_upgraded_with_the_password_that_was_typed() {
    let bcrypt = bcrypt_hash("correct horse", bcrypt::Version::TwoA);
    let older = super::super::hash(
        &Config {
            iterations: 2,
            ..cheap()
        },
        &right(),
    )
    .unwrap();
    let scrypt = PasswordHash::new(
        "$scrypt$ln=4,r=8,p=1$c29tZSBzYWx0IGJ5dGVzIQ$0kmu5ZvHpC60M6edcfok5KtLev7+ymm0q0karzMkp14",
    );
    let pbkdf2 = PasswordHash::new(
        "pbkdf2_sha256$1000$textsalt$L2paXf88bcNNVhxUbgoZqNJ31ruJ5OUWKFwYRrt5Gr8=",
    );
    for stored in [bcrypt, older, scrypt, pbkdf2] {
        let pool = pool(cheap());
        let checked = pool.check(Some(stored), right()).await.unwrap();
        let Checked::RightButOutdated { upgraded } = checked else {
            panic!("{checked:?}");
        };
        assert_eq!(
            pool.check(Some(upgraded), right()).await,
            Ok(Checked::Right)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_at_once_are_few_at_a_time_and_the_surplus_is_told_at_once() {
    let pool = pool(Config {
        memory_kib: 1024,
        max_concurrent: 3,
        max_waiting: 5,
        max_wait: Duration::from_mins(10),
        ..cheap()
    });
    // The desks are taken, so that nobody leaves before all have come.
    let held = Arc::clone(&pool.0.desks)
        .acquire_many_owned(3)
        .await
        .unwrap();
    let mut calls: Vec<_> = (0..200)
        .map(|_| Box::pin(pool.check(None, wrong())))
        .collect();
    let steps: Vec<_> = calls
        .iter_mut()
        .map(|call| first_step(call.as_mut()))
        .collect();
    let busy = steps
        .iter()
        .filter(|step| **step == Poll::Ready(Err(Busy)))
        .count();
    // 3 + 5 places.
    assert_eq!(busy, 192);
    assert_eq!(pool.figures().computed, 0);
    drop(held);
    let waiting = calls
        .into_iter()
        .zip(steps)
        .filter(|(_, step)| step.is_pending());
    for answer in futures_util::future::join_all(waiting.map(|(call, _)| call)).await {
        assert_eq!(answer, Ok(Checked::Wrong));
    }
    assert_eq!(pool.figures().computed, 8);
    assert!(
        (1..=3).contains(&pool.figures().most_running),
        "{:?}",
        pool.figures()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_flood_from_many_threads_never_computes_more_than_it_may() {
    let config = Config {
        memory_kib: 512,
        max_concurrent: 2,
        max_waiting: 300,
        ..cheap()
    };
    let pool = pool(Config {
        max_wait: Duration::from_mins(10),
        ..config
    });
    let calls: Vec<_> = (0..200)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { pool.hash(new()).await })
        })
        .collect();
    for call in calls {
        assert!(call.await.unwrap().is_ok());
    }
    assert_eq!(pool.figures().computed, 200);
    assert!(pool.figures().most_running <= 2, "{:?}", pool.figures());
    assert_eq!(pool.figures().running, 0);
}

#[tokio::test]
async fn a_waiter_who_goes_away_frees_the_place() {
    let pool = pool(Config {
        max_concurrent: 1,
        max_waiting: 1,
        ..cheap()
    });
    let held = Arc::clone(&pool.0.desks).acquire_owned().await.unwrap();
    let _working = Arc::clone(&pool.0.places).acquire_owned().await.unwrap();
    {
        let mut waiter = pin!(pool.check(None, wrong()));
        assert!(first_step(waiter.as_mut()).is_pending());
        assert_eq!(pool.hash(new()).await, Err(Busy));
    }
    let mut next = pin!(pool.hash(new()));
    assert!(first_step(next.as_mut()).is_pending());
    drop(held);
    assert!(next.await.is_ok());
}

#[tokio::test]
async fn a_caller_who_goes_away_makes_no_room_while_the_hash_is_computed() {
    let pool = pool(Config {
        max_concurrent: 1,
        max_waiting: 0,
        ..cheap()
    });
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let seat = pool.seat().await.unwrap();
    {
        let mut call = pin!(pool.compute(seat, move |_| {
            wait.recv().or(Err(HashError::OutOfMemory))
        }));
        assert!(first_step(call.as_mut()).is_pending());
    }
    assert_eq!(pool.hash(new()).await, Err(Busy));
    go.send(()).unwrap();
    while pool.0.places.available_permits() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(pool.hash(new()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_the_longest_wait() {
    let pool = pool(Config {
        max_concurrent: 1,
        max_waiting: 1,
        ..cheap()
    });
    let _held = Arc::clone(&pool.0.desks).acquire_owned().await.unwrap();
    let began = Instant::now();
    assert_eq!(pool.hash(new()).await, Err(Busy));
    assert!(began.elapsed() >= pool.config().max_wait);
}

#[tokio::test]
async fn a_panic_frees_its_place() {
    let pool = pool(Config {
        max_concurrent: 1,
        max_waiting: 0,
        ..cheap()
    });
    let seat = pool.seat().await.unwrap();
    let stopped: Result<(), Busy> = pool.compute(seat, |_| panic!("as a test")).await;
    assert_eq!(stopped, Err(Busy));
    assert!(pool.hash(new()).await.is_ok());
}

#[test]
fn parameters_that_argon2_does_not_have_make_no_pool() {
    let wrong = Config {
        memory_kib: 7,
        ..cheap()
    };
    assert_eq!(Passwords::new(wrong).unwrap_err(), HashError::Parameters);
}

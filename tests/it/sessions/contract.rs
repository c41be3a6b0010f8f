//! The contract: one behaviour a function.

use super::*;

type Store = Arc<dyn SessionStore>;

const SECOND: Duration = Duration::from_secs(1);

fn ended(session: &Session, at: Timestamp) -> Ended {
    Ended {
        session: session.id,
        at,
    }
}

pub(super) async fn a_session_reads_back_as_it_was_stored(store: Store) {
    for (kind, persistence) in [
        (SessionKind::User, Persistence::Browser),
        (SessionKind::Admin, Persistence::Persistent),
    ] {
        for client in [ClientKind::Web, ClientKind::Native] {
            let mut session = new_session(user(), START);
            (session.kind, session.client) = (kind, client);
            session.persistence = persistence;
            session.subject.roles = [].into_iter().collect();
            store.create(&session, Epoch(0)).await.unwrap();
            assert_eq!(store.find(session.id, START).await.unwrap(), Some(session));
        }
    }
    let session = sign_in(&*store, user(), START).await;
    assert_eq!(store.find(session.id, START).await.unwrap(), Some(session));
    assert_eq!(
        store.find(SessionId::new(START), START).await.unwrap(),
        None
    );
}

pub(super) async fn the_newest_token_moves_the_session_on(store: Store) {
    let session = sign_in(&*store, user(), START).await;
    let mut now = START;
    for generation in 0..3 {
        now = now.plus(LIFETIME / 2);
        let next = moved_on(&session, generation + 1, now);
        let answer = refresh(&*store, session.id, (generation, now)).await;
        assert_eq!(answer, Refreshed::Rotated(next.clone()));
        assert_eq!(store.find(session.id, now).await.unwrap(), Some(next));
    }
    assert_eq!(whole_log(&*store).await, []);
}

pub(super) async fn the_parent_gets_the_same_generation_back_within_the_grace(store: Store) {
    let session = sign_in(&*store, user(), START).await;
    let next = moved_on(&session, 1, START);
    refresh(&*store, session.id, (0, START)).await;
    // An earlier time comes from a replica whose clock is behind.
    for now in [
        START,
        START.plus(SECOND),
        START.plus(GRACE),
        START.minus(SECOND),
    ] {
        let answer = refresh(&*store, session.id, (0, now)).await;
        assert_eq!(answer, Refreshed::Repeated(next.clone()), "{now}");
    }
    assert_eq!(store.find(session.id, START).await.unwrap(), Some(next));
}

pub(super) async fn the_parent_after_the_grace_ends_the_session(store: Store) {
    let session = sign_in(&*store, user(), START).await;
    let next = moved_on(&session, 1, START);
    refresh(&*store, session.id, (0, START)).await;
    let late = START.plus(GRACE).plus(MILLISECOND);
    assert_eq!(
        refresh(&*store, session.id, (0, late)).await,
        Refreshed::Reused(next)
    );
    assert_eq!(whole_log(&*store).await, [ended(&session, late)]);
    assert_eq!(store.find(session.id, late).await.unwrap(), None);
    assert_eq!(
        refresh(&*store, session.id, (1, late)).await,
        Refreshed::Gone
    );
    assert_eq!(store.of_user(session.subject.user, late).await.unwrap(), []);
}

pub(super) async fn an_older_token_ends_the_session_even_within_the_grace(store: Store) {
    let session = sign_in(&*store, user(), START).await;
    refresh(&*store, session.id, (0, START)).await;
    refresh(&*store, session.id, (1, START)).await;
    let next = moved_on(&session, 2, START);
    assert_eq!(
        refresh(&*store, session.id, (0, START)).await,
        Refreshed::Reused(next)
    );
    assert_eq!(whole_log(&*store).await, [ended(&session, START)]);
    assert_eq!(
        refresh(&*store, session.id, (2, START)).await,
        Refreshed::Gone
    );
}

pub(super) async fn a_generation_that_the_store_lost_is_taken_as_the_newest(store: Store) {
    let session = sign_in(&*store, user(), START).await;
    let answer = refresh(&*store, session.id, (7, START)).await;
    assert_eq!(answer, Refreshed::Rotated(moved_on(&session, 8, START)));
    let answer = refresh(&*store, session.id, (6, START)).await;
    assert!(matches!(answer, Refreshed::Reused(_)), "{answer:?}");
}

pub(super) async fn the_last_generation_of_all_can_still_be_refreshed(store: Store) {
    let session = sign_in(&*store, user(), START).await;
    for shown in [u32::MAX - 1, u32::MAX, u32::MAX] {
        let answer = refresh(&*store, session.id, (shown, START)).await;
        assert_eq!(
            answer,
            Refreshed::Rotated(moved_on(&session, u32::MAX, START))
        );
    }
}

pub(super) async fn a_session_that_ran_out_is_gone(store: Store) {
    let session = sign_in(&*store, user(), START).await;
    let (last, over) = (session.expires_at.minus(MILLISECOND), session.expires_at);
    assert_eq!(
        store.find(session.id, last).await.unwrap().as_ref(),
        Some(&session)
    );
    assert_eq!(
        store
            .of_user(session.subject.user, last)
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(store.find(session.id, over).await.unwrap(), None);
    assert_eq!(store.of_user(session.subject.user, over).await.unwrap(), []);
    assert_eq!(
        refresh(&*store, session.id, (0, over)).await,
        Refreshed::Gone
    );
}

pub(super) async fn a_session_that_ran_out_needs_no_ending(store: Store) {
    let session = sign_in(&*store, user(), START).await;
    let over = session.expires_at;
    assert_eq!(store.end(session.id, over).await.unwrap(), None);
    assert_eq!(store.end_all(session.subject.user, over).await.unwrap(), []);
    assert_eq!(whole_log(&*store).await, []);
}

pub(super) async fn a_refresh_prolongs_the_session(store: Store) {
    let session = sign_in(&*store, user(), START).await;
    let later = START.plus(LIFETIME / 2);
    refresh(&*store, session.id, (0, later)).await;
    let last = later.plus(LIFETIME).minus(MILLISECOND);
    assert!(store.find(session.id, last).await.unwrap().is_some());
    assert_eq!(
        store
            .of_user(session.subject.user, last)
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        store.end_all(session.subject.user, last).await.unwrap(),
        [session.id]
    );
}

pub(super) async fn no_refresh_prolongs_a_session_beyond_its_end(store: Store) {
    let session = sign_in(&*store, user(), START).await;
    let mut now = START;
    for generation in 0..4 {
        now = now.plus(LIFETIME / 2);
        let next = moved_on(&session, generation + 1, now);
        let answer = refresh(&*store, session.id, (generation, now)).await;
        assert_eq!(answer, Refreshed::Rotated(next));
    }
    let last = now.plus(LIFETIME / 2).minus(MILLISECOND);
    let next = moved_on(&session, 5, last);
    assert_eq!(next.expires_at, session.ends_at);
    let answer = refresh(&*store, session.id, (4, last)).await;
    assert_eq!(answer, Refreshed::Rotated(next));
    let over = session.ends_at;
    assert_eq!(
        refresh(&*store, session.id, (5, over)).await,
        Refreshed::Gone
    );
    assert_eq!(store.find(session.id, over).await.unwrap(), None);
    assert_eq!(store.of_user(session.subject.user, over).await.unwrap(), []);
}

pub(super) async fn an_ended_session_is_gone_and_stands_in_the_log(store: Store) {
    let session = sign_in(&*store, user(), START).await;
    assert_eq!(
        store.end(session.id, START).await.unwrap().as_ref(),
        Some(&session)
    );
    assert_eq!(store.end(session.id, START).await.unwrap(), None);
    assert_eq!(store.find(session.id, START).await.unwrap(), None);
    assert_eq!(
        refresh(&*store, session.id, (0, START)).await,
        Refreshed::Gone
    );
    assert_eq!(
        store.of_user(session.subject.user, START).await.unwrap(),
        []
    );
    assert_eq!(whole_log(&*store).await, [ended(&session, START)]);
}

pub(super) async fn the_end_of_what_is_kept_elsewhere_stands_in_the_log(store: Store) {
    let session = sign_in(&*store, user(), START).await;
    let elsewhere = SessionId::new(START);
    let log = store.log_start(START).await.unwrap();
    let (heard, announced) = tokio::join!(
        store.ended_after(&log, Duration::from_secs(10)),
        store.announce_end(elsewhere, START),
    );
    announced.unwrap();
    let told = Ended {
        session: elsewhere,
        at: START,
    };
    assert_eq!(heard.unwrap().ended, [told]);
    assert_eq!(whole_log(&*store).await, [told]);
    let found = store.find(session.id, START).await.unwrap();
    assert_eq!(found, Some(session));
}

pub(super) async fn ending_all_ends_every_session_of_a_user(store: Store) {
    let ann = user();
    let mut of_ann = Vec::new();
    for _ in 0..3 {
        of_ann.push(sign_in(&*store, ann, START).await.id);
    }
    of_ann.sort();
    let mut ended = store.end_all(ann, START).await.unwrap();
    ended.sort();
    assert_eq!(ended, of_ann);
    let mut log: Vec<_> = whole_log(&*store)
        .await
        .iter()
        .map(|ended| ended.session)
        .collect();
    log.sort();
    assert_eq!(log, of_ann);
    for id in of_ann {
        assert_eq!(refresh(&*store, id, (0, START)).await, Refreshed::Gone);
    }
}

pub(super) async fn ending_the_others_keeps_one_and_refuses_what_was_under_way(store: Store) {
    let ann = user();
    let keep = sign_in(&*store, ann, START).await;
    let other = sign_in(&*store, ann, START).await;
    let read_before = store.epoch(ann).await.unwrap();
    let ended = store.end_others(ann, keep.id, START).await.unwrap();
    assert_eq!(ended, [other.id]);
    assert_eq!(
        store.of_user(ann, START).await.unwrap(),
        std::slice::from_ref(&keep)
    );
    let late = new_session(ann, START);
    let created = store.create(&late, read_before).await.unwrap();
    assert_eq!(created, Created::Superseded);
    let refreshed = refresh(&*store, keep.id, (0, START)).await;
    assert!(matches!(refreshed, Refreshed::Rotated(_)), "{refreshed:?}");
    assert_eq!(store.end_all(ann, START).await.unwrap(), [keep.id]);
}

pub(super) async fn ending_all_leaves_other_users_alone(store: Store) {
    let (ann, bob) = (user(), user());
    sign_in(&*store, ann, START).await;
    let of_bob = sign_in(&*store, bob, START).await;
    assert_eq!(store.end_all(ann, START).await.unwrap().len(), 1);
    assert_eq!(store.of_user(ann, START).await.unwrap(), []);
    assert_eq!(store.of_user(bob, START).await.unwrap(), [of_bob]);
    assert_eq!(store.end_all(ann, START).await.unwrap(), []);
}

pub(super) async fn a_session_founded_before_all_were_ended_is_not_made(store: Store) {
    let (ann, bob) = (user(), user());
    let read_before = store.epoch(ann).await.unwrap();
    store.end_all(ann, START).await.unwrap();
    let session = new_session(ann, START);
    assert_eq!(
        store.create(&session, read_before).await.unwrap(),
        Created::Superseded
    );
    assert_eq!(store.find(session.id, START).await.unwrap(), None);
    assert_eq!(store.of_user(ann, START).await.unwrap(), []);
    let read_after = store.epoch(ann).await.unwrap();
    assert_ne!(read_after, read_before);
    assert_eq!(
        store.create(&session, read_after).await.unwrap(),
        Created::Stored
    );
    assert_eq!(store.epoch(bob).await.unwrap(), read_before);
}

pub(super) async fn the_sessions_of_a_user_come_newest_first(store: Store) {
    let ann = user();
    let mut expected = Vec::new();
    for minute in [3, 1, 2] {
        let now = START.plus(Duration::from_mins(minute));
        expected.push(sign_in(&*store, ann, now).await);
        sign_in(&*store, user(), now).await;
    }
    expected.sort_by_key(|session| std::cmp::Reverse(session.created_at));
    assert_eq!(store.of_user(ann, START).await.unwrap(), expected);
}

pub(super) async fn the_users_who_have_sessions_come_once_each(store: Store) {
    assert_eq!(store.users(START).await.unwrap(), []);
    let mut expected = Vec::new();
    for _ in 0..30 {
        let user = user();
        for _ in 0..3 {
            sign_in(&*store, user, START).await;
        }
        expected.push(user);
    }
    let gone = sign_in(&*store, user(), START).await.subject.user;
    store.end_all(gone, START).await.unwrap();
    let mut users = store.users(START).await.unwrap();
    users.sort();
    expected.sort();
    assert_eq!(users, expected);
}

pub(super) async fn fifty_refreshes_at_once_rotate_once(store: Store) {
    let session = sign_in(&*store, user(), START).await;
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let (store, id) = (Arc::clone(&store), session.id);
            tokio::spawn(async move { refresh(&*store, id, (0, START)).await })
        })
        .collect();
    let (mut rotated, mut repeated) = (0, 0);
    for task in tasks {
        match task.await.unwrap() {
            Refreshed::Rotated(next) => {
                assert_eq!(next, moved_on(&session, 1, START));
                rotated += 1;
            }
            Refreshed::Repeated(next) => {
                assert_eq!(next, moved_on(&session, 1, START));
                repeated += 1;
            }
            lost @ (Refreshed::Reused(_) | Refreshed::Gone) => panic!("{lost:?}"),
        }
    }
    assert_eq!((rotated, repeated), (1, 49));
}

pub(super) async fn a_new_subject_is_seen_by_the_next_refresh(store: Store) {
    let session = sign_in(&*store, user(), START).await;
    let subject = Subject {
        user: session.subject.user,
        email: Email::parse("new@example.com").unwrap(),
        roles: [Role::parse("reader").unwrap()].into_iter().collect(),
    };
    store.update_subject(session.id, &subject).await.unwrap();
    let expected = Session {
        subject: subject.clone(),
        ..moved_on(&session, 1, START)
    };
    let answer = refresh(&*store, session.id, (0, START)).await;
    assert_eq!(answer, Refreshed::Rotated(expected));

    store.end(session.id, START).await.unwrap();
    store.update_subject(session.id, &subject).await.unwrap();
    assert_eq!(store.find(session.id, START).await.unwrap(), None);
    assert_eq!(store.of_user(subject.user, START).await.unwrap(), []);
}

pub(super) async fn the_log_is_read_on_from_a_place(store: Store) {
    let start = store.log_start(START).await.unwrap();
    let first = sign_in(&*store, user(), START).await;
    store.end(first.id, START).await.unwrap();
    let page = store.ended_after(&start, SECOND).await.unwrap();
    assert_eq!(page.ended, [ended(&first, START)]);

    let later = START.plus(SECOND);
    let (second, third) = (
        sign_in(&*store, user(), START).await,
        sign_in(&*store, user(), START).await,
    );
    store.end(second.id, later).await.unwrap();
    store.end(third.id, later).await.unwrap();
    let rest = [ended(&second, later), ended(&third, later)];
    assert_eq!(log_after(&*store, page.next).await, rest);
    // A start may lie before what was asked for, but never behind it.
    let since = log_after(&*store, store.log_start(later).await.unwrap()).await;
    assert!(since.ends_with(&rest), "{since:?}");
}

pub(super) async fn a_long_log_comes_in_pages(store: Store) {
    let ann = user();
    let epoch = store.epoch(ann).await.unwrap();
    let sessions: Vec<_> = (0..2500).map(|_| new_session(ann, START)).collect();
    for batch in sessions.chunks(50) {
        let stored = batch.iter().map(|session| store.create(session, epoch));
        futures_util::future::try_join_all(stored).await.unwrap();
    }
    let mut all = store.end_all(ann, START).await.unwrap();
    assert_eq!(all.len(), 2500);
    let mut log: Vec<_> = whole_log(&*store)
        .await
        .iter()
        .map(|ended| ended.session)
        .collect();
    all.sort();
    log.sort();
    assert_eq!(log, all);
}

pub(super) async fn a_reader_is_woken_by_an_end(store: Store) {
    let session = sign_in(&*store, user(), START).await;
    let start = store.log_start(START).await.unwrap();
    let patience = Duration::from_mins(1);
    let (page, _) = tokio::join!(store.ended_after(&start, patience), async {
        tokio::task::yield_now().await;
        store.end(session.id, START).await.unwrap()
    });
    assert_eq!(page.unwrap().ended, [ended(&session, START)]);
}

pub(super) async fn a_reader_without_news_gets_an_empty_page(store: Store) {
    let start = store.log_start(START).await.unwrap();
    for patience in [Duration::ZERO, MILLISECOND] {
        let page = store.ended_after(&start, patience).await.unwrap();
        assert!(page.ended.is_empty() && !page.more, "{page:?}");
    }
}

pub(super) async fn clearing_away_takes_nothing_that_may_be_asked_for(store: Store) {
    let over = sign_in(&*store, user(), START).await;
    let later = START.plus(SECOND);
    let alive = sign_in(&*store, user(), later).await;
    let gone = sign_in(&*store, user(), START).await;
    store.end(gone.id, START).await.unwrap();
    store
        .clear_expired(over.expires_at, LIFETIME * 2)
        .await
        .unwrap();
    assert_eq!(whole_log(&*store).await, [ended(&gone, START)]);
    assert_eq!(store.find(alive.id, later).await.unwrap(), Some(alive));
    assert_eq!(store.find(over.id, over.expires_at).await.unwrap(), None);
}

pub(super) async fn a_place_in_the_log_outlives_its_entry(store: Store) {
    let gone = sign_in(&*store, user(), START).await;
    store.end(gone.id, START).await.unwrap();
    let place = store.log_start(START).await.unwrap();
    let place = store
        .ended_after(&place, Duration::ZERO)
        .await
        .unwrap()
        .next;
    let later = START.plus(SECOND);
    // Redis goes by its own clock, of which a millisecond has to pass.
    while !whole_log(&*store).await.is_empty() {
        store.clear_expired(later, Duration::ZERO).await.unwrap();
    }
    let next = sign_in(&*store, user(), START).await;
    store.end(next.id, later).await.unwrap();
    assert_eq!(log_after(&*store, place).await, [ended(&next, later)]);
}

pub(super) async fn the_store_gives_a_sign_of_life(store: Store) {
    store.ping().await.unwrap();
}

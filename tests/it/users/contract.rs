//! What every user store must do, whichever it is.

use doorward::users::StoredUser;

use super::*;

/// Runs all of it on an empty store whose clock is `clock`.
pub(crate) async fn users_contract(store: Arc<dyn UserStore>, clock: &ManualClock) {
    let store = &*store;
    store.ping().await.unwrap();
    a_user_is_found_by_every_name_as_it_was_stored(store).await;
    a_user_who_is_not_there_is_not_found(store).await;
    a_user_need_have_neither_name_nor_password(store).await;
    two_users_share_neither_id_nor_address_nor_name(store).await;
    every_change_is_stored_and_dates_the_account(store, clock).await;
    a_rehash_replaces_only_the_hash_that_was_checked(store, clock).await;
    of_many_inserts_at_once_one_wins(store).await;
    of_many_rehashes_at_once_one_wins(store).await;
    updates_contract(store, clock).await;
    a_removed_user_leaves_the_names_free(store).await;
    pages_are_in_order_and_count_all(store, clock).await;
    a_search_takes_its_text_as_it_stands(store, clock).await;
    users_are_listed_by_role_and_status(store).await;
}

async fn updates_contract(store: &dyn UserStore, clock: &ManualClock) {
    an_update_changes_all_that_it_names_and_nothing_else(store, clock).await;
    an_update_of_what_others_have_changed_is_refused(store).await;
    an_update_takes_no_name_of_another(store).await;
    of_many_updates_at_once_none_is_lost(store).await;
}

fn hash(text: &str) -> PasswordHash {
    PasswordHash::new(text)
}

fn roles(names: &[&str]) -> Roles {
    names
        .iter()
        .map(|name| Role::parse(name).unwrap())
        .collect()
}

fn object(json: &str) -> JsonObject {
    serde_json::from_str(json).unwrap()
}

fn full_user(email: &str, username: &str) -> NewUser {
    NewUser {
        username: Some(Username::parse(username).unwrap()),
        password: Some(hash("$argon2id$…")),
        roles: roles(&["editor", "admin"]),
        status: AccountStatus::Enabled,
        email_status: EmailStatus::Verified,
        profile: object(r#"{"name": "Zoë \"Z\" 'DROP", "age": 1.5, "tags": [null, true]}"#),
        metadata: object(r#"{"source": {"kind": "import"}}"#),
        ..new_user(email)
    }
}

async fn stored(store: &dyn UserStore, text: &str) -> Option<StoredUser> {
    store.by_login(&login(text)).await.unwrap()
}

async fn a_user_is_found_by_every_name_as_it_was_stored(store: &dyn UserStore) {
    let new = full_user("zoe@example.com", "zoë");
    let user = store.insert(new.clone()).await.unwrap();
    let expected = User {
        id: new.id,
        email: new.email,
        username: new.username,
        roles: new.roles,
        email_status: EmailStatus::Verified,
        status: AccountStatus::Enabled,
        profile: new.profile,
        metadata: new.metadata,
        created_at: START,
        updated_at: START,
        revision: Revision::FIRST,
    };
    assert_eq!(user, expected);
    assert_eq!(
        store.by_id(user.id).await.unwrap().as_ref(),
        Some(&expected)
    );
    for name in ["Zoe@Example.com", "ZOË"] {
        let found = stored(store, name).await.unwrap();
        assert_eq!(
            (found.user, found.password),
            (expected.clone(), new.password.clone())
        );
    }
}

async fn a_user_who_is_not_there_is_not_found(store: &dyn UserStore) {
    // A name is no address, and no pattern.
    for name in ["nobody@example.com", "zo", "nobody", "zo_"] {
        assert!(stored(store, name).await.is_none(), "{name}");
    }
    assert!(store.by_id(UserId::new(START)).await.unwrap().is_none());
}

async fn a_user_need_have_neither_name_nor_password(store: &dyn UserStore) {
    let plain = store.insert(new_user("plain@example.com")).await.unwrap();
    assert!(
        stored(store, "plain@example.com")
            .await
            .unwrap()
            .password
            .is_none()
    );
    assert_eq!(store.by_id(plain.id).await.unwrap(), Some(plain));
}

async fn two_users_share_neither_id_nor_address_nor_name(store: &dyn UserStore) {
    let first = store
        .insert(full_user("first@example.com", "first"))
        .await
        .unwrap();
    let mail = store.insert(full_user("first@example.com", "second")).await;
    assert!(matches!(mail, Err(InsertError::EmailTaken)), "{mail:?}");
    let name = store.insert(full_user("second@example.com", "first")).await;
    assert!(matches!(name, Err(InsertError::UsernameTaken)), "{name:?}");
    let mut same_id = full_user("second@example.com", "second");
    same_id.id = first.id;
    let id = store.insert(same_id).await;
    assert!(matches!(id, Err(InsertError::IdTaken)), "{id:?}");
    assert!(stored(store, "second").await.is_none());
    assert_eq!(store.by_id(first.id).await.unwrap(), Some(first));
}

async fn every_change_is_stored_and_dates_the_account(store: &dyn UserStore, clock: &ManualClock) {
    let mut expected = store.insert(new_user("change@example.com")).await.unwrap();
    let each = [
        UserChange::Roles(roles(&["admin"])),
        UserChange::Status(AccountStatus::Disabled),
        UserChange::EmailStatus(EmailStatus::Verified),
        UserChange::Profile(object(r#"{"name": "new"}"#)),
        UserChange::Password(hash("$2b$…")),
        UserChange::Status(AccountStatus::Enabled),
        UserChange::EmailStatus(EmailStatus::Unverified),
        UserChange::Roles(Roles::default()),
    ];
    for change in each {
        clock.advance(Duration::from_millis(1));
        expected.updated_at = doorward::clock::Clock::now(clock);
        match &change {
            UserChange::Roles(roles) => expected.roles = roles.clone(),
            UserChange::Status(status) => expected.status = *status,
            UserChange::EmailStatus(status) => expected.email_status = *status,
            UserChange::Profile(profile) => expected.profile = profile.clone(),
            UserChange::Password(_) | UserChange::Rehash { .. } => {}
        }
        expected.revision = expected.revision.next();
        let nobody = store
            .change(UserId::new(START), change.clone())
            .await
            .unwrap();
        assert_eq!(nobody, None);
        let changed = store.change(expected.id, change).await.unwrap();
        assert_eq!(changed.as_ref(), Some(&expected));
        assert_eq!(
            store.by_id(expected.id).await.unwrap().as_ref(),
            Some(&expected)
        );
    }
    let found = stored(store, "change@example.com").await.unwrap();
    assert_eq!(found.password, Some(hash("$2b$…")));
}

async fn a_rehash_replaces_only_the_hash_that_was_checked(
    store: &dyn UserStore,
    clock: &ManualClock,
) {
    let mut new = new_user("rehash@example.com");
    new.password = Some(hash("old"));
    let user = store.insert(new).await.unwrap();
    clock.advance(Duration::from_secs(1));
    let rehash = |from: &str, to: &str| UserChange::Rehash {
        from: hash(from),
        to: hash(to),
    };
    let upgraded = store
        .change(user.id, rehash("old", "upgraded"))
        .await
        .unwrap();
    assert_eq!(
        upgraded,
        Some(user.clone()),
        "the account itself does not change"
    );
    // The user has set another password between check and upgrade.
    store
        .change(user.id, UserChange::Password(hash("chosen")))
        .await
        .unwrap();
    let late = store
        .change(user.id, rehash("upgraded", "late"))
        .await
        .unwrap();
    assert_eq!(late, None);
    let found = stored(store, "rehash@example.com").await.unwrap();
    assert_eq!(found.password, Some(hash("chosen")));
    let without = store.insert(new_user("without@example.com")).await.unwrap();
    assert_eq!(
        store.change(without.id, rehash("", "given")).await.unwrap(),
        None
    );
}

async fn of_many_inserts_at_once_one_wins(store: &dyn UserStore) {
    let inserts = (0..20).map(|_| store.insert(new_user("race@example.com")));
    let results = futures_util::future::join_all(inserts).await;
    let won = results.iter().filter(|result| result.is_ok()).count();
    let taken = |result: &&Result<_, _>| matches!(result, Err(InsertError::EmailTaken));
    assert_eq!((won, results.iter().filter(taken).count()), (1, 19));
}

async fn of_many_rehashes_at_once_one_wins(store: &dyn UserStore) {
    let mut new = new_user("rehash-race@example.com");
    new.password = Some(hash("old"));
    let user = store.insert(new).await.unwrap();
    let rehashes = (0..20).map(|number| {
        let to = hash(&format!("new {number}"));
        store.change(
            user.id,
            UserChange::Rehash {
                from: hash("old"),
                to,
            },
        )
    });
    let results = futures_util::future::join_all(rehashes).await;
    let won = results
        .iter()
        .filter(|result| matches!(result, Ok(Some(_))))
        .count();
    assert_eq!(won, 1);
}

async fn an_update_changes_all_that_it_names_and_nothing_else(
    store: &dyn UserStore,
    clock: &ManualClock,
) {
    let new = full_user("update@example.com", "update");
    let user = store.insert(new.clone()).await.unwrap();
    clock.advance(Duration::from_millis(1));
    let update = UserUpdate {
        expected: Some(user.revision),
        email: Some(Email::parse("updated@example.com").unwrap()),
        username: Some(None),
        metadata: Some(object(r#"{"plan": 2}"#)),
        ..UserUpdate::default()
    };
    let updated = store.update(user.id, update).await.unwrap();
    let expected = User {
        email: Email::parse("updated@example.com").unwrap(),
        username: None,
        metadata: object(r#"{"plan": 2}"#),
        updated_at: doorward::clock::Clock::now(clock),
        revision: user.revision.next(),
        ..user.clone()
    };
    assert_eq!(updated, expected);
    let found = stored(store, "updated@example.com").await.unwrap();
    assert_eq!((found.user, found.password), (expected, new.password));
    assert!(stored(store, "update@example.com").await.is_none());
    let closing = UserUpdate {
        password: Some(Some(hash("other"))),
        roles: Some(Roles::default()),
        status: Some(AccountStatus::Disabled),
        email_status: Some(EmailStatus::Unverified),
        profile: Some(JsonObject::new()),
        ..UserUpdate::default()
    };
    let closed = store.update(user.id, closing).await.unwrap();
    assert!(closed.roles.is_empty() && closed.profile.is_empty());
    assert_eq!(closed.status, AccountStatus::Disabled);
    assert_eq!(closed.email_status, EmailStatus::Unverified);
    let found = stored(store, "updated@example.com").await.unwrap();
    assert_eq!((found.user, found.password), (closed, Some(hash("other"))));
    an_update_takes_a_password_away(store, user.id).await;
}

async fn an_update_takes_a_password_away(store: &dyn UserStore, user: UserId) {
    let without = UserUpdate {
        password: Some(None),
        ..UserUpdate::default()
    };
    store.update(user, without).await.unwrap();
    let found = stored(store, "updated@example.com").await.unwrap();
    assert_eq!(found.password, None);
}

async fn an_update_of_what_others_have_changed_is_refused(store: &dyn UserStore) {
    let user = store
        .insert(new_user("outdated@example.com"))
        .await
        .unwrap();
    let verify = UserChange::EmailStatus(EmailStatus::Verified);
    let changed = store.change(user.id, verify).await.unwrap().unwrap();
    let update = |expected| UserUpdate {
        expected: Some(expected),
        roles: Some(roles(&["admin"])),
        ..UserUpdate::default()
    };
    let refused = store.update(user.id, update(user.revision)).await;
    assert!(matches!(refused, Err(UpdateError::Outdated)), "{refused:?}");
    assert_eq!(store.by_id(user.id).await.unwrap(), Some(changed.clone()));
    assert!(
        store
            .update(user.id, update(changed.revision))
            .await
            .is_ok()
    );
    let nobody = store
        .update(UserId::new(START), update(user.revision))
        .await;
    assert!(matches!(nobody, Err(UpdateError::NoSuchUser)), "{nobody:?}");
}

async fn an_update_takes_no_name_of_another(store: &dyn UserStore) {
    store
        .insert(full_user("holder@example.com", "holder"))
        .await
        .unwrap();
    let user = store.insert(new_user("taker@example.com")).await.unwrap();
    let email = UserUpdate {
        email: Some(Email::parse("holder@example.com").unwrap()),
        ..UserUpdate::default()
    };
    let taken = store.update(user.id, email).await;
    assert!(matches!(taken, Err(UpdateError::EmailTaken)), "{taken:?}");
    let username = UserUpdate {
        username: Some(Some(Username::parse("holder").unwrap())),
        ..UserUpdate::default()
    };
    let taken = store.update(user.id, username).await;
    assert!(
        matches!(taken, Err(UpdateError::UsernameTaken)),
        "{taken:?}"
    );
    assert_eq!(store.by_id(user.id).await.unwrap(), Some(user));
}

async fn of_many_updates_at_once_none_is_lost(store: &dyn UserStore) {
    let user = store.insert(new_user("many@example.com")).await.unwrap();
    let updates = (0..8).map(|number| {
        store.update(
            user.id,
            UserUpdate {
                metadata: Some(object(&format!(r#"{{"number": {number}}}"#))),
                ..UserUpdate::default()
            },
        )
    });
    let results = futures_util::future::join_all(updates).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let last = store.by_id(user.id).await.unwrap().unwrap();
    assert_eq!(last.revision.number(), user.revision.number() + 8);
}

async fn a_removed_user_leaves_the_names_free(store: &dyn UserStore) {
    let user = store
        .insert(full_user("gone@example.com", "gone"))
        .await
        .unwrap();
    assert!(store.remove(user.id).await.unwrap());
    assert!(!store.remove(user.id).await.unwrap());
    assert!(stored(store, "gone").await.is_none());
    store
        .insert(full_user("gone@example.com", "gone"))
        .await
        .unwrap();
}

async fn search(store: &dyn UserStore, text: &str, limit: u32, offset: u32) -> UserPage {
    let search = text.to_owned();
    store
        .list(&UserQuery {
            search,
            limit,
            offset,
            ..UserQuery::default()
        })
        .await
        .unwrap()
}

async fn pages_are_in_order_and_count_all(store: &dyn UserStore, clock: &ManualClock) {
    let mut ids = Vec::new();
    for number in 0..5 {
        clock.advance(Duration::from_millis(1));
        let user = store
            .insert(new_user(&format!("page-{number}@pages.example")))
            .await
            .unwrap();
        ids.push(user.id);
    }
    let check = async |limit: u32, offset: u32, expected: &[UserId]| {
        let page = search(store, "pages.example", limit, offset).await;
        let found: Vec<_> = page.users.iter().map(|user| user.id).collect();
        assert_eq!(
            (found.as_slice(), page.total),
            (expected, 5),
            "{limit} {offset}"
        );
    };
    check(10, 0, &ids).await;
    check(2, 0, &ids[..2]).await;
    check(2, 4, &ids[4..]).await;
    check(2, 5, &[]).await;
    check(0, 0, &[]).await;
    let all = search(store, " ", 1000, 0).await;
    assert_eq!(all.total, all.users.len() as u64);
    assert!(all.total > 5);
}

async fn a_search_takes_its_text_as_it_stands(store: &dyn UserStore, clock: &ManualClock) {
    clock.advance(Duration::from_hours(1));
    let mut new = full_user("50%_off\\sale@search.example", "sale.search");
    new.id = UserId::new(doorward::clock::Clock::now(clock));
    let sale = store.insert(new).await.unwrap();
    store
        .insert(new_user("500-off-sale@search.example"))
        .await
        .unwrap();
    let id = sale.id.to_string();
    let (start, _) = id.split_at(8);
    let (too_short, _) = id.split_at(7);
    let (_, not_the_start) = id.split_at(1);
    let upper = id.to_uppercase();
    let searches = [
        ("search.example", 2),
        ("SEARCH.Example ", 2),
        ("50%", 1),
        ("%_off", 1),
        ("\\sale", 1),
        ("le.sear", 1),
        ("a_b_c", 0),
        ("' OR 1=1 --", 0),
        (&id, 1),
        (&upper, 1),
        (start, 1),
        (too_short, 0),
        (not_the_start, 0),
    ];
    for (text, expected) in searches {
        assert_eq!(search(store, text, 10, 0).await.total, expected, "{text:?}");
    }
}

async fn users_are_listed_by_role_and_status(store: &dyn UserStore) {
    for (name, held) in [
        ("one", &["lister"] as &[&str]),
        ("two", &["lister", "list_er"]),
        ("three", &["a-lister"]),
    ] {
        let mut new = new_user(&format!("{name}@listed.example"));
        new.roles = roles(held);
        let user = store.insert(new).await.unwrap();
        if name == "two" {
            let close = UserChange::Status(AccountStatus::Disabled);
            store.change(user.id, close).await.unwrap();
        }
    }
    let check = async |role: Option<&str>, status: Option<AccountStatus>, expected: u64| {
        let query = UserQuery {
            search: "listed.example".to_owned(),
            role: role.map(|role| Role::parse(role).unwrap()),
            status,
            limit: 10,
            ..UserQuery::default()
        };
        let page = store.list(&query).await.unwrap();
        let found = page.users.len() as u64;
        assert_eq!((page.total, found), (expected, expected), "{query:?}");
    };
    let (open, closed) = (Some(AccountStatus::Enabled), Some(AccountStatus::Disabled));
    check(None, None, 3).await;
    check(Some("lister"), None, 2).await;
    check(Some("lister"), open, 1).await;
    check(Some("lister"), closed, 1).await;
    check(Some("list_er"), None, 1).await;
    check(Some("li"), None, 0).await;
    check(None, open, 2).await;
}

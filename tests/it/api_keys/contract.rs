//! What every store of keys must do, whichever it is.

use super::*;

const HOUR: Duration = Duration::from_hours(1);

/// A key of `subject`, and how it is found.
fn new_key(subject: &KeySubject) -> NewKey {
    let text = KeyText::random(Kind::Doorward);
    NewKey {
        hash: text.hash,
        most: 1_000,
        key: ApiKey {
            id: ApiKeyId::new(START),
            kind: text.kind,
            number: 0,
            description: Description::parse("of the pipeline").unwrap(),
            name: name("deploy"),
            hint: text.hint,
            subject: subject.clone(),
            roles: roles(&["admin"]),
            scopes: scopes(&["read", "orders:write"]),
            created_at: START,
            expires_at: Some(START.plus(2 * HOUR)),
            last_used_at: None,
            retires_at: None,
            revoked_at: None,
            rotated_from: None,
        },
    }
}

fn rotation(old: ApiKeyId, retires_at: Timestamp) -> Rotation {
    let text = KeyText::random(Kind::Doorward);
    Rotation {
        old,
        new: ApiKeyId::new(START),
        hash: text.hash,
        hint: text.hint,
        now: START,
        retires_at,
    }
}

async fn made(bench: &Bench, subject: &KeySubject) -> StoredKey {
    bench.keys.create(new_key(subject)).await.unwrap()
}

/// All that has changed after `place`, page by page, and where to go on.
async fn changes(bench: &Bench, mut place: Place) -> (Vec<StoredKey>, Place) {
    let mut all = Vec::new();
    loop {
        match bench.keys.changed_after(place).await.unwrap() {
            Changes::Page { keys, next, more } => {
                all.extend(keys);
                place = next;
                if !more {
                    return (all, place);
                }
            }
            Changes::Rewound => panic!("nothing was lost"),
        }
    }
}

pub(super) async fn a_key_reads_back_as_it_was_stored(bench: Bench) {
    let user = bench.user("ann").await;
    let mut of_user = new_key(&KeySubject::User(user.id));
    let stored = bench.keys.create(of_user.clone()).await.unwrap();
    // The store's to give.
    of_user.key.number = stored.key.number;
    assert_eq!((&stored.key, stored.hash), (&of_user.key, of_user.hash));
    let owner = Owner {
        email: user.email,
        roles: user.roles,
        status: AccountStatus::Enabled,
    };
    assert_eq!(stored.owner, Some(owner));

    let mut of_service = new_key(&service("ci"));
    of_service.key.expires_at = None;
    of_service.key.kind = Kind::InsForgeAdmin;
    let endless = bench.keys.create(of_service.clone()).await.unwrap();
    assert!(endless.key.number > stored.key.number);
    of_service.key.number = endless.key.number;
    assert_eq!(
        (&endless.key, endless.owner.as_ref()),
        (&of_service.key, None)
    );

    for stored in [stored, endless] {
        let found = bench.keys.by_id(stored.key.id).await.unwrap();
        assert_eq!(found, Some(stored));
    }
    let nobody = bench.keys.by_id(ApiKeyId::new(START)).await.unwrap();
    assert_eq!(nobody, None);
}

pub(super) async fn no_two_keys_have_the_same_text(bench: Bench) {
    let first = made(&bench, &service("ci")).await;
    let mut second = new_key(&service("ci"));
    second.hash = first.hash;
    let refused = bench.keys.create(second).await;
    assert!(
        matches!(refused, Err(CreateError::Unavailable(_))),
        "{refused:?}"
    );
}

pub(super) async fn a_key_of_nobody_is_not_made(bench: Bench) {
    let nobody = KeySubject::User(UserId::new(START));
    let refused = bench.keys.create(new_key(&nobody)).await;
    assert!(
        matches!(refused, Err(CreateError::NoSuchUser)),
        "{refused:?}"
    );
    let (all, _) = changes(&bench, Place::START).await;
    assert_eq!(all, []);
}

pub(super) async fn one_owner_has_only_so_many_keys(bench: Bench) {
    let two = |subject: &KeySubject| NewKey {
        most: 2,
        ..new_key(subject)
    };
    let ci = service("ci");
    let first = bench.keys.create(two(&ci)).await.unwrap();
    bench.keys.create(two(&ci)).await.unwrap();
    let third = bench.keys.create(two(&ci)).await;
    assert!(matches!(third, Err(CreateError::TooMany)), "{third:?}");
    bench.keys.create(two(&service("cd"))).await.unwrap();
    // What has ended makes room, but not for ever more rows.
    bench.keys.revoke(first.key.id, START).await.unwrap();
    for _ in 0..18 {
        let next = bench.keys.create(two(&ci)).await.unwrap();
        bench.keys.revoke(next.key.id, START).await.unwrap();
    }
    let row = bench.keys.create(two(&ci)).await;
    assert!(matches!(row, Err(CreateError::TooMany)), "{row:?}");
}

pub(super) async fn a_new_name_is_kept_and_told(bench: Bench) {
    let key = made(&bench, &service("ci")).await;
    let (_, place) = changes(&bench, Place::START).await;
    let renamed = bench.keys.rename(key.key.id, &name("build")).await.unwrap();
    let renamed = renamed.unwrap();
    assert_eq!(renamed.key.name, name("build"));
    assert!(renamed.changed > key.changed);
    assert_eq!(changes(&bench, place).await.0, [renamed]);
    let nobody = bench.keys.rename(ApiKeyId::new(START), &name("x")).await;
    assert_eq!(nobody.unwrap(), None);
}

pub(super) async fn a_revoked_key_stays_revoked_since_then(bench: Bench) {
    let key = made(&bench, &service("ci")).await;
    let revoked = bench.keys.revoke(key.key.id, START).await.unwrap().unwrap();
    assert_eq!(revoked.key.revoked_at, Some(START));
    let again = bench.keys.revoke(key.key.id, START.plus(HOUR)).await;
    assert_eq!(again.unwrap().unwrap().key.revoked_at, Some(START));
    let nobody = bench.keys.revoke(ApiKeyId::new(START), START).await;
    assert_eq!(nobody.unwrap(), None);
}

pub(super) async fn a_rotated_key_hands_over_all_that_it_had(bench: Bench) {
    let user = bench.user("ann").await;
    for (retires_at, revoked, retires) in [
        (START, Some(START), None),
        (START.plus(HOUR), None, Some(START.plus(HOUR))),
    ] {
        let old = made(&bench, &KeySubject::User(user.id)).await;
        bench.keys.note_uses(&[(old.key.id, START)]).await.unwrap();
        let (_, place) = changes(&bench, Place::START).await;
        let rotation = rotation(old.key.id, retires_at);
        let rotated = bench.keys.rotate(rotation.clone()).await.unwrap();
        assert_eq!(rotated.old.key.revoked_at, revoked);
        assert_eq!(rotated.old.key.retires_at, retires);
        let expected = ApiKey {
            id: rotation.new,
            hint: rotation.hint,
            rotated_from: Some(old.key.id),
            ..old.key
        };
        assert_eq!(rotated.new.key, expected);
        assert_eq!(rotated.new.hash, rotation.hash);
        let (told, _) = changes(&bench, place).await;
        assert_eq!(told.len(), 2);
        assert!(told.contains(&rotated.old) && told.contains(&rotated.new));
    }
}

pub(super) async fn a_key_that_holds_no_longer_is_not_rotated(bench: Bench) {
    let check = async |id, at| {
        let refused = bench.keys.rotate(rotation(id, at)).await;
        assert!(matches!(refused, Err(RotateError::NotLive)), "{refused:?}");
    };
    let revoked = made(&bench, &service("ci")).await.key.id;
    bench.keys.revoke(revoked, START).await.unwrap();
    check(revoked, START).await;
    let mut expired = new_key(&service("ci"));
    expired.key.expires_at = Some(START);
    let expired = bench.keys.create(expired).await.unwrap();
    check(expired.key.id, START).await;
    let rotated = made(&bench, &service("ci")).await.key.id;
    let grace = START.plus(HOUR);
    bench.keys.rotate(rotation(rotated, grace)).await.unwrap();
    check(rotated, START).await;
    let nobody = bench.keys.rotate(rotation(ApiKeyId::new(START), START));
    let nobody = nobody.await;
    assert!(matches!(nobody, Err(RotateError::NoSuchKey)), "{nobody:?}");
}

pub(super) async fn of_many_rotations_at_once_one_succeeds(bench: Bench) {
    let key = made(&bench, &service("ci")).await.key.id;
    let all = (0..8).map(|_| bench.keys.rotate(rotation(key, START)));
    let all = futures_util::future::join_all(all).await;
    assert_eq!(all.iter().filter(|one| one.is_ok()).count(), 1, "{all:?}");
}

fn sorted_ids(keys: &[StoredKey]) -> Vec<ApiKeyId> {
    let mut ids: Vec<_> = keys.iter().map(|stored| stored.key.id).collect();
    ids.sort_unstable();
    ids
}

pub(super) async fn what_bounds_a_key_is_told_as_its_change(bench: Bench) {
    let (ann, bob) = (bench.user("ann").await, bench.user("bob").await);
    let of_ann = made(&bench, &KeySubject::User(ann.id)).await.key.id;
    let also_of_ann = made(&bench, &KeySubject::User(ann.id)).await.key.id;
    made(&bench, &KeySubject::User(bob.id)).await;
    made(&bench, &service("ci")).await;
    let (_, mut place) = changes(&bench, Place::START).await;
    for change in [
        UserChange::Status(AccountStatus::Disabled),
        UserChange::Roles(roles(&["reader"])),
    ] {
        bench.users.change(ann.id, change).await.unwrap();
        let (told, next) = changes(&bench, place).await;
        assert_eq!(sorted_ids(&told), {
            let mut expected = [of_ann, also_of_ann];
            expected.sort_unstable();
            expected
        });
        place = next;
    }
    let owner = bench.keys.by_id(of_ann).await.unwrap().unwrap().owner;
    let owner = owner.unwrap();
    assert_eq!(owner.status, AccountStatus::Disabled);
    assert_eq!(owner.roles, roles(&["reader"]));
    // What does not bound a key is no change of it.
    let profile = UserChange::Profile(JsonObject::new());
    bench.users.change(ann.id, profile).await.unwrap();
    assert_eq!(changes(&bench, place).await.0, []);
}

pub(super) async fn a_removed_user_leaves_no_key_that_holds(bench: Bench) {
    let ann = bench.user("ann").await;
    let key = made(&bench, &KeySubject::User(ann.id)).await.key.id;
    let (_, place) = changes(&bench, Place::START).await;
    assert!(bench.users.remove(ann.id).await.unwrap());
    let (told, _) = changes(&bench, place).await;
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].key.id, &told[0].owner), (key, &None));
    assert!(told[0].key.revoked_at.is_some());
}

/// Readers that follow while others write miss nothing, whatever the order of the commits.
pub(super) async fn changes_at_once_are_all_told_in_order(bench: Bench) {
    const WRITERS: usize = 8;
    const EACH: usize = 10;
    let ann = bench.user("ann").await;
    let owned = made(&bench, &KeySubject::User(ann.id)).await;
    let writing = (0..WRITERS).map(|writer| {
        let (bench, owned, ann) = (&bench, owned.key.id, ann.id);
        async move {
            for turn in 0..EACH {
                made(bench, &service(&format!("s{writer}"))).await;
                let uses = [(owned, START.plus(HOUR))];
                bench.keys.note_uses(&uses).await.unwrap();
                let names = [&["a"], &["b"]];
                let change = UserChange::Roles(roles(names[(writer + turn) % 2]));
                bench.users.change(ann, change).await.unwrap();
            }
        }
    });
    let following = async {
        let (mut place, mut seen, mut last) = (Place::START, Vec::new(), Place::START);
        while seen.len() < WRITERS * EACH {
            let (told, next) = changes(&bench, place).await;
            place = next;
            for stored in told {
                let here = Place {
                    seq: stored.changed,
                    key: *stored.key.id.as_bytes(),
                };
                assert!(here > last, "{here:?} after {last:?}");
                last = here;
                if stored.key.subject != KeySubject::User(ann.id) {
                    seen.push(stored.key.id);
                }
            }
        }
        (place, seen)
    };
    let following = tokio::time::timeout(Duration::from_mins(1), following);
    let (_, followed) = tokio::join!(futures_util::future::join_all(writing), following);
    let (place, mut seen) = followed.expect("no change is missed");
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), WRITERS * EACH, "each is told once");
    let now = bench.users.by_id(ann.id).await.unwrap().unwrap().roles;
    let (rest, _) = changes(&bench, place).await;
    let (whole, _) = changes(&bench, Place::START).await;
    let known = rest.iter().chain(&whole).find(|s| s.key.id == owned.key.id);
    assert_eq!(known.unwrap().owner.as_ref().unwrap().roles, now);
}

pub(super) async fn many_changes_come_in_pages(bench: Bench) {
    let ann = bench.user("ann").await;
    let subject = KeySubject::User(ann.id);
    for _ in 0..30 {
        made(&bench, &subject).await;
    }
    // One change of thirty keys.
    let change = UserChange::Roles(roles(&["editor"]));
    bench.users.change(ann.id, change).await.unwrap();
    let (all, place) = changes(&bench, Place::START).await;
    assert_eq!(all.len(), 30);
    assert!(all.iter().all(|stored| stored.changed == all[0].changed));
    // From the middle of the change, the rest of it.
    let middle = Place {
        seq: all[9].changed,
        key: *all[9].key.id.as_bytes(),
    };
    assert_eq!(changes(&bench, middle).await.0, all[10..]);
    assert_eq!(changes(&bench, place).await, (Vec::new(), place));
}

pub(super) async fn an_older_state_of_the_store_is_noticed(bench: Bench) {
    made(&bench, &service("ci")).await;
    let (_, place) = changes(&bench, Place::START).await;
    let later = Place {
        seq: place.seq + 1,
        ..place
    };
    let answer = bench.keys.changed_after(later).await.unwrap();
    assert!(matches!(answer, Changes::Rewound), "{answer:?}");
}

pub(super) async fn uses_are_noted_and_are_no_changes(bench: Bench) {
    let key = made(&bench, &service("ci")).await.key.id;
    let (_, place) = changes(&bench, Place::START).await;
    let later = START.plus(HOUR);
    let gone = ApiKeyId::new(START);
    bench
        .keys
        .note_uses(&[(key, later), (gone, later)])
        .await
        .unwrap();
    // Another replica may come with an older one.
    bench.keys.note_uses(&[(key, START)]).await.unwrap();
    let found = bench.keys.by_id(key).await.unwrap().unwrap();
    assert_eq!(found.key.last_used_at, Some(later));
    assert_eq!(changes(&bench, place).await.0, []);
}

pub(super) async fn lists_are_in_order_and_count_all(bench: Bench) {
    let ann = KeySubject::User(bench.user("ann").await.id);
    let mut of_ann = Vec::new();
    for hour in 0..3 {
        let mut new = new_key(&ann);
        new.key.created_at = START.plus(hour * HOUR);
        of_ann.push(bench.keys.create(new).await.unwrap().key);
    }
    made(&bench, &service("ci")).await;
    of_ann.reverse();
    let query = |subject: Option<&KeySubject>, limit, offset| KeyQuery {
        subject: subject.cloned(),
        limit,
        offset,
    };
    let page = bench.keys.list(&query(Some(&ann), 2, 0)).await.unwrap();
    assert_eq!((&page.keys[..], page.total), (&of_ann[..2], 3));
    let page = bench.keys.list(&query(Some(&ann), 2, 2)).await.unwrap();
    assert_eq!((&page.keys[..], page.total), (&of_ann[2..], 3));
    let all = bench.keys.list(&query(None, 10, 0)).await.unwrap();
    assert_eq!((all.keys.len(), all.total), (4, 4));
    let none = bench.keys.list(&query(Some(&service("x")), 10, 0)).await;
    assert_eq!(none.unwrap().total, 0);
}

pub(super) async fn what_ended_long_ago_is_cleared_away(bench: Bench) {
    let live = made(&bench, &service("ci")).await.key.id;
    let revoked = made(&bench, &service("ci")).await.key.id;
    bench.keys.revoke(revoked, START).await.unwrap();
    let retired = made(&bench, &service("ci")).await.key.id;
    let end = START.plus(HOUR);
    let new = bench.keys.rotate(rotation(retired, end)).await.unwrap();
    assert_eq!(bench.keys.clear(START).await.unwrap(), 0);
    assert_eq!(bench.keys.clear(end).await.unwrap(), 1, "the revoked one");
    let after = end.plus(Duration::from_millis(1));
    assert_eq!(bench.keys.clear(after).await.unwrap(), 1, "the retired one");
    assert!(bench.keys.by_id(live).await.unwrap().is_some());
    assert!(bench.keys.by_id(new.new.key.id).await.unwrap().is_some());
    let later = START.plus(3 * HOUR);
    assert_eq!(
        bench.keys.clear(later).await.unwrap(),
        2,
        "the expired ones"
    );
}

/// The text of a key is not in the rows that are kept of it.
#[tokio::test]
async fn the_database_does_not_know_the_text() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::on(Database::embedded(directory.path()).await.unwrap());
    let text = KeyText::random(Kind::Doorward);
    let mut new = new_key(&service("ci"));
    (new.hash, new.key.hint) = (KeyHash::of(text.text.expose()), text.hint);
    bench.keys.create(new).await.unwrap();
    let secret = text.text.expose().as_bytes();
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        // Longer than what lists show of it.
        assert!(!bytes.windows(12).any(|part| part == &secret[..12]));
    }
}

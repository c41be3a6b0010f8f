//! What the core says of keys: over real SQLite stores, with a clock that is moved by hand.

use doorward::auth::account::directory::Amendment;
use doorward::auth::api_keys::{KeyCall, KeyError, KeyRefusal, Made, NewApiKey, Succession, Whose};
use doorward::auth::{Agent, Auth, Caller, Denial, Permit, Unauthenticated};
use doorward::clock::Clock as _;
use doorward::id::RequestId;
use doorward::identity::{Identity, Issuer};
use doorward::net::Networks;
use doorward::policy::{CredentialKind, Requirement, Rule};
use doorward::request::RequestHead;
use http::Request;

use super::*;
use crate::support::core::{Core, Setup};

const DAY: Duration = Duration::from_hours(24);

fn new_key(subject: KeySubject) -> NewApiKey {
    NewApiKey {
        kind: Kind::Doorward,
        name: name("deploy"),
        subject,
        roles: Roles::default(),
        scopes: Scopes::default(),
        expires_at: None,
    }
}

fn caller() -> Caller {
    Caller {
        address: "192.0.2.1".parse().unwrap(),
        user_agent: String::new(),
        request_id: RequestId::new(START),
    }
}

async fn with_header() -> Core {
    Core::of(Setup {
        key_header: Some("x-api-key".parse().unwrap()),
        ..Setup::default()
    })
    .await
}

/// What becomes of a request of this method with these headers, on a route with this requirement.
fn judge(
    auth: &Auth,
    (method, headers): (&str, &[(&str, &str)]),
    requirement: &Requirement,
) -> Result<Permit, Denial> {
    let mut request = Request::builder().method(method).uri("/x?key=dwk_x");
    request = request.header("host", "gw.test");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let peer = "192.0.2.1".parse().unwrap();
    let head = RequestHead::read(&parts, peer, &Networks::default()).unwrap();
    auth.authenticate(&head, requirement)
}

fn bearer(key: &Made) -> String {
    format!("Bearer {}", key.text.expose())
}

fn with_key(core: &Core, key: &Made) -> Result<Identity, Denial> {
    let headers = [("authorization", &*bearer(key))];
    let permit = judge(&core.auth, ("GET", &headers), &Requirement::SignedIn)?;
    Ok(permit.identity().unwrap().clone())
}

const fn refused(why: KeyRefusal) -> Denial {
    Denial::Unauthenticated(Unauthenticated::ApiKey(why))
}

#[tokio::test]
async fn a_key_speaks_for_its_user_with_the_roles_that_both_have() {
    let core = Core::start().await;
    let ann = core
        .add_user("ann@example.com", "correct horse", &["admin", "editor"])
        .await;
    let key = NewApiKey {
        roles: roles(&["admin", "auditor"]),
        scopes: scopes(&["orders:read"]),
        expires_at: Some(core.clock.now().plus(DAY)),
        ..new_key(KeySubject::User(ann.id))
    };
    let key = core.api_keys.create(key).await.unwrap();
    let identity = with_key(&core, &key).unwrap();
    assert_eq!(identity.issuer, Issuer::ApiKey(key.key.id));
    assert_eq!(*identity.subject, *ann.id.to_string());
    assert_eq!(identity.email.as_deref(), Some("ann@example.com"));
    assert_eq!(identity.roles, [Box::<str>::from("admin")]);
    assert_eq!(identity.scopes, [Box::<str>::from("orders:read")]);
    assert_eq!(identity.session, None);
    assert_eq!(identity.claims["amr"], serde_json::json!(["api-key"]));
    let text = format!("{identity:?}");
    assert!(!text.contains(key.text.expose()));

    // Less for the user is less for the key; and nothing once the account is closed.
    let change = async |change| {
        core.users.change(ann.id, change).await.unwrap();
    };
    change(UserChange::Roles(roles(&["editor"]))).await;
    eventually(|| with_key(&core, &key).unwrap().roles.is_empty()).await;
    change(UserChange::Status(AccountStatus::Disabled)).await;
    let disabled = refused(KeyRefusal::OwnerDisabled);
    eventually(|| with_key(&core, &key) == Err(disabled.clone())).await;
    change(UserChange::Status(AccountStatus::Enabled)).await;
    eventually(|| with_key(&core, &key).is_ok()).await;
    core.users.remove(ann.id).await.unwrap();
    eventually(|| with_key(&core, &key) == Err(refused(KeyRefusal::Revoked))).await;
}

#[tokio::test]
async fn a_key_ends_by_time_revocation_and_rotation() {
    let core = Core::start().await;
    let keys = &core.api_keys;
    let expiring = NewApiKey {
        expires_at: Some(core.clock.now().plus(DAY)),
        ..new_key(service("ci"))
    };
    let expiring = keys.create(expiring).await.unwrap();
    let revoked = keys.create(new_key(service("ci"))).await.unwrap();
    let rotated = keys.create(new_key(service("ci"))).await.unwrap();
    let graced = keys.create(new_key(service("ci"))).await.unwrap();
    for key in [&expiring, &revoked, &rotated, &graced] {
        assert!(with_key(&core, key).is_ok());
    }

    keys.revoke(revoked.key.id).await.unwrap().unwrap();
    assert_eq!(with_key(&core, &revoked), Err(refused(KeyRefusal::Revoked)));
    let at_once = keys
        .rotate(rotated.key.id, Succession::AtOnce)
        .await
        .unwrap();
    assert_eq!(with_key(&core, &rotated), Err(refused(KeyRefusal::Revoked)));
    let grace = Succession::After(DAY / 2);
    let later = keys.rotate(graced.key.id, grace).await.unwrap();
    assert!(with_key(&core, &graced).is_ok(), "within the grace");
    assert!(with_key(&core, &at_once).is_ok() && with_key(&core, &later).is_ok());

    core.clock.advance(DAY / 2);
    core.api_keys.load().await.unwrap();
    assert_eq!(with_key(&core, &graced), Err(refused(KeyRefusal::Retired)));
    assert!(with_key(&core, &expiring).is_ok());
    core.clock.advance(DAY / 2);
    core.api_keys.load().await.unwrap();
    assert_eq!(
        with_key(&core, &expiring),
        Err(refused(KeyRefusal::Expired))
    );
    assert!(with_key(&core, &later).is_ok());
}

#[tokio::test]
async fn keys_that_are_none_look_alike_from_outside() {
    let core = Core::start().await;
    let key = core.api_keys.create(new_key(service("ci"))).await.unwrap();
    let revoked = core.api_keys.create(new_key(service("ci"))).await.unwrap();
    core.api_keys.revoke(revoked.key.id).await.unwrap();
    let mistyped = format!("{}0", key.text.expose());
    let unknown = KeyText::random(Kind::Doorward).text;
    let foreign_form = key.text.expose().replacen("dwk", "vdai", 1);
    let mut answers = std::collections::BTreeSet::new();
    for (text, why) in [
        (&*mistyped, KeyRefusal::Malformed),
        (&*foreign_form, KeyRefusal::Malformed),
        (unknown.expose(), KeyRefusal::Unknown),
        (revoked.text.expose(), KeyRefusal::Revoked),
    ] {
        let shown = format!("Bearer {text}");
        for requirement in [Requirement::SignedIn, Requirement::Public] {
            let headers = [("authorization", &*shown)];
            let denial = judge(&core.auth, ("GET", &headers), &requirement).unwrap_err();
            assert_eq!(denial, refused(why));
            let refusal = doorward::wire::refusal::Refusal::from(&denial);
            answers.insert(format!("{refusal:?}"));
        }
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test]
async fn a_key_is_welcome_in_its_two_places_and_nowhere_else() {
    let core = with_header().await;
    let key = core.api_keys.create(new_key(service("ci"))).await.unwrap();
    let (text, bearer) = (key.text.expose(), bearer(&key));
    let ambiguous = Denial::Unauthenticated(Unauthenticated::Ambiguous);
    let check = |headers: &[(&str, &str)], expected: Result<(), &Denial>| {
        for requirement in [Requirement::SignedIn, Requirement::Public] {
            let judged = judge(&core.auth, ("GET", headers), &requirement);
            let judged = judged.as_ref().map(drop);
            assert_eq!(judged, expected, "{headers:?} {requirement:?}");
        }
    };
    check(&[("authorization", &bearer)], Ok(()));
    check(&[("x-api-key", text)], Ok(()));
    // A browser adds its cookie to everything; the key counts before it.
    check(
        &[("x-api-key", text), ("cookie", "__Host-doorward=x")],
        Ok(()),
    );
    check(
        &[("x-api-key", text), ("authorization", &bearer)],
        Err(&ambiguous),
    );
    check(
        &[("x-api-key", text), ("authorization", "Basic eDp5")],
        Err(&ambiguous),
    );
    check(&[("x-api-key", text), ("x-api-key", text)], Err(&ambiguous));
    check(&[("x-api-key", "")], Err(&ambiguous));
    check(
        &[("x-api-key", &format!("{text}, {text}"))],
        Err(&ambiguous),
    );
    let malformed = refused(KeyRefusal::Malformed);
    check(&[("x-api-key", "somebody else's")], Err(&ambiguous));
    check(&[("x-api-key", "junk")], Err(&malformed));
    check(&[("x-api-key", &bearer)], Err(&ambiguous));
    let none = Denial::Unauthenticated(Unauthenticated::NoCredential);
    for headers in [
        vec![("x-other-key", text)],
        vec![("api-key", text)],
        vec![("x-forwarded-authorization", &*bearer)],
        vec![],
    ] {
        let judged = judge(&core.auth, ("GET", &headers), &Requirement::SignedIn);
        assert_eq!(judged.unwrap_err(), none, "{headers:?}");
    }
    let cookie = format!("__Host-doorward={text}");
    let judged = judge(
        &core.auth,
        ("GET", &[("cookie", &cookie)]),
        &Requirement::SignedIn,
    );
    let denial = judged.unwrap_err();
    assert!(
        matches!(denial, Denial::Unauthenticated(Unauthenticated::Token(_))),
        "{denial:?}"
    );
}

#[tokio::test]
async fn without_the_setting_no_header_is_looked_at() {
    let core = Core::start().await;
    let key = core.api_keys.create(new_key(service("ci"))).await.unwrap();
    let headers = [("x-api-key", key.text.expose())];
    let judged = judge(&core.auth, ("GET", &headers), &Requirement::SignedIn);
    let none = Denial::Unauthenticated(Unauthenticated::NoCredential);
    assert_eq!(judged.unwrap_err(), none);
}

#[tokio::test]
async fn permissions_bound_what_a_key_may_do() {
    let core = Core::start().await;
    let check = async |held: &[&str], expected: &[(&str, &Requirement, bool)]| {
        let key = NewApiKey {
            scopes: scopes(held),
            roles: roles(&["admin"]),
            ..new_key(service(&format!("s{}", held.join("-").replace(':', "."))))
        };
        let key = bearer(&core.api_keys.create(key).await.unwrap());
        for (method, requirement, allowed) in expected {
            let judged = judge(
                &core.auth,
                (method, &[("authorization", &key)]),
                requirement,
            );
            let is_right = match &judged {
                Ok(_) => *allowed,
                Err(Denial::Forbidden { .. }) => !allowed,
                Err(_) => false,
            };
            assert!(is_right, "{held:?} {method} {requirement}: {judged:?}");
        }
    };
    let (signed_in, admin, public) = (
        &Requirement::SignedIn,
        &Requirement::Admin,
        &Requirement::Public,
    );
    let by_scope = |scope: &str| Requirement::Rule(Rule::Scopes(vec![scope.to_owned()]));
    let (read, orders) = (&by_scope("read"), &by_scope("orders"));
    check(&[], &[("GET", signed_in, true), ("POST", admin, true)]).await;
    check(
        &["orders"],
        &[("POST", signed_in, true), ("POST", orders, true)],
    )
    .await;
    check(
        &["read", "orders"],
        &[
            ("GET", signed_in, true),
            ("HEAD", admin, true),
            ("POST", signed_in, false),
            ("DELETE", admin, false),
            ("POST", orders, false),
            ("GET", orders, true),
            // The rule asks for the permission itself: here a POST may be a question.
            ("POST", read, true),
            ("POST", public, true),
        ],
    )
    .await;
    check(
        &["write"],
        &[
            ("POST", signed_in, true),
            ("GET", signed_in, false),
            ("GET", read, false),
        ],
    )
    .await;
    // It implies nothing else.
    check(
        &["admin"],
        &[("GET", signed_in, false), ("POST", admin, false)],
    )
    .await;
}

#[tokio::test]
async fn a_route_can_be_for_keys_alone_or_for_people_alone() {
    let core = Core::start().await;
    let key = core.api_keys.create(new_key(service("ci"))).await.unwrap();
    let key = bearer(&key);
    let only = |kinds: &[CredentialKind]| Requirement::Rule(Rule::Credentials(kinds.to_vec()));
    let headers = [("authorization", &*key)];
    let judged = |requirement| judge(&core.auth, ("GET", &headers), &requirement);
    assert!(judged(only(&[CredentialKind::ApiKey])).is_ok());
    let people = only(&[CredentialKind::Session, CredentialKind::Token]);
    let unmet = "one of the credentials `session`, `token`".to_owned();
    assert_eq!(judged(people).unwrap_err(), Denial::Forbidden { unmet });
}

#[tokio::test]
async fn a_tunnel_ends_with_its_key() {
    let core = Core::start().await;
    let keys = &core.api_keys;
    let ann = core
        .add_user("ann@example.com", "correct horse", &["admin"])
        .await;
    let admin = |subject| NewApiKey {
        roles: roles(&["admin"]),
        ..new_key(subject)
    };
    let revoked = keys.create(admin(service("ci"))).await.unwrap();
    let bounded = keys.create(admin(KeySubject::User(ann.id))).await.unwrap();
    let other = keys.create(admin(service("ci"))).await.unwrap();
    let tunnel = |key: &Made| {
        let (auth, identity) = (Arc::clone(&core.auth), with_key(&core, key).unwrap());
        tokio::spawn(async move { auth.ended(&identity).await })
    };
    let (first, second, stays) = (tunnel(&revoked), tunnel(&bounded), tunnel(&other));
    keys.revoke(revoked.key.id).await.unwrap();
    keys.rename(other.key.id, &name("other")).await.unwrap();
    let patience = Duration::from_secs(10);
    tokio::time::timeout(patience, first)
        .await
        .unwrap()
        .unwrap();
    // The roles with which it was opened are not those of now.
    let change = UserChange::Roles(roles(&["reader"]));
    core.users.change(ann.id, change).await.unwrap();
    tokio::time::timeout(patience, second)
        .await
        .unwrap()
        .unwrap();
    assert!(!stays.is_finished());
}

#[tokio::test]
async fn what_is_too_old_is_neither_let_through_nor_signed_out() {
    let core = Core::of(Setup {
        max_staleness: Duration::from_secs(30),
        ..Setup::default()
    })
    .await;
    let key = core.api_keys.create(new_key(service("ci"))).await.unwrap();
    let revoked = core.api_keys.create(new_key(service("ci"))).await.unwrap();
    core.api_keys.revoke(revoked.key.id).await.unwrap();
    // The clock runs away from the last word of the store, which comes once a second at the most.
    core.clock.advance(Duration::from_secs(31));
    let away = |shown: Result<_, Denial>| matches!(shown, Err(Denial::Unavailable { .. }));
    assert!(away(with_key(&core, &key)));
    let known_end = refused(KeyRefusal::Revoked);
    assert_eq!(with_key(&core, &revoked), Err(known_end));
    core.api_keys.wait_until_fresh().await;
    assert!(with_key(&core, &key).is_ok());
}

#[tokio::test]
async fn the_last_use_is_stored_to_the_minute() {
    let core = Core::start().await;
    let key = core.api_keys.create(new_key(service("ci"))).await.unwrap();
    let last_used = async || {
        core.api_keys.store_uses().await;
        let found = core.api_keys.find(key.key.id).await.unwrap();
        found.unwrap().last_used_at
    };
    assert_eq!(last_used().await, None);
    let first = core.clock.now();
    for _ in 0..3 {
        with_key(&core, &key).unwrap();
    }
    assert_eq!(last_used().await, Some(first));
    core.clock.advance(Duration::from_secs(59));
    with_key(&core, &key).unwrap();
    assert_eq!(last_used().await, Some(first));
    core.clock.advance(Duration::from_secs(1));
    with_key(&core, &key).unwrap();
    assert_eq!(last_used().await, Some(core.clock.now()));
}

#[tokio::test]
async fn what_is_done_with_keys_is_audited_without_their_text() {
    let core = Core::start().await;
    let caller = caller();
    let call = KeyCall {
        actor: "root",
        whose: Whose::Anybody,
        caller: &caller,
    };
    let made = core.auth.create_api_key(&call, new_key(service("ci")));
    let made = made.await.unwrap();
    let id = made.key.id;
    let other = name("new");
    let renamed = core.auth.rename_api_key(&call, (id, &other));
    renamed.await.unwrap();
    let rotated = core.auth.rotate_api_key(&call, (id, Succession::AtOnce));
    let rotated = rotated.await.unwrap();
    let revoked = core.auth.revoke_api_key(&call, rotated.key.id).await;
    revoked.unwrap();
    for _ in 0..3 {
        with_key(&core, &made).unwrap_err();
    }
    core.clock.advance(Duration::from_mins(1));
    with_key(&core, &made).unwrap_err();
    let audited = core.audited();
    let told: Vec<_> = audited
        .iter()
        .map(|line| {
            (
                line["action"].as_str().unwrap(),
                line["reason"].as_str().unwrap(),
            )
        })
        .collect();
    let refusal = ("use-api-key", "revoked");
    let stored = |action| (action, "stored");
    assert_eq!(
        told,
        [
            stored("create-api-key"),
            stored("rename-api-key"),
            stored("rotate-api-key"),
            stored("revoke-api-key"),
            refusal,
            refusal,
        ]
    );
    let of = |index: usize, field: &str| audited[index][field].as_str().unwrap();
    assert_eq!(of(0, "api_key"), id.to_string());
    assert_eq!(of(3, "api_key"), rotated.key.id.to_string());
    assert_eq!((of(0, "actor"), of(4, "actor")), ("root", "service:ci"));
    assert_eq!(
        (of(4, "api_key"), of(4, "address")),
        (&*id.to_string(), "192.0.2.1")
    );
    let text = format!("{audited:?}");
    assert!(!text.contains(made.text.expose()) && !text.contains(rotated.text.expose()));
}

#[tokio::test]
async fn nobody_gives_more_than_they_have() {
    let core = Core::start().await;
    let auth = &core.auth;
    let end = core.clock.now().plus(DAY);
    let manager = NewApiKey {
        roles: roles(&["editor"]),
        scopes: scopes(&["admin", "read"]),
        expires_at: Some(end),
        ..new_key(service("ci"))
    };
    let manager = core.api_keys.create(manager).await.unwrap();
    let manager = with_key(&core, &manager).unwrap_or_else(|denial| panic!("{denial:?}"));
    assert_eq!(auth.key_subject(&manager).unwrap(), service("ci"));
    let plain = core.api_keys.create(new_key(service("ci"))).await.unwrap();
    let plain = with_key(&core, &plain).unwrap();
    let not_allowed = auth.key_subject(&plain);
    assert!(matches!(not_allowed, Err(KeyError::NotAllowed)));

    let check = |change: &dyn Fn(&mut NewApiKey), allowed: bool| {
        let mut new = NewApiKey {
            scopes: scopes(&["read"]),
            expires_at: Some(end),
            ..new_key(service("ci"))
        };
        change(&mut new);
        assert_eq!(auth.may_give(&manager, &new).is_ok(), allowed, "{new:?}");
    };
    check(&|_| {}, true);
    check(&|new| new.roles = roles(&["editor"]), true);
    check(&|new| new.roles = roles(&["admin"]), false);
    check(&|new| new.scopes = scopes(&["write"]), false);
    check(&|new| new.scopes = Scopes::default(), false);
    check(&|new| new.expires_at = None, false);
    check(&|new| new.expires_at = Some(end.plus(DAY)), false);

    let (caller, mine) = (caller(), Whose::Only(service("ci")));
    let call = KeyCall {
        actor: "service:ci",
        whose: mine,
        caller: &caller,
    };
    let other = core.api_keys.create(new_key(service("cd"))).await.unwrap();
    let found = auth.revoke_api_key(&call, other.key.id).await;
    assert!(matches!(found, Err(KeyError::NoSuchKey)), "{found:?}");
    let found = auth.create_api_key(&call, new_key(service("cd"))).await;
    assert!(matches!(found, Err(KeyError::NotAllowed)), "{found:?}");
    assert!(with_key(&core, &other).is_ok());
}

/// Waits until it is so: for what the store tells once a second.
async fn eventually(is_so: impl Fn() -> bool) {
    let mut interval = tokio::time::interval(Duration::from_millis(20));
    for _ in 0..500 {
        interval.tick().await;
        if is_so() {
            return;
        }
    }
    panic!("it never was so");
}

#[tokio::test]
async fn a_change_of_its_account_counts_for_a_key_at_once() {
    let core = Core::start().await;
    let caller = caller();
    let agent = Agent {
        name: "root",
        caller: &caller,
    };
    let own = roles(&["admin", "editor"]);
    let ann = core
        .add_user("ann@example.com", "correct horse", &["admin", "editor"])
        .await;
    let key = NewApiKey {
        roles: own.clone(),
        ..new_key(KeySubject::User(ann.id))
    };
    let key = core.api_keys.create(key).await.unwrap();
    let amend = async |amendment| {
        let amended = core.auth.amend_user(ann.id, amendment, &agent).await;
        amended.unwrap();
    };
    let status = |status| Amendment {
        status: Some(status),
        ..Amendment::default()
    };
    // More than once: the store is looked at once a second in any case.
    for _ in 0..3 {
        amend(Amendment {
            roles: Some(roles(&["editor"])),
            ..Amendment::default()
        })
        .await;
        let identity = with_key(&core, &key).unwrap();
        assert_eq!(identity.roles, [Box::<str>::from("editor")]);
        amend(Amendment {
            roles: Some(own.clone()),
            ..Amendment::default()
        })
        .await;
        assert_eq!(with_key(&core, &key).unwrap().roles.len(), 2);
        amend(status(AccountStatus::Disabled)).await;
        let disabled = Err(refused(KeyRefusal::OwnerDisabled));
        assert_eq!(with_key(&core, &key), disabled);
        amend(status(AccountStatus::Enabled)).await;
        assert!(with_key(&core, &key).is_ok());
    }
    core.auth.remove_account(ann.id, &agent).await.unwrap();
    assert!(with_key(&core, &key).is_err());
}

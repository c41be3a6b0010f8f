use serde_json::json;

use super::*;
use crate::clock::Timestamp;
use crate::id::ApiKeyId;
use crate::identity::Issuer;

fn identity() -> Identity {
    let claims = json!({
        "team": "blue",
        "level": 3,
        "nothing": null,
        "groups": ["dev", "ops", 7],
        "words": "read write",
        "app": { "plan": { "name": "pro" }, "list": [{ "name": "pro" }] },
    });
    Identity {
        issuer: Issuer::Own,
        subject: "alice".into(),
        session: None,
        email: None,
        roles: vec!["editor".into(), "author".into()],
        scopes: vec!["read".into(), "write".into()],
        not_before: None,
        expires_at: Timestamp::from_seconds(1_000),
        claims: claims.as_object().unwrap().clone(),
    }
}

fn networks(list: &[&str]) -> Networks {
    Networks::new(list.iter().map(|n| n.parse().unwrap()).collect())
}

fn claim(path: &str, test: ClaimTest) -> Rule {
    Rule::Claim {
        path: path.to_owned(),
        test,
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn judge(
    requirement: &Requirement,
    identity: Option<&Identity>,
    client: &str,
) -> Result<(), Unmet> {
    let client = client.parse().unwrap();
    let method = &Method::POST;
    requirement.judge(&Facts {
        identity,
        client,
        method,
    })
}

fn check(rule: Rule, expected: bool) {
    let requirement = Requirement::Rule(rule);
    let met = judge(&requirement, Some(&identity()), "10.1.2.3").is_ok();
    assert_eq!(met, expected, "{requirement:?}");
    let stranger = judge(&requirement, None, "10.1.2.3");
    assert_eq!(stranger, Err(Unmet::NotSignedIn), "{requirement:?}");
}

#[test]
fn a_requirement_asks_for_a_credential_before_anything_else() {
    let mut admin = identity();
    admin.roles.push("admin".into());
    let not_admin = Unmet::Rule("role `admin`".to_owned());
    let check = |requirement: Requirement, expected: [Result<(), Unmet>; 3]| {
        let callers = [None, Some(&identity()), Some(&admin)];
        let judged = callers.map(|caller| judge(&requirement, caller, "1.1.1.1"));
        assert_eq!(judged, expected, "{requirement:?}");
    };
    check(Requirement::Public, [Ok(()), Ok(()), Ok(())]);
    check(
        Requirement::SignedIn,
        [Err(Unmet::NotSignedIn), Ok(()), Ok(())],
    );
    check(
        Requirement::Admin,
        [Err(Unmet::NotSignedIn), Err(not_admin), Ok(())],
    );
    check(
        Requirement::Rule(Rule::Networks(networks(&["0.0.0.0/0"]))),
        [Err(Unmet::NotSignedIn), Ok(()), Ok(())],
    );
}

#[test]
fn networks_alone_ask_where_a_caller_comes_from() {
    let check = |client: &str, expected: bool| {
        let requirement = Requirement::Networks(networks(&["10.0.0.0/8", "fd00::/8"]));
        for identity in [None, Some(&identity())] {
            assert_eq!(
                judge(&requirement, identity, client).is_ok(),
                expected,
                "{client}"
            );
        }
    };
    check("10.1.2.3", true);
    check("::ffff:10.1.2.3", true);
    check("fd12::1", true);
    check("11.1.2.3", false);
    check("::ffff:11.1.2.3", false);
    check("::10.1.2.3", false);
    let nowhere = Requirement::Networks(Networks::default());
    assert!(judge(&nowhere, Some(&identity()), "10.1.2.3").is_err());
}

#[test]
fn one_role_is_enough_and_every_scope_is_needed() {
    check(Rule::Roles(names(&["editor"])), true);
    check(Rule::Roles(names(&["admin", "author"])), true);
    check(Rule::Roles(names(&["admin", "edit", "Editor"])), false);
    check(Rule::Roles(vec![]), false);
    check(Rule::Scopes(names(&["read"])), true);
    check(Rule::Scopes(names(&["read", "write"])), true);
    check(Rule::Scopes(names(&["read", "delete"])), false);
    check(Rule::Scopes(names(&["read write"])), false);
}

#[test]
fn a_claim_that_is_absent_passes_no_test() {
    for path in [
        "gone",
        "team.blue",
        "app.gone",
        "app.list.name",
        "app.list.0",
        "",
        "app.",
        ".app",
    ] {
        for value in [json!(null), json!(""), json!("blue"), json!({}), json!([])] {
            check(claim(path, ClaimTest::Equals(value.clone())), false);
            check(claim(path, ClaimTest::Contains(value.clone())), false);
            check(claim(path, ClaimTest::OneOf(vec![value])), false);
        }
    }
}

#[test]
fn a_claim_is_exactly_what_is_asked() {
    let equals = |path: &str, value: Value| claim(path, ClaimTest::Equals(value));
    check(equals("team", json!("blue")), true);
    check(equals("team", json!("Blue")), false);
    check(equals("level", json!(3)), true);
    check(equals("level", json!("3")), false);
    check(equals("nothing", json!(null)), true);
    check(equals("nothing", json!(false)), false);
    check(equals("app.plan.name", json!("pro")), true);
    check(equals("groups", json!("dev")), false);
    let one_of = |values: &[Value]| claim("team", ClaimTest::OneOf(values.to_vec()));
    check(one_of(&[json!("red"), json!("blue")]), true);
    check(one_of(&[json!("red")]), false);
    check(one_of(&[]), false);
}

#[test]
fn a_list_or_a_text_of_words_contains_whole_values() {
    let contains = |path: &str, value: Value| claim(path, ClaimTest::Contains(value));
    check(contains("groups", json!("ops")), true);
    check(contains("groups", json!(7)), true);
    check(contains("groups", json!("7")), false);
    check(contains("groups", json!("op")), false);
    check(contains("words", json!("write")), true);
    check(contains("words", json!("rite")), false);
    check(contains("words", json!("read write")), false);
    check(contains("words", json!("")), false);
    check(contains("level", json!(3)), false);
    check(contains("app", json!("plan")), false);
}

#[test]
fn all_of_none_is_met_and_any_of_none_is_not() {
    let yes = || Rule::Roles(names(&["editor"]));
    let no = || Rule::Roles(names(&["admin"]));
    check(Rule::All(vec![]), true);
    check(Rule::All(vec![yes(), yes()]), true);
    check(Rule::All(vec![yes(), no()]), false);
    check(Rule::Any(vec![]), false);
    check(Rule::Any(vec![no(), yes()]), true);
    check(Rule::Any(vec![no(), Rule::All(vec![no()])]), false);
    check(Rule::Networks(networks(&["10.0.0.0/8"])), true);
    check(Rule::Networks(networks(&["192.168.0.0/16"])), false);
}

#[test]
fn what_is_missing_is_said_in_words() {
    let check = |rule: Rule, expected: &str| {
        let unmet = judge(&Requirement::Rule(rule), Some(&identity()), "1.1.1.1");
        assert_eq!(unmet, Err(Unmet::Rule(expected.to_owned())));
    };
    check(Rule::Roles(names(&["a", "b"])), "one of the roles `a`, `b`");
    check(Rule::Scopes(names(&["a"])), "scope `a`");
    check(
        Rule::Networks(networks(&["::ffff:10.0.0.0/104"])),
        "a client in `10.0.0.0/8`",
    );
    check(
        claim("a.b", ClaimTest::Contains(json!("x"))),
        "claim `a.b` containing \"x\"",
    );
    check(
        Rule::Any(vec![
            claim("a", ClaimTest::Equals(json!(1))),
            claim("b", ClaimTest::OneOf(vec![json!("x"), json!(null)])),
        ]),
        "any of (claim `a` equal to 1; claim `b` one of \"x\", null)",
    );
}

#[test]
fn a_credential_is_told_by_whoever_vouches_for_it() {
    use CredentialKind::*;
    let vouchers = [
        (Issuer::Own, Session),
        (Issuer::Foreign("x".into()), Token),
        (Issuer::ApiKey(ApiKeyId::from_bytes([1; 16])), ApiKey),
    ];
    for (issuer, kind) in vouchers {
        let identity = Identity {
            issuer,
            ..identity()
        };
        for asked in [Session, Token, ApiKey] {
            let requirement = Requirement::Rule(Rule::Credentials(vec![asked]));
            let met = judge(&requirement, Some(&identity), "10.1.2.3").is_ok();
            assert_eq!(met, asked == kind, "{asked:?} {kind:?}");
        }
    }
}

/// What a key with the scopes `held` may do by a rule: `GET` and `POST`.
#[test]
fn permissions_bound_the_methods_of_keys_alone() {
    let may = |issuer: &Issuer, held: &[&str], requirement: &Requirement| {
        let identity = Identity {
            issuer: issuer.clone(),
            scopes: held.iter().map(|scope| (*scope).into()).collect(),
            ..identity()
        };
        [Method::GET, Method::POST].map(|method| {
            let facts = Facts {
                identity: Some(&identity),
                client: "10.1.2.3".parse().unwrap(),
                method: &method,
            };
            requirement.judge(&facts).is_ok()
        })
    };
    let key = Issuer::ApiKey(ApiKeyId::from_bytes([1; 16]));
    let signed_in = Requirement::SignedIn;
    assert_eq!(may(&key, &[], &signed_in), [true, true]);
    assert_eq!(may(&key, &["other"], &signed_in), [true, true]);
    assert_eq!(may(&key, &["read"], &signed_in), [true, false]);
    assert_eq!(may(&key, &["write"], &signed_in), [false, true]);
    assert_eq!(may(&key, &["admin"], &signed_in), [false, false]);
    assert_eq!(may(&Issuer::Own, &["read"], &signed_in), [true, true]);

    let scope = |name: &str| Rule::Scopes(names(&[name]));
    let rule = |rule| may(&key, &["read", "other"], &Requirement::Rule(rule));
    assert_eq!(rule(scope("read")), [true, true]);
    assert_eq!(rule(scope("other")), [true, false]);
    assert_eq!(
        rule(Rule::All(vec![scope("other"), scope("read")])),
        [true, true]
    );
    // There is a way to meet it that says nothing of permissions.
    assert_eq!(
        rule(Rule::Any(vec![scope("read"), scope("other")])),
        [true, false]
    );
}

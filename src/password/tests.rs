mod imported;

use super::*;

/// The least that argon2 can do.
pub(super) fn cheap() -> Config {
    Config {
        memory_kib: 8,
        iterations: 1,
        parallelism: 1,
        ..Config::default()
    }
}

fn stored(text: &str) -> PasswordHash {
    PasswordHash::new(text)
}

/// A bcrypt hash of the least cost, with a fixed salt.
pub(super) fn bcrypt_hash(password: &str, version: bcrypt::Version) -> PasswordHash {
    let parts = bcrypt::hash_with_salt(password, 4, [7; 16]).unwrap();
    stored(&parts.format_for_version(version))
}

fn check(hash: &PasswordHash, password: &str) -> Result<Verdict, HashError> {
    verify(&cheap(), hash, &SecretText::from(password))
}

#[test]
fn the_defaults_are_those_of_owasp() {
    let hash = hash(&Config::default(), &SecretText::from("correct horse")).unwrap();
    let start = "$argon2id$v=19$m=19456,t=2,p=1$";
    assert!(hash.expose().starts_with(start), "{}", hash.expose());
}

#[test]
fn a_hash_is_right_for_its_password_alone_byte_for_byte() {
    let hash = hash(&cheap(), &SecretText::from("Pässword 1")).unwrap();
    assert_eq!(check(&hash, "Pässword 1"), Ok(Verdict::Right));
    // The last one is the same text in another Unicode form.
    for other in [
        "",
        "pässword 1",
        "Pässword 1 ",
        "Pässword",
        "Pa\u{308}ssword 1",
    ] {
        assert_eq!(check(&hash, other), Ok(Verdict::Wrong), "{other:?}");
    }
}

#[test]
fn two_hashes_of_one_password_differ() {
    let password = SecretText::from("correct horse");
    let (one, other) = (
        hash(&cheap(), &password).unwrap(),
        hash(&cheap(), &password).unwrap(),
    );
    assert_ne!(one, other);
}

#[test]
fn a_hash_of_other_parameters_is_outdated() {
    let others = [
        Config {
            memory_kib: 16,
            ..cheap()
        },
        Config {
            iterations: 2,
            ..cheap()
        },
        Config {
            memory_kib: 16,
            parallelism: 2,
            ..cheap()
        },
    ];
    for config in others {
        let hash = hash(&config, &SecretText::from("correct horse")).unwrap();
        assert_eq!(check(&hash, "correct horse"), Ok(Verdict::RightButOutdated));
        assert_eq!(check(&hash, "wrong horse"), Ok(Verdict::Wrong));
    }
}

#[test]
fn the_hash_of_another_library_is_checked() {
    // From the tests of the reference implementation; argon2i is outdated as such.
    let vector =
        "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA";
    assert_eq!(
        check(&stored(vector), "password"),
        Ok(Verdict::RightButOutdated)
    );
    assert_eq!(check(&stored(vector), "passwore"), Ok(Verdict::Wrong));
}

#[test]
fn bcrypt_is_checked_and_outdated() {
    for version in [
        bcrypt::Version::TwoA,
        bcrypt::Version::TwoB,
        bcrypt::Version::TwoY,
    ] {
        let hash = bcrypt_hash("correct horse", version);
        assert_eq!(check(&hash, "correct horse"), Ok(Verdict::RightButOutdated));
        assert_eq!(check(&hash, "Correct horse"), Ok(Verdict::Wrong));
    }
}

#[test]
fn the_hash_of_another_bcrypt_is_checked() {
    // From the test vectors of OpenBSD's bcrypt.
    let vector = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    assert_eq!(check(&stored(vector), "U*U"), Ok(Verdict::RightButOutdated));
    assert_eq!(check(&stored(vector), "U*U*"), Ok(Verdict::Wrong));
}

#[test]
fn a_nul_does_not_repeat_a_bcrypt_password() {
    let hash = bcrypt_hash("a", bcrypt::Version::TwoB);
    assert_eq!(check(&hash, "a"), Ok(Verdict::RightButOutdated));
    assert_eq!(check(&hash, "a\0a"), Ok(Verdict::Wrong));
}

#[test]
fn what_bcrypt_did_not_see_is_not_hashed_anew() {
    let hash = bcrypt_hash(&"x".repeat(80), bcrypt::Version::TwoB);
    assert_eq!(check(&hash, &"x".repeat(72)), Ok(Verdict::RightButOutdated));
    assert_eq!(check(&hash, &"x".repeat(80)), Ok(Verdict::Right));
    assert_eq!(check(&hash, &"x".repeat(71)), Ok(Verdict::Wrong));
}

#[test]
fn an_endless_password_is_never_right() {
    let endless = SecretText::new("x".repeat(rules::MAX_BYTES + 1));
    let hash = hash(&cheap(), &endless).unwrap();
    assert_eq!(check(&hash, endless.expose()), Ok(Verdict::Wrong));
}

#[test]
fn a_stored_hash_that_cannot_be_afforded_is_refused() {
    let check = |text: &str, expected: Result<(), Unverifiable>| {
        assert_eq!(supported(&cheap(), &stored(text)), expected, "{text}");
    };
    let phc = |params: &str| {
        format!("$argon2id$v=19${params}$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA")
    };
    let bcrypt_tail = "CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    let costly = Err(Unverifiable::TooCostly);
    check(&phc("m=65536,t=16,p=16"), Ok(()));
    check(&phc("m=65537,t=1,p=1"), costly);
    check(&phc("m=4294967295,t=1,p=1"), costly);
    check(&phc("m=8,t=17,p=1"), costly);
    check(&phc("m=8,t=4294967295,p=1"), costly);
    check(&phc("m=65536,t=1,p=17"), costly);
    check(&format!("$2b$14${bcrypt_tail}"), Ok(()));
    check(&format!("$2b$15${bcrypt_tail}"), costly);
    check(&format!("$2b$31${bcrypt_tail}"), costly);
}

#[test]
fn what_is_configured_can_always_be_checked() {
    let dear = Config {
        memory_kib: 70_000,
        iterations: 20,
        parallelism: 20,
        ..cheap()
    };
    let text =
        "$argon2id$v=19$m=70000,t=20,p=20$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA";
    assert_eq!(supported(&dear, &stored(text)), Ok(()));
}

#[test]
fn an_unknown_form_is_never_right() {
    let unknown = [
        "",
        "correct horse",
        "$",
        "$argon2id$",
        "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ",
        // A hash of ten bytes.
        "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAA",
        "$argon2id$v=18$m=8,t=1,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
        "$argon2x$v=19$m=8,t=1,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
        "$argon2id$v=19$m=1,t=1,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
        "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe",
        "$2a$05$äääääääääääääääääääääääääää",
        "$1$salt$hash",
        "5f4dcc3b5aa765d61d8327deb882cf99",
    ];
    let refused = Err(HashError::Unverifiable(Unverifiable::UnknownForm));
    for text in unknown {
        for password in ["", "correct horse", "password", text] {
            assert_eq!(check(&stored(text), password), refused, "{text}");
        }
    }
}

#[test]
fn debug_shows_no_hash() {
    assert_eq!(format!("{:?}", stored("$2a$secret")), "PasswordHash(…)");
}

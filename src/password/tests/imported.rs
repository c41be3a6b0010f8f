//! The hashes that users of other systems bring along.

use super::*;

const FIREBASE: &str = "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=ou9tdYTGyYm8kuR6Dt0Bp0kDuAYoXrK16mbZO4yGwAn3oLspjnN0/c41v8xZnO1n14J3MjKj1b2g6AUCAlFwMw==$C0sHCg9ek77hsg==$zKVTMvnWVw5BBOZNUdnsalx4c4c7y/w7IS5p6Ut2+CfEFFlz37J9huyQfov4iizN8dbjvEJlM5tQaJP84+hfTw==";

#[test]
fn what_others_hashed_is_checked_and_outdated() {
    let all = |hash: &str, password: &str| {
        let hash = stored(hash);
        assert_eq!(supported(&cheap(), &hash), Ok(()), "{hash:?}");
        assert_eq!(check(&hash, password), Ok(Verdict::RightButOutdated));
        for wrong in ["", " ", "Correct horse", "password1"] {
            assert_eq!(check(&hash, wrong), Ok(Verdict::Wrong));
        }
    };
    // RFC 7914 §11 and §12.
    all(
        "$pbkdf2-sha256$i=80000,l=64$TmFDbA$TdzY9guYviGDDO5e8icB+WQaRBjQTAQUrv8Ih2s0q1ah1CWhIlgzVJrbhBtRybMXaicr3ruh0HhHj2Kzl/M8jQ",
        "Password",
    );
    all(
        "$scrypt$ln=10,r=8,p=16$TmFDbA$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWIurzDZLiKjiG/xCSedmDDaxyevuUqD7m2DYMvfoswGQA",
        "password",
    );
    // From the tests of Supabase's GoTrue, which took it from Firebase.
    all(FIREBASE, "mytestpassword");
    // Made with Python's hashlib: PHC, passlib (with `.` in its base64) and Django.
    all(
        "$pbkdf2-sha1$i=1000$c29tZSBzYWx0IGJ5dGVzIQ$RsQha8bH+8nZgeiDC65PIod30UE",
        "correct horse",
    );
    all(
        "$pbkdf2-sha256$i=1000$c29tZSBzYWx0IGJ5dGVzIQ$eqW3dOTyUasY0fGrE7zxQotEyDRtTuhaZek7wrSLQdg",
        "correct horse",
    );
    all(
        "$pbkdf2-sha512$i=1000$c29tZSBzYWx0IGJ5dGVzIQ$XyJ141JTo9pYI7MjMiSYFeZ+j0nKUa6zuusC7wKTosFuUBLd0cGvQsD8W9bFJ57Nm3NYyGqZ3hno/8M1R95dxg",
        "correct horse",
    );
    all(
        "$pbkdf2-sha256$1000$..................../w$Fmdb1minWw0CnTpIIPJDmN8ycyYjPM0dqKkUiRur7Gk",
        "correct horse",
    );
    all(
        "pbkdf2_sha256$1000$textsalt$L2paXf88bcNNVhxUbgoZqNJ31ruJ5OUWKFwYRrt5Gr8=",
        "correct horse",
    );
    all(
        "$scrypt$ln=4,r=8,p=1$c29tZSBzYWx0IGJ5dGVzIQ$0kmu5ZvHpC60M6edcfok5KtLev7+ymm0q0karzMkp14",
        "correct horse",
    );
    // From the tests of GoTrue and of argon2's reference implementation.
    all(
        "$2y$10$srNl09aPtc2qr.0Vl.NtjekJRt/NxRxYQm3qd3OvfcKsJgVnr6.Ve",
        "test",
    );
    all(
        "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
        "password",
    );
    all(
        "argon2$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
        "password",
    );
}

#[test]
fn what_would_take_too_much_memory_or_time_is_refused() {
    let costs = |text: String, expected: Result<(), Unverifiable>| {
        assert_eq!(supported(&cheap(), &stored(&text)), expected, "{text}");
    };
    let costly = Err(Unverifiable::TooCostly);
    let tail = "c29tZSBzYWx0IGJ5dGVzIQ$0kmu5ZvHpC60M6edcfok5KtLev7+ymm0q0karzMkp14";
    let scrypt = |params: &str| format!("$scrypt${params}${tail}");
    costs(scrypt("ln=17,r=8,p=1"), Ok(()));
    costs(scrypt("ln=13,r=8,p=10"), Ok(()));
    costs(scrypt("ln=17,r=8,p=2"), Ok(()));
    costs(scrypt("ln=17,r=8,p=3"), costly);
    costs(scrypt("ln=17,r=9,p=1"), costly);
    costs(scrypt("ln=18,r=8,p=1"), costly);
    costs(scrypt("ln=63,r=8,p=1"), costly);
    costs(scrypt("ln=64,r=8,p=1"), costly);
    costs(scrypt("ln=1,r=4294967295,p=1"), costly);
    costs(scrypt("ln=1,r=1,p=4294967295"), costly);
    costs(scrypt("ln=4294967296,r=8,p=1"), costly);
    costs(FIREBASE.replace("n=14", "n=18"), costly);
    let pbkdf2 = |params: &str| format!("$pbkdf2-sha256${params}${tail}");
    costs(pbkdf2("i=2000000"), Ok(()));
    costs(pbkdf2("i=2000001"), costly);
    costs(pbkdf2("4294967295"), costly);
    costs(pbkdf2("99999999999999999999"), costly);
    // Two started lengths of the digest are twice the work.
    costs(format!("$pbkdf2-sha1$i=1000001${tail}"), costly);
}

#[test]
fn what_is_nearly_a_known_form_is_refused() {
    let tail = "c29tZSBzYWx0IGJ5dGVzIQ$0kmu5ZvHpC60M6edcfok5KtLev7+ymm0q0karzMkp14";
    let twisted = [
        format!("$scrypt$ln=0,r=8,p=1${tail}"),
        format!("$scrypt$ln=4,r=0,p=1${tail}"),
        format!("$scrypt$ln=4,r=8${tail}"),
        format!("$scrypt$ln=4,r=8,p=1,x=1${tail}"),
        format!("$scrypt$ln=4,ln=5,r=8,p=1${tail}"),
        format!("$scrypt$ln=+4,r=8,p=1${tail}"),
        format!("$scrypt$ln=4,r=8,p=1${tail}$more"),
        "$scrypt$ln=4,r=8,p=1$c29tZSBzYWx0$AAAA".to_owned(),
        format!("$scrypt$ln=4,r=8,p=1$c29tZSBzYWx0${}", "A".repeat(88)),
        format!("$scrypt$ln=4,r=8,p=1${}$AAAA", "A".repeat(2000)),
        format!("$pbkdf2-sha256$i=0${tail}"),
        format!("$pbkdf2-sha256$i=1000,l=16${tail}"),
        format!("$pbkdf2-sha256$i=1000,prf=x${tail}"),
        format!("$pbkdf2-md5$i=1000${tail}"),
        "$pbkdf2-sha256$i=1000$!!!$0kmu5ZvHpC60M6edcfok5KtLev7+ymm0q0karzMkp14".to_owned(),
        FIREBASE.replace("v=1", "v=2"),
        FIREBASE.replace("n=14", "n=0"),
        FIREBASE.replace("p=1", "p=0"),
        FIREBASE.replace("ss=Bw==", "ss=!!!"),
        FIREBASE.replace("sk=ou9t", "sk=!!!!"),
        FIREBASE.replace("sk=ou9t", "sk="),
        FIREBASE.replace("$zKVT", "$"),
    ];
    for text in twisted {
        let refused = supported(&cheap(), &stored(&text));
        assert_eq!(refused, Err(Unverifiable::UnknownForm), "{text}");
    }
}

use std::io::Cursor;

use super::compile::{CompileError, Lines, compile};
use super::*;
use crate::password::rules::sha1;

fn list(input: &str, lines: Lines) -> (Breached, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("list");
    compile(input.as_bytes(), lines, File::create(&path).unwrap()).unwrap();
    (open(&path).unwrap(), directory)
}

fn line_of(password: &str) -> String {
    let hex = sha1(password.as_bytes()).map(|byte| format!("{byte:02X}"));
    format!("{}:7", hex.concat())
}

#[test]
fn every_password_of_a_list_is_found_and_no_other() {
    // Enough for some buckets to have several, and one that is wider than a window.
    let passwords: Vec<_> = (0..100_000).map(|n| format!("password {n}")).collect();
    let mut hashes: Vec<_> = passwords.iter().map(|password| line_of(password)).collect();
    let crowded = (0..5000_u64).map(|n| format!("ABCD{n:012X}{}", "0".repeat(24)));
    hashes.extend(crowded);
    hashes.sort();
    let (from_hashes, _one) = list(&hashes.join("\r\n"), Lines::Hashes);
    let (from_passwords, _other) = list(&passwords.join("\n"), Lines::Passwords);
    for list in [&from_hashes, &from_passwords] {
        for (n, password) in passwords.iter().enumerate() {
            assert!(list.contains(&sha1(password.as_bytes())).unwrap());
            let other = sha1(format!("another {n}").as_bytes());
            assert!(!list.contains(&other).unwrap());
        }
    }
    let crowd = |n: u64| {
        let mut sha1 = [0; 20];
        sha1[..2].copy_from_slice(&[0xab, 0xcd]);
        sha1[2..8].copy_from_slice(&n.to_be_bytes()[2..]);
        from_hashes.contains(&sha1).unwrap()
    };
    assert!((0..5000).all(crowd) && !crowd(5000) && !crowd((1 << 48) - 1));
}

#[test]
fn what_is_no_ordered_list_of_hashes_makes_no_list() {
    let check = |input: &str, expected: &str| {
        let made = compile(input.as_bytes(), Lines::Hashes, Cursor::new(Vec::new()));
        let error = made.expect_err(input).to_string();
        assert!(error.contains(expected), "{input}: {error}");
    };
    let (small, large) = ("0".repeat(40), "F".repeat(40));
    check(&format!("{large}:1\n{small}:1"), "line 2 is out of order");
    check("correct horse", "line 1 is no SHA-1");
    check(&format!("{small}:1\n{small}:x"), "line 2 is no SHA-1");
    check(&format!("{small}0"), "line 1 is no SHA-1");
    // NTLM hashes have 32 digits.
    check(&"0".repeat(32), "line 1 is no SHA-1");
    check(&"g".repeat(40), "line 1 is no SHA-1");
    check("\n\n", "no passwords");
}

#[test]
fn a_list_that_is_not_whole_is_not_opened() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("list");
    let mut bytes = Cursor::new(Vec::new());
    compile("a\nb\nc".as_bytes(), Lines::Passwords, &mut bytes).unwrap();
    let bytes = bytes.into_inner();
    let opened = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        open(&path)
    };
    assert!(opened(&bytes).is_ok());
    for length in [0, 10, MAGIC.len() - 1, MAGIC.len(), 1000, bytes.len() - 1] {
        let none = length < MAGIC.len();
        match opened(&bytes[..length]) {
            Err(OpenError::NoList) => assert!(none, "{length}"),
            other => assert!(
                !none && matches!(other, Err(OpenError::Damaged)),
                "{length}"
            ),
        }
    }
    let mut disordered = bytes.clone();
    disordered[usize::try_from(TABLE_AT).unwrap() + 80] = 1;
    assert!(matches!(opened(&disordered), Err(OpenError::Damaged)));
    let longer = [bytes.as_slice(), b"x"].concat();
    assert!(matches!(opened(&longer), Err(OpenError::Damaged)));
    let text = format!("{}:1\n", "0".repeat(40));
    assert!(matches!(opened(text.as_bytes()), Err(OpenError::NoList)));
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(open(&path), Err(OpenError::Io(_))));
}

#[test]
fn a_list_that_was_not_written_to_its_end_is_none() {
    let disordered = format!("{}\n{}", "F".repeat(40), "0".repeat(40));
    let mut bytes = Cursor::new(Vec::new());
    let made = compile(disordered.as_bytes(), Lines::Hashes, &mut bytes);
    assert!(matches!(made, Err(CompileError::Order(2))));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("list");
    std::fs::write(&path, bytes.into_inner()).unwrap();
    assert!(matches!(open(&path), Err(OpenError::NoList)));
}

#[test]
fn a_list_that_shrinks_under_our_feet_is_no_clean_bill() {
    let (list, directory) = list("a\nb\nc", Lines::Passwords);
    let path = directory.path().join("list");
    let file = File::options().write(true).open(path).unwrap();
    file.set_len(ENTRIES_AT).unwrap();
    assert!(list.contains(&sha1(b"a")).is_err());
}

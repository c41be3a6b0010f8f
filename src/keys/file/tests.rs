use std::collections::BTreeSet;
use std::fs::Permissions;
use std::time::Duration;

use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_000);

fn start(path: &Path) -> Result<KeyRing, KeyError> {
    open(
        &KeySource::Kept(path.to_owned()),
        SigningAlgorithm::Es256,
        NOW,
    )
}

fn turn(path: &Path) -> Result<KeyRing, KeyError> {
    let rotation = Rotation {
        algorithm: SigningAlgorithm::EdDsa,
        now: NOW,
        retire_after: Duration::from_mins(1),
    };
    rotate(path, rotation)
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_ring_is_made_once_and_for_its_owner_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state/keys.json");
    let made = start(&path).unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    let again = start(&path).unwrap();
    assert_eq!(again.newest().kid(), made.newest().kid());
    let turned = turn(&path).unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(start(&path).unwrap().newest().kid(), turned.newest().kid());
    assert!(!beside(&path, ".new").exists());
}

/// Where this user may give files away; elsewhere all files are the user's own, and stay so.
#[test]
fn who_rotates_leaves_the_ring_to_its_owner() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys.json");
    start(&path).unwrap();
    std::fs::remove_file(beside(&path, ".lock")).unwrap();
    let _given_or_kept = std::os::unix::fs::chown(&path, Some(12_345), Some(54_321));
    let owner = |path: &Path| {
        let found = std::fs::metadata(path).unwrap();
        (found.uid(), found.gid())
    };
    let before = owner(&path);
    turn(&path).unwrap();
    assert_eq!(owner(&path), before);
    assert_eq!(owner(&beside(&path, ".lock")), before);
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn two_at_the_first_start_make_one_ring() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys.json");
    // The making of an RSA key takes so long that all of them are at it at once.
    let source = KeySource::Kept(path);
    let make = || open(&source, SigningAlgorithm::Rs256, NOW).unwrap();
    let kids: BTreeSet<String> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| make().newest().kid().to_owned()))
            .collect();
        starts.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(kids.len(), 1);
}

#[test]
fn two_rotations_at_once_lose_no_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys.json");
    start(&path).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| turn(&path).unwrap());
        }
    });
    assert_eq!(load(&path).unwrap().keys().count(), 5);
}

#[test]
fn a_broken_ring_is_refused_and_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys.json");
    for text in ["", "\n", "{", "{\"version\":1}", "\u{0}"] {
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        for outcome in [start(&path), turn(&path)] {
            assert!(
                matches!(outcome, Err(KeyError::NotARing { .. })),
                "{outcome:?}"
            );
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
    std::fs::write(&path, " ".repeat(2_000_000)).unwrap();
    let problem = start(&path).unwrap_err().to_string();
    assert!(problem.contains("longer than"), "{problem}");
}

#[test]
fn a_ring_that_everybody_can_read_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys.json");
    start(&path).unwrap();
    let check = |mode: u32, welcome: bool| {
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let outcome = start(&path);
        assert_eq!(outcome.is_ok(), welcome, "{mode:o}: {outcome:?}");
        assert_eq!(matches!(outcome, Err(KeyError::Exposed { .. })), !welcome);
    };
    check(0o604, false);
    check(0o602, false);
    check(0o644, false);
    check(0o660, true);
    check(0o600, true);
}

#[test]
fn a_ring_that_is_not_there_cannot_be_rotated() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys.json");
    assert!(turn(&path).is_err());
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

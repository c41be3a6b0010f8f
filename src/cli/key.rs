//! `doorward key`: looks at the key ring, and turns it, while the gateway runs.

use std::io::Write;

use crate::keys::KeySource;
use crate::keys::ring::{RingKey, Rotation, SHOWN_FIRST};
use crate::token::algorithm::Algorithm;

/// `doorward key rotate`: a new key signs as soon as every gateway that runs has taken up the ring, and the
/// old one verifies until its last token ends.
///
/// # Errors
///
/// Where the ring is given by the operator: then it is changed where it comes from.
pub fn rotate(source: &KeySource, rotation: Rotation, out: &mut dyn Write) -> anyhow::Result<()> {
    let ring = source.rotate(rotation)?;
    let soon = SHOWN_FIRST.as_secs();
    writeln!(out, "{} signs in {soon} seconds:", ring.newest().kid())?;
    ring.keys().try_for_each(|key| write_key(key, out))?;
    Ok(())
}

/// `doorward key list`: one line a key, the newest first. Nothing secret. Makes no ring.
pub fn list(source: &KeySource, out: &mut dyn Write) -> anyhow::Result<()> {
    let ring = source.ring()?;
    ring.keys().try_for_each(|key| write_key(key, out))?;
    Ok(())
}

fn write_key(key: &RingKey, out: &mut dyn Write) -> std::io::Result<()> {
    let algorithm = Algorithm::from(key.algorithm()).as_str();
    write!(out, "{}  {algorithm}  made {}", key.kid(), key.created_at())?;
    match key.retirement() {
        None => writeln!(out),
        Some(end) => writeln!(
            out,
            "  retired {}  verifies until {}",
            end.retired_at, end.verifies_until
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::Timestamp;
    use crate::keys::{SigningAlgorithm, file};

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn rotation() -> Rotation {
        Rotation {
            algorithm: SigningAlgorithm::EdDsa,
            now: NOW,
            retire_after: Duration::from_mins(1),
        }
    }

    #[test]
    fn a_rotation_is_told_and_listed_without_secrets() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys.json");
        let source = KeySource::Kept(path.clone());
        let mut told = Vec::new();
        assert!(list(&source, &mut told).is_err(), "a look makes no ring");
        let old = file::open(&source, SigningAlgorithm::Es256, NOW).unwrap();
        rotate(&source, rotation(), &mut told).unwrap();
        let mut listed = Vec::new();
        list(&source, &mut listed).unwrap();
        let (told, listed) = (
            String::from_utf8(told).unwrap(),
            String::from_utf8(listed).unwrap(),
        );
        assert!(
            told.ends_with(&listed) && told.lines().count() == 3,
            "{told}"
        );
        let lines: Vec<&str> = listed.lines().collect();
        assert!(
            lines[0].ends_with("EdDSA  made 2027-01-15T08:00:00.000Z"),
            "{listed}"
        );
        assert!(lines[1].starts_with(old.newest().kid()), "{listed}");
        assert!(
            lines[1].ends_with("verifies until 2027-01-15T08:01:05.000Z"),
            "{listed}"
        );
        let text = std::fs::read_to_string(&path).unwrap();
        let ring: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(!listed.contains(ring["keys"][0]["key"].as_str().unwrap()));
    }

    #[test]
    fn given_keys_are_not_rotated_here() {
        let pem = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519)
            .unwrap()
            .serialize_pem();
        let source = KeySource::Given(pem.as_str().into());
        let error = rotate(&source, rotation(), &mut Vec::new()).unwrap_err();
        assert!(
            error.to_string().contains("given by the configuration"),
            "{error}"
        );
        let mut listed = Vec::new();
        list(&source, &mut listed).unwrap();
        assert!(String::from_utf8(listed).unwrap().contains("EdDSA"));
    }
}

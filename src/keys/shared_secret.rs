//! A secret that signs tokens of a dialect, beside the key ring: the one that was given, which is kept from
//! then on; else the one that was kept; else a new one.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::KeyError;
use super::file::{at, is_missing, lock, refuse_exposed, write};
use crate::id::random_bytes;
use crate::secret::SecretText;

/// The shortest secret, in bytes (RFC 7518 §3.2 for HS256).
pub const LEAST_BYTES: usize = 32;

/// The longest one that is kept.
const MAX_BYTES: u64 = 64 * 1024;

/// The secret that counts from now on, in the file `path` as well. Blocks for a few reads and writes.
pub fn settle(path: &Path, given: Option<&SecretText>) -> Result<SecretText, KeyError> {
    let _lock = lock(path)?;
    let kept = match load(path) {
        Err(error) if is_missing(&error) => None,
        loaded => Some(loaded?),
    };
    let secret = match (given, kept) {
        (None, Some(kept)) => return Ok(kept),
        (Some(given), Some(kept)) if given.same_as(kept.expose().as_bytes()) => return Ok(kept),
        (Some(given), _) => given.clone(),
        (None, None) => SecretText::new(URL_SAFE_NO_PAD.encode(random_bytes::<48>())),
    };
    write(path, secret.expose().as_bytes())?;
    Ok(secret)
}

fn load(path: &Path) -> Result<SecretText, KeyError> {
    let file = File::open(path).map_err(at(path))?;
    refuse_exposed(path, &file)?;
    let mut text = Zeroizing::new(String::new());
    file.take(MAX_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(at(path))?;
    let is_sound = (LEAST_BYTES..=usize::try_from(MAX_BYTES).unwrap_or(0)).contains(&text.len());
    if is_sound {
        Ok(SecretText::from(text.as_str()))
    } else {
        Err(KeyError::NotASecret {
            path: path.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const GIVEN: &str = "a secret of at least thirty-two bytes";

    #[test]
    fn a_new_secret_is_made_once_and_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        let first = settle(&path, None).unwrap();
        assert!(first.expose().len() >= LEAST_BYTES);
        assert_eq!(settle(&path, None).unwrap().expose(), first.expose());
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let other = settle(&directory.path().join("other"), None).unwrap();
        assert_ne!(other.expose(), first.expose());
    }

    #[test]
    fn a_given_secret_counts_and_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        settle(&path, None).unwrap();
        let given = SecretText::from(GIVEN);
        assert_eq!(settle(&path, Some(&given)).unwrap().expose(), GIVEN);
        assert_eq!(settle(&path, None).unwrap().expose(), GIVEN);
    }

    #[test]
    fn a_broken_or_open_file_is_an_error_and_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        settle(&path, None).unwrap();
        std::fs::write(&path, "short").unwrap();
        let refused = settle(&path, None);
        assert!(matches!(refused, Err(KeyError::NotASecret { .. })));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "short");
        std::fs::write(&path, GIVEN).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let refused = settle(&path, None);
        assert!(matches!(refused, Err(KeyError::Exposed { .. })));
    }
}

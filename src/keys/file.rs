//! The key ring as a file: made once, never by two, never half-written, never readable by all.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown,
};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::ring::{KeyRing, Rotation};
use super::{KeyError, KeySource, RingError, SigningAlgorithm, format, given};
use crate::clock::Timestamp;

/// The longest ring file. A ring of fifty RSA keys takes a tenth of it.
const MAX_BYTES: u64 = 1024 * 1024;

/// The most keys that a rotation leaves in the ring: everybody who checks our tokens reads all of them.
const MOST_KEYS: usize = 64;

/// The ring that `source` names; made now if it is to be kept in a file that is not there.
pub fn open(
    source: &KeySource,
    algorithm: SigningAlgorithm,
    now: Timestamp,
) -> Result<KeyRing, KeyError> {
    match source {
        KeySource::Kept(path) => load_or_create(path, algorithm, now),
        KeySource::Given(text) => given::parse(text).map_err(KeyError::Given),
    }
}

impl KeySource {
    /// The ring as it stands now. Makes none. Blocks for the reading of a file.
    pub fn ring(&self) -> Result<KeyRing, KeyError> {
        match self {
            Self::Kept(path) => load(path),
            Self::Given(text) => given::parse(text).map_err(KeyError::Given),
        }
    }

    /// A new key signs soon, and the old one verifies until its last token ends. Returns the new ring. Blocks for the making of a key, and for files.
    pub fn rotate(&self, rotation: Rotation) -> Result<KeyRing, KeyError> {
        match self {
            Self::Kept(path) => rotate(path, rotation),
            Self::Given(_) => Err(KeyError::GivenByOperator),
        }
    }
}

/// Reads the ring in the file `path`.
pub fn load(path: &Path) -> Result<KeyRing, KeyError> {
    let file = File::open(path).map_err(at(path))?;
    refuse_exposed(path, &file)?;
    let mut text = Zeroizing::new(String::new());
    file.take(MAX_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(at(path))?;
    let not_a_ring = |problem| KeyError::NotARing {
        path: path.to_owned(),
        problem,
    };
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > MAX_BYTES {
        return Err(not_a_ring(RingError::TooLong(MAX_BYTES)));
    }
    format::parse(&text).map_err(not_a_ring)
}

/// Rewrites the file `path` with a new signing key, and returns the new ring. A gateway that runs takes
/// it up within a second ([`watch`](super::watch)).
pub fn rotate(path: &Path, rotation: Rotation) -> Result<KeyRing, KeyError> {
    // Without this look a mistyped path would leave a lock file behind.
    load(path)?;
    let _lock = lock(path)?;
    let ring = load(path)?.rotated(rotation)?;
    if ring.keys().count() > MOST_KEYS {
        return Err(KeyError::TooMany(MOST_KEYS));
    }
    store(path, &ring)?;
    Ok(ring)
}

/// Only a file that is not there is made anew. One that is empty or broken was a ring once.
fn load_or_create(
    path: &Path,
    algorithm: SigningAlgorithm,
    now: Timestamp,
) -> Result<KeyRing, KeyError> {
    match load(path) {
        Err(error) if is_missing(&error) => {}
        loaded => return loaded,
    }
    if let Some(directory) = path.parent() {
        let mut builder = DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(directory);
        made.map_err(at(directory))?;
    }
    let _lock = lock(path)?;
    match load(path) {
        // Still missing now that we hold the lock, so nobody else makes one.
        Err(error) if is_missing(&error) => {}
        loaded => return loaded,
    }
    let ring = KeyRing::generate(algorithm, now)?;
    store(path, &ring)?;
    Ok(ring)
}

pub(super) fn is_missing(error: &KeyError) -> bool {
    matches!(error, KeyError::File { source, .. } if source.kind() == ErrorKind::NotFound)
}

/// Everybody on the machine: refused. The group: let pass, as Kubernetes opens every file of a volume
/// with `fsGroup` to the group of the pod at each mount.
pub(super) fn refuse_exposed(path: &Path, file: &File) -> Result<(), KeyError> {
    let mode = file.metadata().map_err(at(path))?.permissions().mode() & 0o7777;
    if mode & 0o007 != 0 {
        return Err(KeyError::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    if mode & 0o070 != 0 {
        tracing::warn!(path = %path.display(), "the group of the key ring file can read it");
    }
    Ok(())
}

/// Held until dropped, and by the kernel, so that a killed process holds nothing. The lock file stays:
/// to remove it would let a third process lock another file of the same name.
pub(super) fn lock(path: &Path) -> Result<File, KeyError> {
    let lock = beside(path, ".lock");
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(false).mode(0o600);
    let file = file.open(&lock).map_err(at(&lock))?;
    keep_owner(path, &file).map_err(at(&lock))?;
    file.lock().map_err(at(&lock))?;
    Ok(file)
}

/// Whoever reads sees the old text or the new one, after a power cut too. The lock must be held.
fn store(path: &Path, ring: &KeyRing) -> Result<(), KeyError> {
    let text = format::render(ring)
        .map_err(std::io::Error::from)
        .map_err(at(path))?;
    write(path, text.expose().as_bytes())
}

/// The same for any text that nobody else may read.
pub(super) fn write(path: &Path, text: &[u8]) -> Result<(), KeyError> {
    let new = beside(path, ".new");
    match std::fs::remove_file(&new) {
        // What a killed process left.
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(at(&new)(error)),
        Ok(()) | Err(_) => {}
    }
    // 0600 from the first moment; `create_new` follows no link that somebody may have laid.
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(&new);
    let mut file = file.map_err(at(&new))?;
    keep_owner(path, &file).map_err(at(&new))?;
    file.write_all(text).map_err(at(&new))?;
    file.sync_all().map_err(at(&new))?;
    std::fs::rename(&new, path).map_err(at(path))?;
    sync_directory(path)
}

/// Root that rewrites a file of the gateway's user must leave it to that user, who could not read it else.
fn keep_owner(old: &Path, new: &File) -> std::io::Result<()> {
    let Ok(owner) = std::fs::metadata(old) else {
        return Ok(());
    };
    let ours = new.metadata()?;
    if (owner.uid(), owner.gid()) == (ours.uid(), ours.gid()) {
        return Ok(());
    }
    fchown(new, Some(owner.uid()), Some(owner.gid()))
}

fn sync_directory(path: &Path) -> Result<(), KeyError> {
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let opened = File::open(directory).map_err(at(directory))?;
    opened.sync_all().map_err(at(directory))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

pub(super) fn at(path: &Path) -> impl Fn(std::io::Error) -> KeyError {
    let path = path.to_owned();
    move |source| KeyError::File {
        path: path.clone(),
        source,
    }
}

#[cfg(test)]
mod tests;

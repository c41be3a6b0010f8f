//! Takes up a key ring that was rewritten while the gateway runs.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tokio::sync::Mutex;

use super::KeyError;
use super::file::load;
use super::ring::KeyRing;

/// How often the file is looked at. Polled and not notified of: that works on every file system, and
/// one `stat` a second costs nothing.
const EVERY: Duration = Duration::from_secs(1);

/// What changes when a file is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    inode: u64,
    length: u64,
}

/// Hands each new ring in the file `path` to `take`, for ever. A file that is missing or broken is
/// reported once, and the ring before it stays in use.
///
/// `turn` is held from the reading to the taking: whoever rewrites the file and takes the new ring up
/// themselves holds it too, so that no ring of before is taken after it.
pub async fn watch(path: PathBuf, turn: &Mutex<()>, take: impl Fn(KeyRing) + Send) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // Nothing is known of the file that was read at the start, so it is read once more: it may have
    // been replaced in between.
    let mut taken = None;
    let mut told = None;
    loop {
        ticks.tick().await;
        let stamp = tokio::fs::metadata(&path)
            .await
            .ok()
            .map(|found| stamp(&found));
        if stamp.is_some() && taken == stamp {
            continue;
        }
        let _turn = turn.lock().await;
        match read(&path).await {
            Ok(ring) => {
                taken = stamp;
                told = None;
                take(ring);
            }
            // Tried again: what is in the way may be something that no stamp shows.
            Err(error) => {
                let problem = Some((stamp, error.to_string()));
                if told != problem {
                    tracing::warn!(%error, "the key ring is not taken up; the old one stays");
                    told = problem;
                }
            }
        }
    }
}

fn stamp(metadata: &Metadata) -> Stamp {
    Stamp {
        modified: metadata.modified().ok(),
        inode: metadata.ino(),
        length: metadata.len(),
    }
}

async fn read(path: &Path) -> Result<KeyRing, KeyError> {
    let owned = path.to_owned();
    match tokio::task::spawn_blocking(move || load(&owned)).await {
        Ok(read) => read,
        Err(stopped) => Err(KeyError::BrokenOff(stopped)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;
    use std::sync::Arc;

    use super::*;
    use crate::clock::Timestamp;
    use crate::keys::ring::Rotation;
    use crate::keys::{KeySource, SigningAlgorithm, file};

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    /// With the clock of tokio paused, the wait is no wait.
    async fn two_looks() {
        tokio::time::sleep(2 * EVERY + Duration::from_millis(500)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_good_ring_is_taken_up_once_and_a_bad_one_never() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys.json");
        let source = KeySource::Kept(path.clone());
        let first = file::open(&source, SigningAlgorithm::Es256, NOW).unwrap();
        let taken = Arc::new(parking_lot::Mutex::new(Vec::new()));
        let sink = Arc::clone(&taken);
        let watched = path.clone();
        let watching = tokio::spawn(async move {
            let take = |ring: KeyRing| sink.lock().push(ring.newest().kid().to_owned());
            watch(watched, &Mutex::default(), take).await;
        });
        two_looks().await;
        assert_eq!(*taken.lock(), [first.newest().kid()]);
        let good = std::fs::read(&path).unwrap();
        for bad in [&b""[..], b"{", &good[..good.len() / 2]] {
            std::fs::write(&path, bad).unwrap();
            two_looks().await;
        }
        std::fs::remove_file(&path).unwrap();
        two_looks().await;
        assert_eq!(taken.lock().len(), 1);
        file::open(&source, SigningAlgorithm::Es256, NOW).unwrap();
        let rotation = Rotation {
            algorithm: SigningAlgorithm::EdDsa,
            now: NOW,
            retire_after: Duration::ZERO,
        };
        let second = file::rotate(&path, rotation).unwrap();
        two_looks().await;
        let expected = [first.newest().kid(), second.newest().kid()];
        assert_eq!(*taken.lock(), expected);

        // What stands in the way is no change of the file, and neither is that it goes.
        let third = file::rotate(&path, rotation).unwrap();
        let mode = |mode| std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        mode(0o644);
        two_looks().await;
        assert_eq!(taken.lock().len(), 2);
        mode(0o600);
        two_looks().await;
        assert_eq!(taken.lock().last().unwrap(), third.newest().kid());
        watching.abort();
    }
}

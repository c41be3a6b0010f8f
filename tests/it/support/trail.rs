//! An audit trail that is kept in a database, as soon as its writer runs.

use std::path::Path;

use doorward::audit::seal::SealKeys;
use doorward::audit::store::AuditStore;
use doorward::audit::{Audit, Counters, Writer};
use doorward::clock::{ManualClock, Timestamp};
use doorward::database::Database;
use doorward::logs::LineLog;
use doorward::secret::SecretBytes;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

pub(crate) async fn trail(directory: &Path) -> (Audit, Writer) {
    trail_in(Database::embedded(directory).await.unwrap())
}

pub(crate) fn trail_in(database: Database) -> (Audit, Writer) {
    let keys = SealKeys::new(&[SecretBytes::new(vec![1; 32])]).unwrap();
    let store = AuditStore::new(database, keys);
    let audit = Audit::new(LineLog::off(), ManualClock::at(NOW));
    audit.kept(store, Counters::default())
}

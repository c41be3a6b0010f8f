//! The audit trail, to be read and verified.

use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::{AdminError, Administrator};
use crate::audit::query::{AuditPage, AuditQuery};
use crate::audit::store::Head;
use crate::audit::verify::{Anchors, Broken, Verified, VerifyError};
use crate::unavailable::Unavailable;

impl Administrator {
    /// A page of the audit trail.
    pub async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, AdminError> {
        Ok(self.auth.parts.audit.query(query).await?)
    }

    /// The place and seal of its last entry.
    pub async fn audit_head(&self) -> Result<Head, AdminError> {
        Ok(self.auth.parts.audit.head().await?)
    }

    /// Whether all of it is as it was written, or the first place that is not.
    ///
    /// Every seal is made anew, so it is done beside the threads that serve requests; it stops where
    /// nobody waits for it any more.
    pub async fn verify_audit(
        &self,
        anchors: Anchors,
    ) -> Result<Result<Verified, Broken>, AdminError> {
        let turn = self.auth.turns.verifying.take()?;
        let audit = self.auth.parts.audit.clone();
        let waits = CancellationToken::new();
        let _until_dropped = waits.clone().drop_guard();
        let runtime = Handle::current();
        let verifying = spawn_blocking(move || {
            let _turn = turn;
            let verifying = waits.run_until_cancelled_owned(async { audit.verify(&anchors).await });
            runtime.block_on(verifying)
        });
        let stopped = || Unavailable::new("the verification", "it was stopped");
        match verifying.await.map_err(|_panicked| stopped())? {
            Some(Ok(verified)) => Ok(Ok(verified)),
            Some(Err(VerifyError::Broken(broken))) => Ok(Err(broken)),
            Some(Err(VerifyError::Unavailable(error))) => Err(error.into()),
            None => Err(stopped().into()),
        }
    }
}

//! Looking things up in the trail, the newest first.

use sqlx::{AssertSqlSafe, query_as};

use super::entry::Kept;
use super::store::AuditStore;
use crate::clock::Timestamp;
use crate::unavailable::Unavailable;

/// What is looked for; what is `None` does not matter. Texts are compared whole.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// About whom: a user id.
    pub user: Option<String>,
    /// Who.
    pub actor: Option<String>,
    /// What was tried.
    pub action: Option<String>,
    /// What came of it.
    pub outcome: Option<String>,
    /// About which session.
    pub session: Option<String>,
    /// By which request.
    pub request_id: Option<String>,
    /// From where.
    pub address: Option<String>,
    /// Not before this.
    pub since: Option<Timestamp>,
    /// Before this.
    pub until: Option<Timestamp>,
    /// The cursor: only what stands before this place. From [`AuditPage::next`].
    pub before: Option<i64>,
    /// The most entries of a page.
    pub limit: u32,
}

/// Some of what was found, the newest first.
#[derive(Clone, Debug)]
pub struct AuditPage {
    /// The entries.
    pub entries: Vec<Kept>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<i64>,
}

impl AuditQuery {
    fn texts(&self) -> [(&'static str, Option<&String>); 7] {
        [
            ("user_id", self.user.as_ref()),
            ("actor", self.actor.as_ref()),
            ("action", self.action.as_ref()),
            ("outcome", self.outcome.as_ref()),
            ("session_id", self.session.as_ref()),
            ("request_id", self.request_id.as_ref()),
            ("address", self.address.as_ref()),
        ]
    }

    fn numbers(&self) -> [(&'static str, Option<i64>); 3] {
        [
            ("time >=", self.since.map(Timestamp::as_millis)),
            ("time <", self.until.map(Timestamp::as_millis)),
            ("seq <", self.before),
        ]
    }
}

impl AuditStore {
    /// A page of what `query` is after. Nothing is counted: that would read all of it.
    pub async fn query(&self, query: &AuditQuery) -> Result<AuditPage, Unavailable> {
        let numbers = query.numbers().map(|(test, value)| value.map(|_| test));
        let texts = query.texts().map(|(column, value)| value.map(|_| column));
        let numbers = numbers.into_iter().flatten().map(str::to_owned);
        let texts = texts.into_iter().flatten().map(|name| format!("{name} ="));
        let tests = (2..).zip(numbers.chain(texts));
        let tests: String = tests
            .map(|(place, test)| format!(" AND {test} ${place}"))
            .collect();
        // Made of the fixed words above; what was asked for is bound.
        let sql = format!("SELECT * FROM audit WHERE seq > 0{tests} ORDER BY seq DESC LIMIT $1");
        let mut statement = query_as(AssertSqlSafe(sql)).bind(i64::from(query.limit) + 1);
        for (_, value) in query.numbers() {
            statement = match value {
                Some(number) => statement.bind(number),
                None => statement,
            };
        }
        for (_, value) in query.texts() {
            statement = match value {
                Some(text) => statement.bind(text.clone()),
                None => statement,
            };
        }
        let find = async { statement.fetch_all(self.database.pool().await?).await };
        let mut entries: Vec<Kept> = self.database.within(find).await.map_err(self.away())?;
        let limit = query.limit as usize;
        let is_more = entries.len() > limit;
        entries.truncate(limit);
        let next = entries.last().map(|kept| kept.seq).filter(|_| is_more);
        Ok(AuditPage { entries, next })
    }
}

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
    /// About which API key.
    pub api_key: Option<String>,
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
    fn texts(&self) -> [(&'static str, Option<&String>); 8] {
        [
            ("user_id", self.user.as_ref()),
            ("actor", self.actor.as_ref()),
            ("action", self.action.as_ref()),
            ("outcome", self.outcome.as_ref()),
            ("session_id", self.session.as_ref()),
            ("api_key_id", self.api_key.as_ref()),
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
        let sql = statement(query);
        let mut find = query_as(AssertSqlSafe(sql)).bind(i64::from(query.limit) + 1);
        for (_, value) in query.numbers() {
            find = match value {
                Some(number) => find.bind(number),
                None => find,
            };
        }
        for (_, value) in query.texts() {
            find = match value {
                Some(text) => find.bind(text.clone()),
                None => find,
            };
        }
        let find = async { find.fetch_all(self.database.pool().await?).await };
        let mut entries: Vec<Kept> = self.database.within(find).await.map_err(self.away())?;
        let limit = query.limit as usize;
        let is_more = entries.len() > limit;
        entries.truncate(limit);
        let next = entries.last().map(|kept| kept.seq).filter(|_| is_more);
        Ok(AuditPage { entries, next })
    }
}

/// Made of fixed words alone; what is asked for is bound, from $2 on and in this order.
fn statement(query: &AuditQuery) -> String {
    let numbers = query.numbers().into_iter();
    let numbers = numbers.filter_map(|(test, value)| value.map(|_| test.to_owned()));
    let words = query.texts().into_iter();
    let words = words.filter_map(|(column, value)| value.map(|_| format!("{column} =")));
    let mut all = vec!["seq > 0".to_owned()];
    for (place, test) in (2..).zip(numbers.chain(words)) {
        all.push(format!("{test} ${place}"));
    }
    let all = all.join(" AND ");
    format!("SELECT * FROM audit WHERE {all} ORDER BY seq DESC LIMIT $1")
}

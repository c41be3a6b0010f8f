//! Whether replicas have what a connection wrote.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Value, cmd};

use crate::sessions::Copied;

/// How long a replica may take to confirm: one that is well does at once. Less than an answer may take.
const LIMIT: Duration = Duration::from_secs(1);

/// Waits until a replica has what was written over this connection, where there is a replica.
pub(super) async fn wait(connection: &mut MultiplexedConnection) -> RedisResult<Copied> {
    // What a master says of its role: the word, its place, its replicas. Whoever is none any more has
    // lost what was written, perhaps.
    let role: Vec<Value> = cmd("ROLE").query_async(connection).await?;
    match (role.first(), role.get(2)) {
        (Some(Value::BulkString(word)), Some(Value::Array(replicas))) if word == b"master" => {
            if replicas.is_empty() {
                return Ok(Copied::NoReplica);
            }
        }
        (_, _) => return Ok(Copied::Unconfirmed),
    }
    let mut wait = cmd("WAIT");
    wait.arg(1).arg(super::super::millis(LIMIT));
    let copies: u64 = wait.query_async(connection).await?;
    Ok(match copies {
        0 => Copied::Unconfirmed,
        _ => Copied::Confirmed,
    })
}

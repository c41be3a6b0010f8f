//! API keys: what every store of them must do, what replicas make of them, and what gets through the gate.

use std::sync::Arc;
use std::time::Duration;

use doorward::api_key::{
    ApiKey, Description, KeyHash, KeyName, KeySubject, KeyText, Kind, Owner, Scope, Scopes,
    ServiceName,
};
use doorward::api_keys::sql::SqlApiKeys;
use doorward::api_keys::{
    ApiKeyStore, Changes, CreateError, KeyQuery, NewKey, Place, RotateError, Rotation, StoredKey,
};
use doorward::clock::{ManualClock, Timestamp};
use doorward::database::Database;
use doorward::id::{ApiKeyId, UserId};
use doorward::user::{AccountStatus, Email, EmailStatus, JsonObject, Role, Roles, User};
use doorward::users::sql::SqlUsers;
use doorward::users::{NewUser, UserChange, UserStore};

use crate::support::postgres::PostgresServer;

mod contract;
mod gateway;
mod judged;
mod replicas;

const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// A database with users and keys.
struct Bench {
    keys: SqlApiKeys,
    users: SqlUsers,
}

impl Bench {
    fn on(database: Database) -> Self {
        Self {
            keys: SqlApiKeys::new(database.clone()),
            users: SqlUsers::new(database, ManualClock::at(START)),
        }
    }

    async fn user(&self, name: &str) -> User {
        let new = NewUser {
            id: UserId::new(START),
            email: Email::parse(&format!("{name}@example.com")).unwrap(),
            username: None,
            password: None,
            roles: roles(&["editor", "admin"]),
            status: AccountStatus::Enabled,
            email_status: EmailStatus::Verified,
            profile: JsonObject::new(),
            metadata: JsonObject::new(),
        };
        self.users.insert(new).await.unwrap()
    }
}

fn roles(names: &[&str]) -> Roles {
    let roles = names.iter().map(|name| Role::parse(name).unwrap());
    roles.collect()
}

fn scopes(names: &[&str]) -> Scopes {
    let scopes = names.iter().map(|name| Scope::parse(name).unwrap());
    scopes.collect()
}

fn service(name: &str) -> KeySubject {
    KeySubject::Service(ServiceName::parse(name).unwrap())
}

fn name(text: &str) -> KeyName {
    KeyName::parse(text).unwrap()
}

/// A store of its own on each engine.
macro_rules! on_each_store {
    ($($behaviour:ident)*) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                let directory = tempfile::tempdir().unwrap();
                let database = super::Database::embedded(directory.path()).await.unwrap();
                super::contract::$behaviour(super::Bench::on(database)).await;
            })*
        }
        /// On one server: to make one costs seconds.
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn postgres_keeps_the_contract_of_key_stores() {
            let server = PostgresServer::start();
            $(
                let database = server.empty_database(stringify!($behaviour)).await;
                contract::$behaviour(Bench::on(database)).await;
            )*
        }
    };
}

on_each_store! {
    a_key_reads_back_as_it_was_stored
    no_two_keys_have_the_same_text
    a_key_of_nobody_is_not_made
    one_owner_has_only_so_many_keys
    a_new_name_is_kept_and_told
    a_revoked_key_stays_revoked_since_then
    a_rotated_key_hands_over_all_that_it_had
    a_key_that_holds_no_longer_is_not_rotated
    of_many_rotations_at_once_one_succeeds
    what_bounds_a_key_is_told_as_its_change
    a_removed_user_leaves_no_key_that_holds
    changes_at_once_are_all_told_in_order
    many_changes_come_in_pages
    an_older_state_of_the_store_is_noticed
    uses_are_noted_and_are_no_changes
    lists_are_in_order_and_count_all
    what_ended_long_ago_is_cleared_away
}

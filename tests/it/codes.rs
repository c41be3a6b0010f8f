//! One-time codes: what their store must do, on both databases.

use std::sync::Arc;
use std::time::Duration;

use doorward::clock::Timestamp;
use doorward::code::{DigitsHash, KeptCode, Purpose, Subject, TokenHash};
use doorward::codes::sql::SqlCodes;
use doorward::codes::{CodeStore, Exchange, Put, Redeemed, Shown};
use doorward::database::Database;
use doorward::id::UserId;
use doorward::secret::{SecretBytes, SecretText};
use doorward::session::SessionSigner;
use doorward::user::Email;

use crate::support::postgres::PostgresServer;

const START: Timestamp = Timestamp::from_seconds(1_763_696_385);
const RIGHT: &str = "012345";

fn email(text: &str) -> Email {
    Email::parse(text).unwrap()
}

fn subject(address: &str, purpose: Purpose) -> Subject {
    Subject {
        email: email(address),
        purpose,
    }
}

fn signer() -> SessionSigner {
    SessionSigner::new(&[SecretBytes::new(vec![1; 32])])
}

/// A code with the digits 012345 and the token `address`, good for five tries and an hour.
fn code(address: &str, purpose: Purpose) -> KeptCode {
    let subject = subject(address, purpose);
    KeptCode {
        user: UserId::new(START),
        digits: DigitsHash::of(&subject, &SecretText::from(RIGHT), &signer()),
        token: Some(TokenHash::of(&SecretText::from(address))),
        subject,
        created_at: START,
        digits_end_at: START.plus(Duration::from_mins(15)),
        token_ends_at: START.plus(Duration::from_hours(1)),
        attempts: 5,
    }
}

fn shown(address: &str, digits: &str) -> Shown {
    let subject = subject(address, Purpose::SignIn);
    Shown {
        digits: DigitsHash::candidates(&subject, &SecretText::from(digits), &signer()).unwrap(),
        subject,
        now: START,
    }
}

async fn put(store: &dyn CodeStore, address: &str) -> Redeemed {
    let code = code(address, Purpose::SignIn);
    let redeemed = Redeemed {
        user: code.user,
        email: email(address),
    };
    assert_eq!(store.put(code, START).await.unwrap(), Put::Stored);
    redeemed
}

#[tokio::test]
async fn sqlite_keeps_the_contract_of_code_stores() {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::embedded(directory.path()).await.unwrap();
    contract(Arc::new(SqlCodes::new(database))).await;
}

#[tokio::test]
async fn postgres_keeps_the_contract_of_code_stores() {
    let server = PostgresServer::start();
    contract(Arc::new(SqlCodes::new(server.database()))).await;
}

async fn contract(store: Arc<dyn CodeStore>) {
    a_code_is_right_once_for_its_address_and_purpose(&*store).await;
    a_token_is_right_once_and_uses_up_the_digits(&*store).await;
    a_code_ends(&*store).await;
    wrong_digits_kill_the_digits_and_not_the_token(&*store).await;
    guesses_at_once_are_all_counted(&store).await;
    of_many_who_show_a_code_at_once_one_wins(&store).await;
    digits_are_exchanged_for_a_token_once(&*store).await;
    another_code_takes_the_place_of_one_that_is_not_young(&*store).await;
    two_accounts_may_be_on_their_way_to_one_address(&*store).await;
    codes_are_forgotten_and_cleared_away(&*store).await;
}

async fn a_code_is_right_once_for_its_address_and_purpose(store: &dyn CodeStore) {
    let code = put(store, "once@example.com").await;
    let mut other = shown("once@example.com", RIGHT);
    other.subject.purpose = Purpose::ResetPassword;
    assert_eq!(store.redeem_digits(other).await.unwrap(), None);
    let elsewhere = shown("else@example.com", RIGHT);
    assert_eq!(store.redeem_digits(elsewhere).await.unwrap(), None);
    let right = shown("once@example.com", RIGHT);
    let redeemed = store.redeem_digits(right.clone()).await.unwrap();
    assert_eq!(redeemed, Some(code));
    assert_eq!(store.redeem_digits(right).await.unwrap(), None);
}

async fn a_token_is_right_once_and_uses_up_the_digits(store: &dyn CodeStore) {
    let code = put(store, "token@example.com").await;
    let token = TokenHash::of(&SecretText::from("token@example.com"));
    let redeem = async |purpose| store.redeem_token(purpose, &token, START).await.unwrap();
    assert_eq!(redeem(Purpose::VerifyEmail).await, None);
    assert_eq!(redeem(Purpose::SignIn).await, Some(code));
    assert_eq!(redeem(Purpose::SignIn).await, None);
    let digits = shown("token@example.com", RIGHT);
    assert_eq!(store.redeem_digits(digits).await.unwrap(), None);
}

async fn a_code_ends(store: &dyn CodeStore) {
    put(store, "late@example.com").await;
    let mut late = shown("late@example.com", RIGHT);
    late.now = START.plus(Duration::from_mins(15));
    assert_eq!(store.redeem_digits(late.clone()).await.unwrap(), None);
    let token = TokenHash::of(&SecretText::from("late@example.com"));
    let later = START.plus(Duration::from_hours(1));
    let redeemed = store.redeem_token(Purpose::SignIn, &token, later).await;
    assert_eq!(redeemed.unwrap(), None);
    let redeemed = store.redeem_token(Purpose::SignIn, &token, late.now).await;
    assert!(redeemed.unwrap().is_some(), "the link lives longer");
}

async fn wrong_digits_kill_the_digits_and_not_the_token(store: &dyn CodeStore) {
    put(store, "tried@example.com").await;
    for _ in 0..5 {
        let wrong = shown("tried@example.com", "999999");
        assert_eq!(store.redeem_digits(wrong).await.unwrap(), None);
    }
    let right = shown("tried@example.com", RIGHT);
    assert_eq!(store.redeem_digits(right).await.unwrap(), None);
    let token = TokenHash::of(&SecretText::from("tried@example.com"));
    let redeemed = store.redeem_token(Purpose::SignIn, &token, START).await;
    assert!(redeemed.unwrap().is_some());
}

/// Forty guesses at once, the right one in the middle: at most five of them are looked at.
async fn guesses_at_once_are_all_counted(store: &Arc<dyn CodeStore>) {
    let mut right = 0;
    for round in 0..5 {
        let address = format!("guessed{round}@example.com");
        put(&**store, &address).await;
        let mut guesses = tokio::task::JoinSet::new();
        for guess in 0..40 {
            let digits = if guess == 20 { RIGHT } else { "999999" };
            let (store, shown) = (Arc::clone(store), shown(&address, digits));
            guesses.spawn(async move { store.redeem_digits(shown).await.unwrap() });
        }
        right += guesses.join_all().await.iter().flatten().count();
        let after = store.redeem_digits(shown(&address, RIGHT)).await.unwrap();
        assert_eq!(after, None, "dead or used up");
    }
    assert!(right < 5, "every round was won: nothing is counted");
}

async fn of_many_who_show_a_code_at_once_one_wins(store: &Arc<dyn CodeStore>) {
    put(&**store, "race@example.com").await;
    let mut all = tokio::task::JoinSet::new();
    for way in 0..4 {
        let store = Arc::clone(store);
        all.spawn(async move {
            if way % 2 == 0 {
                let shown = shown("race@example.com", RIGHT);
                store.redeem_digits(shown).await.unwrap()
            } else {
                let token = TokenHash::of(&SecretText::from("race@example.com"));
                let redeemed = store.redeem_token(Purpose::SignIn, &token, START);
                redeemed.await.unwrap()
            }
        });
    }
    assert_eq!(all.join_all().await.iter().flatten().count(), 1);
}

async fn digits_are_exchanged_for_a_token_once(store: &dyn CodeStore) {
    let code = put(store, "exchange@example.com").await;
    let exchange = || Exchange {
        token: TokenHash::of(&SecretText::from("exchanged")),
        ends_at: START.plus(Duration::from_mins(30)),
    };
    let wrong = shown("exchange@example.com", "999999");
    let exchanged = store.exchange_digits(wrong, exchange()).await.unwrap();
    assert_eq!(exchanged, None);
    let right = shown("exchange@example.com", RIGHT);
    let exchanged = store.exchange_digits(right.clone(), exchange()).await;
    assert_eq!(exchanged.unwrap(), Some(code.clone()));
    let again = store.exchange_digits(right.clone(), exchange()).await;
    assert_eq!(again.unwrap(), None);
    assert_eq!(store.redeem_digits(right).await.unwrap(), None);
    let redeem = async |text: &str| {
        let token = TokenHash::of(&SecretText::from(text));
        let redeemed = store.redeem_token(Purpose::SignIn, &token, START).await;
        redeemed.unwrap()
    };
    assert_eq!(redeem("exchange@example.com").await, None, "the link's");
    assert_eq!(redeem("exchanged").await, Some(code));
}

async fn another_code_takes_the_place_of_one_that_is_not_young(store: &dyn CodeStore) {
    let first = code("again@example.com", Purpose::SignIn);
    let another = |address: &str, minutes| {
        let mut another = code(address, Purpose::SignIn);
        another.user = first.user;
        another.created_at = START.plus(Duration::from_mins(minutes));
        another.token = Some(TokenHash::of(&SecretText::from(&*format!(
            "{address}{minutes}"
        ))));
        (
            another,
            START
                .plus(Duration::from_mins(minutes))
                .minus(Duration::from_mins(1)),
        )
    };
    let put = async |(code, young)| store.put(code, young).await.unwrap();
    assert_eq!(put((first.clone(), START)).await, Put::Stored);
    let just_before = START.minus(Duration::from_millis(1));
    let (soon, _) = another("again@example.com", 0);
    assert_eq!(put((soon, just_before)).await, Put::TooSoon);
    assert_eq!(put(another("moved@example.com", 0)).await, Put::Stored);
    assert_eq!(put(another("moved@example.com", 1)).await, Put::Stored);
    let old = shown("again@example.com", RIGHT);
    assert_eq!(store.redeem_digits(old).await.unwrap(), None);
    let new = shown("moved@example.com", RIGHT);
    assert!(store.redeem_digits(new).await.unwrap().is_some());
    let (after_use, young) = another("moved@example.com", 1);
    assert_eq!(put((after_use, young)).await, Put::Stored, "it was used up");
}

async fn two_accounts_may_be_on_their_way_to_one_address(store: &dyn CodeStore) {
    let (mut ann, mut bob) = (
        code("both@example.com", Purpose::SignIn),
        code("both@example.com", Purpose::SignIn),
    );
    ann.token = None;
    bob.token = None;
    let of_bob = subject("both@example.com", Purpose::SignIn);
    bob.digits = DigitsHash::of(&of_bob, &SecretText::from("777777"), &signer());
    let bob_id = bob.user;
    store.put(ann, START).await.unwrap();
    store.put(bob, START).await.unwrap();
    let redeemed = store
        .redeem_digits(shown("both@example.com", "777777"))
        .await;
    assert_eq!(redeemed.unwrap().map(|code| code.user), Some(bob_id));
    let ann = store.redeem_digits(shown("both@example.com", RIGHT)).await;
    assert_ne!(ann.unwrap().map(|code| code.user), Some(bob_id));
}

async fn codes_are_forgotten_and_cleared_away(store: &dyn CodeStore) {
    let code = put(store, "forgotten@example.com").await;
    store.forget(code.user).await.unwrap();
    let forgotten = shown("forgotten@example.com", RIGHT);
    assert_eq!(store.redeem_digits(forgotten).await.unwrap(), None);
    assert_eq!(store.clear_expired(START).await.unwrap(), 0);
    let end = START.plus(Duration::from_hours(1));
    assert!(store.clear_expired(end).await.unwrap() > 5);
    assert_eq!(store.clear_expired(end).await.unwrap(), 0);
}

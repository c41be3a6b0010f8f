//! What a session is, and the refresh token that stands for it.
//!
//! A refresh token is `session id + generation + keyed hash`. The store keeps the generation and never
//! the token; the keyed hash shows that we made it before any store is asked. As a token follows from
//! its session and generation alone, the successor of a token can be given out again within the grace.

use std::fmt;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::Timestamp;
use crate::id::{SessionId, UserId};
use crate::secret::{SecretBytes, SecretText, same_bytes};
use crate::user::{Email, Roles, User};

/// How many refreshes a session has seen; each token belongs to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(u32);

impl Generation {
    /// The generation of the token that sign-in gives out.
    pub const FIRST: Self = Self(0);

    /// The generation with this number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// What kind of client holds the session, and so how it keeps its tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientKind {
    /// A browser: tokens in cookies that scripts cannot read.
    Web,
    /// A program: tokens in the body of the answer.
    Native,
}

impl ClientKind {
    /// The word for it in APIs, stores and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Native => "native",
        }
    }
}

/// How long the client keeps the session's tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Persistence {
    /// Until the browser is closed: its user did not ask to be remembered.
    Browser,
    /// As long as they hold: "remember me", and every program.
    Persistent,
}

impl Persistence {
    /// The word for it in APIs, stores and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Persistent => "persistent",
        }
    }
}

/// What a session was opened for. A session of one kind is no session of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionKind {
    /// An ordinary sign-in.
    User,
    /// A sign-in at an admin's entrance.
    Admin,
}

impl SessionKind {
    /// The word for it in APIs, stores and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
        }
    }
}

/// Who a session speaks for, as it was known at sign-in or at the last refresh.
///
/// Kept with the session so that a refresh works while the user store is away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The user.
    pub user: UserId,
    /// Their address.
    pub email: Email,
    /// Their roles.
    pub roles: Roles,
}

impl Subject {
    /// What a session keeps of this user.
    pub fn of(user: &User) -> Self {
        Self {
            user: user.id,
            email: user.email.clone(),
            roles: user.roles.clone(),
        }
    }
}

/// A session as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its name; the `sid` of its access tokens.
    pub id: SessionId,
    /// Who it speaks for.
    pub subject: Subject,
    /// What it was opened for.
    pub kind: SessionKind,
    /// What kind of client holds it.
    pub client: ClientKind,
    /// How long that client keeps it.
    pub persistence: Persistence,
    /// The generation of the newest refresh token.
    pub generation: Generation,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was last refreshed; at first, when it was opened.
    pub refreshed_at: Timestamp,
    /// When its newest refresh token ends: never after `ends_at`.
    pub expires_at: Timestamp,
    /// When it ends at the latest, however often it is refreshed.
    pub ends_at: Timestamp,
    /// Where it was opened from: a client address, as text.
    pub address: String,
    /// What opened it: the start of the `User-Agent`, at most 256 bytes.
    pub user_agent: String,
}

impl Session {
    /// How long a session of before there was [`ends_at`](Self::ends_at) lives from its sign-in on. The
    /// migration of the embedded store has the same number.
    const USUAL_AGE: Duration = Duration::from_hours(30 * 24);

    /// When a session ends that was stored without an end: no running session is cut short by it.
    pub fn usual_end(created_at: Timestamp, expires_at: Timestamp) -> Timestamp {
        created_at.plus(Self::USUAL_AGE).max(expires_at)
    }
}

/// How long the parts of a session live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// An access token.
    pub access: Duration,
    /// How long the parent of the newest refresh token still gets that same token back.
    pub grace: Duration,
    /// The session of a browser whose user did not ask to be remembered.
    pub web: Bounds,
    /// The session of a browser whose user did.
    pub remembered: Bounds,
    /// The session of a program.
    pub native: Bounds,
}

/// How long a session lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Without a refresh.
    pub idle: Duration,
    /// From its sign-in on, however often it is refreshed.
    pub absolute: Duration,
}

impl Lifetimes {
    /// Those of a session of this client.
    pub const fn bounds(&self, client: ClientKind, persistence: Persistence) -> Bounds {
        match (client, persistence) {
            (ClientKind::Web, Persistence::Browser) => self.web,
            (ClientKind::Web, Persistence::Persistent) => self.remembered,
            (ClientKind::Native, Persistence::Browser | Persistence::Persistent) => self.native,
        }
    }
}

/// A refresh token that we made: its keyed hash was checked. Whether it is still good, the store says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// The session that it stands for.
    pub session: SessionId,
    /// Which of the session's tokens it is.
    pub generation: Generation,
}

/// The text is no refresh token of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a refresh token of this gateway")]
pub struct NotARefreshToken;

/// Signs and checks what belongs to a session: refresh tokens and CSRF tokens.
#[derive(Clone)]
pub struct SessionSigner {
    /// The newest key first; it signs, all of them check.
    keys: Vec<hmac::Key>,
}

impl SessionSigner {
    /// 16 bytes of session id, 4 of generation, big-endian.
    const PAYLOAD_BYTES: usize = 20;
    /// The keyed hash is HMAC-SHA256 whole.
    const TAG_BYTES: usize = 32;
    /// Keeps the hashes of refresh tokens and of everything else apart.
    const REFRESH_LABEL: &'static [u8] = b"doorward:refresh:v1:";

    /// A signer that makes tokens with the first key and accepts those of all.
    pub fn new(keys: &[SecretBytes]) -> Self {
        let keys = keys
            .iter()
            .map(|key| hmac::Key::new(hmac::HMAC_SHA256, key.expose()));
        Self {
            keys: keys.collect(),
        }
    }

    /// The text of a refresh token: URL-safe base64 without padding, 70 characters.
    pub fn refresh_token(&self, token: RefreshToken) -> Option<SecretText> {
        let payload = payload(token);
        let tag = refresh_tag(self.keys.first()?, &payload);
        let mut bytes = payload.to_vec();
        bytes.extend_from_slice(tag.as_ref());
        Some(SecretText::new(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Reads the text of a refresh token, and checks that we made it.
    pub fn read_refresh_token(&self, text: &str) -> Result<RefreshToken, NotARefreshToken> {
        if text.len() > 2 * (Self::PAYLOAD_BYTES + Self::TAG_BYTES) {
            return Err(NotARefreshToken);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).or(Err(NotARefreshToken))?;
        let (payload, tag) = bytes
            .split_first_chunk::<{ Self::PAYLOAD_BYTES }>()
            .ok_or(NotARefreshToken)?;
        let ours = self
            .keys
            .iter()
            .any(|key| same_bytes(refresh_tag(key, payload).as_ref(), tag));
        if !ours {
            return Err(NotARefreshToken);
        }
        let (session, generation) = payload.split_first_chunk::<16>().ok_or(NotARefreshToken)?;
        let generation = generation.first_chunk::<4>().ok_or(NotARefreshToken)?;
        Ok(RefreshToken {
            session: SessionId::from_bytes(*session),
            generation: Generation::new(u32::from_be_bytes(*generation)),
        })
    }

    /// The lower-case hex HMAC-SHA256 of `message`: a value that only we can derive again.
    pub fn derive(&self, message: &str) -> Option<String> {
        let tag = hmac::sign(self.keys.first()?, message.as_bytes());
        Some(hex(tag.as_ref()))
    }

    /// What [`derive`](Self::derive) gives and gave for `message`, the newest key first.
    pub fn derivations(&self, message: &str) -> impl Iterator<Item = String> {
        let tags = self.keys.iter();
        tags.map(move |key| hex(hmac::sign(key, message.as_bytes()).as_ref()))
    }

    /// Whether `value` is what [`derive`](Self::derive) gave for `message`, under any of the keys.
    pub fn derived(&self, message: &str, value: &str) -> bool {
        self.keys.iter().any(|key| {
            let tag = hmac::sign(key, message.as_bytes());
            same_bytes(hex(tag.as_ref()).as_bytes(), value.as_bytes())
        })
    }
}

impl fmt::Debug for SessionSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionSigner({} keys)", self.keys.len())
    }
}

fn payload(token: RefreshToken) -> [u8; SessionSigner::PAYLOAD_BYTES] {
    let mut payload = [0; SessionSigner::PAYLOAD_BYTES];
    let (session, generation) = payload.split_at_mut(16);
    session.copy_from_slice(token.session.as_bytes());
    generation.copy_from_slice(&token.generation.number().to_be_bytes());
    payload
}

fn refresh_tag(key: &hmac::Key, payload: &[u8]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    context.update(SessionSigner::REFRESH_LABEL);
    context.update(payload);
    context.sign()
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(keys: &[u8]) -> SessionSigner {
        let keys: Vec<_> = keys
            .iter()
            .map(|byte| SecretBytes::new(vec![*byte; 32]))
            .collect();
        SessionSigner::new(&keys)
    }

    fn token() -> RefreshToken {
        RefreshToken {
            session: SessionId::from_bytes([7; 16]),
            generation: Generation::new(3),
        }
    }

    #[test]
    fn a_refresh_token_reads_back_under_an_older_key() {
        let text = signer(&[1]).refresh_token(token()).unwrap();
        assert_eq!(text.expose().len(), 70);
        assert_eq!(
            signer(&[2, 1]).read_refresh_token(text.expose()),
            Ok(token())
        );
        assert_eq!(
            signer(&[2]).read_refresh_token(text.expose()),
            Err(NotARefreshToken)
        );
    }

    #[test]
    fn no_bit_of_a_refresh_token_can_be_changed() {
        let signer = signer(&[1]);
        let text = signer.refresh_token(token()).unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(text.expose()).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let changed = URL_SAFE_NO_PAD.encode(changed);
            assert_eq!(
                signer.read_refresh_token(&changed),
                Err(NotARefreshToken),
                "bit {bit}"
            );
        }
        for text in [
            "",
            "a",
            text.expose().split_at(1).1,
            &format!("{}A", text.expose()),
        ] {
            assert_eq!(
                signer.read_refresh_token(text),
                Err(NotARefreshToken),
                "{text}"
            );
        }
    }

    #[test]
    fn a_derived_value_belongs_to_its_message() {
        let signer = signer(&[1]);
        let value = signer.derive("csrf:one").unwrap();
        assert!(signer.derived("csrf:one", &value));
        assert!(!signer.derived("csrf:two", &value));
    }

    #[test]
    fn a_derived_value_is_an_hmac_sha256_in_hex() {
        // RFC 4231, test case 2.
        let signer = SessionSigner::new(&[SecretBytes::new(b"Jefe".to_vec())]);
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let message = "what do ya want for nothing?";
        assert_eq!(signer.derive(message).as_deref(), Some(expected));
        assert!(signer.derived(message, expected));
    }
}

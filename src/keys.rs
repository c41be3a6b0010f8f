//! Where keys come from: the gateway's own ring, and the key sets of other issuers.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use url::Url;

use crate::secret::SecretText;
use crate::token::algorithm::Algorithm;
use crate::token::jwk::JwksError;
use crate::token::signing::UnusableKey;
use crate::trust::{Trust, TrustError};

mod fetch;
pub mod file;
mod format;
mod given;
pub mod remote;
pub mod ring;
pub mod shared_secret;
pub mod watch;

/// Why there are no keys to work with: always for the operator, at the start or in the log.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Anybody on the machine could have read the keys, so they must be taken for known.
    #[error(
        "{}: its mode {mode:04o} lets every user of this machine read or change the keys; \
         chmod it to 0600, and rotate the keys if somebody else may have seen them",
        path.display()
    )]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is there, and its text is no key ring. A new ring is never made in its place: that
    /// would end every session, and hide that something broke.
    #[error("{}: {problem}", path.display())]
    NotARing {
        /// Which file.
        path: PathBuf,
        /// What is wrong with the text.
        #[source]
        problem: RingError,
    },
    /// The file is there, and its text is no secret of ours. Another is never made in its place.
    #[error("{}: not 32 bytes or more of text", path.display())]
    NotASecret {
        /// Which file.
        path: PathBuf,
    },
    /// The text that the operator gave is no key ring.
    #[error("the given keys: {0}")]
    Given(#[source] RingError),
    /// A new key could not be made.
    #[error(transparent)]
    NotMade(#[from] UnusableKey),
    /// What the operator gave is changed by the operator.
    #[error(
        "the keys are given by the configuration: put a new key in front of the ring there, and give \
         the old one `retired_at` and `verifies_until`"
    )]
    GivenByOperator,
    /// With ever more of them the file would grow into one that is not read any more.
    #[error("{0} keys verify already: rotate again when the last token of one has ended")]
    TooMany(usize),
    /// The work was broken off, as at the end of the process.
    #[error("the work on the keys was broken off")]
    BrokenOff(#[source] tokio::task::JoinError),
    /// The key set file of an issuer is of no use.
    #[error("the keys of {issuer} in {}: {problem}", path.display())]
    IssuerFile {
        /// Whose keys.
        issuer: String,
        /// Which file.
        path: PathBuf,
        /// What is wrong with them.
        #[source]
        problem: JwksError,
    },
    /// Keys over plain HTTP are anybody's keys.
    #[error("the keys of {issuer} must come over https, or http from this machine itself: {url}")]
    InsecureUrl {
        /// Whose keys.
        issuer: String,
        /// Where they were to come from.
        url: Url,
    },
    /// Two issuers with the same `iss`: nobody could say whose keys count.
    #[error("{0} is an issuer twice")]
    IssuerTwice(String),
    /// There is nobody whose word on a key server's certificate could count.
    #[error(transparent)]
    Trust(#[from] TrustError),
}

/// Why a text is no key ring. Never shows any of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RingError {
    /// There is nothing.
    #[error("it is empty")]
    Empty,
    /// It is larger than any key ring.
    #[error("it is longer than {0} bytes")]
    TooLong(u64),
    /// Not the JSON that was expected.
    #[error("not a key ring in JSON: line {line}, column {column}")]
    Json {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// Written by a newer release, perhaps.
    #[error("its version is {0}, and only 1 is known")]
    Version(u32),
    /// It has no key to sign with, or no session secret.
    #[error("it has no {0}")]
    Lacks(&'static str),
    /// A key is not what it says it is.
    #[error("key {number}: {problem}")]
    Key {
        /// Which key, from 1.
        number: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A session secret is of no use.
    #[error("session secret {number}: {problem}")]
    SessionSecret {
        /// Which secret, from 1.
        number: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A PEM text that is no private key of a kind that is welcome.
    #[error("not a PEM private key for ES256 (P-256), EdDSA (Ed25519) or RS256 (RSA, 2048 bits)")]
    Pem,
}

/// How the gateway signs its own tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SigningAlgorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256, 2048 bits or more.
    Rs256,
    /// Ed25519.
    EdDsa,
    /// HMAC with SHA-256: only we can check it.
    Hs256,
}

impl FromStr for SigningAlgorithm {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "ES256" => Ok(Self::Es256),
            "RS256" => Ok(Self::Rs256),
            "EdDSA" => Ok(Self::EdDsa),
            "HS256" => Ok(Self::Hs256),
            _other => Err("is not ES256, RS256, EdDSA or HS256"),
        }
    }
}

impl From<SigningAlgorithm> for Algorithm {
    fn from(algorithm: SigningAlgorithm) -> Self {
        match algorithm {
            SigningAlgorithm::Es256 => Self::Es256,
            SigningAlgorithm::Rs256 => Self::Rs256,
            SigningAlgorithm::EdDsa => Self::EdDsa,
            SigningAlgorithm::Hs256 => Self::Hs256,
        }
    }
}

/// Where the gateway's own key ring comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// Made at the first start and kept in this file (0600), which `doorward key rotate` rewrites.
    Kept(PathBuf),
    /// Given by the operator, from a file or an environment variable: the text of a ring, as `doorward
    /// key rotate` writes it, or a single private key in PEM. The session secret is then derived from
    /// that key, so that a new key ends all sessions.
    Given(SecretText),
}

/// Someone else whose tokens are welcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerConfig {
    /// The `iss` of their tokens, exactly.
    pub issuer: String,
    /// Where their keys are.
    pub jwks: JwksSource,
    /// The `aud` that their tokens must have; one of these.
    pub audiences: Vec<String>,
    /// Whose certificates the server of the keys may show.
    pub trust: Trust,
    /// Which claim makes an admin.
    pub admin: Option<AdminClaim>,
    /// How often the keys are fetched anew.
    pub refresh: Duration,
    /// The shortest time between two fetches, however many unknown `kid`s come in.
    pub refresh_min: Duration,
    /// How long the last good keys serve on when they cannot be fetched.
    pub stale_max: Duration,
}

/// Where the keys of an issuer are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JwksSource {
    /// Fetched from here, in the background.
    Url(Url),
    /// Read from this file.
    File(PathBuf),
}

/// A claim that makes its bearer an admin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminClaim {
    /// The path of the claim, dot by dot: `roles`, `realm_access.roles`.
    pub claim: String,
    /// What it must be.
    pub test: crate::policy::ClaimTest,
}

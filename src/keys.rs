//! Where keys come from: the gateway's own ring, and the key sets of other issuers.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use crate::secret::SecretText;

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

/// Where the gateway's own key ring comes from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// Made at the first start and kept in this file (0600), which `doorward key rotate` rewrites.
    Kept(PathBuf),
    /// Given by the operator as the text of a ring, from a file or an environment variable.
    Given(SecretText),
}

/// Someone else whose tokens are welcome.
#[derive(Clone, Debug)]
pub struct IssuerConfig {
    /// The `iss` of their tokens, exactly.
    pub issuer: String,
    /// Where their keys are.
    pub jwks: JwksSource,
    /// The `aud` that their tokens must have; one of these.
    pub audiences: Vec<String>,
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

//! The signature algorithms that are welcome (RFC 7518 §3, RFC 8037 §3.1). `none` is not among them,
//! so that no key, setting or token can ask for it.

/// A signature algorithm of JSON Web Signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// Ed25519.
    EdDsa,
    /// HMAC with SHA-256: only for keys that never leave this gateway.
    Hs256,
}

impl Algorithm {
    /// The one with this `alg`, in exactly this spelling; `None` for every other, `none` too.
    ///
    /// `Ed25519` is the newer name of the same thing (RFC 9864 §2.2).
    pub fn parse(alg: &str) -> Option<Self> {
        match alg {
            "ES256" => Some(Self::Es256),
            "ES384" => Some(Self::Es384),
            "RS256" => Some(Self::Rs256),
            "RS384" => Some(Self::Rs384),
            "RS512" => Some(Self::Rs512),
            "PS256" => Some(Self::Ps256),
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            "HS256" => Some(Self::Hs256),
            _ => None,
        }
    }

    /// Its `alg`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_algorithm_is_spelt_exactly() {
        for alg in [
            "ES256", "ES384", "RS256", "RS384", "RS512", "PS256", "EdDSA", "HS256",
        ] {
            assert_eq!(Algorithm::parse(alg).map(Algorithm::as_str), Some(alg));
        }
        for alg in ["none", "None", "NONE", "nOnE", "", "es256", "HS512", "RS1"] {
            assert_eq!(Algorithm::parse(alg), None, "{alg}");
        }
    }
}

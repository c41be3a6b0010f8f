//! A token as it came: its parts, read strictly, and nothing proved.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::TokenError;
use super::algorithm::Algorithm;
use super::strict_json;
use crate::user::JsonObject;

/// The longest token that is looked at, in bytes. Larger ones do not fit a usual header limit either.
pub const MAX_BYTES: usize = 16 * 1024;

/// The longest `kid`, in bytes.
const MAX_KID_BYTES: usize = 256;

/// Header parameters that bring a key along, ask for it to be fetched, or change what is signed or
/// how it is read (RFC 7515 §4.1, RFC 7516 §4.1, RFC 7797 §3).
///
/// `x5t` is not among them: it is only a fingerprint, which we do not use, and Microsoft Entra puts it
/// into every token. Parameters that nobody knows are ignored, as RFC 7515 §4 asks.
const REFUSED_PARAMETERS: [&str; 8] = ["crit", "b64", "jwk", "jku", "x5u", "x5c", "zip", "enc"];

/// What a token says it is, by its `typ`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenType {
    /// Nothing is said, or `JWT`.
    Untold,
    /// `at+jwt`: an access token (RFC 9068 §2.1).
    Access,
}

/// A JWT in compact form (RFC 7515 §7.1), well-formed but not verified: all it says may be a lie.
#[derive(Debug)]
pub struct UnverifiedToken<'a> {
    pub(super) signing_input: &'a [u8],
    pub(super) signature: Vec<u8>,
    pub(super) algorithm: Algorithm,
    pub(super) token_type: TokenType,
    pub(super) kid: Option<Box<str>>,
    pub(super) claims: JsonObject,
}

impl<'a> UnverifiedToken<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    ///
    /// `TooLong`, `Malformed` or `Header`: refused before any key is looked at.
    pub fn parse(text: &'a str) -> Result<Self, TokenError> {
        if text.len() > MAX_BYTES {
            return Err(TokenError::TooLong);
        }
        let (signing_input, signature) = text.rsplit_once('.').ok_or(TokenError::Malformed)?;
        // A further dot, as in the five parts of a JWE, is no base64url and fails there.
        let (header, claims) = signing_input.split_once('.').ok_or(TokenError::Malformed)?;
        let header = object(header)?;
        refuse_parameters(&header)?;
        Ok(Self {
            algorithm: algorithm(&header)?,
            token_type: token_type(&header)?,
            kid: kid(&header)?,
            claims: object(claims)?,
            signature: decode(signature)?,
            signing_input: signing_input.as_bytes(),
        })
    }

    /// The `iss` that it claims: good for choosing whose keys to check it with, and for nothing else.
    pub fn unverified_issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Value::as_str)
    }

    /// The `kid` that it claims.
    pub fn unverified_kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }
}

fn object(part: &str) -> Result<JsonObject, TokenError> {
    strict_json::object(&decode(part)?).ok_or(TokenError::Malformed)
}

/// The engine takes neither padding nor white space nor trailing bits that are not zero, so that a
/// token has one spelling.
fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    match URL_SAFE_NO_PAD.decode(part) {
        Ok(bytes) if !bytes.is_empty() => Ok(bytes),
        _ => Err(TokenError::Malformed),
    }
}

fn refuse_parameters(header: &JsonObject) -> Result<(), TokenError> {
    let refused = |name: &&str| header.contains_key(*name);
    match REFUSED_PARAMETERS.iter().find(|name| refused(name)) {
        Some(_) => Err(TokenError::Header),
        None => Ok(()),
    }
}

fn algorithm(header: &JsonObject) -> Result<Algorithm, TokenError> {
    header
        .get("alg")
        .and_then(Value::as_str)
        .and_then(Algorithm::parse)
        .ok_or(TokenError::Header)
}

/// Media types know no case, and `application/` may be left out (RFC 7515 §4.1.9).
fn token_type(header: &JsonObject) -> Result<TokenType, TokenError> {
    let Some(typ) = header.get("typ") else {
        return Ok(TokenType::Untold);
    };
    let typ = typ.as_str().ok_or(TokenError::Header)?.to_ascii_lowercase();
    match typ.strip_prefix("application/").unwrap_or(&typ) {
        "jwt" => Ok(TokenType::Untold),
        "at+jwt" => Ok(TokenType::Access),
        _ => Err(TokenError::Header),
    }
}

/// It is compared with the names of keys in memory and never becomes a path, query or URL; it is
/// bounded all the same, as it is written to logs.
fn kid(header: &JsonObject) -> Result<Option<Box<str>>, TokenError> {
    let Some(kid) = header.get("kid") else {
        return Ok(None);
    };
    match kid.as_str() {
        Some(kid) if is_kid(kid) => Ok(Some(kid.into())),
        _ => Err(TokenError::Header),
    }
}

/// Whether `kid` can name a key: 1 to 256 bytes of printable ASCII.
pub(super) fn is_kid(kid: &str) -> bool {
    !kid.is_empty()
        && kid.len() <= MAX_KID_BYTES
        && kid.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(text: &str) -> String {
        URL_SAFE_NO_PAD.encode(text)
    }

    fn with_header(header: &str) -> Result<(), TokenError> {
        let text = format!("{}.{}.AAAA", encode(header), encode("{}"));
        UnverifiedToken::parse(&text).map(|_| ())
    }

    #[test]
    fn a_header_may_bring_a_name_and_a_type_and_no_key() {
        let check = |members: &str, expected: Result<(), TokenError>| {
            let header = format!(r#"{{"alg":"ES256"{members}}}"#);
            assert_eq!(with_header(&header), expected, "{members:.60}");
        };
        check("", Ok(()));
        for typ in ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"] {
            check(&format!(r#","typ":"{typ}""#), Ok(()));
        }
        for typ in [
            r#""""#,
            r#""JOSE""#,
            r#""dpop+jwt""#,
            "1",
            "null",
            r#"["JWT"]"#,
        ] {
            check(&format!(r#","typ":{typ}"#), Err(TokenError::Header));
        }
        check(r#","kid":"k1","x5t":"abc","cat":"x""#, Ok(()));
        for name in REFUSED_PARAMETERS {
            for value in [
                "null",
                "[]",
                "true",
                r#""http://evil""#,
                r#"{"kty":"oct","k":"AA"}"#,
            ] {
                check(&format!(r#","{name}":{value}"#), Err(TokenError::Header));
            }
        }
        check(r#","b64":false,"crit":["b64"]"#, Err(TokenError::Header));
        check(
            r#","crit":["http://example.com/UNDEFINED"]"#,
            Err(TokenError::Header),
        );
        check(r#","kid":"a","kid":"b""#, Err(TokenError::Malformed));
    }

    #[test]
    fn a_kid_is_short_and_printable() {
        let check = |kid: &str, expected: Result<(), TokenError>| {
            let header = serde_json::json!({"alg": "ES256", "kid": kid}).to_string();
            assert_eq!(with_header(&header), expected, "{kid:.60}");
        };
        // Harmless, as it only ever names a key in memory.
        check("../../etc/passwd", Ok(()));
        check("x' UNION SELECT 'a';--", Ok(()));
        check(&"k".repeat(256), Ok(()));
        check(&"k".repeat(257), Err(TokenError::Header));
        check(&"k".repeat(10 * 1024), Err(TokenError::Header));
        for kid in ["", "a\0b", "a\nb", "a\u{7f}", "clé"] {
            check(kid, Err(TokenError::Header));
        }
        for kid in ["1", "null", "{}", "[\"a\"]"] {
            let header = format!(r#"{{"alg":"ES256","kid":{kid}}}"#);
            assert_eq!(with_header(&header), Err(TokenError::Header), "{kid}");
        }
    }

    #[test]
    fn no_algorithm_is_no_token() {
        for alg in [
            r#""none""#,
            r#""None""#,
            r#""NONE""#,
            r#""""#,
            r#""es256""#,
            "null",
            "1",
        ] {
            let header = format!(r#"{{"alg":{alg}}}"#);
            assert_eq!(with_header(&header), Err(TokenError::Header), "{alg}");
        }
        assert_eq!(with_header("{}"), Err(TokenError::Header));
    }

    #[test]
    fn a_token_has_one_spelling() {
        let header = encode(r#"{"alg":"ES256"}"#);
        let claims = encode("{}");
        let check = |text: String, expected: Result<(), TokenError>| {
            let parsed = UnverifiedToken::parse(&text).map(|_| ());
            assert_eq!(parsed, expected, "{text:.80}");
        };
        check(format!("{header}.{claims}.AAA"), Ok(()));
        // Trailing bits that are not zero, padding, the other alphabet, white space.
        for signature in [
            "AAB", "AA", "AAA=", "AA==", "A+A/", "A", "AAA\n", " AAA", "AAA ",
        ] {
            let expected = if signature == "AA" {
                Ok(())
            } else {
                Err(TokenError::Malformed)
            };
            check(format!("{header}.{claims}.{signature}"), expected);
        }
        // Parts missing, empty, or too many.
        for text in ["", ".", "..", "...", "a", "a.b", "a.b.c"] {
            check(text.to_owned(), Err(TokenError::Malformed));
        }
        check(format!("{header}.{claims}"), Err(TokenError::Malformed));
        check(format!("{header}.{claims}."), Err(TokenError::Malformed));
        check(format!("{header}..AAAA"), Err(TokenError::Malformed));
        check(format!(".{claims}.AAAA"), Err(TokenError::Malformed));
        check(
            format!("{header}.{claims}.AAAA.AAAA.AAAA"),
            Err(TokenError::Malformed),
        );
        check(
            format!(" {header}.{claims}.AAAA"),
            Err(TokenError::Malformed),
        );
        check(
            format!(r#"{{"protected":"{header}","payload":"{claims}","signature":"AAAA"}}"#),
            Err(TokenError::Malformed),
        );
        // Claims that are no object, or nested like a staircase.
        check(
            format!("{header}.{}.AAAA", encode("[]")),
            Err(TokenError::Malformed),
        );
        let nested = encode(&"[".repeat(10_000));
        check(
            format!("{header}.{nested}.AAAA"),
            Err(TokenError::Malformed),
        );
        let nested = encode(&"{\"a\":".repeat(100_000));
        check(format!("{header}.{nested}.AAAA"), Err(TokenError::TooLong));
        check("a".repeat(1024 * 1024), Err(TokenError::TooLong));
    }
}

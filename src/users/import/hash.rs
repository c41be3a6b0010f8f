//! The `custom_password_hash` of Auth0, as one text.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Custom {
    algorithm: String,
    hash: Bytes,
    salt: Option<Bytes>,
    cost: Option<u64>,
    #[serde(rename = "blockSize")]
    block_size: Option<u32>,
    parallelization: Option<u32>,
}

#[derive(Deserialize)]
struct Bytes {
    value: String,
    encoding: Option<Encoding>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    Base64,
    Hex,
    Utf8,
}

/// argon2, bcrypt and PBKDF2 are written as they are stored anywhere; scrypt comes in parts.
pub(super) fn of_auth0(custom: &Value) -> Result<String, String> {
    let custom = match custom {
        // In a CSV file.
        Value::String(text) => serde_json::from_str(text),
        other => Custom::deserialize(other),
    };
    let custom = custom.map_err(|_shows_values| "is not of the form that Auth0 documents")?;
    match custom.algorithm.as_str() {
        "argon2" | "bcrypt" | "pbkdf2" => Ok(custom.hash.value),
        "scrypt" => scrypt(&custom).ok_or_else(|| "is no scrypt that can be read".to_owned()),
        _ => Err("is of an algorithm that cannot be checked here".to_owned()),
    }
}

/// With the defaults of Node's `crypto.scrypt`, which are those of Auth0.
fn scrypt(custom: &Custom) -> Option<String> {
    let cost = custom.cost.unwrap_or(16_384);
    let exponent = cost.is_power_of_two().then(|| cost.trailing_zeros())?;
    let (r, p) = (
        custom.block_size.unwrap_or(8),
        custom.parallelization.unwrap_or(1),
    );
    let salt = STANDARD_NO_PAD.encode(custom.salt.as_ref()?.bytes()?);
    let hash = STANDARD_NO_PAD.encode(custom.hash.bytes()?);
    Some(format!("$scrypt$ln={exponent},r={r},p={p}${salt}${hash}"))
}

impl Bytes {
    fn bytes(&self) -> Option<Vec<u8>> {
        match self.encoding.unwrap_or(Encoding::Utf8) {
            Encoding::Utf8 => Some(self.value.clone().into_bytes()),
            Encoding::Base64 => STANDARD.decode(&self.value).ok(),
            Encoding::Hex => hex(&self.value),
        }
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|it| u8::try_from(it).ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    let pairs = digits.chunks_exact(2);
    pairs
        .map(|pair| match pair {
            [high, low] => Some(high * 16 + low),
            _ => None,
        })
        .collect()
}

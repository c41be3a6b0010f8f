//! scrypt (RFC 7914): hashes that imported users bring along. Never made here.
//!
//! Two forms: PHC (`$scrypt$ln=14,r=8,p=1$salt$hash`, also that of passlib), and Firebase's own, as
//! Supabase keeps it for those who came from there:
//! `$fbscrypt$v=1,n=14,r=8,p=1,ss=separator,sk=signer key$salt$hash`.

use std::time::Duration;

use aws_lc_rs::cipher::{
    AES_256, AES_256_KEY_LEN, DecryptingKey, DecryptionContext, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use zeroize::Zeroizing;

use super::fields::{self, Fields};
use super::{HashError, Unverifiable, Verdict};
use crate::secret::{SecretText, same_bytes};

/// The most memory that a stored hash may ask for: what OWASP recommends (`ln=17,r=8`). It is twice
/// what argon2 gets, and just as bounded: by `max_concurrent` times this.
const MAX_MEMORY: u64 = 128 << 20;
/// The most work, in blocks of 128 bytes that are mixed in twice: twice that recommendation.
const MAX_BLOCKS: u64 = 1 << 21;
/// For one of these blocks.
const NANOS_A_BLOCK: u64 = 400;

/// A stored hash that may be checked.
pub(super) struct Stored {
    params: ::scrypt::Params,
    blocks: u64,
    salt: Vec<u8>,
    hash: Vec<u8>,
    /// With Firebase the key that is derived encrypts this one, and that is the hash.
    signer_key: Option<Vec<u8>>,
}

impl Stored {
    pub(super) fn read(text: &str) -> Result<Self, Unverifiable> {
        let fields = Fields::of(text)?;
        match fields.name {
            "scrypt" => Self::phc(&fields),
            "fbscrypt" => Self::firebase(&fields),
            _ => Err(Unverifiable::UnknownForm),
        }
    }

    fn phc(fields: &Fields<'_>) -> Result<Self, Unverifiable> {
        let (params, blocks) = costs(fields, "ln", &["ln", "r", "p"])?;
        Ok(Self {
            params,
            blocks,
            salt: fields::bytes(fields.salt)?,
            hash: fields.hash_bytes()?,
            signer_key: None,
        })
    }

    fn firebase(fields: &Fields<'_>) -> Result<Self, Unverifiable> {
        let known = ["v", "n", "r", "p", "ss", "sk"];
        if fields.parameter("v", &known)? != "1" {
            return Err(Unverifiable::UnknownForm);
        }
        let (params, blocks) = costs(fields, "n", &known)?;
        let mut salt = fields::bytes(fields.salt)?;
        salt.extend(fields::bytes(fields.parameter("ss", &known)?)?);
        let signer_key = fields::bytes(fields.parameter("sk", &known)?)?;
        let hash = fields.hash_bytes()?;
        if signer_key.len() != hash.len() {
            return Err(Unverifiable::UnknownForm);
        }
        Ok(Self {
            params,
            blocks,
            salt,
            hash,
            signer_key: Some(signer_key),
        })
    }

    pub(super) fn verify(&self, password: &SecretText) -> Result<Verdict, HashError> {
        let right = match &self.signer_key {
            None => same_bytes(&self.derive(password, self.hash.len())?, &self.hash),
            Some(signer_key) => {
                let key = self.derive(password, AES_256_KEY_LEN)?;
                same_bytes(&decrypted(&key, &self.hash)?, signer_key)
            }
        };
        Ok(if right {
            Verdict::RightButOutdated
        } else {
            Verdict::Wrong
        })
    }

    fn derive(
        &self,
        password: &SecretText,
        length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, HashError> {
        let mut derived = Zeroizing::new(vec![0; length]);
        let password = password.expose().as_bytes();
        ::scrypt::scrypt(password, &self.salt, &self.params, &mut derived)
            .map(|()| derived)
            .or(Err(Unverifiable::UnknownForm.into()))
    }

    pub(super) const fn expected_time(&self) -> Duration {
        Duration::from_nanos(self.blocks * NANOS_A_BLOCK)
    }
}

/// The parameters, found affordable, and how many blocks they mix.
fn costs(
    fields: &Fields<'_>,
    exponent: &str,
    known: &[&str],
) -> Result<(::scrypt::Params, u64), Unverifiable> {
    let number = |key| fields.parameter(key, known).and_then(fields::number);
    let (log_n, r, p) = (number(exponent)?, number("r")?, number("p")?);
    if log_n == 0 {
        return Err(Unverifiable::UnknownForm);
    }
    let blocks = 1_u64
        .checked_shl(log_n)
        .and_then(|n| n.checked_mul(u64::from(r)));
    let blocks = blocks.ok_or(Unverifiable::TooCostly)?;
    let affordable = blocks <= MAX_MEMORY / 128
        && blocks
            .checked_mul(u64::from(p))
            .is_some_and(|all| all <= MAX_BLOCKS);
    if !affordable {
        return Err(Unverifiable::TooCostly);
    }
    let log_n = u8::try_from(log_n).or(Err(Unverifiable::TooCostly))?;
    let params = ::scrypt::Params::new(log_n, r, p).or(Err(Unverifiable::UnknownForm))?;
    Ok((params, blocks * u64::from(p)))
}

/// AES-256 in counter mode from a counter of zero. The key is of one password and one salt, and
/// encrypts this one text, so that the counter may begin anywhere.
fn decrypted(key: &[u8], hash: &[u8]) -> Result<Zeroizing<Vec<u8>>, HashError> {
    let unknown = || HashError::Unverifiable(Unverifiable::UnknownForm);
    let key = UnboundCipherKey::new(&AES_256, key).map_err(|_unspecified| unknown())?;
    let key = DecryptingKey::ctr(key).map_err(|_unspecified| unknown())?;
    let mut text = Zeroizing::new(hash.to_vec());
    let zero = DecryptionContext::Iv128(FixedLength::from([0; 16]));
    key.decrypt(&mut text, zero)
        .map_err(|_unspecified| unknown())?;
    Ok(text)
}

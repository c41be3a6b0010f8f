//! The second name of a user: the original keeps a directory beside the login service, whose ids have
//! another form.

use aws_lc_rs::digest::{SHA256, digest};

use crate::id::UserId;

/// The first 12 bytes of the SHA-256 of the user id (its 16 bytes), as 24 hexadecimal digits.
///
/// It follows from the user id, so nothing is stored; nobody finds the user id by it. Two users would
/// share one only by a chance of 1 in 2^96.
pub fn directory_id(user: UserId) -> String {
    let hash = digest(&SHA256, user.as_bytes());
    let first = hash.as_ref().iter().take(12);
    let number = first.fold(0_u128, |number, byte| (number << 8) | u128::from(*byte));
    format!("{number:024x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_id_is_24_hexadecimal_digits_and_always_the_same() {
        let user = UserId::from_bytes([0; 16]);
        // The start of the SHA-256 of 16 zero bytes.
        assert_eq!(directory_id(user), "374708fff7719dd5979ec875");
        assert_ne!(
            directory_id(user),
            directory_id(UserId::from_bytes([1; 16]))
        );
    }
}

//! What anybody may know of the rules before they ask for something.

use super::super::{Auth, EmailRule};
use super::rules::{Delivery, SignUpRule};
use crate::user::Roles;

/// The rules, as far as a page that offers a sign-up must know them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Whether strangers may make accounts.
    pub sign_up: SignUpRule,
    /// Whether they must prove their address before they sign in.
    pub email_rule: EmailRule,
    /// How a code that proves an address reaches people.
    pub verify_email: Delivery,
    /// How a code that sets a password reaches people.
    pub reset_password: Delivery,
    /// What every new account may do.
    pub default_roles: Roles,
    /// How many characters a password has at least.
    pub password_length: usize,
}

impl Auth {
    /// The terms of this gateway.
    pub fn terms(&self) -> Terms {
        let rules = self.rules();
        Terms {
            sign_up: rules.sign_up,
            email_rule: self.parts.email_rule,
            verify_email: rules.deliveries.verify_email.clone(),
            reset_password: rules.deliveries.reset_password.clone(),
            default_roles: rules.default_roles.clone(),
            password_length: self.parts.passwords.config().min_length,
        }
    }
}

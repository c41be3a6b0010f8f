//! What is allowed in the life of an account, and how codes reach people.

use std::time::Duration;

use url::Url;

use crate::code::{CodeForm, CodeRules, Purpose};
use crate::secret::SecretText;
use crate::user::{Email, Roles};

/// The rules of accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRules {
    /// Whether strangers may make accounts.
    pub sign_up: SignUpRule,
    /// Whether a sign-up says that an address is taken.
    pub disclosure: Disclosure,
    /// The addresses that may sign up.
    pub domains: EmailDomains,
    /// What a new account may do.
    pub default_roles: Roles,
    /// How long codes live, and how often one may be wrong.
    pub codes: CodeRules,
    /// How codes for each purpose reach people.
    pub deliveries: Deliveries,
    /// How long after its sign-in a session may change the account without the password.
    pub fresh_for: Duration,
}

/// Nobody may sign up, six digits, ten minutes.
impl Default for AccountRules {
    fn default() -> Self {
        Self {
            sign_up: SignUpRule::Closed,
            disclosure: Disclosure::Masked,
            domains: EmailDomains::Any,
            default_roles: Roles::default(),
            codes: CodeRules::default(),
            deliveries: Deliveries::default(),
            fresh_for: Duration::from_mins(10),
        }
    }
}

/// Whether strangers may make accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignUpRule {
    /// Accounts are made by administrators alone.
    Closed,
    /// Everybody may.
    Open,
}

/// Whether a sign-up says that an address is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disclosure {
    /// It does: for clients whose contract demands it.
    Frank,
    /// It answers as for a new address, and the owner gets a mail. Only where addresses must be proved
    /// before a sign-in: otherwise a new account is signed in at once, and another answer shows.
    Masked,
}

/// The addresses that may sign up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmailDomains {
    /// All.
    Any,
    /// Those of these domains, in lower case; not of what lies below them.
    Only(Vec<Box<str>>),
}

impl EmailDomains {
    /// Whether `email` may sign up.
    pub fn allow(&self, email: &Email) -> bool {
        // An address has exactly one `@`.
        let domain = email.as_str().rsplit('@').next().unwrap_or_default();
        match self {
            Self::Any => true,
            Self::Only(domains) => domains.iter().any(|allowed| **allowed == *domain),
        }
    }
}

/// How a code reaches a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// As six digits.
    Digits,
    /// As a link.
    Link(LinkTemplate),
    /// As either, whichever is used first.
    DigitsAndLink(LinkTemplate),
}

impl Delivery {
    /// The form that the code needs for it.
    pub const fn form(&self) -> CodeForm {
        match self {
            Self::Digits => CodeForm::Digits,
            Self::Link(_) => CodeForm::Link,
            Self::DigitsAndLink(_) => CodeForm::DigitsAndLink,
        }
    }

    /// The link with this token.
    pub(super) fn link(&self, token: &SecretText) -> Option<SecretText> {
        match self {
            Self::Digits => None,
            Self::Link(link) | Self::DigitsAndLink(link) => Some(link.fill(token)),
        }
    }
}

/// How codes for each purpose reach people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deliveries {
    /// Codes that prove an address.
    pub verify_email: Delivery,
    /// Codes that set a password.
    pub reset_password: Delivery,
    /// Codes that sign in.
    pub sign_in: Delivery,
    /// Codes that move an account to another address.
    pub change_email: Delivery,
}

impl Default for Deliveries {
    fn default() -> Self {
        Self {
            verify_email: Delivery::Digits,
            reset_password: Delivery::Digits,
            sign_in: Delivery::Digits,
            change_email: Delivery::Digits,
        }
    }
}

impl Deliveries {
    /// How a code for `purpose` reaches people.
    pub const fn of(&self, purpose: Purpose) -> &Delivery {
        match purpose {
            Purpose::VerifyEmail => &self.verify_email,
            Purpose::ResetPassword => &self.reset_password,
            Purpose::SignIn => &self.sign_in,
            Purpose::ChangeEmail => &self.change_email,
        }
    }
}

/// Where a link leads: a URL with the place of the token. From the configuration, or from a list of
/// allowed ones; never from what a client sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkTemplate(Box<str>);

impl LinkTemplate {
    const TOKEN: &'static str = "{token}";

    /// Reads `https://app.example.com/verify?token={token}`: the token once, behind the host; plain
    /// http on this machine alone.
    pub fn parse(text: &str) -> Option<Self> {
        if text.matches(Self::TOKEN).count() != 1 {
            return None;
        }
        let url = Url::parse(&text.replace(Self::TOKEN, "token")).ok()?;
        // Another token gives another link in the same place, so it is not in the host.
        let other = Url::parse(&text.replace(Self::TOKEN, "another")).ok()?;
        let loopback = matches!(url.host_str()?, "localhost" | "127.0.0.1" | "[::1]");
        let secure = url.scheme() == "https" || (url.scheme() == "http" && loopback);
        let sound = secure && url.origin() == other.origin() && url.username().is_empty();
        sound.then(|| Self(text.into()))
    }

    /// A token is URL-safe as it is.
    fn fill(&self, token: &SecretText) -> SecretText {
        SecretText::new(self.0.replace(Self::TOKEN, token.expose()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_has_one_token_and_a_fixed_origin() {
        let check = |text: &str, sound: bool| {
            assert_eq!(LinkTemplate::parse(text).is_some(), sound, "{text}");
        };
        check("https://app.example.com/verify?token={token}", true);
        check("https://app.example.com/verify/{token}/", true);
        check("https://app.example.com/#token={token}", true);
        check("http://localhost:5173/verify?token={token}", true);
        check("http://app.example.com/verify?token={token}", false);
        check("https://app.example.com/verify", false);
        check("https://a.example.com/{token}?again={token}", false);
        check("https://{token}.example.com/", false);
        check("https://{token}@example.com/", false);
        check("javascript:alert('{token}')", false);
        check("/verify?token={token}", false);
    }

    #[test]
    fn a_domain_is_the_whole_domain() {
        let only = EmailDomains::Only(vec!["example.com".into()]);
        let check = |domains: &EmailDomains, email, allowed| {
            let email = Email::parse(email).unwrap();
            assert_eq!(domains.allow(&email), allowed, "{email}");
        };
        check(&only, "a@Example.com", true);
        check(&only, "a@evil.com", false);
        check(&only, "a@sub.example.com", false);
        check(&only, "a@badexample.com", false);
        check(&only, "example.com@evil.com", false);
        check(&EmailDomains::Any, "a@evil.com", true);
    }
}

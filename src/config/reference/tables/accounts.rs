//! What people may do with their own accounts, and the mails for it.

use super::shared::{PATH, SECRET_KIND, count, key, span};
use crate::config::reference::Default::{Value, Words};
use crate::config::reference::Form::Single;
use crate::config::reference::{Kind, Table};

const CODE_FORM: Kind = Kind::Words("\"digits\", \"link\" or \"both\"");
const LINK: Kind = Kind::Words(
    "an https URL with {token}, such as \"https://app.example.com/verify?token={token}\"",
);

/// `[accounts]`
pub static ACCOUNTS: Table = Table {
    path: "accounts",
    form: Single,
    meaning: "What people may do for their own accounts. Whether an address must be proved before a \
              sign-in is `users.require_verified_email`.",
    keys: &[
        key(
            "sign_up",
            Kind::Boolean,
            Value("false"),
            "Whether anybody may make an account. With `users.require_verified_email` it takes \
             `[mail]`.",
        ),
        key(
            "disclose_existing",
            Kind::Boolean,
            Value("false"),
            "Whether a sign-up says that an address has an account. If not, the answer is that of a \
             new address, and the owner gets a mail. Only with `users.require_verified_email`; without \
             it a new user is signed in at once, and the difference shows.",
        ),
        key(
            "email_domains",
            Kind::Words("a list of domains, such as [\"example.com\"]"),
            Value("[]"),
            "Whose addresses may sign up; empty for all. A domain does not stand for those below it.",
        ),
        key(
            "default_roles",
            Kind::Words("a list of roles, such as [\"customer\"]"),
            Value("[]"),
            "What a new account may do.",
        ),
        key(
            "code_form",
            CODE_FORM,
            Value("\"digits\""),
            "What mails hold: six digits, a link, or both. Links take `[mail.links]`.",
        ),
        key(
            "code_ttl",
            span("1m", "1h"),
            Value("\"15m\""),
            "How long six digits hold.",
        ),
        key(
            "link_ttl",
            span("1m", "7d"),
            Value("\"1h\""),
            "How long a link holds.",
        ),
        key(
            "code_attempts",
            count(1, 10, "tries"),
            Value("5"),
            "How many wrong tries kill six digits.",
        ),
        key(
            "resend_after",
            span("0s", "1h"),
            Value("\"1m\""),
            "No second code for the same account and purpose is sent sooner; the first one goes on.",
        ),
        key(
            "fresh_session",
            span("0s", "1d"),
            Value("\"10m\""),
            "For how long after a sign-in a session may change password and address, and delete the \
             account, without the password.",
        ),
    ],
    later: &[],
};

/// `[mail]`
pub static MAIL: Table = Table {
    path: "mail",
    form: Single,
    meaning: "How mails are sent. Without `smtp` or `file` everything that needs mail is off: codes, \
              links, new passwords by mail.",
    keys: &[
        key(
            "smtp",
            Kind::Words("an smtps:// or smtp:// URL without a password"),
            Words("none"),
            "`smtps://[user@]host[:465]`, or `smtp://[user@]host[:587]` with STARTTLS. Never without \
             TLS, but to a relay on this machine.",
        ),
        key(
            "password",
            SECRET_KIND,
            Words("none"),
            "The password of the user of `smtp`.",
        ),
        key(
            "ca",
            PATH,
            Words("the certificates of the system"),
            "The certificates, as PEM, that the server's must come from.",
        ),
        key(
            "from",
            Kind::Words("an address, such as \"Example <no-reply@example.com>\""),
            Words("none"),
            "Who mails are from; needed for either way of sending.",
        ),
        key(
            "file",
            PATH,
            Words("none"),
            "For development, instead of `smtp`: a directory that gets each mail as a file `.eml`.",
        ),
        key(
            "queue",
            count(1, 100_000, "mails"),
            Value("1000"),
            "How many mails may wait for the server; above it requests that need one are 503.",
        ),
    ],
    later: &[],
};

/// `[mail.links]`
pub static MAIL_LINKS: Table = Table {
    path: "mail.links",
    form: Single,
    meaning: "Where the links in mails lead: pages that show the token to the API. Needed for \
              `accounts.code_form = \"link\"` and `\"both\"`.",
    keys: &[
        key("verify", LINK, Words("none"), "To prove an address."),
        key("reset", LINK, Words("none"), "To choose a password."),
        key("sign_in", LINK, Words("none"), "To sign in."),
        key(
            "change_email",
            LINK,
            Words("none"),
            "To move an account to another address.",
        ),
    ],
    later: &[],
};

//! Accounts and mail, and what must fit together.

use super::{Cases, check};

#[test]
fn mail_has_one_way_and_says_who_it_is_from() {
    check(MAIL);
}

const MAIL: Cases = &[
    (
        r#"[mail]
smtp = "smtps://me:hunter2@mail.example.com"
from = "me@example.com""#,
        &[
            r#"2:8: mail.smtp: found a URL with a password in it; write password = { env = "NAME" } beside it"#,
        ],
    ),
    (
        r#"[mail]
smtp = "https://mail.example.com"
from = "no address""#,
        &[
            "2:8: mail.smtp: found a URL of another scheme, expected smtps://user@host:465, or smtp://user@host:587",
            r#"3:8: mail.from: found "no address", expected an address, such as "Example <no-reply@example.com>""#,
        ],
    ),
    (
        r#"[mail]
smtp = "smtps://mail.example.com"
file = "mails"
from = "me@example.com""#,
        &["3:8: mail.file: found both smtp and file, expected one of them"],
    ),
    (
        r#"[mail]
file = "mails""#,
        &[
            r#"1:1: mail.from: missing, expected an address, such as "Example <no-reply@example.com>""#,
        ],
    ),
    (
        r#"[mail]
from = "me@example.com""#,
        &[r#"2:8: mail.from: found without smtp; smtp = "smtps://host:465""#],
    ),
    (
        r#"[mail]
smtp = "smtps://me@mail.example.com"
from = "me@example.com""#,
        &[r#"2:8: mail.smtp: found a user without a password; password = { env = "NAME" }"#],
    ),
    (
        r#"[mail]
smtp = "smtps://mail.example.com"
password = { env = "SECRET" }
from = "me@example.com""#,
        &[r#"3:12: mail.password: found without a user; smtp = "smtps://user@…""#],
    ),
];

#[test]
fn accounts_fit_the_mail_that_they_need() {
    check(ACCOUNTS);
}

const ACCOUNTS: Cases = &[
    (
        r"[users]
require_verified_email = true
[accounts]
sign_up = true",
        &[
            "4:11: accounts.sign_up: open, with users.require_verified_email, but without [mail]; give [mail] an smtp server: new users prove their address by mail",
        ],
    ),
    (
        r#"[accounts]
code_form = "link"
email_domains = ["a@b.c"]
default_roles = ["Admin"]
[mail.links]
verify = "http://app.example.com/?t={token}""#,
        &[
            "3:18: accounts.email_domains[0]: found \"a@b.c\", expected a domain, such as \"example.com\"",
            "4:18: accounts.default_roles[0]: found \"Admin\", expected a role: lower-case letters, digits, . _ : -",
            "6:10: mail.links.verify: found \"http://app.example.com/?t={token}\", expected an https URL with {token} once, behind the host",
        ],
    ),
    (
        r#"[accounts]
code_form = "both""#,
        &[
            "2:13: accounts.code_form: found links without the pages that they lead to; name verify, reset, sign_in and change_email in [mail.links]",
        ],
    ),
];

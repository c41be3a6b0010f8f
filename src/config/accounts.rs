//! `[accounts]` and `[mail.links]`: what people may do for their own accounts.

use super::reader::{Complaint, Read, Section, Value};
use super::reference::tables;
use super::{EmailPolicy, MailConfig, UsersConfig};
use crate::auth::AccountRules;
use crate::auth::account::rules::{
    Deliveries, Delivery, Disclosure, EmailDomains, LinkTemplate, SignUpRule,
};
use crate::code::{CodeForm, CodeRules};
use crate::user::{Email, Role};

/// What was read of the tables that this one must fit.
#[derive(Clone, Copy)]
pub(super) struct Beside<'a> {
    pub(super) users: &'a Read<UsersConfig>,
    pub(super) mail: &'a Read<Option<MailConfig>>,
    /// The table `[mail]` itself, for its links.
    pub(super) mail_section: Read<&'a Section<'a>>,
}

pub(super) fn accounts(root: &Section<'_>, beside: Beside<'_>) -> Read<AccountRules> {
    let accounts = root.section("accounts", &tables::ACCOUNTS)?;
    let sign_up = accounts.boolean("sign_up");
    let disclose = accounts.boolean("disclose_existing");
    let domains = accounts.list("email_domains", domain);
    let roles = accounts.list("default_roles", role);
    let codes = codes(&accounts);
    let deliveries = deliveries(beside.mail_section, &accounts);
    let fresh_for = accounts.duration("fresh_session");
    let sign_up = sign_up_rule(&accounts, sign_up?, beside)?;
    let domains = domains?;
    Ok(AccountRules {
        sign_up,
        disclosure: if disclose? {
            Disclosure::Frank
        } else {
            Disclosure::Masked
        },
        domains: if domains.is_empty() {
            EmailDomains::Any
        } else {
            EmailDomains::Only(domains)
        },
        default_roles: roles?.into_iter().collect(),
        codes: codes?,
        deliveries: deliveries?,
        fresh_for: fresh_for?,
    })
}

/// An address that must be proved and cannot be, is an account that nobody can use.
fn sign_up_rule(
    accounts: &Section<'_>,
    open: bool,
    Beside { users, mail, .. }: Beside<'_>,
) -> Read<SignUpRule> {
    if !open {
        return Ok(SignUpRule::Closed);
    }
    match (users, mail) {
        (Ok(users), Ok(None)) if users.email == EmailPolicy::Verified => {
            let found = "open, with users.require_verified_email, but without [mail]";
            let hint = "give [mail] an smtp server: new users prove their address by mail";
            Err(accounts.note("sign_up", Complaint::new(found).hint(hint).wider()))
        }
        (Ok(_) | Err(_), Ok(_) | Err(_)) => Ok(SignUpRule::Open),
    }
}

fn codes(accounts: &Section<'_>) -> Read<CodeRules> {
    let digits_lifetime = accounts.duration("code_ttl");
    let link_lifetime = accounts.duration("link_ttl");
    let attempts = accounts.integer("code_attempts");
    let resend_after = accounts.duration("resend_after");
    Ok(CodeRules {
        digits_lifetime: digits_lifetime?,
        link_lifetime: link_lifetime?,
        attempts: attempts?,
        resend_after: resend_after?,
    })
}

fn deliveries(mail: Read<&Section<'_>>, accounts: &Section<'_>) -> Read<Deliveries> {
    let form = accounts.read("code_form", code_form);
    let links = mail?.section("links", &tables::MAIL_LINKS)?;
    let verify = links.optional("verify", link);
    let reset = links.optional("reset", link);
    let sign_in = links.optional("sign_in", link);
    let change = links.optional("change_email", link);
    let form = form?;
    let all = [verify?, reset?, sign_in?, change?];
    let [Some(verify), Some(reset), Some(sign_in), Some(change)] = all else {
        return match form {
            CodeForm::Digits => Ok(Deliveries::default()),
            CodeForm::Link | CodeForm::DigitsAndLink => {
                let complaint = Complaint::new("found links without the pages that they lead to");
                let hint = "name verify, reset, sign_in and change_email in [mail.links]";
                Err(accounts.note("code_form", complaint.hint(hint).wider()))
            }
        };
    };
    let delivery = |link| match form {
        CodeForm::Digits => Delivery::Digits,
        CodeForm::Link => Delivery::Link(link),
        CodeForm::DigitsAndLink => Delivery::DigitsAndLink(link),
    };
    Ok(Deliveries {
        verify_email: delivery(verify),
        reset_password: delivery(reset),
        sign_in: delivery(sign_in),
        change_email: delivery(change),
    })
}

fn code_form(value: &Value<'_>) -> Read<CodeForm> {
    let choices = [
        ("digits", CodeForm::Digits),
        ("link", CodeForm::Link),
        ("both", CodeForm::DigitsAndLink),
    ];
    value.one_of("\"digits\", \"link\" or \"both\"", &choices)
}

fn link(value: &Value<'_>) -> Read<LinkTemplate> {
    let expected = "an https URL with {token} once, behind the host";
    value.parsed(expected, LinkTemplate::parse)
}

/// Whatever makes an address of it is a domain.
fn domain(value: &Value<'_>) -> Read<Box<str>> {
    value.parsed("a domain, such as \"example.com\"", |text| {
        let address = Email::parse(&format!("a@{text}")).ok()?;
        let domain = address.as_str().strip_prefix("a@")?;
        Some(domain.into())
    })
}

fn role(value: &Value<'_>) -> Read<Role> {
    value.parsed("a role: lower-case letters, digits, . _ : -", |text| {
        Role::parse(text).ok()
    })
}

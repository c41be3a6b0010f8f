//! What the mails say: plain text, and simple HTML beside it.

use std::time::Duration;

use super::rules::Delivery;
use crate::code::{CodeRules, NewCode};
use crate::mail::Message;
use crate::user::Email;

/// Why somebody gets a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Occasion {
    /// An account was made with their address.
    Verify,
    /// Somebody wants to make an account with their address, which has one.
    SignUpAgain,
    /// A password is to be set.
    Reset,
    /// Somebody wants to sign in by mail.
    SignIn,
    /// An account is to be moved to their address.
    ChangeEmail,
    /// Their account was moved to this other address.
    EmailChanged(Email),
}

/// A mail before it is written.
pub(super) struct Letter {
    pub(super) site: String,
    pub(super) to: Email,
    pub(super) occasion: Occasion,
    pub(super) rules: CodeRules,
}

impl Letter {
    /// Writes it, with a code where it has one.
    pub(super) fn write(&self, code: Option<(&NewCode, &Delivery)>) -> Message {
        let (subject, opening, closing) = self.words();
        let (mut text, mut html) = (format!("{opening}\n"), paragraph(&escaped(&opening)));
        if let Some((code, delivery)) = code {
            self.write_code((code, delivery), (&mut text, &mut html));
        }
        text.extend(["\n", &closing, "\n"]);
        html.push_str(&paragraph(&escaped(&closing)));
        Message {
            to: self.to.clone(),
            subject,
            text,
            html: format!("<!doctype html>\n<html><body>\n{html}</body></html>\n"),
        }
    }

    fn write_code(
        &self,
        (code, delivery): (&NewCode, &Delivery),
        (text, html): (&mut String, &mut String),
    ) {
        if let Some(digits) = &code.digits {
            let (digits, life) = (digits.expose(), in_words(self.rules.digits_lifetime));
            text.extend(["\nYour code: ", digits, "\nIt holds for ", &life, ".\n"]);
            html.push_str(&paragraph(&format!(
                "Your code: <strong>{digits}</strong><br>It holds for {life}."
            )));
        }
        let link = code.token.as_ref().and_then(|token| delivery.link(token));
        if let Some(link) = link {
            let (link, life) = (link.expose(), in_words(self.rules.link_lifetime));
            text.extend(["\nYour link:\n", link, "\nIt holds for ", &life]);
            text.push_str(", and works once.\n");
            let shown = escaped(link);
            html.push_str(&paragraph(&format!(
                "<a href=\"{shown}\">{shown}</a><br>It holds for {life}, and works once."
            )));
        }
    }

    /// Subject, what it is about, and what to do if it is a mistake.
    fn words(&self) -> (String, String, String) {
        let site = &self.site;
        let harmless = "If it was not you, do nothing.".to_owned();
        match &self.occasion {
            Occasion::Verify => (
                format!("Confirm your email address for {site}"),
                format!(
                    "Somebody, hopefully you, has made an account at {site} with this address. Confirm that the address is yours."
                ),
                "If it was not you, do nothing: the address stays unconfirmed.".to_owned(),
            ),
            Occasion::SignUpAgain => (
                format!("You have an account at {site}"),
                format!(
                    "Somebody, hopefully you, tried to make an account at {site} with this address. There is one already: sign in, or choose a new password."
                ),
                harmless,
            ),
            Occasion::Reset => (
                format!("Choose a new password for {site}"),
                format!(
                    "Somebody, hopefully you, wants to choose a new password for your account at {site}."
                ),
                "If it was not you, do nothing: your password stays as it is.".to_owned(),
            ),
            Occasion::SignIn => (
                format!("Sign in to {site}"),
                format!("Somebody, hopefully you, wants to sign in to {site} with this address."),
                "If it was not you, do nothing, and give the code to nobody.".to_owned(),
            ),
            Occasion::ChangeEmail => (
                format!("Confirm your new email address for {site}"),
                format!(
                    "Somebody, hopefully you, wants to use this address for an account at {site} from now on."
                ),
                harmless,
            ),
            Occasion::EmailChanged(new) => (
                format!("Your email address for {site} has changed"),
                format!("Your account at {site} has another email address now: {new}."),
                "If it was not you, tell the operators of the site at once.".to_owned(),
            ),
        }
    }
}

fn paragraph(html: &str) -> String {
    format!("<p>{html}</p>\n")
}

fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
    html
}

/// `15 minutes`, `1 hour`: in the largest unit that tells it whole.
fn in_words(span: Duration) -> String {
    let seconds = span.as_secs();
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    let whole = units
        .iter()
        .find(|(unit, _)| seconds >= *unit && seconds.is_multiple_of(*unit));
    let (count, unit) = whole.map_or((seconds, "second"), |(unit, name)| (seconds / unit, *name));
    match count {
        1 => format!("1 {unit}"),
        count => format!("{count} {unit}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::rules::LinkTemplate;
    use super::*;

    fn letter(occasion: Occasion) -> Letter {
        Letter {
            site: "gw.example.com".into(),
            to: Email::parse("ann@example.com").unwrap(),
            occasion,
            rules: CodeRules::default(),
        }
    }

    #[test]
    fn a_mail_has_code_and_link_with_their_lives() {
        let link = LinkTemplate::parse("https://app.example.com/v?a=1&token={token}").unwrap();
        let delivery = Delivery::DigitsAndLink(link);
        let code = NewCode::new(delivery.form());
        let mail = letter(Occasion::Verify).write(Some((&code, &delivery)));
        let digits = code.digits.unwrap();
        let token = code.token.unwrap();
        assert_eq!(
            mail.subject,
            "Confirm your email address for gw.example.com"
        );
        for part in [
            format!("Your code: {}\nIt holds for 15 minutes.", digits.expose()),
            format!(
                "https://app.example.com/v?a=1&token={}\nIt holds for 1 hour",
                token.expose()
            ),
        ] {
            assert!(mail.text.contains(&part), "{part}\n{}", mail.text);
        }
        assert!(
            mail.html
                .contains(&format!("a=1&amp;token={}", token.expose()))
        );
    }

    #[test]
    fn no_address_becomes_markup() {
        let new = Email::parse("<script>&'\"@example.com").unwrap();
        let mail = letter(Occasion::EmailChanged(new)).write(None);
        assert!(!mail.html.contains("<script>"), "{}", mail.html);
        assert!(
            mail.html
                .contains("&lt;script&gt;&amp;&#39;&quot;@example.com")
        );
    }

    #[test]
    fn a_life_is_told_in_its_largest_whole_unit() {
        let check = |seconds, words| assert_eq!(in_words(Duration::from_secs(seconds)), words);
        check(900, "15 minutes");
        check(3600, "1 hour");
        check(5400, "90 minutes");
        check(86_400, "1 day");
        check(59, "59 seconds");
    }
}

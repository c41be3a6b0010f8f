//! The links in mails of this login: to `GET /verify`, which goes on to a page of the app.

use url::form_urlencoded;

use super::Call;
use crate::auth::account::rules::{Delivery, LinkTemplate};
use crate::dialect::Mount;

/// What a mail is about, in the words of the clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dialect) enum Kind {
    SignUp,
    Invite,
    MagicLink,
    /// Whichever of those that are above.
    Email,
    Recovery,
    EmailChange,
}

impl Kind {
    pub(in crate::dialect) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "signup" => Self::SignUp,
            "invite" => Self::Invite,
            "magiclink" => Self::MagicLink,
            "email" => Self::Email,
            "recovery" => Self::Recovery,
            "email_change" => Self::EmailChange,
            _ => return None,
        })
    }

    pub(in crate::dialect) const fn as_str(self) -> &'static str {
        match self {
            Self::SignUp => "signup",
            Self::Invite => "invite",
            Self::MagicLink => "magiclink",
            Self::Email => "email",
            Self::Recovery => "recovery",
            Self::EmailChange => "email_change",
        }
    }
}

/// How a mail that this call asks for brings its code: as six digits and as a link that goes on to the
/// page that the call wants, if it may be one. Without pages: as the rules of accounts say.
pub(in crate::dialect) fn delivery(mount: &Mount, kind: Kind, call: &Call) -> Option<Delivery> {
    let wanted = call.query("redirect_to");
    let page = mount.targets.choose(wanted.as_deref())?;
    let page: String = form_urlencoded::byte_serialize(page.as_str().as_bytes()).collect();
    let (issuer, kind) = (&mount.issuer, kind.as_str());
    let link = format!("{issuer}/verify?token={{token}}&type={kind}&redirect_to={page}");
    LinkTemplate::parse(&link).map(Delivery::DigitsAndLink)
}

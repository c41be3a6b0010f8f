//! Where links from mails may lead in the end: to pages of this origin, or of an origin of the list.
//!
//! A client names the page, and the link carries its name, which anybody can change. So it is judged
//! twice: when the link is made, and again when it is followed. Otherwise a link with our name in it would
//! lead anywhere, and take the token of its reader along.

use std::collections::BTreeSet;

use url::Url;
use url::form_urlencoded::byte_serialize;

use super::fault::Fault;
use crate::auth::account::rules::LinkTemplate;
use crate::dialect::Mount;

/// The longest name of a page, in bytes: a link in a mail should survive mail programs.
const LONGEST: usize = 2000;

/// The origins that may be led to, and our own.
#[derive(Debug)]
pub(super) struct Redirects {
    base: String,
    origins: BTreeSet<String>,
}

/// A page that may be led to.
#[derive(Clone, Debug)]
pub(super) struct Target(Url);

impl Redirects {
    pub(super) fn of(mount: &Mount) -> Self {
        let listed = mount.allowed_origins.iter();
        let listed = listed.filter_map(|origin| origin.to_str().ok().map(str::to_owned));
        Self {
            base: mount.base.clone(),
            origins: listed.chain([mount.base.clone()]).collect(),
        }
    }

    /// The page with this name, if it may be led to.
    pub(super) fn target(&self, text: &str) -> Result<Target, Fault> {
        let refused = || Fault::invalid_input("redirectTo: Not an allowed redirect URL");
        if text.len() > LONGEST {
            return Err(refused());
        }
        let url = Url::parse(text).map_err(|_no_url| refused())?;
        let is_plain = url.username().is_empty() && url.password().is_none();
        let origin = url.origin().ascii_serialization();
        if is_plain && self.origins.contains(&origin) {
            Ok(Target(url))
        } else {
            Err(refused())
        }
    }

    /// A link to the endpoint at `path` that goes on to the target. What a client sends is escaped in it:
    /// the place of the token is ours.
    pub(super) fn link(&self, path: &str, target: &Target) -> Result<LinkTemplate, Fault> {
        let page: String = byte_serialize(target.0.as_str().as_bytes()).collect();
        let text = format!("{}{path}?token={{token}}&redirect_to={page}", self.base);
        LinkTemplate::parse(&text).ok_or_else(|| {
            tracing::error!(base = %self.base, "links cannot lead to the public origin");
            Fault::internal()
        })
    }
}

impl Target {
    /// The page, told what has happened.
    pub(super) fn told(mut self, words: &[(&str, &str)]) -> String {
        self.0.query_pairs_mut().extend_pairs(words);
        self.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirects() -> Redirects {
        Redirects::of(&Mount {
            base: "https://gw.test".to_owned(),
            allowed_origins: vec!["https://app.test".parse().unwrap()],
            ..Mount::default()
        })
    }

    #[test]
    fn links_lead_to_pages_of_this_origin_or_of_a_listed_one() {
        let check = |text: &str, allowed: bool| {
            assert_eq!(redirects().target(text).is_ok(), allowed, "{text}");
        };
        check("https://app.test/reset", true);
        check("https://APP.test:443/reset?a=1#b", true);
        check("https://gw.test/", true);
        check("http://app.test/reset", false);
        check("https://app.test:444/", false);
        check("https://app.test.evil.test/", false);
        check("https://app.test@evil.test/", false);
        check("https://me@app.test/", false);
        check("https://evil.test/https://app.test/", false);
        check("//app.test/", false);
        check("/reset", false);
        check("javascript:alert(1)//https://app.test", false);
        check("data:text/html,x", false);
        check("https://evil.test\\@app.test/", false);
        check("", false);
        check(&format!("https://app.test/{}", "a".repeat(LONGEST)), false);
    }

    #[test]
    fn what_a_client_sends_is_escaped_in_a_link() {
        let target = redirects()
            .target("https://app.test/{token}?a=1&token={token}#y")
            .unwrap();
        let link = redirects().link("/verify", &target).unwrap();
        // The braces of a path are escaped in every URL, those of a query are not.
        let page = "https%3A%2F%2Fapp.test%2F%257Btoken%257D%3Fa%3D1%26token%3D%7Btoken%7D%23y";
        let expected = format!("https://gw.test/verify?token={{token}}&redirect_to={page}");
        assert_eq!(Some(link), LinkTemplate::parse(&expected));
    }
}

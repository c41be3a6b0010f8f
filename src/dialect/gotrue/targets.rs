//! Where links in mails may lead: to these pages and to no other, as what they bring along opens a
//! session.

use url::Url;

/// The pages of a mount, the usual one first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Targets(Vec<Url>);

impl Targets {
    /// These pages.
    pub const fn new(pages: Vec<Url>) -> Self {
        Self(pages)
    }

    /// Reads a page: https, or http on this machine, without a fragment, where the session will stand.
    pub fn page(text: &str) -> Option<Url> {
        let url = Url::parse(text).ok()?;
        let loopback = matches!(url.host_str()?, "localhost" | "127.0.0.1" | "[::1]");
        let secure = url.scheme() == "https" || (url.scheme() == "http" && loopback);
        let plain = url.fragment().is_none() && url.username().is_empty();
        (secure && plain && url.password().is_none()).then_some(url)
    }

    /// The page that a call wants, if it is one of these, else the usual one; none where there are no
    /// pages. All of it counts, the query too: a page that leads on would take the session along.
    pub fn choose(&self, wanted: Option<&str>) -> Option<&Url> {
        let wanted = wanted.and_then(|text| Url::parse(text).ok());
        let listed = self.0.iter().find(|page| Some(*page) == wanted.as_ref());
        listed.or_else(|| self.0.first())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_one_of_the_list_or_the_first() {
        let page = |text| Targets::page(text).unwrap();
        let (home, reset) = ("https://app.test/", "https://app.test/reset?step=2");
        let targets = Targets::new(vec![page(home), page(reset)]);
        let check = |wanted, expected: &str| {
            assert_eq!(targets.choose(wanted).unwrap().as_str(), expected);
        };
        check(None, home);
        check(Some("https://APP.test:443"), home);
        check(Some(reset), reset);
        for other in [
            "https://app.test/reset",
            "https://app.test/reset?step=2&next=https://evil.test",
            "https://app.test/reset?step=2#a",
            "https://app.test@evil.test/",
            "https://app.test.evil.test/",
            "//evil.test",
            "javascript:alert(1)",
            "",
        ] {
            check(Some(other), home);
        }
        assert_eq!(Targets::default().choose(Some(home)), None);
    }

    #[test]
    fn a_page_is_safe_and_has_no_fragment() {
        let check = |text: &str, sound: bool| {
            assert_eq!(Targets::page(text).is_some(), sound, "{text}");
        };
        check("https://app.test/welcome?a=1", true);
        check("http://localhost:5173", true);
        check("http://app.test/", false);
        check("https://app.test/#welcome", false);
        check("https://ann@app.test/", false);
        check("myapp://welcome", false);
        check("/welcome", false);
    }
}

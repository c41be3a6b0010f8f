//! Where a browser says a request was made: the defence against forged requests.

use http::{HeaderMap, HeaderValue, header};
use url::Url;

use super::RequestHead;
use crate::net::host::Authority;

/// What the browser says about where a request was made (Fetch Metadata, `Origin`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestOrigin {
    /// By a page of this origin, or typed by the user.
    Same,
    /// By a page of another origin.
    Cross,
    /// Nothing is said: not a browser, or an old one.
    Untold,
}

impl RequestHead<'_> {
    /// Where this request was made. `public` is the origin that clients use; this request's own origin
    /// is its scheme and port with this request's host.
    ///
    /// `Sec-Fetch-Site` first: no page can forge it, and it compares what the browser itself sees.
    /// Then `Origin`, which older browsers send with unsafe methods. `same-site` is not same: another
    /// service of the domain may be anybody's. What cannot be read is cross.
    pub fn origin(&self, public: &Url) -> RequestOrigin {
        let by_site = judge(self.headers, "sec-fetch-site", |site| {
            matches!(site.as_bytes(), b"same-origin" | b"none")
        });
        match by_site {
            RequestOrigin::Same | RequestOrigin::Cross => by_site,
            RequestOrigin::Untold => judge(self.headers, header::ORIGIN.as_str(), |origin| {
                is_own(origin, &self.host, public)
            }),
        }
    }
}

/// What one header says; of two copies, neither is believed.
fn judge(
    headers: &HeaderMap,
    name: &str,
    is_same: impl FnOnce(&HeaderValue) -> bool,
) -> RequestOrigin {
    let mut lines = headers.get_all(name).iter();
    match (lines.next(), lines.next()) {
        (None, _) => RequestOrigin::Untold,
        (Some(line), None) if is_same(line) => RequestOrigin::Same,
        (Some(_), _) => RequestOrigin::Cross,
    }
}

fn is_own(origin: &HeaderValue, host: &str, public: &Url) -> bool {
    let Some((scheme, authority)) = origin.to_str().ok().and_then(|o| o.split_once("://")) else {
        return false;
    };
    let Ok(authority) = Authority::parse(authority) else {
        return false;
    };
    let port = authority.port.or_else(|| default_port(scheme));
    scheme == public.scheme()
        && *authority.host == *host
        && port.is_some()
        && port == public.port_or_known_default()
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "https" => Some(443),
        "http" => Some(80),
        _ => None,
    }
}

//! Where the head of a request leads: everything that is decided before a byte of it goes on.

use axum::body::Body;
use http::header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};
use http::request;
use http::{Method, Response};

use super::Visit;
use crate::app::record::Record;
use crate::app::site::{Endpoints, Spot, Target};
use crate::auth::{Denial, Permit};
use crate::listen::Connection;
use crate::metrics::requests::Verdict;
use crate::path::NormalPath;
use crate::request::cookie::ShownCookie;
use crate::request::{Credential, RequestHead};
use crate::route::Credentials;
use crate::route::table::Lookup;
use crate::wire::context::RequestContext;
use crate::wire::cookie::Cookie;
use crate::wire::refusal::{Cause, Refusal};

/// What a request's head leads to.
pub(super) enum Way<'a> {
    Forward {
        spot: Spot<'a>,
        permit: Permit,
        path: NormalPath,
        upstream: (usize, Credentials),
    },
    Own {
        spot: Spot<'a>,
        endpoints: Endpoints,
        context: RequestContext,
    },
    /// A browser asks whether a page of another origin may call a service.
    Preflight {
        spot: Spot<'a>,
        response: Response<Body>,
    },
    Refused {
        spot: Option<Spot<'a>>,
        refusal: Refusal,
        verdict: (Verdict, &'static str),
    },
}

impl<'a> Visit<'a> {
    /// Nothing here waits for anything: all that decides lies in memory.
    pub(super) fn find_way(
        self,
        parts: &request::Parts,
        connection: &Connection,
        record: &mut Record,
    ) -> Way<'a> {
        let peer = connection.peer.ip();
        let head = match RequestHead::read(parts, peer, &self.serving.trusted_proxies) {
            Ok(head) => head,
            Err(bad) => {
                record.path = parts.uri.path().into();
                return refused(bad.into(), bad.reason());
            }
        };
        record.client = head.client;
        record.host.clone_from(&head.host);
        record.path = head.path.as_str().into();
        if let Some(way) = self.preflight(&head) {
            return way;
        }
        let spot = match self.serving.site.find(&head.host, &head.path, head.method) {
            Lookup::Found(stop) => stop.at(&head.host, head.path.as_str()),
            Lookup::NotFound => return refused(Cause::NotFound.into(), "no-route"),
            Lookup::MethodNotAllowed(methods) => {
                return refused(Cause::MethodNotAllowed(methods).into(), "method");
            }
            Lookup::CaseDiffers => return refused(Cause::PathCase.into(), "letter-case"),
        };
        match spot.stop.target {
            Target::Own(endpoints) => Way::Own {
                spot,
                endpoints,
                context: RequestContext::of(&head, record.request_id),
            },
            Target::Upstream { index, credentials } => match self.judge(&head, spot) {
                Ok(permit) => {
                    record.identity = permit.shared_identity();
                    let upstream = (index, credentials);
                    Way::Forward {
                        spot,
                        permit,
                        path: head.path,
                        upstream,
                    }
                }
                Err(denial) => denied(spot, &head, &denial),
            },
        }
    }

    /// A key that every app carries says nothing of who calls: until somebody has signed in, clients of
    /// some dialects show it in the place of a token. It counts as no credential, and nothing else of
    /// the request counts in its place.
    fn judge(self, head: &RequestHead<'_>, spot: Spot<'_>) -> Result<Permit, Denial> {
        let auth = &self.parts.auth;
        let neighbour = spot.neighbour;
        let key_header = neighbour.and_then(|neighbour| neighbour.key_header.as_ref());
        let shown = match key_header {
            Some(name) => auth.credential_also_in(head, name),
            None => auth.credential(head),
        };
        let is_key = |key| neighbour.is_some_and(|neighbour| neighbour.keys.is_public(key));
        let counts = match shown {
            Credential::Bearer(token) if is_key(token) => Credential::Absent,
            Credential::Bearer(_)
            | Credential::Absent
            | Credential::Key(_)
            | Credential::Cookie(_)
            | Credential::Foreign
            | Credential::Ambiguous => shown,
        };
        auth.authenticate_by(head, counts, &spot.stop.requirement)
    }

    /// A preflight (Fetch standard §3.2.2) carries no credential, so no service could be asked for its
    /// answer; where pages of other origins may call, it is given here.
    fn preflight(self, head: &RequestHead<'_>) -> Option<Way<'a>> {
        if *head.method != Method::OPTIONS || !head.headers.contains_key(ORIGIN) {
            return None;
        }
        let wanted = head.headers.get(ACCESS_CONTROL_REQUEST_METHOD)?;
        let wanted = Method::from_bytes(wanted.as_bytes()).ok()?;
        let Lookup::Found(stop) = self.serving.site.find(&head.host, &head.path, &wanted) else {
            return None;
        };
        let spot = stop.at(&head.host, head.path.as_str());
        let response = spot.cors()?.preflight_of_service(head.headers);
        Some(Way::Preflight { spot, response })
    }
}

fn refused(refusal: Refusal, reason: &'static str) -> Way<'static> {
    Way::Refused {
        spot: None,
        refusal,
        verdict: (Verdict::Refused, reason),
    }
}

fn denied<'a>(spot: Spot<'a>, head: &RequestHead<'_>, denial: &Denial) -> Way<'a> {
    let verdict = match denial {
        Denial::Unauthenticated(_) => (Verdict::Refused, "unauthenticated"),
        Denial::Forbidden { .. } => (Verdict::Refused, "forbidden"),
        Denial::CrossOrigin => (Verdict::Refused, "cross-origin"),
        Denial::Unavailable { .. } => (Verdict::Undecided, "unavailable"),
    };
    // A browser that keeps a cookie which does not hold would be refused until it runs out.
    let cookies: &[Cookie] = match Cookie::SESSION.find(head.headers) {
        ShownCookie::Absent => &[],
        ShownCookie::Once(_) | ShownCookie::Ambiguous => &[Cookie::SESSION],
    };
    let refusal = Refusal::from(denial).clearing(cookies);
    Way::Refused {
        spot: Some(spot),
        refusal,
        verdict,
    }
}

//! Where the head of a request leads: everything that is decided before a byte of it goes on.

use axum::body::Body;
use http::Response;
use http::request;

use super::Visit;
use crate::app::record::Record;
use crate::app::site::{Endpoints, Spot, Target};
use crate::auth::{Denial, Permit};
use crate::listen::Connection;
use crate::metrics::requests::Verdict;
use crate::path::NormalPath;
use crate::request::RequestHead;
use crate::request::cookie::ShownCookie;
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
        if let Some((spot, response)) = self.serving.site.preflight(&head) {
            return Way::Preflight { spot, response };
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

    fn judge(self, head: &RequestHead<'_>, spot: Spot<'_>) -> Result<Permit, Denial> {
        let auth = &self.parts.auth;
        let shown = spot.credential(head, auth.key_header());
        auth.authenticate_by(head, shown, &spot.stop.requirement)
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

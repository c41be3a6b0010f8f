//! Calls that only somebody on this very machine may make.

use http::HeaderMap;

use super::call::Call;
use super::fault::Fault;
use crate::auth::Auth;

/// Headers that tell of somebody between the client and us.
const OF_PROXIES: [&str; 4] = ["x-forwarded-for", "forwarded", "x-real-ip", "via"];

/// Refuses who does not call from the loopback address, by the trusted-proxy rule.
///
/// A proxy on this machine that is not among `server.trusted_proxies` makes all the world look as if it
/// were here, so whoever comes by way of one is not. A page of another origin, in a browser on this
/// machine, is not its user.
pub(super) fn check(call: &Call, auth: &Auth) -> Result<(), Fault> {
    let is_here = call.context.client.to_canonical().is_loopback();
    if is_here && !came_by_proxy(&call.parts.headers) && !call.is_of_foreign_page(auth) {
        Ok(())
    } else {
        Err(Fault::not_local())
    }
}

fn came_by_proxy(headers: &HeaderMap) -> bool {
    OF_PROXIES.iter().any(|name| headers.contains_key(*name))
}

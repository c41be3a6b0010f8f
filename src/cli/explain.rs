//! `doorward explain`: which route a request would take, which rule would judge it, with what verdict
//! and why. Forwards nothing and changes nothing.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use http::header::{AUTHORIZATION, HOST};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use zeroize::Zeroizing;

use self::witness::{Books, Found};
use super::Exit;
use crate::app::site::{Site, Spot, Stop, Target};
use crate::auth::{Denial, Unauthenticated, decide};
use crate::config::Config;
use crate::identity::Identity;
use crate::metrics::Metrics;
use crate::policy::Requirement;
use crate::proxy;
use crate::request::{Credential, RequestHead};
use crate::route::table::Lookup;
use crate::user::AccountStatus;
use crate::wire::refusal::Refusal;

pub(super) mod key;
mod witness;

/// What to explain.
#[derive(Debug, Args)]
pub struct Explain {
    /// The method: GET, POST, …
    method: Method,
    /// The path, perhaps with a query: /admin/x
    path: String,
    /// As this user (id, address or user name), as if signed in
    #[arg(long = "as", value_name = "USER", conflicts_with = "token")]
    user: Option<String>,
    /// With the token or API key in this file
    #[arg(long, value_name = "FILE")]
    token: Option<PathBuf>,
    /// With this header: 'Name: value'
    #[arg(long = "header", value_name = "HEADER")]
    headers: Vec<String>,
    /// From this client address
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    from: IpAddr,
}

/// Explains to standard output.
pub fn run(explain: &Explain, config: &Config) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let text = runtime.block_on(explain.text(config))?;
    write!(io::stdout(), "{text}")?;
    Ok(Exit::Done)
}

impl Explain {
    async fn text(&self, config: &Config) -> anyhow::Result<String> {
        let parts = self.request(config)?;
        let head = match RequestHead::read(&parts, self.from, &config.trusted_proxies) {
            Ok(head) => head,
            Err(bad) => {
                return Ok(format!(
                    "verdict  refused, {}\nreason   {}\n",
                    bad.status(),
                    bad.reason()
                ));
            }
        };
        let request = format!("request  {} {}{}\n", head.method, head.host, head.path);
        let site = Site::build(config, &Metrics::new()).map_err(anyhow::Error::new)?;
        if let Some((spot, response)) = site.preflight(&head) {
            let (route, status) = (&spot.stop.name, response.status().as_u16());
            return Ok(format!(
                "{request}route    {route}\nverdict  answered here, {status}\nreason   a preflight, \
                 which no service is asked\n"
            ));
        }
        let verdict = match site.find(&head.host, &head.path, head.method) {
            Lookup::Found(stop) => self.judge(config, stop, &head).await?,
            Lookup::NotFound => "route    none\nverdict  refused, 404\nreason   no route\n".into(),
            Lookup::MethodNotAllowed(methods) => format!(
                "route    none for this method\nverdict  refused, 405\nreason   the route for \
                 this path takes {methods:?}\n"
            ),
            Lookup::CaseDiffers => {
                "route    none\nverdict  refused, 400\nreason   in other letter \
                                    case the path belongs to another route\n"
                    .into()
            }
        };
        Ok(request + &verdict)
    }

    async fn judge(
        &self,
        config: &Config,
        stop: &Stop,
        head: &RequestHead<'_>,
    ) -> anyhow::Result<String> {
        let (upstream, rule) = match stop.target {
            Target::Own(_) => ("the gateway itself", "its own".to_owned()),
            Target::Upstream { index, .. } => (
                config
                    .upstreams
                    .get(index)
                    .map_or("?", |upstream| &upstream.name),
                stop.requirement.to_string(),
            ),
        };
        let route = format!("route    {} -> {upstream}\nrule     {rule}\n", stop.name);
        if matches!(stop.target, Target::Own(_)) {
            return Ok(route + "verdict  allowed\nreason   the endpoint judges for itself\n");
        }
        let spot = stop.at(&head.host, head.path.as_str());
        let (verdict, reason) = self.verdict(config, spot, head).await?;
        Ok(format!("{route}verdict  {verdict}\nreason   {reason}\n"))
    }

    /// What the gate decides, by what a witness of our own says of the credential.
    async fn verdict(
        &self,
        config: &Config,
        spot: Spot<'_>,
        head: &RequestHead<'_>,
    ) -> anyhow::Result<(String, String)> {
        let books = Books::of(config);
        let (shown, witness) = if let Some(name) = &self.user {
            let user = books.user(name).await?;
            if user.status == AccountStatus::Disabled {
                let reason = "the account is disabled".to_owned();
                return Ok(("refused, 401".to_owned(), reason));
            }
            // As programs sign in: no page is asked.
            (Credential::Bearer(""), books.signed_in(&user))
        } else {
            let shown = spot.credential(head, config.api_keys.header.as_ref());
            (shown, books.witness(shown).await?)
        };
        let requirement = &spot.stop.requirement;
        let identity = match decide(&witness, head, shown, requirement) {
            Ok(identity) => identity,
            Err(denial) => return Ok(refused(&denial, &witness, requirement)),
        };
        Ok(match proxy::refuse_method(head.method) {
            Ok(()) => ("allowed".to_owned(), caller_in_words(identity.as_deref())),
            Err(error) => (refused_with(error.status()), error.to_string()),
        })
    }

    fn request(&self, config: &Config) -> anyhow::Result<Parts> {
        let mut request = Request::builder()
            .method(&self.method)
            .uri(&self.path)
            .body(())?;
        let headers = request.headers_mut();
        for line in &self.headers {
            let (name, value) = line.split_once(':').context("a header is 'Name: value'")?;
            headers.append(HeaderName::try_from(name.trim())?, value.trim().parse()?);
        }
        if let Some(file) = &self.token {
            let text = std::fs::read_to_string(file)
                .map(Zeroizing::new)
                .with_context(|| format!("cannot read {}", file.display()))?;
            let mut value = HeaderValue::try_from(format!("Bearer {}", text.trim()))?;
            value.set_sensitive(true);
            headers.append(AUTHORIZATION, value);
        }
        if !headers.contains_key(HOST) {
            headers.insert(HOST, authority(config)?);
        }
        Ok(request.into_parts().0)
    }
}

fn authority(config: &Config) -> anyhow::Result<HeaderValue> {
    let url = &config.listen.public_url;
    let host = url.host_str().context("public_url has no host")?;
    Ok(match url.port() {
        Some(port) => format!("{host}:{port}").parse()?,
        None => host.parse()?,
    })
}

fn refused(denial: &Denial, witness: &Found, requirement: &Requirement) -> (String, String) {
    let reason = match denial {
        Denial::Unauthenticated(Unauthenticated::NoCredential) => "no credential".to_owned(),
        Denial::Unauthenticated(reason) if requirement.asks_for_identity() => reason.to_string(),
        Denial::Unauthenticated(reason) => format!("a bad credential: {reason}"),
        Denial::Forbidden { unmet } => {
            format!("{} lacks: {unmet}", caller_in_words(witness.identity()))
        }
        Denial::CrossOrigin => {
            "the session cookie, and no word that a page of this origin asks: neither \
             Sec-Fetch-Site or Origin nor the CSRF token"
                .to_owned()
        }
        Denial::Unavailable { what, .. } => (*what).to_owned(),
    };
    (refused_with(Refusal::from(denial).status()), reason)
}

fn refused_with(status: StatusCode) -> String {
    format!("refused, {}", status.as_u16())
}

fn caller_in_words(identity: Option<&Identity>) -> String {
    match identity {
        None => "nobody".to_owned(),
        Some(identity) => {
            let name = identity.email.as_deref().unwrap_or(&identity.subject);
            format!("{name} with the roles [{}]", identity.roles.join(", "))
        }
    }
}

//! The map of the site: which route each request takes, the gateway's own pages and the dialects in the
//! same table as the routes of the configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use http::{HeaderName, Method};

use crate::api;
use crate::auth::Auth;
use crate::auth::tokens::form::{Form, FormConfig, FormKey};
use crate::config::mistake::{Entry, Mistake, Mistakes, Place};
use crate::config::{ApiKeys, Config, DialectConfig};
use crate::dialect::cors::Cors;
use crate::dialect::{Mount, OwnNames, Quarter, Shape, Signing};
use crate::keys::KeyError;
use crate::metrics::Metrics;
use crate::metrics::requests::RouteMetrics;
use crate::path::NormalPath;
use crate::policy::Requirement;
use crate::route::pattern::{HostPattern, Methods, PathPattern, PatternError};
use crate::route::table::{Conflict, Lookup, RouteTable};
use crate::route::{Credentials, Matcher, RouteConfig};
use crate::wire::refusal::{ProblemStyle, RefusalStyle};

/// What a request comes to.
#[derive(Debug)]
pub struct Stop {
    /// Its name in logs, metrics and `doorward explain`: the pattern.
    pub name: Arc<str>,
    /// What it asks of its callers.
    pub requirement: Requirement,
    /// Who answers.
    pub target: Target,
    /// How refusals look here.
    pub style: Style,
    /// How its answers are shared with pages of other origins, where the service does not say it
    /// itself; for services alone, as endpoints see to it themselves.
    pub cors: Option<Cors>,
    /// What clients know of the dialect that goes with a service.
    pub neighbour: Option<Neighbour>,
    /// Its counters.
    pub metrics: RouteMetrics,
}

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The gateway itself; its endpoints look at credentials themselves.
    Own(Endpoints),
    /// An upstream.
    Upstream {
        /// Which: an index into the list of upstreams.
        index: usize,
        /// Whether it may see the caller's credential.
        credentials: Credentials,
    },
}

/// Which endpoints of the gateway itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoints {
    /// Its own API.
    Api,
    /// Those of a dialect: an index into the list of dialects.
    Dialect(usize),
}

/// How refusals look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Problem bodies.
    Problem,
    /// As the clients of a dialect expect them.
    Dialect(Shape, Quarter),
}

impl Style {
    /// The style itself.
    pub fn as_dyn(self) -> &'static dyn RefusalStyle {
        match self {
            Self::Problem => &ProblemStyle,
            Self::Dialect(shape, quarter) => shape.style(quarter),
        }
    }
}

/// The dialect beside a service.
#[derive(Clone, Debug)]
pub struct Neighbour {
    /// The keys that its apps show in the place of a token until somebody has signed in.
    pub keys: ApiKeys,
    /// Where its clients show their credential, beside `Authorization`.
    pub key_header: Option<HeaderName>,
}

/// All stops, and which of them a request comes to.
#[derive(Debug)]
pub struct Site {
    table: RouteTable<usize>,
    stops: Vec<Stop>,
    /// The counters of requests that come to no stop.
    pub unmatched: RouteMetrics,
}

impl Site {
    /// Draws the map. The mistakes are ties between routes, also with those of the gateway itself.
    pub fn build(config: &Config, metrics: &Metrics) -> Result<Self, Mistakes> {
        let (mut matchers, mut stops) = (Vec::new(), Vec::new());
        for place in places(config) {
            matchers.push((place.matcher, stops.len()));
            stops.push(Stop {
                metrics: metrics.route(&place.name),
                name: place.name,
                requirement: place.requirement,
                target: place.target,
                style: place.style,
                cors: place.cors,
                neighbour: place.neighbour,
            });
        }
        let table = RouteTable::build(matchers).map_err(|_ties| Mistakes::of(conflicts(config)))?;
        Ok(Self {
            table,
            stops,
            unmatched: metrics.route("none"),
        })
    }

    /// The stop that a request comes to.
    pub fn find(&self, host: &str, path: &NormalPath, method: &Method) -> Lookup<'_, Stop> {
        match self.table.lookup(host, path, method) {
            Lookup::Found(index) => self
                .stops
                .get(*index)
                .map_or(Lookup::NotFound, Lookup::Found),
            Lookup::NotFound => Lookup::NotFound,
            Lookup::MethodNotAllowed(methods) => Lookup::MethodNotAllowed(methods),
            Lookup::CaseDiffers => Lookup::CaseDiffers,
        }
    }
}

/// Every pair of routes that would answer the same requests.
pub fn conflicts(config: &Config) -> Vec<Mistake> {
    let places = places(config);
    let place = |index: usize| places.get(index);
    ties(&places)
        .into_iter()
        .filter_map(|tie| Some((&place(tie.first)?.entry, &place(tie.second)?.entry)))
        .map(|(first, second)| Mistake::conflict(second, first, "takes the same requests"))
        .chain(twin_forms(config))
        .chain(hasty(config))
        .collect()
}

/// Those of the gateway itself and of the dialects tie whatever methods a route lists: it would take them
/// away unseen, as a list goes before "every method".
fn ties(places: &[PlannedStop]) -> Vec<Conflict> {
    let by_methods = |methods: fn(&Matcher) -> Methods| {
        let matchers = places.iter().enumerate().map(|(index, place)| {
            let matcher = Matcher {
                methods: methods(&place.matcher),
                ..place.matcher.clone()
            };
            (matcher, index)
        });
        let table = RouteTable::build(matchers.collect());
        table.err().unwrap_or_default()
    };
    let is_own = |index: usize| {
        let target = places.get(index).map(|place| place.target);
        matches!(target, Some(Target::Own(_)))
    };
    let mut ties = by_methods(|matcher| matcher.methods.clone());
    let taken = by_methods(|_matcher| Methods::Any).into_iter();
    let taken = taken.filter(|tie| is_own(tie.first) && !is_own(tie.second));
    let unheard: Vec<_> = taken.filter(|tie| !ties.contains(tie)).collect();
    ties.extend(unheard);
    ties.sort_unstable_by_key(|tie| (tie.second, tie.first));
    ties
}

/// The clients of these dialects refresh when less than 90 seconds are left, at each call if need be.
fn hasty(config: &Config) -> impl Iterator<Item = Mistake> {
    const LEAST: Duration = Duration::from_mins(3);
    let dialects = config.dialects.iter().zip(&config.sources.dialects);
    let is_short = config.sessions.lifetimes.access < LEAST;
    let hasty = dialects.filter(move |(dialect, _)| is_short && dialect.shape.is_gotrue());
    hasty.map(|(_, entry)| Mistake {
        place: entry.place.clone(),
        key: entry.key.clone(),
        found: "its clients refresh 90 seconds before a token ends".to_owned(),
        expected: Some("access_ttl in [sessions] of 3m or more".to_owned()),
        hint: None,
    })
}

/// Dialects of one issuer whose tokens are signed in different ways: nobody could tell them apart.
fn twin_forms(config: &Config) -> Vec<Mistake> {
    let forms = token_forms(config);
    let named: Vec<_> = forms
        .iter()
        .zip(&config.dialects)
        .zip(&config.sources.dialects)
        .collect();
    let mut mistakes = Vec::new();
    for (index, ((form, dialect), entry)) in named.iter().enumerate() {
        let mut before = named.iter().take(index);
        let twin = before.find(|((other, _), _)| other.issuer == form.issuer);
        let twin = twin.filter(|((_, other), _)| other.token_secret != dialect.token_secret);
        let found = "has the issuer, but not the token_secret, of the same tokens";
        mistakes.extend(twin.map(|(_, earlier)| Mistake::conflict(entry, earlier, found)));
    }
    mistakes
}

/// How each dialect has its access tokens made, in their order.
pub fn token_forms(config: &Config) -> Vec<FormConfig> {
    let dialects = config.dialects.iter();
    dialects
        .map(|dialect| token_form(config, dialect))
        .collect()
}

fn token_form(config: &Config, dialect: &DialectConfig) -> FormConfig {
    let origin = config.listen.public_url.origin().ascii_serialization();
    dialect.shape.token_form(OwnNames {
        issuer: &config.tokens.issuer,
        audience: &config.tokens.audience,
        base: &format!("{origin}{}", dialect.prefix),
        secret: dialect.token_secret.as_ref(),
    })
}

/// The origin where people reach a dialect: that of the gateway, at the host of the dialect if it has one.
fn origin_of(config: &Config, dialect: &DialectConfig) -> String {
    let mut url = config.listen.public_url.clone();
    match &dialect.host {
        // What a pattern takes for a host is one in a URL, too.
        HostPattern::Exact(host) => drop(url.set_host(Some(host))),
        HostPattern::Any | HostPattern::Below(_) => {}
    }
    url.origin().ascii_serialization()
}

fn mount(config: &Config, dialect: &DialectConfig, form: FormConfig) -> Result<Mount, KeyError> {
    Ok(Mount {
        allowed_origins: dialect.allowed_origins.clone(),
        signing: match &form.key {
            FormKey::Ring => Signing::Ring,
            FormKey::Secret(_) => Signing::Secret,
        },
        issuer: form.issuer.clone(),
        form: Form::open(form)?,
        prefix: dialect.prefix.clone(),
        base: origin_of(config, dialect),
        keys: dialect.keys.clone(),
        targets: dialect.targets.clone(),
        admin_secret: dialect.admin_secret.clone(),
    })
}

/// The endpoints behind [`Target::Own`].
#[derive(Clone, Debug)]
pub struct OwnEndpoints {
    api: Router,
    dialects: Vec<Router>,
}

impl OwnEndpoints {
    /// Those that the configuration asks for.
    pub fn of(config: &Config, auth: &Arc<Auth>) -> Result<Self, KeyError> {
        let dialects = config.dialects.iter().zip(token_forms(config));
        let dialects = dialects.map(|(dialect, form)| {
            let mount = mount(config, dialect, form)?;
            Ok(dialect.shape.router(Arc::clone(auth), &mount))
        });
        Ok(Self {
            api: api::router(Arc::clone(auth)),
            dialects: dialects.collect::<Result<_, KeyError>>()?,
        })
    }

    /// The router of these endpoints.
    pub fn router(&self, endpoints: Endpoints) -> Router {
        match endpoints {
            Endpoints::Api => self.api.clone(),
            Endpoints::Dialect(index) => self.dialects.get(index).unwrap_or(&self.api).clone(),
        }
    }
}

/// A stop before it is on the map.
#[derive(Clone)]
struct PlannedStop {
    matcher: Matcher,
    entry: Entry,
    name: Arc<str>,
    requirement: Requirement,
    target: Target,
    style: Style,
    cors: Option<Cors>,
    neighbour: Option<Neighbour>,
}

fn places(config: &Config) -> Vec<PlannedStop> {
    let mut own = own_stops().unwrap_or_default();
    own.extend(dialect_stops(config).unwrap_or_default());
    let configured: Vec<_> = configured(config).collect();
    let narrower = on_narrower_hosts(&own, &configured);
    own.into_iter().chain(narrower).chain(configured).collect()
}

/// The endpoints once more for each host that a route or a dialect names within theirs: the table asks the
/// most specific host first, where `/**` of a route would take them all. A route for the very path of one
/// is meant to.
fn on_narrower_hosts(own: &[PlannedStop], configured: &[PlannedStop]) -> Vec<PlannedStop> {
    let place = |matcher: &Matcher| (matcher.host.to_string(), matcher.path.to_string());
    let all = || own.iter().chain(configured);
    let mut taken: BTreeSet<_> = all().map(|stop| place(&stop.matcher)).collect();
    let hosts: BTreeMap<_, _> = all()
        .map(|stop| (stop.matcher.host.to_string(), &stop.matcher.host))
        .collect();
    // The narrowest first, as theirs is the word on a host that several cover.
    let mut sources: Vec<_> = own.iter().collect();
    sources.sort_by_key(|stop| match &stop.matcher.host {
        HostPattern::Exact(_) => 0,
        HostPattern::Below(domain) => usize::MAX - domain.len(),
        HostPattern::Any => usize::MAX,
    });
    let mut copies = Vec::new();
    for stop in sources {
        for host in hosts.values().copied() {
            let matcher = Matcher {
                host: host.clone(),
                ..stop.matcher.clone()
            };
            if stop.matcher.host.is_wider_than(host) && taken.insert(place(&matcher)) {
                copies.push(PlannedStop {
                    matcher,
                    ..stop.clone()
                });
            }
        }
    }
    copies
}

/// What the gateway answers itself: all below `/.doorward/`, and the keys where everybody looks.
fn own_stops() -> Result<Vec<PlannedStop>, PatternError> {
    let place = Place {
        file: "the gateway itself".to_owned(),
        position: None,
    };
    ["/.doorward/**", "/.well-known/jwks.json"]
        .into_iter()
        .map(|pattern| {
            Ok(PlannedStop {
                matcher: Matcher {
                    host: HostPattern::Any,
                    path: PathPattern::parse(pattern)?,
                    methods: Methods::Any,
                },
                entry: Entry {
                    place: place.clone(),
                    key: pattern.to_owned(),
                },
                name: pattern.into(),
                requirement: Requirement::Public,
                target: Target::Own(Endpoints::Api),
                style: Style::Problem,
                cors: None,
                neighbour: None,
            })
        })
        .collect()
}

/// The dialects' endpoints, each path once: which methods it takes, the dialect says in its own words.
fn dialect_stops(config: &Config) -> Result<Vec<PlannedStop>, PatternError> {
    let dialects = config
        .dialects
        .iter()
        .zip(&config.sources.dialects)
        .enumerate();
    let mut stops = Vec::new();
    for (index, (dialect, entry)) in dialects {
        let paths: BTreeSet<_> = dialect
            .shape
            .routes()
            .iter()
            .map(|(_, path)| *path)
            .collect();
        for path in paths {
            let matcher = Matcher {
                host: dialect.host.clone(),
                path: PathPattern::parse(&format!("{}{path}", dialect.prefix))?,
                methods: Methods::Any,
            };
            stops.push(PlannedStop {
                name: matcher.to_string().into(),
                matcher,
                entry: entry.clone(),
                requirement: Requirement::Public,
                target: Target::Own(Endpoints::Dialect(index)),
                style: Style::Dialect(dialect.shape, Quarter::Other),
                cors: None,
                neighbour: None,
            });
        }
    }
    Ok(stops)
}

/// The dialect whose clients call a service: that of its host, with the longest prefix that fits.
fn neighbour_of<'a>(config: &'a Config, matcher: &Matcher) -> Option<&'a DialectConfig> {
    let path = matcher.path.to_string();
    let below = |dialect: &&DialectConfig| {
        let rest = path.strip_prefix(&*dialect.prefix);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let spoken = config.dialects.iter().filter(below);
    let fits =
        |dialect: &&DialectConfig| dialect.host == matcher.host || dialect.host == HostPattern::Any;
    // Of several the first, as `max_by_key` takes the last.
    spoken
        .filter(fits)
        .rev()
        .max_by_key(|dialect| (dialect.host == matcher.host, dialect.prefix.len()))
}

/// A client of a dialect meets refusals on proxied routes of the same host too, and reads them as it
/// reads those of the login.
fn style_of(dialect: Option<&DialectConfig>, matcher: &Matcher) -> Style {
    let Some(dialect) = dialect else {
        return Style::Problem;
    };
    let path = matcher.path.to_string();
    let within = path.strip_prefix(&*dialect.prefix).unwrap_or(&path);
    Style::Dialect(dialect.shape, dialect.shape.quarter(within))
}

/// The list of the route counts, else that of the dialect; what a page may send is what its clients do.
fn cors_of(route: &RouteConfig, dialect: Option<&DialectConfig>) -> Option<Cors> {
    let beside = dialect.map(|dialect| &dialect.allowed_origins);
    let allowed = route.allowed_origins.as_ref().or(beside)?.clone();
    let cors = match dialect {
        Some(dialect) => dialect.shape.cors(allowed),
        None => Cors::new(allowed),
    };
    Some(cors).filter(Cors::is_asked_for)
}

fn configured(config: &Config) -> impl Iterator<Item = PlannedStop> {
    let routes = config.routes.iter().zip(&config.sources.routes);
    routes.map(|(route, entry)| {
        let dialect = neighbour_of(config, &route.matcher);
        PlannedStop {
            matcher: route.matcher.clone(),
            entry: entry.clone(),
            name: route.matcher.to_string().into(),
            requirement: route.requirement.clone(),
            target: Target::Upstream {
                index: route.upstream,
                credentials: route.credentials,
            },
            style: style_of(dialect, &route.matcher),
            cors: cors_of(route, dialect),
            neighbour: dialect.map(|dialect| Neighbour {
                keys: dialect.keys.clone(),
                key_header: dialect.shape.key_header(),
            }),
        }
    })
}

//! Which stops there are, before they are on the map: the endpoints of the gateway and of the dialects, on
//! each host that they stand on, and the routes of the configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::neighbour::{Neighbour, cors_alone, neighbours};
use super::{Endpoints, Target};
use crate::config::Map;
use crate::config::mistake::{Entry, Place};
use crate::dialect::cors::Cors;
use crate::policy::Requirement;
use crate::route::Matcher;
use crate::route::pattern::{HostPattern, Methods, PathPattern, PatternError};

/// A stop before it is on the map.
#[derive(Clone)]
pub(super) struct PlannedStop {
    pub(super) matcher: Matcher,
    pub(super) entry: Entry,
    pub(super) name: Arc<str>,
    pub(super) requirement: Requirement,
    pub(super) target: Target,
    pub(super) cors: Option<Cors>,
    pub(super) neighbours: Vec<Neighbour>,
}

pub(super) fn places(map: Map<'_>) -> Vec<PlannedStop> {
    let mut own = own_stops().unwrap_or_default();
    own.extend(dialect_stops(map).unwrap_or_default());
    let configured: Vec<_> = configured(map).collect();
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
    sources.sort_by_key(|stop| stop.matcher.host.breadth());
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
                cors: None,
                neighbours: Vec::new(),
            })
        })
        .collect()
}

/// The dialects' endpoints, each path once: which methods it takes, the dialect says in its own words.
fn dialect_stops(map: Map<'_>) -> Result<Vec<PlannedStop>, PatternError> {
    let dialects = map.dialects.iter().zip(&map.sources.dialects).enumerate();
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
                cors: None,
                neighbours: Vec::new(),
            });
        }
    }
    Ok(stops)
}

fn configured(map: Map<'_>) -> impl Iterator<Item = PlannedStop> + '_ {
    let routes = map.routes.iter().zip(&map.sources.routes);
    routes.map(|(route, entry)| PlannedStop {
        matcher: route.matcher.clone(),
        entry: entry.clone(),
        name: route.matcher.to_string().into(),
        requirement: route.requirement.clone(),
        target: Target::Upstream {
            index: route.upstream,
            credentials: route.credentials,
        },
        cors: cors_alone(route),
        neighbours: neighbours(map.dialects, route),
    })
}

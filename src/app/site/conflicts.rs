//! What cannot stand together in a configuration: routes, endpoints, and dialects of one issuer.

use std::time::Duration;

use super::Target;
use super::own::token_forms;
use super::plan::{PlannedStop, places};
use crate::config::mistake::Mistake;
use crate::config::{Config, Map};
use crate::route::Matcher;
use crate::route::pattern::Methods;
use crate::route::table::{Conflict, RouteTable};

/// Every pair of routes that would answer the same requests.
pub fn ties(map: Map<'_>) -> Vec<Mistake> {
    let places = places(map);
    let place = |index: usize| places.get(index);
    ties_among(&places)
        .into_iter()
        .filter_map(|tie| Some((&place(tie.first)?.entry, &place(tie.second)?.entry)))
        .map(|(first, second)| Mistake::conflict(second, first, "takes the same requests"))
        .collect()
}

/// What else cannot stand together.
pub fn conflicts(config: &Config) -> Vec<Mistake> {
    twin_forms(config)
        .into_iter()
        .chain(hasty(config))
        .collect()
}

/// Those of the gateway itself and of the dialects tie whatever methods a route lists: it would take them
/// away unseen, as a list goes before "every method".
fn ties_among(places: &[PlannedStop]) -> Vec<Conflict> {
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

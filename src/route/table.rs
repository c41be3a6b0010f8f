//! The routes, and which of them a request takes.
//!
//! The most specific pattern that fits decides: first by host (a name before the domains above it, the
//! deepest of them first, before every host), then by path, segment by segment from the left (text
//! before `*` before `**`). The routes of that pattern take the request by its method or refuse it; it
//! never falls through to a pattern that is less specific, which may ask less of its callers.
//!
//! Paths are compared as the reader sees them who decodes most: a service may take `/admin%21` for
//! `/admin!`, so a route for the one is a route for the other. One that knows no letter case takes
//! `/ADMIN` for `/admin`; where that would be another route, nobody's guess is taken
//! ([`Lookup::CaseDiffers`]).

use http::Method;

use self::index::Index;
use self::trie::PatternId;
use super::Matcher;
use super::pattern::{Methods, Segment};
use crate::path::NormalPath;

mod index;
mod reading;
mod trie;

use self::reading::LetterCase;

/// Routes by host, path and method; each stands for a `T`.
#[derive(Debug)]
pub struct RouteTable<T> {
    exact: Index,
    folded: Index,
    /// Whether no pattern has a capital letter, so that both indices are the same.
    is_small: bool,
    /// The routes of each pattern, by [`PatternId`].
    patterns: Vec<Vec<Route<T>>>,
}

#[derive(Debug)]
struct Route<T> {
    /// Its place in the list that the table was built from.
    place: usize,
    methods: Methods,
    target: T,
}

/// Two routes for the same requests, neither of which is the more specific: same host, same path up to
/// letter case, and methods in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The place of the earlier one in the list that the table was to be built from.
    pub first: usize,
    /// The place of the later one.
    pub second: usize,
}

/// What the table says of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup<'a, T> {
    /// It takes this route.
    Found(&'a T),
    /// 404: no pattern fits.
    NotFound,
    /// 405: the pattern that decides takes these methods alone.
    MethodNotAllowed(Vec<Method>),
    /// 400: read without regard to letter case, the path would belong to another pattern.
    CaseDiffers,
}

impl<T> RouteTable<T> {
    /// Builds the table; all ties are reported together.
    pub fn build(entries: Vec<(Matcher, T)>) -> Result<Self, Vec<Conflict>> {
        let mut table = Self {
            exact: Index::new(LetterCase::Exact),
            folded: Index::new(LetterCase::Folded),
            is_small: true,
            patterns: Vec::new(),
        };
        let mut conflicts = Vec::new();
        for (place, (matcher, target)) in entries.into_iter().enumerate() {
            let tied = table.add(place, matcher, target);
            conflicts.extend(tied.into_iter().map(|first| Conflict {
                first,
                second: place,
            }));
        }
        if conflicts.is_empty() {
            Ok(table)
        } else {
            Err(conflicts)
        }
    }

    /// Which route a request takes; `host` in its one spelling, as in
    /// [`RequestHead`](crate::request::RequestHead).
    pub fn lookup(&self, host: &str, path: &NormalPath, method: &Method) -> Lookup<'_, T> {
        let Some(pattern) = self.exact.find(host, path) else {
            return Lookup::NotFound;
        };
        // Where neither has a capital, the second search would be the first one again.
        let may_differ = !(self.is_small && reading::is_small(path.as_str()));
        if may_differ && self.folded.find(host, path) != Some(pattern) {
            return Lookup::CaseDiffers;
        }
        choose(self.routes(pattern), method)
    }

    /// Adds a route, and returns the places of those that it ties with.
    fn add(&mut self, place: usize, matcher: Matcher, target: T) -> Vec<usize> {
        let fresh = PatternId(self.patterns.len());
        self.is_small &= matcher.path.segments().iter().all(|segment| match segment {
            Segment::Literal(text) => reading::is_small(text),
            Segment::One | Segment::Rest => true,
        });
        let pattern = self.exact.insert(&matcher, fresh);
        let tied = if pattern == fresh {
            self.patterns.push(Vec::new());
            self.differs_by_case_alone(&matcher, fresh)
        } else {
            let earlier = self.routes(pattern).iter();
            earlier
                .filter(|route| route.methods.ties_with(&matcher.methods))
                .map(|route| route.place)
                .collect()
        };
        if let Some(routes) = self.patterns.get_mut(pattern.0) {
            routes.push(Route {
                place,
                methods: matcher.methods,
                target,
            });
        }
        tied
    }

    /// The first route of the pattern that is the same up to letter case. A conflict whatever the
    /// methods are, as the pattern decides before the method does.
    fn differs_by_case_alone(&mut self, matcher: &Matcher, fresh: PatternId) -> Vec<usize> {
        let known = self.folded.insert(matcher, fresh);
        let first = self.routes(known).first();
        first.map(|route| route.place).into_iter().collect()
    }

    fn routes(&self, pattern: PatternId) -> &[Route<T>] {
        self.patterns.get(pattern.0).map_or(&[], Vec::as_slice)
    }
}

/// Among the routes of one pattern, one that lists the method goes before the one for every method.
fn choose<'a, T>(routes: &'a [Route<T>], method: &Method) -> Lookup<'a, T> {
    let mut fitting = None;
    for route in routes {
        match &route.methods {
            Methods::Only(_) if route.methods.contains(method) => {
                return Lookup::Found(&route.target);
            }
            Methods::Any => fitting = Some(&route.target),
            Methods::Only(_) => {}
        }
    }
    fitting.map_or_else(|| Lookup::MethodNotAllowed(listed(routes)), Lookup::Found)
}

fn listed<T>(routes: &[Route<T>]) -> Vec<Method> {
    let mut methods: Vec<Method> = Vec::new();
    for method in routes.iter().flat_map(|route| route.methods.listed()) {
        if !methods.contains(&method) {
            methods.push(method);
        }
    }
    methods
}

#[cfg(test)]
mod tests;

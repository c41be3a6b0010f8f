//! Patterns by host: which tries are asked, and in which order.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::Matcher;
use super::reading::LetterCase;
use super::trie::{PathTrie, PatternId};
use crate::path::NormalPath;
use crate::route::pattern::{HostPattern, Segment};

/// Path tries, by host. A map, so that hundreds of hosts cost no more than one.
#[derive(Debug)]
pub(super) struct Index {
    case: LetterCase,
    exact: BTreeMap<Box<str>, PathTrie>,
    below: BTreeMap<Box<str>, PathTrie>,
    any: PathTrie,
}

impl Index {
    pub(super) fn new(case: LetterCase) -> Self {
        Self {
            case,
            exact: BTreeMap::new(),
            below: BTreeMap::new(),
            any: PathTrie::default(),
        }
    }

    /// Enters a pattern, and returns the id under which it was entered first: `fresh` if it is new.
    pub(super) fn insert(&mut self, matcher: &Matcher, fresh: PatternId) -> PatternId {
        let case = self.case;
        let trie = match &matcher.host {
            HostPattern::Exact(host) => self.exact.entry(host.clone()).or_default(),
            HostPattern::Below(domain) => self.below.entry(domain.clone()).or_default(),
            HostPattern::Any => &mut self.any,
        };
        let segments = matcher.path.segments().iter().map(|segment| match segment {
            Segment::Literal(text) => Segment::Literal(case.read(text).into()),
            Segment::One => Segment::One,
            Segment::Rest => Segment::Rest,
        });
        trie.insert(segments, fresh)
    }

    /// The most specific pattern that fits, the most specific host first.
    pub(super) fn find(&self, host: &str, path: &NormalPath) -> Option<PatternId> {
        let segments: Vec<Cow<'_, str>> = path.segments().map(|s| self.case.read(s)).collect();
        let below = domains_above(host).filter_map(|domain| self.below.get(domain));
        self.exact
            .get(host)
            .into_iter()
            .chain(below)
            .chain([&self.any])
            .find_map(|trie| trie.find(&segments))
    }
}

/// Of `a.b.c`: `b.c`, then `c`.
fn domains_above(host: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(host), |host| Some(host.split_once('.')?.1)).skip(1)
}

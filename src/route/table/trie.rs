//! Path patterns as a tree of segments.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::route::pattern::Segment;

/// Which pattern; its place in the table's list of patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PatternId(pub(super) usize);

/// Path patterns of one host. The cost of a search grows with the depth of the path, not with the
/// number of patterns.
#[derive(Debug)]
pub(super) struct PathTrie {
    /// All nodes; the first is the root.
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    /// Ordered, not hashed: a hash that strangers cannot aim at costs more than a few comparisons.
    literals: BTreeMap<Box<str>, usize>,
    one: Option<usize>,
    /// The pattern that ends here.
    end: Option<PatternId>,
    /// The pattern that goes on from here with `**`.
    rest: Option<PatternId>,
}

/// What a search has still to look at.
enum Step {
    /// This node, with so many segments read.
    Enter { node: usize, depth: usize },
    /// This pattern fits, if nothing better did.
    Settle(PatternId),
}

impl Default for PathTrie {
    fn default() -> Self {
        Self {
            nodes: vec![Node::default()],
        }
    }
}

impl PathTrie {
    const ROOT: usize = 0;

    /// Enters a pattern, and returns the id under which it was entered first: `fresh` if it is new.
    pub(super) fn insert(
        &mut self,
        segments: impl Iterator<Item = Segment>,
        fresh: PatternId,
    ) -> PatternId {
        let mut at = Self::ROOT;
        let mut is_open = false;
        for segment in segments {
            match segment {
                Segment::Rest => is_open = true,
                Segment::Literal(_) | Segment::One => at = self.child(at, segment),
            }
        }
        let Some(node) = self.nodes.get_mut(at) else {
            return fresh;
        };
        let slot = if is_open {
            &mut node.rest
        } else {
            &mut node.end
        };
        *slot.get_or_insert(fresh)
    }

    /// The child for `segment`, made where it is missing.
    fn child(&mut self, parent: usize, segment: Segment) -> usize {
        let next = self.nodes.len();
        let Some(node) = self.nodes.get_mut(parent) else {
            return parent;
        };
        let child = match segment {
            Segment::Literal(text) => *node.literals.entry(text).or_insert(next),
            Segment::One => *node.one.get_or_insert(next),
            Segment::Rest => parent,
        };
        if child == next {
            self.nodes.push(Node::default());
        }
        child
    }

    /// The most specific pattern that fits these segments.
    ///
    /// Depth first, text before `*` before `**`, so the first that fits is the best. No blow-up: this
    /// is a tree, so each node is entered at most once, and those that can be entered are bounded by
    /// the patterns that agree with the path so far. No recursion either.
    pub(super) fn find(&self, segments: &[Cow<'_, str>]) -> Option<PatternId> {
        // Room for what most searches need, so that they allocate once.
        let mut steps = Vec::with_capacity(8);
        steps.push(Step::Enter {
            node: Self::ROOT,
            depth: 0,
        });
        while let Some(step) = steps.pop() {
            let (node, depth) = match step {
                Step::Settle(pattern) => return Some(pattern),
                Step::Enter { node, depth } => (self.nodes.get(node)?, depth),
            };
            // What is pushed last is looked at first.
            steps.extend(node.rest.map(Step::Settle));
            match segments.get(depth) {
                None => steps.extend(node.end.map(Step::Settle)),
                Some(segment) => {
                    let children = [node.one, node.literals.get(&**segment).copied()];
                    let deeper = depth.saturating_add(1);
                    steps.extend(children.into_iter().flatten().map(|node| Step::Enter {
                        node,
                        depth: deeper,
                    }));
                }
            }
        }
        None
    }
}

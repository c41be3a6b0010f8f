//! What only shows when the whole file has been read: entries of which only one can count.

use super::Config;
use super::mistake::Mistake;

/// Every pair of routes or dialects that would answer the same requests.
///
/// `config.sources` has the entry of the file that each route and dialect comes from;
/// [`Mistake::conflict`] says it.
pub fn conflicts(config: &Config) -> Vec<Mistake> {
    let routes = config.routes.iter().zip(&config.sources.routes);
    let routes: Vec<_> = routes.collect();
    let mut conflicts = Vec::new();
    for (index, (later, place)) in routes.iter().enumerate() {
        let mut earlier = routes.iter().take(index);
        if let Some((_, first)) = earlier.find(|(earlier, _)| earlier.matcher == later.matcher) {
            conflicts.push(Mistake::conflict(place, first, "takes the same requests"));
        }
    }
    conflicts
}

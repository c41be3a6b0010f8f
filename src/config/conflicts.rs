//! What only shows when the whole file has been read: entries of which only one can count.

use super::Config;
use super::mistake::Mistake;
use crate::app::site;

/// Every pair of routes that would answer the same requests; the gateway's own and those of the
/// dialects are in the same table.
pub fn conflicts(config: &Config) -> Vec<Mistake> {
    site::conflicts(config)
}

//! Reading the configuration whole: the file, and the map of the site that it makes.
//!
//! Which routes take the same requests shows only beside the gateway's own and those of the dialects,
//! which the reader of the file does not know.

use std::path::Path;

use super::site;
use crate::config::environment::Environment;
use crate::config::mistake::Mistakes;
use crate::config::{self, Checks, Config};

/// Reads a file that can be served, or says all that is wrong with it.
pub fn load(path: &Path, environment: &dyn Environment) -> Result<Config, Mistakes> {
    let checks = Checks {
        map: site::ties,
        whole: site::conflicts,
    };
    config::load(path, environment, checks)
}

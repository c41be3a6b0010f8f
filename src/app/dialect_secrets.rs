//! The secrets of dialects that always sign with one: found, or made, before anything is signed.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;

use crate::config::Config;
use crate::keys::{KeyError, shared_secret};

/// The file in the state directory.
const FILE_NAME: &str = "actian-jwt-secret";

/// The same configuration, in which every dialect that needs a secret has one. Blocks for a few reads and
/// writes; does nothing where no dialect needs one.
pub fn settle(mut config: Config) -> Result<Config, KeyError> {
    let needs = config.dialects.iter().any(|one| one.shape.needs_secret());
    if !needs {
        return Ok(config);
    }
    let path = config.state_directory.join(FILE_NAME);
    let mut builder = DirBuilder::new();
    let made = builder
        .recursive(true)
        .mode(0o700)
        .create(&config.state_directory);
    made.map_err(|source| KeyError::File {
        path: config.state_directory.clone(),
        source,
    })?;
    let dialects = config.dialects.iter_mut();
    for dialect in dialects.filter(|dialect| dialect.shape.needs_secret()) {
        let secret = shared_secret::settle(&path, dialect.token_secret.as_ref())?;
        dialect.token_secret = Some(secret);
    }
    Ok(config)
}

//! The endpoints of the gateway itself and of the dialects, and how the tokens of the latter are made.

use std::sync::Arc;

use axum::Router;

use super::Endpoints;
use crate::api;
use crate::auth::Auth;
use crate::auth::tokens::form::{Form, FormConfig, FormKey};
use crate::config::{Config, DialectConfig};
use crate::dialect::{Mount, OwnNames, Signing};
use crate::keys::KeyError;
use crate::route::pattern::HostPattern;

/// How each dialect has its access tokens made, in their order.
pub fn token_forms(config: &Config) -> Vec<FormConfig> {
    let dialects = config.dialects.iter();
    dialects
        .map(|dialect| token_form(config, dialect))
        .collect()
}

fn token_form(config: &Config, dialect: &DialectConfig) -> FormConfig {
    let origin = origin_of(config, dialect);
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

/// The endpoints behind [`Target::Own`](super::Target::Own).
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

//! `[tokens]`, `[[issuers]]`: whose tokens are welcome.

use std::path::Path;

use url::Url;

use super::TokensConfig;
use super::claims::claim;
use super::reader::{Complaint, Read, Section, Value, all};
use super::reference::tables;
use super::values::{authorities, is_loopback, key_set_file, secret, url};
use crate::keys::{AdminClaim, IssuerConfig, JwksSource, KeySource, SigningAlgorithm};

/// What `[tokens]` falls back on: `server.public_url` and `state.directory`.
pub(super) type Fallbacks<'f> = (Read<&'f Url>, Read<&'f Path>);

pub(super) fn tokens(
    root: &Section<'_>,
    (public_url, state_directory): Fallbacks<'_>,
) -> Read<TokensConfig> {
    let tokens = root.section("tokens", &tables::TOKENS)?;
    let issuer = tokens.optional("issuer", |value| value.filled_text("a text"));
    let audience = tokens.text("audience");
    let algorithm = tokens.read("algorithm", algorithm);
    let keys = tokens.optional("keys", ring);
    let leeway = tokens.duration("leeway");
    Ok(TokensConfig {
        issuer: match issuer? {
            Some(issuer) => issuer.to_owned(),
            None => public_url?.origin().ascii_serialization(),
        },
        audience: audience?.to_owned(),
        algorithm: algorithm?,
        keys: match keys? {
            Some(ring) => ring,
            None => KeySource::Kept(state_directory?.join("keys.json")),
        },
        leeway: leeway?,
    })
}

/// A ring that the operator gives, which is read to see whether it is one.
fn ring(value: &Value<'_>) -> Read<KeySource> {
    let source = KeySource::Given(secret(value)?);
    match source.ring() {
        Ok(_ring) => Ok(source),
        Err(error) => {
            let expected = "a key ring, or a private key in PEM";
            Err(value.note(Complaint::new(format!("cannot be used: {error}")).expected(expected)))
        }
    }
}

fn algorithm(value: &Value<'_>) -> Read<SigningAlgorithm> {
    let choices = [
        ("ES256", SigningAlgorithm::Es256),
        ("RS256", SigningAlgorithm::Rs256),
        ("EdDSA", SigningAlgorithm::EdDsa),
        ("HS256", SigningAlgorithm::Hs256),
    ];
    value.one_of("\"ES256\", \"RS256\", \"EdDSA\" or \"HS256\"", &choices)
}

/// The issuers; `own` is the one of our own tokens, which none of them may claim.
pub(super) fn issuers(root: &Section<'_>, own: Option<&str>) -> Read<Vec<IssuerConfig>> {
    let sections = root.sections("issuers", &tables::ISSUERS)?;
    let mut seen: Vec<&str> = own.into_iter().collect();
    all(sections.iter().map(|section| {
        let section = section.as_ref().map_err(|noted| *noted)?;
        let name = section.text("issuer").and_then(|name| {
            if seen.contains(&name) {
                return Err(section.note("issuer", known_already()));
            }
            seen.push(name);
            Ok(name)
        });
        issuer(section, name)
    }))
}

/// Two issuers of one name: nobody could say whose keys check a token.
fn known_already() -> Complaint {
    Complaint::new("found an issuer that is known already")
        .hint("each issuer once, and none that is the gateway's own (tokens.issuer)")
        .wider()
}

fn issuer(section: &Section<'_>, name: Read<&str>) -> Read<IssuerConfig> {
    let jwks = section.read("jwks", jwks);
    let trust = section.optional("ca", authorities);
    let audiences = section.read("audience", audiences);
    let admin = section.optional("admin", admin);
    let refresh = section.duration("refresh");
    let refresh_min = section.duration("refresh_min");
    let stale_max = section.duration("jwks_stale_max");
    let (refresh, refresh_min, stale_max) = (refresh?, refresh_min?, stale_max?);
    let longer = |name, than: &str| {
        let complaint = Complaint::new(format!("longer than {than}"));
        Err(section.note(name, complaint.wider()))
    };
    if refresh_min > refresh {
        return longer("refresh_min", "refresh");
    }
    if refresh > stale_max {
        return longer("refresh", "jwks_stale_max");
    }
    Ok(IssuerConfig {
        issuer: name?.to_owned(),
        jwks: jwks?,
        trust: trust?.unwrap_or_default(),
        audiences: audiences?,
        admin: admin?,
        refresh,
        refresh_min,
        stale_max,
    })
}

fn jwks(value: &Value<'_>) -> Read<JwksSource> {
    let expected = "an https URL, a path or { file = \"/path\" }";
    if value.table().is_some() {
        let section = value.section(&tables::ISSUER_KEYS)?;
        return section.read("file", key_set_file).map(JwksSource::File);
    }
    if value.filled_text(expected)?.contains("://") {
        return jwks_url(value, expected).map(JwksSource::Url);
    }
    key_set_file(value).map(JwksSource::File)
}

/// Keys that come over plain http can be swapped on the way: then anybody signs.
fn jwks_url(value: &Value<'_>, expected: &str) -> Read<Url> {
    let url = url(value, &["https", "http"], expected)?;
    let found = match () {
        () if !url.username().is_empty() || url.password().is_some() => {
            "found a URL with a user or password"
        }
        () if url.scheme() == "http" && !is_loopback(&url) => {
            "found a plain http URL of another machine"
        }
        () => return Ok(url),
    };
    Err(value.note(Complaint::new(found).expected(expected)))
}

fn audiences(value: &Value<'_>) -> Read<Vec<String>> {
    let items = value.one_or_more("a text or a list of texts, at least one")?;
    let texts = items.iter().map(|item| item.filled_text("a text"));
    all(texts.map(|text| text.map(str::to_owned)))
}

fn admin(value: &Value<'_>) -> Read<AdminClaim> {
    let (claim, test) = claim(&value.section(&tables::ADMIN_CLAIM)?)?;
    Ok(AdminClaim { claim, test })
}

//! `[limits]`: how often something may be tried.

use super::reader::{Read, Section, Value};
use super::reference::tables;
use crate::limit::{Policy, Quota, Rules};

pub(super) fn limits(root: &Section<'_>) -> Read<Policy> {
    let limits = root.section("limits", &tables::LIMITS)?;
    let quota = |name| limits.read(name, quota);
    let sign_in = guessing(
        quota("sign_in"),
        quota("sign_in_address"),
        quota("sign_in_account"),
    );
    let admin_sign_in = guessing(
        quota("admin_sign_in"),
        quota("admin_sign_in_address"),
        quota("admin_sign_in_account"),
    );
    let code = guessing(quota("code"), quota("code_address"), quota("code_account"));
    let refresh = counted(quota("refresh"), quota("refresh_address"));
    let reset = asking(quota("reset"), quota("reset_address"));
    let sign_up = counted(Ok(None), quota("sign_up"));
    let api_key = counted(Ok(None), quota("api_key"));
    let max_delay = limits.duration("max_delay");
    let familiar_for = limits.duration("familiar_for");
    let max_entries = limits.integer("max_entries");
    Ok(Policy {
        sign_in: sign_in?,
        admin_sign_in: admin_sign_in?,
        refresh: refresh?,
        reset: reset?,
        code: code?,
        sign_up: sign_up?,
        api_key: api_key?,
        max_delay: max_delay?,
        familiar_for: familiar_for?,
        max_entries: max_entries? as usize,
    })
}

type Limit = Option<Quota>;

const EXPECTED: &str = "\"off\", or so many from 1 to 1000000 in a span of time from \"1s\" to \"1d\", such as \"10/1m\"";

/// What can be guessed: an account under attack stays open to its owner.
fn guessing(pair: Read<Limit>, address: Read<Limit>, pressure: Read<Limit>) -> Read<Rules> {
    Ok(Rules {
        address: address?,
        pair: pair?,
        account: None,
        strangers: None,
        pressure: pressure?,
    })
}

/// What only costs: above its limit an account has had what it needs.
fn counted(account: Read<Limit>, address: Read<Limit>) -> Read<Rules> {
    Ok(Rules {
        address: address?,
        pair: None,
        account: account?,
        strangers: None,
        pressure: None,
    })
}

/// What is mailed to whoever has the account, whoever asks: strangers use up what is theirs.
fn asking(strangers: Read<Limit>, address: Read<Limit>) -> Read<Rules> {
    Ok(Rules {
        address: address?,
        pair: None,
        account: None,
        strangers: strangers?,
        pressure: None,
    })
}

fn quota(value: &Value<'_>) -> Read<Limit> {
    value.parsed(EXPECTED, |text| match text {
        "off" => Some(None),
        _ => Quota::parse(text).map(Some),
    })
}

//! How often what may be tried.

use super::shared::{count, key, span};
use crate::config::reference::Default::Value;
use crate::config::reference::Form::Single;
use crate::config::reference::{Kind, Table};

const QUOTA: Kind = Kind::Words("\"off\", or such as \"10/1m\"");

/// `[limits]`
pub static LIMITS: Table = Table {
    path: "limits",
    form: Single,
    meaning: "How often something may be tried; above it the answer is 429 with `Retry-After`. `\"10/1m\"` is \
              ten at once, given back evenly over a minute; `\"off\"` is no limit. Addresses are \
              counted by /64 where they are IPv6. Only wrong passwords count against an account.",
    keys: &[
        key(
            "sign_in",
            QUOTA,
            Value("\"10/1m\""),
            "Passwords that one address may try for one account, by whichever of its names and at \
             whichever entrance.",
        ),
        key(
            "sign_in_address",
            QUOTA,
            Value("\"100/1m\""),
            "Passwords that one address may try, right ones included.",
        ),
        key(
            "sign_in_account",
            QUOTA,
            Value("\"30/10m\""),
            "Passwords that addresses which the account does not know may try for it together; above \
             it each of them has three tries, and then waits longer each time, up to `max_delay`.",
        ),
        key(
            "admin_sign_in",
            QUOTA,
            Value("\"5/1m\""),
            "As `sign_in`, at the admin's entrance, on top of that.",
        ),
        key(
            "admin_sign_in_address",
            QUOTA,
            Value("\"30/1m\""),
            "As `sign_in_address`, at the admin's entrance.",
        ),
        key(
            "admin_sign_in_account",
            QUOTA,
            Value("\"10/10m\""),
            "As `sign_in_account`, at the admin's entrance.",
        ),
        key(
            "refresh",
            QUOTA,
            Value("\"60/1m\""),
            "Refreshes of one session. Each replica counts for itself.",
        ),
        key(
            "refresh_address",
            QUOTA,
            Value("\"3000/1m\""),
            "Refreshes from one address. Each replica counts for itself.",
        ),
        key(
            "reset",
            QUOTA,
            Value("\"3/1h\""),
            "Requests for a mail with a code (new password, sign-in, proof or change of an \
             address) for one account: by all addresses that it does not know together, and by each that \
             it knows.",
        ),
        key(
            "reset_address",
            QUOTA,
            Value("\"20/1h\""),
            "The same, from one address.",
        ),
        key(
            "code",
            QUOTA,
            Value("\"10/10m\""),
            "One-time codes that one address may try for one account.",
        ),
        key(
            "code_address",
            QUOTA,
            Value("\"60/10m\""),
            "One-time codes that one address may try.",
        ),
        key(
            "code_account",
            QUOTA,
            Value("\"20/10m\""),
            "One-time codes for one account, as `sign_in_account`.",
        ),
        key(
            "sign_up",
            QUOTA,
            Value("\"10/1h\""),
            "New accounts from one address.",
        ),
        key(
            "api_key",
            QUOTA,
            Value("\"30/1m\""),
            "Wrong API keys at the Admin API, and wrong service keys, `apikey`s and admin secrets \
             of dialects, from one address; routes of services do not count. Each replica counts \
             for itself.",
        ),
        key(
            "max_delay",
            span("1s", "1d"),
            Value("\"15m\""),
            "The longest wait that grows.",
        ),
        key(
            "familiar_for",
            span("1h", "400d"),
            Value("\"30d\""),
            "For how long an account knows an address from which it was signed in to.",
        ),
        key(
            "max_entries",
            count(1000, 10_000_000, "counts"),
            Value("100000"),
            "Counts kept in memory, at most some 200 bytes each; above it the one goes that would be \
             forgotten first. With sessions in Redis, what guards accounts is counted there.",
        ),
    ],
    later: &[],
};

//! The login APIs of others.

use super::shared::{SECRET_KIND, key};
use crate::config::reference::Default::{Required, Value, Words};
use crate::config::reference::Form::List;
use crate::config::reference::{Kind, Table};

/// `[[dialects]]`
pub static DIALECTS: Table = Table {
    path: "dialects",
    form: List,
    meaning: "Login APIs that the gateway speaks beside its own, at the URLs that their clients call.",
    keys: &[
        key(
            "shape",
            Kind::Words("\"insforge\", \"supabase\", \"vaniyk\", \"strikebet\" or \"actian\""),
            Required,
            "Which API.",
        ),
        key(
            "host",
            Kind::Words("a host, or \"*.\" and a domain"),
            Words("every host"),
            "Which hosts it answers on.",
        ),
        key(
            "allowed_origins",
            Kind::Words("a list of origins, such as [\"https://app.example.com\"]"),
            Value("[]"),
            "Whose pages may call it with credentials, and the services of its host as well; exactly, \
             never `*`.",
        ),
        key(
            "prefix",
            Kind::Words("a path without \"*\" and without a slash at its end, such as \"/shop\""),
            Words("none"),
            "What stands before each of its paths. Not for `insforge`.",
        ),
        key(
            "token_secret",
            SECRET_KIND,
            Words("the key ring"),
            "What signs its access tokens, with HS256: the JWT secret of the project that they were \
             made for, at least 32 bytes. Not for `insforge`. `actian` takes `ACTIAN_VECTORAI_JWT_SECRET` of \
             the environment, else the one kept in the state directory, else makes and keeps one.",
        ),
        key(
            "api_keys",
            Kind::Words("a list of { env = \"NAME\" } or { file = \"/path\" }"),
            Value("[]"),
            "The keys of which apps must show one, at the login of `supabase` and at the sign-up of \
             `insforge`; empty: none is asked for. On routes of services they are nobody's. Not for \
             `vaniyk`, `strikebet` and `actian`.",
        ),
        key(
            "service_key",
            SECRET_KIND,
            Words("nobody administers users by this dialect"),
            "The key that may administer users, at least 32 bytes. `supabase` alone.",
        ),
        key(
            "redirect_urls",
            Kind::Words("a list of https URLs, such as [\"https://app.example.com/welcome\"]"),
            Value("[]"),
            "The pages that links in its mails may lead to, letter by letter, the usual one first; empty: \
             its mails are those of `[accounts]`. `supabase` alone.",
        ),
        key(
            "admin_secret",
            SECRET_KIND,
            Words("nobody becomes an administrator by signing up"),
            "Who shows it at `/api/auth/signup/admin` becomes an administrator; at least 32 bytes. `vaniyk` \
             alone.",
        ),
    ],
    later: &[],
};

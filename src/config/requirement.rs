//! `require = …`: what a route asks of its callers.

use super::claims::claim;
use super::reader::{Complaint, Read, Section, Value, all};
use super::reference::tables;
use super::values::some_networks;
use crate::policy::{CredentialKind, Requirement, Rule};

/// A word or a rule.
pub(super) fn requirement(value: &Value<'_>) -> Read<Requirement> {
    if value.table().is_some() {
        return rule_table(&value.section(&tables::RULE)?);
    }
    let words = [
        ("public", Word::Public),
        ("signed-in", Word::SignedIn),
        ("admin", Word::Admin),
    ];
    let expected =
        "\"public\", \"signed-in\", \"admin\" or a table such as { roles = [\"staff\"] }";
    value.one_of(expected, &words).map(|word| match word {
        Word::Public => Requirement::Public,
        Word::SignedIn => Requirement::SignedIn,
        Word::Admin => Requirement::Admin,
    })
}

#[derive(Clone, Copy, Debug)]
enum Word {
    Public,
    SignedIn,
    Admin,
}

/// A table at the top, where alone `signed_in` may stand.
fn rule_table(section: &Section<'_>) -> Read<Requirement> {
    let rules = rules(section);
    let signed_in = section.boolean("signed_in");
    match (signed_in?, rules?) {
        (true, rules) if rules.is_empty() && section.get("signed_in").is_some() => {
            Ok(Requirement::SignedIn)
        }
        (true, rules) => one_rule(section, rules).map(Requirement::Rule),
        (false, rules) => match <[Rule; 1]>::try_from(rules) {
            Ok([Rule::Networks(networks)]) => Ok(Requirement::Networks(networks)),
            _ => Err(section.note("signed_in", without_credential())),
        },
    }
}

fn without_credential() -> Complaint {
    Complaint::new("found false")
        .expected("false only beside networks alone")
        .hint("without a credential there are no roles, scopes or claims to look at; for everybody write require = \"public\"")
}

/// A table within `all` or `any`.
fn nested(value: &Value<'_>) -> Read<Rule> {
    let section = value.section(&tables::RULE)?;
    let rules = rules(&section);
    if section.get("signed_in").is_some() {
        let complaint = Complaint::new("found within all or any");
        return Err(section.note(
            "signed_in",
            complaint.expected("it at the top of require only"),
        ));
    }
    one_rule(&section, rules?)
}

/// Several keys of one table must all be met.
fn one_rule(section: &Section<'_>, mut rules: Vec<Rule>) -> Read<Rule> {
    match (rules.pop(), rules.is_empty()) {
        (Some(rule), true) => Ok(rule),
        (Some(rule), false) => {
            rules.push(rule);
            Ok(Rule::All(rules))
        }
        (None, _) => {
            section.all_known()?;
            let complaint = Complaint::new("found a rule that asks for nothing");
            let hint = "for everybody who is signed in write \"signed-in\"";
            let expected = "at least one of roles, scopes, credential, claims, networks, all, any";
            Err(section.note_here(complaint.expected(expected).hint(hint)))
        }
    }
}

/// The rules of one table. An empty list is a mistake everywhere: one reader would take it for
/// "nobody", the next for "everybody".
fn rules(section: &Section<'_>) -> Read<Vec<Rule>> {
    let roles = section.optional("roles", texts);
    let scopes = section.optional("scopes", texts);
    let credentials = section.optional("credential", credentials);
    let claims = section.optional("claims", claims);
    let networks = section.optional("networks", some_networks);
    let every = section.optional("all", nested_list);
    let some = section.optional("any", nested_list);
    let parts = [
        roles?.map(Rule::Roles),
        scopes?.map(Rule::Scopes),
        credentials?.map(Rule::Credentials),
        networks?.map(Rule::Networks),
        every?.map(Rule::All),
        some?.map(Rule::Any),
    ];
    let claims = claims?.unwrap_or_default();
    Ok(parts.into_iter().flatten().chain(claims).collect())
}

fn texts(value: &Value<'_>) -> Read<Vec<String>> {
    let items = value.at_least_one("a list of texts, at least one")?;
    let texts = items.iter().map(|item| item.filled_text("a text"));
    all(texts.map(|text| text.map(str::to_owned)))
}

/// One word, or a list of them.
fn credentials(value: &Value<'_>) -> Read<Vec<CredentialKind>> {
    let expected = "\"session\", \"token\" or \"api-key\", or a list of them";
    let kinds = [
        CredentialKind::Session,
        CredentialKind::Token,
        CredentialKind::ApiKey,
    ];
    let words = kinds.map(|kind| (kind.as_str(), kind));
    let items = value.one_or_more(expected)?;
    all(items.iter().map(|item| item.one_of(expected, &words)))
}

fn claims(value: &Value<'_>) -> Read<Vec<Rule>> {
    let items = value.one_or_more("a table or a list of tables, at least one")?;
    all(items.iter().map(|item| {
        let (path, test) = claim(&item.section(&tables::CLAIM)?)?;
        Ok(Rule::Claim { path, test })
    }))
}

fn nested_list(value: &Value<'_>) -> Read<Vec<Rule>> {
    let items = value.at_least_one("a list of tables, at least one")?;
    all(items.iter().map(nested))
}

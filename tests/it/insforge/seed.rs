//! The published documents of this API, where they are at hand: each example sent as it is written, each
//! answer held against its schema, field by field.

use std::iter::Peekable;

use doorward::user::{Email, JsonObject};

use super::*;
use crate::gotrue::seed;

const ADMIN_LOGIN: &str = "000_c7f635060f0cbf40.txt";
const USER_LOGIN: &str = "001_d40871358d41b9b8.txt";

/// The `OpenAPI` part of a document.
struct Document(Value);

impl Document {
    /// None where the documents are not at hand.
    fn read(name: &str) -> Option<Self> {
        let Some(text) = seed(name) else {
            #[expect(clippy::print_stderr, reason = "a test that compares nothing says so")]
            {
                eprintln!("the document {name} is not at hand: nothing was compared");
            }
            return None;
        };
        let (_, rest) = text.split_once("````yaml").unwrap();
        let (yaml, _) = rest.split_once("\n````").unwrap();
        let lines = yaml.lines().skip(1).filter(|line| !line.trim().is_empty());
        Some(Self(block(&mut lines.peekable(), 0)))
    }

    /// Its one path, and what it says of `POST` there.
    fn operation(&self) -> (&str, &Value) {
        let paths = self.0["paths"].as_object().unwrap();
        assert_eq!(paths.len(), 1);
        let (path, methods) = paths.iter().next().unwrap();
        (path, &methods["post"])
    }

    fn followed<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(name) => self.0.pointer(name.trim_start_matches('#')).unwrap(),
            None => schema,
        }
    }

    /// The fields of a request: those that are required, each with its example.
    fn request(&self) -> Vec<(String, Option<String>)> {
        let (_, operation) = self.operation();
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let required = schema["required"].as_array().unwrap().iter();
        let named = required.map(|name| {
            let name = name.as_str().unwrap();
            let property = &schema["properties"][name];
            assert_eq!(property["type"], "string", "{name}");
            let example = property["example"].as_str().map(str::to_owned);
            (name.to_owned(), example)
        });
        named.collect()
    }

    fn response(&self, status: &str) -> &Value {
        let (_, operation) = self.operation();
        let response = &operation["responses"][status];
        assert!(response["description"].is_string(), "{status}");
        response
    }

    /// Holds an answer against the schema of its status.
    #[track_caller]
    fn assert_fits(&self, answer: &Answer, absent: &[&str]) {
        let response = self.response(answer.status.as_str());
        let schema = &response["content"]["application/json"]["schema"];
        for name in schema["properties"].as_object().unwrap().keys() {
            let is_absent = answer.json.get(name).is_none();
            assert_eq!(is_absent, absent.contains(&name.as_str()), "{name}");
        }
        self.assert_value(&answer.json, schema, "answer");
    }

    #[track_caller]
    fn assert_value(&self, value: &Value, schema: &Value, name: &str) {
        let schema = self.followed(schema);
        if value.is_null() && schema["nullable"] == "true" {
            return;
        }
        match schema["type"].as_str().unwrap() {
            "string" => assert_text(value, schema["format"].as_str(), name),
            "boolean" => assert!(value.is_boolean(), "{name}"),
            "array" => {
                for item in value.as_array().expect(name) {
                    self.assert_value(item, &schema["items"], name);
                }
            }
            "object" => {
                let object = value.as_object().expect(name);
                for one in schema["required"].as_array().into_iter().flatten() {
                    assert!(object.contains_key(one.as_str().unwrap()), "{name}.{one}");
                }
                for (key, schema) in schema["properties"].as_object().into_iter().flatten() {
                    // What is not required may be missing at the top, and in a profile.
                    match object.get(key) {
                        Some(value) => self.assert_value(value, schema, key),
                        None => assert!(matches!(name, "answer" | "profile"), "{name}.{key}"),
                    }
                }
            }
            other => panic!("{name} is of an unknown type {other}"),
        }
    }
}

#[track_caller]
fn assert_text(value: &Value, format: Option<&str>, name: &str) {
    let text = value.as_str().expect(name);
    let fits = match format {
        None => !text.is_empty(),
        Some("uuid") => uuid::Uuid::parse_str(text).is_ok(),
        Some("email") => Email::parse(text).is_ok(),
        Some("uri") => url::Url::parse(text).is_ok(),
        Some("date-time") => {
            text.len() == "2026-01-01T00:00:00.000Z".len()
                && text.ends_with('Z')
                && text.as_bytes()[10] == b'T'
        }
        Some(other) => panic!("{name} has an unknown format {other}"),
    };
    assert!(fits, "{name}: {text}");
}

const fn depth(line: &str) -> usize {
    line.len() - line.trim_ascii_start().len()
}

/// Reads as much YAML as the documents have: tables and lists by depth, texts of one line or folded.
fn block<'a>(lines: &mut Peekable<impl Iterator<Item = &'a str>>, at: usize) -> Value {
    let mut table = JsonObject::new();
    let mut list = Vec::new();
    while let Some(line) = lines.next_if(|line| depth(line) == at) {
        let line = line.trim();
        if let Some(item) = line.strip_prefix("- ") {
            let Some((key, value)) = entry(item) else {
                list.push(item.into());
                continue;
            };
            let first = entry_value(lines, (value, at + 2));
            let mut rest = block(lines, at + 2);
            if rest.is_null() {
                rest = json!({});
            }
            rest[key] = first;
            list.push(rest);
        } else {
            let (key, value) = entry(line).unwrap();
            let value = entry_value(lines, (value, at));
            table.insert(key.trim_matches('\'').to_owned(), value);
        }
    }
    match (table.is_empty(), list.is_empty()) {
        (true, true) => Value::Null,
        (true, false) => list.into(),
        (false, _) => table.into(),
    }
}

fn entry(line: &str) -> Option<(&str, &str)> {
    line.split_once(": ")
        .or_else(|| Some((line.strip_suffix(':')?, "")))
}

fn entry_value<'a>(
    lines: &mut Peekable<impl Iterator<Item = &'a str>>,
    (value, at): (&str, usize),
) -> Value {
    match value {
        "" => {
            let deeper = lines.peek().map_or(0, |line| depth(line));
            if deeper > at {
                block(lines, deeper)
            } else {
                Value::Null
            }
        }
        ">" | ">-" => {
            let mut words = Vec::new();
            while let Some(line) = lines.next_if(|line| depth(line) > at) {
                words.push(line.trim());
            }
            words.join(" ").into()
        }
        text => text.trim_matches('\'').into(),
    }
}

/// The examples of a document, and for the fields that have none these.
fn filled(document: &Document, own: &[(&str, &str)]) -> Value {
    let mut body = JsonObject::new();
    for (name, example) in document.request() {
        let given = own.iter().find(|(field, _)| *field == name);
        let given = given.map(|(_, text)| (*text).to_owned());
        let text = example.or(given).expect("an example or a value of ours");
        body.insert(name, text.into());
    }
    body.into()
}

#[tokio::test]
async fn the_admin_login_answers_as_its_document_is_written() {
    let Some(document) = Document::read(ADMIN_LOGIN) else {
        return;
    };
    let dialect = Dialect::start().await;
    let admin = "admin@example.com";
    dialect.core.add_user(admin, PASSWORD, &["admin"]).await;
    let (path, _) = document.operation();
    let body = filled(&document, &[("password", PASSWORD)]);
    assert_eq!(body, json!({"username": "admin", "password": PASSWORD}));
    let answer = dialect.post(path, body, Call::default()).await;
    document.assert_fits(&answer.expect(StatusCode::OK), &[]);

    // Each example of the answer is what is answered.
    let body = filled(&document, &[("password", PASSWORD)]);
    let answer = dialect.post(path, body, Call::default()).await;
    let schema = &document.0["components"]["schemas"]["ProjectAdminResponse"];
    for (name, property) in schema["properties"].as_object().unwrap() {
        assert_eq!(answer.json["projectAdmin"][name], property["example"]);
    }
}

#[tokio::test]
async fn the_admin_login_refuses_as_its_document_is_written() {
    let Some(document) = Document::read(ADMIN_LOGIN) else {
        return;
    };
    let dialect = Dialect::start().await;
    let (path, _) = document.operation();
    let check = async |body: Value, status: &str| {
        let answer = dialect.post(path, body, Call::default()).await;
        assert_eq!(answer.status.as_str(), status, "{}", answer.json);
        let message = answer.text("message").to_owned();
        let error = answer.text("error").to_owned();
        answer.refused(answer.status.as_u16(), &error, &message);
        document.response(status)["description"].clone()
    };
    let wrong = filled(&document, &[("password", "wrong")]);
    assert_eq!(check(wrong, "401").await, "Invalid credentials");
    let user = json!({"username": "ann", "password": PASSWORD});
    assert_eq!(check(user, "403").await, "User is not an admin");
}

#[tokio::test]
async fn the_user_login_answers_as_its_document_is_written() {
    let Some(document) = Document::read(USER_LOGIN) else {
        return;
    };
    let dialect = Dialect::start().await;
    let (path, operation) = document.operation();
    let parameter = &operation["parameters"][0];
    assert_eq!(parameter["name"], "client_type");
    assert_eq!(parameter["schema"]["default"], "web");
    let body = filled(&document, &[("email", EMAIL), ("password", PASSWORD)]);
    let mut asked = vec![(path.to_owned(), "web".to_owned())];
    for client in parameter["schema"]["enum"].as_array().unwrap() {
        let client = client.as_str().unwrap().to_owned();
        asked.push((format!("{path}?client_type={client}"), client));
    }
    assert_eq!(asked.len(), 5);
    for (target, client) in asked {
        let answer = dialect.post(&target, body.clone(), Call::default()).await;
        let answer = answer.expect(StatusCode::OK);
        if client == "web" {
            document.assert_fits(&answer, &["refreshToken"]);
            let cookie = answer.set_cookie().unwrap();
            assert!(cookie.starts_with("insforge_refresh_token="), "{cookie}");
            assert!(cookie.contains("HttpOnly"), "{cookie}");
        } else {
            document.assert_fits(&answer, &["csrfToken"]);
            assert_eq!(answer.set_cookie(), None);
        }
    }
}

#[tokio::test]
async fn a_profile_is_answered_as_the_document_is_written() {
    let Some(document) = Document::read(USER_LOGIN) else {
        return;
    };
    let dialect = Dialect::start().await;
    let profile = json!({"name": "Ann", "avatar_url": "https://a.test/a.png", "own": [1]});
    let change = UserChange::Profile(profile.as_object().unwrap().clone());
    let users = &dialect.core.users;
    users.change(dialect.user.id, change).await.unwrap();
    let answer = dialect.sign_in("").await;
    document.assert_fits(&answer, &["refreshToken"]);
    assert_eq!(answer.json["user"]["profile"], profile);
}

#[tokio::test]
async fn the_user_login_refuses_as_its_document_is_written() {
    let Some(document) = Document::read(USER_LOGIN) else {
        return;
    };
    let dialect = Dialect::open(EmailRule::MustBeVerified).await;
    dialect.sign_up_to_verify().await;
    let (path, _) = document.operation();
    let check = async |(email, password): (&str, &str), status: u16, error: &str| {
        let body = filled(&document, &[("email", email), ("password", password)]);
        let answer = dialect.post(path, body, Call::default()).await;
        let response = document.response(&status.to_string());
        let message = response["description"].as_str().unwrap();
        answer.refused(status, error, message);
    };
    check((EMAIL, "wrong"), 401, "AUTH_UNAUTHORIZED").await;
    check((NEW, PASSWORD), 403, "FORBIDDEN").await;
}

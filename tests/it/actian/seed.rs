//! Every example of the published document, sent as it is written there and answered as it is written.

use super::*;
use crate::gotrue::{assert_written, seed};

const DOCUMENT: &str = "003_2ddfdcebc64c7899.txt";

/// What follows `value:` behind the name of an example, as its YAML has it.
fn example(document: &str, name: &str) -> Value {
    let (_, rest) = document.split_once(&format!("{name}:\n")).unwrap();
    let (_, rest) = rest.split_once("value:\n").unwrap();
    let indent = rest.len() - rest.trim_start().len();
    let lines = rest
        .lines()
        .take_while(|line| line.len() - line.trim_start().len() == indent);
    let fields = lines.map(|line| {
        let (name, value) = line.trim().split_once(": ").unwrap();
        let value = match value.trim_matches('\'') {
            "null" => Value::Null,
            text => text
                .parse::<i64>()
                .map_or_else(|_| json!(text), |number| json!(number)),
        };
        (name.to_owned(), value)
    });
    Value::Object(fields.collect())
}

#[tokio::test]
async fn the_examples_of_the_document_are_answered_as_written() {
    let Some(document) = seed(DOCUMENT) else {
        eprintln!("the document is not here; not tested");
        return;
    };
    let (_, request) = document.split_once("-d '").unwrap();
    let (request, _) = request.split_once('\'').unwrap();
    let sent: Value = serde_json::from_str(request).unwrap();
    assert_written(&document, &sent);
    assert_eq!(sent, json!({ "password": PASSWORD }));
    // Its `curl` shows a placeholder as a credential, which this endpoint does not look at.
    let headers = [
        ("content-type", "application/json"),
        ("authorization", "Bearer <admin-jwt-or-access-token>"),
    ];
    let login = (Method::POST, "/auth/admin/login");
    let bench = bench().await;

    let answer = bench
        .send(login.clone(), &headers, request.to_owned())
        .await
        .expect(401);
    assert_eq!(answer.json, example(&document, "invalid_password"));
    for body in ["{}", r#"{"password":"   "}"#] {
        let answer = bench
            .send(login.clone(), &headers, body.to_owned())
            .await
            .expect(400);
        assert_eq!(answer.json, example(&document, "missing_password"));
    }
    register(&bench, HERE, &[]).await.expect(200);
    let mut answer = bench
        .send(login, &headers, request.to_owned())
        .await
        .expect(200);
    let expected = example(&document, "success");
    assert_eq!(expected["token"], "<jwt-token>");
    let token = std::mem::replace(&mut answer.json["token"], json!("<jwt-token>"));
    assert_eq!(token.as_str().unwrap().split('.').count(), 3);
    assert_eq!(answer.json, expected);
}

//! More sign-ins than can be hashed at once: who is too many hears so at once, in the words of each
//! shape, and the proxied traffic goes on.

use std::collections::BTreeSet;

use doorward::dialect::Shape;
use futures_util::future::join_all;
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::scenarios::words::{Ask, Words};
use crate::support::doorward::{ADMIN, Answer, Doorward, PASSWORD, Setup, USER};

/// One hash at once, as dear as can be, and no place to wait.
const ONE_SEAT: &str = r#"
[passwords]
iterations = 20
max_concurrent = 1
max_waiting = 0

[limits]
sign_in = "off"
sign_in_address = "off"
admin_sign_in = "off"
admin_sign_in_address = "off"
"#;

/// An entrance: whose host it has, and what is said there.
struct Entrance {
    host: String,
    ask: Ask,
    /// The body of its 503.
    full: Value,
}

fn entrances(gateway: &Doorward) -> Vec<Entrance> {
    let own = ["/.doorward/api/sign-in", "/.doorward/api/admin/sign-in"].map(|target| Entrance {
        host: format!("localhost:{}", gateway.address.port()),
        ask: own(target),
        full: json!({ "code": "unavailable", "status": 503 }),
    });
    let shapes = SHAPES.map(|(name, shape)| {
        let words = Words::of(shape);
        let asks = [(words.sign_in, USER), (words.admin_sign_in, ADMIN)];
        asks.into_iter().filter_map(move |(ask, login)| {
            Some(Entrance {
                host: format!("{name}.test"),
                ask: ask?(login, PASSWORD),
                full: full(shape),
            })
        })
    });
    own.into_iter()
        .chain(shapes.into_iter().flatten())
        .collect()
}

const SHAPES: [(&str, Shape); 5] = [
    ("insforge", Shape::InsForge),
    ("supabase", Shape::Supabase),
    ("vaniyk", Shape::Vaniyk),
    ("strikebet", Shape::Strikebet),
    ("actian", Shape::Actian),
];

fn own(target: &'static str) -> Ask {
    let body = json!({ "login": ADMIN, "password": PASSWORD, "client": "native" });
    Ask {
        method: http::Method::POST,
        target,
        bearer: None,
        body: Some(body.to_string()),
    }
}

/// What a shape says where it has no room.
fn full(shape: Shape) -> Value {
    match shape {
        Shape::InsForge => json!({
            "error": "INTERNAL_ERROR",
            "message": "Service temporarily unavailable, try again later",
            "statusCode": 503,
        }),
        Shape::Supabase => json!({
            "code": 503,
            "error_code": "unexpected_failure",
            "msg": "Service temporarily unavailable, please retry",
        }),
        Shape::Vaniyk => json!({ "error": "Service temporarily unavailable, please retry" }),
        Shape::Strikebet => json!({
            "code": 503,
            "details": "unexpected_failure",
            "msg": "Service temporarily unavailable, please retry",
        }),
        Shape::Actian => json!({ "status": "error", "message": "Service temporarily unavailable" }),
    }
}

async fn sign_in(gateway: &Doorward, entrance: &Entrance) -> StatusCode {
    let ask = &entrance.ask;
    let request = Request::builder().method(&ask.method).uri(ask.target);
    let request = request
        .header("host", &entrance.host)
        .header("content-type", "application/json")
        .body(Full::from(ask.body.clone().unwrap()));
    let answer = gateway.send(request.unwrap()).await;
    match answer.status {
        StatusCode::OK => {}
        StatusCode::SERVICE_UNAVAILABLE => says_full(entrance, &answer),
        _ => panic!("{} {}: {}", ask.target, answer.status, answer.text),
    }
    answer.status
}

fn says_full(entrance: &Entrance, answer: &Answer) {
    let target = entrance.ask.target;
    assert!(answer.headers.contains_key("retry-after"), "{target}");
    assert!(!answer.headers.contains_key("set-cookie"), "{target}");
    let body = answer.json();
    for (name, value) in entrance.full.as_object().unwrap() {
        assert_eq!(&body[name], value, "{target}: {body}");
    }
}

/// The row "overload" of the table of faults. All entrances at once have one place between them.
#[tokio::test]
async fn where_no_more_passwords_can_be_hashed_a_sign_in_is_503_at_once_and_all_else_goes_on() {
    let dialects = SHAPES
        .map(|(name, _)| format!("[[dialects]]\nshape = \"{name}\"\nhost = \"{name}.test\"\n"));
    let gateway = Doorward::with(Setup {
        more: [ONE_SEAT, &dialects.concat()].concat(),
        ..Setup::default()
    })
    .await;
    let token = gateway.sign_in(USER).await.access;
    let entrances = entrances(&gateway);
    assert_eq!(entrances.len(), 2 + 2 + 1 + 2 + 2 + 1);
    let (mut refused, mut entered, mut passed) = (BTreeSet::new(), 0, 0);
    // Whoever comes first in a round is let in, so it takes more than one until all were refused.
    for _round in 0..20 {
        let signing_in = join_all(entrances.iter().map(|entrance| sign_in(&gateway, entrance)));
        let asking = join_all((0..5).map(|_| gateway.get("/api/x", Some(&token))));
        let (statuses, answers) = tokio::join!(signing_in, asking);
        for answer in answers {
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
            passed += 1;
        }
        for (number, status) in statuses.into_iter().enumerate() {
            match status {
                StatusCode::OK => entered += 1,
                _ => drop(refused.insert(number)),
            }
        }
        if refused.len() == entrances.len() {
            break;
        }
    }
    assert_eq!(refused.len(), entrances.len(), "each was full once");
    assert!(entered > 0, "who had the place is let in");
    assert_eq!(gateway.sample.seen().len(), passed);
    gateway.sign_in(USER).await;
}

use http::{HeaderName, HeaderValue, Request};
use url::Url;

use super::*;
use crate::net::host::HostError;
use crate::path::PathError;

const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn request(line: &str, headers: &[(&str, &[u8])]) -> Parts {
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let version = match words.next() {
        Some("HTTP/1.0") => Version::HTTP_10,
        Some("HTTP/2") => Version::HTTP_2,
        _ => Version::HTTP_11,
    };
    let mut request = Request::builder()
        .method(method)
        .uri(target)
        .version(version);
    for (name, value) in headers {
        request = request.header(*name, HeaderValue::from_bytes(value).unwrap());
    }
    request.body(()).unwrap().into_parts().0
}

/// Reads a request; each header is `name: value`.
fn with_head<T>(line: &str, headers: &[&str], see: impl FnOnce(&RequestHead<'_>) -> T) -> T {
    let headers: Vec<_> = std::iter::once(&"host: gw.example.com")
        .chain(headers)
        .filter_map(|header| header.split_once(": "))
        .map(|(name, value)| (name, value.as_bytes()))
        .collect();
    let parts = request(line, &headers);
    see(&RequestHead::read(&parts, PEER, &Networks::default()).unwrap())
}

#[test]
fn host_and_authority_name_one_place() {
    let check = |line: &str, hosts: &[&str], expected: Result<&str, BadRequest>| {
        let headers: Vec<_> = hosts.iter().map(|h| ("host", h.as_bytes())).collect();
        let parts = request(line, &headers);
        let read = RequestHead::read(&parts, PEER, &Networks::default());
        let read = read.as_ref().map(|head| &*head.host).map_err(|e| *e);
        assert_eq!(read, expected, "{line} {hosts:?}");
    };
    check("GET /", &["Gw.Example.com.:8443"], Ok("gw.example.com"));
    check("GET /", &["[::1]:8443"], Ok("[::1]"));
    check("GET http://A/x", &["a"], Ok("a"));
    check("GET https://a/x HTTP/2", &[], Ok("a"));
    check("GET https://a:1/x HTTP/2", &["A:1"], Ok("a"));
    check("GET /x HTTP/2", &["a"], Ok("a"));

    check("GET /", &[], Err(BadRequest::HostMissing));
    check("GET / HTTP/1.0", &[], Err(BadRequest::HostMissing));
    check("GET / HTTP/2", &[], Err(BadRequest::HostMissing));
    check("GET http://a/", &[], Err(BadRequest::HostMissing));
    check("GET /", &["a", "a"], Err(BadRequest::HostRepeated));
    check("GET http://a/", &["b"], Err(BadRequest::HostDisagrees));
    check(
        "GET https://a/ HTTP/2",
        &["b"],
        Err(BadRequest::HostDisagrees),
    );
    check(
        "GET https://a:1/ HTTP/2",
        &["a:2"],
        Err(BadRequest::HostDisagrees),
    );
    check(
        "GET /",
        &["u@a"],
        Err(BadRequest::Host(HostError::UserInfo)),
    );
    check(
        "GET http://u:p@a/",
        &["a"],
        Err(BadRequest::Host(HostError::UserInfo)),
    );
    check("GET /", &[""], Err(BadRequest::Host(HostError::Empty)));
    check(
        "GET /",
        &["a b"],
        Err(BadRequest::Host(HostError::Character(' '))),
    );
    check("GET /", &["é"], Err(BadRequest::NotText));
}

#[test]
fn a_target_is_a_path_of_the_web_in_its_one_spelling() {
    let check = |line: &str, expected: Result<&str, BadRequest>| {
        let parts = request(line, &[("host", b"a")]);
        let read = RequestHead::read(&parts, PEER, &Networks::default());
        let read = read.as_ref().map(|head| head.path.as_str()).map_err(|e| *e);
        assert_eq!(read, expected, "{line}");
    };
    check("GET /%61dmin?next=/../x", Ok("/admin"));
    check("GET /secret?x=/public/", Ok("/secret"));
    check("GET http://a", Ok("/"));
    check("GET http://a?x", Ok("/"));
    check("CONNECT /", Err(BadRequest::Connect));
    check("CONNECT a:443", Err(BadRequest::Connect));
    check("OPTIONS *", Err(BadRequest::Target));
    check("GET a:443", Err(BadRequest::Target));
    check("GET https://a?x HTTP/2", Err(BadRequest::Target));
    check("GET ftp://a/", Err(BadRequest::Scheme));
    check(
        "GET /x/%2e%2e/admin",
        Err(BadRequest::Path(PathError::DotSegment)),
    );
    check(
        "GET //internal/x",
        Err(BadRequest::Path(PathError::EmptySegment)),
    );
    // Cut off by the `http` crate before we see it: judged and sent without it, never guessed at.
    check("GET /secret#/public", Ok("/secret"));
}

#[test]
fn a_query_is_sent_as_it_came_or_refused() {
    for query in ["", "a=1&b=%00", "next=/../x//y;z", "ü"] {
        assert_eq!(check_query(query), Ok(()), "{query:?}");
    }
    for query in ["a#b", "a b", "a\r\nb", "a\0", "a\x7f"] {
        assert_eq!(check_query(query), Err(BadRequest::Query), "{query:?}");
    }
}

#[test]
fn two_places_are_misdirected_and_the_rest_is_bad() {
    assert_eq!(BadRequest::HostDisagrees.status(), 421);
    for bad in [BadRequest::Connect, BadRequest::Path(PathError::Space)] {
        assert_eq!(bad.status(), 400, "{bad}");
    }
}

#[test]
fn one_credential_counts() {
    use Credential::*;
    let check = |headers: &[&str], expected: Credential<'_>| {
        with_head("GET /", headers, |head| {
            assert_eq!(head.credential("s"), expected, "{headers:?}");
        });
    };
    check(&[], Absent);
    check(&["cookie: t=1"], Absent);
    check(&["authorization: Bearer a.b-c_d"], Bearer("a.b-c_d"));
    check(&["authorization: bEARER  abc=="], Bearer("abc=="));
    check(&["cookie: s=abc"], Cookie("abc"));
    check(&["cookie: s=abc", "authorization: Bearer x"], Bearer("x"));
    check(&["cookie: s=abc", "authorization: Basic eDp5"], Foreign);
    check(&["authorization: Negotiate"], Foreign);
    check(&["authorization: BearerX y"], Foreign);
    check(&["authorization: Bearer"], Ambiguous);
    check(&["authorization: Bearer  "], Ambiguous);
    check(&["cookie: s=abc", "authorization: "], Ambiguous);
    check(&["authorization: Bearer a b"], Ambiguous);
    check(&["authorization: Bearer a, Bearer b"], Ambiguous);
    check(&["authorization: Bearer\ta"], Ambiguous);
    check(&["authorization: Bearer é"], Ambiguous);
    check(
        &["authorization: Bearer a", "authorization: Bearer a"],
        Ambiguous,
    );
    check(
        &["authorization: Bearer a", "authorization: Basic a"],
        Ambiguous,
    );
    check(&["cookie: s=a; s=b"], Ambiguous);
    check(&["cookie: s="], Ambiguous);
}

#[test]
fn a_header_for_keys_counts_alone() {
    use Credential::*;
    let name = HeaderName::from_static("x-api-key");
    let check = |headers: &[&str], expected: Credential<'_>| {
        with_head("GET /?x-api-key=q", headers, |head| {
            let shown = head.credential_with("s", Some(&name));
            assert_eq!(shown, expected, "{headers:?}");
        });
    };
    check(&[], Absent);
    check(&["x-api-key: k_1"], Key("k_1"));
    check(&["X-Api-Key: k_1", "cookie: s=abc"], Key("k_1"));
    check(&["cookie: s=abc"], Cookie("abc"));
    check(&["authorization: Bearer x"], Bearer("x"));
    check(&["x_api_key: k_1"], Absent);
    check(&["x-api-key: k_1", "authorization: Bearer k_1"], Ambiguous);
    check(&["x-api-key: k_1", "authorization: Basic eDp5"], Ambiguous);
    check(&["x-api-key: k_1", "x-api-key: k_1"], Ambiguous);
    for bad in ["", "a b", "a,b", "Bearer k_1", "é"] {
        check(&[&format!("x-api-key: {bad}")], Ambiguous);
    }
}

#[test]
fn only_this_very_origin_is_the_same() {
    use RequestOrigin::*;
    let public = Url::parse("https://other.example.com:8443").unwrap();
    let check = |headers: &[&str], expected: RequestOrigin| {
        with_head("POST /", headers, |head| {
            assert_eq!(head.origin(&public), expected, "{headers:?}");
        });
    };
    let own = "origin: https://gw.example.com:8443";
    check(&[], Untold);
    check(&["sec-fetch-site: same-origin"], Same);
    check(&["sec-fetch-site: none"], Same);
    check(&["sec-fetch-site: same-site", own], Cross);
    check(&["sec-fetch-site: cross-site", own], Cross);
    check(&["sec-fetch-site: whatever"], Cross);
    check(&["sec-fetch-site: none", "sec-fetch-site: none"], Cross);
    check(&[own], Same);
    check(&[own, own], Cross);
    check(&["origin: https://GW.example.com:8443"], Same);
    check(&["origin: https://other.example.com:8443"], Cross);
    check(&["origin: https://gw.example.com"], Cross);
    check(&["origin: http://gw.example.com:8443"], Cross);
    check(&["origin: https://gw.example.com:8443.evil"], Cross);
    check(&["origin: https://gw.example.com:8443@evil"], Cross);
    check(&["origin: https://evil.example.com:8443"], Cross);
    check(&["origin: null"], Cross);
    check(&["origin: "], Cross);
}

#[test]
fn the_default_port_may_be_left_out_of_an_origin() {
    let public = Url::parse("https://gw.example.com").unwrap();
    with_head("POST /", &["origin: https://gw.example.com"], |head| {
        assert_eq!(head.origin(&public), RequestOrigin::Same);
    });
    with_head("POST /", &["origin: app://gw.example.com"], |head| {
        assert_eq!(head.origin(&public), RequestOrigin::Cross);
    });
}

#[test]
fn a_page_load_is_told_from_an_api_call() {
    let check = |line: &str, headers: &[&str], expected: bool| {
        with_head(line, headers, |head| {
            assert_eq!(head.wants_page(), expected, "{line} {headers:?}");
        });
    };
    check("GET /", &["sec-fetch-mode: navigate"], true);
    check(
        "GET /",
        &["sec-fetch-mode: cors", "accept: text/html"],
        false,
    );
    check("GET /", &["accept: application/xml, Text/HTML;q=0.9"], true);
    check("GET /", &["accept: application/json"], false);
    check("GET /", &["accept: */*"], false);
    check("GET /", &[], false);
    check("POST /", &["sec-fetch-mode: navigate"], false);
}

#[test]
fn safe_methods_are_those_of_the_standard() {
    for (method, expected) in [
        ("GET", true),
        ("HEAD", true),
        ("POST", false),
        ("PURGE", false),
    ] {
        with_head(&format!("{method} /"), &[], |head| {
            assert_eq!(head.is_safe_method(), expected, "{method}");
        });
    }
}

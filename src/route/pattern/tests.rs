use http::Method;

use super::*;

#[test]
fn a_path_pattern_prints_what_was_written() {
    for text in [
        "/",
        "/**",
        "/*",
        "/admin",
        "/admin/**",
        "/a/*/b/**",
        "/caf%C3%A9",
        "/%2A",
    ] {
        assert_eq!(PathPattern::parse(text).unwrap().to_string(), text);
    }
    let same = |one: &str, other: &str| {
        assert_eq!(PathPattern::parse(one), PathPattern::parse(other), "{one}");
    };
    same("/%61dmin/", "/admin");
    same("/**/", "/**");
}

#[test]
fn a_path_pattern_that_could_fit_nothing_is_a_mistake() {
    use PatternError::*;
    let check = |text: &str, expected: PatternError| {
        assert_eq!(PathPattern::parse(text), Err(expected), "{text}");
    };
    check("admin", Path(PathError::NotAbsolute));
    check("/a//b", Path(PathError::EmptySegment));
    check("/../a", Path(PathError::DotSegment));
    check("/a%2Fb", Path(PathError::EncodedSlash));
    check("/a?b", Path(PathError::QuestionMark));
    check("/über", Path(PathError::NotAscii));
    check("/a*", StarInText);
    check("/*.js", StarInText);
    check("/***", StarInText);
    check("/**/a", RestNotLast);
    check("/**/**", RestNotLast);
}

#[test]
fn a_host_pattern_has_one_spelling() {
    let check = |text: &str, expected: HostPattern, printed: &str| {
        let parsed = HostPattern::parse(text).unwrap();
        assert_eq!(parsed, expected);
        assert_eq!(parsed.to_string(), printed);
    };
    check("*", HostPattern::Any, "*");
    check(
        "Example.com.",
        HostPattern::Exact("example.com".into()),
        "example.com",
    );
    check(
        "*.Example.com",
        HostPattern::Below("example.com".into()),
        "*.example.com",
    );
    check(
        "xn--bcher-kva.example",
        HostPattern::Exact("xn--bcher-kva.example".into()),
        "xn--bcher-kva.example",
    );
    check("[0::1]", HostPattern::Exact("[::1]".into()), "[::1]");
}

#[test]
fn a_host_pattern_that_could_fit_nothing_is_a_mistake() {
    use PatternError::*;
    let check = |text: &str, expected: PatternError| {
        assert_eq!(HostPattern::parse(text), Err(expected), "{text}");
    };
    check("example.com:8443", HostPort);
    check("[::1]:8443", HostPort);
    check("*example.com", HostStar);
    check("a.*.com", HostStar);
    check("*.*.com", HostStar);
    check("https://example.com", Host(HostError::Character(':')));
    check("", Host(HostError::Empty));
    check("*.", Host(HostError::Empty));
    check("::1", Host(HostError::Character(':')));
    check(
        "bücher.example",
        HostNotAscii("xn--bcher-kva.example".to_owned()),
    );
}

#[test]
fn get_brings_head_along() {
    let get = Methods::parse(&["GET", "PURGE"]).unwrap();
    assert_eq!(get.to_string(), "GET, PURGE");
    assert!(get.contains(&Method::HEAD) && get.contains(&Method::from_bytes(b"PURGE").unwrap()));
    assert!(!get.contains(&Method::POST));
    assert_eq!(get.listed().last(), Some(&Method::HEAD));
    assert!(!Methods::parse(&["HEAD"]).unwrap().contains(&Method::GET));
    assert!(Methods::Any.contains(&Method::POST));
}

#[test]
fn methods_tie_where_neither_is_more_specific() {
    let check = |one: &[&str], other: &[&str], overlap: bool, tie: bool| {
        let read = |names: &[&str]| match names {
            [] => Methods::Any,
            names => Methods::parse(names).unwrap(),
        };
        for (a, b) in [(read(one), read(other)), (read(other), read(one))] {
            assert_eq!(
                (a.overlaps(&b), a.ties_with(&b)),
                (overlap, tie),
                "{a} and {b}"
            );
        }
    };
    check(&[], &[], true, true);
    check(&[], &["GET"], true, false);
    check(&["GET"], &["HEAD"], true, true);
    check(&["GET", "PUT"], &["PUT", "POST"], true, true);
    check(&["GET"], &["POST"], false, false);
    check(&["HEAD"], &["POST"], false, false);
}

#[test]
fn what_is_no_method_is_a_mistake() {
    for bad in ["get", "", "G T", "GET,POST", "CONNECT", "GÉT"] {
        assert_eq!(
            Methods::parse(&["GET", bad]),
            Err(PatternError::Method(bad.to_owned()))
        );
    }
    assert_eq!(Methods::parse::<&str>(&[]), Err(PatternError::NoMethods));
}

#[test]
fn a_host_pattern_is_wider_than_what_lies_within_it() {
    let is_wider = |one: &str, other: &str| {
        let read = |text| HostPattern::parse(text).unwrap();
        read(one).is_wider_than(&read(other))
    };
    for (one, other) in [
        ("*", "a.example.com"),
        ("*", "*.example.com"),
        ("*.example.com", "a.example.com"),
        ("*.example.com", "a.b.example.com"),
        ("*.example.com", "*.b.example.com"),
    ] {
        assert!(is_wider(one, other), "{one} {other}");
        assert!(!is_wider(other, one), "{other} {one}");
    }
    for (one, other) in [
        ("*", "*"),
        ("example.com", "example.com"),
        ("*.example.com", "*.example.com"),
        ("*.example.com", "example.com"),
        ("*.example.com", "notexample.com"),
        ("*.example.com", "*.notexample.com"),
    ] {
        assert!(!is_wider(one, other), "{one} {other}");
    }
}

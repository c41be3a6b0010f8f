use proptest::prelude::*;

use super::*;

fn check(raw: &str, expected: Result<&str, PathError>) {
    let parsed = NormalPath::parse(raw);
    assert_eq!(
        parsed.as_ref().map(NormalPath::as_str).map_err(|e| *e),
        expected,
        "{raw:?}"
    );
}

#[test]
fn a_path_has_one_spelling() {
    check("/", Ok("/"));
    check("/a", Ok("/a"));
    check("/a/", Ok("/a/"));
    check("/%61dmin", Ok("/admin"));
    check("/%7euser", Ok("/~user"));
    check("/caf%c3%a9", Ok("/caf%C3%A9"));
    check("/a%20b", Ok("/a%20b"));
    check("/a%21b!", Ok("/a%21b!"));
    check("/{id}/\"<>[]^`|", Ok("/%7Bid%7D/%22%3C%3E%5B%5D%5E%60%7C"));
    check("/a:b@c$&'()*+,=-._~", Ok("/a:b@c$&'()*+,=-._~"));
    check("/...", Ok("/..."));
    check("/.well-known/x..y", Ok("/.well-known/x..y"));
}

#[test]
fn what_two_readers_could_read_in_two_ways_is_refused() {
    use PathError::*;
    check("", Err(NotAbsolute));
    check("*", Err(NotAbsolute));
    check("admin", Err(NotAbsolute));
    check("http://host/", Err(NotAbsolute));
    check("/public%2F..%2Fadmin", Err(EncodedSlash));
    check("/%2finternal", Err(EncodedSlash));
    check("/a%5C..%5Cb", Err(Backslash));
    check("/a\\b", Err(Backslash));
    check("/a%00", Err(Control));
    check("/a\0", Err(Control));
    check("/a%0d%0ab", Err(Control));
    check("/a\tb", Err(Control));
    check("/a%7f", Err(Control));
    check("/a%C2%85b", Err(Control));
    check("/%252e%252e/admin", Err(DoubleEncoding));
    check("/100%25", Err(DoubleEncoding));
    check("/a;x=1", Err(Semicolon));
    check("/a%3bx", Err(Semicolon));
    check("/..;/admin", Err(Semicolon));
    check("/a%3Fx", Err(QuestionMark));
    check("/a?x", Err(QuestionMark));
    check("/public/secret%23/endpoint", Err(NumberSign));
    check("/secret#/public", Err(NumberSign));
    check("/x/%2e%2e/admin", Err(DotSegment));
    check("/x/.%2E/admin", Err(DotSegment));
    check("/x/%2e./admin", Err(DotSegment));
    check("/user/../admin/secrets", Err(DotSegment));
    check("/./", Err(DotSegment));
    check("/..", Err(DotSegment));
    check("/a/%2e", Err(DotSegment));
    check("//internal/x", Err(EmptySegment));
    check("//", Err(EmptySegment));
    check("/a//", Err(EmptySegment));
    check("/a//b", Err(EmptySegment));
    check("/%", Err(BadEscape));
    check("/%4", Err(BadEscape));
    check("/%G1", Err(BadEscape));
    check("/%+1", Err(BadEscape));
    check("/%ff", Err(NotUtf8));
    check("/%c0%af", Err(NotUtf8));
    check("/%c3/%a9", Err(NotUtf8));
    check("/%ed%a0%80", Err(NotUtf8));
    check("/é", Err(NotAscii));
    check("/a b", Err(Space));
}

#[test]
fn a_path_is_bounded_as_it_came_and_as_it_goes() {
    let longest = format!("/{}", "a".repeat(NormalPath::MAX_BYTES - 1));
    check(&longest, Ok(&longest));
    check(&format!("{longest}a"), Err(PathError::TooLong));
    let grows = format!("/{}", "{".repeat(NormalPath::MAX_BYTES / 2));
    check(&grows, Err(PathError::TooLong));
}

#[test]
fn a_trailing_slash_is_no_segment() {
    let segments = |raw: &str| -> Vec<String> {
        let path = NormalPath::parse(raw).unwrap();
        path.segments().map(str::to_owned).collect()
    };
    assert!(segments("/").is_empty());
    assert_eq!(segments("/a/b"), ["a", "b"]);
    assert_eq!(segments("/a/b/"), ["a", "b"]);
}

/// Paths made of the pieces that matter, so that most cases get past the first check.
fn tricky() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("/".to_owned()),
        Just(".".to_owned()),
        Just("%2e".to_owned()),
        Just("%2E".to_owned()),
        Just("%2f".to_owned()),
        Just("%".to_owned()),
        Just("%c3%a9".to_owned()),
        Just("%c3".to_owned()),
        Just("\\".to_owned()),
        "[ -~]",
        "%[0-9a-fA-F]{2}",
        "[a-z]{1,3}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| format!("/{}", pieces.concat()))
}

proptest! {
    #[test]
    fn parsing_again_changes_nothing(raw in tricky()) {
        if let Ok(path) = NormalPath::parse(&raw) {
            prop_assert_eq!(NormalPath::parse(path.as_str()), Ok(path));
        }
    }

    #[test]
    fn a_normal_path_is_free_of_traps_however_it_is_decoded(raw in tricky()) {
        if let Ok(path) = NormalPath::parse(&raw) {
            let decoded = percent_decode_str(path.as_str()).decode_utf8().unwrap().into_owned();
            let twice = percent_decode_str(&decoded).decode_utf8().unwrap().into_owned();
            prop_assert_eq!(&decoded, &twice);
            for reading in [path.as_str(), &decoded] {
                prop_assert!(reading.starts_with('/') && !reading.contains("//"));
                prop_assert!(!reading.contains(['\\', ';', '?', '#', '\0']));
                prop_assert!(!reading.split('/').any(|s| s == "." || s == ".."));
            }
            // The same data as what came, and not one segment more or less.
            prop_assert_eq!(percent_decode_str(&raw).decode_utf8().unwrap(), decoded);
        }
    }

    #[test]
    fn nothing_makes_the_parser_panic(raw in any::<String>()) {
        let rooted = NormalPath::parse(&format!("/{raw}"));
        prop_assert!(rooted.is_err() || raw.is_ascii());
        prop_assert!(NormalPath::parse(&raw).is_err() || raw.starts_with('/'));
    }
}

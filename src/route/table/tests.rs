use proptest::prelude::*;

use super::*;
use crate::route::pattern::{HostPattern, PathPattern, Segment};

/// `host|path|methods`; host and methods may be left empty, for every one.
fn matcher(text: &str) -> Matcher {
    let mut parts = text.split('|');
    let mut part = || parts.next().unwrap_or_default();
    let (host, path, methods) = (part(), part(), part());
    let methods: Vec<_> = methods.split_whitespace().collect();
    Matcher {
        host: match host {
            "" => HostPattern::Any,
            host => HostPattern::parse(host).unwrap(),
        },
        path: PathPattern::parse(path).unwrap(),
        methods: match &methods[..] {
            [] => Methods::Any,
            names => Methods::parse(names).unwrap(),
        },
    }
}

fn table(routes: &[&'static str]) -> Result<RouteTable<&'static str>, Vec<Conflict>> {
    RouteTable::build(routes.iter().map(|text| (matcher(text), *text)).collect())
}

fn path(text: &str) -> NormalPath {
    NormalPath::parse(text).unwrap()
}

/// Looks up each of `requests` (`METHOD host path`) and compares with the route or word beside it.
fn check(routes: &[&'static str], requests: &[(&str, &str)]) {
    let table = table(routes).unwrap();
    for (request, expected) in requests {
        let mut words = request.split(' ');
        let mut word = || words.next().unwrap();
        let (method, host, target) = (word(), word(), word());
        let method = method.parse().unwrap();
        let found = match table.lookup(host, &path(target), &method) {
            Lookup::Found(route) => (*route).to_owned(),
            Lookup::NotFound => "404".to_owned(),
            Lookup::CaseDiffers => "400".to_owned(),
            Lookup::MethodNotAllowed(methods) => format!("405 {methods:?}"),
        };
        assert_eq!(found, *expected, "{request}");
    }
}

#[test]
fn the_most_specific_path_decides() {
    check(
        &[
            "|/**",
            "|/admin/**",
            "|/admin/public",
            "|/*/edit",
            "|/*",
            "|/a/*/c",
            "|/a/b/**",
        ],
        &[
            ("GET h /", "|/**"),
            ("GET h /admin", "|/admin/**"),
            ("GET h /admin/", "|/admin/**"),
            ("GET h /admin/public", "|/admin/public"),
            ("GET h /admin/public/", "|/admin/public"),
            ("GET h /admin/public/x", "|/admin/**"),
            ("GET h /admin/edit", "|/admin/**"),
            ("GET h /x/edit", "|/*/edit"),
            ("GET h /x", "|/*"),
            ("GET h /x/y", "|/**"),
            ("GET h /a/b/c", "|/a/b/**"),
            ("GET h /a/x/c", "|/a/*/c"),
            ("GET h /a/x/d", "|/**"),
            ("GET h /administrator", "|/*"),
        ],
    );
}

#[test]
fn a_star_is_one_segment_that_is_there() {
    check(
        &["|/a/*", "|/b/*/**"],
        &[
            ("GET h /a", "404"),
            ("GET h /a/", "404"),
            ("GET h /a/x", "|/a/*"),
            ("GET h /a/x/", "|/a/*"),
            ("GET h /a/x/y", "404"),
            ("GET h /b", "404"),
            ("GET h /b/x", "|/b/*/**"),
            ("GET h /b/x/y/z", "|/b/*/**"),
        ],
    );
}

#[test]
fn the_most_specific_host_with_a_fitting_path_decides() {
    check(
        &[
            "|/**",
            "*.com|/x",
            "*.example.com|/x",
            "*.example.com|/y/**",
            "a.example.com|/x",
            "example.com|/z",
        ],
        &[
            ("GET a.example.com /x", "a.example.com|/x"),
            ("GET b.example.com /x", "*.example.com|/x"),
            ("GET b.a.example.com /x", "*.example.com|/x"),
            ("GET a.example.com /y", "*.example.com|/y/**"),
            ("GET a.example.com /z", "|/**"),
            ("GET example.com /x", "*.com|/x"),
            ("GET example.com /z", "example.com|/z"),
            ("GET badexample.com /y", "|/**"),
            ("GET badexample.com /x", "*.com|/x"),
            ("GET com /x", "|/**"),
            ("GET [::1] /x", "|/**"),
        ],
    );
}

#[test]
fn the_pattern_that_decides_takes_the_method_or_nobody_does() {
    check(
        &[
            "|/**",
            "|/a|GET",
            "|/a|PUT POST",
            "|/b|POST",
            "|/b",
            "h|/c|DELETE",
            "|/c|GET",
        ],
        &[
            ("GET h /a", "|/a|GET"),
            ("HEAD h /a", "|/a|GET"),
            ("POST h /a", "|/a|PUT POST"),
            ("DELETE h /a", "405 [GET, HEAD, PUT, POST]"),
            ("OPTIONS h /a", "405 [GET, HEAD, PUT, POST]"),
            ("POST h /b", "|/b|POST"),
            ("GET h /b", "|/b"),
            ("GET h /c", "405 [DELETE]"),
            ("GET i /c", "|/c|GET"),
        ],
    );
}

#[test]
fn letter_case_is_nobodys_guess() {
    check(
        &[
            "|/**",
            "|/admin/**",
            "|/Mixed/x",
            "h|/only/**",
            "|/to%E2%84%AAens",
        ],
        &[
            ("GET i /ADMIN/x", "400"),
            ("GET i /aDmin", "400"),
            ("GET i /%41dmin", "400"),
            ("GET i /admin/X", "|/admin/**"),
            ("GET i /mixed/x", "400"),
            ("GET i /Mixed/x", "|/Mixed/x"),
            ("GET i /MIXED/y", "|/**"),
            ("GET h /ONLY", "400"),
            ("GET i /ONLY", "|/**"),
            ("GET i /tokens", "400"),
        ],
    );
    check(&["|/admin"], &[("GET h /ADMIN", "404")]);
}

#[test]
fn an_escape_is_the_character_it_stands_for() {
    check(
        &[
            "|/**",
            "|/admin%21/**",
            "|/a*b".replace('*', "%2A").leak(),
            "|/caf%C3%A9",
        ],
        &[
            ("GET h /admin!/x", "|/admin%21/**"),
            ("GET h /admin%21/x", "|/admin%21/**"),
            ("GET h /a*b", "|/a%2Ab"),
            ("GET h /a%2ab", "|/a%2Ab"),
            ("GET h /aXb", "|/**"),
            ("GET h /caf%c3%a9", "|/caf%C3%A9"),
            ("GET h /%7Badmin", "|/**"),
        ],
    );
}

#[test]
fn ties_are_all_reported() {
    let conflicts = |routes: &[&'static str]| -> Vec<(usize, usize)> {
        let found = table(routes).err().unwrap_or_default();
        found.iter().map(|c| (c.first, c.second)).collect()
    };
    assert_eq!(conflicts(&["|/a", "|/a"]), [(0, 1)]);
    assert_eq!(conflicts(&["|/a", "|/a/"]), [(0, 1)]);
    assert_eq!(conflicts(&["|/a!", "|/a%21"]), [(0, 1)]);
    assert_eq!(conflicts(&["h|/a", "H|/%61"]), [(0, 1)]);
    assert_eq!(
        conflicts(&["|/a", "|/b", "|/a", "|/a"]),
        [(0, 2), (0, 3), (2, 3)]
    );
    assert_eq!(
        conflicts(&["|/a|GET POST", "|/a|PUT", "|/a|HEAD"]),
        [(0, 2)]
    );
    assert_eq!(
        conflicts(&["|/Admin/*|GET", "|/b", "|/admin/*|POST"]),
        [(0, 2)]
    );
    let none: [&[&'static str]; 5] = [
        &["|/a", "h|/a", "*.h|/a"],
        &["|/a", "|/a|GET"],
        &["|/a|GET", "|/a|POST"],
        &["|/Api/x", "|/api/y"],
        &["|/a", "|/a/**", "|/a/*"],
    ];
    for routes in none {
        assert_eq!(conflicts(routes), [], "{routes:?}");
    }
}

#[test]
fn hundreds_of_hosts_each_keep_their_own_routes() {
    let hosts = (0..500).map(|n| (matcher(&format!("h{n}.example.com|/**")), n));
    let table = RouteTable::build(hosts.collect()).unwrap();
    for n in [0, 100, 101, 499] {
        let found = table.lookup(&format!("h{n}.example.com"), &path("/x"), &Method::GET);
        assert_eq!(found, Lookup::Found(&n));
    }
}

#[test]
fn a_long_path_under_many_stars_is_found_without_blow_up() {
    // Each of the 2^12 ways to put text or a star into twelve places: all agree with the path until
    // its last segment, which none of them has.
    let patterns = (0_u32..1 << 12).map(|bits| {
        let segment = |place: u32| if bits & (1 << place) == 0 { "/a" } else { "/*" };
        let text: String = (0..12).map(segment).chain(["/end"]).collect();
        (matcher(&format!("|{text}")), bits)
    });
    let table = RouteTable::build(patterns.collect()).unwrap();
    let stem = "/a".repeat(12);
    let found = |text: &str| table.lookup("h", &path(text), &Method::GET);
    assert_eq!(found(&format!("{stem}/other")), Lookup::NotFound);
    assert_eq!(found(&format!("{stem}/end")), Lookup::Found(&0));
    assert_eq!(found(&"/a".repeat(4_000)), Lookup::NotFound);
}

/// The rule as it is written, by looking at every route.
fn oracle(routes: &[Matcher], host: &str, segments: &[String], fold: bool) -> Option<Rank> {
    let fitting = routes.iter().filter_map(|route| {
        let depth = match &route.host {
            HostPattern::Exact(name) => (**name == *host).then_some(0),
            HostPattern::Below(name) => {
                let labels = name.split('.').count();
                host.ends_with(&format!(".{name}")).then(|| 100 - labels)
            }
            HostPattern::Any => Some(1000),
        }?;
        let kinds = fit(route.path.segments(), segments, fold)?;
        Some((depth, kinds, route.path.to_string()))
    });
    fitting.min()
}

/// How specific the host is, then each segment; the least is the most specific. And the path.
type Rank = (usize, Vec<u8>, String);

fn fit(pattern: &[Segment], segments: &[String], fold: bool) -> Option<Vec<u8>> {
    match (pattern, segments) {
        ([], []) => Some(vec![]),
        ([Segment::Rest], _) => Some(vec![2]),
        ([Segment::One, pattern @ ..], [_, segments @ ..]) => {
            let mut kinds = fit(pattern, segments, fold)?;
            kinds.insert(0, 1);
            Some(kinds)
        }
        ([Segment::Literal(text), pattern @ ..], [segment, segments @ ..]) => {
            let same = **text == **segment || (fold && text.eq_ignore_ascii_case(segment));
            let mut kinds = same.then(|| fit(pattern, segments, fold))??;
            kinds.insert(0, 0);
            Some(kinds)
        }
        _ => None,
    }
}

fn some_route() -> impl Strategy<Value = String> {
    let host = prop_oneof![
        Just(""),
        Just("a.b"),
        Just("*.b"),
        Just("c.a.b"),
        Just("*.a.b")
    ];
    let segment = prop_oneof![Just("/x"), Just("/X"), Just("/y"), Just("/*")];
    let segments = prop::collection::vec(segment, 0..4);
    let end = prop_oneof![Just(""), Just("/**")];
    (host, segments, end).prop_map(|(host, segments, end)| {
        let path = format!("{}{end}", segments.concat());
        format!("{host}|{}", if path.is_empty() { "/" } else { &path })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_table_agrees_with_a_look_at_every_route(
        routes in prop::collection::vec(some_route(), 1..10),
        host in prop_oneof![Just("a.b"), Just("c.a.b"), Just("b"), Just("z.z")],
        segments in prop::collection::vec("[xXyz]", 0..5),
        slash in any::<bool>(),
    ) {
        // Adds the routes one by one, and leaves out those that tie with an earlier one.
        let mut kept: Vec<Matcher> = Vec::new();
        for route in &routes {
            let mut with = kept.clone();
            with.push(matcher(route));
            if RouteTable::build(with.iter().cloned().map(|m| (m, ())).collect()).is_ok() {
                kept = with;
            }
        }
        let targets = kept.iter().map(|m| (m.clone(), (m.host.clone(), m.path.to_string())));
        let table = RouteTable::build(targets.collect()).unwrap();
        let end = if slash && !segments.is_empty() { "/" } else { "" };
        let target = path(&format!("/{}{end}", segments.join("/")));

        let exact = oracle(&kept, host, &segments, false);
        let folded = oracle(&kept, host, &segments, true);
        match table.lookup(host, &target, &Method::GET) {
            Lookup::NotFound => prop_assert_eq!(exact, None),
            Lookup::Found((_, path)) => {
                prop_assert_eq!(&exact, &folded);
                prop_assert_eq!(Some(path), exact.as_ref().map(|(_, _, path)| path));
            }
            Lookup::CaseDiffers => {
                prop_assert!(exact.is_some());
                prop_assert_ne!(exact, folded);
            }
            Lookup::MethodNotAllowed(_) => prop_assert!(false, "every method is taken"),
        }
    }
}

//! The layers: what `ARCHITECTURE.md` says of them, held against what the sources import.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A row of the table: modules of the same layer.
#[derive(Debug)]
struct Row {
    modules: Vec<String>,
    among_themselves: Sideways,
    /// Crates that are not to be named.
    unknown: Vec<&'static str>,
}

/// Whether the modules of a row may import each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sideways {
    /// They may, as long as no two need each other.
    NoCircle,
    Never,
}

/// The rows, the lowest first.
#[derive(Debug)]
struct Layers(Vec<Row>);

/// One module names another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Import {
    from: String,
    to: String,
}

impl Layers {
    /// Reads the table whose head begins with `| layer |`: in its second column the modules, in
    /// backticks, in its third what they may import of each other. The highest layer stands first.
    fn read(document: &str) -> Self {
        let table = document
            .lines()
            .skip_while(|line| !line.starts_with("| layer |"))
            .skip(2)
            .take_while(|line| line.starts_with('|'));
        let mut rows: Vec<Row> = table.map(Row::read).collect();
        rows.reverse();
        Self(rows)
    }

    fn modules(&self) -> Vec<&str> {
        let modules = self.0.iter().flat_map(|row| &row.modules);
        modules.map(String::as_str).collect()
    }

    fn height(&self, module: &str) -> Option<usize> {
        let is_here = |row: &Row| row.modules.iter().any(|one| one == module);
        self.0.iter().position(is_here)
    }

    /// What the table does not allow, one sentence each.
    fn violations(&self, imports: &BTreeSet<Import>) -> Vec<String> {
        let upward = imports.iter().filter_map(|import| self.objection(import));
        upward.chain(self.circles(imports)).collect()
    }

    fn objection(&self, Import { from, to }: &Import) -> Option<String> {
        let (Some(below), Some(above)) = (self.height(to), self.height(from)) else {
            return Some(format!("{from} imports {to}: not both are in the table"));
        };
        let sideways = self.0[above].among_themselves;
        if below > above {
            Some(format!("{from} imports {to}, which is above it"))
        } else if below == above && sideways == Sideways::Never {
            Some(format!("{from} imports {to}, which is beside it"))
        } else {
            None
        }
    }

    /// Modules of a row that need each other, or need some that do.
    fn circles(&self, imports: &BTreeSet<Import>) -> Vec<String> {
        let beside = |import: &&Import| self.height(&import.from) == self.height(&import.to);
        let mut open: Vec<&Import> = imports.iter().filter(beside).collect();
        loop {
            let needy: BTreeSet<&str> = open.iter().map(|import| import.from.as_str()).collect();
            let left = open.iter().filter(|import| needy.contains(&*import.to));
            let left: Vec<&Import> = left.copied().collect();
            if left.len() == open.len() {
                break;
            }
            open = left;
        }
        let told = |import: &&Import| format!("{} imports {} in a circle", import.from, import.to);
        open.iter().map(told).collect()
    }
}

impl Row {
    fn read(line: &str) -> Self {
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        let quoted = columns[2].split('`').skip(1).step_by(2);
        Self {
            modules: quoted.map(str::to_owned).collect(),
            among_themselves: match columns[3] {
                "without a circle" => Sideways::NoCircle,
                "never" => Sideways::Never,
                other => panic!("among themselves {other:?}: in the row {line}"),
            },
            unknown: columns[4]
                .split(", ")
                .flat_map(crates_of)
                .copied()
                .collect(),
        }
    }
}

const BODIES: &[&str] = &["axum", "http_body", "http_body_util", "hyper", "tower"];
const PINGORA: &[&str] = &["pingora_core"];
const IO: &[&str] = &[
    "axum",
    "hyper",
    "hyper_rustls",
    "hyper_util",
    "lettre",
    "pingora_core",
    "redis",
    "sqlx",
    "tokio_rustls",
    "tower",
];

/// `net` gives hyper the streams that it reads and writes, and nothing more.
const GROUND: &[&str] = &[
    "axum",
    "http_body",
    "http_body_util",
    "hyper_rustls",
    "hyper_util",
    "lettre",
    "pingora_core",
    "redis",
    "sqlx",
    "tower",
];

/// The crates that a word of the last column stands for.
fn crates_of(word: &str) -> &'static [&'static str] {
    match word {
        "HTTP bodies" => BODIES,
        "SQL" => &["sqlx"],
        "Redis" => &["redis"],
        "pingora" => PINGORA,
        "input and output" => IO,
        "all of the above" => GROUND,
        // Modules of ours, of which the imports tell.
        "the core" | "each other" | "which face it serves" | "the rest" | "–" => &[],
        other => panic!("nothing of {other:?}: what crates are that?"),
    }
}

/// Whether code names this crate: in a path that begins with it, or in what a `use` brings in.
fn names_crate(code: &str, name: &str) -> bool {
    let begins_path = |(before, rest): (&str, &str)| {
        let outer = before.strip_suffix("::").unwrap_or(before);
        // A module of ours may be called like a crate.
        let is_inner = outer != before && outer.ends_with(is_name_part);
        let is_whole = !outer.ends_with(is_name_part) && !rest.starts_with(is_name_part);
        is_whole && !is_inner && (rest.starts_with("::") || is_brought_in(outer))
    };
    let sides = |(at, name): (usize, &str)| {
        let (before, rest) = code.split_at_checked(at)?;
        Some((before, rest.strip_prefix(name)?))
    };
    code.match_indices(name).filter_map(sides).any(begins_path)
}

/// Whether what follows `before` is the first name of something that `use` brings in.
fn is_brought_in(before: &str) -> bool {
    let statement = before.rsplit(';').next().unwrap_or_default();
    let Some((_, path)) = statement.rsplit_once("use ") else {
        return false;
    };
    // `use {axum, sqlx}`: in a group that stands alone, and in no group of another path.
    path.is_empty()
        || path.starts_with('{') && path.matches('{').count() - path.matches('}').count() == 1
}

/// Who names a crate that the table keeps from them, one sentence each.
fn strangers(layers: &Layers, sources: &BTreeMap<String, String>) -> Vec<String> {
    let mut found = Vec::new();
    for (file, text) in sources {
        let module = first_name(file);
        let code = code_of(text);
        let row = layers.height(&module).map(|height| &layers.0[height]);
        for name in row.iter().flat_map(|row| &row.unknown) {
            if names_crate(&code, name) {
                found.push(format!("{file} names {name}"));
            }
        }
    }
    found
}

/// A source without its comments.
fn code_of(source: &str) -> String {
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    let code: Vec<&str> = source.lines().filter(is_code).collect();
    code.join("\n")
}

/// The modules of the crate that `source` names. Comments name others only for the reader.
fn named_in(source: &str) -> BTreeSet<String> {
    let code = code_of(source);
    let roots = ["crate::", "doorward::"].into_iter();
    let after_crate = roots
        .flat_map(|root| code.match_indices(root).map(move |(at, _)| (at, root)))
        .filter_map(|(at, root)| {
            let (before, rest) = code.split_at_checked(at)?;
            let is_name = before.ends_with(is_name_part);
            (!is_name).then(|| rest.trim_start_matches(root))
        });
    after_crate.flat_map(first_names).collect()
}

/// `a::b` names `a`; `{a, b::{c, d}}` names `a` and `b`.
fn first_names(path: &str) -> Vec<String> {
    let Some(group) = path.strip_prefix('{') else {
        return vec![first_name(path)];
    };
    let mut depth = 1_i32;
    let is_inside = |letter: &char| {
        depth += i32::from(*letter == '{') - i32::from(*letter == '}');
        depth > 0
    };
    let group: String = group.chars().take_while(is_inside).collect();
    let mut depth = 0_i32;
    let members = group.split(|letter| {
        depth += i32::from(letter == '{') - i32::from(letter == '}');
        letter == ',' && depth == 0
    });
    let names = members.map(|member| first_name(member.trim()));
    names.filter(|name| !name.is_empty()).collect()
}

fn first_name(path: &str) -> String {
    path.chars().take_while(|one| is_name_part(*one)).collect()
}

fn is_name_part(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// All sources, as path below `src` and text.
fn sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeMap::new();
    let mut directories = vec![root.clone()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let name = path.strip_prefix(&root).expect("it is below src");
                let text = fs::read_to_string(&path).expect("a source");
                found.insert(name.to_string_lossy().into_owned(), text);
            }
        }
    }
    found
}

/// Who imports whom, by the modules at the top of the crate. `lib.rs` only lists them.
fn imports(sources: &BTreeMap<String, String>) -> BTreeSet<Import> {
    let mut imports = BTreeSet::new();
    for (file, text) in sources.iter().filter(|(file, _)| *file != "lib.rs") {
        let from = first_name(file);
        for to in named_in(text).into_iter().filter(|to| *to != from) {
            let from = from.clone();
            imports.insert(Import { from, to });
        }
    }
    imports
}

fn document() -> Layers {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    Layers::read(&fs::read_to_string(file).expect("the document"))
}

#[test]
fn imports_go_only_downward() {
    let violations = document().violations(&imports(&sources()));
    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn no_layer_names_a_crate_that_it_knows_nothing_of() {
    let strangers = strangers(&document(), &sources());
    assert!(strangers.is_empty(), "{strangers:#?}");
}

#[test]
fn a_crate_is_found_however_it_is_named() {
    let check = |code: &str, expected: &[&str]| {
        let table = TABLE.replace("the rest", "SQL, Redis");
        let sources = [("net/a.rs".to_owned(), code.to_owned())].into();
        assert_eq!(
            strangers(&Layers::read(&table), &sources),
            expected,
            "{code}"
        );
    };
    check("use sqlx::Row;", &["net/a.rs names sqlx"]);
    check("pub use ::sqlx::Row;", &["net/a.rs names sqlx"]);
    check("use sqlx;", &["net/a.rs names sqlx"]);
    check("use sqlx as store;", &["net/a.rs names sqlx"]);
    check("fn f(_: &sqlx::Pool) {}", &["net/a.rs names sqlx"]);
    check(
        "use {\n    bytes::Bytes,\n    redis::{Client, Cmd},\n};",
        &["net/a.rs names redis"],
    );
    check("use {bytes, redis};", &["net/a.rs names redis"]);
    check("// sqlx::Row\nuse crate::sessions::redis::Link;", &[]);
    check("use crate::{id, redis};", &[]);
    check("use self::redis::Link; let my_sqlx = 1;", &[]);
}

#[test]
fn the_table_lists_each_module_once() {
    let sources = sources();
    let declared = sources["lib.rs"]
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod "));
    let mut declared: Vec<&str> = declared.map(|name| name.trim_end_matches(';')).collect();
    declared.push("main");
    declared.sort_unstable();
    let layers = document();
    let mut listed = layers.modules();
    listed.sort_unstable();
    assert_eq!(listed, declared);
}

const TABLE: &str = "\
| layer | modules | among themselves | knows nothing of |
| --- | --- | --- | --- |
| 1 faces | `api`, `proxy` | never | each other |
| 0 ground | `clock`, `id`, `net` | without a circle | the rest |
";

#[test]
fn what_the_table_forbids_is_found() {
    let check = |files: &[(&str, &str)], expected: &[&str]| {
        let owned = |(file, text): &(&str, &str)| ((*file).to_owned(), (*text).to_owned());
        let imports = imports(&files.iter().map(owned).collect());
        assert_eq!(Layers::read(TABLE).violations(&imports), expected);
    };
    check(&[("api.rs", "use crate::clock::Clock;")], &[]);
    check(&[("id.rs", "use crate::clock::Clock;")], &[]);
    check(&[("api/in.rs", "use crate::api::Out;")], &[]);
    check(
        &[("id/new.rs", "fn f() { crate::proxy::send() }")],
        &["id imports proxy, which is above it"],
    );
    check(
        &[("api.rs", "use crate::{id::Id, proxy::{A, B}};")],
        &["api imports proxy, which is beside it"],
    );
    check(
        &[("api.rs", "use crate::other;")],
        &["api imports other: not both are in the table"],
    );
    check(
        &[
            ("id.rs", "use crate::clock;"),
            ("clock.rs", "use crate::id;"),
            ("net.rs", ""),
        ],
        &[
            "clock imports id in a circle",
            "id imports clock in a circle",
        ],
    );
    check(&[("id.rs", "//! [`api`](crate::api)")], &[]);
}

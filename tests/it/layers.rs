//! Holds the layer table of `ARCHITECTURE.md` against the code: imports only go downward.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The faces, which import nothing of each other.
const FACES: u32 = 5;

#[test]
fn imports_only_go_downward() {
    let layers = layers();
    let mut upward = Vec::new();
    let mut seen = 0;
    for file in sources(&Path::new(ROOT).join("src")) {
        let from = module_of(&file);
        let text = fs::read_to_string(&file).unwrap();
        for to in imports(&text) {
            seen += 1;
            let (here, there) = (layer(&layers, &from), layer(&layers, &to));
            if there > here || (here == FACES && there == FACES && from != to) {
                upward.push(format!("{}: {from} imports {to}", file.display()));
            }
        }
    }
    assert!(
        seen > 200,
        "only {seen} imports were found: the search is broken"
    );
    assert_eq!(upward, Vec::<String>::new());
}

#[test]
fn every_module_has_its_layer_and_every_layer_its_modules() {
    let layers = layers();
    let library = fs::read_to_string(Path::new(ROOT).join("src/lib.rs")).unwrap();
    let declared: Vec<_> = library
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    for module in &declared {
        assert!(layers.contains_key(*module), "{module} is not in the table");
    }
    for module in layers.keys().filter(|module| *module != "main") {
        assert!(
            declared.contains(&module.as_str()),
            "{module} is in the table alone"
        );
    }
}

#[test]
fn the_search_finds_imports_of_every_form() {
    let text = "use crate::auth::Auth;\n    crate::users::sqlite::X\n/// [`x`](crate::app)\n";
    assert_eq!(imports(text), ["auth", "users"]);
}

/// Module to layer, from the table.
fn layers() -> BTreeMap<String, u32> {
    let text = fs::read_to_string(Path::new(ROOT).join("ARCHITECTURE.md")).unwrap();
    let mut layers = BTreeMap::new();
    for line in text.lines() {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let (Some(layer), Some(modules)) = (cells.next(), cells.next()) else {
            continue;
        };
        let number = layer
            .split(' ')
            .next()
            .and_then(|number| number.parse().ok());
        let Some(number) = number else { continue };
        for module in modules.split_whitespace() {
            layers.insert(module.trim_matches('`').to_owned(), number);
        }
    }
    layers
}

fn layer(layers: &BTreeMap<String, u32>, module: &str) -> u32 {
    *layers
        .get(module)
        .unwrap_or_else(|| panic!("{module} has no layer"))
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files.retain(|file| !file.ends_with("src/lib.rs"));
    files
}

/// The top module that a file belongs to.
fn module_of(file: &Path) -> String {
    let inside = file.strip_prefix(Path::new(ROOT).join("src")).unwrap();
    let first = inside.iter().next().unwrap().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// The top modules that a text names by `crate::`, but for those of comments.
fn imports(text: &str) -> Vec<String> {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| {
            rest.chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                .collect::<String>()
        })
        .filter(|module| !module.is_empty())
        .collect()
}

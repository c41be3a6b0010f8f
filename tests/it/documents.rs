//! The TOML of the documents: whoever copies it has a file that is sound.

use std::fs;
use std::path::{Path, PathBuf};

use doorward::cli::check::{Verdict, run_in};
use doorward::config::environment::Environment;
use tempfile::TempDir;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What a fragment leaves to the rest of its file, told in a comment before it that no reader sees:
/// `<!-- goes with: upstream app -->`.
const GOES_WITH: &str = "<!-- goes with: upstream ";

/// Every file and variable that a document names is there.
#[derive(Debug)]
struct Obliging {
    file: PathBuf,
    text: String,
    authority: String,
}

impl Environment for Obliging {
    fn variable(&self, _name: &str) -> Option<String> {
        Some("a secret that is long enough for all that it may be for".to_owned())
    }

    fn read_file(&self, path: &Path) -> std::io::Result<Vec<u8>> {
        Ok(if path == self.file {
            self.text.clone().into_bytes()
        } else if path.extension().is_some_and(|ending| ending == "pem") {
            self.authority.clone().into_bytes()
        } else {
            b"{}".to_vec()
        })
    }

    fn cores(&self) -> usize {
        2
    }
}

/// Each block of TOML with the line that it begins at, and the upstream that it goes with.
fn blocks(document: &str) -> Vec<(usize, String)> {
    let mut blocks = Vec::new();
    let mut before = "";
    let mut open: Option<(usize, String)> = None;
    for (number, line) in document.lines().enumerate() {
        match (&mut open, line) {
            (None, "```toml") => {
                let upstream = before.strip_prefix(GOES_WITH);
                let upstream = upstream.and_then(|name| name.strip_suffix(" -->"));
                let rest = upstream.map_or(String::new(), |name| {
                    format!(
                        "[[upstreams]]\nname = \"{name}\"\nservers = [\"http://127.0.0.1:1\"]\n"
                    )
                });
                open = Some((number + 1, rest));
            }
            (Some(_), "```") => blocks.extend(open.take()),
            (Some((_, text)), line) => text.extend([line, "\n"]),
            (None, _) => {}
        }
        before = line;
    }
    assert!(open.is_none(), "a block without an end");
    blocks
}

fn documents() -> Vec<PathBuf> {
    let mut found = vec![Path::new(ROOT).join("README.md")];
    let mut directories = vec![Path::new(ROOT).join("docs"), Path::new(ROOT).join("deploy")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn the_toml_of_the_documents_has_no_mistakes() {
    let directory = TempDir::new().unwrap();
    let authority = crate::support::tls::Authority::new().pem();
    let mut seen = 0;
    for document in documents() {
        for (line, text) in blocks(&fs::read_to_string(&document).unwrap()) {
            seen += 1;
            let around = Obliging {
                file: directory.path().join("gateway.toml"),
                text,
                authority: authority.clone(),
            };
            let mut said = Vec::new();
            let verdict = run_in(&around, &around.file, &mut said).unwrap();
            let said = String::from_utf8(said).unwrap();
            let place = format!("{}:{line}", document.display());
            assert_eq!(verdict, Verdict::Sound, "{place}\n{}{said}", around.text);
        }
    }
    assert!(seen >= 3, "only {seen} blocks were found");
}

#[test]
fn a_block_is_found_with_what_it_goes_with() {
    let document = "# x\n<!-- goes with: upstream app -->\n```toml\n[[routes]]\n```\n```sh\n[no]\n```\n\
                    ```toml\na = 1\n```\n";
    let found = blocks(document);
    let rest = "[[upstreams]]\nname = \"app\"\nservers = [\"http://127.0.0.1:1\"]\n";
    let expected = [
        (3, format!("{rest}[[routes]]\n")),
        (9, "a = 1\n".to_owned()),
    ];
    assert_eq!(found, expected);
}

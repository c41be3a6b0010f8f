//! Tests of the whole way from text to [`Config`].

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::mistake::Mistakes;
use super::{Config, parse};

mod mistakes;
mod shipped;
mod sound;

/// An environment of variables and files that a test names.
#[derive(Debug, Default)]
struct Around {
    variables: HashMap<&'static str, &'static str>,
    files: HashMap<PathBuf, Vec<u8>>,
}

impl Around {
    fn variable(mut self, name: &'static str, value: &'static str) -> Self {
        self.variables.insert(name, value);
        self
    }

    fn file(mut self, path: &str, content: &[u8]) -> Self {
        self.files.insert(path.into(), content.to_vec());
        self
    }
}

impl Environment for Around {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).map(|&value| value.to_owned())
    }

    fn read_file(&self, path: &Path) -> io::Result<Vec<u8>> {
        let content = self.files.get(path).cloned();
        content.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn cores(&self) -> usize {
        6
    }
}

/// Variables and files that the snippets of these tests point at.
fn around() -> Around {
    Around::default()
        .variable("SECRET", "hunter2")
        .variable("EMPTY", " ")
        .file("/etc/dw/secret", b"hunter2\n")
        .file("/etc/dw/empty", b"\n")
        .file("/etc/dw/binary", b"\xff\xfe")
        .file("/etc/dw/tls.crt", b"PEM")
        .file("/etc/dw/tls.key", b"PEM")
        .file("/etc/dw/jwks.json", b"{}")
}

fn read_in(around: &Around, text: &str) -> Result<Config, Mistakes> {
    parse(text, Path::new("/etc/dw/gateway.toml"), around)
}

fn read(text: &str) -> Result<Config, Mistakes> {
    read_in(&around(), text)
}

/// The configuration, which has no mistakes.
fn sound(text: &str) -> Config {
    match read(text) {
        Ok(config) => config,
        Err(mistakes) => panic!("{text}\n{mistakes}"),
    }
}

/// The mistakes, one a line, without the name of the file.
fn mistakes(text: &str) -> Vec<String> {
    let Err(mistakes) = read(text) else {
        return Vec::new();
    };
    let line = |mistake: &super::mistake::Mistake| {
        let line = mistake.to_string();
        line.trim_start_matches("/etc/dw/gateway.toml:").to_owned()
    };
    mistakes.iter().map(line).collect()
}

/// An upstream named `shop`, for routes to point at: three lines.
const SHOP: &str = "[[upstreams]]\nname = \"shop\"\nservers = [\"http://127.0.0.1:3000\"]\n";

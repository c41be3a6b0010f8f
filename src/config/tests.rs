//! Tests of the whole way from text to [`Config`].

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use super::environment::Environment;
use super::mistake::Mistakes;
use super::reader::Source;
use super::{Checks, Config, parse};
use crate::breached::OpenError;
use crate::password::rules::{Breached, KnownPasswords, Sha1};
use crate::unavailable::Unavailable;

mod mistakes;
mod shipped;
mod sound;

#[derive(Debug)]
struct NoPasswords;

impl KnownPasswords for NoPasswords {
    fn contains(&self, _sha1: &Sha1) -> Result<bool, Unavailable> {
        Ok(false)
    }
}

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

    /// A list that knows nothing, where there is a file.
    fn breached(&self, path: &Path) -> Result<Breached, OpenError> {
        match self.files.get(path).map(Vec::as_slice) {
            Some(b"damaged") => Err(OpenError::Damaged),
            Some(_) => Ok(Breached::new(path.to_owned(), Arc::new(NoPasswords))),
            None => Err(io::Error::from(io::ErrorKind::NotFound).into()),
        }
    }

    fn cores(&self) -> usize {
        6
    }
}

/// Variables and files that the snippets of these tests point at.
fn around() -> Around {
    Around::default()
        .variable("SECRET", "hunter2")
        .variable("LONG_SECRET", "a secret of more than thirty-two bytes")
        .variable("EMPTY", " ")
        .file("/etc/dw/secret", b"hunter2\n")
        .file("/etc/dw/empty", b"\n")
        .file("/etc/dw/binary", b"\xff\xfe")
        .file("/etc/dw/tls.crt", PAIR.0.as_bytes())
        .file("/etc/dw/tls.key", PAIR.1.as_bytes())
        .file("/etc/dw/junk", b"junk")
        .file("/etc/dw/jwks.json", KEY_SET)
        .file("/etc/dw/ca.pem", AUTHORITY)
        .file("/etc/dw/breached", b"a list")
        .file("/etc/dw/damaged", b"damaged")
}

fn read_in(around: &Around, text: &str) -> Result<Config, Mistakes> {
    let source = Source {
        file: Path::new("/etc/dw/gateway.toml"),
        text,
        environment: around,
    };
    parse(&source, Checks::NONE)
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

/// A certificate and its key.
static PAIR: LazyLock<(String, String)> = LazyLock::new(|| {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["gw.example.com".to_owned()]).unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
});

/// The key of RFC 8037, appendix A.2.
const KEY_SET: &[u8] = br#"{ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }] }"#;

/// The certificate of an authority, whose key nobody has.
const AUTHORITY: &[u8] = b"\
-----BEGIN CERTIFICATE-----
MIIBhTCCASugAwIBAgIUPiddiT/xpLG7rQb2lzoUK7iFuUUwCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMQW4gYXV0aG9yaXR5MCAXDTI2MTEyMTA4MDEyNVoYDzIxMjYx
MDI4MDgwMTI1WjAXMRUwEwYDVQQDDAxBbiBhdXRob3JpdHkwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAAS2EGlHFtbgB07W/9fe1Z/VE1a7kB3ZJWr3t7lkN0Y/jWcp
2sIO070FqElKkltQFFnByOyiBd/vlKToFD3xflX1o1MwUTAdBgNVHQ4EFgQUwfy7
04IgNBj9EXpNLUbKPqz0hx4wHwYDVR0jBBgwFoAUwfy704IgNBj9EXpNLUbKPqz0
hx4wDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiA++sy/Fhgn82k8
Rdg+IPOnahknuCItspQonWXG9N374gIhAN+M+lL+zhj3tkNO4DZpu9dfwXVStYzO
bxUq7YYIqYN3
-----END CERTIFICATE-----
";

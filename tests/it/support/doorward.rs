//! The real binary, with a configuration of its own, before a sample service.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::Child;
use tokio_rustls::client::TlsStream;

use super::sample::Sample;
use super::tls::{Authority, Client};

/// Nothing that clients do is too often.
pub(crate) const NO_LIMITS: &str = "[limits]\nsign_in = \"off\"\nsign_in_address = \"off\"\n\
     refresh = \"off\"\nrefresh_address = \"off\"\n";

pub(crate) const ADMIN: &str = "admin@example.com";
pub(crate) const USER: &str = "user@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// How a gateway under test is set up, beside what all of them have.
#[derive(Default)]
pub(crate) struct Setup {
    /// Lines of `[server]`.
    pub(crate) server: String,
    /// Lines of `[sessions]`.
    pub(crate) sessions: String,
    /// Further tables, routes for instance.
    pub(crate) more: String,
    /// Files beside the configuration.
    pub(crate) files: Vec<(&'static str, String)>,
}

/// A gateway that runs, its users and the service behind it.
pub(crate) struct Doorward {
    pub(crate) sample: Arc<Sample>,
    pub(crate) directory: Arc<TempDir>,
    /// What its configuration is called, without the ending.
    name: &'static str,
    pub(crate) address: SocketAddr,
    pub(crate) ops: SocketAddr,
    client: Client,
    process: Child,
}

impl Doorward {
    pub(crate) async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    pub(crate) async fn with(setup: Setup) -> Self {
        let sample = Sample::start().await;
        let directory = TempDir::new().unwrap();
        let authority = Authority::new();
        authority.issue(directory.path(), "gateway", &["localhost"]);
        std::fs::write(directory.path().join("ca.pem"), authority.pem()).unwrap();
        for (name, content) in &setup.files {
            std::fs::write(directory.path().join(name), content).unwrap();
        }
        let config = configuration(&sample, &setup);
        std::fs::write(directory.path().join("gateway.toml"), config).unwrap();
        // Users who are kept elsewhere are made there.
        if !setup.more.contains("[users.supabase]") {
            add_user(&directory, ADMIN, &["--role", "admin"]);
            add_user(&directory, USER, &[]);
        }
        let (process, addresses) = serve((&directory, GATEWAY)).await;
        Self {
            sample: Arc::new(sample),
            client: authority.client(),
            directory: Arc::new(directory),
            name: GATEWAY,
            address: addresses[0],
            ops: addresses[1],
            process,
        }
    }

    /// Another gateway beside this one: with the same settings, users, keys and service, at another port.
    pub(crate) async fn replica(&self) -> Self {
        const REPLICA: &str = "replica";
        let config = std::fs::read_to_string(self.path("gateway.toml")).unwrap();
        // Not in `public_url`: it is one gateway to its clients.
        let listen = format!("listen = [\"127.0.0.1:{}\"]", self.address.port());
        let config = config.replace(&listen, "listen = [\"127.0.0.1:0\"]");
        std::fs::write(self.path("replica.toml"), config).unwrap();
        let (process, addresses) = serve((&self.directory, REPLICA)).await;
        Self {
            sample: Arc::clone(&self.sample),
            client: self.client.clone(),
            directory: Arc::clone(&self.directory),
            name: REPLICA,
            address: addresses[0],
            ops: addresses[1],
            process,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs a command of the binary beside the gateway.
    pub(crate) fn command(&self, arguments: &[&str], input: &str) -> Output {
        command(&self.directory, arguments, input)
    }

    /// SIGKILL, and the same gateway again.
    pub(crate) async fn kill_and_start_again(&mut self) {
        self.process.kill().await.unwrap();
        let (process, addresses) = serve((&self.directory, self.name)).await;
        self.process = process;
        (self.address, self.ops) = (addresses[0], addresses[1]);
    }

    /// SIGTERM, and how it ended.
    pub(crate) async fn terminate(&mut self) -> std::process::ExitStatus {
        self.signal("-TERM");
        self.ended().await
    }

    /// How it ended, once it has.
    pub(crate) async fn ended(&mut self) -> std::process::ExitStatus {
        self.process.wait().await.unwrap()
    }

    /// Sends the process a signal.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.process.id().unwrap().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(sent.success());
    }

    /// SIGHUP: the configuration is to be read again.
    pub(crate) fn hang_up(&self) {
        self.signal("-HUP");
    }

    /// What the gateway has said so far on standard error.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(self.path(&said_in(self.name))).unwrap()
    }

    /// Waits until it has said what this is about.
    pub(crate) async fn until_said(&self, wanted: impl Fn(&str) -> bool) {
        let mut interval = tokio::time::interval(Duration::from_millis(20));
        for _ in 0..1000 {
            interval.tick().await;
            if wanted(&self.said()) {
                return;
            }
        }
        panic!("never said: {}", self.said());
    }

    /// The page of metrics.
    pub(crate) async fn metrics(&self) -> String {
        self.page("/metrics").await.1
    }

    /// A page for operators.
    pub(crate) async fn page(&self, path: &str) -> (StatusCode, String) {
        let io = TokioIo::new(TcpStream::connect(self.ops).await.unwrap());
        let (mut sender, connection) = http1::handshake(io).await.unwrap();
        let running = tokio::spawn(connection);
        let request = Request::get(path).header("host", "ops");
        let request = request.body(Full::<Bytes>::default()).unwrap();
        let answer = Answer::read(sender.send_request(request).await.unwrap()).await;
        running.abort();
        (answer.status, answer.text)
    }

    /// Waits until this line is on the page of metrics.
    pub(crate) async fn until_counted(&self, line: &str) {
        let mut interval = tokio::time::interval(Duration::from_millis(20));
        for _ in 0..1000 {
            interval.tick().await;
            if self.metrics().await.lines().any(|found| found == line) {
                return;
            }
        }
        panic!("{line} never came");
    }

    pub(crate) async fn connect(&self) -> TlsStream<TcpStream> {
        let client = self.client.clone().offering(&["http/1.1"]);
        client.connect(self.address, "localhost").await
    }

    /// A connection on which HTTP/2 was agreed.
    pub(crate) async fn connect_http2(&self) -> TlsStream<TcpStream> {
        let client = self.client.clone().offering(&["h2"]);
        client.connect(self.address, "localhost").await
    }

    /// Sends a request over a connection of its own.
    pub(crate) async fn send(&self, mut request: Request<Full<Bytes>>) -> Answer {
        let host = format!("localhost:{}", self.address.port())
            .parse()
            .unwrap();
        request.headers_mut().entry("host").or_insert(host);
        let io = TokioIo::new(self.connect().await);
        let (mut sender, connection) = http1::handshake(io).await.unwrap();
        let running = tokio::spawn(connection);
        let response = sender.send_request(request).await.unwrap();
        let answer = Answer::read(response).await;
        running.abort();
        answer
    }

    pub(crate) async fn get(&self, path: &str, token: Option<&str>) -> Answer {
        let mut request = Request::get(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.send(request.body(Full::default()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, token: Option<&str>, body: &Value) -> Answer {
        let mut request = Request::post(path).header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.send(request.body(Full::from(body.to_string())).unwrap())
            .await
    }

    /// Signs in as a program does.
    pub(crate) async fn try_sign_in(&self, login: &str) -> Answer {
        let body = json!({ "login": login, "password": PASSWORD, "client": "native" });
        self.post("/.doorward/api/sign-in", None, &body).await
    }

    pub(crate) async fn sign_in(&self, login: &str) -> Tokens {
        let answer = self.try_sign_in(login).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        Tokens::of(&answer)
    }

    /// Signs USER in until another key signs than for `before`, which takes some seconds.
    pub(crate) async fn signed_anew(&self, before: &Tokens) -> Tokens {
        let head = |tokens: &Tokens| tokens.access.split('.').next().map(str::to_owned);
        let signed = async {
            loop {
                let after = self.sign_in(USER).await;
                if head(&after) != head(before) {
                    return after;
                }
            }
        };
        let signed = tokio::time::timeout(Duration::from_mins(1), signed).await;
        signed.expect("the new key signs")
    }

    pub(crate) async fn refresh(&self, token: &str) -> Answer {
        let body = json!({ "refresh_token": token });
        self.post("/.doorward/api/refresh", None, &body).await
    }

    /// The status of `path` with this token, asked again until it is `wanted`.
    pub(crate) async fn until(&self, wanted: StatusCode, (path, token): (&str, Option<&str>)) {
        let mut interval = tokio::time::interval(Duration::from_millis(50));
        for _ in 0..400 {
            interval.tick().await;
            if self.get(path, token).await.status == wanted {
                return;
            }
        }
        panic!("{path} never was {wanted}");
    }
}

/// The tokens of a native client.
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Tokens {
    pub(crate) fn of(answer: &Answer) -> Self {
        let body = answer.json();
        Self {
            access: body["access_token"].as_str().unwrap().to_owned(),
            refresh: body["refresh_token"].as_str().unwrap().to_owned(),
        }
    }
}

/// An answer, whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    async fn read(response: Response<hyper::body::Incoming>) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Self {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

fn configuration(sample: &Sample, setup: &Setup) -> String {
    let (port, service) = (free_port(), sample.url());
    let service = service.as_str().trim_end_matches('/');
    let server = &setup.server;
    let mut text = format!(
        r#"
[server]
listen = ["127.0.0.1:{port}"]
public_url = "https://localhost:{port}"
{server}

[[tls.certificates]]
cert = "gateway.crt"
key = "gateway.key"

[state]
directory = "state"

[ops]
listen = "127.0.0.1:0"

[log]
access = {{ file = "access.log" }}
audit = {{ file = "audit.log" }}

[[upstreams]]
name = "sample"
servers = ["{service}"]

[[routes]]
path = "/public/**"
require = "public"
upstream = "sample"

[[routes]]
path = "/admin/**"
require = "admin"
upstream = "sample"

[[routes]]
path = "/**"
require = "signed-in"
upstream = "sample"
"#
    );
    write!(text, "[sessions]\n{}\n{}", setup.sessions, setup.more).unwrap();
    text
}

/// A port that nobody has right now. The gateway must know it before it starts: a browser's `Origin`
/// is compared with `public_url`.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn add_user(directory: &TempDir, email: &str, more: &[&str]) {
    let (name, _) = email.split_once('@').unwrap();
    let mut arguments = vec!["user", "add", email, "--username", name, "--verified"];
    arguments.extend(more);
    let output = command(directory, &arguments, &format!("{PASSWORD}\n"));
    assert!(output.status.success(), "{output:?}");
}

/// Runs the binary to its end.
pub(crate) fn command(directory: &TempDir, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_doorward"))
        .args(arguments)
        .arg("--config")
        .arg(directory.path().join("gateway.toml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

const GATEWAY: &str = "gateway";

/// The file of what a gateway says on standard error.
fn said_in(name: &str) -> String {
    match name {
        GATEWAY => "stderr.log".to_owned(),
        name => format!("{name}-stderr.log"),
    }
}

/// Starts the gateway and reads where it listens: HTTPS first, then health.
async fn serve((directory, name): (&TempDir, &str)) -> (Child, Vec<SocketAddr>) {
    let said_in = directory.path().join(said_in(name));
    let mut process = tokio::process::Command::new(env!("CARGO_BIN_EXE_doorward"))
        .arg("serve")
        .arg("--config")
        .arg(directory.path().join(format!("{name}.toml")))
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(&said_in).unwrap())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut addresses = Vec::new();
    while addresses.len() < 2 {
        let Some(line) = lines.next_line().await.unwrap() else {
            let said = std::fs::read_to_string(&said_in).unwrap();
            panic!("the gateway did not start: {said}");
        };
        let (_, address) = line.rsplit_once("//").unwrap();
        addresses.push(address.parse().unwrap());
    }
    (process, addresses)
}

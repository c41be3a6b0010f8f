//! `./dev demo` as whoever tries it has it: from what it prints to what it leaves behind.

use std::net::TcpListener;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Cargo may have something to build first.
const PATIENCE: Duration = Duration::from_mins(5);

/// Shows the status of each answer, but leaves alone the lines that read a token out of one.
const CURL: &str = r#"
    curl() {
      if [ "$1" = -sk ]; then command curl "$@"; else command curl -s -o /dev/null -w '%{http_code}\n' "$@"; fi
    }
"#;

struct Demo {
    process: Child,
    /// Where it keeps what it needs for a while.
    temporary: TempDir,
    to_try: String,
    url: String,
}

impl Demo {
    async fn start() -> Self {
        let temporary = TempDir::new().unwrap();
        let mut process = Command::new("env")
            // Whoever runs the tests in the background may have SIGINT ignored, and so for all of us.
            .args(["--default-signal=INT", "./dev", "demo"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("DEMO_PROFILE", "dev")
            .env("TMPDIR", temporary.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // As a terminal does, so that Ctrl-C reaches all of it and none of us.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.as_mut().unwrap()).lines();
        let mut printed = Vec::new();
        loop {
            let line = timeout(PATIENCE, lines.next_line()).await;
            let line = line.expect("the demo goes on").unwrap();
            let line = line.unwrap_or_else(|| panic!("the demo ended: {printed:#?}"));
            if line.starts_with("Ctrl-C ends it") {
                break;
            }
            printed.push(line);
        }
        let at = |word: &str| printed.iter().position(|line| line.contains(word)).unwrap();
        let to_try = printed[at("To try") + 1..].join("\n");
        let (_, url) = printed[at("  URL ")].split_once("URL").unwrap();
        Self {
            url: url.trim().to_owned(),
            process,
            temporary,
            to_try,
        }
    }

    /// Each line that it shows, as it stands: the statuses of the answers.
    async fn tried(&self) -> Vec<String> {
        let script = format!("{CURL}{}", self.to_try);
        let run = Command::new("bash").arg("-c").arg(script).output();
        let run = run.await.unwrap();
        let statuses = String::from_utf8(run.stdout).unwrap();
        statuses.lines().map(str::to_owned).collect()
    }

    /// Presses Ctrl-C; how it ended, and its last words.
    async fn interrupt(&mut self) -> (ExitStatus, String) {
        let group = format!("-{}", self.process.id().unwrap());
        let sent = Command::new("kill").args(["-INT", "--", &group]).status();
        assert!(sent.await.unwrap().success());
        let ended = timeout(PATIENCE, self.process.wait()).await;
        let ended = ended.expect("Ctrl-C ends it").unwrap();
        let mut last_words = String::new();
        let errors = self.process.stderr.as_mut().unwrap();
        errors.read_to_string(&mut last_words).await.unwrap();
        (ended, last_words)
    }
}

/// What a test that fails leaves behind would hold its ports.
impl Drop for Demo {
    fn drop(&mut self) {
        if let Some(group) = self.process.id() {
            let end = ["-TERM", "--", &format!("-{group}")];
            let _gone_or_ended = std::process::Command::new("kill").args(end).status();
        }
    }
}

#[tokio::test]
async fn the_demo_runs_beside_another_shows_what_is_true_and_leaves_nothing_behind() {
    // Whether this gets the ports or somebody has them: they are taken.
    let taken = [8443, 9090].map(|port| TcpListener::bind(("127.0.0.1", port)));
    let mut first = Demo::start().await;
    let mut second = Demo::start().await;
    drop(taken);
    assert_ne!(first.url, second.url);
    for demo in [&mut first, &mut second] {
        let expected = ["200", "401", "200", "403", "200", "204", "401", "200"];
        assert_eq!(demo.tried().await, expected);
        let (ended, last_words) = demo.interrupt().await;
        assert_eq!(ended.code(), Some(130), "{last_words}");
        assert!(!last_words.contains("dev:"), "{last_words}");
        let left = std::fs::read_dir(demo.temporary.path()).unwrap().count();
        assert_eq!(left, 0);
        let authority = demo.url.trim_start_matches("https://");
        std::net::TcpStream::connect(authority).expect_err("nobody listens any more");
    }
}

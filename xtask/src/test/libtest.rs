//! Running a test binary and reading what its harness says.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::report::Outcome;
use crate::process::shown;

/// How long one test binary may take. Beyond that something hangs.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// One test as its harness told it.
#[derive(Debug, PartialEq)]
pub(super) struct Told {
    pub(super) name: String,
    pub(super) outcome: Outcome,
    pub(super) seconds: Option<f64>,
    pub(super) said: Option<String>,
}

/// How a harness speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Speech {
    /// One JSON object per line, with a time for each test.
    Events,
    /// `test NAME ... ok`, one test after the other.
    Lines,
}

/// Asks a native test binary for events.
///
/// They are behind an option that is called unstable, which `RUSTC_BOOTSTRAP` unlocks in the
/// harness alone: nothing is compiled under it. Lines carry no times, and what a child process
/// prints tears them apart.
pub(super) fn ask_for_events(command: &mut Command) -> &mut Command {
    command
        .args(["-Zunstable-options", "--format=json", "--report-time"])
        .env("RUSTC_BOOTSTRAP", "1")
}

/// Runs a test binary to its end; `told` hears of each test as it ends.
///
/// # Errors
/// When it cannot be started, hangs, or ends badly although no test failed.
pub(super) fn run(command: &mut Command, speech: Speech, mut told: impl FnMut(Told)) -> Result<()> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    let stdout = child.stdout.take().context("no standard output")?;
    let (send, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
            if send.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });
    let deadline = Instant::now() + LIMIT;
    let mut reader = Reader::new(speech);
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => reader.read(&line).into_iter().for_each(&mut told),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                child.kill()?;
                child.wait()?;
                reader.unfinished().for_each(told);
                bail!("{} did not end within {} minutes", shown(command), LIMIT.as_secs() / 60);
            }
        }
    }
    let status = child.wait()?;
    let has_failed = reader.has_failed;
    reader.unfinished().for_each(told);
    judge(status, has_failed).with_context(|| format!("{} ended badly", shown(command)))
}

/// A bad end is explained by a failed test, or it is a failure of its own.
fn judge(status: ExitStatus, has_failed: bool) -> Result<()> {
    if status.success() || has_failed {
        return Ok(());
    }
    bail!("{status}, although no test failed")
}

/// Reads what a harness prints.
struct Reader {
    speech: Speech,
    /// Tests that have begun and not ended.
    open: BTreeSet<String>,
    has_failed: bool,
    /// When the last test ended: with lines, the next one began then.
    last: Instant,
}

impl Reader {
    fn new(speech: Speech) -> Self {
        Self { speech, open: BTreeSet::new(), has_failed: false, last: Instant::now() }
    }

    fn read(&mut self, line: &str) -> Option<Told> {
        let told = match self.speech {
            Speech::Events => self.event(line),
            Speech::Lines => self.line(line),
        };
        self.has_failed |= told.as_ref().is_some_and(|told| told.outcome == Outcome::Failed);
        told
    }

    fn event(&mut self, line: &str) -> Option<Told> {
        let event = match serde_json::from_str::<Event>(line) {
            Ok(event) if event.r#type == "test" => event,
            Ok(_) => return None,
            Err(_) => {
                // A child process or the test itself, past the harness.
                eprintln!("{line}");
                return None;
            }
        };
        let outcome = match event.event.as_str() {
            "ok" => Outcome::Passed,
            "failed" => Outcome::Failed,
            "ignored" => Outcome::Ignored,
            "started" => {
                self.open.insert(event.name);
                return None;
            }
            // "timeout" says that a test is slow, not that it has ended.
            _ => return None,
        };
        self.open.remove(&event.name);
        Some(Told { name: event.name, outcome, seconds: event.exec_time, said: event.stdout })
    }

    fn line(&mut self, line: &str) -> Option<Told> {
        let Some((name, outcome)) = ended(line) else {
            eprintln!("{line}");
            if line.starts_with("running ") {
                // What came before is the compiler's or the browser's time.
                self.last = Instant::now();
            }
            return None;
        };
        let now = Instant::now();
        let seconds = now.duration_since(self.last).as_secs_f64();
        self.last = now;
        let seconds = (outcome != Outcome::Ignored).then_some(seconds);
        Some(Told { name: name.to_owned(), outcome, seconds, said: None })
    }

    /// Tests that began and never ended: the process died under them.
    fn unfinished(self) -> impl Iterator<Item = Told> {
        self.open.into_iter().map(|name| Told {
            name,
            outcome: Outcome::Failed,
            seconds: None,
            said: Some("the test process ended before this test did".to_owned()),
        })
    }
}

/// The name and outcome of a line such as `test a::b - should panic ... ok`.
fn ended(line: &str) -> Option<(&str, Outcome)> {
    let (name, outcome) = line.trim_end().strip_prefix("test ")?.rsplit_once(" ... ")?;
    let outcome = match outcome.split([' ', ',']).next()? {
        "ok" => Outcome::Passed,
        "FAILED" | "FAIL" => Outcome::Failed,
        "ignored" | "ignore" => Outcome::Ignored,
        _ => return None,
    };
    Some((name, outcome))
}

#[derive(Deserialize)]
struct Event {
    r#type: String,
    event: String,
    #[serde(default)]
    name: String,
    exec_time: Option<f64>,
    stdout: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(speech: Speech, output: &str) -> (Vec<Told>, Vec<Told>) {
        let mut reader = Reader::new(speech);
        let told = output.lines().filter_map(|line| reader.read(line)).collect();
        (told, reader.unfinished().collect())
    }

    #[test]
    fn reads_events_with_times_and_output() {
        let (told, open) = all(
            Speech::Events,
            r#"{ "type": "suite", "event": "started", "test_count": 3 }
{ "type": "test", "event": "started", "name": "a::one" }
{ "type": "test", "name": "a::one", "event": "ok", "exec_time": 0.25 }
{ "type": "test", "event": "started", "name": "two" }
{ "type": "test", "name": "two", "event": "failed", "exec_time": 1.5, "stdout": "why\n" }
{ "type": "test", "name": "three", "event": "ignored" }
{ "type": "suite", "event": "failed", "passed": 1, "failed": 1, "ignored": 1 }"#,
        );
        let told: Vec<_> = told
            .iter()
            .map(|t| (t.name.as_str(), t.outcome, t.seconds, t.said.as_deref()))
            .collect();
        assert_eq!(
            told,
            [
                ("a::one", Outcome::Passed, Some(0.25), None),
                ("two", Outcome::Failed, Some(1.5), Some("why\n")),
                ("three", Outcome::Ignored, None, None),
            ]
        );
        assert!(open.is_empty());
    }

    #[test]
    fn a_test_that_never_ended_has_failed() {
        let (told, open) =
            all(Speech::Events, r#"{ "type": "test", "event": "started", "name": "aborts" }"#);
        assert!(told.is_empty());
        assert_eq!(open.len(), 1);
        assert_eq!((open[0].name.as_str(), open[0].outcome), ("aborts", Outcome::Failed));
    }

    #[test]
    fn a_slow_test_has_not_ended() {
        let (told, open) = all(
            Speech::Events,
            r#"{ "type": "test", "event": "started", "name": "slow" }
{ "type": "test", "event": "timeout", "name": "slow" }"#,
        );
        assert!(told.is_empty());
        assert_eq!(open.len(), 1);
    }

    #[test]
    fn passes_over_what_a_child_prints_between_events() {
        let (told, _) = all(
            Speech::Events,
            "ready issuer=http://idp.localhost:1\n\
             { \"type\": \"test\", \"name\": \"one\", \"event\": \"ok\", \"exec_time\": 0.1 }",
        );
        assert_eq!(told.len(), 1);
    }

    #[test]
    fn reads_lines() {
        let output = "running 4 tests\n\
            test src/lib.rs - Client (line 12) ... ok\n\
            test b::c - should panic ... FAILED\n\
            test effects::fetch ... FAIL\n\
            test d ... ignored, needs a browser\n\
            test result: FAILED. 1 passed; 2 failed; 1 ignored";
        let (told, _) = all(Speech::Lines, output);
        let told: Vec<_> = told.iter().map(|t| (t.name.as_str(), t.outcome)).collect();
        assert_eq!(
            told,
            [
                ("src/lib.rs - Client (line 12)", Outcome::Passed),
                ("b::c - should panic", Outcome::Failed),
                ("effects::fetch", Outcome::Failed),
                ("d", Outcome::Ignored),
            ]
        );
    }

    #[test]
    fn takes_no_other_line_for_a_test() {
        for line in ["test result: ok. 3 passed", "test x ... ", "testing ... ok", "", "ok"] {
            assert_eq!(ended(line), None, "{line}");
        }
    }
}

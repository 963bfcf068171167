//! Programs that tests start, each ending with the test process at the latest.

use anyhow::{Context, Result, bail};
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::environment;

/// How long a program may take to say that it is ready.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// How many of its last lines are kept for a failure.
const KEPT_LINES: usize = 60;

/// A running program. Dropping it ends it.
///
/// It runs under `xtask guard`, which ends it when its standard input ends. So even a killed test
/// process leaves nothing behind.
#[derive(Debug)]
pub struct Program {
    name: String,
    guard: Child,
    said: Arc<Mutex<VecDeque<String>>>,
}

impl Program {
    /// Starts a program and waits until a line of its standard output is `ready`.
    ///
    /// # Errors
    /// When it cannot be started, ends, or is not ready in time; its last words are in the error.
    pub fn start<T>(
        name: &str,
        words: impl IntoIterator<Item = impl AsRef<OsStr>>,
        ready: impl Fn(&str) -> Option<T>,
    ) -> Result<(Self, T)> {
        Self::start_in(name, words, &[], ready)
    }

    /// The same, with names and values of its own in its environment.
    ///
    /// # Errors
    /// As [`Program::start`].
    pub fn start_in<T>(
        name: &str,
        words: impl IntoIterator<Item = impl AsRef<OsStr>>,
        surroundings: &[(&str, OsString)],
        ready: impl Fn(&str) -> Option<T>,
    ) -> Result<(Self, T)> {
        let (program, lines) = Self::spawn(name, &["guard", "--"], words, surroundings)?;
        program.wait_ready(&lines, ready)
    }

    /// The same, for a program that starts others, which end with it, however it ends.
    ///
    /// # Errors
    /// As [`Program::start`].
    pub fn start_group<T>(
        name: &str,
        words: impl IntoIterator<Item = impl AsRef<OsStr>>,
        surroundings: &[(&str, OsString)],
        ready: impl Fn(&str) -> Option<T>,
    ) -> Result<(Self, T)> {
        let (program, lines) = Self::spawn(name, &["guard", "--group", "--"], words, surroundings)?;
        program.wait_ready(&lines, ready)
    }

    /// The same, for one that does not say when it is ready.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_silent_group(
        name: &str,
        words: impl IntoIterator<Item = impl AsRef<OsStr>>,
        surroundings: &[(&str, OsString)],
    ) -> Result<Self> {
        Ok(Self::spawn(name, &["guard", "--group", "--"], words, surroundings)?.0)
    }

    /// Starts a program under the guard, and gives what it says line by line.
    fn spawn(
        name: &str,
        guard: &[&str],
        words: impl IntoIterator<Item = impl AsRef<OsStr>>,
        surroundings: &[(&str, OsString)],
    ) -> Result<(Self, mpsc::Receiver<String>)> {
        let mut command = Command::new(environment::file(environment::XTASK)?);
        command
            .args(guard)
            .args(words)
            .envs(surroundings.iter().map(|(name, value)| (name, value)));
        let mut guard = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let said = Arc::default();
        let lines = listen(guard.stdout.take(), &said);
        // Its standard error is kept for the error only.
        drop(listen(guard.stderr.take(), &said));
        Ok((Self { name: name.to_owned(), guard, said }, lines))
    }

    fn wait_ready<T>(
        self,
        lines: &mpsc::Receiver<String>,
        ready: impl Fn(&str) -> Option<T>,
    ) -> Result<(Self, T)> {
        let name = &self.name;
        loop {
            match lines.recv_timeout(READY_WITHIN) {
                Ok(line) => {
                    if let Some(found) = ready(&line) {
                        return Ok((self, found));
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    bail!("{name} is not ready after 30 seconds; it said:\n{}", self.said())
                }
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("{name} ended before it was ready; it said:\n{}", self.said())
                }
            }
        }
    }

    /// Its last lines, of both outputs.
    #[must_use]
    pub fn said(&self) -> String {
        let lines = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    /// Ends it and waits until it is gone.
    fn end(&mut self) {
        drop(self.guard.stdin.take());
        if let Err(error) = self.guard.wait() {
            eprintln!("warning: {} did not end: {error}", self.name);
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.end();
    }
}

/// Reads lines on a thread for as long as there are any, so that the pipe never fills.
fn listen(
    pipe: Option<impl Read + Send + 'static>,
    said: &Arc<Mutex<VecDeque<String>>>,
) -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel();
    let said = Arc::clone(said);
    if let Some(pipe) = pipe {
        thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                let mut kept = said.lock().unwrap_or_else(PoisonError::into_inner);
                if kept.len() == KEPT_LINES {
                    kept.pop_front();
                }
                kept.push_back(line.clone());
                drop(kept);
                // Nobody listens any more once the program is ready.
                let _ = sender.send(line);
            }
        });
    }
    lines
}

//! Node programs that take part in a journey.

use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::environment;

/// A running script of this crate that speaks in lines: one line each way.
#[derive(Debug)]
pub struct Script {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Script {
    /// Starts a script of this crate.
    ///
    /// # Errors
    /// When Node cannot be started.
    pub fn start(script: &str, words: &[&str]) -> Result<Self> {
        Self::start_by(Path::new("node"), script, words)
    }

    /// Starts a script of this crate by the Node 22 that npm's package `node` brings, for programs
    /// that want it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_by_node_22(script: &str, words: &[&str]) -> Result<Self> {
        let program = if cfg!(windows) { "node.exe" } else { "node" };
        let program = environment::crate_path("node_modules/node/bin").join(program);
        Self::start_by(&program, script, words)
    }

    fn start_by(program: &Path, script: &str, words: &[&str]) -> Result<Self> {
        let mut child = Command::new(program)
            .arg(environment::crate_path(script))
            .args(words)
            .current_dir(environment::crate_path("."))
            // Node trusts the demo's authority in no other way.
            .env("NODE_EXTRA_CA_CERTS", environment::output("demo/tls/authority.pem"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start node")?;
        let stdout = child.stdout.take().context("node has no standard output")?;
        Ok(Self { child, lines: BufReader::new(stdout) })
    }

    /// The next line that it prints.
    ///
    /// # Errors
    /// When it ends instead.
    pub fn hear(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.lines.read_line(&mut line)? == 0 {
            bail!("the script ended ({:?}) where it should have said something", self.child.wait());
        }
        Ok(line.trim_end().to_owned())
    }

    /// Passes over lines until it prints this one.
    ///
    /// # Errors
    /// When it ends instead.
    pub fn hear_until(&mut self, wanted: &str) -> Result<()> {
        while self.hear()? != wanted {}
        Ok(())
    }

    /// Gives it a line.
    ///
    /// # Errors
    /// When it does not listen any more.
    pub fn tell(&mut self, line: &str) -> Result<()> {
        let mut stdin = self.child.stdin.as_ref().context("node has no standard input")?;
        Ok(writeln!(stdin, "{line}")?)
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

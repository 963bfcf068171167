//! The program under test, started and ended.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "what fails here is a failed test")]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Output, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_idp-dev");

/// A running provider, ended with the test.
pub struct Running {
    child: Child,
    pub ready: String,
}

impl Running {
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_by(Command::new(PROGRAM).args(arguments))
    }

    /// The same with so many open files at most.
    #[cfg(unix)]
    pub fn start_with_files(most: u32, arguments: &[&str]) -> Self {
        Self::start_by(with_files(most).args(arguments))
    }

    fn start_by(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
        Self { child, ready: ready.trim().to_owned() }
    }

    pub fn field(&self, name: &str) -> String {
        let field = self.ready.split(' ').find_map(|field| field.strip_prefix(name));
        field.unwrap_or_else(|| panic!("no {name} in {}", self.ready)).to_owned()
    }

    /// Its number among the machine's processes.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn stop(mut self) -> String {
        self.child.kill().unwrap();
        let mut errors = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        errors
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _is_gone = self.child.kill();
        let _status = self.child.wait();
    }
}

/// The program, which its system gives so many open files at most.
#[cfg(unix)]
pub fn with_files(most: u32) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n {most} && exec \"$@\""), "sh", PROGRAM]);
    command
}

pub fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).output().unwrap()
}

pub fn file(name: &str, text: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

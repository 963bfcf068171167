//! A child that never outlives its parent.
//!
//! The demo starts the provider. When the demo is killed rather than asked to stop, nobody is left
//! to stop the provider, and its port stays taken. So the demo starts this guard instead and keeps
//! the other end of its standard input: when that ends, for whatever reason, the guard ends the
//! program. It works the same on every system and needs no `unsafe` (a parent-death signal exists
//! on Linux only and is set between fork and exec).

use anyhow::{Context, Result};
use clap::Args;
use std::io::Read;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// What to run.
#[derive(Args)]
pub(crate) struct Options {
    /// End what the program has started too: a browser's driver may be gone before its browser.
    #[arg(long)]
    group: bool,
    /// The program and its arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    command: Vec<String>,
}

/// Runs the program until it ends or standard input does.
pub(crate) fn run(options: Options) -> Result<ExitCode> {
    let Some((program, arguments)) = options.command.split_first() else {
        anyhow::bail!("guard needs a program to run");
    };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    #[cfg(unix)]
    if options.group {
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
    }
    let child = command.spawn().with_context(|| format!("cannot start {program}"))?;
    let (parent_gone, is_parent_gone) = mpsc::channel();
    thread::spawn(move || {
        // Nothing is ever written there: the read returns when the parent is gone.
        let _ = std::io::stdin().read(&mut [0]);
        let _ = parent_gone.send(());
    });
    watch(child, options.group, &is_parent_gone)
}

fn watch(
    mut child: Child,
    is_group: bool,
    is_parent_gone: &mpsc::Receiver<()>,
) -> Result<ExitCode> {
    loop {
        if let Some(status) = child.try_wait()? {
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            return Ok(code.map_or(ExitCode::FAILURE, ExitCode::from));
        }
        match is_parent_gone.recv_timeout(Duration::from_millis(100)) {
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            _ => {
                end_group(&child, is_group)?;
                child.kill()?;
                child.wait()?;
                return Ok(ExitCode::SUCCESS);
            }
        }
    }
}

/// Ends all processes of the program's group, where systems have groups.
fn end_group(child: &Child, is_group: bool) -> Result<()> {
    if is_group && cfg!(unix) {
        // By the system's own tool: calling it directly would need `unsafe`. It fails when nobody
        // of the group is left, which is as good.
        Command::new("kill")
            .args(["-KILL", "--", &format!("-{}", child.id())])
            .stderr(Stdio::null())
            .status()
            .context("cannot start kill")?;
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn code(code: u8) -> String {
        format!("{:?}", ExitCode::from(code))
    }

    #[test]
    fn ends_the_program_when_the_parent_is_gone() {
        let child = Command::new("sleep").arg("600").spawn().unwrap();
        let (parent_gone, is_parent_gone) = mpsc::channel();
        drop(parent_gone);
        // Returns only after the program has ended.
        assert_eq!(format!("{:?}", watch(child, false, &is_parent_gone).unwrap()), code(0));
    }

    #[test]
    fn ends_what_the_program_has_started() {
        use std::io::{BufRead, BufReader};
        use std::os::unix::process::CommandExt;
        // The grandchild keeps the pipe open for as long as it lives.
        let script = "sleep 600 & echo started; wait";
        let mut child = Command::new("sh")
            .args(["-c", script])
            .process_group(0)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let (parent_gone, is_parent_gone) = mpsc::channel();
        drop(parent_gone);
        watch(child, true, &is_parent_gone).unwrap();
        // Ends only when both have ended.
        assert_eq!(said.read_line(&mut line).unwrap(), 0);
    }

    #[test]
    fn passes_the_programs_exit_code_on() {
        let child = Command::new("sh").args(["-c", "exit 3"]).spawn().unwrap();
        let (_parent, is_parent_gone) = mpsc::channel();
        assert_eq!(format!("{:?}", watch(child, false, &is_parent_gone).unwrap()), code(3));
    }
}

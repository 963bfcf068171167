//! A program of the demo: a child process that ends with this one.

use anyhow::{Context, Result, bail};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{ChildStdin, Command};

/// How long a program may take to say that it is ready.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// The flag of that name in Windows' CreateProcess.
#[cfg(windows)]
const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;

/// A running program.
pub(super) struct Child {
    guard: tokio::process::Child,
    /// While it is open, the guard lets the program run. Apart from the child, whose `wait` would
    /// close it.
    leash: Option<ChildStdin>,
}

impl Child {
    /// Starts a program under the guard, once `words` has named it and its arguments, and waits for
    /// the line of its standard output that `ready` knows.
    ///
    /// # Errors
    /// When it does not start, or is not ready in time.
    pub(super) async fn start<T>(
        name: &'static str,
        words: impl FnOnce(&mut Command),
        ready: impl Fn(&str) -> Option<T>,
    ) -> Result<(Self, T)> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["guard", "--"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        words(&mut command);
        // Ctrl-C is for this program, which then stops the other: hearing it too, the other would
        // end first and look as if it had failed.
        #[cfg(unix)]
        command.process_group(0);
        #[cfg(windows)]
        command.creation_flags(CREATE_NEW_PROCESS_GROUP);
        let mut guard = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let leash = guard.stdin.take();
        let stdout =
            guard.stdout.take().with_context(|| format!("{name} has no standard output"))?;
        let mut lines = BufReader::new(stdout).lines();
        let said = async {
            while let Some(line) = lines.next_line().await? {
                // Its line is for this program; ours is the only one on standard output.
                eprintln!("{name}: {line}");
                if let Some(said) = ready(&line) {
                    return Ok(said);
                }
            }
            bail!("{name} ended before it was ready; what it said is above")
        };
        let said = tokio::time::timeout(READY_WITHIN, said)
            .await
            .with_context(|| format!("{name} is not ready after 30 seconds"))??;
        // Whatever it prints later must not fill the pipe.
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                eprintln!("{name}: {line}");
            }
        });
        Ok((Self { guard, leash }, said))
    }

    /// Done when it has ended by itself.
    pub(super) async fn ended(&mut self) -> Result<ExitStatus> {
        Ok(self.guard.wait().await?)
    }

    /// Ends it and waits until its ports are free.
    pub(super) async fn stop(mut self) -> Result<()> {
        drop(self.leash.take());
        self.guard.wait().await?;
        Ok(())
    }
}

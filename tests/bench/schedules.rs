//! Schedules of the simulated world in a second.

use anyhow::{Result, ensure};
use gatepass_tests::environment;
use std::process::Stdio;
use std::time::Instant;
use tokio::process::Command;

use crate::arguments::Size;
use crate::rows::{Row, progress};

/// Plays as many as a change's tests do, again and again: other ones each time.
///
/// # Errors
/// When one breaks a rule.
pub(crate) async fn measure(size: Size) -> Result<Vec<Row>> {
    let seeds: u32 = if size == Size::Full { 5_000 } else { 500 };
    let program = environment::file("GATEPASS_SIMULATOR")?;
    let mut rates = Vec::new();
    for round in 0..size.of(5, 1) {
        progress(&format!("schedules, round {}", round + 1));
        let from = (round as u64) * u64::from(seeds);
        let began = Instant::now();
        let status = Command::new(&program)
            .args(["--from", &from.to_string(), "--seeds", &seeds.to_string()])
            .stdout(Stdio::null())
            .status()
            .await?;
        ensure!(status.success(), "a schedule from {from} on breaks a rule");
        rates.push(f64::from(seeds) / began.elapsed().as_secs_f64());
    }
    Ok(vec![Row::new("schedules", "simulator").with("schedules", "/s", &rates)?])
}

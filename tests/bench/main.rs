//! The program behind `cargo xtask bench`: it measures one part and prints its rows as JSON.
//!
//! Ours and the peers are measured in one run, in turn, so that whatever else the machine does
//! meets all of them. Nothing here is a test: it fails when something does not work, never because
//! something is slow.

mod arguments;
mod browsing;
mod callback;
mod connection;
mod distance;
mod load;
mod login;
mod logout;
mod pages;
mod reload;
mod rows;
mod schedules;
mod server;
mod spread;
mod start;
mod streams;
mod tabs;
mod verify;
mod worlds;

use anyhow::{Context, Result};
use std::process::ExitCode;

use arguments::{Arguments, Part};

fn main() -> ExitCode {
    let outcome = Arguments::of_this_run().and_then(run);
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    // Servers that are started inherit it: each open stream takes a handle on both sides.
    rlimit::increase_nofile_limit(OPEN_FILES).context("cannot ask for more file handles")?;
    let rows = tokio::runtime::Runtime::new()?.block_on(async {
        match arguments.part {
            Part::Logout => logout::measure(arguments.size).await,
            Part::Worlds => worlds::measure(arguments.size).await,
            Part::Tabs => tabs::measure(arguments.size).await,
            Part::Callback => callback::measure(arguments.size).await,
            Part::Reload => reload::measure(arguments.size).await,
            Part::Start => start::measure(arguments.size).await,
            Part::Load => load::measure(arguments.size).await,
            Part::Streams => streams::measure(arguments.size).await,
            Part::Verify => verify::measure(arguments.size).await,
            Part::Schedules => schedules::measure(arguments.size).await,
        }
    })?;
    println!("{}", serde_json::to_string(&rows)?);
    Ok(())
}

const OPEN_FILES: u64 = 16_384;

//! Where and when figures were made.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::process::Command;
use std::time::SystemTime;

use crate::needs;
use crate::process::read;

/// The machine that figures were made on, as far as it tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) system: String,
    pub(crate) processor: String,
    /// How many of them.
    pub(crate) processors: usize,
    pub(crate) node: String,
    pub(crate) browser: String,
}

impl Machine {
    /// This one.
    pub(super) fn here() -> Self {
        Self {
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            processor: processor(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            node: told(Command::new("node").arg("--version")),
            browser: browser(),
        }
    }
}

/// The first word about a processor that this system has.
fn processor() -> String {
    let linux = fs::read_to_string("/proc/cpuinfo").ok().as_deref().and_then(model);
    let mac = || told(Command::new("sysctl").args(["-n", "machdep.cpu.brand_string"]));
    linux.unwrap_or_else(mac)
}

/// The model of Linux' list of processors.
fn model(list: &str) -> Option<String> {
    let line = list.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn browser() -> String {
    match needs::browser() {
        Ok(browser) => told(Command::new(browser.chromium).arg("--version")),
        Err(_) => UNKNOWN.to_owned(),
    }
}

/// What a program prints, if there is such a program.
fn told(command: &mut Command) -> String {
    match read(command) {
        Ok(said) if !said.trim().is_empty() => said.trim().to_owned(),
        _ => UNKNOWN.to_owned(),
    }
}

/// The day, in the world's time.
///
/// # Errors
/// When the machine's clock stands before 1970.
pub(super) fn today() -> Result<String> {
    let now = SystemTime::now();
    now.duration_since(SystemTime::UNIX_EPOCH).context("the clock stands before 1970")?;
    let text = httpdate::fmt_http_date(now);
    iso_day(&text).with_context(|| format!("{text} is no date"))
}

/// `2026-11-21` of `Sat, 21 Nov 2026 08:00:00 GMT`.
fn iso_day(date: &str) -> Option<String> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = date.split(' ').skip(1);
    let (day, month, year) = (words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    Some(format!("{year}-{month:02}-{day}"))
}

const UNKNOWN: &str = "unknown";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_a_day_so_that_it_sorts() {
        assert_eq!(iso_day("Sat, 21 Nov 2026 08:00:00 GMT").as_deref(), Some("2026-11-21"));
        assert_eq!(iso_day("Thu, 01 Jan 1970 00:00:00 GMT").as_deref(), Some("1970-01-01"));
        assert_eq!(iso_day("yesterday"), None);
    }

    #[test]
    fn reads_the_model_of_a_processor() {
        let list = "processor\t: 0\nmodel name\t: A Chip @ 3GHz\nmodel name\t: B\n";
        assert_eq!(model(list).as_deref(), Some("A Chip @ 3GHz"));
        assert_eq!(model("processor : 0\n"), None);
    }
}

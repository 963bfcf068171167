//! `cargo xtask size`: what the npm client weighs when an app bundles it, beside other clients.

mod why;

use anyhow::{Context, Result};
use clap::Args;
use serde::{Deserialize, Serialize};
use std::process::{Command, ExitCode};

use crate::process::{progress, read};
use crate::{needs, npm, workspace};
use why::Why;

/// The client whose weight is the aim: ours is to be below it in the same run.
const TO_BEAT: &str = "oidc-spa";

/// How to print.
#[derive(Args)]
pub(crate) struct Options {
    /// Print the report for machines instead of the table.
    #[arg(long)]
    json: bool,
    /// Say what the wasm consists of, by crate and by function.
    #[arg(long)]
    why: bool,
}

/// One client's weight, in bytes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    /// The package; ours is `gatepass`.
    pub(crate) name: String,
    /// The version of a peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    pub(crate) raw: u64,
    pub(crate) gzip: u64,
    pub(crate) brotli: u64,
    /// What it may ask for later, brotli.
    pub(crate) later: u64,
}

/// One part of our client, weighed alone.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Part {
    name: String,
    raw: u64,
    gzip: u64,
    brotli: u64,
}

/// What the script measured; written to `target/report/size.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Weights {
    pub(crate) rows: Vec<Row>,
    parts: Vec<Part>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<Why>,
}

/// Packs, bundles and weighs.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let mut weights = weigh()?;
    if options.why {
        weights.why = Some(why::look(&npm::named_module()?)?);
    }
    let json = serde_json::to_string_pretty(&weights)?;
    workspace::report("size.json", &json)?;
    if options.json {
        println!("{json}");
    } else {
        print!("{}", table(&weights));
        if let Some(why) = &weights.why {
            print!("{}", why::table(why));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Weighs our client as npm installs it, and the peers.
///
/// # Errors
/// When one cannot be installed or bundled.
pub(crate) fn weigh() -> Result<Weights> {
    let app = npm::installed()?;
    needs::npm_packages_of("tests/bench")?;
    progress("Bundling the clients");
    let told = read(Command::new("node").arg(workspace::path("xtask/scripts/size.mjs")).args([
        workspace::path("tests/bench/clients"),
        app,
        workspace::output("npm/bundles"),
    ]))?;
    serde_json::from_str(&told).context("size.mjs printed no report")
}

/// The rows for people, in kB of 1000 bytes.
fn table(weights: &Weights) -> String {
    let names =
        weights.rows.iter().map(label).chain(weights.parts.iter().map(|it| it.name.clone()));
    let width = names.map(|name| name.len()).max().unwrap_or(0);
    let head = |title: &str| {
        format!("{title:width$} {:>8} {:>8} {:>8} {:>8}", "raw", "gzip", "brotli", "later")
    };
    let line = |name: &str, bytes: [u64; 3]| {
        let [raw, gzip, brotli] = bytes.map(kilo);
        format!("{name:width$} {raw:>8} {gzip:>8} {brotli:>8}")
    };
    let mut out = format!("{}  kB\n", head(""));
    for row in &weights.rows {
        let whole = line(&label(row), [row.raw, row.gzip, row.brotli]);
        out.push_str(&format!("{whole} {:>8}\n", kilo(row.later)));
    }
    out.push_str(
        "\nOurs by its parts, each compressed alone (they add up to more than the whole)\n",
    );
    for part in &weights.parts {
        out.push_str(&line(&part.name, [part.raw, part.gzip, part.brotli]));
        out.push('\n');
    }
    out.push('\n');
    out.push_str(&verdict(&weights.rows));
    out.push('\n');
    out.push_str(NOTES);
    out
}

const NOTES: &str = "\
gatepass fetches its wasm beside the script, gatepass/inline has it inside. \"later\" is what a client
asks for on demand, brotli. Angular and rxjs are not counted: an Angular app has them anyway.
";

fn label(row: &Row) -> String {
    match &row.version {
        Some(version) => format!("{} {version}", row.name),
        None => row.name.clone(),
    }
}

/// Whether the aim is met in this run.
fn verdict(rows: &[Row]) -> String {
    let brotli = |name: &str| rows.iter().find(|row| row.name == name).map(|row| row.brotli);
    match (brotli("gatepass"), brotli(TO_BEAT)) {
        (Some(ours), Some(theirs)) => {
            let place = if ours < theirs { "below" } else { "not below" };
            let (ours, theirs) = (kilo(ours), kilo(theirs));
            format!("gatepass, {ours} kB brotli, is {place} {TO_BEAT}, {theirs} kB.")
        }
        _ => format!("There is nothing to compare with {TO_BEAT}."),
    }
}

/// Bytes in kB of 1000.
pub(crate) fn kilo(bytes: u64) -> String {
    format!("{}.{:02}", bytes / 1000, bytes % 1000 / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, version: Option<&str>, brotli: u64) -> Row {
        let (name, version) = (name.to_owned(), version.map(str::to_owned));
        Row { name, version, raw: 61_234, gzip: 9, brotli, later: 2_000 }
    }

    #[test]
    fn prints_kilobytes_and_versions() {
        let weights = Weights {
            rows: vec![row("gatepass", None, 28_000), row("oidc-spa", Some("1.2.3"), 28_001)],
            parts: vec![Part { name: "wasm".to_owned(), raw: 5, gzip: 4, brotli: 1_050 }],
            why: None,
        };
        let text = table(&weights);
        assert!(text.contains("gatepass          61.23     0.00    28.00     2.00\n"), "{text}");
        assert!(text.contains("oidc-spa 1.2.3    61.23     0.00    28.00     2.00\n"), "{text}");
        assert!(text.contains("wasm               0.00     0.00     1.05\n"), "{text}");
    }

    #[test]
    fn compares_with_the_peer_of_the_same_run() {
        let verdict = |ours| verdict(&[row("gatepass", None, ours), row("oidc-spa", None, 9)]);
        assert!(verdict(8).contains("is below oidc-spa"));
        assert!(verdict(9).contains("is not below oidc-spa"));
    }
}

//! `cargo xtask size`: what the npm client weighs when an app bundles it.

use anyhow::{Context, Result};
use clap::Args;
use serde::{Deserialize, Serialize};
use std::fs;
use std::process::{Command, ExitCode};

use crate::process::{npm, progress, read, run as run_command};
use crate::{npm as package, workspace};

/// The most that the whole may weigh, brotli, in bytes.
const AIM: u64 = 28_000;

/// How to print.
#[derive(Args)]
pub(crate) struct Options {
    /// Print the report for machines instead of the table.
    #[arg(long)]
    json: bool,
}

/// One part's weight, in bytes.
#[derive(Debug, Serialize, Deserialize)]
struct Row {
    name: String,
    raw: u64,
    gzip: u64,
    brotli: u64,
}

/// What the script measured; written to `target/report/size.json` as it is.
#[derive(Debug, Serialize, Deserialize)]
struct Weights {
    rows: Vec<Row>,
}

/// Packs, bundles and weighs.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let tarball = package::pack()?;
    let app = workspace::output("size");
    fs::create_dir_all(&app)?;
    // An app of its own: what is weighed is what npm installs, not what lies in the tree.
    fs::write(app.join("package.json"), "{ \"private\": true }\n")?;
    progress("Bundling it into an app");
    run_command(
        npm()
            .args(["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"])
            .args(["--no-package-lock", "--force"])
            .arg(&tarball)
            .current_dir(&app),
    )?;
    let told = read(
        Command::new("node")
            .arg(workspace::path("xtask/scripts/size.mjs"))
            .args([&app, &app.join("bundle")]),
    )?;
    let weights: Weights = serde_json::from_str(&told).context("size.mjs printed no report")?;
    let report = workspace::output("report/size.json");
    if let Some(parent) = report.parent() {
        fs::create_dir_all(parent)?;
    }
    let json = serde_json::to_string_pretty(&weights)?;
    fs::write(&report, &json).with_context(|| format!("cannot write {}", report.display()))?;
    if options.json {
        println!("{json}");
    } else {
        print!("{}", table(&weights.rows));
    }
    Ok(ExitCode::SUCCESS)
}

/// The rows for people, in kB of 1000 bytes.
fn table(rows: &[Row]) -> String {
    let kilo = |bytes: u64| format!("{}.{:02}", bytes / 1000, bytes % 1000 / 10);
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    let mut out = format!("{:width$} {:>8} {:>8} {:>8}  kB\n", "", "raw", "gzip", "brotli");
    for row in rows {
        out.push_str(&format!(
            "{:width$} {:>8} {:>8} {:>8}\n",
            row.name,
            kilo(row.raw),
            kilo(row.gzip),
            kilo(row.brotli),
        ));
    }
    if let Some(whole) = rows.first() {
        let verdict = if whole.brotli <= AIM { "within" } else { "above" };
        out.push_str(&format!("The whole is {verdict} the aim of {} kB brotli.\n", kilo(AIM)));
    }
    out.push_str("Parts are compressed alone, so they add up to more than the whole.\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_kilobytes_and_the_verdict() {
        let row = |name: &str, brotli| Row { name: name.to_owned(), raw: 61_234, gzip: 9, brotli };
        let text = table(&[row("whole", AIM), row("wasm", 1_050)]);
        assert!(text.contains("whole    61.23     0.00    28.00\n"), "{text}");
        assert!(text.contains("wasm     61.23     0.00     1.05\n"), "{text}");
        assert!(text.contains("within the aim of 28.00 kB"), "{text}");
        assert!(table(&[row("whole", AIM + 1)]).contains("above the aim"));
    }
}

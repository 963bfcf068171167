//! `cargo xtask bench`: the figures, ours beside the peers' in one run, on the machine at hand.
//!
//! The measuring is done by the program `bench` of `tests`, which knows pages and providers from
//! outside only. Here it is given what it measures, and what it says is put into tables. Nothing
//! here fails because something is slow.

mod aims;
mod machine;
mod readme;
mod report;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::process::{Artifact, build, progress, read, run as run_command};
use crate::test::{self, worlds};
use crate::{demo, needs, npm, simulate, size, workspace};
use report::{Measured, Report};

/// What to measure, and how to tell.
#[derive(Args)]
pub(crate) struct Options {
    /// One part; without it, all of them.
    #[arg(value_enum)]
    part: Option<Part>,
    /// A few runs only: to see that it works.
    #[arg(long)]
    quick: bool,
    /// Of the part `worlds`, measure in this one only.
    #[arg(long, value_parser = worlds::ALL)]
    world: Option<String>,
    /// Print the report for machines instead of the tables.
    #[arg(long)]
    json: bool,
    /// Afterwards write the tables into README.md.
    #[arg(long)]
    readme: bool,
}

/// A part of the figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Part {
    /// What the clients weigh.
    Size,
    /// A sign-out at one app to the other app's knowing, cookies blocked.
    Logout,
    /// The same in each world, beside how others watch a session.
    Worlds,
    /// Ten tabs of one app whose token has expired: the requests that they make.
    Tabs,
    /// A callback's load to a session.
    Callback,
    /// A reload to a session, by where that is kept.
    Reload,
    /// A provider's start to the first verified ID token; its memory.
    Start,
    /// Discovery requests and logins per second.
    Load,
    /// 10,000 open event streams.
    Streams,
    /// The verification of an ID token, in the page and natively.
    Verify,
    /// Schedules of the simulated world in a second.
    Schedules,
}

impl Part {
    /// All, in the order of the report.
    const ALL: [Self; 11] = [
        Self::Size,
        Self::Logout,
        Self::Worlds,
        Self::Tabs,
        Self::Callback,
        Self::Reload,
        Self::Start,
        Self::Load,
        Self::Streams,
        Self::Verify,
        Self::Schedules,
    ];

    /// Its name, as it is typed and as it stands in the report.
    fn name(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Logout => "logout",
            Self::Worlds => "worlds",
            Self::Tabs => "tabs",
            Self::Callback => "callback",
            Self::Reload => "reload",
            Self::Start => "start",
            Self::Load => "load",
            Self::Streams => "streams",
            Self::Verify => "verify",
            Self::Schedules => "schedules",
        }
    }
}

/// Measures, and tells what came of it.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    if options.world.is_some() && options.part != Some(Part::Worlds) {
        bail!("--world is of the part `worlds`");
    }
    let parts: Vec<Part> = options.part.map_or(Part::ALL.to_vec(), |part| vec![part]);
    let is_one = options.part.is_some();
    // A part that is measured alone takes its place beside the others of earlier runs.
    let mut report = if is_one { Report::earlier() } else { Report::default() };
    let program = match parts.iter().any(|part| *part != Part::Size) {
        true => Some(Program::prepare(&parts)?),
        false => None,
    };
    for part in parts {
        progress(&format!("Measuring {}", part.name()));
        let rows = match &program {
            Some(program) if part == Part::Worlds => {
                let wanted = options.world.as_deref();
                let mut rows = report.rows_of_other_worlds(wanted);
                rows.extend(program.measure_worlds(wanted, options.quick)?);
                report::by_world(rows)
            }
            Some(program) if part != Part::Size => program.measure(part, options.quick)?,
            _ => report::rows_of_weights(&size::weigh()?.rows),
        };
        report.put(Measured::now(part, options.quick, rows)?);
        // After each part: what is measured is kept, whatever happens to the next.
        workspace::report("bench.json", &report.to_json()?)?;
    }
    if options.json {
        println!("{}", report.to_json()?);
    } else {
        print!("{}", report.tables());
    }
    if options.readme {
        readme::write(&report)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The program that measures, and what it is given.
struct Program {
    bench: PathBuf,
    environment: Vec<(&'static str, PathBuf)>,
}

impl Program {
    /// Builds and installs what these parts need.
    fn prepare(parts: &[Part]) -> Result<Self> {
        needs::npm_packages_of("tests/bench")?;
        progress("Building the provider and what measures it, optimised");
        let idp_dev = built(&["--package", "idp-dev", "--bin", "idp-dev"], "idp-dev")?;
        let features = ["--package", "gatepass-tests", "--features", "bench", "--bin", "bench"];
        let bench = built(&features, "bench")?;
        let mut environment = vec![
            ("GATEPASS_IDP_DEV", idp_dev),
            ("GATEPASS_XTASK", std::env::current_exe()?),
            ("GATEPASS_WORLD", "chromium-blocked".into()),
        ];
        let in_browser =
            [Part::Logout, Part::Worlds, Part::Tabs, Part::Callback, Part::Reload, Part::Verify];
        if parts.iter().any(|part| in_browser.contains(part)) {
            let browser = needs::browser()?;
            environment.extend([
                ("GATEPASS_CHROMIUM", browser.chromium),
                ("GATEPASS_CHROMEDRIVER", browser.driver),
                ("GATEPASS_BENCH_PAGES", pages()?),
            ]);
        }
        if parts.contains(&Part::Verify) {
            let native = ["--package", "gatepass-core", "--bench", "id_token"];
            environment.push(("GATEPASS_NATIVE_VERIFIER", built(&native, "id_token")?));
        }
        if parts.contains(&Part::Schedules) {
            environment.push(("GATEPASS_SIMULATOR", simulate::program()?));
        }
        Ok(Self { bench, environment })
    }

    /// Measures a sign-out in one world after the other.
    fn measure_worlds(&self, wanted: Option<&str>, is_quick: bool) -> Result<Vec<report::Row>> {
        let mut rows = Vec::new();
        let is_wanted = |world: &&str| wanted.is_none_or(|wanted| wanted == *world);
        for world in worlds::ALL.into_iter().filter(is_wanted) {
            progress(&format!("In {world}"));
            let mut surroundings = test::browsers_of(world)?;
            surroundings.push(("GATEPASS_WORLD", world.into()));
            surroundings.push(("GATEPASS_CERTIFICATE", demo::certificate_for_tests()?));
            rows.extend(self.measure_with(Part::Worlds, is_quick, &surroundings)?);
        }
        Ok(rows)
    }

    fn measure(&self, part: Part, is_quick: bool) -> Result<Vec<report::Row>> {
        self.measure_with(part, is_quick, &[])
    }

    /// The same with more, or other, surroundings.
    fn measure_with(
        &self,
        part: Part,
        is_quick: bool,
        surroundings: &[(&str, PathBuf)],
    ) -> Result<Vec<report::Row>> {
        let mut command = Command::new(&self.bench);
        command
            .arg(part.name())
            .args(is_quick.then_some("--quick"))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .envs(surroundings.iter().map(|(name, value)| (name, value)));
        serde_json::from_str(&read(&mut command)?).context("the program `bench` printed no rows")
    }
}

/// Builds a program as it is shipped: optimised.
fn built(arguments: &[&str], name: &str) -> Result<PathBuf> {
    let built = build(["build", "--release"].into_iter().chain(arguments.iter().copied()))?;
    let is_wanted = |artifact: &Artifact| artifact.target == name;
    let found = built.into_iter().rfind(is_wanted);
    Ok(found.with_context(|| format!("cargo built no {name}"))?.file)
}

/// Bundles the page of each client that is timed, and gives the directory.
fn pages() -> Result<PathBuf> {
    let app = npm::installed()?;
    progress("Bundling the pages");
    let pages = workspace::output("bench/pages");
    let directories: [&Path; 3] = [&workspace::path("tests/bench"), &app, &pages];
    run_command(
        Command::new("node")
            .arg(workspace::path("xtask/scripts/bench-pages.mjs"))
            .args(directories)
            .args(["gatepass", "gatepass-session", "gatepass-local", "gatepass-inline"])
            .arg("gatepass-tabs")
            .args(["oidc-client-ts", "oidc-client-ts-monitor", "polling", "oidc-spa", "verify"]),
    )?;
    Ok(pages)
}

//! `cargo xtask test`: every test there is, from unit to browser; `cargo xtask test all` adds the long
//! ones.
//!
//! Nothing is left out in silence: a step that cannot run is a failed entry of the report, and so
//! is a ring in which no test ran.

mod binaries;
mod crowd;
mod entry;
mod libtest;
mod long;
mod members;
mod record;
mod report;
mod rows;
mod server;
mod table;
pub(crate) mod worlds;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use std::cell::OnceCell;
use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::rc::Rc;
use std::time::Instant;

use crate::demo::{self, Built};
use crate::needs::{self, Browser, WASM};
use crate::process::{Artifact, cargo, node_script, progress, run as run_command};
use crate::{deny, npm, workspace};
use binaries::{native, runner, selected, test_binaries, tested};
use crowd::Crowd;
use libtest::Speech;
use members::Member;
pub(crate) use record::record;
use report::{Entry, Report, Ring};
use worlds::{Limits, Notes};

/// What to run.
#[derive(Args)]
pub(crate) struct Options {
    /// One ring, or all and the long parts; without it every ring, as on every change.
    #[arg(value_enum)]
    ring: Option<Which>,
    /// Run only the tests whose names contain this.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Run journeys in this world only, and there all of them.
    #[arg(long, value_parser = worlds::ALL)]
    world: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    /// Every ring, and the long parts.
    All,
    /// Format, lints, types and licences.
    Check,
    /// The protocol, the provider and the tools, on this machine.
    Core,
    /// The driver's effects in a headless browser.
    Effects,
    /// The packed npm package.
    Npm,
    /// Journeys through the whole system, in each world.
    E2e,
    /// The long parts alone: mutants and the like.
    Long,
}

impl Options {
    fn includes(&self, ring: Which) -> bool {
        match self.ring {
            Some(Which::All) => true,
            Some(which) => which == ring,
            None => ring != Which::Long,
        }
    }

    /// Whether every test of a change runs.
    fn is_whole(&self) -> bool {
        matches!(self.ring, None | Some(Which::All))
            && self.filter.is_none()
            && self.world.is_none()
    }

    /// Which journeys run in a world.
    fn rows(&self, world: &str) -> Rows {
        match &self.world {
            Some(wanted) if wanted != world => Rows::None,
            Some(_) => Rows::All,
            None if self.ring == Some(Which::All) => Rows::All,
            // Whoever names a journey means it.
            None if world == worlds::CHROMIUM[0] && self.filter.is_some() => Rows::All,
            None if world == worlds::CHROMIUM[0] => Rows::Daily,
            None => Rows::Spine,
        }
    }
}

/// Which journeys run in a world.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rows {
    None,
    Spine,
    /// All but the long ones.
    Daily,
    All,
}

/// The crate with the journeys, and the program behind `cargo xtask bench`.
const TESTS: &str = "gatepass-tests";

/// The crate with the protocol.
const CORE: &str = "gatepass-core";

/// Where code that was optimised is run.
const OPTIMISED: &str = "native-optimised";

/// The crate with random schedules.
const SIMULATOR: &str = "gatepass-simulator";

/// The program behind `cargo xtask bench` too.
const BENCH: [&str; 2] = ["--features", "gatepass-tests/bench"];

/// The least number of tests side by side.
const TWO: NonZero<usize> = NonZero::<usize>::MIN.saturating_add(1);

/// A page that answers whoever asks it what its address says, one answer after the other, and keeps
/// what it was asked with the page around it.
const ASKED: &str = "<!doctype html><title>Asked</title><script>
    const answers = new URLSearchParams(location.search).getAll('say');
    onmessage = ({ data, source, origin }) => {
      (parent.asked ??= []).push(data);
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer) source.postMessage(answer, origin);
    };
    </script>";

/// The test files about the npm package in which a person goes from page to page: in every world.
const NPM_JOURNEYS: [&str; 3] = ["npm", "npm_frames", "npm_relay"];

/// The test files of the crate gatepass-tests that need no browser; `bench` is what the program counts
/// with, not what it measures.
const WITHOUT_BROWSER: [&str; 4] = ["gatepass_tests", "layering", "documents", "bench"];

/// Runs the tests and gives the exit code.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let mut session = Session {
        report: Report::default(),
        filter: options.filter.clone(),
        is_daily: options.ring.is_none(),
        xtask: std::env::current_exe()?,
        system: OnceCell::new(),
        native: OnceCell::new(),
    };
    let members = members::all()?;
    if options.includes(Which::Check) {
        session.checks(&members);
    }
    if options.includes(Which::Core) {
        session.ring(Ring::Core, |session| session.core(&members));
    }
    if options.includes(Which::Effects) {
        session.ring(Ring::Effects, |session| session.effects(&members));
    }
    if options.includes(Which::Npm) {
        session.ring(Ring::Npm, |session| session.npm(&members));
    }
    if options.includes(Which::E2e) {
        session.ring(Ring::E2e, |session| session.e2e(options, &members));
    }
    if options.includes(Which::Long) {
        session.long();
    }
    session.report.write()?;
    let is_good = session.report.print(options.is_whole(), options.ring == Some(Which::All));
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Session {
    report: Report,
    filter: Option<String>,
    /// Nothing was named: what takes long is left to those who name it.
    is_daily: bool,
    /// This program. Asked for at the start: once it has been built anew, some systems no longer
    /// tell its path.
    xtask: PathBuf,
    /// Built once for both rings that need it.
    system: OnceCell<Rc<System>>,
    /// The same for three.
    native: OnceCell<Rc<Vec<Artifact>>>,
}

impl Session {
    /// Runs one step that is a test by itself.
    fn check(&mut self, name: &str, step: impl FnOnce() -> Result<()>) {
        progress(&format!("Checking {name}"));
        self.step(name, Ring::Check, step);
    }

    fn step(&mut self, name: &str, ring: Ring, step: impl FnOnce() -> Result<()>) {
        let began = Instant::now();
        let outcome = step();
        let seconds = Some(began.elapsed().as_secs_f64());
        self.report.add(Entry::of_step(name, ring, outcome, seconds));
    }

    /// Runs the long parts whose names the filter lets pass.
    fn long(&mut self) {
        let filter = self.filter.clone().unwrap_or_default();
        for part in long::PARTS.iter().filter(|part| part.name.contains(&filter)) {
            progress(&format!("Long part: {}", part.name));
            self.step(part.name, Ring::Long, part.run);
        }
    }

    /// Runs a ring; what keeps it from running is a failed entry, and so is a ring without tests.
    fn ring(&mut self, ring: Ring, step: impl FnOnce(&mut Self) -> Result<()>) {
        progress(&format!("Ring {ring}"));
        if let Err(error) = step(self) {
            self.report.add(Entry::of_step(&format!("{ring} ring"), ring, Err(error), None));
        }
        if self.report.count_of(ring) == 0 && self.filter.is_none() {
            let none = Err(anyhow::anyhow!("no test ran in this ring"));
            self.report.add(Entry::of_step(&format!("{ring} ring"), ring, none, None));
        }
    }

    fn checks(&mut self, members: &[Member]) {
        self.check("format", || run_command(cargo().args(["fmt", "--all", "--check"])));
        self.check("lints of native crates", || {
            let features = [
                "--features",
                "xtask/wasm-test-runner,gatepass-tests/bench,gatepass-verifier/module",
            ];
            clippy(members.iter().filter(|member| member.is_native), &features)
        });
        self.check("lints of browser crates", || {
            needs::wasm_target()?;
            let browser = members.iter().filter(|member| !member.is_native);
            // The npm module apart: cargo would unite its features with those of the others, and
            // what must do without `std` would be given it.
            let (npm, others): (Vec<_>, Vec<_>) =
                browser.partition(|member| member.name == "gatepass-npm");
            clippy(others.into_iter(), &["--target", WASM])?;
            clippy(npm.into_iter(), &["--target", WASM])
        });
        for (what, project) in [("driver", "sdk/driver"), ("npm face", "sdk/npm")] {
            self.check(&format!("types of the {what}"), || type_check(project));
        }
        // Building what looks at them takes longer than a change of the dependencies is frequent.
        let name = "licences, sources and bans";
        if self.is_daily {
            self.report.add(Entry::later(name, Ring::Check, "native"));
        } else {
            self.check(name, || deny::check(&["licenses", "sources", "bans"]));
        }
    }

    fn core(&mut self, members: &[Member]) -> Result<()> {
        let native = self.native(members)?;
        for member in members.iter().filter(|member| member.has_native_tests()) {
            let is_wanted = |binary: &&Artifact| {
                binary.package_dir == member.home
                    && (member.name != TESTS || WITHOUT_BROWSER.contains(&binary.target.as_str()))
            };
            // It plays as many schedules as a minute holds: unoptimised, those were few.
            if member.name != SIMULATOR {
                native.iter().filter(is_wanted).for_each(|binary| self.unit(binary, "native"));
            }
        }
        // A miscompilation of rustc 1.95 shows only in optimised code (docs: toolchain facts). On each
        // change only the npm package's module is optimised code of the core.
        let mut fast = vec![SIMULATOR];
        if self.is_daily {
            self.report.add(Entry::later("the core's tests, optimised", Ring::Core, OPTIMISED));
        } else {
            fast.push(CORE);
        }
        let optimised = test_binaries(fast, &["--profile", "optimised"])?;
        optimised.iter().for_each(|binary| self.unit(binary, OPTIMISED));
        let is_left_out = |member: &&Member| member.has_examples() && !member.has_native_tests();
        if let Some(member) = members.iter().find(is_left_out) {
            bail!("{} has examples and no test: nothing would run them", member.name);
        }
        // By one call too, and of the same crates: with other features they would be built anew.
        let mut command = cargo();
        command.args(["test", "--doc"]).args(selected(tested(members))).args(BENCH);
        command.args(self.filter.iter());
        self.binary(&mut command, Speech::Lines, Ring::Core, "native", "examples");
        Ok(())
    }

    /// The test binaries of this machine, of all crates. Built by one call: what crates share is
    /// compiled once, and not once for each of them with just the features that it asks for.
    fn native(&self, members: &[Member]) -> Result<Rc<Vec<Artifact>>> {
        if let Some(native) = self.native.get() {
            return Ok(Rc::clone(native));
        }
        let built = Rc::new(test_binaries(tested(members), &BENCH)?);
        Ok(Rc::clone(self.native.get_or_init(|| built)))
    }

    /// Runs a test binary of this machine.
    fn unit(&mut self, binary: &Artifact, world: &'static str) {
        let mut command = native(binary);
        command.args(self.filter.iter());
        self.binary(&mut command, Speech::Events, Ring::Core, world, &binary.target);
    }

    fn binary(
        &mut self,
        command: &mut Command,
        speech: Speech,
        ring: Ring,
        world: &'static str,
        what: &str,
    ) {
        progress(&format!("Running {what} ({world})"));
        let report = &mut self.report;
        let ended =
            libtest::run(command, speech, |told| report.add(Entry::told(told, ring, world)));
        self.ended(ended, what, ring, world);
    }

    /// A test binary has ended; a bad end is a failure of its own.
    fn ended(&mut self, ended: Result<()>, what: &str, ring: Ring, world: &'static str) {
        if let Err(error) = ended {
            self.report.add(Entry::failed(format!("{what} as a whole"), ring, world, &error));
        }
    }

    fn effects(&mut self, members: &[Member]) -> Result<()> {
        needs::wasm_target()?;
        let browser = needs::browser()?;
        let runner = runner()?;
        // What the runner serves beside a test: a page, and where the server of answers is.
        let served = workspace::output("effects");
        fs::create_dir_all(&served)?;
        fs::write(served.join("page.html"), "<!doctype html><title>A page</title>")?;
        fs::write(served.join("asked.html"), ASKED)?;
        for page in ["gatepass-front-channel.html", "gatepass-silent.html"] {
            fs::copy(workspace::path("sdk/driver").join(page), served.join(page))?;
        }
        fs::write(served.join("server.txt"), format!("http://{}", server::start()?))?;
        for member in members.iter().filter(|member| member.has_browser_tests()) {
            for binary in test_binaries([member.name.as_str()], &["--target", WASM])? {
                let mut command = Command::new(&runner);
                let crowd = Crowd::before_the_browser()?;
                command
                    .arg(&binary.file)
                    .env("WASM_BINDGEN_TEST_ADDRESS", crowd.address.to_string())
                    .args(self.filter.iter())
                    .current_dir(&served)
                    .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", workspace::path("sdk/webdriver.json"))
                    .env("CHROMEDRIVER", &browser.driver)
                    .env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", "60")
                    .env("WASM_BINDGEN_TEST_TIMEOUT", "120");
                let what = format!("{} in a browser", binary.target);
                self.binary(&mut command, Speech::Lines, Ring::Effects, "chromium", &what);
                drop(crowd);
            }
        }
        Ok(())
    }

    /// The binaries with journeys, and those without a browser beside them.
    fn journeys_of(&self, members: &[Member]) -> Result<Vec<Artifact>> {
        let home = members.iter().find(|member| member.name == TESTS).map(|member| &member.home);
        let native = self.native(members)?;
        Ok(native.iter().filter(|binary| Some(&binary.package_dir) == home).cloned().collect())
    }

    fn system(&self) -> Result<Rc<System>> {
        if let Some(system) = self.system.get() {
            return Ok(Rc::clone(system));
        }
        let built = Rc::new(System::build(&self.xtask)?);
        Ok(Rc::clone(self.system.get_or_init(|| built)))
    }

    fn npm(&mut self, members: &[Member]) -> Result<()> {
        let system = self.system()?;
        let binaries = self.journeys_of(members)?;
        let environment = system.environment(worlds::CHROMIUM[0])?;
        for binary in binaries.iter().filter(|binary| is_npm(&binary.target)) {
            self.journeys(binary, Ring::Npm, worlds::CHROMIUM[0], &environment, Rows::All)?;
        }
        Ok(())
    }

    fn e2e(&mut self, options: &Options, members: &[Member]) -> Result<()> {
        let system = self.system()?;
        let binaries = self.journeys_of(members)?;
        let is_journey = |binary: &&Artifact| {
            !is_npm(&binary.target) && !WITHOUT_BROWSER.contains(&binary.target.as_str())
        };
        for world in worlds::ALL {
            let rows = options.rows(world);
            if rows == Rows::None {
                continue;
            }
            // A browser that is missing fails its world, and no other.
            match system.environment(world) {
                Ok(environment) => {
                    for binary in binaries.iter().filter(is_journey) {
                        self.journeys(binary, Ring::E2e, world, &environment, rows)?;
                    }
                    // In the first world the ring before this one has walked them.
                    let npm = |binary: &&Artifact| NPM_JOURNEYS.contains(&binary.target.as_str());
                    if rows == Rows::All && world != worlds::CHROMIUM[0] {
                        for binary in binaries.iter().filter(npm) {
                            self.journeys(binary, Ring::Npm, world, &environment, rows)?;
                        }
                    }
                    if rows == Rows::Daily {
                        let later = worlds::LONG.map(|name| Entry::later(name, Ring::E2e, world));
                        later.into_iter().for_each(|entry| self.report.add(entry));
                    }
                }
                Err(error) => {
                    let name = format!("the browser of {world}");
                    self.report.add(Entry::failed(name, Ring::E2e, world, &error));
                }
            }
        }
        Ok(())
    }

    /// Runs the journeys of one test file in one world.
    fn journeys(
        &mut self,
        binary: &Artifact,
        ring: Ring,
        world: &'static str,
        environment: &[(&str, PathBuf)],
        rows: Rows,
    ) -> Result<()> {
        let mut command = native(binary);
        let filter = self.filter.clone().unwrap_or_default();
        let mut expected: Vec<&str> = Vec::new();
        if rows == Rows::Spine {
            let spine = worlds::spine_of(&binary.target, world).into_iter();
            expected.extend(spine.filter(|name| name.contains(&filter)));
            if expected.is_empty() {
                return Ok(());
            }
            command.arg("--exact").args(&expected);
        } else {
            command.args(self.filter.iter());
        }
        if rows == Rows::Daily {
            command.args(worlds::LONG.iter().flat_map(|name| ["--skip", *name]));
        }
        let notes = Notes::begin()?;
        command
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .env("GATEPASS_NOTES", &notes.file)
            // With a single thread a test could not tell its name.
            .env("RUST_TEST_THREADS", std::thread::available_parallelism()?.max(TWO).to_string());
        progress(&format!("Running {} ({world})", binary.target));
        let report = &mut self.report;
        let ended = libtest::run(&mut command, Speech::Events, |told| {
            expected.retain(|name| *name != told.name);
            let name = told.name.clone();
            let entry = Entry::told(told, ring, world);
            report.add(match notes.of(&name) {
                // The spine is what every world can do.
                Ok(Limits { cannot: Some(why), .. }) if rows == Rows::Spine => {
                    Entry::failed(name, ring, world, &anyhow::anyhow!("driver cannot: {why}"))
                }
                Ok(limits) => entry.limited(limits),
                Err(error) => Entry::failed(name, ring, world, &error),
            });
        });
        self.ended(ended, &binary.target, ring, world);
        for name in expected {
            let gone =
                anyhow::anyhow!("the spine names it, and {} has no such test", binary.target);
            self.report.add(Entry::failed(name.to_owned(), ring, world, &gone));
        }
        Ok(())
    }
}

/// What the tests of the whole system are given.
struct System {
    browser: Browser,
    certutil: Option<PathBuf>,
    built: Built,
    /// Nothing where no test asks for it.
    npm_tarball: Option<PathBuf>,
    /// This program, which serves the demo.
    xtask: PathBuf,
    /// Where a certificate of the demo's authority lies, for what tests serve by https.
    certificate: PathBuf,
}

impl System {
    fn build(xtask: &Path) -> Result<Self> {
        // Other people's clients and axe-core.
        needs::npm_packages_of("tests")?;
        Ok(Self {
            certutil: needs::certutil()?,
            npm_tarball: Some(npm::pack()?),
            ..Self::without_npm(xtask)?
        })
    }

    fn without_npm(xtask: &Path) -> Result<Self> {
        Ok(Self {
            browser: needs::browser()?,
            certutil: None,
            built: demo::build()?,
            npm_tarball: None,
            xtask: xtask.to_path_buf(),
            certificate: demo::certificate_for_tests()?,
        })
    }

    /// What tests are told in a world.
    ///
    /// # Errors
    /// When its browser is missing and cannot be installed.
    fn environment(&self, world: &str) -> Result<Vec<(&'static str, PathBuf)>> {
        let certutil = self.certutil.clone().map(|program| ("GATEPASS_CERTUTIL", program));
        let npm_tarball = self.npm_tarball.clone().map(|file| ("GATEPASS_NPM_TARBALL", file));
        let mut all = vec![
            ("GATEPASS_WORLD", world.into()),
            ("GATEPASS_IDP_DEV", self.built.idp_dev.clone()),
            ("GATEPASS_DEMO_DIR", workspace::output("demo")),
            ("GATEPASS_XTASK", self.xtask.clone()),
            ("GATEPASS_CERTIFICATE", self.certificate.clone()),
            ("GATEPASS_CHROMIUM", self.browser.chromium.clone()),
            ("GATEPASS_CHROMEDRIVER", self.browser.driver.clone()),
        ];
        all.extend(browsers_of(world)?);
        all.extend(certutil);
        all.extend(npm_tarball);
        Ok(all)
    }
}

/// The browser of a world that is not Chromium's, and its driver.
///
/// # Errors
/// When one is missing and cannot be installed.
pub(crate) fn browsers_of(world: &str) -> Result<Vec<(&'static str, PathBuf)>> {
    let mut found = Vec::new();
    if worlds::FIREFOX.contains(&world) {
        let needs::Firefox { firefox, driver } = needs::firefox()?;
        found.extend([("GATEPASS_FIREFOX", firefox), ("GATEPASS_GECKODRIVER", driver)]);
    }
    if world == worlds::WEBKIT {
        let needs::WebKit { browser, driver, screen } = needs::webkit()?;
        found.extend([
            ("GATEPASS_MINIBROWSER", browser),
            ("GATEPASS_WEBKITDRIVER", driver),
            ("GATEPASS_XVFB", screen),
        ]);
    }
    Ok(found)
}

/// Whether a test file of gatepass-tests is about the npm package. The scenarios are: no frame asks
/// in them, so that one world is enough for them.
fn is_npm(target: &str) -> bool {
    target.starts_with("npm") || target == "scenarios"
}

fn clippy<'a>(members: impl Iterator<Item = &'a Member>, flags: &[&str]) -> Result<()> {
    let mut command = cargo();
    command.args(["clippy", "--all-targets"]).args(flags);
    for member in members {
        command.args(["--package", &member.name]);
    }
    run_command(command.args(["--", "--deny", "warnings"]))
}

/// Checks the TypeScript, or the JavaScript with types in comments, of a project.
fn type_check(project: &str) -> Result<()> {
    needs::npm_packages()?;
    let directory = workspace::path(project);
    if !directory.join("tsconfig.json").exists() {
        bail!("{project} has no tsconfig.json");
    }
    run_command(node_script("typescript/bin/tsc").args(["--noEmit", "--project"]).arg(directory))
}

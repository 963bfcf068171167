//! The packed npm package in a Vite app without a framework, on a third site.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::environment;
use crate::pages::SignInPage;
use crate::stage::{GUEST_HOST, PASSWORD, Stage};
use crate::tab::Tab;
use crate::wait::until;

/// The package's pages without a module, which an app serves as they are.
const FRAME_PAGES: [&str; 2] = ["gatepass-silent.html", "gatepass-front-channel.html"];

/// The app, built once for each process.
///
/// # Errors
/// When it does not build.
pub fn built() -> Result<PathBuf> {
    static BUILT: OnceLock<std::result::Result<PathBuf, String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| build().map_err(|error| format!("{error:#}")));
    built.clone().map_err(|error| anyhow::anyhow!(error))
}

fn build() -> Result<PathBuf> {
    let tarball = environment::file(environment::NPM_TARBALL)?;
    // A copy: what is installed for a run does not belong in the working tree.
    let app = environment::output("journeys/npm-app");
    if app.exists() {
        std::fs::remove_dir_all(&app)?;
    }
    copy(&environment::crate_path("npm-app"), &app)?;
    let tarball = tarball.to_string_lossy().into_owned();
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let install = ["install", "--no-audit", "--no-fund", "--loglevel=error", &tarball];
    run(Command::new(npm).args(install).current_dir(&app))?;
    // Vite serves what lies here as it is.
    let public = app.join("public");
    std::fs::create_dir_all(&public)?;
    for page in FRAME_PAGES {
        std::fs::copy(app.join("node_modules/gatepass").join(page), public.join(page))?;
    }
    vite(&app, &[])?;
    Ok(app.join("dist"))
}

/// The next version of the app: other files, other names, the same behaviour.
///
/// # Errors
/// When it does not build.
pub fn built_anew() -> Result<PathBuf> {
    static BUILT: OnceLock<std::result::Result<PathBuf, String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let build = || -> Result<PathBuf> {
            let first = built()?;
            let app = first.parent().context("the app has no directory")?;
            vite(app, &["--outDir", "next", "--assetsDir", NEXT_ASSETS, "--minify", "false"])?;
            Ok(app.join("next"))
        };
        build().map_err(|error| format!("{error:#}"))
    });
    built.clone().map_err(|error| anyhow::anyhow!(error))
}

/// The app with `gatepass/inline` for `gatepass`, in one script made by esbuild.
///
/// # Errors
/// When it does not build.
pub fn built_inline() -> Result<PathBuf> {
    let first = built()?;
    let app = first.parent().context("the app has no directory")?;
    let out = app.join("inline");
    std::fs::create_dir_all(&out)?;
    esbuild(&app.join("main.ts"), &out.join("main.js"), app)?;
    let page = std::fs::read_to_string(app.join("index.html"))?;
    std::fs::write(out.join("index.html"), page.replace("/main.ts", "/main.js"))?;
    Ok(out)
}

/// A page with React in its development build, whose strict mode mounts everything twice.
///
/// # Errors
/// When it does not build.
pub fn built_react() -> Result<PathBuf> {
    let first = built()?;
    let app = first.parent().context("the app has no directory")?;
    let out = app.join("react");
    std::fs::create_dir_all(&out)?;
    let source = environment::crate_path("npm-react");
    esbuild(&source.join("main.jsx"), &out.join("main.js"), app)?;
    std::fs::copy(source.join("index.html"), out.join("index.html"))?;
    Ok(out)
}

/// One script by esbuild, with the package as `app` has it installed, inlined.
fn esbuild(entry: &Path, out: &Path, app: &Path) -> Result<()> {
    // By its API: what lies under its command's name differs by how it was installed.
    let script = "const { build } = await import('esbuild');\
        const [entry, outfile, app] = process.argv.slice(1);\
        await build({ entryPoints: [entry], outfile, bundle: true, format: 'esm', minify: true,\
          target: 'es2022', logLevel: 'warning', absWorkingDir: app, jsx: 'automatic',\
          alias: {\
            gatepass: 'gatepass/inline',\
            'gatepass/initiated': `${app}/node_modules/gatepass/npm/ts/initiated.js`,\
          },\
          nodePaths: [`${app}/node_modules`],\
          define: { 'process.env.NODE_ENV': '\"development\"' } });";
    run(Command::new("node")
        .args(["--input-type=module", "--eval", script])
        .args([entry, out, app])
        .current_dir(environment::crate_path(".")))
}

/// Where the next version has its scripts.
pub const NEXT_ASSETS: &str = "next-assets";

fn vite(app: &Path, options: &[&str]) -> Result<()> {
    let vite = environment::crate_path("node_modules/vite/bin/vite.js");
    run(Command::new("node").arg(vite).arg("build").args(options).current_dir(app))
}

/// Copies a directory, without what was installed or built in it.
///
/// # Errors
/// When a file cannot be read or written.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from).with_context(|| format!("no {}", from.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        if name == "node_modules" || name == "dist" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to.join(name))?;
        } else {
            std::fs::copy(entry.path(), to.join(name))?;
        }
    }
    Ok(())
}

/// Runs a program to its end.
///
/// # Errors
/// When it fails; what it said is in the error.
pub fn run(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    ensure!(
        output.status.success(),
        "{command:?} ended with {}:\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// Opens the app in a tab, at the third site, and gives its origin.
///
/// # Errors
/// When it does not open.
pub async fn open(stage: &Stage, tab: &Tab<'_>) -> Result<String> {
    open_build(stage, tab, &built()?).await
}

/// The same with another build of it.
///
/// # Errors
/// When it does not open.
pub async fn open_build(stage: &Stage, tab: &Tab<'_>, build: &Path) -> Result<String> {
    serve(stage, tab, build, &stage.issuer()).await
}

/// The same with somebody else's provider.
///
/// # Errors
/// When it does not open.
pub async fn open_at(stage: &Stage, tab: &Tab<'_>, issuer: &str) -> Result<String> {
    serve(stage, tab, &built()?, issuer).await
}

async fn serve(stage: &Stage, tab: &Tab<'_>, build: &Path, issuer: &str) -> Result<String> {
    serve_with(stage, tab, build, GUEST_HOST, json!({ "issuer": issuer })).await
}

/// The same under another name, with its page for frames named.
///
/// # Errors
/// When it does not open.
pub async fn open_framing(stage: &Stage, tab: &Tab<'_>, host: &str) -> Result<String> {
    let silent = format!("{}/{}", stage.site.origin(host), FRAME_PAGES[0]);
    let config = json!({ "issuer": stage.issuer(), "silentRedirectUri": silent });
    serve_with(stage, tab, &built()?, host, config).await
}

/// Registers the app at this host, with its two pages for frames.
///
/// # Errors
/// When the provider does not start with that.
pub fn register(stage: &Stage, host: &str, has_events: bool, out: bool) -> Result<()> {
    let (guest, origin) = (stage.site.origin(GUEST_HOST), stage.site.origin(host));
    let [silent, front] = FRAME_PAGES.map(|page| format!("{origin}/{page}"));
    let out = if out { format!("frontchannel_logout_uri = \"{front}\"\n") } else { String::new() };
    stage.change_provider(|text| {
        let uris = format!("redirect_uris = [\"{guest}/\"]\n");
        let ours = format!("redirect_uris = [\"{origin}/\", \"{silent}\"]\n{out}");
        let text = text.replacen(&uris, &ours, 1).replacen(
            &format!("post_logout_redirect_uris = [\"{guest}/\"]"),
            &format!("post_logout_redirect_uris = [\"{origin}/\"]"),
            1,
        );
        let events = format!("session_events = {has_events}");
        text.replacen("session_events = true", &events, 1)
    })
}

/// The same with a relay in place of the provider's session events.
///
/// # Errors
/// When it does not open.
pub async fn open_relayed(stage: &Stage, tab: &Tab<'_>, stream: &str) -> Result<String> {
    let config = json!({ "issuer": stage.issuer(), "sessionEventsEndpoint": stream });
    serve_with(stage, tab, &built()?, GUEST_HOST, config).await
}

async fn serve_with(
    stage: &Stage,
    tab: &Tab<'_>,
    build: &Path,
    host: &str,
    mut config: Value,
) -> Result<String> {
    let origin = stage.site.origin(host);
    config["clientId"] = json!("npm-app");
    config["api"] = json!(stage.api());
    config["elsewhere"] = json!(stage.site.origin("elsewhere"));
    stage.site.serve(build);
    stage.site.answer("/config.json", config.to_string());
    tab.goto(&format!("{origin}/")).await?;
    Ok(origin)
}

/// Waits until the element with a test id has this text.
///
/// # Errors
/// When it does not get it.
pub async fn wait(tab: &Tab<'_>, id: &str, wanted: &str) -> Result<()> {
    let shown = until(format!("{id} {wanted}"), async || {
        Ok((tab.text(id).await?.as_deref() == Some(wanted)).then_some(()))
    });
    match shown.await {
        Ok(()) => Ok(()),
        Err(error) => Err(error.context(tab.describe().await)),
    }
}

/// Waits until the session is over, as the app has heard or found out.
///
/// # Errors
/// When it goes on.
pub async fn wait_ended(tab: &Tab<'_>) -> Result<()> {
    let ended = until("the end of the session", async || {
        let status = tab.text("status").await?;
        Ok(matches!(status.as_deref(), Some("anonymous" | "expired")).then_some(()))
    });
    match ended.await {
        Ok(()) => Ok(()),
        Err(error) => Err(error.context(tab.describe().await)),
    }
}

/// Somebody turns to the app's tab. (Not every driver shows one so that its page is told.)
///
/// # Errors
/// When the page is gone.
pub async fn look_at(tab: &Tab<'_>) -> Result<()> {
    tab.run("document.dispatchEvent(new Event('visibilitychange'))", vec![]).await.map(drop)
}

/// Somebody turns to the app's window, of two that are seen side by side.
///
/// # Errors
/// When the page is gone.
pub async fn turn_to(tab: &Tab<'_>) -> Result<()> {
    tab.run("dispatchEvent(new Event('focus'))", vec![]).await.map(drop)
}

/// Somebody signs in at the app, which keeps the session so and asks nobody by itself; gives the address
/// that it was opened at.
///
/// # Errors
/// When a page does not come, or nothing is kept.
pub async fn signed_in_with(stage: &Stage, tab: &Tab<'_>, storage: &str) -> Result<String> {
    let origin = open(stage, tab).await?;
    wait(tab, "status", "anonymous").await?;
    let address = format!("{origin}/?onLoad=manual&storage={storage}");
    tab.goto(&address).await?;
    wait(tab, "status", "anonymous").await?;
    tab.click("sign-in").await?;
    SignInPage::wait(tab.clone()).await?.submit("richard", PASSWORD).await?;
    wait(tab, "status", "authenticated").await?;
    stage.control.wait_for(1, "stream.opened@npm-app").await?;
    until("what is kept", async || kept(tab).await).await?;
    Ok(address)
}

/// Signs out everywhere, and waits until the page is back from the provider.
///
/// # Errors
/// When one of both does not happen.
pub async fn sign_out(stage: &Stage, tab: &Tab<'_>) -> Result<()> {
    let returned = stage.control.timeline().await?.count("end_session.returned@npm-app");
    tab.click("sign-out").await?;
    stage.control.wait_for(returned + 1, "end_session.returned@npm-app").await?;
    wait(tab, "status", "anonymous").await
}

/// All that lies in the tab's and the origin's storage, by key.
///
/// # Errors
/// When the page cannot be asked.
pub async fn stored(tab: &Tab<'_>) -> Result<Vec<(String, String)>> {
    let read = "return [sessionStorage, localStorage].flatMap((area) => Object.entries(area))";
    Ok(serde_json::from_value(tab.run(read, vec![]).await?)?)
}

/// The record of the session in there, if there is one.
///
/// # Errors
/// When the page cannot be asked.
pub async fn kept(tab: &Tab<'_>) -> Result<Option<String>> {
    let found = stored(tab).await?.into_iter().find(|(key, _)| key.ends_with("#kept"));
    Ok(found.map(|(_, value)| value))
}

/// Opens the app and signs Richard in.
///
/// # Errors
/// When that does not come about.
pub async fn signed_in(stage: &Stage, tab: &Tab<'_>) -> Result<String> {
    let origin = open(stage, tab).await?;
    wait(tab, "status", "anonymous").await?;
    tab.click("sign-in").await?;
    SignInPage::wait(tab.clone()).await?.submit("richard", PASSWORD).await?;
    wait(tab, "status", "authenticated").await?;
    stage.control.wait_for(1, "stream.opened@npm-app").await?;
    Ok(origin)
}

/// Has the client use its token: what was answered, or the code of what kept it from it.
///
/// # Errors
/// When the page cannot be asked.
pub async fn use_token(stage: &Stage, tab: &Tab<'_>) -> Result<String> {
    let ask = "const done = arguments[1];\
        auth.fetch(arguments[0]).then((answer) => done(String(answer.status)),\
          (error) => done(error.code ?? String(error)))";
    let userinfo = format!("{}/userinfo", stage.issuer());
    let said = tab.run_async(ask, vec![userinfo.into()]).await?;
    Ok(said.as_str().unwrap_or_default().to_owned())
}

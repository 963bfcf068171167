//! The npm package's WebAssembly module: what the app is told when it is not there, and the entry
//! that needs no file for it.

use anyhow::{Context, ensure};
use gatepass_tests::npm_app::{built, built_inline, open, open_build, wait};
use gatepass_tests::pages::SignInPage;
use gatepass_tests::stage::PASSWORD;
use gatepass_tests::{Result, Stage, Tab, journey, until};
use serde_json::json;

/// Whether a built file is the client's module: the portable verifier is another.
fn is_client(name: &str) -> bool {
    name.starts_with("gatepass_bg") && name.ends_with(".wasm")
}

/// The path under which the bundler has put the module.
fn module() -> Result<String> {
    asset(is_client)
}

/// The path under which it has put a file that is loaded later.
fn chunk(name: &str) -> Result<String> {
    asset(|file| file.starts_with(&format!("{name}-")) && file.ends_with(".js"))
}

fn asset(is_wanted: impl Fn(&str) -> bool) -> Result<String> {
    let files = std::fs::read_dir(built()?.join("assets"))?;
    let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
    let name = names.into_iter().find(|name| is_wanted(name));
    Ok(format!("/assets/{}", name.context("the app was built without it")?))
}

/// Counts what fails and is nobody's, from now on.
const COUNT_FAULTS: &str = "window.faults = [];\
    addEventListener('unhandledrejection', ({ reason }) => faults.push(String(reason)));";

async fn has_no_faults(tab: &Tab<'_>) -> Result {
    let faults = tab.run("return faults", vec![]).await?;
    ensure!(faults == json!([]), "nobody's fault: {faults}");
    Ok(())
}

/// The app says which thing is missing and what came in its place, and a click says it again.
async fn is_told(tab: &Tab<'_>, found: &str) -> Result {
    wait(tab, "notice", "wasm_unavailable").await?;
    wait(tab, "status", "anonymous").await?;
    let said = tab.attribute("notice", "data-found").await?.unwrap_or_default();
    ensure!(said.contains(found), "it found {said:?}, not {found:?}");
    tab.click("sign-in").await?;
    wait(tab, "refused", "wasm_unavailable").await
}

/// The person can sign in.
async fn signs_in(tab: &Tab<'_>) -> Result {
    tab.click("sign-in").await?;
    SignInPage::wait(tab.clone()).await?.submit("richard", PASSWORD).await?;
    wait(tab, "status", "authenticated").await
}

/// Nobody was asked anything: an app that cannot work leaves the person where they are.
async fn nothing_was_asked(stage: &Stage) -> Result {
    let timeline = stage.control.timeline().await?;
    timeline.exactly(0, "authorize.received")
}

#[test]
fn wasm_unavailable_where_the_file_is_missing_until_it_is_there_again() -> Result {
    journey().go(async |stage, browser| {
        let (tab, module) = (browser.first_tab(), module()?);
        stage.site.lose(&module);
        open(stage, &tab).await?;
        is_told(&tab, "status 404").await?;
        nothing_was_asked(stage).await?;
        // The next click tries again: a deployment that was half done needs no reload.
        stage.site.find_again(&module);
        signs_in(&tab).await
    })
}

#[test]
fn wasm_unavailable_is_no_fault_of_a_diagnosis_that_is_still_to_come() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        stage.site.lose(&module()?);
        // The machine's part fails while the page's is waited for.
        stage.site.hang(&chunk("diagnose")?);
        open(stage, &tab).await?;
        is_told(&tab, "status 404").await?;
        tab.run(COUNT_FAULTS, vec![]).await?;
        let ask = "const done = arguments[0]; auth.diagnose();\
            auth.check().catch((error) => setTimeout(() => done(error.code)))";
        ensure!(tab.run_async(ask, vec![]).await? == "wasm_unavailable");
        has_no_faults(&tab).await
    })
}

#[test]
fn s11_words_are_kept_when_the_file_is_there_again_that_keeps_them() -> Result {
    journey().go(async |stage, browser| {
        let (tab, file) = (browser.first_tab(), chunk("keep")?);
        let keep = "window.words = '';\
            auth.keep('words', { read: () => words, restore: (text) => { words = text } });";
        stage.site.lose(&file);
        open(stage, &tab).await?;
        wait(&tab, "status", "anonymous").await?;
        tab.run(&format!("{COUNT_FAULTS}{keep}"), vec![]).await?;
        let fetch = "const [file, done] = arguments;\
            import(file).then(() => done('there'), () => setTimeout(() => done('missing')))";
        ensure!(tab.run_async(fetch, vec![json!(file)]).await? == "missing");
        has_no_faults(&tab).await?;
        stage.site.find_again(&file);
        // What is written at once counts, although the file is still to come.
        tab.run(&format!("{keep} words = 'written';"), vec![]).await?;
        ensure!(tab.run_async(fetch, vec![json!(file)]).await? == "there");
        signs_in(&tab).await?;
        tab.run(keep, vec![]).await?;
        until("the words are there again", async || {
            Ok((tab.run("return words", vec![]).await? == "written").then_some(()))
        })
        .await
    })
}

#[test]
fn wasm_unavailable_where_a_page_comes_for_the_file() -> Result {
    journey().go(async |stage, browser| {
        let (tab, module) = (browser.first_tab(), module()?);
        stage.site.answer_page(&module, "<!doctype html><title>The app</title>");
        open(stage, &tab).await?;
        is_told(&tab, "text/html").await?;
        nothing_was_asked(stage).await?;
        stage.site.find_again(&module);
        signs_in(&tab).await
    })
}

#[test]
fn wasm_unavailable_where_the_policy_forbids_to_compile_and_no_more_is_needed() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        let policy = |script: &str| {
            let issuer = stage.issuer();
            stage.site.set_policy(&format!(
                "default-src 'none'; script-src {script}; connect-src 'self' {issuer}; \
                 img-src data:; base-uri 'none'; form-action 'none'"
            ))
        };
        policy("'self'")?;
        open(stage, &tab).await?;
        is_told(&tab, "CompileError").await?;
        nothing_was_asked(stage).await?;
        policy("'self' 'wasm-unsafe-eval'")?;
        tab.reload().await?;
        wait(&tab, "status", "anonymous").await?;
        wait(&tab, "notice", "").await?;
        signs_in(&tab).await
    })
}

#[test]
fn the_inline_module_bundled_by_esbuild_signs_in_without_a_file() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        let build = built_inline()?;
        open_build(stage, &tab, &build).await?;
        wait(&tab, "status", "anonymous").await?;
        signs_in(&tab).await?;
        let requests = browser.requests().await?;
        let fetched = requests.iter().find(|request| request.path().ends_with(".wasm"));
        ensure!(fetched.is_none(), "{:?} was fetched", fetched.map(|request| request.path()));
        tab.click("sign-out").await?;
        wait(&tab, "status", "anonymous").await
    })
}

/// What a page by plain http has of cryptography: random numbers.
const WITHOUT_WEBCRYPTO: &str =
    "Object.defineProperty(crypto, 'subtle', { value: undefined, configurable: true });";

#[test]
fn rp10_without_webcrypto_the_portable_verifier_is_fetched_and_signs_in() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        let is_verifier = |path: &str| path.contains("/verifier_bg") && path.ends_with(".wasm");
        // With WebCrypto nobody asks for it.
        open(stage, &tab).await?;
        wait(&tab, "status", "anonymous").await?;
        signs_in(&tab).await?;
        let fetched = browser.requests().await?;
        ensure!(!fetched.iter().any(|request| is_verifier(request.path())), "it came unasked");
        tab.click("sign-out").await?;
        wait(&tab, "status", "anonymous").await?;
        tab.command("Page.enable", json!({})).await?;
        let script = json!({ "source": WITHOUT_WEBCRYPTO });
        tab.command("Page.addScriptToEvaluateOnNewDocument", script).await?;
        open(stage, &tab).await?;
        wait(&tab, "status", "anonymous").await?;
        signs_in(&tab).await?;
        let fetched = browser.requests().await?;
        ensure!(fetched.iter().any(|request| is_verifier(request.path())), "it never came");
        Ok(())
    })
}

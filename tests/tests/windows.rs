//! Signing in in a window: where Cross-Origin-Opener-Policy cuts it off from the page that opened it (the
//! page cannot reach the window, and takes it for closed), where it ends at the page without the app,
//! where the app can store nothing, and where the browser opens none.

use anyhow::{Context, ensure};
use axum::http::header::{CACHE_CONTROL, HeaderName};
use gatepass_tests::npm_app::{open, open_framing, register, stored, wait};
use gatepass_tests::pages::SignInPage;
use gatepass_tests::stage::{GUEST_HOST, PASSWORD};
use gatepass_tests::{Browser, Journey, Result, Stage, Tab, journey, until};

const POLICY: &str = "cross-origin-opener-policy";

/// The package's page at which frames end, and windows where it is named.
const SILENT: &str = "/gatepass-silent.html";

/// Opens the app, whose windows end at its start page or at the page without the app.
async fn open_ending(stage: &Stage, tab: &Tab<'_>, is_silent: bool) -> Result {
    if is_silent {
        register(stage, GUEST_HOST, true, false)?;
        open_framing(stage, tab, GUEST_HOST).await?;
    } else {
        open(stage, tab).await?;
    }
    wait(tab, "status", "anonymous").await?;
    tab.run("window.marked = true", vec![]).await.map(drop)
}

/// Clicks the button and gives the window at the provider's page.
async fn opened_window<'a>(browser: &'a Browser, tab: &Tab<'a>) -> Result<Tab<'a>> {
    let known = browser.tabs().await?;
    tab.click("sign-in-window").await?;
    let window = browser.opened_tab(&known).await?;
    Ok(SignInPage::wait(window).await?.tab)
}

/// The page is the one that opened the window, and the person is signed in there.
async fn is_signed_in_and_stayed(stage: &Stage, tab: &Tab<'_>, is_silent: bool) -> Result {
    wait(tab, "status", "authenticated").await?;
    wait(tab, "user-name", "Richard Hendricks").await?;
    ensure!(tab.run("return window.marked", vec![]).await? == true, "the page was left");
    let timeline = stage.control.timeline().await?;
    timeline.exactly(1, "login.succeeded")?;
    let way_back = timeline.last("authorize.received@npm-app")?.received("redirect_uri");
    let end = if is_silent { SILENT } else { "/" };
    let expected = format!("{}{end}", stage.site.origin(GUEST_HOST));
    ensure!(way_back == Some(&expected), "the window was to end at {way_back:?}");
    Ok(())
}

async fn window_closes(browser: &Browser) -> Result {
    until("the window has closed itself", async || {
        Ok((browser.tabs().await?.len() == 1).then_some(()))
    })
    .await
}

#[test]
fn rp22_a_window_signs_in_with_coop_on_either_side() -> Result {
    let sides = [(true, false), (false, true), (true, true)];
    for (is_app, is_provider) in sides {
        for is_silent in [false, true] {
            let walked = journey().with_a_wire().go(async |stage, browser| {
                if is_app {
                    stage.site.set_header(HeaderName::from_static(POLICY), "same-origin")?;
                }
                if is_provider {
                    stage.wire()?.add_header(&format!("{POLICY}: same-origin"));
                }
                let tab = browser.first_tab();
                open_ending(stage, &tab, is_silent).await?;
                // Otherwise the policy is not there, and this shows nothing.
                let read = "const done = arguments[1]; fetch(arguments[0], { method: 'HEAD' })\
                    .then(({ headers }) => done(headers.get('cross-origin-opener-policy')))";
                for path in ["/", SILENT] {
                    let own = tab.run_async(read, vec![path.into()]).await?;
                    ensure!((own == "same-origin") == is_app, "the app's policy is {own}");
                }
                let page = stage.http.get(format!("{}/health", stage.issuer())).send().await?;
                ensure!(page.headers().contains_key(POLICY) == is_provider, "provider's policy");
                let window = opened_window(browser, &tab).await?;
                SignInPage { tab: window }.submit("richard", PASSWORD).await?;
                is_signed_in_and_stayed(stage, &tab, is_silent).await?;
                window_closes(browser).await
            });
            walked.with_context(|| {
                format!("policy at the app: {is_app}, the provider: {is_provider}; {is_silent}")
            })?;
        }
    }
    Ok(())
}

#[test]
fn rp22_a_window_ends_at_the_page_without_the_app_and_closes_itself() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        open_ending(stage, &tab, true).await?;
        let begun = stage.site.asked("/config.json");
        let window = opened_window(browser, &tab).await?;
        SignInPage { tab: window }.submit("richard", PASSWORD).await?;
        is_signed_in_and_stayed(stage, &tab, true).await?;
        window_closes(browser).await?;
        ensure!(stage.site.asked(SILENT) == 1, "{} times there", stage.site.asked(SILENT));
        ensure!(stage.site.asked("/config.json") == begun, "the app was begun a second time");
        // A session like any other.
        stage.control.wait_for(1, "stream.opened@npm-app").await?;
        tab.click("sign-out").await?;
        stage.control.wait_for(1, "end_session.returned@npm-app").await?;
        wait(&tab, "status", "anonymous").await
    })
}

#[test]
fn rp22_a_window_that_closes_itself_does_not_begin_the_app() -> Result {
    journey().go(async |stage, browser| {
        // Whatever page begins the app asks for the module, also the browser's second.
        stage.site.set_header(CACHE_CONTROL, "no-store")?;
        let begun = || {
            let requests = stage.site.requests();
            requests.iter().filter(|request| request.path().ends_with(".wasm")).count()
        };
        let tab = browser.first_tab();
        open_ending(stage, &tab, false).await?;
        let before = begun();
        ensure!(before > 0, "the page has asked for no module");
        let window = opened_window(browser, &tab).await?;
        SignInPage { tab: window }.submit("richard", PASSWORD).await?;
        is_signed_in_and_stayed(stage, &tab, false).await?;
        window_closes(browser).await?;
        ensure!(begun() == before, "the window has begun the app");
        Ok(())
    })
}

/// Somebody takes the window's address to a tab: the app is told there too, but no script may close it.
async fn signs_in_in_a_tab<'a>(
    stage: &Stage,
    browser: &'a Browser,
    is_silent: bool,
) -> Result<Tab<'a>> {
    let tab = browser.first_tab();
    open_ending(stage, &tab, is_silent).await?;
    // It has a history, so it is nobody's window. (Opened now: Firefox would open it in the window.)
    let beside = browser.new_tab().await?;
    beside.goto(&stage.lobby()).await?;
    let window = opened_window(browser, &tab).await?;
    beside.goto(&window.address().await?).await?;
    let page = SignInPage::wait(beside).await?;
    page.submit("richard", PASSWORD).await?;
    is_signed_in_and_stayed(stage, &tab, is_silent).await?;
    Ok(page.tab)
}

#[test]
fn rp22_a_window_that_may_not_close_itself_says_that_the_person_can() -> Result {
    journey().go(async |stage, browser| {
        let beside = signs_in_in_a_tab(stage, browser, true).await?;
        let silent = format!("{}{SILENT}", stage.site.origin(GUEST_HOST));
        until("the page without the app", async || {
            Ok((beside.address().await? == silent).then_some(()))
        })
        .await?;
        let words = beside.words().await?;
        ensure!(words.contains("close this window"), "what it shows is {words:?}");
        Ok(())
    })
}

#[test]
fn rp22_a_window_that_may_not_close_itself_is_a_page_of_the_app() -> Result {
    journey().go(async |stage, browser| {
        let beside = signs_in_in_a_tab(stage, browser, false).await?;
        wait(&beside, "status", "authenticated").await?;
        wait(&beside, "user-name", "Richard Hendricks").await?;
        let home = format!("{}/", stage.site.origin(GUEST_HOST));
        ensure!(beside.address().await? == home, "the answer is still in its address");
        // The start, the window, and the tab at the window's address.
        stage.control.timeline().await?.exactly(3, "authorize.received@npm-app")
    })
}

/// Takes the storage from every page of the app, as a browser does that blocks it: the provider's is its
/// own.
const NO_STORAGE: &str = "<script>
    for (const name of ['sessionStorage', 'localStorage', 'indexedDB'])
      Object.defineProperty(window, name, {
        get() { throw new DOMException('it is blocked', 'SecurityError') },
      });
    </script>";

/// The app's start page with this before all of its own.
fn block_storage(stage: &Stage) -> Result {
    let page = std::fs::read_to_string(gatepass_tests::npm_app::built()?.join("index.html"))?;
    stage.site.answer_page("/", page.replacen("<head>", &format!("<head>{NO_STORAGE}"), 1));
    Ok(())
}

#[test]
fn rp22_a_window_signs_in_where_the_app_can_store_nothing() -> Result {
    signs_in_without_storage(journey(), true)
}

#[test]
fn rp22_a_window_signs_in_where_a_person_lets_the_app_store_nothing() -> Result {
    signs_in_without_storage(journey().without_storage_at(GUEST_HOST), false)
}

/// On this journey, on which the page itself does without storage if `is_taken`.
fn signs_in_without_storage(journey: Journey, is_taken: bool) -> Result {
    for is_silent in [false, true] {
        journey.go(async |stage, browser| {
            if is_taken {
                block_storage(stage)?;
            }
            let tab = browser.first_tab();
            open_ending(stage, &tab, is_silent).await?;
            ensure!(stored(&tab).await.is_err(), "there is storage");
            // Nothing redirects by itself, and what would have to leave the page fails before.
            tab.click("sign-in").await?;
            wait(&tab, "refused", "storage_unavailable").await?;
            stage.control.timeline().await?.exactly(0, "authorize.received")?;
            let window = opened_window(browser, &tab).await?;
            SignInPage { tab: window }.submit("richard", PASSWORD).await?;
            is_signed_in_and_stayed(stage, &tab, is_silent).await?;
            window_closes(browser).await?;
            // A session like any other.
            stage.control.wait_for(1, "stream.opened@npm-app").await?;
            tab.click("sign-out").await?;
            stage.control.wait_for(1, "end_session.received@npm-app").await?;
            wait(&tab, "status", "anonymous").await
        })?;
    }
    Ok(())
}

/// Opens the app so that it signs in in this mode, and asks nobody by itself.
async fn open_for(stage: &Stage, tab: &Tab<'_>, mode: &str) -> Result {
    let origin = open(stage, tab).await?;
    wait(tab, "status", "anonymous").await?;
    tab.goto(&format!("{origin}/?onLoad=manual&mode={mode}")).await
}

#[test]
fn rp22_a_window_that_is_blocked_is_told_or_gives_way_to_the_page() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        // Nobody has clicked, so every browser blocks the window. The page stays where it is.
        open_for(stage, &tab, "popup&unclicked").await?;
        wait(&tab, "refused", "popup_blocked").await?;
        wait(&tab, "status", "anonymous").await?;
        let asked = stage.control.timeline().await?.count("authorize.received@npm-app");
        ensure!(asked == 1, "asked {asked} times, not once at the very first start");

        // Where the app allows it, the page leaves, and is back where it was.
        open_for(stage, &tab, "popup-or-redirect&unclicked").await?;
        SignInPage::wait(tab.clone()).await?.submit("richard", PASSWORD).await?;
        wait(&tab, "status", "authenticated").await?;
        wait(&tab, "refused", "").await?;
        ensure!(browser.tabs().await?.len() == 1, "a window was opened");
        let address = tab.address().await?;
        ensure!(address.ends_with("/?onLoad=manual&mode=popup-or-redirect&unclicked"), "{address}");
        let timeline = stage.control.timeline().await?;
        timeline.exactly(1, "login.succeeded")?;
        timeline.exactly(1, "token.issued@npm-app")
    })
}

#[test]
fn rp22_a_window_that_opens_is_preferred_to_leaving_the_page() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        open_for(stage, &tab, "popup-or-redirect").await?;
        wait(&tab, "status", "anonymous").await?;
        tab.run("window.marked = true", vec![]).await?;
        tab.click("sign-in-window").await?;
        let window = browser.opened_tab(std::slice::from_ref(&tab)).await?;
        SignInPage::wait(window).await?.submit("richard", PASSWORD).await?;
        wait(&tab, "status", "authenticated").await?;
        ensure!(tab.run("return window.marked", vec![]).await? == true, "the page was left");
        until("the window has closed itself", async || {
            Ok((browser.tabs().await?.len() == 1).then_some(()))
        })
        .await?;
        stage.control.timeline().await?.exactly(1, "login.succeeded")
    })
}

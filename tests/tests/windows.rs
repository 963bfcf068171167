//! Signing in in a window where Cross-Origin-Opener-Policy cuts it off from the page that opened it:
//! the page cannot reach the window, and takes it for closed.

use anyhow::{Context, ensure};
use axum::http::header::HeaderName;
use gatepass_tests::npm_app::{open, wait};
use gatepass_tests::pages::SignInPage;
use gatepass_tests::stage::PASSWORD;
use gatepass_tests::{Result, journey, until};

const POLICY: &str = "cross-origin-opener-policy";

#[test]
fn rp22_a_window_signs_in_with_coop_on_either_side() -> Result {
    for (is_app, is_provider) in [(true, false), (false, true), (true, true)] {
        let walked = journey().with_a_wire().go(async |stage, browser| {
            if is_app {
                stage.site.set_header(HeaderName::from_static(POLICY), "same-origin")?;
            }
            if is_provider {
                stage.wire()?.add_header(&format!("{POLICY}: same-origin"));
            }
            let tab = browser.first_tab();
            open(stage, &tab).await?;
            wait(&tab, "status", "anonymous").await?;
            // Otherwise the policy is not there, and this shows nothing.
            let read = "const done = arguments[1]; fetch(arguments[0], { method: 'HEAD' }).then(\
                (answer) => done(answer.headers.get('cross-origin-opener-policy')))";
            let own = tab.run_async(read, vec!["/".into()]).await?;
            ensure!((own == "same-origin") == is_app, "the app's policy is {own}");
            let page = stage.http.get(format!("{}/health", stage.issuer())).send().await?;
            ensure!(page.headers().contains_key(POLICY) == is_provider, "the provider's policy");
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
        });
        walked
            .with_context(|| format!("policy at the app: {is_app}, the provider: {is_provider}"))?;
    }
    Ok(())
}

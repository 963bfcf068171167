//! The demo over https (`demo --tls`): the same journey, for whoever trusts its authority.

use anyhow::ensure;
use gatepass_tests::engine::Engine;
use gatepass_tests::pages::{App, Lobby};
use gatepass_tests::{Client, Result, journey};

#[test]
fn tls_the_three_steps_go_by_https_once_the_authority_is_trusted() -> Result {
    journey().over_tls().go(async |stage, browser| {
        ensure!(stage.lobby().starts_with("https://") && stage.issuer().starts_with("https://"));
        let lobby = Lobby::open(stage, browser).await?;
        let known = browser.tabs().await?;
        lobby.tab.click("open-pied-piper").await?;
        let pied_piper = App::of(stage, Client::PiedPiper, browser.opened_tab(&known).await?);
        pied_piper.sign_in("richard").await?;
        lobby.wait_done(1).await?;

        let known = browser.tabs().await?;
        lobby.tab.click("open-hooli").await?;
        let hooli = App::of(stage, Client::Hooli, browser.opened_tab(&known).await?);
        hooli.wait_signed_in().await?;
        lobby.wait_done(2).await?;

        // The API is https too, and trusts the provider for the same authority.
        let said = pied_piper.ask_server("given").await?;
        ensure!(said.contains("provider"), "it did not ask the provider: {said}");

        hooli.sign_out().await?;
        pied_piper.wait_signed_out().await?;
        lobby.wait_done(3).await?;
        stage.control.timeline().await?.exactly(1, "authorize.login_page")?;

        // Nothing went another way, a redirect or a report to the lobby included.
        let requests = browser.requests().await?;
        let plain = requests.iter().find(|request| request.url.starts_with("http://"));
        ensure!(plain.is_none(), "a request went by http: {:?}", plain.map(|one| one.path()));
        let issuer = stage.issuer();
        ensure!(requests.iter().any(|request| request.url.starts_with(&issuer)));
        ensure!(requests.iter().any(|request| request.url.starts_with(&stage.api())));
        Ok(())
    })
}

#[test]
fn tls_a_browser_that_was_told_nothing_trusts_nothing() -> Result {
    journey().over_tls().without_trust().go(async |stage, browser| {
        let tab = browser.first_tab();
        for address in [stage.lobby(), stage.origin(Client::Hooli), stage.issuer(), stage.api()] {
            tab.goto_dead(&address).await?;
            // The browser's own page in place of ours: Chromium's by its words, Firefox's by its name;
            // WebKit's driver goes nowhere at all.
            let shown = tab.words().await?;
            let name = tab.run("return document.documentURI", vec![]).await?;
            let is_refused = shown.contains("ERR_CERT_AUTHORITY_INVALID")
                || name.as_str().is_some_and(|name| name.starts_with("about:certerror"))
                || (browser.engine() == Engine::WebKit && name == "about:blank");
            ensure!(is_refused, "{address} shows {shown} ({name})");
        }
        Ok(())
    })
}

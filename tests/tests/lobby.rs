//! The lobby's three steps, by real clicks.

use anyhow::ensure;
use gatepass_tests::pages::{App, Lobby};
use gatepass_tests::{Client, Result, journey};

#[test]
fn the_three_steps_are_ticked_off_when_they_happen() -> Result {
    journey().go(async |stage, browser| {
        let lobby = Lobby::open(stage, browser).await?;
        for step in 1..=3 {
            lobby.tab.wait_text(&format!("step-{step}")).await?;
            ensure!(!lobby.is_done(step).await?, "step {step} is done before anything happened");
        }

        let known = browser.tabs().await?;
        lobby.tab.click("open-pied-piper").await?;
        let opened = browser.opened_tab(&known).await?;
        let pied_piper = App::of(stage, Client::PiedPiper, opened);
        pied_piper.wait_signed_out().await?;
        ensure!(!lobby.is_done(1).await?, "opening Pied Piper is not signing in");
        pied_piper.sign_in("richard").await?;
        lobby.wait_done(1).await?;
        ensure!(!lobby.is_done(2).await? && !lobby.is_done(3).await?);

        let known = browser.tabs().await?;
        lobby.tab.click("open-hooli").await?;
        let hooli = App::of(stage, Client::Hooli, browser.opened_tab(&known).await?);
        hooli.wait_signed_in().await?;
        lobby.wait_done(2).await?;
        ensure!(!lobby.is_done(3).await?);

        hooli.sign_out().await?;
        pied_piper.wait_signed_out().await?;
        hooli.wait_signed_out().await?;
        lobby.wait_done(3).await?;
        stage.control.timeline().await?.exactly(1, "authorize.login_page")
    })
}

#[test]
fn signing_out_at_pied_piper_ticks_the_third_step_too() -> Result {
    journey().go(async |stage, browser| {
        let lobby = Lobby::open(stage, browser).await?;
        let known = browser.tabs().await?;
        lobby.tab.click("open-pied-piper").await?;
        let opened = browser.opened_tab(&known).await?;
        let pied_piper = App::of(stage, Client::PiedPiper, opened);
        pied_piper.sign_in("gavin").await?;
        let known = browser.tabs().await?;
        lobby.tab.click("open-hooli").await?;
        let hooli = App::of(stage, Client::Hooli, browser.opened_tab(&known).await?);
        hooli.wait_signed_in().await?;
        lobby.wait_done(2).await?;
        pied_piper.sign_out().await?;
        hooli.wait_signed_out().await?;
        lobby.wait_done(3).await
    })
}

#[test]
fn a_sign_in_elsewhere_ticks_nothing() -> Result {
    journey().go(async |stage, browser| {
        // The lobby believes the provider's steps of this person's apps, not what any page sends.
        let lobby = Lobby::open(stage, browser).await?;
        lobby.tab.wait_text("step-1").await?;
        let script = "window.postMessage({ app: 'pied-piper', status: 'authenticated' }, '*');\
                      window.postMessage('authenticated', '*')";
        lobby.tab.run(script, vec![]).await?;
        // A message is delivered before a later task of the page runs.
        lobby.tab.run_async("setTimeout(arguments[0])", vec![]).await?;
        for step in 1..=3 {
            ensure!(!lobby.is_done(step).await?, "step {step} was ticked off by a foreign message");
        }
        Ok(())
    })
}

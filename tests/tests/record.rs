//! The demo in pictures: what `cargo xtask demo --record` writes, made by a journey, so that a
//! picture of what no longer happens cannot stay.

use anyhow::ensure;
use gatepass_tests::album::Album;
use gatepass_tests::pages::{App, Lobby, SignInPage};
use gatepass_tests::{Client, Result, journey};

#[test]
fn records_each_step_in_light_and_dark() -> Result {
    journey().go(async |stage, browser| {
        let mut album = Album::default();
        let lobby = Lobby::open(stage, browser).await?;
        lobby.tab.wait_text("step-1").await?;
        album.take(&lobby.tab, "start", "The lobby, before anything has happened").await?;

        let known = browser.tabs().await?;
        lobby.tab.click("open-pied-piper").await?;
        let pied_piper = App::of(stage, Client::PiedPiper, browser.opened_tab(&known).await?);
        pied_piper.wait_signed_out().await?;
        album.take(&pied_piper.tab, "pied-piper-asks", "Pied Piper does not know you").await?;

        pied_piper.tab.click("sign-in").await?;
        let page = SignInPage::wait(pied_piper.tab.clone()).await?;
        album.take(&pied_piper.tab, "sign-in", "The provider asks who you are, once").await?;
        page.submit("richard", gatepass_tests::stage::PASSWORD).await?;
        pied_piper.wait_signed_in().await?;
        album.take(&pied_piper.tab, "pied-piper", "Pied Piper knows you").await?;
        lobby.wait_done(1).await?;

        let known = browser.tabs().await?;
        lobby.tab.click("open-hooli").await?;
        let hooli = App::of(stage, Client::Hooli, browser.opened_tab(&known).await?);
        hooli.wait_signed_in().await?;
        album.take(&hooli.tab, "hooli", "Hooli knows you too: no password was asked").await?;
        lobby.wait_done(2).await?;
        album.take(&lobby.tab, "signed-in", "The lobby, with three sessions").await?;

        hooli.sign_out().await?;
        pied_piper.wait_signed_out().await?;
        let told = "Pied Piper has heard that you signed out at Hooli";
        album.take(&pied_piper.tab, "pied-piper-told", told).await?;
        lobby.wait_done(3).await?;
        album.take(&lobby.tab, "lobby", "The lobby, after the three steps").await?;

        let page = album.finish()?;
        ensure!(page.metadata()?.len() > 100_000, "{} is too small", page.display());
        Ok(())
    })
}

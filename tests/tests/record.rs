//! The demo in pictures: what `cargo xtask demo --record` writes, made by a journey, so that a
//! picture of what no longer happens cannot stay.

use anyhow::ensure;
use gatepass_tests::album::{Album, SCHEMES};
use gatepass_tests::environment::crate_path;
use gatepass_tests::pages::{App, Lobby, SignInPage};
use gatepass_tests::stage::PASSWORD;
use gatepass_tests::{Client, Result, journey};

#[test]
fn records_each_step_in_light_and_dark() -> Result {
    journey().with_the_whole_demo().go(async |stage, browser| {
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
        page.submit("richard", PASSWORD).await?;
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

        hooli.wait_signed_out().await?;
        pied_piper.sign_in("richard").await?;
        hooli.tab.click("sign-in").await?;
        hooli.wait_signed_in().await?;
        hooli.leave().await?;
        hooli.wait_signed_out().await?;
        lobby.wait_ticked("leave-app").await?;
        album.take(&hooli.tab, "left-app", "Hooli has forgotten you, and nobody else has").await?;

        pied_piper.sign_out_and_return().await?;
        hooli.tab.click("sign-in").await?;
        SignInPage::wait(hooli.tab.clone()).await?.submit("dinesh", "wrong").await?;
        lobby.wait_ticked("wrong-password").await?;
        hooli.tab.wait_text("error").await?;
        let page = SignInPage::wait(hooli.tab.clone()).await?;
        album.take(&hooli.tab, "wrong-password", "A wrong password stays at the provider").await?;
        page.submit("dinesh", PASSWORD).await?;
        lobby.wait_ticked("forbidden-user").await?;
        hooli.tab.wait_text("back-to-app").await?;
        album
            .take(&hooli.tab, "refused", "The provider knows dinesh, and Hooli refuses him")
            .await?;

        pied_piper.tab.click("sign-in").await?;
        pied_piper.wait_signed_in().await?;
        lobby.tab.click("provider-stop").await?;
        pied_piper.wait_status("offline").await?;
        lobby.wait_ticked("provider-down").await?;
        let away = "The provider is away, and nobody is signed out for that";
        album.take(&pied_piper.tab, "provider-away", away).await?;
        album.take(&lobby.tab, "tour-over", "The lobby, after the whole tour").await?;

        // The page that shows them to whoever reads the documentation shows each of them.
        let shown = std::fs::read_to_string(crate_path("../docs/demo.md"))?;
        for name in album.names() {
            for scheme in SCHEMES {
                let picture = format!("pictures/{name}-{scheme}.png");
                ensure!(shown.contains(&picture), "docs/demo.md does not show {picture}");
            }
        }
        let page = album.finish()?;
        ensure!(page.metadata()?.len() > 100_000, "{} is too small", page.display());
        Ok(())
    })
}

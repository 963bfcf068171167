//! What the packed npm package does in frames, and at the door that others lead to: at a provider of its
//! own site, where every browser shows frames their cookies, and at one elsewhere, where few do.

use anyhow::{Context, ensure};
use gatepass_tests::pages::{App, SignInPage};
use gatepass_tests::stage::{GUEST_HOST, PASSWORD};
use gatepass_tests::world::World;
use gatepass_tests::{Browser, Client, Result, Stage, Tab, journey, npm_app, until};

/// The provider's own host: an app there, on another port, is of the same site.
const SAME_SITE: &str = "idp";

/// Somebody signs in at the app by its button.
async fn sign_in(tab: &Tab<'_>) -> Result {
    npm_app::wait(tab, "status", "anonymous").await?;
    tab.click("sign-in").await?;
    SignInPage::wait(tab.clone()).await?.submit("richard", PASSWORD).await?;
    npm_app::wait(tab, "status", "authenticated").await
}

/// The same person signs out at another app.
async fn sign_out_elsewhere(stage: &Stage, browser: &Browser) -> Result {
    let other = App::open_beside(stage, Client::PiedPiper, browser).await?;
    other.wait_signed_in().await?;
    other.sign_out().await?;
    stage.control.wait_for(1, "session.ended").await.map(drop)
}

/// What it sees signs nobody out: it ends by the word of the provider, which it asks when somebody turns
/// to it.
async fn finds_out_by_itself(stage: &Stage, tab: &Tab<'_>) -> Result {
    npm_app::look_at(tab).await?;
    npm_app::wait_ended(tab).await?;
    let timeline = stage.control.timeline().await?;
    let refused =
        ["userinfo.refused@npm-app", "token.refused@npm-app"].map(|step| timeline.count(step));
    ensure!(refused.iter().any(|count| *count > 0), "it asked nobody:\n{timeline}");
    Ok(())
}

/// The provider's frame has shown that it sees its cookie, which is noted for the next start.
async fn wait_seen(tab: &Tab<'_>) -> Result {
    until("what the frame sees", async || {
        let stored = npm_app::stored(tab).await?;
        let is_noted =
            |(key, words): &(String, String)| key.ends_with("#rungs") && words.contains("sees");
        Ok(stored.iter().any(is_noted).then_some(()))
    })
    .await
}

/// How the session came to the page.
async fn came(tab: &Tab<'_>) -> Result<String> {
    let ask = "const [done] = arguments; auth.diagnose().then((found) => done(found.client.came))";
    let came = tab.run_async(ask, vec![]).await?;
    came.as_str().map(str::to_owned).context("no word of it")
}

#[test]
fn f1_f17_provider_of_the_same_site_is_asked_in_a_frame_and_the_page_stays() -> Result {
    journey().go(async |stage, browser| {
        npm_app::register(stage, SAME_SITE, true, false)?;
        let other = App::open(stage, Client::PiedPiper, browser).await?;
        other.sign_in("richard").await?;
        let tab = browser.new_tab().await?;
        npm_app::open_framing(stage, &tab, SAME_SITE).await?;
        npm_app::wait(&tab, "status", "authenticated").await?;
        ensure!(came(&tab).await? == "frame", "the page was left");
        let timeline = stage.control.timeline().await?;
        timeline.exactly(1, "authorize.received@npm-app")?;
        timeline.exactly(1, "login.succeeded")?;
        // A session as any other is.
        stage.control.wait_for(1, "stream.opened@npm-app").await?;
        other.sign_out().await?;
        npm_app::wait(&tab, "status", "anonymous").await?;
        npm_app::wait(&tab, "notice", "logout_token").await?;
        // Nobody is signed in: of its own host a frame is believed, and the page is not left for that.
        let tab = browser.new_tab().await?;
        npm_app::open_framing(stage, &tab, SAME_SITE).await?;
        npm_app::wait(&tab, "status", "anonymous").await?;
        stage.control.timeline().await?.exactly(2, "authorize.received@npm-app")
    })
}

/// An app at a provider without session events, signed in.
async fn signed_in_at<'a>(stage: &Stage, browser: &'a Browser, host: &str) -> Result<Tab<'a>> {
    npm_app::register(stage, host, false, false)?;
    let tab = browser.first_tab();
    npm_app::open_framing(stage, &tab, host).await?;
    sign_in(&tab).await?;
    Ok(tab)
}

#[test]
fn f4_watched_frame_of_the_same_site_tells_a_sign_out() -> Result {
    journey().go(async |stage, browser| {
        let tab = signed_in_at(stage, browser, SAME_SITE).await?;
        wait_seen(&tab).await?;
        sign_out_elsewhere(stage, browser).await?;
        npm_app::wait_ended(&tab).await?;
        stage.control.timeline().await?.exactly(0, "stream.opened@npm-app")
    })
}

#[test]
fn f4_watched_frame_elsewhere_tells_what_it_sees_and_signs_nobody_out() -> Result {
    journey().go(async |stage, browser| {
        let tab = signed_in_at(stage, browser, GUEST_HOST).await?;
        let world = World::of_this_run()?;
        if world.frames_get_cookies() {
            wait_seen(&tab).await?;
        }
        sign_out_elsewhere(stage, browser).await?;
        if world.frames_get_cookies() {
            npm_app::wait_ended(&tab).await
        } else if world.opens_on_click() {
            // The person's click at the provider may have opened it for frames.
            npm_app::look_at(&tab).await?;
            npm_app::wait_ended(&tab).await
        } else {
            finds_out_by_itself(stage, &tab).await
        }
    })
}

#[test]
fn f2_front_channel_reaches_the_tabs_where_frames_share_their_storage() -> Result {
    for host in [SAME_SITE, GUEST_HOST] {
        journey().go(async |stage, browser| {
            npm_app::register(stage, host, false, true)?;
            // The provider's other frame would tell as well.
            stage.site.set_policy("frame-src 'none'")?;
            let tab = browser.first_tab();
            npm_app::open_framing(stage, &tab, host).await?;
            sign_in(&tab).await?;
            sign_out_elsewhere(stage, browser).await?;
            until("the app's page in the provider's frame", async || {
                Ok((stage.site.asked("/gatepass-front-channel.html") > 0).then_some(()))
            })
            .await?;
            if host == SAME_SITE && World::of_this_run()?.frames_share_with_their_site() {
                npm_app::wait_ended(&tab).await
            } else {
                // Its storage is not that of the tabs: it knows nobody to tell.
                finds_out_by_itself(stage, &tab).await
            }
        })?;
    }
    Ok(())
}

#[test]
fn oidcc_3rd_party_init_login_leads_from_the_providers_page_into_the_app() -> Result {
    journey().go(async |stage, browser| {
        let origin = stage.site.origin(GUEST_HOST);
        let door = format!("{origin}/?onLoad=manual");
        stage.change_provider(|text| {
            let id = "id = \"npm-app\"\n";
            text.replacen(id, &format!("{id}initiate_login_uri = \"{door}\"\n"), 1)
        })?;
        let other = App::open(stage, Client::PiedPiper, browser).await?;
        other.sign_in("richard").await?;
        let tab = browser.new_tab().await?;
        npm_app::open_framing(stage, &tab, GUEST_HOST).await?;
        tab.goto(&stage.issuer()).await?;
        tab.click("open-npm-app").await?;
        npm_app::wait(&tab, "status", "authenticated").await?;
        let name = tab.text("user-name").await?.unwrap_or_default();
        ensure!(name.contains("Richard"), "it is {name:?}");
        ensure!(tab.address().await? == format!("{origin}/"), "the way back is not clean");
        stage.control.timeline().await?.exactly(1, "login.succeeded")?;
        // Whoever names another provider is not followed.
        let stranger = browser.new_tab().await?;
        let asked = stage.control.timeline().await?.count("authorize.received@npm-app");
        stranger.goto(&format!("{door}&iss=https://evil.example")).await?;
        npm_app::wait(&stranger, "status", "authenticated").await?;
        ensure!(came(&stranger).await? == "tab", "it asked");
        let now = stage.control.timeline().await?.count("authorize.received@npm-app");
        ensure!(now == asked, "the provider was asked {} times more", now - asked);
        Ok(())
    })
}

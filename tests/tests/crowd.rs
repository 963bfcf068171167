//! Seven apps that each hold a stream, and a sign-in at an eighth beside them. Browsers open six
//! connections to a host by HTTP/1.1 for all pages of a site, and a stream holds one for good.

use anyhow::{Context, ensure};
use gatepass_tests::npm_app::{built, wait, wait_ended};
use gatepass_tests::pages::SignInPage;
use gatepass_tests::site::Site;
use gatepass_tests::stage::PASSWORD;
use gatepass_tests::world::World;
use gatepass_tests::{Browser, Result, Stage, Tab, journey};
use serde_json::json;

const APPS: usize = 8;

/// Eight copies of the npm app, each a client of its own on a port of its own, under these names.
async fn apps(stage: &Stage, name: impl Fn(usize) -> String) -> Result<Vec<(Site, String)>> {
    let mut apps = Vec::new();
    let mut clients = String::new();
    for number in 1..=APPS {
        let site = Site::start(World::of_this_run()?.needs_tls()).await?;
        let origin = site.origin(&name(number));
        let id = format!("app-{number}");
        clients.push_str(&format!(
            "\n[[clients]]\nid = {id:?}\nname = {id:?}\nredirect_uris = [\"{origin}/\"]\n\
             post_logout_redirect_uris = [\"{origin}/\"]\n"
        ));
        let config = json!({
            "issuer": stage.issuer(), "clientId": id, "api": stage.api(), "elsewhere": stage.api(),
        });
        site.serve(built()?);
        site.answer("/config.json", config.to_string());
        apps.push((site, origin));
    }
    stage.change_provider(|text| text + clients.as_str())?;
    Ok(apps)
}

async fn starve(
    stage: &Stage,
    browser: &Browser,
    apps: &[(Site, String)],
    have_streams: bool,
) -> Result {
    let mut tabs: Vec<Tab<'_>> = Vec::new();
    for (index, (_, origin)) in apps.iter().enumerate() {
        let tab = if index == 0 { browser.first_tab() } else { browser.new_tab().await? };
        tab.goto(&format!("{origin}/")).await?;
        if index == 0 {
            wait(&tab, "status", "anonymous").await?;
            tab.click("sign-in").await?;
            SignInPage::wait(tab.clone()).await?.submit("richard", PASSWORD).await?;
        }
        let app = format!("app {} of {APPS}", index + 1);
        if let Err(error) = wait(&tab, "status", "authenticated").await {
            let timeline = stage.control.timeline().await?;
            return Err(error.context(format!("{app}:\n{timeline}")));
        }
        // A session that can do something: a request of its own gets through beside all streams.
        tab.click("fetch-userinfo").await?;
        stage
            .control
            .wait_for(1, &format!("userinfo.served@app-{}", index + 1))
            .await
            .context(app)?;
        tabs.push(tab);
    }
    let last = tabs.pop().context("no tabs")?;
    last.click("sign-out").await?;
    wait(&last, "status", "anonymous").await?;
    for (index, tab) in tabs.iter().enumerate() {
        // Who has no stream may be refused a refresh before it asks for one again.
        let ended = match have_streams {
            true => wait(tab, "status", "anonymous").await,
            false => wait_ended(tab).await,
        };
        ended.with_context(|| format!("app {}", index + 1))?;
    }
    let timeline = stage.control.timeline().await?;
    timeline.exactly(1, "session.ended")?;
    ensure!(timeline.count("login.succeeded") == 1, "somebody had to sign in again:\n{timeline}");
    Ok(())
}

#[test]
fn f3_seven_apps_on_one_site_leave_room_for_an_eighth() -> Result {
    journey().go(async |stage, browser| {
        let apps = apps(stage, |_| "apps".to_owned()).await?;
        starve(stage, browser, &apps, false).await
    })
}

#[test]
fn f3_seven_apps_on_seven_sites_leave_room_for_an_eighth() -> Result {
    journey().go(async |stage, browser| {
        let apps = apps(stage, |number| format!("app-{number}")).await?;
        let have_streams = !World::of_this_run()?.shares_connections_among_sites();
        starve(stage, browser, &apps, have_streams).await
    })
}

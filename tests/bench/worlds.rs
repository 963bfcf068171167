//! A sign-out at one app until another app, on another site, knows of it, in the world of this run:
//! ours by its stream, and beside it how others watch a session, where that works.

use anyhow::{Result, ensure};
use gatepass_tests::{environment, until, until_within};
use std::time::Duration;

use crate::arguments::Size;
use crate::browsing::Scene;
use crate::rows::{Row, progress};

/// Each on two sites: the client, and how it hears of a sign-out.
const CLIENTS: [(&str, &str); 3] = [
    ("gatepass", "told by a stream"),
    ("oidc-client-ts-monitor", "its frame asks every 2 s"),
    ("polling", "a frame asks every 5 s, as keycloak-js does"),
];

const SITES: [&str; 2] = ["one", "two"];

/// Six rounds of the slowest.
const IN_VAIN: Duration = Duration::from_secs(30);

/// Signs in at both apps of each client and out at one, again and again.
///
/// # Errors
/// When a sign-in or sign-out does not come about, or ours does not hear of one.
pub(crate) async fn measure(size: Size) -> Result<Vec<Row>> {
    let world = environment::text(environment::WORLD)?;
    let names: Vec<String> = CLIENTS
        .iter()
        .flat_map(|(client, _)| SITES.map(|site| format!("{client}.{site}")))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut rows = Vec::new();
    for (index, (client, way)) in CLIENTS.into_iter().enumerate() {
        let scene = Scene::set_in_any_world(&names).await?;
        let is_ours = index == 0;
        let runs = if is_ours { size.of(50, 3) } else { size.of(20, 1) };
        progress(&format!("{world}: {client}"));
        let found = of_client(&scene, &names[index * 2..index * 2 + 2], runs, is_ours).await?;
        scene.browser.quit().await?;
        let row = Row::new("worlds", name_of(client));
        rows.push(match found.is_empty() {
            true => row.note(format!("{world}, {way}: hears of nothing here")),
            false => row.note(format!("{world}, {way}")).with(
                "click to anonymous elsewhere",
                "ms",
                &found,
            )?,
        });
    }
    Ok(rows)
}

/// The milliseconds of each run; none where the other app never hears of a sign-out.
async fn of_client(scene: &Scene, names: &[&str], runs: usize, is_ours: bool) -> Result<Vec<f64>> {
    let one = scene.page(names[0], scene.browser.first_tab());
    let two = scene.page(names[1], scene.browser.new_window().await?);
    let control = scene.provider.control()?;
    let mut found = Vec::new();
    one.open().await?;
    two.open().await?;
    for run in 1..=runs {
        progress(&format!("run {run}"));
        let before = control.now().await?;
        one.sign_in(true).await?;
        two.sign_in(false).await?;
        two.wait("ready", "ready").await?;
        if is_ours {
            until("the second app's stream", async || {
                let since = control.timeline_after(before).await?;
                Ok((since.count(&format!("stream.opened@{}", names[1])) > 0).then_some(()))
            })
            .await?;
        }
        one.tab.click("sign-out").await?;
        one.wait("status", "anonymous").await?;
        one.wait("ready", "ready").await?;
        let told = until_within(IN_VAIN, "the other app", async || {
            Ok((two.tab.text("status").await?.as_deref() == Some("anonymous")).then_some(()))
        });
        match told.await {
            Ok(()) => {}
            Err(_) if !is_ours && found.is_empty() => return Ok(found),
            Err(error) => return Err(error),
        }
        let took = two.marked("status:anonymous").await? - one.clicked().await?;
        ensure!(took > 0.0, "the second app was anonymous before the click");
        found.push(took);
        if !is_ours {
            // Its page is that of a session that is over: from the start, for each run.
            two.open_anew().await?;
            one.open_anew().await?;
        }
    }
    Ok(found)
}

/// The row's name: a peer has its package's.
fn name_of(client: &'static str) -> &'static str {
    match client {
        "oidc-client-ts-monitor" => "oidc-client-ts",
        other => other,
    }
}

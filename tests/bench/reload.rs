//! What a person sees at a reload, by where the session is kept: the way to `authenticated`.

use anyhow::{Context, Result, ensure};
use gatepass_tests::until;
use serde_json::Value;
use std::time::Duration;

use crate::arguments::Size;
use crate::browsing::{Page, Scene, number};
use crate::rows::{Row, progress};

/// One client, once for each place.
const CLIENTS: [(&str, &str); 3] =
    [("gatepass", "memory"), ("gatepass-session", "session"), ("gatepass-local", "local")];

/// How far away the provider is: in the next process, and on a network that is not slow.
const ROUND_TRIPS: [Duration; 2] = [Duration::ZERO, Duration::from_millis(20)];

/// Reloads the only tab of each app again and again, in turn, while the person is signed in.
///
/// # Errors
/// When a session is not there again.
pub(crate) async fn measure(size: Size) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for round_trip in ROUND_TRIPS {
        rows.extend(measure_at(size, round_trip).await?);
    }
    Ok(rows)
}

async fn measure_at(size: Size, round_trip: Duration) -> Result<Vec<Row>> {
    let scene = Scene::set_at(&CLIENTS.map(|(client, _)| client), round_trip).await?;
    let control = scene.provider.control()?;
    let mut pages = Vec::new();
    let mut found = CLIENTS.map(|_| Found::default());
    for (client, _) in CLIENTS {
        let tab = match pages.is_empty() {
            true => scene.browser.first_tab(),
            // A window of its own: one that is hidden would be slow.
            false => scene.browser.new_window().await?,
        };
        let page = scene.page(client, tab);
        page.open_anew().await.with_context(|| format!("{client} does not load"))?;
        page.sign_in(pages.is_empty()).await?;
        pages.push(page);
    }
    // The first round fills the browser's caches and is not counted. No more than nine: a page that
    // redirects by itself ten times in a minute is stopped.
    for round in 0..=size.of(8, 2) {
        progress(&format!("reload, round {round}"));
        for (((client, _), page), found) in CLIENTS.iter().zip(&pages).zip(&mut found) {
            // The stream says that the session stands; a page is not left before it has begun.
            let opened = format!("stream.opened@{client}");
            until("the app's stream", async || {
                Ok((control.timeline().await?.count(&opened) > round).then_some(()))
            })
            .await?;
            let before = control.now().await?;
            let seen = reload(page, &scene.provider.issuer).await?;
            let since = control.timeline_after(before).await?;
            if round > 0 {
                found.time.push(seen.time);
                #[expect(clippy::cast_precision_loss, reason = "a handful")]
                found.redirects.push(since.count(&format!("authorize.received@{client}")) as f64);
                found.requests.push(seen.requests);
                found.script.push(seen.script);
            }
        }
    }
    scene.browser.quit().await?;
    found
        .into_iter()
        .zip(CLIENTS)
        .map(|(found, (_, storage))| {
            let far = match round_trip.as_millis() {
                0 => String::new(),
                far => format!(", provider {far} ms away"),
            };
            Row::new("reload", "gatepass")
                .note(format!("{storage}{far}"))
                .with("redirects", "", &found.redirects)?
                .with("requests of the last page", "", &found.requests)?
                .with("to the page's first line", "ms", &found.script)?
                .with("time", "ms", &found.time)
        })
        .collect()
}

#[derive(Default)]
struct Found {
    redirects: Vec<f64>,
    requests: Vec<f64>,
    script: Vec<f64>,
    time: Vec<f64>,
}

/// What one reload took.
struct Seen {
    /// Requests to the provider that the session had to wait for.
    requests: f64,
    /// To the first line of the page's script: what any page takes.
    script: f64,
    /// To the session.
    time: f64,
}

async fn reload(page: &Page<'_>, issuer: &str) -> Result<Seen> {
    let began = number(&page.tab.run(RELOAD, vec![]).await?)?;
    let told = until("the session after a reload", async || {
        let told = page.tab.run(TELL, vec![issuer.into(), began.into()]).await;
        // Between two pages there is none to ask.
        Ok(told.ok().filter(Value::is_object))
    })
    .await?;
    let time = number(&told["done"])? - began;
    ensure!(time > 0.0, "the session was there before the reload");
    let script = number(&told["script"])? - began;
    Ok(Seen { requests: number(&told["requests"])?, script, time })
}

/// Milliseconds since 1970 by the browser's clock.
const RELOAD: &str = "const now = performance.timeOrigin + performance.now();\
    setTimeout(() => location.reload());\
    return now";

const TELL: &str = "const mark = performance.getEntriesByName('status:authenticated').at(-1);\
    if (!mark || performance.timeOrigin < arguments[1]) return null;\
    const requests = performance.getEntriesByType('resource')\
      .filter((entry) => entry.name.startsWith(arguments[0]) && entry.responseEnd &&\
        entry.responseEnd < mark.startTime);\
    const script = performance.getEntriesByName('script')[0];\
    return { script: performance.timeOrigin + script.startTime,\
      done: performance.timeOrigin + mark.startTime, requests: requests.length }";

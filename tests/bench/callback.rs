//! From the load of the callback to a session: round trips, time, the page's main thread.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

use crate::arguments::Size;
use crate::browsing::{Page, Scene, number};
use crate::rows::{Row, progress};

/// The clients, each on the same page, bundled by the same bundler.
const CLIENTS: [&str; 4] = ["gatepass", "gatepass-inline", "oidc-client-ts", "oidc-spa"];

/// How far away the provider is: in the next process, and on a network that is not slow.
const ROUND_TRIPS: [Duration; 2] = [Duration::ZERO, Duration::from_millis(20)];

/// Signs in with each client again and again, in turn. The person is signed in at the provider, so
/// that a sign-in is redirects only; each app is one that this browser has visited before, but
/// where nobody is signed in.
///
/// # Errors
/// When a client does not sign in.
pub(crate) async fn measure(size: Size) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for round_trip in ROUND_TRIPS {
        rows.extend(measure_at(size, round_trip).await?);
    }
    Ok(rows)
}

async fn measure_at(size: Size, round_trip: Duration) -> Result<Vec<Row>> {
    let scene = Scene::set_at(&CLIENTS, round_trip).await?;
    let tab = scene.browser.first_tab();
    tab.command("Performance.enable", json!({})).await?;
    let mut found = CLIENTS.map(|client| (client, Found::default()));
    let mut is_first = true;
    // The first round of each fills the browser's caches and is not counted.
    for round in 0..=size.of(25, 2) {
        progress(&format!("callback, round {round}"));
        for (client, found) in &mut found {
            let page = scene.page(client, tab.clone());
            page.open_anew().await.with_context(|| format!("{client} does not load"))?;
            let signed_in = page.sign_in(is_first).await;
            signed_in.with_context(|| format!("{client} does not sign in"))?;
            is_first = false;
            let seen = Seen::of(&page, &scene.provider.issuer).await?;
            if round > 0 {
                found.take(&seen);
            }
        }
    }
    scene.browser.quit().await?;
    found
        .into_iter()
        .map(|(client, found)| {
            let name = if client == "gatepass-inline" { "gatepass/inline" } else { client };
            let row = Row::new("callback", name);
            let row = match round_trip.as_millis() {
                0 => row,
                far => row.note(format!("provider {far} ms away")),
            };
            row.with("round trips", "", &found.round_trips)?.with("time", "ms", &found.time)?.with(
                "main thread",
                "ms",
                &found.main_thread,
            )
        })
        .collect()
}

#[derive(Default)]
struct Found {
    round_trips: Vec<f64>,
    time: Vec<f64>,
    main_thread: Vec<f64>,
}

impl Found {
    fn take(&mut self, seen: &Seen) {
        self.round_trips.push(f64::from(seen.round_trips));
        self.time.push(seen.time);
        self.main_thread.push(seen.main_thread);
    }
}

/// What one callback took.
struct Seen {
    round_trips: u32,
    time: f64,
    main_thread: f64,
}

impl Seen {
    async fn of(page: &Page<'_>, issuer: &str) -> Result<Self> {
        let told = page.tab.run(TELL, vec![issuer.into()]).await?;
        let told: Told = serde_json::from_value(told).context("the page tells no times")?;
        let metrics = page.tab.command("Performance.getMetrics", json!({})).await?;
        let tasks = metrics["metrics"].as_array().into_iter().flatten();
        let tasks = tasks.into_iter().find(|metric| metric["name"] == "TaskDuration");
        let tasks = tasks.context("the browser tells no time of tasks")?;
        Ok(Self {
            round_trips: round_trips(told.requests),
            time: told.done - told.began,
            main_thread: number(&tasks["value"])? * 1000.0,
        })
    }
}

/// What a page knows of its own load, in milliseconds since its time's origin.
#[derive(Deserialize)]
struct Told {
    began: f64,
    done: f64,
    requests: Vec<Exchange>,
}

/// A request to the provider and its answer.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Exchange {
    from: f64,
    to: f64,
}

/// `fetchStart` is when the browser begins with the callback itself, after the provider's redirect.
const TELL: &str = "const [load] = performance.getEntriesByType('navigation');\
    const done = performance.getEntriesByName('status:authenticated')[0].startTime;\
    const requests = performance.getEntriesByType('resource')\
      .filter((entry) => entry.name.startsWith(arguments[0]) && entry.startTime < done)\
      .map((entry) => ({ from: entry.startTime, to: entry.responseEnd }));\
    return { began: load.fetchStart, done, requests }";

/// How many requests had to wait for each other: those at one time count once.
fn round_trips(mut requests: Vec<Exchange>) -> u32 {
    requests.sort_by(|a, b| a.to.total_cmp(&b.to));
    let (mut count, mut free_from) = (0, f64::NEG_INFINITY);
    for request in requests {
        // The most that fit one after the other: always the one that ends first.
        if request.from >= free_from {
            count += 1;
            free_from = request.to;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trips(requests: &[(f64, f64)]) -> u32 {
        round_trips(requests.iter().map(|&(from, to)| Exchange { from, to }).collect())
    }

    #[test]
    fn counts_what_waits_for_each_other() {
        assert_eq!(trips(&[]), 0);
        assert_eq!(trips(&[(1.0, 2.0), (2.0, 3.0), (5.0, 6.0)]), 3);
    }

    #[test]
    fn counts_what_goes_side_by_side_once() {
        assert_eq!(trips(&[(1.0, 4.0), (1.0, 3.0)]), 1);
        assert_eq!(trips(&[(1.0, 9.0), (1.0, 2.0), (2.5, 4.0)]), 2);
    }
}

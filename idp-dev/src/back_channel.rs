//! Logout tokens to the servers of apps (Back-Channel Logout 1.0, 2.5 to 2.8).
//!
//! All apps of a session are told side by side, each is tried again for a while, and what came of
//! it stands in the timeline and in the control API's `/deliveries`. Nobody's sign-out waits for an
//! app that does not answer: whoever ends a session waits a moment for the first answers, and the
//! rest goes on behind it.

use std::collections::{HashMap, VecDeque};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode, header};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioExecutor;
use serde::Serialize;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tower::service_fn;
use url::form_urlencoded;

use crate::config::Client;
use crate::provider::{Provider, Shared};
use crate::timeline::{Step, StepName};
use crate::tokens::{SignOut, issue_logout_token};

/// The deliveries of one provider.
pub(crate) struct BackChannel {
    /// Connections at once: a realm may have more apps than this machine has files.
    connections: Semaphore,
    /// Deliveries at once to each client: one that hangs holds up its own and nobody else's.
    of_client: Mutex<HashMap<String, Arc<Semaphore>>>,
    under_way: Mutex<JoinSet<()>>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    next: u64,
    deliveries: VecDeque<Delivery>,
}

/// One logout token on its way to one app's server.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Delivery {
    id: u64,
    client_id: String,
    sid: String,
    /// The app's address without its query.
    uri: String,
    verdict: Verdict,
    attempts: usize,
    /// What the app's server answered last, if anything.
    status: Option<u16>,
}

/// What came of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// It is tried, or will be tried again.
    Pending,
    /// The app has ended its session (2.8: 200; some frameworks say 204).
    Delivered,
    /// The app does not take the token (2.8: 400). The same token would fare no better.
    Refused,
    /// There was no answer, or none that says anything, until the last attempt.
    Unreachable,
}

impl Verdict {
    const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
        }
    }
}

impl BackChannel {
    pub(crate) fn new() -> Self {
        Self {
            connections: Semaphore::new(MAX_CONNECTIONS),
            of_client: Mutex::default(),
            under_way: Mutex::default(),
            kept: Mutex::default(),
        }
    }

    /// The last deliveries, oldest first.
    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        lock(&self.kept).deliveries.iter().cloned().collect()
    }

    /// Stops those under way, which then say nothing more in the timeline, and forgets all.
    pub(crate) async fn stop(&self) {
        let mut under_way = std::mem::take(&mut *lock(&self.under_way));
        under_way.shutdown().await;
        lock(&self.kept).deliveries.clear();
    }

    /// Runs a delivery; what it gives back is told when that has ended.
    fn run(&self, delivery: impl Future<Output = ()> + Send + 'static) -> Delivered {
        let (done, told) = oneshot::channel();
        let mut under_way = lock(&self.under_way);
        // Those that have ended would otherwise stay for ever.
        while under_way.try_join_next().is_some() {}
        under_way.spawn(async move {
            delivery.await;
            // Nobody may be waiting any more.
            let _told = done.send(());
        });
        told
    }

    fn turns_of(&self, client_id: &str) -> Arc<Semaphore> {
        let mut all = lock(&self.of_client);
        let own = all.entry(client_id.to_owned());
        own.or_insert_with(|| Arc::new(Semaphore::new(MAX_PER_CLIENT))).clone()
    }

    fn begin(&self, client_id: &str, sid: &str, uri: &str) -> Delivery {
        let mut kept = lock(&self.kept);
        kept.next += 1;
        let delivery = Delivery {
            id: kept.next,
            client_id: client_id.to_owned(),
            sid: sid.to_owned(),
            uri: uri.to_owned(),
            verdict: Verdict::Pending,
            attempts: 0,
            status: None,
        };
        if kept.deliveries.len() == MAX_KEPT {
            kept.deliveries.pop_front();
        }
        kept.deliveries.push_back(delivery.clone());
        delivery
    }

    fn update(&self, delivery: &Delivery) {
        let mut kept = lock(&self.kept);
        if let Some(own) = kept.deliveries.iter_mut().find(|own| own.id == delivery.id) {
            *own = delivery.clone();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says when a delivery has come to its end.
pub(crate) type Delivered = oneshot::Receiver<()>;

/// Tells an app's server that the session which it knows as `sid` is over. `None` if the app has no
/// such address.
pub(crate) fn tell(
    provider: &Shared,
    client: &Arc<Client>,
    sub: &str,
    about: SignOut<'_>,
) -> Option<Delivered> {
    client.backchannel_logout_uri.as_ref()?;
    let (own, client) = (provider.clone(), client.clone());
    let (sub, sid, number) = (sub.to_owned(), about.sid.to_owned(), about.number);
    Some(provider.back_channel.run(async move {
        deliver(&own, &client, &sub, SignOut { sid: &sid, number }).await;
    }))
}

/// Waits a moment for what was told: most apps have answered by then, and one that hangs does not
/// hold the person up (F3).
pub(crate) async fn wait_a_moment(told: Vec<Delivered>) {
    let all = futures_util::future::join_all(told);
    // Whatever is not done by then goes on by itself.
    let _done = timeout(MOMENT, all).await;
}

async fn deliver(provider: &Shared, client: &Client, sub: &str, about: SignOut<'_>) {
    let Some(uri) = &client.backchannel_logout_uri else { return };
    let mut delivery = provider.back_channel.begin(&client.id, about.sid, uri.without_query());
    let turns = provider.back_channel.turns_of(&client.id);
    // Until the end: an app that is down is asked by a few at a time. It is never closed.
    let Ok(_turn) = turns.acquire().await else { return };
    // Made now, however long it had to wait: its time is as fresh as the app expects.
    let token = match issue_logout_token(provider, client, sub, about).await {
        Ok(token) => token,
        Err(error) => {
            crate::log::line(&format!("no logout token for {}: {error}", client.id));
            delivery.verdict = Verdict::Unreachable;
            provider.back_channel.update(&delivery);
            return;
        }
    };
    // 2.5: the one parameter of the form. The same token at each attempt: it is one message.
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("logout_token", &token)
        .finish();
    let mut pauses = PAUSES.into_iter();
    loop {
        delivery.attempts += 1;
        delivery.status = post(provider, uri.as_str(), form.clone()).await.map(|s| s.as_u16());
        delivery.verdict = judged(delivery.status);
        let pause = (delivery.verdict == Verdict::Unreachable).then(|| pauses.next()).flatten();
        if pause.is_some() {
            delivery.verdict = Verdict::Pending;
        }
        provider.back_channel.update(&delivery);
        record(provider, client, &delivery);
        match pause {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return,
        }
    }
}

/// 2.8: success, or a refusal that no repetition mends, or nothing that says either.
fn judged(status: Option<u16>) -> Verdict {
    match status {
        Some(200..=299) => Verdict::Delivered,
        Some(408 | 425 | 429) => Verdict::Unreachable,
        Some(300..=499) => Verdict::Refused,
        Some(_) | None => Verdict::Unreachable,
    }
}

/// One attempt; the answer's status. Redirects are not followed: a token goes to the registered
/// address and to no other.
async fn post(provider: &Provider, uri: &str, form: String) -> Option<StatusCode> {
    let _connection = provider.back_channel.connections.acquire().await.ok()?;
    let request = Request::post(uri)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::CACHE_CONTROL, "no-store")
        .body(Body::from(Bytes::from(form)))
        .ok()?;
    let mut connector = HttpConnector::new_with_resolver(service_fn(resolve));
    connector.set_connect_timeout(Some(PATIENCE));
    // A connection of its own: apps in development come and go.
    let client =
        HttpClient::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
    let answer = timeout(PATIENCE, client.request(request)).await.ok()?.ok()?;
    Some(answer.status())
}

/// Names under `localhost` are this machine (RFC 6761, 6.3), also where its resolver does not know.
async fn resolve(name: Name) -> std::io::Result<std::vec::IntoIter<SocketAddr>> {
    let text = name.as_str();
    if text == "localhost" || text.ends_with(".localhost") {
        // Both: a server that listens at `localhost` may have either, and the second is tried when
        // the first does not answer.
        let both = [(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()];
        return Ok(Vec::from(both).into_iter());
    }
    let found: Vec<SocketAddr> = tokio::net::lookup_host((text, 0)).await?.collect();
    Ok(found.into_iter())
}

fn record(provider: &Provider, client: &Client, delivery: &Delivery) {
    let name = &client.name;
    let (step, detail) = match delivery.verdict {
        Verdict::Delivered => {
            (StepName::BackchannelDelivered, format!("{name}'s server has ended its session"))
        }
        Verdict::Pending => {
            (StepName::BackchannelRetried, format!("{name}'s server is told again in a moment"))
        }
        Verdict::Refused => {
            (StepName::BackchannelFailed, format!("{name}'s server does not take the logout token"))
        }
        Verdict::Unreachable => (
            StepName::BackchannelFailed,
            format!("{name}'s server could not be told that the session is over"),
        ),
    };
    let mut step = Step::new(step, "Back-Channel Logout 2.8", detail)
        .client(&delivery.client_id)
        .sid(&delivery.sid)
        .note("verdict", delivery.verdict.name())
        .note("attempts", delivery.attempts)
        .note("uri", delivery.uri.as_str());
    if let Some(status) = delivery.status {
        step = step.note("status", status);
    }
    provider.timeline.record(step);
}

/// How long the person waits for the apps' servers.
const MOMENT: Duration = Duration::from_secs(1);

/// For one attempt.
const PATIENCE: Duration = Duration::from_secs(5);

/// Before the second attempt and those after it. All are over before the token is (2.4: two
/// minutes at most).
const PAUSES: [Duration; 3] =
    [Duration::from_millis(200), Duration::from_secs(2), Duration::from_secs(10)];

/// More than a hundred apps that hang can take.
const MAX_CONNECTIONS: usize = 1_000;

const MAX_PER_CLIENT: usize = 8;

/// Some hundred sign-outs.
const MAX_KEPT: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn f3_names_of_this_machine_are_both_of_its_addresses() {
        for name in ["localhost", "app.localhost"] {
            let found: Vec<_> = resolve(name.parse().unwrap()).await.unwrap().collect();
            let both: [SocketAddr; 2] =
                [(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()];
            assert_eq!(found, both, "{name}");
        }
    }

    #[test]
    fn f3_only_what_time_may_mend_is_tried_again() {
        for (status, verdict) in [
            (Some(200), Verdict::Delivered),
            (Some(204), Verdict::Delivered),
            (Some(302), Verdict::Refused),
            (Some(400), Verdict::Refused),
            (Some(404), Verdict::Refused),
            (Some(429), Verdict::Unreachable),
            (Some(500), Verdict::Unreachable),
            (Some(503), Verdict::Unreachable),
            (None, Verdict::Unreachable),
        ] {
            assert_eq!(judged(status), verdict, "{status:?}");
        }
    }
}

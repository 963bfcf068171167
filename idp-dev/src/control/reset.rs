//! Everything as at the start, for the next test.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::back_channel;
use crate::provider::Shared;
use crate::session::{self, EndCause};

/// `POST /reset`: ends all sessions, so that open apps hear of it, then forgets grants, codes,
/// requests and the timeline and sets the clock back. Followers of the timeline still see the
/// ends; the list is empty afterwards. Deliveries to apps' servers have a moment, then they stop.
/// Keys stay.
pub(super) async fn post(State(provider): State<Shared>) -> Response {
    let isolated = provider.scenarios.all_isolated();
    let mut servers = Vec::new();
    for provider in isolated.iter().chain([&provider]) {
        for session in provider.store.sessions() {
            let told = session::end(provider, &session.id, EndCause::Reset).await;
            servers.extend(told.unwrap_or_default().servers);
        }
    }
    // Whoever answers at once has heard of it; what is still under way belongs to what was before.
    back_channel::wait_a_moment(servers).await;
    for provider in isolated.iter().chain([&provider]) {
        provider.store.clear();
        provider.back_channel.stop().await;
        provider.scenarios.reset(provider.config.scenarios.clone());
    }
    provider.people.reset();
    provider.clock.reset();
    provider.timeline.clear();
    StatusCode::NO_CONTENT.into_response()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::net::TcpListener;
    use tokio::sync::oneshot::error::TryRecvError;

    use super::*;
    use crate::provider::Provider;
    use crate::tokens::SignOut;
    use crate::{Clock, Config, MemoryStore};

    #[tokio::test]
    async fn f3_reset_stops_deliveries_under_way() {
        // It takes the token and never answers.
        let app = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/", app.local_addr().unwrap());
        let text = Config::EXAMPLE.replacen(
            "id = \"hooli\"",
            &format!("id = \"hooli\"\nbackchannel_logout_uri = \"{uri}\""),
            1,
        );
        let config = Config::parse("idp.toml", &text).unwrap();
        let provider =
            Provider::start(config, Clock::system(), Arc::new(MemoryStore::new()), false).unwrap();
        let hooli = provider.config.client("hooli").unwrap();
        let mut told = back_channel::tell(&provider, hooli, "sub", SignOut::of("sid")).unwrap();
        let _connection = app.accept().await.unwrap();
        assert_eq!(post(State(provider.clone())).await.status(), StatusCode::NO_CONTENT);
        assert_eq!(told.try_recv(), Err(TryRecvError::Closed), "it was stopped");
        assert!(provider.back_channel.deliveries().is_empty());
    }
}

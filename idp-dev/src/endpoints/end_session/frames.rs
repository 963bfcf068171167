//! The page that frames the sign-out pages of apps (Front-Channel Logout 1.0, 3).
//!
//! It goes on when all have loaded, and after a moment whatever they do: an app that hangs holds
//! nobody up (F3). What a frame can do there is the browser's affair: where it blocks third-party
//! cookies, the app's page sees none. Apps hear of the end by their stream or server too.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use crate::config::Client;
use crate::http::page_framing;
use crate::pages;
use crate::provider::Shared;
use crate::timeline::{Step, StepName};

/// One app's page, with what it needs to know.
pub(super) struct Framed<'a> {
    client: &'a Client,
    address: String,
}

/// The pages that are to be framed: those of the clients that were in the session, and with
/// `is_realm` those of all others too (F8). The app that asked signs itself out.
pub(super) fn addresses<'a>(
    provider: &'a Shared,
    joined: &[(String, String)],
    is_realm: bool,
    initiator: Option<&Client>,
) -> Vec<Framed<'a>> {
    let issuer = provider.config.issuer();
    let others = provider.config.clients.iter();
    let others = others.filter(|client| initiator.is_none_or(|own| own.id != client.id));
    let framed = others.filter_map(|client| {
        let uri = client.frontchannel_logout_uri.as_ref()?;
        let sid = joined.iter().find(|(client_id, _)| *client_id == client.id);
        let address = match sid {
            // Front-Channel Logout 1.0, 2: both or neither.
            Some((_, sid)) => uri.with_query(&[("iss", issuer), ("sid", sid)]),
            None if is_realm => uri.with_query(&[]),
            None => return None,
        };
        Some(Framed { client, address })
    });
    framed.collect()
}

/// The page. It is ours and loads nothing but those pages.
pub(super) fn respond(provider: &Shared, framed: &[Framed<'_>], next: &str) -> Response {
    provider.timeline.record(
        Step::new(
            StepName::FrontchannelPage,
            "Front-Channel Logout 3",
            format!("the browser loads the sign-out pages of {} apps", framed.len()),
        )
        .note(
            "apps",
            framed.iter().map(|one| one.client.id.as_str()).collect::<Vec<_>>().join(" "),
        ),
    );
    let apps: Vec<(&str, &str)> =
        framed.iter().map(|one| (one.client.name.as_str(), one.address.as_str())).collect();
    let origins: Vec<&str> = framed
        .iter()
        .filter_map(|one| one.client.frontchannel_logout_uri.as_ref()?.origin())
        .collect();
    let mut response = page_framing(StatusCode::OK, pages::signing_out(&apps, next), &origins);
    // Back must not frame them again.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

//! What all endpoints need of HTTP.

mod assets;
mod basic;
mod bearer;
mod body;
mod cookies;
mod cors;
mod form_token;
mod headers;
mod host;
mod respond;
mod sse;

pub(crate) use assets::{asset, asset_path};
pub(crate) use basic::basic_credentials;
pub(crate) use bearer::{BearerError, bearer_token};
pub(crate) use body::{FormError, read_form, read_limited};
pub(crate) use cookies::{
    CookieNames, SameSite, clear as clear_cookie, set as set_cookie, set_state as set_state_cookie,
};
pub(crate) use cors::{client_cors, observer_cors};
pub(crate) use form_token::{form_token, is_form_token};
pub(crate) use headers::{base_headers, origin_of, refuse_head};
pub(crate) use host::{is_loopback_host, refuse_other_hosts};
pub(crate) use respond::{framed_page, json, page, page_framing, see_other};
pub(crate) use sse::{SseEvent, event_stream};

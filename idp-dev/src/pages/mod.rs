//! The provider's pages: one card, one task. maud escapes everything that is put in (OP18).

mod account;
mod check_session;
mod layout;
mod login;
mod messages;
mod root;
mod sign_out;

use axum::http::StatusCode;
use axum::response::Response;

use crate::authorization_request::AuthorizationRequest;
use crate::http::page;

pub(crate) use account::{choose_account, not_assigned};
pub(crate) use check_session::check_session;
pub(crate) use login::login;
pub(crate) use messages::{already_answered, error, stale_form};
pub(crate) use root::root;
pub(crate) use sign_out::{SignOut, confirm_sign_out, sign_out_refused, signed_out, signing_out};

/// What a form about a parked request needs.
#[derive(Clone, Copy)]
pub(crate) struct Form<'a> {
    pub(crate) request: &'a AuthorizationRequest,
    /// The opaque id of the parked request.
    pub(crate) id: &'a str,
    pub(crate) csrf: &'a str,
}

/// For an address that was good once: too old, used up, or made up.
pub(crate) fn expired() -> Response {
    page(StatusCode::BAD_REQUEST, messages::expired())
}

//! The tokens that the provider gives: one kind a file.

mod access_token;
mod id_token;
mod logout_token;
mod refresh_token;
mod security_event;

use crate::clock::Seconds;

pub(crate) use access_token::{
    AccessToken, Scope, issue_access_token, read_access_token, read_own_access_token,
};
pub(crate) use id_token::{IdTokenHint, IdTokenRequest, issue_id_token, read_id_token_hint};
pub(crate) use logout_token::{SignOut, issue_logout_token};
pub(crate) use refresh_token::RefreshTokens;
pub(crate) use security_event::{SecurityEvent, issue_security_event};

/// The life of a code (issue: 60 s; RFC 6749, 4.1.2 allows ten minutes at most).
pub(crate) const CODE_LIFETIME: Seconds = Seconds(60);

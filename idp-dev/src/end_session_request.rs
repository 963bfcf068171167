//! A request to sign out, as it waits for its continuation.

use crate::params::Params;

/// The parameters as they came (RP-Initiated Logout 1.0, 2), and whether the person has agreed.
/// They are checked when they are used, because the session may change in between.
#[derive(Clone, Debug)]
pub struct EndSessionRequest {
    pub(crate) params: Params,
}

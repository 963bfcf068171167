//! Sessions that end by themselves, also when nobody asks for them.

use std::sync::Weak;
use std::time::Duration;

use tokio::sync::watch;

use super::{EndCause, end};
use crate::provider::{Provider, Shared};
use crate::store::SsoSession;

/// Ends sessions whose lifetime is over, until the provider is gone. Looks once a second, and at
/// once when somebody moves the clock.
pub(crate) async fn watch_expiry(provider: Weak<Provider>, mut clock: watch::Receiver<u64>) {
    let mut is_clock_alive = true;
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            changed = clock.changed(), if is_clock_alive => is_clock_alive = changed.is_ok(),
        }
        let Some(provider) = provider.upgrade() else { return };
        expire_due(&provider).await;
    }
}

/// Ends every session whose lifetime is over now.
pub(crate) async fn expire_due(provider: &Shared) {
    let now = provider.clock.now();
    let is_due = |session: &SsoSession| session.has_expired(&provider.config, now);
    for id in provider.store.session_ids(&is_due) {
        end(provider, &id, EndCause::Expired).await;
    }
}

const LOOK_EVERY: Duration = Duration::from_secs(1);

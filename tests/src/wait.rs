//! Waiting for a state, never for a duration.

use anyhow::{Result, bail};
use std::fmt::Display;
use std::time::{Duration, Instant};

use crate::engine::Cannot;

/// How long a state may take to come. Generous: a slow machine must not fail a right program.
pub const LIMIT: Duration = Duration::from_secs(30);

/// How often a state is looked at.
const BEAT: Duration = Duration::from_millis(20);

/// How long a state may take that comes only after a pause of the program's own, such as a
/// reconnect.
pub const LONG_LIMIT: Duration = Duration::from_secs(100);

/// Asks again and again until there is an answer.
///
/// A failing question counts as "not yet": pages come and go while they are looked at. When time is
/// up, the last failure is told.
///
/// # Errors
/// When there is no answer within [`LIMIT`].
pub async fn until<T>(
    what: impl Display,
    ask: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    until_within(LIMIT, what, ask).await
}

/// The same, with another limit.
///
/// # Errors
/// When there is no answer within the limit.
pub async fn until_within<T>(
    limit: Duration,
    what: impl Display,
    mut ask: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let began = Instant::now();
    loop {
        let last = match ask().await {
            Ok(Some(answer)) => return Ok(answer),
            Ok(None) => None,
            // Waiting makes no driver able.
            Err(error) if error.downcast_ref::<Cannot>().is_some() => return Err(error),
            Err(error) => Some(error),
        };
        if began.elapsed() > limit {
            match last {
                Some(error) => return Err(error.context(format!("waited in vain for {what}"))),
                None => bail!("waited in vain for {what}"),
            }
        }
        tokio::time::sleep(BEAT).await;
    }
}

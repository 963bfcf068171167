//! What was learnt of the provider before leaving for it, kept for the page that comes back: so
//! that a callback costs one request.
//!
//! It lies beside the attempt, in the tab's own storage. Whoever can write there runs in this origin
//! and could as well replace the page: it is believed as far as the page itself is. What is old,
//! broken or of another issuer is as if it were not there.

use crate::{
    config::Config,
    json::{Value, Writer, read},
    jwk::KeySet,
    metadata::Metadata,
    time::{Seconds, UnixTime, difference},
};
use alloc::string::String;

/// How long it counts: as long as the attempt that it was kept for.
const LIFETIME: Seconds = crate::attempt::LIFETIME;

/// How long keys may be used that could not be fetched anew.
const LONGEST_USE: Seconds = Seconds(24 * 3600);

const VERSION: i64 = 1;

/// A key set, and when it was fetched by the local clock.
#[derive(Clone, Debug)]
pub(crate) struct DatedKeys {
    pub(crate) keys: KeySet,
    pub(crate) fetched_at: UnixTime,
}

impl DatedKeys {
    /// Keys of which only somebody else knows how old they are: used, and fetched anew meanwhile.
    pub(crate) fn undated(keys: KeySet, now: UnixTime) -> Self {
        Self { keys, fetched_at: UnixTime(difference(now.0, LIFETIME.0)) }
    }

    /// Whether they need not be fetched anew.
    pub(crate) fn is_recent(&self, now: UnixTime) -> bool {
        is_recent(self.fetched_at, now)
    }

    /// Whether they may be used while they are fetched anew. A provider takes a key away that is not
    /// to be believed any more, and a page can stay open for weeks.
    pub(crate) fn is_usable(&self, now: UnixTime) -> bool {
        difference(now.0, self.fetched_at.0).saturating_abs() < LONGEST_USE.0
    }
}

/// The record.
pub(crate) fn write(
    metadata: &Metadata,
    issuer: &str,
    keys: Option<&DatedKeys>,
    now: UnixTime,
) -> String {
    let mut writer = Writer::default();
    writer.open('{');
    writer.name("version");
    writer.integer(VERSION);
    writer.name("at");
    writer.integer(now.0);
    writer.name("metadata");
    metadata.write(issuer, &mut writer);
    if let Some(DatedKeys { keys, fetched_at }) = keys {
        writer.name("keys_at");
        writer.integer(fetched_at.0);
        writer.member("keys", keys.text());
    }
    writer.close('}');
    writer.finish()
}

/// What a record says of the issuer, as far as it still counts.
pub(crate) fn read_record(
    text: &str,
    config: &Config,
    now: UnixTime,
) -> Option<(Metadata, Option<DatedKeys>)> {
    let record = read(text.as_bytes()).ok()?;
    let time = |name| record.get(name).and_then(Value::as_integer).map(UnixTime);
    if time("version") != Some(UnixTime(VERSION)) || !is_recent(time("at")?, now) {
        return None;
    }
    let metadata = Metadata::of(record.get("metadata")?, config).ok()?;
    let keys = record.str("keys").and_then(|text| KeySet::read(text.as_bytes()).ok());
    let keys = keys.zip(time("keys_at")).map(|(keys, fetched_at)| DatedKeys { keys, fetched_at });
    Some((metadata, keys.filter(|keys| keys.is_recent(now))))
}

/// A time in the future is of a clock that was set back since.
fn is_recent(at: UnixTime, now: UnixTime) -> bool {
    at <= now && now < at.plus(LIFETIME)
}

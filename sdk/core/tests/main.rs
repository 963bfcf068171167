//! The machine in a simulated world: real signatures, several tabs, a scripted provider, a stopped
//! clock.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

mod another_user;
mod asleep;
mod bad_days;
mod callback;
mod checklist;
mod clock;
mod confirm;
mod corpora;
mod diagnosis;
mod discovery;
mod door;
mod forms;
mod front_channel;
mod id_token;
mod journey;
mod json;
mod json_doors;
mod kept;
mod key_choice;
mod key_fetches;
mod learnt;
mod lifetime;
mod logout;
mod offline;
mod popup;
mod probe;
mod properties;
mod relay;
mod revocation;
mod rungs;
mod security_event;
mod signatures;
mod silent;
mod start;
mod stream;
mod survivors;
mod tab_refresh;
mod tabs;
mod targets;
mod token_response;
mod vectors;
mod watch;
mod world;

//! The provider against the security checklist's rows OP1 to OP33 and the conformance suite's
//! modules for providers: the program itself, by raw requests over a socket. `docs/security.md`
//! is the table of the rows.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what fails here is a failed test"
)]

#[path = "../common/ask.rs"]
#[allow(dead_code, reason = "the other tests use all of it")]
mod ask;
mod authorization;
mod codes;
mod conformance;
#[path = "../common/fields.rs"]
mod fields;
mod floods;
mod forms;
mod logout;
mod person;
#[path = "../program/mod.rs"]
mod program;
#[path = "../common/registered.rs"]
mod registered;
#[path = "../common/tokens.rs"]
mod token_response;
mod tokens;
mod transport;
mod wire;

use wire::encoded;

//! The fuzzer's corpora, replayed, and inputs near theirs: requests and configurations. `cargo xtask
//! fuzz` looks for more.

#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

#[path = "../../tests/fuzz/src/provider.rs"]
mod provider;
#[path = "../../tests/fuzz/src/replay.rs"]
mod replay;

const CORPORA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fuzz/corpus");

/// Some seconds for each target.
const OTHERS: usize = 5_000;

fn replay(target: &str, run: fn(&[u8])) {
    replay::replay(CORPORA, target, OTHERS, run);
}

#[test]
fn op29_fuzz_corpus_requests() {
    replay("idp_request", provider::idp_request);
}

#[test]
fn op29_fuzz_corpus_configurations() {
    replay("idp_config", provider::idp_config);
}

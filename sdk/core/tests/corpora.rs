//! The fuzzer's corpora, replayed: what it once found interesting, every input that once broke
//! something, and others near those. `cargo xtask fuzz` looks for more.

#[path = "../../../tests/fuzz/src/client.rs"]
#[allow(unused_must_use, reason = "the fuzzer's crate has lints of its own")]
mod client;
#[path = "../../../tests/fuzz/src/replay.rs"]
mod replay;

const CORPORA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fuzz/corpus");

/// Some seconds for each target.
const OTHERS: usize = 5_000;

fn replay(target: &str, run: fn(&[u8])) {
    replay::replay(CORPORA, target, OTHERS, run);
}

#[test]
fn fuzzed_page_signs_in_when_all_is_good() {
    assert!(client::good_page_signs_in());
}

#[test]
fn fuzz_corpus_callback() {
    replay("callback", client::callback);
}

#[test]
fn rp26_fuzz_corpus_json() {
    replay("json", client::json);
}

#[test]
fn fuzz_corpus_jwt() {
    replay("jwt", client::jwt);
}

#[test]
fn fuzz_corpus_jwks() {
    replay("jwks", client::jwks);
}

#[test]
fn fuzz_corpus_discovery() {
    replay("discovery", client::discovery);
}

#[test]
fn fuzz_corpus_token_response() {
    replay("token_response", client::token_response);
}

#[test]
fn fuzz_corpus_event_stream() {
    replay("event_stream", client::event_stream);
}

#[test]
fn fuzz_corpus_attempt() {
    replay("attempt", client::attempt);
}

#[test]
fn fuzz_corpus_broadcast() {
    replay("broadcast", client::broadcast);
}

#[test]
fn fuzz_corpus_door() {
    replay("door", client::door);
}

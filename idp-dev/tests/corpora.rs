//! The fuzzer's corpora, replayed: requests and configurations. `cargo xtask fuzz` looks for more.

#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::fs;
use std::path::Path;

#[path = "../../tests/fuzz/src/provider.rs"]
mod provider;

fn replay(target: &str, run: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpus").join(target);
    let mut inputs = 0;
    for entry in fs::read_dir(&corpus).unwrap() {
        let path = entry.unwrap().path();
        // Told by the test's output if the next line panics.
        println!("{}", path.display());
        run(&fs::read(&path).unwrap());
        inputs += 1;
    }
    assert!(inputs > 0, "{target} has no corpus");
}

#[test]
fn op29_fuzz_corpus_requests() {
    replay("idp_request", provider::idp_request);
}

#[test]
fn op29_fuzz_corpus_configurations() {
    replay("idp_config", provider::idp_config);
}

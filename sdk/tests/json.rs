//! The core's JSON reader as wasm: the answers that it gives natively (`sdk/core/tests/json.rs`).
#![cfg(target_arch = "wasm32")]

use gatepass_core::json::read;
use gatepass_vectors::documents;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
fn rp26_the_public_documents_are_read_as_i_json() {
    let documents = documents();
    assert!(documents.len() > 250, "only {} documents", documents.len());
    for document in documents {
        let read = read(document.text.as_bytes());
        assert_eq!(read.is_ok(), document.is_accepted, "{}: {read:?}", document.name);
    }
}

//! Runs one wasm test binary in a headless browser: what `cargo xtask test effects` starts.
//!
//! The official runner, as a library pinned by Cargo.lock, so that nobody installs a tool and no
//! version can differ from the one that the tests were compiled with.

fn main() -> anyhow::Result<()> {
    wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(std::env::args_os())
}

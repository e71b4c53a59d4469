//! wasm-bindgen and its test runner as one binary of this workspace.
//!
//! A crate and the `wasm-bindgen` that post-processes it must be of the same version. Here Cargo.lock
//! pins both, and nothing has to be installed beside the checkout.
//!
//! - `xtask-bindgen bindgen ARGS…` is `wasm-bindgen ARGS…`
//! - `xtask-bindgen FILE.wasm ARGS…` is `wasm-bindgen-test-runner FILE.wasm ARGS…`: what cargo calls
//!   when this binary is the target's runner.

use std::ffi::OsString;

fn main() -> anyhow::Result<()> {
    let mut args: Vec<OsString> = std::env::args_os().collect();
    if args.get(1).is_some_and(|first| first == "bindgen") {
        args.remove(1);
        wasm_bindgen_cli::wasm_bindgen::run_cli_with_args(args)
    } else {
        wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(args)
    }
}

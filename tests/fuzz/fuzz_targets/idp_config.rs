#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gatepass_fuzz::provider::idp_config(data));

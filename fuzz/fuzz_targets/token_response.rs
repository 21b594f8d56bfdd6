//! Looks for inputs; what must hold of them is in `src/token_response.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| leptos_pkce_fuzz::token_response::check(data));

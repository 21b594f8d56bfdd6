//! Looks for inputs; what must hold of them is in `src/challenge.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| leptos_pkce_fuzz::challenge::check(data));

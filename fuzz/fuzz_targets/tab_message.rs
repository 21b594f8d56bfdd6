//! Looks for inputs; what must hold of them is in `src/tab_message.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| leptos_pkce_fuzz::tab_message::check(data));

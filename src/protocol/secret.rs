//! Values that must not be printed, and the one way to open them.
//!
//! In scope: the newtypes of every value whose disclosure harms somebody.
//! Out of scope: keeping memory secret from the page itself, which no code in a page can do.
//!
//! Rule: a secret has no `Display`, its `Debug` shows no character of it, and only `expose()` opens it, so a
//! search for `expose(` is the audit. The memory is overwritten on drop as far as safe Rust allows.
//!
//! Source: RFC 6749 §10.3 to §10.5; RFC 7636 §7.1.

use std::fmt;
use std::hint::black_box;

/// The text behind every secret newtype; overwritten when dropped.
#[derive(Clone, PartialEq, Eq)]
struct Text(String);

impl Drop for Text {
    fn drop(&mut self) {
        let mut octets = std::mem::take(&mut self.0).into_bytes();
        octets.fill(0);
        // Without this the compiler may see that nobody reads the zeros and leave them out.
        black_box(&octets);
    }
}

/// Declares a secret newtype; further derives (`Clone`) are spelled out where a secret may be copied.
macro_rules! secrets {
    ($($(#[$attribute:meta])* $name:ident)+) => {$(
        $(#[$attribute])*
        #[derive(PartialEq, Eq)]
        pub struct $name(Text);

        impl $name {
            /// Wraps a secret as it was received or made.
            pub fn new(text: impl Into<String>) -> Self {
                Self(Text(text.into()))
            }

            /// Opens the secret. Whoever calls this answers for where the text goes.
            pub fn expose(&self) -> &str {
                &self.0.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }
    )+};
}

secrets! {
    /// The access token: opaque to this client, never parsed (RFC 6749 §1.4).
    #[derive(Clone)]
    AccessToken
    /// The authorization code (RFC 6749 §1.3.1). Not `Clone`: it is sent once.
    AuthorizationCode
    /// The code verifier (RFC 7636 §4.1). Not `Clone`: one verifier belongs to one request.
    CodeVerifier
    /// The proof that goes with one request (RFC 9449 §4.1). Not `Clone`: a retry needs a new one.
    DpopProof
    /// The ID token in its compact form: an assertion about a person (OpenID Connect Core §2).
    #[derive(Clone)]
    IdToken
    /// The value that binds an ID token to its request (OpenID Connect Core §3.1.2.1).
    #[derive(Clone)]
    Nonce
    /// The refresh token (RFC 6749 §1.5).
    #[derive(Clone)]
    RefreshToken
    /// The value that binds a response to its request (RFC 6749 §4.1.1).
    #[derive(Clone)]
    State
    /// What is signed to make a proof (RFC 9449 §4.2). Not `Clone`: it is signed once.
    UnsignedDpopProof
}

#[cfg(test)]
mod tests {
    use super::*;

    /// OPS-1: no secret type shows a character of its value.
    #[test]
    fn debug_of_every_secret_is_redacted() {
        assert_eq!(format!("{:?}", AccessToken::new("canary")), "AccessToken([redacted])");
        assert_eq!(format!("{:?}", AuthorizationCode::new("canary")), "AuthorizationCode([redacted])");
        assert_eq!(format!("{:?}", CodeVerifier::new("canary")), "CodeVerifier([redacted])");
        assert_eq!(format!("{:?}", DpopProof::new("canary")), "DpopProof([redacted])");
        assert_eq!(format!("{:?}", IdToken::new("canary")), "IdToken([redacted])");
        assert_eq!(format!("{:?}", Nonce::new("canary")), "Nonce([redacted])");
        assert_eq!(format!("{:?}", RefreshToken::new("canary")), "RefreshToken([redacted])");
        assert_eq!(format!("{:?}", State::new("canary")), "State([redacted])");
        assert_eq!(format!("{:?}", UnsignedDpopProof::new("canary")), "UnsignedDpopProof([redacted])");
    }

    #[test]
    fn expose_gives_the_text_back() {
        assert_eq!(AccessToken::new("2YotnFZFEjr1zCsicMWpAA").expose(), "2YotnFZFEjr1zCsicMWpAA");
    }
}

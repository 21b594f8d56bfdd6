//! Claims about a person: the members of a verified ID token or of the user info response, by their types.
//!
//! Rule: a person is known by issuer and `sub`, never by an email address, which may change hands. A claim of another type
//! than its definition says is no claim. Claims that point to other sources are data: nothing is fetched for them.
//!
//! Source: OpenID Connect Core §5.1, §5.6, §5.7.

use std::fmt;

use super::json::Value;
use super::time::UnixTime;

/// Claims about one person. Personal data, so its `Debug` shows none.
#[derive(Clone, PartialEq)]
pub struct Claims(pub(super) Value);

// A document holds no number that differs from itself.
impl Eq for Claims {}

/// Declares the claims that are texts.
macro_rules! texts {
    ($($(#[$attribute:meta])* $name:ident)+) => {$(
        $(#[$attribute])*
        pub fn $name(&self) -> Option<&str> {
            self.0.text(stringify!($name))
        }
    )+};
}

impl Claims {
    /// The subject: who it is, at this issuer.
    pub fn sub(&self) -> &str {
        self.0.text("sub").unwrap_or_default()
    }

    texts! {
        /// The whole name for display.
        name
        /// The given name or names.
        given_name
        /// The family name or names.
        family_name
        /// A name that the person prefers; not unique, and may change.
        preferred_username
        /// The address of a picture; as untrusted as any URL.
        picture
        /// The preferred email address; may change, and may be somebody else's tomorrow.
        email
        /// The language and region, e.g. `en-GB`.
        locale
        /// The time zone, e.g. `Europe/Paris`.
        zoneinfo
        /// The authentication context class that was met.
        acr
    }

    /// Whether the server has seen that the email address is the person's.
    pub fn email_verified(&self) -> Option<bool> {
        match self.0.member("email_verified")? {
            Value::Bool(is_verified) => Some(*is_verified),
            _ => None,
        }
    }

    /// When the person signed in at the server.
    pub fn auth_time(&self) -> Option<UnixTime> {
        numeric_date(self.0.member("auth_time")?)
    }

    /// Any claim, as it came.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.member(name)
    }

    /// Everything, as it came.
    pub fn document(&self) -> &Value {
        &self.0
    }

    /// For a record: as text, because a record is compared with what was read back, and a fraction of a number may be
    /// written in fewer digits than it had.
    pub(super) fn encode(&self) -> Value {
        Value::String(self.0.to_text())
    }

    /// Reads a record back.
    pub(super) fn decode(record: &Value) -> Option<Self> {
        let claims = Value::parse(record.as_str()?.as_bytes()).ok()?;
        claims.as_object()?;
        Some(Self(claims))
    }
}

/// Seconds since 1970, with or without a fraction (RFC 7519 §2).
pub(super) fn numeric_date(value: &Value) -> Option<UnixTime> {
    match value {
        // In bounds, so the conversion only drops a fraction.
        Value::Number(number) if (0.0..=9_007_199_254_740_992.0).contains(number) => Some(UnixTime(*number as u64)),
        _ => None,
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claims([redacted])")
    }
}

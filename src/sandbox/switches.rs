//! Misbehaviour, as data: what can be switched on, and what of the client it exercises.
//!
//! All are off by default and stay on until they are set anew.

use super::http::{Request, Response};
use crate::protocol::json::Value;

/// One way to misbehave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    /// Its stable name.
    pub name: &'static str,
    /// Where in the flow it acts.
    pub phase: Phase,
    /// What the server then does, in a clause.
    pub meaning: &'static str,
    /// The requirements, attacks or faults (`CB-6`, `A5`, `F8`) that it exercises.
    pub exercises: &'static [&'static str],
}

/// A part of the flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The redirect back to the client.
    AuthorizationResponse,
    /// The answer of the token endpoint.
    TokenResponse,
    /// The answer of the API.
    Resource,
}

/// The names of those that are on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Switches(Vec<&'static str>);

/// Declares the switches; each is a constant that the code names, and a row of [`ALL`].
macro_rules! switches {
    ($($constant:ident: $phase:ident, $name:literal, $meaning:literal, [$($id:literal),*];)+) => {
        $(pub(super) const $constant: &str = $name;)+

        /// Every switch, in the order of the flow.
        pub const ALL: &[Switch] = &[$(
            Switch { name: $name, phase: Phase::$phase, meaning: $meaning, exercises: &[$($id),*] },
        )+];
    };
}

switches! {
    ISS_WRONG: AuthorizationResponse, "iss-wrong", "iss has one character more than the issuer", ["CB-6", "A5"];
    ISS_MISSING: AuthorizationResponse, "iss-missing", "iss is left out though the metadata announces it", ["CB-6", "A5"];
    ISS_FOREIGN: AuthorizationResponse, "iss-foreign", "iss names another server", ["CB-6", "A5"];
    STATE_WRONG: AuthorizationResponse, "state-wrong", "state comes back changed", ["CB-1", "A1"];
    STATE_MISSING: AuthorizationResponse, "state-missing", "state is left out", ["CB-1", "A1"];
    STATE_FOREIGN: AuthorizationResponse, "state-foreign", "state is that of nobody's request", ["CB-1", "CB-2", "A2"];
    CODE_SWAPPED: AuthorizationResponse, "code-swapped", "the code belongs to another request", ["AUT-2", "A3"];
    CODE_EXPIRED: AuthorizationResponse, "code-expired", "the code has expired already", ["TOK-13"];
    CODE_USED: AuthorizationResponse, "code-used", "the code was used already", ["TOK-13", "TOK-14"];
    PKCE_IGNORED: TokenResponse, "pkce-ignored", "the code verifier is not looked at", ["AUT-2", "A4"];
    TOKEN_SLOW: TokenResponse, "token-slow", "the answer comes after a minute", ["TOK-15"];
    TOKEN_LOST: TokenResponse, "token-lost", "the code is spent and the connection breaks", ["TOK-14"];
    TOKEN_REDIRECTED: TokenResponse, "token-redirected", "the answer is a redirect", ["TOK-3", "A12"];
    TOKEN_HTML: TokenResponse, "token-html", "the answer is an HTML page", ["TOK-5"];
    TOKEN_ENDLESS: TokenResponse, "token-endless", "the answer never ends", ["TOK-16"];
    TOKEN_429: TokenResponse, "token-429", "too many requests, with Retry-After", ["TOK-13", "F8"];
    NO_EXPIRES_IN: TokenResponse, "token-without-expires-in", "expires_in is left out", ["TOK-8"];
    TOKEN_TYPE_OTHER: TokenResponse, "token-type-other", "token_type is mac", ["TOK-6"];
    SCOPE_NARROWER: TokenResponse, "scope-narrower", "less scope is granted than was asked for", ["TOK-9", "A48"];
    API_401: Resource, "api-401", "the token is refused as invalid", ["RS-7"];
    API_401_BARE: Resource, "api-401-bare", "401 without a challenge", ["RS-7"];
    API_403: Resource, "api-403", "the scope is refused as insufficient", ["RS-8"];
    API_403_BARE: Resource, "api-403-bare", "403 without a challenge", ["RS-8"];
    API_429: Resource, "api-429", "too many requests, with Retry-After", ["RS-11", "F8"];
}

impl Switches {
    /// Those of these names.
    ///
    /// # Errors
    /// The first name that is none.
    pub fn on<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, &'a str> {
        let known = |name| ALL.iter().find(|switch| switch.name == name).map(|switch| switch.name).ok_or(name);
        names.into_iter().map(known).collect::<Result<_, _>>().map(Self)
    }

    /// The names of those that are on.
    pub fn names(&self) -> &[&'static str] {
        &self.0
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains(&name)
    }

    /// Reads `{ "on": ["name", …] }`.
    pub(super) fn read(request: &Request) -> Result<Self, Response> {
        let refused = |description: &str| Response::oauth_error(400, "invalid_request", description);
        let document = Value::parse(&request.body).map_err(|error| refused(&error.to_string()))?;
        let names = document.member("on").and_then(Value::as_array).map(|names| names.iter().map(Value::as_str));
        let names: Option<Vec<&str>> = names.and_then(Iterator::collect);
        let names = names.ok_or_else(|| refused("send {\"on\": [names]}"))?;
        Self::on(names).map_err(|name| refused(&format!("there is no switch {name}")))
    }
}

/// The table, with what is on.
pub(super) fn list(on: &Switches) -> Response {
    let text = |text: &str| Some(Value::string(text));
    let row = |switch: &Switch| {
        Value::object(vec![
            ("name", text(switch.name)),
            ("phase", text(switch.phase.as_str())),
            ("meaning", text(switch.meaning)),
            ("exercises", Some(Value::Array(switch.exercises.iter().map(|id| Value::string(id)).collect()))),
            ("on", Some(Value::Bool(on.has(switch.name)))),
        ])
    };
    Response::json(200, &Value::object(vec![("switches", Some(Value::Array(ALL.iter().map(row).collect())))]))
}

impl Phase {
    /// The phase in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationResponse => "authorization response",
            Self::TokenResponse => "token response",
            Self::Resource => "API",
        }
    }
}

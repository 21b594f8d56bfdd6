//! The authorization request: what a client asks for, checked, and as the server remembers it.
//!
//! In scope: every parameter but those that say who asks and where the answer goes; what is wrong with them.
//! Out of scope: how the request came, directly or pushed, and what becomes of it.
//!
//! Source: RFC 6749 §3.1, §4.1.1, §4.1.2.1; RFC 7636 §4.3, §4.4.1; RFC 8707 §2.1; RFC 9449 §10; OpenID Connect Core §3.1.2.1.

use super::authentication::Level;
use super::http::Parameters;
use super::metadata::SCOPES;
use super::resources;
use crate::protocol::json::Value;
use crate::protocol::time::Seconds;
use crate::protocol::url::Url;

/// A request that may be answered at its redirect URI.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct AuthorizationRequest {
    pub client_id: String,
    pub redirect_uri: String,
    pub scope: String,
    pub state: Option<String>,
    pub nonce: Option<String>,
    pub code_challenge: String,
    pub prompt: Vec<String>,
    pub max_age: Option<Seconds>,
    /// The level of authentication that `acr_values` asks for.
    pub level: Option<Level>,
    pub login_hint: Option<String>,
    /// Where the tokens are to be good for; everywhere if there is none.
    pub resources: Vec<String>,
    /// The thumbprint of the key that the code is bound to.
    pub dpop_jkt: Option<String>,
}

/// An error that the client is told (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6).
pub(super) struct Refusal {
    pub error: &'static str,
    pub description: &'static str,
}

impl AuthorizationRequest {
    /// Checks everything but client and redirect URI, which are known to be right.
    pub(super) fn check(
        issuer: &Url,
        parameters: &Parameters,
        client_id: &str,
        redirect_uri: &str,
    ) -> Result<Self, Refusal> {
        let value = |name: &str| parameters.value(name);
        let refuse = |error, description| Err(Refusal { error, description });
        if value("request").is_some() {
            return refuse("request_not_supported", "request objects are not supported");
        }
        if value("request_uri").is_some() {
            return refuse("request_uri_not_supported", "request_uri is not supported");
        }
        match value("response_type") {
            None => return refuse("invalid_request", "response_type is missing"),
            Some("code") => {}
            Some(_) => return refuse("unsupported_response_type", "only code is supported"),
        }
        if !matches!(value("response_mode"), None | Some("query")) {
            return refuse("invalid_request", "only response_mode query is supported");
        }
        let scope = value("scope").unwrap_or_default();
        if !scope.is_empty() && !scope.split(' ').all(|token| SCOPES.contains(&token)) {
            return refuse("invalid_scope", "a scope is unknown");
        }
        // RFC 7636 §4.4.1: PKCE is required here, and only by S256.
        let Some(code_challenge) = value("code_challenge") else {
            return refuse("invalid_request", "code_challenge is missing");
        };
        if !is_hash(code_challenge) {
            return refuse("invalid_request", "code_challenge is not 43 characters of base64url");
        }
        if value("code_challenge_method") != Some("S256") {
            return refuse("invalid_request", "code_challenge_method is not S256");
        }
        let prompt: Vec<String> = value("prompt").unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        if !prompt.iter().all(|word| ["none", "login", "consent", "select_account"].contains(&word.as_str())) {
            return refuse("invalid_request", "a value of prompt is unknown");
        }
        if prompt.len() > 1 && prompt.iter().any(|word| word == "none") {
            return refuse("invalid_request", "prompt is none and something else");
        }
        let max_age = match value("max_age").map(str::parse) {
            None => None,
            Some(Ok(seconds)) => Some(Seconds(seconds)),
            Some(Err(_)) => return refuse("invalid_request", "max_age is no number of seconds"),
        };
        if let Err(description) = resources::check(issuer, &parameters.resources) {
            return refuse("invalid_target", description);
        }
        let dpop_jkt = value("dpop_jkt");
        if !dpop_jkt.is_none_or(is_hash) {
            return refuse("invalid_request", "dpop_jkt is no thumbprint");
        }
        Ok(Self {
            client_id: client_id.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            scope: scope.to_owned(),
            state: value("state").map(str::to_owned),
            nonce: value("nonce").map(str::to_owned),
            code_challenge: code_challenge.to_owned(),
            prompt,
            max_age,
            level: value("acr_values").and_then(Level::wanted),
            login_hint: value("login_hint").map(str::to_owned),
            resources: parameters.resources.clone(),
            dpop_jkt: dpop_jkt.map(str::to_owned),
        })
    }

    pub(super) fn encode(&self) -> Value {
        let text = |text: &str| Some(Value::string(text));
        let optional = |text: &Option<String>| text.as_deref().map(Value::string);
        Value::object(vec![
            ("client_id", text(&self.client_id)),
            ("redirect_uri", text(&self.redirect_uri)),
            ("scope", text(&self.scope)),
            ("state", optional(&self.state)),
            ("nonce", optional(&self.nonce)),
            ("code_challenge", text(&self.code_challenge)),
            ("prompt", text(&self.prompt.join(" "))),
            ("max_age", self.max_age.map(|most| Value::from(most.0))),
            ("acr", self.level.map(|level| Value::string(level.as_str()))),
            ("login_hint", optional(&self.login_hint)),
            ("resources", Some(Value::Array(self.resources.iter().map(|text| Value::string(text)).collect()))),
            ("dpop_jkt", optional(&self.dpop_jkt)),
        ])
    }

    pub(super) fn decode(record: &Value) -> Option<Self> {
        let text = |name: &str| record.text(name).map(str::to_owned);
        Some(Self {
            client_id: text("client_id")?,
            redirect_uri: text("redirect_uri")?,
            scope: text("scope")?,
            state: text("state"),
            nonce: text("nonce"),
            code_challenge: text("code_challenge")?,
            prompt: text("prompt")?.split_whitespace().map(str::to_owned).collect(),
            max_age: record.member("max_age").and_then(Value::as_whole_number).map(Seconds),
            level: record.text("acr").and_then(Level::parse),
            login_hint: text("login_hint"),
            resources: resources::decode(record)?,
            dpop_jkt: text("dpop_jkt"),
        })
    }
}

/// Whether a text is 32 octets in base64url, as SHA-256 has them.
fn is_hash(text: &str) -> bool {
    let is_base64url = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_';
    text.len() == 43 && text.bytes().all(is_base64url)
}

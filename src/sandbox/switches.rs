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
    /// What the server says about itself.
    Metadata,
    /// The answer to a pushed authorization request, and what becomes of it.
    PushedRequest,
    /// The redirect back to the client.
    AuthorizationResponse,
    /// The answer of the token endpoint.
    TokenResponse,
    /// Proofs of possession, wherever they are sent.
    Proof,
    /// The ID token.
    IdToken,
    /// The keys that verify it.
    Keys,
    /// The answer of the user info endpoint.
    UserInfo,
    /// The answer of the API.
    Resource,
    /// The answer to a refresh token.
    Refresh,
    /// The answer to a token that is given back.
    Revocation,
    /// The redirect back to the client after somebody signed out.
    EndSession,
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
    METADATA_ISSUER_WRONG: Metadata, "metadata-issuer-wrong", "the metadata is that of another issuer", ["CFG-7", "A6"];
    JWKS_URI_ELSEWHERE: Metadata, "jwks-uri-elsewhere", "the keys are at another address than usual, which is lawful", ["JOSE-11"];
    PAR_REQUIRED: PushedRequest, "par-required", "requests that were not pushed are refused", ["AUT-11"];
    PAR_REFUSED: PushedRequest, "par-refused", "every pushed request is refused", ["AUT-11"];
    PAR_EXPIRED: PushedRequest, "par-expired", "a pushed request has expired when it is used", ["AUT-11"];
    ISS_WRONG: AuthorizationResponse, "iss-wrong", "iss has one character more than the issuer", ["CB-6", "A5"];
    ISS_MISSING: AuthorizationResponse, "iss-missing", "iss is left out though the metadata announces it", ["CB-6", "A5"];
    ISS_FOREIGN: AuthorizationResponse, "iss-foreign", "iss names another server", ["CB-6", "A5"];
    STATE_WRONG: AuthorizationResponse, "state-wrong", "state comes back changed", ["CB-1", "A1"];
    STATE_MISSING: AuthorizationResponse, "state-missing", "state is left out", ["CB-1", "A1"];
    STATE_FOREIGN: AuthorizationResponse, "state-foreign", "state is that of nobody's request", ["CB-1", "CB-2", "A2"];
    CODE_SWAPPED: AuthorizationResponse, "code-swapped", "the code belongs to another request", ["AUT-2", "A3"];
    CODE_EXPIRED: AuthorizationResponse, "code-expired", "the code has expired already", ["TOK-13"];
    CODE_USED: AuthorizationResponse, "code-used", "the code was used already", ["TOK-13", "TOK-14"];
    LOGIN_REQUIRED_ALWAYS: AuthorizationResponse, "login-required-always", "prompt=none is answered with login_required though somebody is signed in", ["CB-13", "CB-17", "F23", "F28"];
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
    SCOPE_WIDER: TokenResponse, "scope-wider", "everything is granted, whatever was asked for", ["TOK-9", "A48"];
    TOKEN_TYPE_ODD: TokenResponse, "token-type-odd-case", "token_type is in odd casing", ["TOK-6"];
    TOKEN_LIFETIME_SHORT: TokenResponse, "token-lifetime-short", "access tokens live five seconds, those of a refresh too, which is lawful", ["REF-8", "RS-7"];
    REFRESH_TOKEN_MISSING: TokenResponse, "refresh-token-missing", "offline_access is granted and there is no refresh token", ["TOK-11", "F26"];
    TOKEN_TYPE_BEARER: Proof, "token-type-dpop-asked-bearer-given", "a proof of possession is ignored: the token is of type Bearer", ["TOK-7"];
    DPOP_REQUIRED: Proof, "dpop-required", "no token is given without a proof of possession", ["DP-1"];
    DPOP_NONCE: Proof, "dpop-nonce", "proofs must have a nonce of the server, and each answer brings one", ["DP-4"];
    DPOP_NONCE_HIDDEN: Proof, "dpop-nonce-hidden", "proofs must have a nonce that nobody is told", ["DP-4", "DP-8"];
    DPOP_NONCE_ALWAYS: Proof, "dpop-nonce-always", "each proof is refused for want of another nonce", ["DP-4"];
    DPOP_SCHEME_ODD: Proof, "dpop-scheme-odd-case", "challenges name the scheme DPoP in odd casing", ["DP-3"];
    ID_TOKEN_MISSING: IdToken, "id-token-missing", "openid was asked for and there is no ID token", ["TOK-10"];
    ID_TOKEN_ISS_WRONG: IdToken, "id-token-iss-wrong", "iss has one character more than the issuer", ["IDT-1", "A5"];
    ID_TOKEN_ISS_MISSING: IdToken, "id-token-iss-missing", "iss is left out", ["IDT-1"];
    ID_TOKEN_AUD_WRONG: IdToken, "id-token-aud-wrong", "aud is another client", ["IDT-2", "A23"];
    ID_TOKEN_AUD_MISSING: IdToken, "id-token-aud-missing", "aud is left out", ["IDT-2"];
    ID_TOKEN_AUD_ARRAY: IdToken, "id-token-aud-array", "aud is an array of the one client, which is lawful", ["IDT-2"];
    ID_TOKEN_AUD_SECOND: IdToken, "id-token-aud-second", "aud has a second audience, and there is no azp", ["IDT-2", "IDT-3", "A23"];
    ID_TOKEN_AZP_WRONG: IdToken, "id-token-azp-wrong", "azp is another client", ["IDT-3", "A23"];
    ID_TOKEN_SUB_MISSING: IdToken, "id-token-sub-missing", "sub is left out", ["IDT-7"];
    ID_TOKEN_IAT_MISSING: IdToken, "id-token-iat-missing", "iat is left out", ["IDT-5"];
    ID_TOKEN_IAT_FUTURE: IdToken, "id-token-iat-future", "it is issued in an hour", ["IDT-5"];
    ID_TOKEN_EXP_MISSING: IdToken, "id-token-exp-missing", "exp is left out", ["IDT-4"];
    ID_TOKEN_EXPIRED: IdToken, "id-token-expired", "it expired ten minutes ago", ["IDT-4", "A24"];
    ID_TOKEN_NBF_FUTURE: IdToken, "id-token-nbf-future", "it begins in an hour", ["IDT-6"];
    ID_TOKEN_NONCE_WRONG: IdToken, "id-token-nonce-wrong", "nonce has one character more", ["IDT-8", "A3", "A24"];
    ID_TOKEN_NONCE_MISSING: IdToken, "id-token-nonce-missing", "nonce is left out", ["IDT-8", "A24"];
    ID_TOKEN_AT_HASH_WRONG: IdToken, "id-token-at-hash-wrong", "at_hash is that of another token", ["IDT-10"];
    ID_TOKEN_AUTH_TIME_OLD: IdToken, "id-token-auth-time-old", "the person signed in yesterday, whatever max_age was asked for", ["IDT-9"];
    ID_TOKEN_AUTH_TIME_MISSING: IdToken, "id-token-auth-time-missing", "auth_time is left out, even if max_age was asked for", ["IDT-9"];
    ID_TOKEN_ACR_WRONG: IdToken, "id-token-acr-wrong", "acr is a level that nobody asked for", ["IDT-9", "RS-9"];
    ID_TOKEN_THREE_FAULTS: IdToken, "id-token-three-faults", "iss, aud and nonce are wrong at once", ["IDT-1", "IDT-2", "IDT-8"];
    ID_TOKEN_DUPLICATE_CLAIM: IdToken, "id-token-duplicate-claim", "sub stands there twice, for two people", ["JOSE-9", "A22"];
    ID_TOKEN_HUGE: IdToken, "id-token-huge", "it is longer than 64 KiB", ["JOSE-15", "A39"];
    ID_TOKEN_RS256: IdToken, "id-token-rs256", "it is signed with RS256, which is lawful", ["JOSE-1"];
    ID_TOKEN_PS256: IdToken, "id-token-ps256", "it is signed with PS256, which is lawful", ["JOSE-1"];
    ID_TOKEN_EDDSA: IdToken, "id-token-eddsa", "it is signed with EdDSA, which is lawful", ["JOSE-1"];
    ID_TOKEN_ALG_UNLISTED: IdToken, "id-token-alg-unlisted", "it is signed with RS256, and the metadata list only ES256", ["JOSE-1"];
    ID_TOKEN_ALG_NONE: IdToken, "id-token-alg-none", "alg is none, and there is no signature", ["JOSE-1", "A13"];
    ID_TOKEN_ALG_HS256: IdToken, "id-token-alg-hs256", "alg is HS256, with the public key as the secret", ["JOSE-2", "A14"];
    ID_TOKEN_SIGNATURE_WRONG: IdToken, "id-token-signature-wrong", "one bit of the signature is flipped", ["IDT-11"];
    ID_TOKEN_SIGNATURE_ZERO: IdToken, "id-token-signature-zero", "the signature is all zeros", ["JOSE-8", "A18"];
    ID_TOKEN_SIGNATURE_FOREIGN: IdToken, "id-token-signature-foreign", "another key signed, and the header brings it along in jwk", ["JOSE-5", "A15"];
    ID_TOKEN_HEADER_JKU: IdToken, "id-token-header-jku", "another key signed, and the header says in jku where to fetch it", ["JOSE-5", "A15"];
    ID_TOKEN_CRIT: IdToken, "id-token-crit", "the header has a critical member that nobody knows", ["JOSE-6", "A17"];
    ID_TOKEN_TYP_AT_JWT: IdToken, "id-token-typ-at-jwt", "the header says that it is an access token", ["JOSE-10", "A21"];
    ID_TOKEN_ENCRYPTED: IdToken, "id-token-encrypted", "it is encrypted: five parts", ["JOSE-7", "A20"];
    KID_MISSING: Keys, "kid-missing", "the header names no key, and there is one, which is lawful", ["JOSE-12"];
    KID_MISSING_SEVERAL: Keys, "kid-missing-several", "the header names no key, and several match", ["JOSE-12"];
    KID_UNKNOWN: Keys, "kid-unknown", "the header names a key that is never there", ["JOSE-13", "A16", "A38"];
    KEYS_ROTATED: Keys, "keys-rotated", "another key takes the place of the old one, just before it signs", ["JOSE-13"];
    KEYS_ONE_BAD: Keys, "keys-one-bad", "there are keys that nobody can use beside the good one", ["JOSE-3", "JOSE-14"];
    KEYS_TOO_MANY: Keys, "keys-too-many", "there are more than a hundred keys", ["JOSE-14", "A39"];
    KEYS_WEAK_RSA: Keys, "keys-weak-rsa", "it is signed with RS256, and the key has 1024 bit", ["JOSE-4", "A19"];
    KEYS_LOST: Keys, "keys-lost", "the connection breaks when the keys are fetched", ["JOSE-11"];
    KEYS_HTML: Keys, "keys-html", "the keys are an HTML page", ["JOSE-11"];
    KEYS_500: Keys, "keys-500", "the server fails when the keys are fetched", ["JOSE-11"];
    USERINFO_SUB_WRONG: UserInfo, "userinfo-sub-wrong", "sub has one character more", ["RS-4", "A25"];
    USERINFO_SIGNED: UserInfo, "userinfo-signed", "the answer is a signed JWT, which is lawful", ["RS-5"];
    USERINFO_SIGNED_WRONG: UserInfo, "userinfo-signed-wrong", "the answer is a JWT with one bit of the signature flipped", ["RS-5"];
    USERINFO_CLAIM_SOURCES: UserInfo, "userinfo-claim-sources", "a claim is to be fetched elsewhere, with a token that comes with it", ["RS-6"];
    API_401: Resource, "api-401", "the token is refused as invalid", ["RS-7"];
    API_401_BARE: Resource, "api-401-bare", "401 without a challenge", ["RS-7"];
    API_403: Resource, "api-403", "the scope is refused as insufficient", ["RS-8"];
    API_403_BARE: Resource, "api-403-bare", "403 without a challenge", ["RS-8"];
    API_429: Resource, "api-429", "too many requests, with Retry-After", ["RS-11", "F8"];
    REFRESH_REQUEST_LOST: Refresh, "refresh-request-lost", "the connection breaks before anything has happened", ["REF-6", "REF-7", "F1"];
    REFRESH_ANSWER_LOST: Refresh, "refresh-answer-lost", "the refresh token is spent and the connection breaks", ["REF-6", "REF-7", "F1"];
    REFRESH_SLOW: Refresh, "refresh-slow", "the refresh token is spent and the answer comes after a minute", ["REF-6", "REF-7", "F2"];
    REFRESH_429: Refresh, "refresh-429", "too many requests, with Retry-After: nothing has happened", ["REF-6", "F8"];
    REFRESH_503: Refresh, "refresh-503", "the server is busy, with Retry-After: nothing has happened", ["REF-6", "F8"];
    REFRESH_500: Refresh, "refresh-500", "the server fails: nothing has happened", ["REF-6", "F9"];
    REFRESH_HTML: Refresh, "refresh-html", "the refresh token is spent and the answer is an HTML page", ["TOK-5", "REF-6", "REF-7", "F6"];
    REFRESH_GARBAGE: Refresh, "refresh-garbage", "the refresh token is spent and the answer is half of a JSON document", ["TOK-18", "REF-6", "REF-7", "F5"];
    REFRESH_REDIRECTED: Refresh, "refresh-redirected", "the answer is a redirect: nothing has happened", ["TOK-3", "REF-6", "F7"];
    REFRESH_INVALID_GRANT: Refresh, "refresh-invalid-grant", "every refresh token is refused", ["REF-5", "RS-12", "F10"];
    REFRESH_INVALID_CLIENT: Refresh, "refresh-invalid-client", "the client is refused", ["TOK-13", "F10"];
    REFRESH_NOT_ROTATED: Refresh, "refresh-not-rotated", "there is no new refresh token and the old one stays good, which is lawful", ["TOK-11", "REF-1", "F26"];
    REFRESH_TOKEN_TYPE_OTHER: Refresh, "refresh-token-type-other", "token_type is mac", ["TOK-6", "F34"];
    REFRESH_SCOPE_NARROWER: Refresh, "refresh-scope-narrower", "less scope is granted than there was", ["TOK-9", "F34"];
    REFRESH_SCOPE_WIDER: Refresh, "refresh-scope-wider", "everything is granted, whatever there was", ["TOK-9", "REF-3", "F34"];
    REFRESH_ID_TOKEN_MISSING: Refresh, "refresh-id-token-missing", "there is no ID token, which is lawful", ["REF-13", "F26"];
    REFRESH_ID_TOKEN_NONCE: Refresh, "refresh-id-token-nonce", "the ID token repeats the nonce of the sign-in, which is lawful", ["REF-4"];
    REFRESH_ID_TOKEN_NONCE_WRONG: Refresh, "refresh-id-token-nonce-wrong", "the ID token has the nonce of another request", ["REF-4"];
    REFRESH_ID_TOKEN_ISS_WRONG: Refresh, "refresh-id-token-iss-wrong", "iss has one character more than the issuer", ["REF-4"];
    REFRESH_ID_TOKEN_SUB_WRONG: Refresh, "refresh-id-token-sub-wrong", "sub has one character more: it is somebody else", ["REF-4", "F27"];
    REFRESH_ID_TOKEN_AUD_WRONG: Refresh, "refresh-id-token-aud-wrong", "aud is another client", ["REF-4"];
    REFRESH_ID_TOKEN_AUTH_TIME_CHANGED: Refresh, "refresh-id-token-auth-time-changed", "auth_time is a minute later than it was", ["REF-4"];
    REFRESH_ID_TOKEN_SIGNATURE_WRONG: Refresh, "refresh-id-token-signature-wrong", "one bit of the signature is flipped", ["IDT-11", "REF-4"];
    REVOCATION_503: Revocation, "revocation-503", "the server is busy, with Retry-After: nothing has happened", ["OUT-2", "OUT-3", "F8"];
    REVOCATION_SLOW: Revocation, "revocation-slow", "the tokens are revoked and the answer comes after a minute", ["OUT-3", "OUT-8", "F2"];
    REVOCATION_UNSUPPORTED_TYPE: Revocation, "revocation-unsupported-type", "tokens of no type can be revoked", ["OUT-2", "F10"];
    REVOCATION_REFUSED: Revocation, "revocation-refused", "the client is refused", ["OUT-3", "F10"];
    REVOCATION_MISSING: Revocation, "revocation-missing", "there is no such endpoint, and the metadata name none, which is lawful", ["OUT-3", "F26"];
    END_SESSION_MISSING: EndSession, "end-session-missing", "there is no such endpoint, and the metadata name none, which is lawful", ["OUT-11", "F26"];
    LOGOUT_STATE_WRONG: EndSession, "logout-state-wrong", "state comes back changed", ["OUT-5"];
    LOGOUT_STATE_MISSING: EndSession, "logout-state-missing", "state is left out", ["OUT-5"];
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
            Self::Metadata => "metadata",
            Self::PushedRequest => "pushed request",
            Self::AuthorizationResponse => "authorization response",
            Self::TokenResponse => "token response",
            Self::Proof => "proof of possession",
            Self::IdToken => "ID token",
            Self::Keys => "keys",
            Self::UserInfo => "user info",
            Self::Resource => "API",
            Self::Refresh => "refresh",
            Self::Revocation => "revocation",
            Self::EndSession => "sign-out at the server",
        }
    }
}

//! What the server remembers, and its record.
//!
//! Rule: a record of another version, or one that was tampered with, is no record: the server begins anew.

use std::{fmt, mem};

use super::authentication::{Authentication, Level};
use super::authorization_request::AuthorizationRequest;
use super::crypto::Generation;
use super::dpop;
use super::grant::Grant;
use super::switches::Switches;
use crate::protocol::json::Value;
use crate::protocol::time::{Seconds, UnixTime};

/// Everything that outlives a request.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct State {
    /// Which misbehaviours are on.
    pub switches: Switches,
    /// Which keys are in use.
    pub(super) generation: Generation,
    pub(super) session: Option<PersonSession>,
    pub(super) consents: Vec<Consent>,
    pub(super) interactions: Vec<Interaction>,
    pub(super) sign_outs: Vec<SignOut>,
    pub(super) codes: Vec<Code>,
    pub(super) tokens: Vec<Token>,
    pub(super) families: Vec<Family>,
    pub(super) photos: Vec<Photo>,
    pub(super) pushed: Vec<Pushed>,
    pub(super) nonces: Vec<Nonce>,
    pub(super) proofs: Vec<Proof>,
}

/// A photo that somebody added.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Photo {
    pub sub: String,
    pub title: String,
}

/// Somebody is signed in at the server, in this browser profile.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct PersonSession {
    pub sub: String,
    pub authentication: Authentication,
}

/// What somebody allowed a client.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Consent {
    pub sub: String,
    pub client_id: String,
    pub scope: String,
}

/// A page that waits for somebody's answer.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Interaction {
    /// The one-time form value: who does not know it did not see the page.
    pub form_value: String,
    pub request: AuthorizationRequest,
    /// Who is asked for consent; nobody while the page asks who it is.
    pub sub: Option<String>,
    pub created_at: UnixTime,
}

/// A page that asks somebody whether to sign out.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct SignOut {
    /// The one-time form value.
    pub form_value: String,
    /// Who is asked.
    pub sub: String,
    /// Where they go then, if the client said.
    pub target: Option<Target>,
    pub created_at: UnixTime,
}

/// Where people go after they signed out, and with what.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub post_logout_redirect_uri: String,
    pub state: Option<String>,
}

/// An authorization code.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Code {
    pub code: String,
    pub request: AuthorizationRequest,
    pub sub: String,
    pub authentication: Authentication,
    pub created_at: UnixTime,
    pub is_used: bool,
}

/// An access token.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub access_token: String,
    pub grant: Grant,
    pub expires_at: UnixTime,
}

/// The refresh tokens of a grant: one is good at a time.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Family {
    pub refresh_token: String,
    /// Those that were good before it, the oldest first.
    pub spent: Vec<String>,
    pub grant: Grant,
    /// The nonce of the authorization request.
    pub nonce: Option<String>,
    pub used_at: UnixTime,
}

/// A request that a client sent ahead.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Pushed {
    pub request_uri: String,
    pub request: AuthorizationRequest,
    pub created_at: UnixTime,
    pub is_used: bool,
}

/// A nonce for proofs of possession.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Nonce {
    pub nonce: String,
    pub created_at: UnixTime,
}

/// A proof of possession that was used.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Proof {
    /// The thumbprint of its key.
    pub jkt: String,
    pub jti: String,
    pub issued_at: UnixTime,
}

/// How long a page waits, and a code lives (RFC 6749 §4.1.2: ten minutes at most).
pub(super) const CODE_LIFETIME: Seconds = Seconds(10 * 60);

/// How long an access token lives.
pub(super) const TOKEN_LIFETIME: Seconds = Seconds(5 * 60);

/// How long a refresh token lives after its family was last used (RFC 9700 §4.14.2: they should expire when they are not).
const REFRESH_LIFETIME: Seconds = Seconds(24 * 60 * 60);

/// The most records of a kind; the oldest go first.
const MOST: usize = 64;

/// The most proofs that are remembered: each request has one.
const MOST_PROOFS: usize = 512;

const VERSION: u64 = 3;

impl Family {
    /// Whether this is one of its refresh tokens, good or spent.
    pub(super) fn knows(&self, refresh_token: &str) -> bool {
        self.refresh_token == refresh_token || self.spent.iter().any(|spent| spent == refresh_token)
    }

    /// Another refresh token takes the place of the good one.
    pub(super) fn rotate(&mut self, next: String) {
        self.spent.push(mem::replace(&mut self.refresh_token, next));
        self.spent.drain(..self.spent.len().saturating_sub(MOST));
    }
}

/// Shows nothing: codes and tokens are in it.
impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("State([redacted])")
    }
}

impl State {
    /// Drops what has expired. A used code is remembered for as long as its access tokens live; its refresh tokens know it.
    pub(super) fn forget_expired(&mut self, now: UnixTime) {
        self.interactions.retain(|interaction| now.since(interaction.created_at) <= CODE_LIFETIME);
        self.sign_outs.retain(|asked| now.since(asked.created_at) <= CODE_LIFETIME);
        self.codes.retain(|code| now.since(code.created_at).0 <= CODE_LIFETIME.0 + TOKEN_LIFETIME.0);
        self.tokens.retain(|token| now <= token.expires_at);
        self.families.retain(|family| now.since(family.used_at) <= REFRESH_LIFETIME);
        self.pushed.retain(|pushed| now.since(pushed.created_at) <= CODE_LIFETIME);
        self.nonces.retain(|nonce| now.since(nonce.created_at) <= dpop::WINDOW);
        self.proofs.retain(|proof| now.since(proof.issued_at) <= dpop::WINDOW);
        self.interactions.drain(..self.interactions.len().saturating_sub(MOST));
        self.sign_outs.drain(..self.sign_outs.len().saturating_sub(MOST));
        self.codes.drain(..self.codes.len().saturating_sub(MOST));
        self.tokens.drain(..self.tokens.len().saturating_sub(MOST));
        self.families.drain(..self.families.len().saturating_sub(MOST));
        self.photos.drain(..self.photos.len().saturating_sub(MOST));
        self.pushed.drain(..self.pushed.len().saturating_sub(MOST));
        self.nonces.drain(..self.nonces.len().saturating_sub(MOST));
        self.proofs.drain(..self.proofs.len().saturating_sub(MOST_PROOFS));
    }

    /// Revokes everything that was given for a code.
    pub(super) fn revoke(&mut self, code: &str) {
        self.tokens.retain(|token| token.grant.code != code);
        self.families.retain(|family| family.grant.code != code);
    }

    /// The record.
    pub fn encode(&self) -> Value {
        let text = |text: &str| Some(Value::string(text));
        let time = |time: UnixTime| Some(Value::from(time.0));
        let list = |values: Vec<Value>| Some(Value::Array(values));
        let level = |authentication: &Authentication| text(authentication.level.as_str());
        let session = |session: &PersonSession| {
            Value::object(vec![
                ("sub", text(&session.sub)),
                ("auth_time", time(session.authentication.at)),
                ("acr", level(&session.authentication)),
            ])
        };
        let consent = |consent: &Consent| {
            Value::object(vec![
                ("sub", text(&consent.sub)),
                ("client_id", text(&consent.client_id)),
                ("scope", text(&consent.scope)),
            ])
        };
        let interaction = |interaction: &Interaction| {
            Value::object(vec![
                ("form_value", text(&interaction.form_value)),
                ("request", Some(interaction.request.encode())),
                ("sub", interaction.sub.as_deref().map(Value::string)),
                ("created_at", time(interaction.created_at)),
            ])
        };
        let sign_out = |asked: &SignOut| {
            let target = asked.target.as_ref();
            Value::object(vec![
                ("form_value", text(&asked.form_value)),
                ("sub", text(&asked.sub)),
                ("post_logout_redirect_uri", target.map(|target| Value::string(&target.post_logout_redirect_uri))),
                ("state", target.and_then(|target| target.state.as_deref()).map(Value::string)),
                ("created_at", time(asked.created_at)),
            ])
        };
        let code = |code: &Code| {
            Value::object(vec![
                ("code", text(&code.code)),
                ("request", Some(code.request.encode())),
                ("sub", text(&code.sub)),
                ("auth_time", time(code.authentication.at)),
                ("acr", level(&code.authentication)),
                ("created_at", time(code.created_at)),
                ("is_used", Some(Value::Bool(code.is_used))),
            ])
        };
        let token = |token: &Token| {
            Value::object(vec![
                ("access_token", text(&token.access_token)),
                ("grant", Some(token.grant.encode())),
                ("expires_at", time(token.expires_at)),
            ])
        };
        let family = |family: &Family| {
            Value::object(vec![
                ("refresh_token", text(&family.refresh_token)),
                ("spent", list(family.spent.iter().map(|text| Value::string(text)).collect())),
                ("grant", Some(family.grant.encode())),
                ("nonce", family.nonce.as_deref().map(Value::string)),
                ("used_at", time(family.used_at)),
            ])
        };
        let photo = |photo: &Photo| Value::object(vec![("sub", text(&photo.sub)), ("title", text(&photo.title))]);
        let pushed = |pushed: &Pushed| {
            Value::object(vec![
                ("request_uri", text(&pushed.request_uri)),
                ("request", Some(pushed.request.encode())),
                ("created_at", time(pushed.created_at)),
                ("is_used", Some(Value::Bool(pushed.is_used))),
            ])
        };
        let nonce =
            |nonce: &Nonce| Value::object(vec![("nonce", text(&nonce.nonce)), ("created_at", time(nonce.created_at))]);
        let proof = |proof: &Proof| {
            Value::object(vec![
                ("jkt", text(&proof.jkt)),
                ("jti", text(&proof.jti)),
                ("issued_at", time(proof.issued_at)),
            ])
        };
        Value::object(vec![
            ("version", Some(Value::from(VERSION))),
            ("switches", list(self.switches.names().iter().map(|name| Value::string(name)).collect())),
            ("is_rotated", Some(Value::Bool(self.generation == Generation::Second))),
            ("session", self.session.as_ref().map(session)),
            ("consents", list(self.consents.iter().map(consent).collect())),
            ("interactions", list(self.interactions.iter().map(interaction).collect())),
            ("sign_outs", list(self.sign_outs.iter().map(sign_out).collect())),
            ("codes", list(self.codes.iter().map(code).collect())),
            ("tokens", list(self.tokens.iter().map(token).collect())),
            ("families", list(self.families.iter().map(family).collect())),
            ("photos", list(self.photos.iter().map(photo).collect())),
            ("pushed", list(self.pushed.iter().map(pushed).collect())),
            ("nonces", list(self.nonces.iter().map(nonce).collect())),
            ("proofs", list(self.proofs.iter().map(proof).collect())),
        ])
    }

    /// Reads a record back.
    pub fn decode(record: &Value) -> Option<Self> {
        let list = |name: &str| record.member(name)?.as_array();
        let text = |value: &Value, name: &str| value.text(name).map(str::to_owned);
        let time = |value: &Value, name: &str| value.member(name)?.as_whole_number().map(UnixTime);
        let flag = |value: &Value, name: &str| match value.member(name)? {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        };
        let authentication = |value: &Value| {
            let level = Level::parse(value.text("acr")?)?;
            Some(Authentication { level, at: time(value, "auth_time")? })
        };
        if record.member("version")?.as_whole_number()? != VERSION {
            return None;
        }
        let session = |session: &Value| {
            Some(PersonSession { sub: text(session, "sub")?, authentication: authentication(session)? })
        };
        let consent = |consent: &Value| {
            Some(Consent {
                sub: text(consent, "sub")?,
                client_id: text(consent, "client_id")?,
                scope: text(consent, "scope")?,
            })
        };
        let interaction = |interaction: &Value| {
            Some(Interaction {
                form_value: text(interaction, "form_value")?,
                request: AuthorizationRequest::decode(interaction.member("request")?)?,
                sub: text(interaction, "sub"),
                created_at: time(interaction, "created_at")?,
            })
        };
        let sign_out = |asked: &Value| {
            let target = |post_logout_redirect_uri| Target { post_logout_redirect_uri, state: text(asked, "state") };
            Some(SignOut {
                form_value: text(asked, "form_value")?,
                sub: text(asked, "sub")?,
                target: text(asked, "post_logout_redirect_uri").map(target),
                created_at: time(asked, "created_at")?,
            })
        };
        let code = |code: &Value| {
            Some(Code {
                code: text(code, "code")?,
                request: AuthorizationRequest::decode(code.member("request")?)?,
                sub: text(code, "sub")?,
                authentication: authentication(code)?,
                created_at: time(code, "created_at")?,
                is_used: flag(code, "is_used")?,
            })
        };
        let token = |token: &Value| {
            Some(Token {
                access_token: text(token, "access_token")?,
                grant: Grant::decode(token.member("grant")?)?,
                expires_at: time(token, "expires_at")?,
            })
        };
        let family = |family: &Value| {
            let spent = family.member("spent")?.as_array()?.iter();
            Some(Family {
                refresh_token: text(family, "refresh_token")?,
                spent: spent.map(|text| text.as_str().map(str::to_owned)).collect::<Option<_>>()?,
                grant: Grant::decode(family.member("grant")?)?,
                nonce: text(family, "nonce"),
                used_at: time(family, "used_at")?,
            })
        };
        let photo = |photo: &Value| Some(Photo { sub: text(photo, "sub")?, title: text(photo, "title")? });
        let pushed = |pushed: &Value| {
            Some(Pushed {
                request_uri: text(pushed, "request_uri")?,
                request: AuthorizationRequest::decode(pushed.member("request")?)?,
                created_at: time(pushed, "created_at")?,
                is_used: flag(pushed, "is_used")?,
            })
        };
        let nonce =
            |nonce: &Value| Some(Nonce { nonce: text(nonce, "nonce")?, created_at: time(nonce, "created_at")? });
        let proof = |proof: &Value| {
            Some(Proof { jkt: text(proof, "jkt")?, jti: text(proof, "jti")?, issued_at: time(proof, "issued_at")? })
        };
        let switches: Vec<&str> = list("switches")?.iter().map(Value::as_str).collect::<Option<_>>()?;
        Some(Self {
            switches: Switches::on(switches).ok()?,
            generation: if flag(record, "is_rotated")? { Generation::Second } else { Generation::First },
            session: match record.member("session") {
                None => None,
                Some(value) => Some(session(value)?),
            },
            consents: list("consents")?.iter().map(consent).collect::<Option<_>>()?,
            interactions: list("interactions")?.iter().map(interaction).collect::<Option<_>>()?,
            sign_outs: list("sign_outs")?.iter().map(sign_out).collect::<Option<_>>()?,
            codes: list("codes")?.iter().map(code).collect::<Option<_>>()?,
            tokens: list("tokens")?.iter().map(token).collect::<Option<_>>()?,
            families: list("families")?.iter().map(family).collect::<Option<_>>()?,
            photos: list("photos")?.iter().map(photo).collect::<Option<_>>()?,
            pushed: list("pushed")?.iter().map(pushed).collect::<Option<_>>()?,
            nonces: list("nonces")?.iter().map(nonce).collect::<Option<_>>()?,
            proofs: list("proofs")?.iter().map(proof).collect::<Option<_>>()?,
        })
    }
}

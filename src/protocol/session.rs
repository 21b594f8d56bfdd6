//! A session: tokens, what they allow, and until when.
//!
//! In scope: making one from a token response, renewing it with another one, its lifetime, its record where it outlives the
//! page.
//! Out of scope: when it is renewed and by whom (`renewal`), and where the record is kept.
//!
//! Source: RFC 6749 §5.1 (lifetime, scope as requested if absent), §3.3, §6.

use std::fmt;

use super::claims::Claims;
use super::client::{ClientKey, TokenStorage};
use super::id_token::{IdTokenRequest, VerifiedIdToken};
use super::json::{Members, Value};
use super::secret::{AccessToken, IdToken, RefreshToken};
use super::time::{Seconds, UnixTime};
use super::token_request::Exchange;
use super::token_response::{TokenError, TokenErrorResponse, TokenResponse, TokenType, Tolerance};
use super::url::{SchemePolicy, Url};
use super::vocabulary::{Scope, server_url};

/// What a successful sign-in leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub(super) key: ClientKey,
    pub(super) access_token: AccessToken,
    pub(super) refresh_token: Option<RefreshToken>,
    pub(super) id_token: Option<VerifiedIdToken>,
    pub(super) userinfo: Option<Claims>,
    pub(super) expires_at: Option<UnixTime>,
    pub(super) requested_scope: Option<Scope>,
    pub(super) granted_scope: Option<Scope>,
    pub(super) tolerated: Vec<Tolerance>,
    pub(super) token_type: TokenType,
    /// The thumbprint of the key that the access token is bound to, if the key outlives the page.
    pub(super) dpop_jkt: Option<String>,
    pub(super) token_storage: TokenStorage,
    pub(super) signed_in_at: UnixTime,
    /// What tells it from all others at this client; it is renewed under this name.
    pub(super) id: String,
    /// When the access token was asked for.
    pub(super) obtained_at: UnixTime,
    /// How often it was renewed.
    pub(super) generation: u64,
    /// How often its refresh token was presented without an answer, and when last.
    pub(super) presented: u32,
    pub(super) presented_at: Option<UnixTime>,
    /// Where it is renewed.
    pub(super) token_endpoint: Url,
    /// The resources that its tokens are asked for.
    pub(super) resource: Vec<String>,
    /// What its ID tokens must answer.
    pub(super) asked: Option<IdTokenRequest>,
    /// The ID token as it came, where the client is configured to show it to the server at sign-out.
    pub(super) id_token_hint: Option<IdToken>,
}

const VERSION: u64 = 4;

/// Why a session is over that nobody ended.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionError {
    /// The answer to a renewal was lost, and the server does not take the refresh token a second time. The person has done
    /// nothing to end it.
    AnswerLost,
    /// The server says that the refresh token is good for nothing any more: expired, revoked, or used elsewhere.
    Expired(TokenErrorResponse),
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AnswerLost => f.write_str("the answer to a renewal was lost, and there is no second one"),
            Self::Expired(_) => f.write_str("the server renews the session no more"),
        }
    }
}

impl Session {
    /// Makes a session of a checked response.
    ///
    /// `id_token` is what `openid` asks for; a session without it is no OpenID session. `sent_at` is when the request was
    /// sent: a lifetime counted from there never outlasts the server's own count.
    ///
    /// # Errors
    /// [`TokenError::MissingIdToken`] if `openid` was asked for and nobody verified an ID token.
    pub fn new(
        exchange: &Exchange,
        response: TokenResponse,
        id_token: Option<VerifiedIdToken>,
        sent_at: UnixTime,
    ) -> Result<Self, TokenError> {
        if exchange.id_token.is_some() && id_token.is_none() {
            return Err(TokenError::MissingIdToken);
        }
        Ok(Self {
            key: exchange.key.clone(),
            access_token: response.access_token,
            refresh_token: response.refresh_token,
            id_token,
            userinfo: None,
            expires_at: response.expires_in.map(|lifetime| sent_at.plus(lifetime)),
            requested_scope: exchange.scope.clone(),
            granted_scope: response.scope.or_else(|| exchange.scope.clone()),
            tolerated: response.tolerated,
            token_type: TokenType::asked(exchange.dpop),
            dpop_jkt: exchange.dpop_jkt.clone().filter(|_| exchange.dpop),
            // A bound token is of no use without its key: it is not kept longer.
            token_storage: if exchange.dpop && exchange.dpop_jkt.is_none() {
                TokenStorage::Memory
            } else {
                exchange.token_storage
            },
            signed_in_at: sent_at,
            id: exchange.session_id.clone(),
            obtained_at: sent_at,
            generation: 0,
            presented: 0,
            presented_at: None,
            token_endpoint: exchange.token_endpoint.clone(),
            resource: exchange.resource.clone(),
            asked: exchange.id_token.as_ref().map(IdTokenRequest::answered),
            id_token_hint: None,
        })
    }

    /// Renews it with a checked response to a request that was sent at `sent_at`.
    ///
    /// What the response does not bring stays as it was: the refresh token (RFC 6749 §6), the scope, and who is signed in
    /// (OpenID Connect Core §12.2).
    pub fn renew(&mut self, response: TokenResponse, id_token: Option<VerifiedIdToken>, sent_at: UnixTime) {
        self.access_token = response.access_token;
        self.refresh_token = response.refresh_token.or_else(|| self.refresh_token.take());
        self.id_token = id_token.or_else(|| self.id_token.take());
        self.granted_scope = response.scope.or_else(|| self.granted_scope.take());
        self.expires_at = response.expires_in.map(|lifetime| sent_at.plus(lifetime));
        self.tolerated = response.tolerated;
        self.obtained_at = sent_at;
        self.generation += 1;
        (self.presented, self.presented_at) = (0, None);
    }

    /// The name of its lock: while tabs share it, of whoever renews it; else of the one tab that it belongs to.
    pub(super) fn lock_name(&self) -> String {
        ["leptos-pkce ", self.key.issuer.as_str(), " ", self.key.client_id.as_str(), " ", &self.id].concat()
    }

    /// What tells this state of it from every other: another tab that finds the same has nothing newer.
    pub(super) fn version(&self) -> String {
        [&self.id, " ", &self.generation.to_string(), " ", &self.presented.to_string()].concat()
    }

    /// Whether the access token is to be renewed at `now`: soon it expires, or the clock was turned back behind the moment
    /// that its lifetime is counted from. `skew` is how long before the end, but never more than a quarter of the lifetime.
    pub fn is_due(&self, now: UnixTime, skew: Seconds) -> bool {
        now < self.obtained_at || self.due_at(skew).is_some_and(|due| due <= now)
    }

    /// When the access token is to be renewed; `None` if the server did not say how long it lives.
    pub fn due_at(&self, skew: Seconds) -> Option<UnixTime> {
        let lifetime = self.lifetime()?;
        let margin = skew.0.min(lifetime.0 / 4);
        Some(self.obtained_at.plus(Seconds(lifetime.0 - margin)))
    }

    /// Whether the access token has expired at `now`, as far as is known.
    pub fn is_expired(&self, now: UnixTime) -> bool {
        now < self.obtained_at || self.expires_at.is_some_and(|end| end <= now)
    }

    /// Whose session it is.
    pub fn key(&self) -> &ClientKey {
        &self.key
    }

    /// The access token, for showing it on demand; requests get it from `protected_resource`.
    pub fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    /// How the access token is presented.
    pub fn token_type(&self) -> TokenType {
        self.token_type
    }

    /// Whether each request needs a proof, because the token is bound to a key.
    pub(super) fn is_bound(&self) -> bool {
        cfg!(feature = "dpop") && self.token_type == TokenType::Dpop
    }

    /// Whether the server gave a refresh token.
    pub fn has_refresh_token(&self) -> bool {
        self.refresh_token.is_some()
    }

    /// Whether the access token can be renewed.
    pub(super) fn is_renewable(&self) -> bool {
        cfg!(feature = "refresh") && self.refresh_token.is_some()
    }

    /// The verified ID token; `None` for a sign-in that did not ask for `openid`.
    pub fn id_token(&self) -> Option<&VerifiedIdToken> {
        self.id_token.as_ref()
    }

    /// Who is signed in, as the ID token says it.
    pub fn claims(&self) -> Option<&Claims> {
        self.id_token.as_ref().map(VerifiedIdToken::claims)
    }

    /// What the user info endpoint said, once it was asked; it is about the same person.
    pub fn userinfo(&self) -> Option<&Claims> {
        self.userinfo.as_ref()
    }

    /// When the access token expires; `None` if the server did not say.
    pub fn expires_at(&self) -> Option<UnixTime> {
        self.expires_at
    }

    /// When the access token was asked for.
    pub fn obtained_at(&self) -> UnixTime {
        self.obtained_at
    }

    /// How often it was renewed.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// When the person signed in.
    pub fn signed_in_at(&self) -> UnixTime {
        self.signed_in_at
    }

    /// The access token's whole lifetime, if the server said one.
    pub fn lifetime(&self) -> Option<Seconds> {
        self.expires_at.map(|end| end.since(self.obtained_at))
    }

    /// What is left of the access token's lifetime at `now`; `None` if the server did not say.
    pub fn remaining(&self, now: UnixTime) -> Option<Seconds> {
        self.expires_at.map(|end| end.since(now))
    }

    /// The scope that was asked for.
    pub fn requested_scope(&self) -> Option<&Scope> {
        self.requested_scope.as_ref()
    }

    /// The scope that was granted: the requested one if the server did not say (RFC 6749 §5.1).
    pub fn granted_scope(&self) -> Option<&Scope> {
        self.granted_scope.as_ref()
    }

    /// Requested scope tokens that were not granted.
    pub fn refused_scope(&self) -> Vec<&str> {
        without(self.requested_scope.as_ref(), self.granted_scope.as_ref())
    }

    /// Granted scope tokens that were not requested; none if no scope was, because then the server's default was (RFC 6749
    /// §3.3).
    pub fn unrequested_scope(&self) -> Vec<&str> {
        without(self.granted_scope.as_ref(), self.requested_scope.as_ref())
    }

    /// What was tolerated in the token response.
    pub fn tolerated(&self) -> &[Tolerance] {
        &self.tolerated
    }

    /// Where the token lives.
    pub fn token_storage(&self) -> TokenStorage {
        self.token_storage
    }

    /// The record for a session that outlives its page: the one place where tokens are written down.
    pub fn encode(&self) -> Value {
        let mut record = Members::default();
        record.number("version", Some(VERSION));
        record.text("issuer", Some(self.key.issuer.as_str()));
        record.text("client_id", Some(self.key.client_id.as_str()));
        record.text("access_token", Some(self.access_token.expose()));
        record.value("id_token", self.id_token.as_ref().map(VerifiedIdToken::encode));
        record.value("userinfo", self.userinfo.as_ref().map(Claims::encode));
        record.text("dpop_jkt", self.dpop_jkt.as_deref());
        record.number("expires_at", self.expires_at.map(|end| end.0));
        record.text("requested_scope", self.requested_scope.as_ref().map(Scope::as_str));
        record.text("granted_scope", self.granted_scope.as_ref().map(Scope::as_str));
        record.number("signed_in_at", Some(self.signed_in_at.0));
        record.text("id", Some(&self.id));
        record.number("obtained_at", Some(self.obtained_at.0));
        record.number("generation", Some(self.generation));
        record.number("presented", Some(u64::from(self.presented)));
        record.number("presented_at", self.presented_at.map(|at| at.0));
        record.text("refresh_token", self.refresh_token.as_ref().map(RefreshToken::expose));
        record.text("token_endpoint", Some(self.token_endpoint.as_str()));
        if cfg!(feature = "overrides") {
            record.texts("resource", &self.resource);
        }
        record.value("asked", self.asked.as_ref().map(IdTokenRequest::encode));
        record.text("id_token_hint", self.id_token_hint.as_ref().map(IdToken::expose));
        record.finish()
    }

    /// Reads a record back; `None` for anything that [`encode`](Self::encode) did not write for `key` and `token_storage`.
    pub fn decode(record: &Value, key: &ClientKey, token_storage: TokenStorage, policy: SchemePolicy) -> Option<Self> {
        let is_token = |text: &&str| !text.is_empty() && text.bytes().all(|octet| (0x21..=0x7e).contains(&octet));
        let is_ours = record.number("version")? == VERSION
            && record.text("issuer")? == key.issuer.as_str()
            && record.text("client_id")? == key.client_id.as_str();
        let dpop_jkt = record.optional_text("dpop_jkt")?;
        // Written by a build that has the feature: one without it could not use the token.
        let is_foreign = cfg!(not(feature = "dpop")) && dpop_jkt.is_some();
        if !is_ours || is_foreign {
            return None;
        }
        let access_token = record.text("access_token").filter(is_token)?;
        let expires_at = record.optional_number("expires_at")?.map(UnixTime);
        let signed_in_at = UnixTime(record.number("signed_in_at")?);
        let requested_scope = record.optional_text("requested_scope")?.map(Scope::parse).transpose().ok()?;
        let granted_scope = record.optional_text("granted_scope")?.map(Scope::parse).transpose().ok()?;
        let id_token = match record.member("id_token") {
            None => None,
            Some(record) => Some(VerifiedIdToken::decode(record, key)?),
        };
        let asked = match record.member("asked") {
            None => None,
            Some(asked) => Some(IdTokenRequest::decode(asked, policy)?),
        };
        let asks_for_id_token = requested_scope.as_ref().is_some_and(Scope::asks_for_id_token);
        if asks_for_id_token && (id_token.is_none() || asked.is_none()) {
            return None;
        }
        let optional_token = |name| match record.optional_text(name)? {
            None => Some(None),
            Some(text) => Some(text).filter(is_token).map(Some),
        };
        let refresh_token = optional_token("refresh_token")?;
        let id_token_hint = optional_token("id_token_hint")?;
        Some(Self {
            key: key.clone(),
            access_token: AccessToken::new(access_token),
            refresh_token: refresh_token.map(RefreshToken::new),
            userinfo: userinfo_of(record.member("userinfo"), id_token.as_ref()),
            id_token,
            expires_at,
            requested_scope,
            granted_scope,
            tolerated: Vec::new(),
            token_type: TokenType::asked(dpop_jkt.is_some()),
            dpop_jkt: dpop_jkt.map(str::to_owned),
            token_storage,
            signed_in_at,
            id: record.text("id").filter(|id| !id.is_empty())?.to_owned(),
            obtained_at: UnixTime(record.number("obtained_at")?),
            generation: record.number("generation")?,
            presented: u32::try_from(record.number("presented")?).ok()?,
            presented_at: record.optional_number("presented_at")?.map(UnixTime),
            token_endpoint: server_url(record.text("token_endpoint")?, policy).ok()?,
            resource: match record.member("resource") {
                None => Vec::new(),
                Some(texts) => texts.as_texts()?,
            },
            asked,
            id_token_hint: id_token_hint.map(IdToken::new),
        })
    }
}

/// The tokens of one scope that another one has not.
fn without<'a>(scope: Option<&'a Scope>, other: Option<&Scope>) -> Vec<&'a str> {
    let (Some(scope), Some(other)) = (scope, other) else { return Vec::new() };
    scope.tokens().filter(|token| !other.contains(token)).collect()
}

/// What the user info endpoint said, if it is about the person of the ID token.
fn userinfo_of(record: Option<&Value>, id_token: Option<&VerifiedIdToken>) -> Option<Claims> {
    let claims = Claims::decode(record?)?;
    (claims.sub() == id_token?.claims().sub()).then_some(claims)
}

//! A session: tokens, what they allow, and until when.
//!
//! In scope: making one from a token response, its lifetime, its record for `token_storage: session`.
//! Out of scope: refreshing it. Until that exists a refresh token is held in memory and never written down.
//!
//! Source: RFC 6749 §5.1 (lifetime, scope as requested if absent), §3.3.

use super::claims::Claims;
use super::client::{ClientKey, TokenStorage};
use super::id_token::VerifiedIdToken;
use super::json::{Members, Value};
use super::secret::{AccessToken, RefreshToken};
use super::time::{Seconds, UnixTime};
use super::token_request::Exchange;
use super::token_response::{TokenError, TokenResponse, TokenType, Tolerance};
use super::vocabulary::Scope;

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
}

const VERSION: u64 = 3;

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
        })
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

    /// When the token was asked for.
    pub fn signed_in_at(&self) -> UnixTime {
        self.signed_in_at
    }

    /// The access token's whole lifetime, if the server said one.
    pub fn lifetime(&self) -> Option<Seconds> {
        self.expires_at.map(|end| end.since(self.signed_in_at))
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

    /// The record for sessionStorage: the one place where an access token is written down.
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
        record.finish()
    }

    /// Reads a record back; `None` for anything that [`encode`](Self::encode) did not write for `key`.
    pub fn decode(record: &Value, key: &ClientKey) -> Option<Self> {
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
        if id_token.is_none() && requested_scope.as_ref().is_some_and(Scope::asks_for_id_token) {
            return None;
        }
        Some(Self {
            key: key.clone(),
            access_token: AccessToken::new(access_token),
            refresh_token: None,
            userinfo: userinfo_of(record.member("userinfo"), id_token.as_ref()),
            id_token,
            expires_at,
            requested_scope,
            granted_scope,
            tolerated: Vec::new(),
            token_type: TokenType::asked(dpop_jkt.is_some()),
            dpop_jkt: dpop_jkt.map(str::to_owned),
            token_storage: TokenStorage::Session,
            signed_in_at,
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

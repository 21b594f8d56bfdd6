//! The bridge over the redirect: what must be remembered while the page is away at the authorization server.
//!
//! In scope: the record, its encoding for sessionStorage, its age, and which records are kept.
//! Out of scope: reading and writing storage.
//!
//! Rule: with this record alone the code can be exchanged; neither discovery nor configuration is waited for. A
//! record is input like any other when it is read back: garbage is no record.
//!
//! Source: RFC 6749 §4.1.2, §10.12; RFC 9700 §4.4.2 (issuer and token endpoint belong to the transaction).

use super::client::{ClientKey, TokenStorage};
use super::id_token::IdTokenRequest;
use super::json::{Members, Value};
use super::metadata::IssParameter;
use super::return_path::ReturnPath;
use super::secret::{CodeVerifier, State};
use super::time::{Seconds, UnixTime};
use super::url::{SchemePolicy, Url};
use super::vocabulary::{ClientId, Issuer, RedirectUri, Scope, server_url};

/// One authorization request that has not been answered. Not `Clone`: it answers one response.
#[derive(Debug, PartialEq, Eq)]
pub struct PendingAuthorization {
    pub(super) key: ClientKey,
    pub(super) redirect_uri: RedirectUri,
    pub(super) token_endpoint: Url,
    pub(super) iss_parameter: IssParameter,
    pub(super) state: State,
    /// What the ID token must answer, if `openid` is asked for.
    pub(super) id_token: Option<IdTokenRequest>,
    pub(super) code_verifier: CodeVerifier,
    pub(super) scope: Option<Scope>,
    /// The resources that the token is asked for.
    pub(super) resource: Vec<String>,
    /// Whether the tokens are to be bound to a key of this browser.
    pub(super) dpop: bool,
    /// The thumbprint of the key that the code is bound to.
    pub(super) dpop_jkt: Option<String>,
    pub(super) token_storage: TokenStorage,
    pub(super) return_path: Option<ReturnPath>,
    /// Whether the server may show nothing, so that its no is no error.
    pub(super) is_quiet: bool,
    /// Whether a session that is lost is to be asked for anew.
    pub(super) restore: bool,
    /// Whether the ID token is kept for signing out at the server.
    pub(super) id_token_hint: bool,
    pub(super) created_at: UnixTime,
}

/// How long an answer is waited for: people register and fetch second factors meanwhile.
pub const LIFETIME: Seconds = Seconds(60 * 60);

/// How many requests may be pending in one tab.
pub const MOST: usize = 8;

/// A record of another version is no record.
const VERSION: u64 = 2;

impl PendingAuthorization {
    /// The client it belongs to.
    pub fn key(&self) -> &ClientKey {
        &self.key
    }

    /// When the request was made.
    pub fn created_at(&self) -> UnixTime {
        self.created_at
    }

    /// Whether an answer is still accepted at `now`; a clock that was turned back makes nothing stale.
    pub fn is_current(&self, now: UnixTime) -> bool {
        now.since(self.created_at) <= LIFETIME
    }

    /// The record for sessionStorage: the one place where verifier and nonce are written down.
    pub fn encode(&self) -> Value {
        let mut record = Members::default();
        record.number("version", Some(VERSION));
        record.text("issuer", Some(self.key.issuer.as_str()));
        record.text("client_id", Some(self.key.client_id.as_str()));
        record.text("redirect_uri", Some(self.redirect_uri.as_str()));
        record.text("token_endpoint", Some(self.token_endpoint.as_str()));
        record.value("iss_announced", Some(Value::Bool(self.iss_parameter == IssParameter::Announced)));
        record.text("state", Some(self.state.expose()));
        record.value("id_token", self.id_token.as_ref().map(IdTokenRequest::encode));
        record.text("code_verifier", Some(self.code_verifier.expose()));
        record.text("scope", self.scope.as_ref().map(Scope::as_str));
        if cfg!(feature = "overrides") {
            record.texts("resource", &self.resource);
        }
        if cfg!(feature = "dpop") {
            record.flag("dpop", self.dpop);
            record.text("dpop_jkt", self.dpop_jkt.as_deref());
        }
        record.text("token_storage", Some(self.token_storage.as_str()));
        record.text("return_path", self.return_path.as_ref().map(ReturnPath::as_str));
        record.flag("is_quiet", self.is_quiet);
        record.flag("restore", self.restore);
        record.flag("id_token_hint", self.id_token_hint);
        record.number("created_at", Some(self.created_at.0));
        record.finish()
    }

    /// Reads a record back; `None` for anything that [`encode`](Self::encode) did not write.
    pub fn decode(record: &Value, policy: SchemePolicy) -> Option<Self> {
        let text = |name: &str| record.text(name).filter(|text| !text.is_empty());
        // A build without a feature has no key that the code could be bound to, and would ask for tokens of another kind.
        let is_foreign = cfg!(not(feature = "dpop")) && record.member("dpop").is_some()
            || cfg!(not(feature = "overrides")) && record.member("resource").is_some();
        if record.number("version")? != VERSION || is_foreign {
            return None;
        }
        let [state, code_verifier] = [text("state")?, text("code_verifier")?];
        let [issuer, client_id] = [text("issuer")?, text("client_id")?];
        let [redirect_uri, token_endpoint] = [text("redirect_uri")?, text("token_endpoint")?];
        let iss_parameter = match record.member("iss_announced")? {
            Value::Bool(true) => IssParameter::Announced,
            Value::Bool(false) => IssParameter::Unsaid,
            _ => return None,
        };
        let dpop_jkt = if cfg!(feature = "dpop") { record.optional_text("dpop_jkt")? } else { None };
        let token_storage = TokenStorage::parse(text("token_storage")?)?;
        let created_at = UnixTime(record.number("created_at")?);
        let resource = match record.member("resource") {
            None => Vec::new(),
            Some(texts) => texts.as_texts()?,
        };
        let scope = record.optional_text("scope")?.map(Scope::parse).transpose().ok()?;
        let id_token = match record.member("id_token") {
            None => None,
            Some(asked) => Some(IdTokenRequest::decode(asked, policy)?),
        };
        let code_verifier = CodeVerifier::new(code_verifier);
        // What asks for an ID token is answered by nothing less.
        let is_answered = id_token.is_some() == scope.as_ref().is_some_and(Scope::asks_for_id_token);
        if !is_answered || !code_verifier.is_well_formed() {
            return None;
        }
        Some(Self {
            key: ClientKey { issuer: Issuer::parse(issuer, policy).ok()?, client_id: ClientId::parse(client_id).ok()? },
            redirect_uri: RedirectUri::parse(redirect_uri, policy).ok()?,
            token_endpoint: server_url(token_endpoint, policy).ok()?,
            iss_parameter,
            state: State::new(state),
            id_token,
            code_verifier,
            scope,
            resource,
            dpop: cfg!(feature = "dpop") && record.is_set("dpop"),
            dpop_jkt: dpop_jkt.map(str::to_owned),
            token_storage,
            // A path that was tampered with is dropped; the sign-in itself is none the worse for it.
            return_path: text("return_path").and_then(ReturnPath::parse),
            is_quiet: record.is_set("is_quiet"),
            restore: record.is_set("restore"),
            id_token_hint: record.is_set("id_token_hint"),
            created_at,
        })
    }
}

/// The records, by age, that make room for one more: the expired and, of the rest, the oldest over [`MOST`] − 1.
///
/// `created` holds each record's time; the result holds indices into it.
pub fn evict(created: &[UnixTime], now: UnixTime) -> Vec<usize> {
    let expired = |index: &usize| now.since(created[*index]) > LIFETIME;
    let (mut evicted, mut kept): (Vec<usize>, Vec<usize>) = (0..created.len()).partition(expired);
    while kept.len() >= MOST {
        // A handful of records: the smallest again and again is less code than a sort.
        let Some(oldest) = kept.iter().copied().min_by_key(|index| created[*index]) else { break };
        kept.retain(|index| *index != oldest);
        evicted.push(oldest);
    }
    evicted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AUT-15: at most eight, for an hour, the oldest leave first.
    #[test]
    fn evicts_the_expired_and_then_the_oldest() {
        let now = UnixTime(10_000);
        assert_eq!(evict(&[UnixTime(10_000); 7], now), Vec::<usize>::new());
        let times: Vec<_> = [9_000, 8_000, 9_100, 9_200, 9_300, 9_400, 9_500, 9_600].map(UnixTime).into();
        assert_eq!(evict(&times, now), vec![1]);
        // One more than there can be, as another version of the app may have left it.
        assert_eq!(evict(&[&times[..], &[UnixTime(8_500)]].concat(), now), vec![1, 8]);
        assert_eq!(evict(&[UnixTime(10_000 - 3_601), UnixTime(10_000 - 3_600)], now), vec![0]);
    }
}

// What `cargo test --lib --no-default-features` is there for.
#[cfg(all(test, not(any(feature = "dpop", feature = "overrides"))))]
mod tests_without_features {
    use super::*;

    /// WEB-2: what another build wrote, which asks for more than this one can do, is no record.
    #[test]
    fn a_build_without_a_feature_refuses_the_record_of_one_that_has_it() {
        let record = |more: &str| {
            let text = format!(
                r#"{{"version":{VERSION},"issuer":"https://as.example","client_id":"spa",
                "redirect_uri":"https://app.example/callback","token_endpoint":"https://as.example/token",
                "iss_announced":false,"state":"s","code_verifier":"{}","token_storage":"memory","created_at":1{more}}}"#,
                "v".repeat(43)
            );
            let record = Value::parse(text.as_bytes()).expect("a record");
            PendingAuthorization::decode(&record, SchemePolicy::HttpsOnly)
        };
        assert!(record("").is_some());
        assert!(record(r#","dpop":true"#).is_none());
        assert!(record(r#","resource":["https://api.example"]"#).is_none());
    }
}

//! The configuration: which authorization servers, as which client, and where the token may go.
//!
//! In scope: checking settings, made in code or read from a file, and naming everything that is wrong.
//! Out of scope: reading the file (`configuration`), and what the server says about itself (`metadata`).
//!
//! Rule: no client secret is expressible, and every problem is reported at once.
//!
//! Source: RFC 6749 §2.1 (public clients), §2.2, §3.1.2; draft-ietf-oauth-browser-based-apps §6.3.

use super::json::Value;
use super::metadata::{self, Metadata, MetadataError};
use super::problem::{ConfigurationError, Expected, Problems};
use super::site::Site;
use super::text::{cut, parts};
use super::time::Seconds;
use super::url::{SchemePolicy, Url};
use super::vocabulary::{ClientId, Issuer, NounError, RedirectUri, Scope, server_url};

/// One client at one authorization server; every member was checked.
#[derive(Clone)]
pub struct Client {
    pub(super) name: String,
    pub(super) key: ClientKey,
    pub(super) discovery: Discovery,
    pub(super) scope: Option<Scope>,
    pub(super) redirect_uri: RedirectUri,
    pub(super) post_logout_redirect_uri: Option<RedirectUri>,
    pub(super) metadata: Value,
    pub(super) extra_parameters: Vec<(String, String)>,
    pub(super) token_storage: TokenStorage,
    pub(super) resources: Vec<Resource>,
    pub(super) resource: Vec<String>,
    pub(super) authentication: Authentication,
    pub(super) clock_tolerance: Seconds,
    pub(super) pushed_authorization_requests: bool,
    pub(super) dpop: bool,
    pub(super) restore: bool,
    pub(super) id_token_hint: bool,
    pub(super) idle_timeout: Option<Seconds>,
}

/// How a person must sign in at the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authentication {
    /// How long ago at most; zero means now.
    pub max_age: Option<Seconds>,
    /// Authentication context classes of which one must be met, space-separated, the preferred first.
    pub acr_values: Option<String>,
}

/// What a session belongs to: one client at one issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientKey {
    /// The authorization server.
    pub issuer: Issuer,
    /// The client there.
    pub client_id: ClientId,
}

/// Whether the server's own metadata is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discovery {
    /// An issuer is configured: its metadata is fetched, and members of `metadata` override it.
    Fetch,
    /// No issuer is configured: `metadata` is all there is.
    Configured,
}

/// Where tokens live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenStorage {
    /// In this page; a reload means signed out.
    #[default]
    Memory,
    /// In this tab's sessionStorage; survives a reload. A duplicate of the tab drops the refresh token that was copied.
    Session,
    /// In this browser: all tabs of the origin have the same session, and it is there when they are opened again.
    Shared,
}

/// A place that the access token may be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// For people.
    pub name: String,
    /// The origin, and the path that a request must equal or lie below.
    pub url: Url,
}

/// The members of one authorization server as text, unchecked: what `config.json` holds, for settings made in code.
///
/// `issuer` (or `metadata` with both endpoints) and `client_id` are required.
#[derive(Clone, Default)]
pub struct ClientSettings {
    /// For people; the issuer's host if empty.
    pub name: String,
    /// The issuer identifier; a path such as `auth/` is below the site's base.
    pub issuer: Option<String>,
    /// The client identifier.
    pub client_id: String,
    /// Space-separated scope tokens.
    pub scope: Option<String>,
    /// The registered redirect URI; the site's base URL plus `callback` if absent.
    pub redirect_uri: Option<String>,
    /// Where to come back to after signing out at the server.
    pub post_logout_redirect_uri: Option<String>,
    /// Metadata members that override the server's, by their RFC 8414 names, with their URLs.
    pub metadata: Option<Value>,
    /// Further parameters of the authorization request.
    pub extra_parameters: Vec<(String, String)>,
    /// `memory`, `session` or `shared`.
    pub token_storage: Option<String>,
    /// Name and URL of each place that the token may be sent to; a path such as `auth/api` is below the site's base.
    pub resources: Vec<(String, String)>,
    /// The resources that the token is asked for (RFC 8707): absolute URIs without fragment.
    pub resource: Vec<String>,
    /// How many seconds ago the person may have signed in at the server.
    pub max_age: Option<u64>,
    /// Authentication context classes of which one must be met, space-separated.
    pub acr_values: Option<String>,
    /// How many seconds the clocks may differ, at most 300; 60 if absent.
    pub clock_tolerance: Option<u64>,
    /// Whether authorization requests are pushed even where the server does not demand it (RFC 9126).
    pub pushed_authorization_requests: bool,
    /// Whether tokens are bound to a key of this browser (RFC 9449).
    pub dpop: bool,
    /// Whether a session that was lost without anybody signing out is asked for anew, by one round trip to the server that
    /// shows nothing (OpenID Connect Core §3.1.2.1: `prompt=none`).
    pub restore: bool,
    /// Whether the ID token is shown to the server at sign-out (OpenID Connect RP-Initiated Logout §2): it is then kept, and
    /// goes into an address. Without it the server may ask the person whether to sign out.
    pub id_token_hint: bool,
    /// After how many seconds without a key or a pointer the person is signed out, in all tabs; never if absent.
    pub idle_timeout: Option<u64>,
}

/// Parameters of the authorization request that only this library sets.
const PROTECTED_PARAMETERS: [&str; 16] = [
    "response_type",
    "response_mode",
    "client_id",
    "client_secret",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "request",
    "request_uri",
    "max_age",
    "acr_values",
    "resource",
    "dpop_jkt",
];

/// How far clocks may differ unless configured, and at most.
const CLOCK_TOLERANCE: u64 = 60;
pub(super) const MOST_CLOCK_TOLERANCE: u64 = 300;

/// Whether configuration may not set this parameter of the authorization request.
pub(super) fn is_protected(parameter: &str) -> bool {
    PROTECTED_PARAMETERS.contains(&parameter)
}

impl Client {
    /// Checks settings made in code by the rules of `config.json`.
    ///
    /// # Errors
    /// [`ConfigurationError::Invalid`] with every problem.
    pub fn new(settings: ClientSettings, site: &Site) -> Result<Self, ConfigurationError> {
        let mut problems = Problems::default();
        match check(&settings, site, &mut problems) {
            Some(client) if problems.found.is_empty() => Ok(client),
            _ => Err(ConfigurationError::Invalid(problems.found)),
        }
    }

    /// Checks the settings of several; the first that has problems is reported.
    ///
    /// # Errors
    /// [`ConfigurationError::Invalid`].
    pub fn all(settings: Vec<ClientSettings>, site: &Site) -> Result<Vec<Self>, ConfigurationError> {
        let mut clients: Vec<Self> = Vec::new();
        for settings in settings {
            let client = Self::new(settings, site)?;
            let mut problems = Problems::default();
            check_once(&client, &clients, "client_id", &mut problems);
            if !problems.found.is_empty() {
                return Err(ConfigurationError::Invalid(problems.found));
            }
            clients.push(client);
        }
        Ok(clients)
    }

    /// What its sessions belong to.
    pub fn key(&self) -> &ClientKey {
        &self.key
    }

    /// The name for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The scope that is asked for, if one is configured.
    pub fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }

    /// Whether `openid` is asked for, so that an ID token must come.
    pub fn asks_for_id_token(&self) -> bool {
        self.scope.as_ref().is_some_and(Scope::asks_for_id_token)
    }

    /// Whether its tokens are bound to a key of this browser (RFC 9449).
    pub fn uses_dpop(&self) -> bool {
        cfg!(feature = "dpop") && self.dpop
    }

    /// Whether its requests are pushed: because it is configured, or because the server wants it (RFC 9126 §5).
    pub fn pushes_requests(&self, metadata: &Metadata) -> bool {
        cfg!(feature = "par") && (self.pushed_authorization_requests || metadata.requires_pushed_authorization_requests)
    }

    /// The redirect URI to register, exactly as it is sent.
    pub fn redirect_uri(&self) -> &RedirectUri {
        &self.redirect_uri
    }

    /// Where to come back to after signing out at the server, if configured.
    pub fn post_logout_redirect_uri(&self) -> Option<&RedirectUri> {
        self.post_logout_redirect_uri.as_ref()
    }

    /// Members that stand in the place of the server's own metadata.
    pub(super) fn overrides(&self) -> &Value {
        if cfg!(feature = "overrides") { &self.metadata } else { &Value::Null }
    }

    /// Further parameters of the authorization request.
    pub(super) fn extra_parameters(&self) -> &[(String, String)] {
        if cfg!(feature = "overrides") { &self.extra_parameters } else { &[] }
    }

    /// The resources that the token is asked for.
    pub(super) fn resource(&self) -> &[String] {
        if cfg!(feature = "overrides") { &self.resource } else { &[] }
    }

    /// Whether the server is asked for its metadata.
    pub(super) fn fetches_metadata(&self) -> bool {
        cfg!(not(feature = "overrides")) || self.discovery == Discovery::Fetch
    }

    /// Whether a session that was lost is asked for anew.
    pub fn restores(&self) -> bool {
        cfg!(feature = "restore") && self.restore
    }

    /// After how long without a key or a pointer the person is signed out.
    pub fn idle_timeout(&self) -> Option<Seconds> {
        self.idle_timeout.filter(|_| cfg!(feature = "idle_timeout"))
    }

    /// Where its tokens live.
    pub fn token_storage(&self) -> TokenStorage {
        self.token_storage
    }

    /// The configured places that the token may be sent to.
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// Metadata from the configuration alone.
    ///
    /// # Errors
    /// [`MetadataError::MissingMember`] if it does not have what a sign-in needs.
    pub(super) fn configured_metadata(&self, site: &Site) -> Result<Metadata, MetadataError> {
        let document = Value::Object(vec![("issuer".to_owned(), Value::string(self.key.issuer.as_str()))]);
        Metadata::check(&document, self.overrides(), &self.key.issuer, site.scheme_policy())
    }
}

impl ClientKey {
    /// The name of the key pair that its tokens are bound to; neither an issuer nor a client identifier ends in a space.
    pub fn proof_key_name(&self) -> String {
        format!("proof {} {}", self.issuer, self.client_id)
    }
}

impl TokenStorage {
    /// The word in `config.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Session => "session",
            Self::Shared => "shared",
        }
    }

    /// Whether a session is written down in this tab, and there again after a reload.
    pub(super) fn is_session(self) -> bool {
        cfg!(feature = "session_storage") && self == Self::Session
    }

    /// Whether all tabs of the origin have the same session.
    pub(super) fn is_shared(self) -> bool {
        cfg!(feature = "shared_storage") && self == Self::Shared
    }

    /// The storage that `word` names.
    pub(super) fn parse(word: &str) -> Option<Self> {
        let is_there = |storage: &Self| *storage == Self::Memory || storage.is_session() || storage.is_shared();
        [Self::Memory, Self::Session, Self::Shared]
            .into_iter()
            .find(|storage| is_there(storage) && storage.as_str() == word)
    }
}

/// Checks the settings of one server; `None` if a required member is unusable (and then a problem was added).
pub(super) fn check(settings: &ClientSettings, site: &Site, problems: &mut Problems) -> Option<Client> {
    let policy = site.scheme_policy();
    for (is_wanted, is_there, member) in [
        (settings.dpop, cfg!(feature = "dpop"), "dpop"),
        (settings.pushed_authorization_requests, cfg!(feature = "par"), "pushed_authorization_requests"),
        (settings.metadata.is_some(), cfg!(feature = "overrides"), "metadata"),
        (!settings.extra_parameters.is_empty(), cfg!(feature = "overrides"), "extra_parameters"),
        (!settings.resource.is_empty(), cfg!(feature = "overrides"), "resource"),
        (settings.token_storage.as_deref() == Some("session"), cfg!(feature = "session_storage"), "token_storage"),
        (settings.token_storage.as_deref() == Some("shared"), cfg!(feature = "shared_storage"), "token_storage"),
        (settings.idle_timeout.is_some(), cfg!(feature = "idle_timeout"), "idle_timeout"),
        (settings.restore, cfg!(feature = "restore"), "restore"),
        (settings.id_token_hint, cfg!(feature = "end_session"), "id_token_hint"),
    ] {
        if is_wanted && !is_there {
            problems.add(member, Expected::Feature, "a value");
        }
    }
    if let Some(metadata) = settings.metadata.as_ref().filter(|_| cfg!(feature = "overrides")) {
        check_metadata(metadata, policy, problems);
    }
    let (issuer_text, discovery) = issuer(settings, site, problems)?;
    let issuer = problems.noun("issuer", &issuer_text, Issuer::parse(&issuer_text, policy), Expected::Issuer);
    let client_id = match settings.client_id.as_str() {
        "" => {
            problems.add("client_id", Expected::KnownClientId, "");
            None
        }
        text => problems.noun("client_id", text, ClientId::parse(text), Expected::ClientId),
    };
    let scope = settings.scope.as_deref().filter(|text| !text.is_empty());
    let scope = scope.and_then(|text| problems.noun("scope", text, Scope::parse(text), Expected::Scope));
    let text = settings.redirect_uri.clone().unwrap_or_else(|| site.url_of("callback"));
    let parsed = RedirectUri::parse(&text, policy);
    let redirect_uri = problems.noun("redirect_uri", &text, parsed, Expected::RedirectUri);
    let post_logout_redirect_uri = settings.post_logout_redirect_uri.as_deref().and_then(|text| {
        let parsed = RedirectUri::parse(text, policy);
        problems.noun("post_logout_redirect_uri", text, parsed, Expected::RedirectUri)
    });
    if cfg!(feature = "overrides") {
        check_overrides(settings, problems);
    }
    let clock_tolerance = settings.clock_tolerance.unwrap_or(CLOCK_TOLERANCE);
    if clock_tolerance > MOST_CLOCK_TOLERANCE {
        problems.add("clock_tolerance", Expected::ClockTolerance, &clock_tolerance.to_string());
    }
    if settings.idle_timeout == Some(0) {
        problems.add("idle_timeout", Expected::IdleTimeout, "0");
    }
    if let Some(text) = &settings.acr_values {
        problems.noun("acr_values", text, Scope::parse(text), Expected::Values);
    }
    let token_storage = match settings.token_storage.as_deref() {
        None => Some(TokenStorage::default()),
        Some(word) => {
            let storage = TokenStorage::parse(word);
            if storage.is_none() {
                problems.add("token_storage", Expected::TokenStorage, word);
            }
            storage
        }
    };
    let mut resources = Vec::new();
    for (index, (name, text)) in settings.resources.iter().enumerate() {
        let url = server_url(&site.resolve(text), policy).and_then(|url| {
            if url.query().is_some() || url.fragment().is_some() { Err(NounError::QueryOrFragment) } else { Ok(url) }
        });
        let member = ["resources[", &index.to_string(), "].url"].concat();
        if let Some(url) = problems.noun(&member, text, url, Expected::ResourceUrl) {
            resources.push(Resource { name: if name.is_empty() { text } else { name }.clone(), url });
        }
    }

    let key = ClientKey { issuer: issuer?, client_id: client_id? };
    Some(Client {
        name: if settings.name.is_empty() { key.issuer.url().host().to_owned() } else { settings.name.clone() },
        key,
        discovery,
        scope,
        redirect_uri: redirect_uri?,
        post_logout_redirect_uri,
        metadata: settings.metadata.clone().filter(|_| cfg!(feature = "overrides")).unwrap_or(Value::Null),
        extra_parameters: if cfg!(feature = "overrides") { settings.extra_parameters.clone() } else { Vec::new() },
        token_storage: token_storage?,
        resources,
        resource: if cfg!(feature = "overrides") { settings.resource.clone() } else { Vec::new() },
        authentication: Authentication {
            max_age: settings.max_age.map(Seconds),
            acr_values: settings.acr_values.clone(),
        },
        clock_tolerance: Seconds(clock_tolerance),
        pushed_authorization_requests: settings.pushed_authorization_requests,
        dpop: settings.dpop,
        restore: settings.restore,
        id_token_hint: settings.id_token_hint,
        idle_timeout: settings.idle_timeout.map(Seconds),
    })
}

/// Adds a problem if one of the `clients` is the same as this one.
pub(super) fn check_once(client: &Client, clients: &[Client], member: &str, problems: &mut Problems) {
    if clients.iter().any(|known| known.key == client.key) {
        problems.add(member, Expected::Once, "the same pair as before");
    }
}

/// The issuer identifier, and whether the server is asked for its metadata.
fn issuer(settings: &ClientSettings, site: &Site, problems: &mut Problems) -> Option<(String, Discovery)> {
    let issuer = settings.issuer.as_deref().map(|text| site.resolve(text));
    let metadata = settings.metadata.as_ref().filter(|_| cfg!(feature = "overrides"));
    let text = |name: &str| metadata?.text(name);
    let endpoint = text("authorization_endpoint");
    let has_endpoints =
        endpoint.is_some() && metadata.is_some_and(|metadata| metadata.member("token_endpoint").is_some());
    match (issuer, text("issuer")) {
        (Some(issuer), Some(named)) if issuer != named => {
            problems.add("metadata.issuer", Expected::SameIssuer(issuer), named);
            None
        }
        (Some(issuer), _) => Some((issuer, Discovery::Fetch)),
        (None, Some(named)) if has_endpoints => Some((named.to_owned(), Discovery::Configured)),
        // A server without an issuer identifier is known by the origin of its authorization endpoint.
        (None, None) if has_endpoints => {
            let url = endpoint.and_then(|text| Url::parse(text).ok())?;
            Some((url.origin().to_owned(), Discovery::Configured))
        }
        (None, _) => {
            problems.add("issuer", Expected::IssuerOrEndpoints, "");
            None
        }
    }
}

/// Checks what stands in the place of the server's metadata, and what is sent beside the request's own parameters.
fn check_overrides(settings: &ClientSettings, problems: &mut Problems) {
    for (index, (name, _)) in settings.extra_parameters.iter().enumerate() {
        let is_twice = settings.extra_parameters.iter().take(index).any(|(known, _)| known == name);
        if is_protected(name) || is_twice {
            problems.add(&["extra_parameters.", name].concat(), Expected::UnprotectedParameter, name);
        }
    }
    check_prompt(&settings.extra_parameters, settings.max_age, problems);
    for (index, text) in settings.resource.iter().enumerate() {
        if !is_resource_identifier(text) {
            problems.add(&["resource[", &index.to_string(), "]"].concat(), Expected::ResourceIdentifier, text);
        }
    }
}

/// Checks the members that stand in the place of the server's own, first: an issuer among them may be the only one.
fn check_metadata(metadata: &Value, policy: SchemePolicy, problems: &mut Problems) {
    for wrong in metadata::wrong_members(metadata, policy) {
        problems.add(&["metadata.", &wrong.name].concat(), wrong.expected, &wrong.found);
    }
    if metadata.member("client_secret").is_some() {
        problems.add("metadata.client_secret", Expected::NoClientSecret, "a client secret (not shown)");
    }
}

/// AUT-9: `none` stands alone, and cannot stand with a `max_age` that nobody could satisfy unseen.
fn check_prompt(extra_parameters: &[(String, String)], max_age: Option<u64>, problems: &mut Problems) {
    let Some((_, prompt)) = extra_parameters.iter().find(|(name, _)| name == "prompt") else { return };
    let known = ["none", "login", "consent", "select_account", "create"];
    let has_none = parts(prompt, b' ').any(|word| word == "none");
    let is_known = parts(prompt, b' ').all(|word| known.contains(&word));
    let contradicts = has_none && (prompt != "none" || max_age == Some(0));
    if !is_known || contradicts {
        problems.add("extra_parameters.prompt", Expected::Prompt, prompt);
    }
}

/// An absolute URI (RFC 3986 §4.3) of visible ASCII characters; it is compared by others, not opened here.
fn is_resource_identifier(text: &str) -> bool {
    let (scheme, rest) = cut(text, b':');
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet));
    is_scheme
        && rest.is_some_and(|rest| !rest.is_empty())
        && text.bytes().all(|octet| (0x21..=0x7e).contains(&octet) && octet != b'#')
}

// What `cargo test --lib --no-default-features` is there for.
#[cfg(not(any(
    feature = "dpop",
    feature = "end_session",
    feature = "idle_timeout",
    feature = "overrides",
    feature = "par",
    feature = "restore",
    feature = "session_storage",
    feature = "shared_storage",
)))]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_without_a_feature_refuses_what_needs_it() {
        let site = Site::parse("https://app.example/").expect("a site");
        let refused = |change: fn(&mut ClientSettings)| {
            let mut settings = ClientSettings {
                issuer: Some("https://as.example".into()),
                client_id: "spa".into(),
                ..ClientSettings::default()
            };
            change(&mut settings);
            match Client::new(settings, &site) {
                Err(ConfigurationError::Invalid(problems)) => problems,
                _ => Vec::new(),
            }
        };
        assert_eq!(refused(|_| ()), []);
        for (member, change) in [
            ("dpop", (|settings| settings.dpop = true) as fn(&mut ClientSettings)),
            ("pushed_authorization_requests", |settings| settings.pushed_authorization_requests = true),
            ("metadata", |settings| settings.metadata = Some(Value::Object(Vec::new()))),
            ("extra_parameters", |settings| settings.extra_parameters = vec![("prompt".into(), "login".into())]),
            ("resource", |settings| settings.resource = vec!["https://api.example".into()]),
            ("token_storage", |settings| settings.token_storage = Some("session".into())),
            ("token_storage", |settings| settings.token_storage = Some("shared".into())),
            ("idle_timeout", |settings| settings.idle_timeout = Some(60)),
            ("restore", |settings| settings.restore = true),
            ("id_token_hint", |settings| settings.id_token_hint = true),
            ("metadata", |settings| {
                (settings.issuer, settings.metadata) = (None, Some(Value::Object(Vec::new())));
            }),
        ] {
            let problems = refused(change);
            assert_eq!((problems[0].place.as_str(), &problems[0].expected), (member, &Expected::Feature));
        }
    }
}

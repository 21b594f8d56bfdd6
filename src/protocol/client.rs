//! The configuration: which authorization servers, as which client, and where the token may go.
//!
//! In scope: reading `config.json` and settings made in code by the same rules, naming everything that is wrong.
//! Out of scope: fetching the file, and what the server says about itself (`metadata`).
//!
//! Rule: no client secret is expressible. Members are named as the RFCs name them, an unknown one is an error, and
//! every problem is reported at once, with its place and what was expected there.
//!
//! Source: RFC 6749 §2.1 (public clients), §2.2, §3.1.2; draft-ietf-oauth-browser-based-apps §6.3.

use std::fmt;

use super::http::{HttpFailure, HttpResponse};
use super::json::{JsonError, Value};
use super::metadata::{self, Metadata, MetadataError};
use super::site::Site;
use super::text::{cut, parts, shorten};
use super::time::Seconds;
use super::url::Url;
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
    /// In this tab's sessionStorage; survives a reload.
    Session,
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
    /// `memory` or `session`.
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
}

/// Why there is no usable configuration.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigurationError {
    /// An HTML page came in the file's place, as hosts answer for files that are not there.
    Html,
    /// Members are unknown, missing or wrong.
    Invalid(Vec<Problem>),
    /// The host has no such file.
    Missing {
        /// The status it answered.
        status: u16,
    },
    /// The file is no JSON document.
    NotJson(JsonError),
    /// The file could not be fetched.
    Unreachable(HttpFailure),
}

/// One thing that is wrong in a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The place, e.g. `authorization_servers[0].redirect_uri`.
    pub place: String,
    /// What was expected there.
    pub expected: String,
    /// What is there; never a secret.
    pub found: String,
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

const NO_CLIENT_SECRET: &str = "no client secret: whatever a web page holds, everybody can read, so this client is a \
                                public one (RFC 6749 §2.1) and PKCE takes the secret's place";

/// Whether configuration may not set this parameter of the authorization request.
pub(super) fn is_protected(parameter: &str) -> bool {
    PROTECTED_PARAMETERS.contains(&parameter)
}

/// Reads the answer to the request for `config.json`.
///
/// # Errors
/// [`ConfigurationError`]; nothing is used of a file that has a single problem.
pub fn read_configuration(
    outcome: Result<HttpResponse, HttpFailure>,
    site: &Site,
) -> Result<Vec<Client>, ConfigurationError> {
    let response = outcome.map_err(ConfigurationError::Unreachable)?;
    if response.status != 200 {
        return Err(ConfigurationError::Missing { status: response.status });
    }
    // Hosts that answer every path with the app itself say so by the media type, or by the first character.
    let first = response.body.iter().find(|octet| !octet.is_ascii_whitespace());
    if response.media_type().as_deref() == Some("text/html") || first == Some(&b'<') {
        return Err(ConfigurationError::Html);
    }
    parse_configuration(&response.body, site)
}

/// Reads the text of a `config.json`.
///
/// # Errors
/// [`ConfigurationError::NotJson`] or [`ConfigurationError::Invalid`] with every problem.
pub fn parse_configuration(octets: &[u8], site: &Site) -> Result<Vec<Client>, ConfigurationError> {
    let document = Value::parse(octets).map_err(ConfigurationError::NotJson)?;
    let mut problems = Problems::default();
    let mut clients: Vec<Client> = Vec::new();
    let mut root = Members::of(&document, &mut problems);
    let servers = root.array("authorization_servers", &mut problems);
    // A JSON Schema reference helps editors and means nothing here.
    root.string("$schema", &mut problems);
    root.finish(&mut problems);
    match servers {
        None => problems.add("authorization_servers", "an array of authorization servers", "nothing"),
        Some(servers) => {
            for (index, server) in servers.iter().enumerate() {
                problems.within(&format!("authorization_servers[{index}]"), |problems| {
                    let settings = settings(server, problems);
                    let Some(client) = check(&settings, site, problems) else { return };
                    problems.once("", &client, &clients);
                    clients.push(client);
                });
            }
        }
    }
    if problems.found.is_empty() { Ok(clients) } else { Err(ConfigurationError::Invalid(problems.found)) }
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
            problems.once("client_id", &client, &clients);
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
        Metadata::check(&document, &self.metadata, &self.key.issuer, site.scheme_policy())
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
        }
    }

    /// The storage that `word` names.
    pub(super) fn parse(word: &str) -> Option<Self> {
        [Self::Memory, Self::Session].into_iter().find(|storage| storage.as_str() == word)
    }
}

impl fmt::Display for ConfigurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Html => f.write_str("an HTML page came in the place of config.json"),
            Self::Invalid(problems) => {
                f.write_str("the configuration has problems: ")?;
                for (index, problem) in problems.iter().enumerate() {
                    if index > 0 {
                        f.write_str("; ")?;
                    }
                    problem.fmt(f)?;
                }
                Ok(())
            }
            Self::Missing { status } => write!(f, "there is no config.json beside index.html (status {status})"),
            Self::NotJson(error) => write!(f, "config.json: {error}"),
            Self::Unreachable(failure) => write!(f, "config.json could not be fetched: {failure}"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, found {}", self.place, self.expected, self.found)
    }
}

/// Checks the settings of one server; `None` if a required member is unusable (and then a problem was added).
fn check(settings: &ClientSettings, site: &Site, problems: &mut Problems) -> Option<Client> {
    let policy = site.scheme_policy();
    let metadata = settings.metadata.clone().unwrap_or(Value::Object(Vec::new()));
    for wrong in metadata::wrong_members(&metadata, policy) {
        problems.add(&["metadata.", &wrong.name].concat(), &wrong.expected, &wrong.found);
    }
    if metadata.member("client_secret").is_some() {
        problems.add("metadata.client_secret", NO_CLIENT_SECRET, "a client secret (not shown)");
    }
    let named = metadata.member("issuer").and_then(Value::as_str);
    let endpoint = metadata.member("authorization_endpoint").and_then(Value::as_str);
    let has_endpoints = endpoint.is_some() && metadata.member("token_endpoint").is_some();
    let (issuer_text, discovery) = match (settings.issuer.as_deref().map(|text| site.resolve(text)), named) {
        (Some(issuer), Some(named)) if issuer != named => {
            problems.add("metadata.issuer", &["the same as issuer, ", &issuer].concat(), named);
            return None;
        }
        (Some(issuer), _) => (issuer, Discovery::Fetch),
        (None, Some(named)) if has_endpoints => (named.to_owned(), Discovery::Configured),
        // A server without an issuer identifier is known by the origin of its authorization endpoint.
        (None, None) if has_endpoints => {
            let url = endpoint.and_then(|text| Url::parse(text).ok())?;
            (url.origin().to_owned(), Discovery::Configured)
        }
        (None, _) => {
            let expected = "an issuer, or metadata with authorization_endpoint and token_endpoint";
            problems.add("issuer", expected, "nothing");
            return None;
        }
    };

    let issuer = problems.noun("issuer", &issuer_text, "an issuer URL", Issuer::parse(&issuer_text, policy));
    let client_id = match settings.client_id.as_str() {
        "" => {
            problems.add("client_id", "the client identifier that the server knows", "");
            None
        }
        text => problems.noun("client_id", text, "a client identifier", ClientId::parse(text)),
    };
    let scope = settings.scope.as_deref().filter(|text| !text.is_empty());
    let scope = scope
        .and_then(|text| problems.noun("scope", text, "scope tokens separated by single spaces", Scope::parse(text)));
    let redirect_text = settings.redirect_uri.clone().unwrap_or_else(|| site.url_of("callback"));
    let redirect_uri = problems.noun(
        "redirect_uri",
        &redirect_text,
        "an absolute URL without fragment",
        RedirectUri::parse(&redirect_text, policy),
    );
    let post_logout_redirect_uri = settings.post_logout_redirect_uri.as_deref().and_then(|text| {
        let parsed = RedirectUri::parse(text, policy);
        problems.noun("post_logout_redirect_uri", text, "an absolute URL without fragment", parsed)
    });
    for (index, (name, _)) in settings.extra_parameters.iter().enumerate() {
        let is_twice = settings.extra_parameters.iter().take(index).any(|(known, _)| known == name);
        if is_protected(name) || is_twice {
            let expected = "parameters that this app does not set itself, each once";
            problems.add(&["extra_parameters.", name].concat(), expected, name);
        }
    }
    check_prompt(&settings.extra_parameters, settings.max_age, problems);
    let clock_tolerance = settings.clock_tolerance.unwrap_or(CLOCK_TOLERANCE);
    if clock_tolerance > MOST_CLOCK_TOLERANCE {
        let expected = "at most 300 seconds: a clock that is further off should be set";
        problems.add("clock_tolerance", expected, &clock_tolerance.to_string());
    }
    if let Some(text) = &settings.acr_values {
        let parsed = Scope::parse(text).map(|_| ());
        problems.noun("acr_values", text, "values separated by single spaces", parsed);
    }
    for (is_wanted, is_there, member) in [
        (settings.dpop, cfg!(feature = "dpop"), "dpop"),
        (settings.pushed_authorization_requests, cfg!(feature = "par"), "pushed_authorization_requests"),
    ] {
        if is_wanted && !is_there {
            problems.add(member, "false: this app was built without the feature", "true");
        }
    }
    for (index, text) in settings.resource.iter().enumerate() {
        if !is_resource_identifier(text) {
            problems.add(&format!("resource[{index}]"), "an absolute URI without fragment (RFC 8707 §2)", text);
        }
    }
    let token_storage = match settings.token_storage.as_deref() {
        None => Some(TokenStorage::default()),
        Some(word) => {
            let storage = TokenStorage::parse(word);
            if storage.is_none() {
                problems.add("token_storage", "\"memory\" or \"session\"", word);
            }
            storage
        }
    };
    let mut resources = Vec::new();
    for (index, (name, text)) in settings.resources.iter().enumerate() {
        let expected = "an absolute URL without query or fragment";
        let member = format!("resources[{index}].url");
        let url = server_url(&site.resolve(text), policy).and_then(|url| {
            if url.query().is_some() || url.fragment().is_some() { Err(NounError::QueryOrFragment) } else { Ok(url) }
        });
        if let Some(url) = problems.noun(&member, text, expected, url) {
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
        metadata,
        extra_parameters: settings.extra_parameters.clone(),
        token_storage: token_storage?,
        resources,
        resource: settings.resource.clone(),
        authentication: Authentication {
            max_age: settings.max_age.map(Seconds),
            acr_values: settings.acr_values.clone(),
        },
        clock_tolerance: Seconds(clock_tolerance),
        pushed_authorization_requests: settings.pushed_authorization_requests,
        dpop: settings.dpop,
    })
}

/// AUT-9: `none` stands alone, and cannot stand with a `max_age` that nobody could satisfy unseen.
fn check_prompt(extra_parameters: &[(String, String)], max_age: Option<u64>, problems: &mut Problems) {
    let Some((_, prompt)) = extra_parameters.iter().find(|(name, _)| name == "prompt") else { return };
    let known = ["none", "login", "consent", "select_account", "create"];
    let has_none = parts(prompt, b' ').any(|word| word == "none");
    let is_known = parts(prompt, b' ').all(|word| known.contains(&word));
    let contradicts = has_none && (prompt != "none" || max_age == Some(0));
    if !is_known || contradicts {
        let expected = "login, consent, select_account or create, or none alone and not with max_age 0";
        problems.add("extra_parameters.prompt", expected, prompt);
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

/// Reads the members of one server without judging their values.
fn settings(server: &Value, problems: &mut Problems) -> ClientSettings {
    let mut members = Members::of(server, problems);
    let settings = ClientSettings {
        name: members.string("name", problems).unwrap_or_default(),
        issuer: members.string("issuer", problems),
        client_id: members.string("client_id", problems).unwrap_or_default(),
        scope: members.string("scope", problems),
        redirect_uri: members.string("redirect_uri", problems),
        post_logout_redirect_uri: members.string("post_logout_redirect_uri", problems),
        metadata: members.object("metadata", problems),
        extra_parameters: members.strings("extra_parameters", problems),
        token_storage: members.string("token_storage", problems),
        resources: resources(members.array("resources", problems).unwrap_or_default(), problems),
        resource: members.one_or_several("resource", problems),
        max_age: members.seconds("max_age", problems),
        acr_values: members.string("acr_values", problems),
        clock_tolerance: members.seconds("clock_tolerance", problems),
        pushed_authorization_requests: members.flag("pushed_authorization_requests", problems),
        dpop: members.flag("dpop", problems),
    };
    members.finish(problems);
    settings
}

fn resources(elements: &[Value], problems: &mut Problems) -> Vec<(String, String)> {
    let mut resources = Vec::new();
    for (index, element) in elements.iter().enumerate() {
        problems.within(&format!("resources[{index}]"), |problems| {
            let mut members = Members::of(element, problems);
            let name = members.string("name", problems).unwrap_or_default();
            // An absent URL is checked like an empty one, so that the places of the others stay what they are.
            resources.push((name, members.string("url", problems).unwrap_or_default()));
            members.finish(problems);
        });
    }
    resources
}

/// The problems found so far, and where in the document the search is.
#[derive(Default)]
struct Problems {
    place: String,
    found: Vec<Problem>,
}

impl Problems {
    /// Searches a part of the document.
    fn within(&mut self, part: &str, search: impl FnOnce(&mut Self)) {
        let place = self.at(part);
        let whole = std::mem::replace(&mut self.place, place);
        search(self);
        self.place = whole;
    }

    /// Adds a problem of a member, or of the part itself; one place has one, the first that was found.
    fn add(&mut self, member: &str, expected: &str, found: &str) {
        let place = self.at(member);
        if self.found.iter().any(|known| known.place == place) {
            return;
        }
        // A value in the wrong place may be long; a message need not be.
        let found = if found.is_empty() { "nothing".to_owned() } else { shorten(found, 120) };
        self.found.push(Problem { place, expected: expected.to_owned(), found });
    }

    /// Adds a problem if one of the `clients` is the same as this one.
    fn once(&mut self, member: &str, client: &Client, clients: &[Client]) {
        if clients.iter().any(|known| known.key == client.key) {
            self.add(member, "each issuer and client_id once", "the same pair as before");
        }
    }

    fn noun<T>(&mut self, member: &str, text: &str, expected: &str, parsed: Result<T, NounError>) -> Option<T> {
        parsed.map_err(|error| self.wrong(member, text, expected, error)).ok()
    }

    fn wrong(&mut self, member: &str, text: &str, expected: &str, error: NounError) {
        self.add(member, &format!("{expected} ({error})"), text);
    }

    fn at(&self, member: &str) -> String {
        let separator = if self.place.is_empty() || member.is_empty() { "" } else { "." };
        [&self.place, separator, member].concat()
    }
}

/// Reads known members off an object and reports the rest.
struct Members<'a> {
    object: &'a [(String, Value)],
    known: Vec<&'static str>,
}

impl<'a> Members<'a> {
    fn of(value: &'a Value, problems: &mut Problems) -> Self {
        let object = value.as_object().unwrap_or_else(|| {
            problems.add(if problems.place.is_empty() { "config.json" } else { "" }, "an object", value.kind());
            &[]
        });
        Self { object, known: Vec::new() }
    }

    fn take<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        problems: &mut Problems,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Option<T> {
        self.known.push(name);
        let (_, value) = self.object.iter().find(|(known, _)| known == name)?;
        let read = read(value);
        if read.is_none() {
            problems.add(name, expected, value.kind());
        }
        read
    }

    fn string(&mut self, name: &'static str, problems: &mut Problems) -> Option<String> {
        self.take(name, "a string", problems, |value| value.as_str().map(str::to_owned))
    }

    fn array(&mut self, name: &'static str, problems: &mut Problems) -> Option<&'a [Value]> {
        self.take(name, "an array", problems, Value::as_array)
    }

    fn object(&mut self, name: &'static str, problems: &mut Problems) -> Option<Value> {
        self.take(name, "an object", problems, |value| value.as_object().map(|_| value.clone()))
    }

    fn strings(&mut self, name: &'static str, problems: &mut Problems) -> Vec<(String, String)> {
        let pairs = self.take(name, "an object whose values are strings", problems, |value| {
            let pair = |(name, value): &(String, Value)| Some((name.clone(), value.as_str()?.to_owned()));
            value.as_object()?.iter().map(pair).collect::<Option<Vec<_>>>()
        });
        pairs.unwrap_or_default()
    }

    fn seconds(&mut self, name: &'static str, problems: &mut Problems) -> Option<u64> {
        self.take(name, "a whole number of seconds", problems, Value::as_whole_number)
    }

    fn flag(&mut self, name: &'static str, problems: &mut Problems) -> bool {
        let flag = |value: &Value| match value {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        };
        self.take(name, "true or false", problems, flag).unwrap_or_default()
    }

    fn one_or_several(&mut self, name: &'static str, problems: &mut Problems) -> Vec<String> {
        let texts = |value: &Value| match value {
            Value::String(text) => Some(vec![text.clone()]),
            value => value.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect(),
        };
        self.take(name, "a string or an array of strings", problems, texts).unwrap_or_default()
    }

    fn finish(self, problems: &mut Problems) {
        for (name, value) in self.object {
            if name == "client_secret" {
                problems.add(name, NO_CLIENT_SECRET, "a client secret (not shown)");
            } else if !self.known.contains(&name.as_str()) {
                let expected = format!("one of {}", self.known.join(", "));
                problems.add(name, &expected, &format!("an unknown member, {}", value.kind()));
            }
        }
    }
}

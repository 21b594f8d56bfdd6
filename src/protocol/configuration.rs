//! Reading `config.json`.
//!
//! In scope: the document, by the same rules as settings made in code (`client`). Out of scope: fetching it.
//!
//! Rule: members are named as the RFCs name them, an unknown one is an error, and every problem is reported at once, with its
//! place and what was expected there.

use super::client::{Client, ClientSettings, check, check_once};
use super::http::{HttpFailure, HttpResponse};
use super::json::Value;
use super::problem::{ConfigurationError, Expected, Problems};
use super::site::Site;

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
        None => problems.add("authorization_servers", Expected::Servers, ""),
        Some(servers) => {
            for (index, server) in servers.iter().enumerate() {
                problems.within(&format!("authorization_servers[{index}]"), |problems| {
                    let settings = settings(server, problems);
                    let Some(client) = check(&settings, site, problems) else { return };
                    check_once(&client, &clients, "", problems);
                    clients.push(client);
                });
            }
        }
    }
    if problems.found.is_empty() { Ok(clients) } else { Err(ConfigurationError::Invalid(problems.found)) }
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
        restore: members.flag("restore", problems),
        id_token_hint: members.flag("id_token_hint", problems),
        idle_timeout: members.seconds("idle_timeout", problems),
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

/// Reads known members off an object and reports the rest.
struct Members<'a> {
    object: &'a [(String, Value)],
    known: Vec<&'static str>,
}

impl<'a> Members<'a> {
    fn of(value: &'a Value, problems: &mut Problems) -> Self {
        let object = value.as_object().unwrap_or_else(|| {
            problems.add(if problems.is_within() { "" } else { "config.json" }, Expected::Object, value.kind());
            &[]
        });
        Self { object, known: Vec::new() }
    }

    fn take<T>(
        &mut self,
        name: &'static str,
        expected: Expected,
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
        self.take(name, Expected::String, problems, |value| value.as_str().map(str::to_owned))
    }

    fn array(&mut self, name: &'static str, problems: &mut Problems) -> Option<&'a [Value]> {
        self.take(name, Expected::Array, problems, Value::as_array)
    }

    fn object(&mut self, name: &'static str, problems: &mut Problems) -> Option<Value> {
        self.take(name, Expected::Object, problems, |value| value.as_object().map(|_| value.clone()))
    }

    fn strings(&mut self, name: &'static str, problems: &mut Problems) -> Vec<(String, String)> {
        let pairs = self.take(name, Expected::ObjectOfStrings, problems, |value| {
            let pair = |(name, value): &(String, Value)| Some((name.clone(), value.as_str()?.to_owned()));
            value.as_object()?.iter().map(pair).collect::<Option<Vec<_>>>()
        });
        pairs.unwrap_or_default()
    }

    fn seconds(&mut self, name: &'static str, problems: &mut Problems) -> Option<u64> {
        self.take(name, Expected::Seconds, problems, Value::as_whole_number)
    }

    fn flag(&mut self, name: &'static str, problems: &mut Problems) -> bool {
        let flag = |value: &Value| match value {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        };
        self.take(name, Expected::Flag, problems, flag).unwrap_or_default()
    }

    fn one_or_several(&mut self, name: &'static str, problems: &mut Problems) -> Vec<String> {
        let texts = |value: &Value| match value {
            Value::String(text) => Some(vec![text.clone()]),
            value => value.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect(),
        };
        self.take(name, Expected::StringOrStrings, problems, texts).unwrap_or_default()
    }

    fn finish(self, problems: &mut Problems) {
        for (name, value) in self.object {
            if name == "client_secret" {
                problems.add(name, Expected::NoClientSecret, "a client secret (not shown)");
            } else if !self.known.contains(&name.as_str()) {
                let found = ["an unknown member, ", value.kind()].concat();
                problems.add(name, Expected::Member(self.known.clone()), &found);
            }
        }
    }
}

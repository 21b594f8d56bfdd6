//! Servers that somebody added in this tab: they outlive the way to the server and back, and end with the tab.
//!
//! Their record is the text of a config.json, so that one reader checks both.

use leptos_pkce::browser::storage;
use leptos_pkce::protocol::client::{Client, ClientSettings};
use leptos_pkce::protocol::configuration::parse_configuration;
use leptos_pkce::protocol::json::Value;
use leptos_pkce::protocol::problem::ConfigurationError;
use leptos_pkce::protocol::site::Site;
use leptos_pkce::protocol::storage::{Record, RecordName};
use leptos_pkce::ui::Auth;

/// Adds a server for this tab, and selects it.
pub(super) fn add(auth: Auth, settings: ClientSettings) -> Result<(), ConfigurationError> {
    let member = member(&settings);
    auth.add_client(settings)?;
    let is_other = |known: &Value| {
        known.text("issuer") != member.text("issuer") || known.text("client_id") != member.text("client_id")
    };
    let mut servers = servers();
    servers.retain(is_other);
    servers.push(member);
    let record = Value::object(vec![("authorization_servers", Some(Value::Array(servers)))]);
    // Where nothing is kept, no sign-in would come back either, and that is said when somebody wants to sign in.
    let _ = storage::write(&RecordName::added_clients(), &Record(record));
    Ok(())
}

/// The servers that were added in this tab; what cannot be read any more is none.
pub(super) fn clients(site: &Site) -> Vec<Client> {
    let document = Value::object(vec![("authorization_servers", Some(Value::Array(servers())))]);
    parse_configuration(document.to_text().as_bytes(), site).unwrap_or_default()
}

fn servers() -> Vec<Value> {
    let record = storage::read(&RecordName::added_clients());
    let servers = record.as_ref().and_then(|Record(record)| record.member("authorization_servers")?.as_array());
    servers.unwrap_or_default().to_vec()
}

/// One server as config.json has it.
fn member(settings: &ClientSettings) -> Value {
    let text = |text: &str| Some(Value::string(text)).filter(|_| !text.is_empty());
    let optional = |text: &Option<String>| text.as_deref().map(Value::string);
    let texts = |texts: &[String]| Value::Array(texts.iter().map(|text| Value::string(text)).collect());
    let resource = |(name, url): &(String, String)| Value::object(vec![("name", text(name)), ("url", text(url))]);
    Value::object(vec![
        ("name", text(&settings.name)),
        ("issuer", optional(&settings.issuer)),
        ("client_id", text(&settings.client_id)),
        ("scope", optional(&settings.scope)),
        ("redirect_uri", optional(&settings.redirect_uri)),
        ("token_storage", optional(&settings.token_storage)),
        ("resources", Some(Value::Array(settings.resources.iter().map(resource).collect()))),
        ("resource", Some(texts(&settings.resource))),
        ("dpop", Some(Value::Bool(settings.dpop))),
    ])
}

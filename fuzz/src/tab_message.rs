//! What other tabs say, and what they leave for all of them: anybody who runs script on the origin can write both.

use leptos_pkce::protocol::client::Client;
use leptos_pkce::protocol::configuration::parse_configuration;
use leptos_pkce::protocol::flow::{ConfigurationSource, Effect, Event, Flow};
use leptos_pkce::protocol::json::Value;
use leptos_pkce::protocol::storage::{Record, RecordName};
use leptos_pkce::protocol::tab_message::{News, TabMessage};

use super::common::{NOW, POLICY, site, text, value};

/// A session without an ID token; it began [`NOW`].
const SESSION: &str = r#"{ "version": 4, "issuer": "https://as.example", "client_id": "spa",
    "access_token": "2YotnFZFEjr1zCsicMWpAA", "expires_at": 1700003600, "requested_scope": "photos:read",
    "granted_scope": "photos:read", "signed_in_at": 1700000000, "id": "Zm9vYmFy", "obtained_at": 1700000000,
    "generation": 0, "presented": 0, "token_endpoint": "https://as.example/token" }"#;

/// WEB-17, WEB-2, OUT-6, A32: a message is one that this library sends, or nothing; what a message or a record says can end a
/// session that began before, and do no more than that.
pub fn check(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let message = TabMessage::parse(text, POLICY);
    if let Some(message) = &message {
        assert_eq!(TabMessage::parse(&message.encode(), POLICY).as_ref(), Some(message), "it reads as it was written");
        assert!(message.key.issuer.url().origin().starts_with("https://"), "CFG-2");
    }
    heard(text, message.as_ref());
    if let Ok(record) = Value::parse(data) {
        found(&record);
    }
}

/// A page in which somebody is signed in hears it.
fn heard(text: &str, message: Option<&TabMessage>) {
    let (flow, client) = signed_in(None);
    let (flow, effects) = flow.step(NOW, Event::Heard(text.to_owned()));
    is_harmless(&effects);
    let ends = |message: &&TabMessage| matches!(message.news, News::SignedOut(at) if at >= NOW);
    let is_meant = message.filter(ends).is_some_and(|message| message.key == *client.key());
    assert_eq!(flow.session(client.key()).is_none(), is_meant, "a sign-out of this client, and nothing else");
}

/// A page begins with it in the place of each record that tabs leave for each other, and comes back from the cache to it.
fn found(record: &Value) {
    let (mut flow, client) = signed_in(Some(record));
    let mut events = vec![Event::Restored];
    while let Some(event) = events.pop() {
        let effects;
        (flow, effects) = flow.step(NOW, event);
        is_harmless(&effects);
        events.extend(effects.into_iter().filter_map(|effect| answer(effect, Some(record))));
    }
    if flow.session(client.key()).is_none() {
        assert!(record.number("at").is_some(), "it says when somebody signed out");
    }
}

/// A page whose session is there, and `others` in the place of every other record.
fn signed_in(others: Option<&Value>) -> (Flow, Client) {
    let configuration = r#"{ "authorization_servers": [ { "issuer": "https://as.example", "client_id": "spa",
        "scope": "photos:read", "token_storage": "session", "restore": true, "idle_timeout": 600 } ] }"#;
    let clients = parse_configuration(configuration.as_bytes(), &site()).expect("a configuration");
    let client = clients.into_iter().next().expect("one client");
    let (path, query, fragment) = ("/".to_owned(), "state=af0ifjsldkj".to_owned(), String::new());
    let start = Event::Started(ConfigurationSource::Clients(Ok(vec![client.clone()])));
    let mut flow = Flow::new(site());
    let mut events = vec![start, Event::Redirected { path, query, fragment }];
    while let Some(event) = events.pop() {
        let effects;
        (flow, effects) = flow.step(NOW, event);
        is_harmless(&effects);
        events.extend(effects.into_iter().filter_map(|effect| answer(effect, others)));
    }
    assert!(others.is_some() || flow.session(client.key()).is_some(), "somebody is signed in");
    (flow, client)
}

/// What storage says: the session under its name, and `others` under every other one.
fn answer(effect: Effect, others: Option<&Value>) -> Option<Event> {
    let record = |name: &RecordName| match name.as_str().starts_with("leptos-pkce session ") {
        true => Some(Record(value(SESSION))),
        false => others.cloned().map(Record),
    };
    match effect {
        Effect::Read(name) => Some(Event::Read { record: record(&name), name }),
        Effect::Take(name) => Some(Event::Taken { record: record(&name) }),
        _ => None,
    }
}

/// Nobody is sent anywhere, and no token goes where it does not belong.
fn is_harmless(effects: &[Effect]) {
    for effect in effects {
        assert!(
            !matches!(effect, Effect::Navigate(_) | Effect::SignInQuietly(_)),
            "a message alone sends nobody anywhere"
        );
        if let Effect::Fetch { request, .. } = effect {
            assert!(request.url.as_str().starts_with("https://as.example/") && request.bearer.is_none());
        }
    }
}

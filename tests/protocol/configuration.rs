//! `config.json`, and settings made in code.

use leptos_pkce::protocol::client::{Client, ClientSettings, TokenStorage};
use leptos_pkce::protocol::configuration::{parse_configuration, read_configuration};
use leptos_pkce::protocol::flow::Configuration;
use leptos_pkce::protocol::http::HttpFailure;
use leptos_pkce::protocol::json::JsonProblem;
use leptos_pkce::protocol::problem::ConfigurationError;
use leptos_pkce::protocol::site::Site;
use serde_json::json;

use crate::answers::{answer, document, html, lost};
use crate::scenario::{
    AUTHORIZATION_ENDPOINT, CONFIGURATION, ISSUER, PAGE, Scenario, TOKEN_ENDPOINT, assert_error, value,
};

fn site(page: &str) -> Site {
    Site::parse(page).expect("a page")
}

fn read(text: &str) -> Result<Vec<Client>, ConfigurationError> {
    parse_configuration(text.as_bytes(), &site(PAGE))
}

/// One server, read on `page`.
fn server_on(page: &str, server: &serde_json::Value) -> Result<Client, Vec<String>> {
    let text = json!({ "authorization_servers": [server] }).to_string();
    match parse_configuration(text.as_bytes(), &site(page)) {
        Ok(clients) => Ok(clients.into_iter().next().expect("one client")),
        Err(ConfigurationError::Invalid(problems)) => Err(problems.iter().map(ToString::to_string).collect()),
        Err(other) => panic!("{other}"),
    }
}

fn server(server: &serde_json::Value) -> Result<Client, Vec<String>> {
    server_on(PAGE, server)
}

/// The problems of a server that has some.
#[track_caller]
fn problems(found: Result<Client, Vec<String>>) -> Vec<String> {
    found.err().expect("problems")
}

/// The one problem of the first server with `member` set to `value`, without its place.
#[track_caller]
fn problem_of(member: &str, value: &serde_json::Value) -> String {
    let mut settings = json!({ "issuer": ISSUER, "client_id": "spa" });
    settings[member] = value.clone();
    let problems = problems(server(&settings));
    assert_eq!(problems.len(), 1, "{problems:?}");
    let place = format!("authorization_servers[0].{member}: ");
    problems[0].strip_prefix(&place).unwrap_or_else(|| panic!("{} is not about {place}", problems[0])).to_owned()
}

#[test]
fn reads_every_member() {
    let client = server(&json!({
        "name": "Example", "issuer": "https://as.example", "client_id": "spa", "scope": "photos:read openid",
        "redirect_uri": "https://app.example/callback", "post_logout_redirect_uri": "https://app.example/",
        "metadata": { "authorization_endpoint": "https://as.example/a", "token_endpoint": "https://as.example/t" },
        "extra_parameters": { "audience": "photos" }, "token_storage": "session",
        "resources": [{ "name": "Photos", "url": "https://api.example/photos" }, { "url": "https://b.example/" }],
    }));
    let client = client.expect("a client");
    assert_eq!(client.name(), "Example");
    assert_eq!(client.key().issuer.as_str(), "https://as.example");
    assert_eq!(client.key().client_id.as_str(), "spa");
    assert_eq!(client.scope().map(|scope| scope.as_str()), Some("photos:read openid"));
    assert_eq!(client.redirect_uri().as_str(), "https://app.example/callback");
    assert_eq!(client.post_logout_redirect_uri().map(|uri| uri.as_str()), Some("https://app.example/"));
    assert_eq!(client.token_storage(), TokenStorage::Session);
    let resources: Vec<_> = client.resources().iter().map(|found| (found.name.as_str(), found.url.as_str())).collect();
    assert_eq!(resources, [("Photos", "https://api.example/photos"), ("https://b.example/", "https://b.example/")]);
}

/// CFG-12, WEB-1: what nobody asked for is not there: no scope, no resource, no storage that outlives the page.
#[test]
fn issuer_and_client_id_are_enough() {
    let minimal = json!({ "issuer": "https://as.example:8443/tenant", "client_id": "spa" });
    let client = server_on("https://app.example/sub/", &minimal).expect("a client");
    assert_eq!(client.name(), "as.example");
    assert_eq!(client.scope(), None);
    assert_eq!(client.redirect_uri().as_str(), "https://app.example/sub/callback");
    assert_eq!(client.post_logout_redirect_uri(), None);
    assert_eq!(client.token_storage(), TokenStorage::Memory);
    assert_eq!(client.resources(), []);
}

/// CFG-9: endpoints may stand in for an issuer; a server without one is known by its origin.
#[test]
fn metadata_stands_in_for_an_issuer() {
    let endpoints =
        json!({ "authorization_endpoint": "https://as.example/a", "token_endpoint": "https://as.example/t" });
    let client = server(&json!({ "client_id": "spa", "metadata": endpoints })).expect("a client");
    assert_eq!(client.key().issuer.as_str(), "https://as.example");

    let mut named = endpoints;
    named["issuer"] = json!("https://as.example/tenant");
    let client = server(&json!({ "client_id": "spa", "metadata": named })).expect("a client");
    assert_eq!(client.key().issuer.as_str(), "https://as.example/tenant");

    for lone in [
        json!({ "token_endpoint": "https://as.example/t" }),
        json!({ "authorization_endpoint": "https://as.example/a" }),
        json!({ "issuer": "https://as.example/tenant", "token_endpoint": "https://as.example/t" }),
        json!({ "issuer": "https://as.example/tenant" }),
    ] {
        assert_eq!(
            problems(server(&json!({ "client_id": "spa", "metadata": lone }))),
            ["authorization_servers[0].issuer: expected an issuer, or metadata with authorization_endpoint and \
             token_endpoint, found nothing"]
        );
    }
}

/// CFG-1: a client secret is refused wherever it stands, with the reason, and without showing it.
#[test]
fn refuses_a_client_secret_wherever_it_stands() {
    let secret = "s3cr3t";
    let with = |member: &str, value: serde_json::Value| {
        let mut server = json!({ "issuer": ISSUER, "client_id": "spa" });
        server[member] = value;
        json!({ "authorization_servers": [server] })
    };
    let beside = json!({
        "client_secret": secret,
        "authorization_servers": [{ "issuer": ISSUER, "client_id": "spa" }],
    });
    for (place, document) in [
        ("client_secret", beside),
        ("authorization_servers[0].client_secret", with("client_secret", json!(secret))),
        ("authorization_servers[0].metadata.client_secret", with("metadata", json!({ "client_secret": secret }))),
        (
            "authorization_servers[0].extra_parameters.client_secret",
            with("extra_parameters", json!({ "client_secret": secret })),
        ),
        (
            "authorization_servers[0].resources[0].client_secret",
            with("resources", json!([{ "url": "https://api.example", "client_secret": secret }])),
        ),
    ] {
        let Err(ConfigurationError::Invalid(problems)) = read(&document.to_string()) else {
            panic!("{place} was accepted");
        };
        assert_eq!(problems.iter().map(|problem| problem.place.as_str()).collect::<Vec<_>>(), [place]);
        assert!(!problems[0].to_string().contains(secret), "{place}");
    }
    assert_eq!(
        problem_of("client_secret", &json!(secret)),
        "expected no client secret: whatever a web page holds, everybody can read, so this client is a public one \
         (RFC 6749 §2.1) and PKCE takes the secret's place, found a client secret (not shown)"
    );
}

/// CFG-2: an issuer is an https URL without query and fragment; http is for loopback, seen from loopback.
#[test]
fn refuses_what_is_no_issuer() {
    let issuer = |page: &str, text: &str| server_on(page, &json!({ "issuer": text, "client_id": "spa" }));
    for text in ["https://as.example", "https://as.example/", "https://as.example:8443/a/b/", "https://[::1]/x"] {
        assert!(issuer(PAGE, text).is_ok(), "{text}");
    }
    for text in [
        "",
        "as.example",
        "http://as.example",
        "http://localhost",
        "https://as.example?tenant=1",
        "https://as.example?",
        "https://as.example#a",
        "https://as.example#",
        "https://user@as.example",
        "https://as.example/a/../b",
        "javascript:alert(1)",
        "urn:example:as",
    ] {
        assert_eq!(problems(issuer(PAGE, text)).len(), 1, "{text}");
    }
    let loopback = "http://localhost:8080/";
    assert!(issuer(loopback, "http://localhost:3000").is_ok());
    assert!(issuer(loopback, "http://127.0.0.1:3000").is_ok());
    assert!(issuer(loopback, "http://as.example").is_err());
    assert_eq!(
        problem_of("issuer", &json!("http://as.example")),
        "expected an issuer URL (it must be https (http only on a loopback host, for a page on a loopback host)), \
         found http://as.example"
    );
}

/// CFG-3, CFG-9: endpoints from the configuration are checked like the server's own.
#[test]
fn refuses_what_is_no_endpoint() {
    for endpoint in
        ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "end_session_endpoint", "jwks_uri"]
    {
        for text in ["javascript:alert(1)", "data:text/html,x", "http://as.example/x", "/token", "", "//as.example/x"] {
            let server = server(&json!({ "issuer": ISSUER, "client_id": "spa", "metadata": { endpoint: text } }));
            let problems = problems(server);
            assert_eq!(problems.len(), 1, "{endpoint} {text}: {problems:?}");
            let place = format!("authorization_servers[0].metadata.{endpoint}: expected a URL of the server");
            assert!(problems[0].starts_with(&place), "{}", problems[0]);
        }
    }
}

/// CFG-4: a redirect URI is absolute, has no fragment, and is kept as it is written.
#[test]
fn refuses_what_is_no_redirect_uri() {
    for member in ["redirect_uri", "post_logout_redirect_uri"] {
        for text in
            ["/callback", "callback", "https://app.example/#", "https://app.example/#/callback", "app:/callback"]
        {
            assert!(
                problem_of(member, &json!(text)).starts_with("expected an absolute URL without fragment ("),
                "{text}"
            );
        }
    }
    let text = "HTTPS://App.example:443/callback?a=b%20c";
    let client = server(&json!({ "issuer": ISSUER, "client_id": "spa", "redirect_uri": text })).expect("a client");
    assert_eq!(client.redirect_uri().as_str(), text);
}

/// CFG-6, AUT-9: what makes this a code flow with PKCE cannot be configured away.
#[test]
fn refuses_an_extra_parameter_that_the_library_sets() {
    for name in [
        "response_type",
        "response_mode",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "request",
        "request_uri",
    ] {
        let settings = json!({ "issuer": ISSUER, "client_id": "spa", "extra_parameters": { name: "token" } });
        let expected = format!(
            "authorization_servers[0].extra_parameters.{name}: expected parameters that this app does not set itself, \
             each once, found {name}"
        );
        assert_eq!(problems(server(&settings)), [expected]);
    }
    let settings = json!({ "issuer": ISSUER, "client_id": "spa", "extra_parameters": { "prompt": "login" } });
    assert!(server(&settings).is_ok());
}

/// AUT-1: settings made in code may hold a name twice, JSON may not; no request may.
#[test]
fn refuses_an_extra_parameter_that_is_there_twice() {
    let twice = [("audience", "a"), ("audience", "b")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let settings = ClientSettings {
        issuer: Some(ISSUER.into()),
        client_id: "spa".into(),
        extra_parameters: twice.into(),
        ..ClientSettings::default()
    };
    assert!(Client::new(settings, &site(PAGE)).is_err());
}

#[test]
fn reports_a_member_of_the_wrong_type() {
    for (member, value, problem) in [
        ("name", json!(1), "expected a string, found a number"),
        ("issuer", json!(["https://as.example"]), "expected a string, found an array"),
        ("scope", json!(["openid"]), "expected a string, found an array"),
        (
            "scope",
            json!("a  b"),
            "expected scope tokens separated by single spaces (it is empty or has a character that is not allowed here), found a  b",
        ),
        ("metadata", json!("x"), "expected an object, found a string"),
        ("extra_parameters", json!({ "max_age": 0 }), "expected an object whose values are strings, found an object"),
        ("token_storage", json!(true), "expected a string, found a boolean"),
        ("token_storage", json!("local"), "expected \"memory\", \"session\" or \"shared\", found local"),
        ("resources", json!({}), "expected an array, found an object"),
        ("redirect_uri", json!(null), "expected a string, found null"),
    ] {
        let mut server_settings = json!({ "issuer": ISSUER, "client_id": "spa" });
        server_settings[member] = value;
        let problems = problems(server(&server_settings));
        assert!(problems.contains(&format!("authorization_servers[0].{member}: {problem}")), "{problems:?}");
    }
}

/// CFG-11: a member of `metadata` is as its definition says, the issuer too.
#[test]
fn reports_an_issuer_in_metadata_that_is_no_string() {
    let settings = json!({ "issuer": ISSUER, "client_id": "spa", "metadata": { "issuer": 5 } });
    let problems = problems(server(&settings));
    assert!(problems[0].starts_with("authorization_servers[0].metadata.issuer: "), "{problems:?}");
}

/// CFG-7: two issuers for one server are one too many.
#[test]
fn refuses_two_issuers_for_one_server() {
    let same = json!({ "issuer": ISSUER, "client_id": "spa", "metadata": { "issuer": ISSUER } });
    assert!(server(&same).is_ok());
    let metadata = json!({ "issuer": "https://as.example/" });
    assert_eq!(
        problems(server(&json!({ "issuer": ISSUER, "client_id": "spa", "metadata": metadata }))),
        [
            "authorization_servers[0].metadata.issuer: expected the same as issuer, https://as.example, found https://as.example/"
        ]
    );
}

#[test]
fn lists_every_problem_with_its_place() {
    let text = r#"{ "servers": [], "authorization_servers": [
        { "issuer": "as.example", "client_id": "", "clientId": "spa", "resources": [{ "uri": "x" }, "https://api.example"] },
        5,
        { "issuer": "https://as.example", "client_id": "spa", "resources": [{ "url": "https://api.example/?x" }] }
    ] }"#;
    let Err(ConfigurationError::Invalid(problems)) = read(text) else { panic!("problems") };
    let places: Vec<_> = problems.iter().map(|problem| problem.place.as_str()).collect();
    assert_eq!(
        places,
        [
            "servers",
            "authorization_servers[0].resources[0].uri",
            "authorization_servers[0].resources[1]",
            "authorization_servers[0].clientId",
            "authorization_servers[0].issuer",
            "authorization_servers[0].client_id",
            "authorization_servers[0].resources[0].url",
            "authorization_servers[0].resources[1].url",
            "authorization_servers[1]",
            "authorization_servers[1].issuer",
            "authorization_servers[2].resources[0].url",
        ]
    );
    assert_eq!(
        problems[0].to_string(),
        "servers: expected one of authorization_servers, $schema, found an unknown member, an array"
    );
}

#[test]
fn shortens_a_value_that_is_in_the_wrong_place() {
    let problem = problem_of("token_storage", &json!("x".repeat(10_000)));
    assert!(problem.len() < 200, "{problem}");
}

#[test]
fn knows_each_client_once() {
    let server = json!({ "issuer": ISSUER, "client_id": "spa" });
    let other = json!({ "issuer": ISSUER, "client_id": "other" });
    let read_all = |servers: serde_json::Value| read(&json!({ "authorization_servers": servers }).to_string());
    assert_eq!(read_all(json!([server, other])).map(|clients| clients.len()), Ok(2));
    let error = read_all(json!([server, server])).err().expect("a problem");
    assert_eq!(
        error.to_string(),
        "the configuration has problems: authorization_servers[1]: expected each issuer and client_id once, found \
         the same pair as before"
    );
}

#[test]
fn reads_a_file_that_names_its_schema() {
    assert!(read(r#"{ "$schema": "./config.schema.json", "authorization_servers": [] }"#).is_ok());
}

#[test]
fn refuses_a_document_that_is_no_configuration() {
    for (text, message) in [
        (
            "[]",
            "the configuration has problems: config.json: expected an object, found an array; authorization_servers: expected an array of authorization servers, found nothing",
        ),
        (
            "{}",
            "the configuration has problems: authorization_servers: expected an array of authorization servers, found nothing",
        ),
        ("{ \"a\": 1,\n  \"a\": 2 }", "config.json: an object has the same member twice (line 2, column 6)"),
        ("{ \"authorization_servers\": [", "config.json: the document ends too early (line 1, column 29)"),
        ("{,}", "config.json: this is not JSON (line 1, column 2)"),
    ] {
        assert_eq!(read(text).err().map(|error| error.to_string()).as_deref(), Some(message), "{text}");
    }
}

#[test]
fn settings_made_in_code_follow_the_same_rules() {
    let settings = ClientSettings {
        issuer: Some("http://as.example".into()),
        extra_parameters: vec![("state".into(), "x".into())],
        token_storage: Some("cookie".into()),
        metadata: Some(value(r#"{ "token_endpoint": "javascript:x" }"#)),
        resources: vec![(String::new(), "api.example".into())],
        ..ClientSettings::default()
    };
    let Err(ConfigurationError::Invalid(problems)) = Client::new(settings, &site(PAGE)) else { panic!("problems") };
    let places: Vec<_> = problems.iter().map(|problem| problem.place.as_str()).collect();
    assert_eq!(
        places,
        [
            "metadata.token_endpoint",
            "issuer",
            "client_id",
            "extra_parameters.state",
            "token_storage",
            "resources[0].url"
        ]
    );

    let settings = ClientSettings {
        client_id: "spa".into(),
        metadata: Some(value(&format!(
            r#"{{ "authorization_endpoint": "{AUTHORIZATION_ENDPOINT}", "token_endpoint": "{TOKEN_ENDPOINT}" }}"#
        ))),
        ..ClientSettings::default()
    };
    assert!(Client::new(settings, &site(PAGE)).is_ok());
}

/// Several clients made in code come in their order; the same one twice used to be taken twice.
#[test]
fn settings_made_in_code_name_each_client_once() {
    let settings = |client_id: &str| ClientSettings {
        issuer: Some(ISSUER.into()),
        client_id: client_id.into(),
        ..ClientSettings::default()
    };
    let all = |ids: &[&str]| Client::all(ids.iter().map(|id| settings(id)).collect(), &site(PAGE));
    let clients = all(&["spa", "other"]).expect("two clients");
    let ids: Vec<&str> = clients.iter().map(|client| client.key().client_id.as_str()).collect();
    assert_eq!(ids, ["spa", "other"]);
    assert_eq!(
        all(&["spa", "other", "spa"]).err().expect("a problem").to_string(),
        "the configuration has problems: client_id: expected each issuer and client_id once, found the same pair as before"
    );
    assert!(all(&["spa", ""]).is_err());
}

#[test]
fn says_what_came_in_the_place_of_the_file() {
    let read = |outcome| read_configuration(outcome, &site(PAGE)).err().expect("no configuration");
    assert_eq!(read(html(200)), ConfigurationError::Html);
    assert_eq!(read(answer(200, "", "\n <!doctype html>")), ConfigurationError::Html);
    assert_eq!(read(html(404)), ConfigurationError::Missing { status: 404 });
    assert_eq!(read(lost()), ConfigurationError::Unreachable(HttpFailure::Unreachable));
    let ConfigurationError::NotJson(error) = read(document("nonsense")) else { panic!("not JSON") };
    assert_eq!(error.problem, JsonProblem::Syntax);
    // A host that knows no media type for .json is no obstacle.
    assert!(read_configuration(answer(200, "", r#"{"authorization_servers":[]}"#), &site(PAGE)).is_ok());
}

#[test]
fn a_page_without_configuration_says_why() {
    let tab = Scenario::public_client().answering(CONFIGURATION, html(404)).open();
    let Configuration::Failed(error) = tab.flow().configuration() else { panic!("no configuration") };
    assert_error(
        error,
        ConfigurationError::Missing { status: 404 },
        "there is no config.json beside index.html (status 404)",
    );
    assert!(tab.flow().clients().is_empty());
}

#[test]
fn a_path_is_below_the_base() {
    let settings = json!({
        "issuer": "auth/", "client_id": "spa", "resources": [{ "name": "Photos", "url": "auth/api/photos" }],
    });
    for (page, base) in [
        ("https://app.example/", "https://app.example/"),
        ("http://localhost:8080/sub/x", "http://localhost:8080/sub/"),
    ] {
        let client = server_on(page, &settings).expect("it is configured well");
        assert_eq!(client.key().issuer.as_str(), format!("{base}auth/"));
        assert_eq!(client.resources()[0].url.as_str(), format!("{base}auth/api/photos"));
    }
    // The scheme rule holds for it too: this page came by http from another machine. (The third is its redirect URI.)
    assert_eq!(problems(server_on("http://app.example/", &settings)).len(), 3);
    // A host without its scheme stays a mistake, and so does a path from the root.
    for mistake in [
        "as.example",
        "as.example/realm/",
        "localhost:9080/",
        "localhost",
        "/auth/",
        "//as.example/",
        "../auth/",
        "",
        "/",
    ] {
        problem_of("issuer", &json!(mistake));
    }
}

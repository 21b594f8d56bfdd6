//! The record that bridges the redirect.

use leptos_pkce::protocol::json::Value;
use leptos_pkce::protocol::pending_authorization::PendingAuthorization;
use leptos_pkce::protocol::secret::{AuthorizationCode, CodeVerifier, State};
use leptos_pkce::protocol::storage::RecordName;
use leptos_pkce::protocol::time::UnixTime;
use leptos_pkce::protocol::url::SchemePolicy;
use leptos_pkce::protocol::vocabulary::{ClientId, Issuer};
use leptos_pkce::protocol::{authorization_response::AuthorizationGrant, client::ClientKey};
use serde_json::json;

use crate::id_tokens::{self, JWKS_URI};
use crate::scenario::{CODE, ISSUER, START, Scenario, TOKEN_ENDPOINT, as_json, key, value};

fn record() -> serde_json::Value {
    as_json(&Scenario::public_client().openid().from("/album").pending().encode())
}

/// Whatever a configuration can add to a request, but for what changes how it is sent.
fn everything() -> Scenario {
    Scenario::public_client()
        .openid()
        .from("/album")
        .configured("resource", json!(["https://api.example", "urn:photos"]))
        .configured("max_age", json!(600))
        .configured("acr_values", json!("gold silver"))
        .configured("clock_tolerance", json!(0))
        .configured("dpop", json!(true))
}

fn decode(record: &serde_json::Value) -> Option<PendingAuthorization> {
    PendingAuthorization::decode(&value(&record.to_string()), SchemePolicy::HttpsOnly)
}

fn with(member: &str, value: serde_json::Value) -> serde_json::Value {
    let mut record = record();
    record[member] = value;
    record
}

#[test]
fn reads_back_what_it_wrote() {
    for scenario in [
        Scenario::public_client(),
        Scenario::public_client().openid().from("/album"),
        everything(),
        everything().configured("acr_values", json!("a")).configured("resource", json!("urn:x")),
    ] {
        let pending = scenario.pending();
        let text = pending.encode().to_text();
        assert_eq!(PendingAuthorization::decode(&value(&text), SchemePolicy::HttpsOnly), Some(pending));
    }
}

/// One algorithm has two names; a record used to come back with it twice.
#[test]
fn reads_back_the_algorithms_that_it_wrote() {
    let mut record = record();
    record["id_token"]["algorithms"] = json!(["ES256", "EdDSA", "RS256"]);
    let again = decode(&record).expect("a record");
    assert_eq!(as_json(&again.encode())["id_token"]["algorithms"], record["id_token"]["algorithms"]);
}

/// The exchange waits for neither discovery nor configuration, so the record says everything.
#[test]
fn holds_all_that_the_exchange_needs() {
    let record = record();
    for (member, value) in [
        ("version", json!(2)),
        ("issuer", json!(ISSUER)),
        ("client_id", json!("spa")),
        ("redirect_uri", json!("https://app.example/callback")),
        ("token_endpoint", json!(TOKEN_ENDPOINT)),
        ("iss_announced", json!(false)),
        ("scope", json!("openid photos:read")),
        ("token_storage", json!("memory")),
        ("return_path", json!("/album")),
        ("created_at", json!(START)),
    ] {
        assert_eq!(record[member], value, "{member}");
    }
    assert_eq!(record.as_object().map(serde_json::Map::len), Some(13));
    let nonce = json!({
        "nonce": id_tokens::nonce(), "jwks_uri": JWKS_URI, "algorithms": ["ES256"], "clock_tolerance": 60,
    });
    assert_eq!(record["id_token"], nonce);

    let record = as_json(&everything().pending().encode());
    assert_eq!(record["resource"], json!(["https://api.example", "urn:photos"]));
    assert_eq!(record["dpop"], json!(true));
    let asked = [("max_age", json!(600)), ("acr_values", json!("gold silver")), ("clock_tolerance", json!(0))];
    for (member, value) in asked {
        assert_eq!(record["id_token"][member], value, "{member}");
    }
}

/// WEB-2: what comes out of storage is input: anything but what was written is no record.
#[test]
fn refuses_a_record_that_encode_did_not_write() {
    for (member, values) in [
        ("version", vec![json!(0), json!(1), json!(3), json!("2"), json!(null)]),
        ("issuer", vec![json!("http://as.example"), json!("javascript:x"), json!("https://as.example?x"), json!(1)]),
        ("client_id", vec![json!(""), json!("\u{7f}"), json!(null)]),
        ("redirect_uri", vec![json!("/callback"), json!("https://app.example/#x"), json!(null)]),
        (
            "token_endpoint",
            vec![json!("http://as.example/token"), json!("data:x"), json!("https://a@b.example"), json!(null)],
        ),
        ("iss_announced", vec![json!("false"), json!(0), json!(null)]),
        ("state", vec![json!(""), json!(1), json!(null)]),
        ("id_token", vec![json!("x"), json!({}), json!([]), json!({ "nonce": "x" })]),
        ("resource", vec![json!("urn:x"), json!([5]), json!({})]),
        ("dpop_jkt", vec![json!(5), json!([])]),
        ("code_verifier", vec![json!(""), json!("short"), json!("a".repeat(129)), json!("ä".repeat(43)), json!(null)]),
        ("scope", vec![json!(""), json!("a  b"), json!(["openid"])]),
        ("token_storage", vec![json!("local"), json!(null)]),
        ("created_at", vec![json!(-1), json!(1.5), json!("1700000000"), json!(1e300), json!(null)]),
    ] {
        for value in values {
            assert_eq!(decode(&with(member, value.clone())), None, "{member}: {value}");
        }
    }
    for (member, values) in [
        ("nonce", vec![json!(5), json!({}), json!(""), json!(null)]),
        ("jwks_uri", vec![json!("http://as.example/jwks"), json!("data:x"), json!(5), json!(null)]),
        ("algorithms", vec![json!("ES256"), json!(["none"]), json!(["HS256"]), json!([5]), json!(null)]),
        ("max_age", vec![json!(-1), json!("1"), json!(0.5)]),
        ("acr_values", vec![json!(5), json!(["a"])]),
        ("clock_tolerance", vec![json!(301), json!(-1), json!("60"), json!(1e300), json!(null)]),
    ] {
        for value in values {
            let mut record = record();
            record["id_token"][member] = value.clone();
            assert_eq!(decode(&record), None, "id_token.{member}: {value}");
        }
    }
    for document in ["null", "[]", "{}", "5", "\"x\""] {
        assert_eq!(PendingAuthorization::decode(&value(document), SchemePolicy::HttpsOnly), None);
    }
}

/// AUT-14: the path is checked again when it is used; a bad one costs the place, not the sign-in.
#[test]
fn drops_a_return_path_that_was_tampered_with() {
    for path in ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"] {
        let pending = decode(&with("return_path", json!(path))).expect("a record");
        assert!(pending.encode().member("return_path").is_none(), "{path}");

        let mut tab = Scenario::public_client().from("/album").open();
        tab.sign_in_from(Some("/album"));
        let name = tab.storage.names("pending")[0].to_owned();
        let tampered = tab.storage.records[&name].replace("\"/album\"", &json!(path).to_string());
        tab.storage.records.insert(name, tampered);
        tab.come_back(&format!("code={CODE}&state={{state}}"), "");
        assert!(tab.session().is_some());
        assert!(tab.trace.contains(&"replace /".to_owned()), "{:?}", tab.trace);
    }
}

/// AUT-14: a path that leads elsewhere is not even written.
#[test]
fn does_not_write_a_return_path_that_leads_elsewhere() {
    let tab = Scenario::public_client().from("//evil.example").run();
    assert!(tab.session().is_some());
    assert!(tab.trace.contains(&"replace /".to_owned()));
    assert!(!tab.storage.records.values().any(|record| record.contains("evil")));
}

/// AUT-15: an answer is waited for during an hour; a clock that was turned back makes nothing stale.
#[test]
fn is_current_for_an_hour() {
    let pending = Scenario::public_client().pending();
    for (now, current) in
        [(START, true), (START + 3600, true), (START + 3601, false), (START - 10_000, true), (0, true)]
    {
        assert_eq!(pending.is_current(UnixTime(now)), current, "{now}");
    }
}

/// AUT-15: the ninth sign-in of a tab takes the place of the first, and one that is too old is swept before.
#[test]
fn keeps_eight_of_a_tab() {
    let mut tab = Scenario::public_client().open();
    let mut names = Vec::new();
    for _ in 0..9 {
        tab.sign_in();
        let known: Vec<String> = tab.storage.names("pending").into_iter().map(str::to_owned).collect();
        names.extend(known.iter().find(|name| !names.contains(*name)).cloned());
        tab.now += 60;
        tab.reload();
    }
    assert_eq!(names.len(), 9);
    assert!(!tab.storage.names("pending").contains(&names[0].as_str()));
    assert_eq!(tab.storage.names("pending").len(), 8);

    tab.now += 3601;
    tab.sign_in();
    assert_eq!(tab.storage.names("pending").len(), 1);
}

/// AUT-15, WEB-2: a pending record that cannot be read is swept with the next sign-in; other people's is left alone.
#[test]
fn sweeps_garbage_of_its_own_and_nothing_else() {
    let mut tab = Scenario::public_client().open();
    for (name, text) in [("leptos-pkce pending x", "garbage"), ("leptos-pkce pending y", "{}"), ("theirs", "garbage")] {
        tab.storage.records.insert(name.to_owned(), text.to_owned());
    }
    tab.sign_in();
    assert_eq!(tab.storage.names("pending").len(), 1);
    assert!(tab.storage.records.contains_key("theirs"));
}

/// CFG-14: two clients share no record, whatever their names are.
#[test]
fn two_clients_share_no_record() {
    let client = |issuer: &str, client_id: &str| ClientKey {
        issuer: Issuer::parse(issuer, SchemePolicy::HttpsOnly).expect("an issuer"),
        client_id: ClientId::parse(client_id).expect("a client identifier"),
    };
    let keys = [
        key(ISSUER),
        client(ISSUER, "other"),
        client("https://as.example/", "spa"),
        client("https://as.example/spa", "x"),
        client("https://as.example", "spa x"),
        client("https://as.example", "https://as.example spa"),
    ];
    let names: Vec<String> = keys.iter().map(|key| RecordName::session(key).as_str().to_owned()).collect();
    for (index, name) in names.iter().enumerate() {
        assert!(!names[..index].contains(name), "{name}");
    }
    assert_ne!(RecordName::metadata(&keys[0].issuer).as_str(), RecordName::metadata(&keys[2].issuer).as_str());
}

/// CB-1: a state names a pending request and no other kind of record, whatever it says.
#[test]
fn a_state_names_no_other_kind_of_record() {
    for state in ["", " ", "x", "../session", "session https://as.example spa"] {
        assert!(RecordName::pending(&State::new(state)).as_str().starts_with("leptos-pkce pending "));
        assert!(RecordName::pending(&State::new(state)).is_pending());
    }
    assert!(!RecordName::session(&key(ISSUER)).is_pending());
    assert!(RecordName::found("other app".to_owned()).is_none());
}

/// Compiles only while `$type` is not `Clone`: otherwise both implementations would apply.
macro_rules! assert_not_clone {
    ($($type:ty)+) => {$({
        trait Ambiguous<Marker> {
            fn holds() {}
        }
        impl<T> Ambiguous<()> for T {}
        struct Copied;
        impl<T: Clone> Ambiguous<Copied> for T {}
        <$type as Ambiguous<_>>::holds();
    })+};
}

/// CB-3, TOK-14: what is used once cannot be copied.
#[test]
fn what_is_used_once_is_not_clone() {
    assert_not_clone!(PendingAuthorization AuthorizationGrant AuthorizationCode CodeVerifier);
    let _: fn(&Value) -> Value = Clone::clone;
}

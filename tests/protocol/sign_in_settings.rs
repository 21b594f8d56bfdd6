//! What the configuration says about signing in: how long ago, in which way, how far clocks may differ.

use leptos_pkce::protocol::configuration::parse_configuration;
use leptos_pkce::protocol::problem::{ConfigurationError, Problem};
use serde_json::{Value, json};

use crate::scenario::{ISSUER, Scenario, parameter};

/// What is wrong with a server that has these members too.
fn problems(members: &Value) -> Vec<Problem> {
    let mut server = json!({ "issuer": ISSUER, "client_id": "spa" });
    for (name, value) in members.as_object().expect("an object") {
        server[name] = value.clone();
    }
    let text = json!({ "authorization_servers": [server] }).to_string();
    match parse_configuration(text.as_bytes(), &Scenario::public_client().site()) {
        Ok(_) => Vec::new(),
        Err(ConfigurationError::Invalid(problems)) => problems,
        Err(other) => panic!("{other}"),
    }
}

#[track_caller]
fn assert_refused(members: &Value, place: &str) {
    let places: Vec<String> = problems(members).into_iter().map(|problem| problem.place).collect();
    assert_eq!(places, [format!("authorization_servers[0].{place}")], "{members}");
}

/// AUT-9: `none` stands alone, and never with a `max_age` that nobody can meet unseen; other words are known ones.
#[test]
fn prompt_is_one_of_the_known_words() {
    let with = |prompt: &str, max_age: Value| json!({ "extra_parameters": { "prompt": prompt }, "max_age": max_age });
    for prompt in ["none", "login", "consent", "select_account", "create", "login consent", "select_account login"] {
        assert_eq!(problems(&with(prompt, json!(60))), [], "{prompt}");
        let expected = usize::from(prompt == "none");
        assert_eq!(problems(&with(prompt, json!(0))).len(), expected, "{prompt}");
    }
    for prompt in
        ["none login", "login none", "None", "LOGIN", "later", "login  consent", " login", "none none", "login,consent"]
    {
        assert_refused(&with(prompt, json!(60)), "extra_parameters.prompt");
    }
    assert_refused(&with("none", json!(0)), "extra_parameters.prompt");
    assert_eq!(problems(&json!({ "extra_parameters": { "prompt": "none" } })), []);
}

/// AUT-9, A45: what has a member of its own, or belongs to this library, is no extra parameter.
#[test]
fn protected_parameters_are_no_extra_parameters() {
    for name in [
        "client_id",
        "redirect_uri",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "response_type",
        "response_mode",
        "scope",
        "request",
        "request_uri",
        "max_age",
        "acr_values",
        "resource",
        "dpop_jkt",
        "client_secret",
    ] {
        let found = problems(&json!({ "extra_parameters": { name: "x" } }));
        assert_eq!(found.len(), 1, "{name}");
        assert_eq!(found[0].place, format!("authorization_servers[0].extra_parameters.{name}"));
    }
}

/// AUT-9: what is configured about signing in is sent; a member that is absent is not.
#[test]
fn max_age_and_acr_values_are_sent() {
    let sent = |scenario: Scenario, name: &str| {
        let (url, _) = scenario.request().expect("a request");
        (parameter(url.query(), name), url.as_str().contains(name))
    };
    let openid = || Scenario::public_client().openid();
    for (max_age, expected) in [(json!(0), "0"), (json!(600), "600"), (json!(6.0e2), "600")] {
        assert_eq!(sent(openid().configured("max_age", max_age), "max_age"), (expected.to_owned(), true));
    }
    assert_eq!(
        sent(openid().configured("acr_values", json!("gold silver")), "acr_values"),
        ("gold silver".to_owned(), true)
    );
    for name in ["max_age", "acr_values", "dpop_jkt"] {
        assert_eq!(sent(openid(), name), (String::new(), false));
    }
}

/// IDT-4: clocks may differ by five minutes at most.
#[test]
fn the_clock_tolerance_has_a_cap() {
    for tolerance in [0, 60, 300] {
        assert_eq!(problems(&json!({ "clock_tolerance": tolerance })), []);
    }
    for tolerance in [301, 3_600, 9_007_199_254_740_991_u64] {
        assert_refused(&json!({ "clock_tolerance": tolerance }), "clock_tolerance");
    }
}

#[test]
fn settings_of_other_types_are_named() {
    for (name, values) in [
        ("max_age", vec![json!("600"), json!(-1), json!(1.5), json!(1e300), json!([])]),
        ("clock_tolerance", vec![json!("60"), json!(-1), json!(0.5)]),
        ("acr_values", vec![json!(""), json!("a  b"), json!(["gold"]), json!("a\u{7f}")]),
        ("dpop", vec![json!("true"), json!(1), json!([])]),
        ("pushed_authorization_requests", vec![json!("true"), json!(0)]),
        ("resource", vec![json!(5), json!({}), json!([5])]),
    ] {
        for value in values {
            assert_refused(&json!({ name: value }), name);
        }
    }
}

/// What this app was built with can be switched on; the tests have everything.
#[test]
fn features_can_be_switched_on_where_they_are_built_in() {
    let built_in = [("dpop", cfg!(feature = "dpop")), ("pushed_authorization_requests", cfg!(feature = "par"))];
    for (member, is_built_in) in built_in {
        let expected = if is_built_in { vec![] } else { vec![format!("authorization_servers[0].{member}")] };
        let found: Vec<String> = problems(&json!({ member: true })).into_iter().map(|problem| problem.place).collect();
        assert_eq!(found, expected);
        assert_eq!(problems(&json!({ member: false })), []);
    }
}

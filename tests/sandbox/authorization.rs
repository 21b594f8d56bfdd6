//! The authorization endpoint and its pages.

use crate::person::{CHALLENGE, ISSUER, Person, authorization_url, form_value, header, json, redirected, text, value};

fn error_of(parameters: &[(&str, &str)]) -> String {
    let response = Person::new().authorize(parameters);
    let parameters = redirected(&response);
    assert_eq!(value(&parameters, "state").as_deref(), Some("af0ifjsldkj"));
    assert_eq!(value(&parameters, "iss").as_deref(), Some(ISSUER));
    assert_eq!(value(&parameters, "code"), None);
    value(&parameters, "error").expect("an error")
}

#[test]
fn says_what_it_is_at_both_well_known_urls() {
    let mut person = Person::new();
    let openid = person.get(&format!("{ISSUER}.well-known/openid-configuration"));
    let oauth = person.get("https://app.example/.well-known/oauth-authorization-server/sandbox");
    assert_eq!(openid, oauth);
    let document = json(&openid);
    assert_eq!(document["issuer"], ISSUER);
    assert_eq!(document["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    for (name, url) in document.as_object().expect("an object").iter().filter(|(name, _)| name.ends_with("_endpoint")) {
        assert!(url.as_str().is_some_and(|url| url.starts_with(ISSUER)), "{name}");
    }
}

#[test]
fn asks_who_somebody_is_and_what_they_allow_once() {
    let mut person = Person::new();
    let parameters = person.sign_in(&[]);
    assert_eq!(value(&parameters, "code").map(|code| code.len()), Some(43));
    assert_eq!(value(&parameters, "state").as_deref(), Some("af0ifjsldkj"));
    assert_eq!(value(&parameters, "iss").as_deref(), Some(ISSUER));
    // The second time nobody is asked, unless more is wanted.
    assert_eq!(person.authorize(&[]).status, 303);
    let more = person.authorize(&[("scope", "openid photos:write")]);
    assert!(text(&more).contains("Add photos"));
}

#[test]
fn sends_nobody_to_an_address_that_is_not_registered() {
    for wrong in [
        ("redirect_uri", "https://evil.example/callback"),
        ("redirect_uri", "https://app.example/callback/x"),
        ("redirect_uri", "https://app.example/callback?a=b"),
        ("redirect_uri", ""),
        ("client_id", "nobody"),
        ("client_id", ""),
    ] {
        let response = Person::new().authorize(&[wrong]);
        assert_eq!((response.status, header(&response, "location")), (400, None), "{wrong:?}");
    }
    let twice = format!("{}&client_id=workbench", authorization_url(&[]));
    assert_eq!(Person::new().get(&twice).status, 400);
    // Another parameter twice is the client's to know (RFC 6749 §3.1, §4.1.2.1).
    let scope_twice = format!("{}&scope=openid", authorization_url(&[]));
    let told = redirected(&Person::new().get(&scope_twice));
    assert!(told.contains(&("error".to_owned(), "invalid_request".to_owned())), "{told:?}");
}

#[test]
fn names_errors_as_the_rfcs_do() {
    assert_eq!(error_of(&[("response_type", "")]), "invalid_request");
    assert_eq!(error_of(&[("response_type", "token")]), "unsupported_response_type");
    assert_eq!(error_of(&[("response_mode", "form_post")]), "invalid_request");
    assert_eq!(error_of(&[("scope", "openid root")]), "invalid_scope");
    assert_eq!(error_of(&[("request", "eyJ")]), "request_not_supported");
    assert_eq!(error_of(&[("request_uri", "https://app.example/request")]), "request_uri_not_supported");
    assert_eq!(error_of(&[("prompt", "none")]), "login_required");
    assert_eq!(error_of(&[("prompt", "none login")]), "invalid_request");
    assert_eq!(error_of(&[("prompt", "nonsense")]), "invalid_request");
    assert_eq!(error_of(&[("max_age", "soon")]), "invalid_request");
}

/// RFC 7636 §4.4.1: PKCE is required, by S256 and nothing else.
#[test]
fn requires_pkce_by_s256() {
    assert_eq!(error_of(&[("code_challenge", "")]), "invalid_request");
    assert_eq!(error_of(&[("code_challenge", "short")]), "invalid_request");
    assert_eq!(error_of(&[("code_challenge", &CHALLENGE.replace('-', "+"))]), "invalid_request");
    assert_eq!(error_of(&[("code_challenge_method", "")]), "invalid_request");
    assert_eq!(error_of(&[("code_challenge_method", "plain")]), "invalid_request");
}

#[test]
fn follows_prompt_max_age_and_login_hint() {
    let mut person = Person::new();
    person.sign_in(&[]);
    let asks = |person: &mut Person, parameters: &[(&str, &str)]| {
        let response = person.authorize(parameters);
        match (response.status, text(&response)) {
            (303, _) => "nothing",
            (_, page) if page.contains("/login\"") => "who",
            _ => "what",
        }
    };
    assert_eq!(asks(&mut person, &[("prompt", "none")]), "nothing");
    assert_eq!(asks(&mut person, &[("prompt", "login")]), "who");
    assert_eq!(asks(&mut person, &[("prompt", "select_account")]), "who");
    assert_eq!(asks(&mut person, &[("prompt", "consent")]), "what");
    person.now += 100;
    assert_eq!(asks(&mut person, &[("max_age", "100")]), "nothing");
    assert_eq!(asks(&mut person, &[("max_age", "99")]), "who");
    let too_old = person.authorize(&[("max_age", "99"), ("prompt", "none")]);
    assert_eq!(value(&redirected(&too_old), "error").as_deref(), Some("login_required"));
    let more = person.authorize(&[("scope", "openid photos:write"), ("prompt", "none")]);
    assert_eq!(value(&redirected(&more), "error").as_deref(), Some("consent_required"));
    let hinted = text(&Person::new().authorize(&[("login_hint", "bob")]));
    assert!(hinted.contains("value=\"bob\" checked") && !hinted.contains("value=\"alice\" checked"));
}

#[test]
fn a_login_that_was_asked_for_is_asked_for_once() {
    let mut person = Person::new();
    person.sign_in(&[]);
    let page = person.authorize(&[("prompt", "login"), ("max_age", "0")]);
    assert!(value(&person.answer(page, "bob"), "code").is_some());
}

/// A forged form knows no one-time value; a page is answered once, and not after ten minutes.
#[test]
fn takes_an_answer_only_from_its_own_page() {
    let mut person = Person::new();
    let login = format!("{ISSUER}login");
    let page = person.authorize(&[]);
    let known = form_value(&text(&page));
    assert_eq!(person.post(&login, &[("username", "alice")]).status, 400);
    assert_eq!(person.post(&login, &[("username", "alice"), ("form_value", "guessed")]).status, 400);
    // Consent needs a page that asked somebody for it.
    let consent = format!("{ISSUER}consent");
    assert_eq!(person.post(&consent, &[("form_value", &known), ("allow", "1")]).status, 400);

    let page = person.authorize(&[]);
    let known = form_value(&text(&page));
    assert_eq!(person.post(&login, &[("username", "alice"), ("form_value", &known)]).status, 200);
    assert_eq!(person.post(&login, &[("username", "alice"), ("form_value", &known)]).status, 400);
    let page = person.authorize(&[]);
    let known = form_value(&text(&page));
    person.now += 601;
    assert_eq!(person.post(&consent, &[("form_value", &known), ("allow", "1")]).status, 400);
}

#[test]
fn consent_is_given_by_whoever_was_asked() {
    let mut person = Person::new();
    let page = person.authorize(&[]);
    let login = [("username", "alice"), ("form_value", &*form_value(&text(&page)))];
    let asked = person.post(&format!("{ISSUER}login"), &login);
    // Meanwhile somebody else signs in, in another tab.
    let other = person.authorize(&[("prompt", "login")]);
    person.answer(other, "bob");
    let allow = [("allow", "1"), ("form_value", &*form_value(&text(&asked)))];
    assert_eq!(person.post(&format!("{ISSUER}consent"), &allow).status, 400);
}

#[test]
fn whoever_says_no_is_sent_back_with_access_denied() {
    let mut person = Person::new();
    let page = text(&person.authorize(&[]));
    let cancelled = person.post(&format!("{ISSUER}login"), &[("form_value", &form_value(&page)), ("cancel", "1")]);
    assert_eq!(value(&redirected(&cancelled), "error").as_deref(), Some("access_denied"));
    let page = text(&person.authorize(&[]));
    let login = [("form_value", &*form_value(&page)), ("username", "alice")];
    let page = text(&person.post(&format!("{ISSUER}login"), &login));
    let denied = person.post(&format!("{ISSUER}consent"), &[("form_value", &form_value(&page))]);
    assert_eq!(value(&redirected(&denied), "error").as_deref(), Some("access_denied"));
}

/// Its pages run no script, load nothing, and show what came from outside as text.
#[test]
fn pages_are_escaped_and_under_a_policy() {
    let mut person = Person::new();
    let response = person.authorize(&[("login_hint", "<script>alert(1)</script>\"'"), ("state", "\"><script>")]);
    let page = text(&response);
    assert!(!page.contains("<script"), "{page}");
    let policy = header(&response, "content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(policy.contains("form-action 'self'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(header(&response, "cache-control"), Some("no-store"));
    let style = page.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>")).expect("a style").0;
    let hash = <sha2::Sha256 as sha2::Digest>::digest(style.as_bytes());
    let hash = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, hash);
    assert!(policy.contains(&format!("'sha256-{hash}'")), "{policy}");
}

#[test]
fn answers_only_what_it_has_and_by_the_right_method() {
    let mut person = Person::new();
    assert_eq!(person.get(&format!("{ISSUER}nothing")).status, 404);
    let response = person.get(&format!("{ISSUER}token"));
    assert_eq!((response.status, header(&response, "allow")), (405, Some("POST")));
}

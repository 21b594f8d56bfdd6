//! The authorization response: duplicates, `state`, redirect URI, `iss`, `error`, `code`, in this order.

use leptos_pkce::protocol::authorization_response::{
    AuthorizationErrorCode, AuthorizationErrorResponse, AuthorizationResponse, CallbackError, UnverifiedError,
    may_be_response,
};
use leptos_pkce::protocol::error::Error;
use leptos_pkce::protocol::flow::{Event, Intent};
use leptos_pkce::protocol::form::FormError;
use leptos_pkce::protocol::time::Seconds;
use leptos_pkce::protocol::vocabulary::Issuer;
use serde_json::json;

use crate::answers::html;
use crate::scenario::{
    CODE, CONFIGURATION, DISCOVERY, ISSUER, OTHER_ISSUER, Scenario, TOKEN_ENDPOINT, Tab, key, parameter,
};

fn announced() -> Scenario {
    Scenario::public_client().metadata("authorization_response_iss_parameter_supported", json!(true))
}

fn issuer() -> Issuer {
    key(ISSUER).issuer
}

/// What a response without any pending request is answered with.
fn unknown(error: Option<&str>) -> Error {
    Error::Callback(CallbackError::UnknownState { error: error.map(UnverifiedError::new) })
}

/// No request left for any server but the one for config.json.
#[track_caller]
fn assert_nothing_was_sent(tab: &Tab) {
    let sent: Vec<_> = tab.trace.iter().filter(|line| line.starts_with("fetch POST")).collect();
    assert_eq!(sent, [""; 0]);
}

#[test]
fn a_code_that_was_asked_for_signs_in() {
    assert!(Scenario::public_client().run().session().is_some());
}

/// CB-1: absent, unknown, foreign, empty or nearly right: nothing is sent.
#[test]
fn rejects_a_state_that_nothing_waits_for() {
    for query in [
        "code=stolen",
        "code=stolen&state=",
        "code=stolen&state=made-up",
        "code=stolen&state={state}x",
        "code=stolen&state=%20{state}",
        "code=stolen&state=leptos-pkce",
    ] {
        let tab = Scenario::public_client().response(query).run();
        assert_eq!(*tab.callback_error(), unknown(None), "{query}");
        assert_nothing_was_sent(&tab);
        assert!(tab.session().is_none());
    }
}

/// CB-1: the record that is found must hold the very state it was found by.
#[test]
fn rejects_a_record_that_was_moved_to_another_name() {
    let mut tab = Scenario::public_client().open();
    tab.sign_in();
    let record =
        tab.storage.records.values().find(|record| record.contains("code_verifier")).expect("a record").clone();
    tab.storage.records.insert("leptos-pkce pending mine".into(), record);
    tab.redirected("code=stolen&state=mine", "");
    assert_eq!(*tab.callback_error(), unknown(None));
    assert_nothing_was_sent(&tab);
}

/// CB-2: a forged response does not spoil the sign-in that is pending.
#[test]
fn a_forged_response_leaves_the_pending_request_alone() {
    for forged in
        ["code=forged&state=forged", "error=access_denied&state=forged", "code=forged", "error=x", "code=a&code=b"]
    {
        let mut tab = Scenario::public_client().open();
        tab.sign_in();
        tab.redirected(forged, "");
        assert!(tab.session().is_none());
        assert_eq!(tab.storage.names("pending").len(), 1, "{forged}");
        tab.come_back(&format!("code={CODE}&state={{state}}"), "");
        assert!(tab.session().is_some(), "{forged}");
    }
}

/// CB-3: the record is gone before the code is sent; the same response again does nothing.
#[test]
fn a_response_counts_once() {
    let mut tab = Scenario::public_client().run();
    assert!(tab.storage.names("pending").is_empty());
    tab.come_back(&format!("code={CODE}&state={{state}}"), "");
    assert_eq!(*tab.callback_error(), unknown(None));
    assert_eq!(tab.sent_to(TOKEN_ENDPOINT).len(), 1);
}

/// CB-3: a refused response uses its request up too.
#[test]
fn a_refusal_uses_the_request_up() {
    let mut tab = Scenario::public_client().refused("access_denied").run();
    tab.come_back(&format!("code={CODE}&state={{state}}"), "");
    assert_eq!(*tab.callback_error(), unknown(None));
    assert_nothing_was_sent(&tab);
}

/// CB-4: an error that nobody asked for touches no session; of it only a registered code is shown.
#[test]
fn an_error_without_a_request_changes_nothing() {
    for (query, error) in [
        ("error=access_denied&state=forged", "access_denied"),
        ("error=access_denied", "access_denied"),
        ("error=your+account+is+locked,+call+0900&state=forged", "your account is locked, call 0900"),
    ] {
        let mut tab = Scenario::public_client().configured("token_storage", json!("session")).run();
        tab.redirected(query, "");
        assert_eq!(*tab.callback_error(), unknown(Some(error)), "{query}");
        assert!(tab.session().is_some(), "{query}");
        assert_eq!(tab.storage.names("session").len(), 1, "{query}");

        // In a page that is signed in already, whatever it was that brought the response.
        let mut tab = Scenario::public_client().run();
        tab.happen(Event::Redirected {
            path: "/callback".to_owned(),
            query: query.to_owned(),
            fragment: String::new(),
        });
        assert_eq!(*tab.callback_error(), unknown(Some(error)), "{query}");
        assert!(tab.session().is_some(), "{query}");
    }
    assert_eq!(UnverifiedError::new("access_denied").registered(), Some(AuthorizationErrorCode::AccessDenied));
    let words = UnverifiedError::new("your account is locked, call 0900");
    assert_eq!(words.registered(), None);
    assert_eq!(format!("{words:?}"), "UnverifiedError");
}

/// CB-5: a parameter that is there twice makes the response unreadable, whatever its name and spelling.
#[test]
fn rejects_a_parameter_that_is_there_twice() {
    for (query, name) in [
        ("code=a&state={state}&code=b", "code"),
        ("code=a&state={state}&state={state}", "state"),
        ("code=a&state={state}&iss=x&iss=x", "iss"),
        ("code=a&state={state}&other=1&other=1", "other"),
        ("code=a&state={state}&c%6Fde=b", "code"),
        ("code=a&state={state}&code=", "code"),
        ("code=a&state={state}&code", "code"),
    ] {
        let tab = Scenario::public_client().response(query).run();
        let error = CallbackError::Malformed(FormError::Duplicate { name: name.to_owned() });
        assert_eq!(*tab.callback_error(), Error::Callback(error), "{query}");
        assert_nothing_was_sent(&tab);
    }
}

#[test]
fn rejects_what_cannot_be_decoded() {
    let tab = Scenario::public_client().response("code=%ff&state={state}").run();
    assert_eq!(*tab.callback_error(), Error::Callback(CallbackError::Malformed(FormError::NotUtf8)));
    let long = format!("code={}&state={{state}}", "a".repeat(64 * 1024));
    let tab = Scenario::public_client().response(&long).run();
    let error = CallbackError::Malformed(FormError::TooLong { limit: 64 * 1024 });
    assert_eq!(*tab.callback_error(), Error::Callback(error));
    let many: String = (0..300).map(|number| format!("{number}=x&")).collect();
    let tab = Scenario::public_client().response(&format!("{many}code=a&state={{state}}")).run();
    let error = CallbackError::Malformed(FormError::TooMany { limit: 256 });
    assert_eq!(*tab.callback_error(), Error::Callback(error));
}

/// What is too long to be read is refused, with a response in it or not.
#[test]
fn a_long_query_of_the_apps_own_is_no_response() {
    let own = |octets: usize| {
        AuthorizationResponse::parse("/callback", &format!("q={}", "a".repeat(octets - "q=".len())), "")
    };
    assert!(own(64 * 1024).is_ok_and(|response| response.is_none()));
    let error = CallbackError::Malformed(FormError::TooLong { limit: 64 * 1024 });
    assert_eq!(own(64 * 1024 + 1).err(), Some(error.clone()));
    assert_eq!(own(64 * 1024 + 2).err(), Some(error));
}

/// A parameter's name alone is an anchor of the app's own; with a value it is what servers send.
#[test]
fn a_response_has_a_parameter_with_a_value() {
    for part in ["code=a&state=b", "error=access_denied", "tab=1&state=b", "access_token=a", "id_token=a", "code="] {
        assert!(may_be_response(part), "{part}");
    }
    for part in ["", "code", "state", "tab=1", "tab=1&code", "codes=a", "decode=a", "tab=code"] {
        assert!(!may_be_response(part), "{part}");
    }
}

/// CB-6: `iss` is compared octet by octet, whether it was announced or not.
#[test]
fn rejects_an_iss_of_another_server() {
    for iss in ["https://as.example/", "https://AS.example", "https://other.example", "https://as.exampleINVALID", "x"]
    {
        for scenario in [Scenario::public_client(), announced()] {
            let tab = scenario.response(&format!("code={CODE}&state={{state}}&iss={iss}")).run();
            let error = CallbackError::IssuerMismatch { expected: issuer(), received: iss.to_owned() };
            assert_eq!(*tab.callback_error(), Error::Callback(error));
            assert_nothing_was_sent(&tab);
        }
    }
    let tab = announced().response(&format!("code={CODE}&state={{state}}&iss=https%3A%2F%2Fas.example")).run();
    assert!(tab.session().is_some());
}

/// CB-6: a server that announces `iss` and leaves it out was not the one that answered.
#[test]
fn rejects_a_missing_iss_where_it_was_announced() {
    for query in ["code=a&state={state}", "error=access_denied&state={state}", "code=a&state={state}&iss="] {
        let tab = announced().response(query).run();
        assert_eq!(*tab.callback_error(), Error::Callback(CallbackError::MissingIssuer { expected: issuer() }));
        assert_nothing_was_sent(&tab);
    }
    assert!(Scenario::public_client().run().session().is_some());
}

/// A response to the request of a client with this redirect URI that comes to this path.
fn coming_to(path: &str, redirect_uri: &str, query: &str) -> Tab {
    let mut tab = Scenario::public_client().configured("redirect_uri", json!(redirect_uri)).open();
    tab.callback = Some(path.to_owned());
    tab.sign_in();
    tab.come_back(query, "");
    tab
}

/// CFG-15, A5: whatever comes to another redirect URI than the one that was sent is no answer to the request, and uses it up.
#[test]
fn rejects_a_response_at_another_redirect_uri() {
    for (path, redirect_uri) in [
        ("/callback/other", "https://app.example/callback"),
        ("/callback", "https://app.example/callback/other"),
        ("/callback/other", "https://app.example/callback/one?server=other"),
        ("/Callback", "https://app.example/callback"),
        ("/callback//", "https://app.example/callback"),
        ("/callback/.html", "https://app.example/callback"),
        ("/", "https://app.example/callback"),
        ("", "https://app.example/callback"),
    ] {
        for query in ["code=a&state={state}", "error=access_denied&state={state}"] {
            let mut tab = coming_to(path, redirect_uri, query);
            let Error::Callback(CallbackError::WrongRedirectUri { expected, received }) = tab.callback_error() else {
                panic!("{path} is not {redirect_uri}: {}", tab.callback_error());
            };
            assert_eq!((expected.as_str(), received.as_str()), (redirect_uri, path));
            assert_nothing_was_sent(&tab);
            tab.callback = None;
            tab.come_back("code=a&state={state}", "");
            assert_eq!(*tab.callback_error(), unknown(None));
        }
    }
}

/// CFG-4, CFG-15: hosts of files spell the redirect URI their way, and it is the same one.
#[test]
fn accepts_the_redirect_uri_as_static_hosts_spell_it() {
    for path in ["/callback", "/callback/", "/callback.html", "/callback/index.html"] {
        for redirect_uri in ["callback", "callback/", "callback.html", "callback/index.html", "callback?a=b"] {
            let tab = coming_to(path, &["https://app.example/", redirect_uri].concat(), "code=a&state={state}");
            assert!(tab.session().is_some(), "{path} is {redirect_uri}");
        }
    }
    for path in ["/", "/index.html"] {
        assert!(coming_to(path, "https://app.example", "code=a&state={state}").session().is_some(), "{path}");
    }
}

/// CB-7: the code goes to the token endpoint of the server that was asked, with two servers in one tab.
#[test]
fn sends_the_code_to_the_server_that_was_asked() {
    let mut tab = Scenario::public_client().second_server().open();
    tab.sign_in();
    tab.reload();
    tab.ask(key(OTHER_ISSUER), None, Intent::Navigate);
    let [first, second] = [0, 1].map(|index| parameter(tab.navigations[index].query(), "state"));

    tab.redirected(&format!("code={CODE}&state={first}&token_endpoint=https%3A%2F%2Fevil.example"), "");
    assert_eq!(tab.sent_to(TOKEN_ENDPOINT).len(), 1);
    assert!(tab.sent_to("https://other.example/token").is_empty());

    tab.redirected(&format!("code={CODE}&state={second}"), "");
    assert_eq!(tab.sent_to(TOKEN_ENDPOINT).len(), 1);
    assert_eq!(tab.sent_to("https://other.example/token").len(), 1);
    assert_eq!(tab.sent.iter().filter(|(_, request)| request.method == "POST").count(), 2);
    assert!(tab.flow().session(&key(OTHER_ISSUER)).is_some());
}

/// CB-8: unknown parameters are ignored, and a code has no size.
#[test]
fn assumes_nothing_about_size_or_company() {
    let code = "c".repeat(8 * 1024);
    let tab = Scenario::public_client()
        .response(&format!("session_state=x&code={code}&foo&=&state={{state}}&scope=a+b&ä=%C3%A4"))
        .run();
    assert!(tab.session().is_some());
    assert_eq!(parameter(tab.token_request().body.as_deref(), "code"), code);
}

/// CB-9: tokens do not come through the address bar, and codes not through the fragment.
#[test]
fn rejects_what_a_code_flow_does_not_send() {
    for (query, fragment, name) in [
        ("code=a&access_token=b&state={state}", "", "access_token"),
        ("code=a&id_token=b&state={state}", "", "id_token"),
        ("code=a&access%5Ftoken=b&state={state}", "", "access_token"),
        ("", "access_token=b&state={state}", "access_token"),
        ("", "id_token=b&state={state}", "id_token"),
        ("", "code=a&state={state}", "code"),
    ] {
        let tab = Scenario::public_client().response(query).fragment(fragment).run();
        let error = CallbackError::FrontChannel { name };
        assert_eq!(*tab.callback_error(), Error::Callback(error), "{query}#{fragment}");
        assert_nothing_was_sent(&tab);
    }
}

/// CB-9: a token in the fragment is no better for the code in the query.
#[test]
fn refuses_a_token_in_the_fragment_beside_a_code_in_the_query() {
    for fragment in ["access_token=b", "id_token=b", "code=b"] {
        let tab = Scenario::public_client().fragment(fragment).run();
        assert!(matches!(tab.callback_error(), Error::Callback(CallbackError::FrontChannel { .. })), "{fragment}");
        assert_nothing_was_sent(&tab);
    }
}

/// CB-9: an error in the fragment with a known state is reported; one with an unknown state is not believed.
#[test]
fn reports_an_error_in_the_fragment() {
    let tab = Scenario::public_client().response("").fragment("error=login_required&state={state}").run();
    let Error::Callback(CallbackError::Refused(refusal)) = tab.callback_error() else { panic!("a refusal") };
    assert_eq!(refusal.code(), AuthorizationErrorCode::LoginRequired);

    let tab = Scenario::public_client().response("").fragment("error=login_required&state=x").run();
    assert_eq!(*tab.callback_error(), unknown(Some("login_required")));
}

/// CB-13: every registered code has a variant of its own, all others are kept as text.
#[test]
fn knows_every_registered_error() {
    let known: Vec<&str> = AuthorizationErrorCode::REGISTERED.iter().map(AuthorizationErrorCode::as_str).collect();
    assert_eq!(
        known,
        [
            "access_denied",
            "account_selection_required",
            "consent_required",
            "interaction_required",
            "invalid_request",
            "invalid_request_object",
            "invalid_request_uri",
            "invalid_scope",
            "invalid_target",
            "login_required",
            "registration_not_supported",
            "request_not_supported",
            "request_uri_not_supported",
            "server_error",
            "temporarily_unavailable",
            "unauthorized_client",
            "unmet_authentication_requirements",
            "unsupported_response_type",
        ]
    );
    for code in AuthorizationErrorCode::REGISTERED {
        assert_eq!(AuthorizationErrorCode::parse(code.as_str()), *code);
        let tab = Scenario::public_client().refused(code.as_str()).run();
        let Error::Callback(CallbackError::Refused(refusal)) = tab.callback_error() else { panic!("a refusal") };
        assert_eq!(refusal.code(), *code);
        assert_nothing_was_sent(&tab);
    }
    for other in ["ACCESS_DENIED", "access_denied ", "x"] {
        assert_eq!(AuthorizationErrorCode::parse(other), AuthorizationErrorCode::Other(other.to_owned()));
    }
}

/// CB-14: the server's words are kept as text, and no more of them than a page shows.
#[test]
fn keeps_a_servers_words_within_bounds() {
    let query = format!(
        "error={}&error_description={}&error_uri=javascript:alert(1)&state={{state}}",
        "e".repeat(1000),
        "%3Cimg+src%3Dx+onerror%3Dalert(1)%3E".repeat(100)
    );
    let Err(CallbackError::Refused(refusal)) = Scenario::public_client().response(&query).complete() else {
        panic!("a refusal");
    };
    assert_eq!(refusal.error.chars().count(), 100);
    let description = refusal.error_description.unwrap_or_default();
    assert_eq!(description.chars().count(), 500);
    assert!(description.starts_with("<img src=x onerror=alert(1)>"));
    assert_eq!(refusal.error_uri.as_deref(), Some("javascript:alert(1)"));
}

#[test]
fn reports_a_server_error_without_description() {
    let error = Scenario::public_client().refused("server_error").complete().err();
    let refusal = AuthorizationErrorResponse { error: "server_error".into(), error_description: None, error_uri: None };
    assert_eq!(error, Some(CallbackError::Refused(refusal)));
}

/// CB-15: a callback without a response, or with half of one, is a state with words, not an accident.
#[test]
fn half_a_response_is_answered_in_words() {
    assert!(matches!(AuthorizationResponse::parse("/callback", "", ""), Ok(None)));
    assert!(matches!(AuthorizationResponse::parse("/callback", "utm_source=x&iss=y", "top"), Ok(None)));
    let mut tab = Scenario::public_client().open();
    tab.redirected("", "");
    assert!(tab.flow().callback_failure().is_none());

    let tab = Scenario::public_client().response("code=a").run();
    assert_eq!(*tab.callback_error(), unknown(None));
    let tab = Scenario::public_client().response("state={state}").run();
    assert_eq!(*tab.callback_error(), Error::Callback(CallbackError::MissingCode));
    let tab = Scenario::public_client().response("code=&state={state}").run();
    assert_eq!(*tab.callback_error(), Error::Callback(CallbackError::MissingCode));
    let tab = Scenario::public_client().response("state=unknown").run();
    assert_eq!(*tab.callback_error(), unknown(None));
}

/// AUT-15: a response is waited for during an hour.
#[test]
fn rejects_a_response_that_comes_too_late() {
    assert!(Scenario::public_client().later(3600).run().session().is_some());
    let tab = Scenario::public_client().later(3601).run();
    let error = CallbackError::Stale { age: Seconds(3601), limit: Seconds(3600) };
    assert_eq!(*tab.callback_error(), Error::Callback(error));
    assert_nothing_was_sent(&tab);
}

/// CB-4, CB-5, CB-6: of several things that are wrong, the first in the order of checks is named.
#[test]
fn checks_in_the_order_of_the_module() {
    use CallbackError::{FrontChannel, IssuerMismatch, Malformed, MissingIssuer, Refused, Stale, UnknownState};
    let first = |query: &str, later: u64| announced().response(query).later(later).complete().expect_err("an error");
    assert!(matches!(first("state=x&iss=x&error=x&code=a&code=b", 9999), Malformed(_)));
    assert!(matches!(first("state=x&iss=x&error=x&code=a", 9999), UnknownState { .. }));
    assert!(matches!(first("state={state}&iss=x&error=x&code=a", 9999), Stale { .. }));
    assert!(matches!(first("state={state}&iss=x&error=x&code=a", 1), IssuerMismatch { .. }));
    assert!(matches!(first("state={state}&error=x&code=a", 1), MissingIssuer { .. }));
    assert!(matches!(first("state={state}&iss=https://as.example&error=x&code=a&id_token=t", 1), Refused(_)));
    assert!(matches!(first("state={state}&iss=https://as.example&code=a&id_token=t", 1), FrontChannel { .. }));
}

/// CFG-4, CB-7: what was recorded counts, though page and configuration have changed meanwhile.
#[test]
fn completes_with_the_record_alone() {
    let mut tab = Scenario::public_client().configured("redirect_uri", json!("https://app.example/old")).open();
    tab.sign_in();
    tab.answering(CONFIGURATION, html(404));
    tab.answering(DISCOVERY, html(404));
    tab.come_back(&format!("code={CODE}&state={{state}}"), "");
    assert!(tab.session().is_some());
    assert_eq!(parameter(tab.token_request().body.as_deref(), "redirect_uri"), "https://app.example/old");
}

/// A46: a value is decoded once, and what an escape hides stays hidden.
#[test]
fn reads_nothing_twice() {
    let tab = Scenario::public_client().response("code=a%2526code%253Db&state={state}").run();
    assert_eq!(parameter(tab.token_request().body.as_deref(), "code"), "a%26code%3Db");
}

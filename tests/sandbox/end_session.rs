//! Sign-out at the server (OpenID Connect RP-Initiated Logout 1.0): who is asked, who is not, and where people are sent.

use leptos_pkce::protocol::form;
use leptos_pkce::sandbox::http::Response;
use leptos_pkce::sandbox::switches::Switches;

use crate::person::{BASE, ISSUER, Person, form_value, header, json, redirected, text, value};
use crate::refresh::{photos, renewed, signed_in};

const SIGNED_OUT: &str = "https://app.example/signed-out";

/// Goes to the end session endpoint by GET.
fn end_session(person: &mut Person, parameters: &[(&str, &str)]) -> Response {
    person.get(&format!("{ISSUER}end_session?{}", form::encode(parameters)))
}

/// Signs in; the ID token.
fn id_token(person: &mut Person, parameters: &[(&str, &str)]) -> String {
    person.tokens(parameters)["id_token"].as_str().expect("an ID token").to_owned()
}

/// Who is signed in at the server, as prompt=none tells.
fn is_signed_in(person: &mut Person) -> bool {
    let parameters = redirected(&person.authorize(&[("prompt", "none")]));
    match value(&parameters, "error") {
        None => true,
        Some(error) => {
            assert_eq!(error, "login_required");
            false
        }
    }
}

#[track_caller]
fn location(response: &Response) -> &str {
    assert_eq!(response.status, 303, "{}", text(response));
    header(response, "location").expect("a redirect goes somewhere")
}

/// The page that asks; its one-time value.
#[track_caller]
fn asked(response: &Response) -> String {
    let page = text(response);
    assert_eq!((response.status, header(response, "location")), (200, None), "{page}");
    assert!(page.contains("<h1>Sign out of the sandbox?</h1>"), "{page}");
    form_value(&page)
}

#[track_caller]
fn is_refused(response: &Response) {
    assert_eq!((response.status, header(response, "location")), (400, None), "{}", text(response));
    assert!(text(response).contains("<h1>This is not possible</h1>"));
}

fn answer(person: &mut Person, form_value: &str, says_yes: bool) -> Response {
    let pairs = [("form_value", form_value), ("sign_out", if says_yes { "1" } else { "" })];
    person.post(&format!("{ISSUER}sign-out"), &pairs)
}

#[test]
fn an_id_token_of_whoever_is_signed_in_signs_them_out_at_once() {
    for (is_post, address, expected) in [
        (false, BASE, "https://app.example/?state=af0%26if"),
        (true, SIGNED_OUT, "https://app.example/signed-out?state=af0%26if"),
    ] {
        let mut person = Person::new();
        let first = signed_in(&mut person);
        let hint = first.answer["id_token"].as_str().expect("an ID token");
        let parameters = [
            ("id_token_hint", hint),
            ("post_logout_redirect_uri", address),
            ("state", "af0&if"),
            ("ui_locales", "fr-CA fr en"),
        ];
        assert!(is_signed_in(&mut person));
        let response = match is_post {
            true => person.post(&format!("{ISSUER}end_session"), &parameters),
            false => end_session(&mut person, &parameters),
        };
        assert_eq!(location(&response), expected);
        assert!(!is_signed_in(&mut person));
        // OpenID Connect Core §11: what was given for when nobody is there goes on.
        assert_eq!(photos(&mut person, &first.access), 200);
        renewed(&mut person, &first.refresh, &[]);
        // Once more is no error.
        assert_eq!(location(&end_session(&mut person, &parameters)), expected);
    }
}

#[test]
fn a_hint_may_be_old_and_of_the_key_before() {
    let mut person = Person::with(&["keys-rotated"]);
    let hints = [id_token(&mut person, &[]), id_token(&mut person, &[])];
    person.sandbox.state.switches = Switches::on(["id-token-aud-array"]).expect("it exists");
    let in_an_array = id_token(&mut person, &[]);
    person.now += 24 * 60 * 60;
    for hint in hints.iter().chain([&in_an_array]) {
        person.sign_in(&[("scope", "openid")]);
        let parameters = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", SIGNED_OUT)];
        assert_eq!(location(&end_session(&mut person, &parameters)), SIGNED_OUT);
        assert!(!is_signed_in(&mut person));
    }
}

#[test]
fn without_a_hint_people_are_asked() {
    for says_yes in [true, false] {
        let mut person = Person::new();
        person.sign_in(&[]);
        let parameters =
            [("client_id", "workbench"), ("post_logout_redirect_uri", SIGNED_OUT), ("state", "af0ifjsldkj")];
        let page = end_session(&mut person, &parameters);
        assert!(text(&page).contains("You are Alice Example. The workbench asks you to."));
        let form_value = asked(&page);
        assert!(is_signed_in(&mut person), "nothing has happened yet");
        let response = answer(&mut person, &form_value, says_yes);
        assert_eq!(location(&response), "https://app.example/signed-out?state=af0ifjsldkj");
        assert_eq!(is_signed_in(&mut person), !says_yes);
    }
}

#[test]
fn a_page_is_answered_once_within_ten_minutes_and_by_nobody_else() {
    let mut person = Person::new();
    person.sign_in(&[]);
    let first = asked(&end_session(&mut person, &[]));
    for guessed in ["", "guessed"] {
        is_refused(&answer(&mut person, guessed, true));
    }
    assert_eq!(answer(&mut person, &first, false).status, 200);
    is_refused(&answer(&mut person, &first, true));
    let second = asked(&end_session(&mut person, &[]));
    person.now += 601;
    is_refused(&answer(&mut person, &second, true));
    // A page of the sign-in is another page.
    let page = person.authorize(&[("prompt", "login")]);
    is_refused(&answer(&mut person, &form_value(&text(&page)), true));
    assert!(is_signed_in(&mut person));

    let third = asked(&end_session(&mut person, &[]));
    let page = person.authorize(&[("prompt", "login")]);
    person.answer(page, "bob");
    is_refused(&answer(&mut person, &third, true));
    assert!(is_signed_in(&mut person));
    // Meanwhile signed out in another tab.
    let [fourth, fifth] = [(); 2].map(|()| asked(&end_session(&mut person, &[])));
    assert_eq!(answer(&mut person, &fourth, true).status, 200);
    assert!(text(&answer(&mut person, &fifth, false)).contains("You are signed out"));
}

#[test]
fn what_is_no_id_token_of_whoever_is_signed_in_is_no_hint() {
    let mut person = Person::new();
    let of_alice = id_token(&mut person, &[]);
    let (signed, signature) = of_alice.rsplit_once('.').expect("a signature");
    let payload = signed.split_once('.').expect("claims").1;
    let unsigned = format!("eyJhbGciOiJub25lIn0.{payload}.");
    let user_info = {
        person.sandbox.state.switches = Switches::on(["userinfo-signed"]).expect("it exists");
        let access_token = person.tokens(&[])["access_token"].as_str().expect("a token").to_owned();
        text(&person.call("GET", "userinfo", &access_token, ""))
    };
    let mut wrong = vec![
        "nonsense".to_owned(),
        unsigned,
        user_info,
        format!("{signed}.{}", "A".repeat(signature.len())),
        format!("{signed}x.{signature}"),
    ];
    // Among them RS256, which the platform verifies for nobody.
    for name in [
        "id-token-signature-wrong",
        "id-token-iss-wrong",
        "id-token-aud-second",
        "id-token-sub-missing",
        "id-token-exp-missing",
        "id-token-rs256",
    ] {
        person.sandbox.state.switches = Switches::on([name]).expect("it exists");
        wrong.push(id_token(&mut person, &[]));
    }
    for hint in &wrong {
        asked(&end_session(&mut person, &[("id_token_hint", hint), ("client_id", "workbench")]));
        // It does not say either which client asks.
        is_refused(&end_session(&mut person, &[("id_token_hint", hint), ("post_logout_redirect_uri", BASE)]));
    }
    let page = person.authorize(&[("prompt", "login")]);
    person.answer(page, "bob");
    asked(&end_session(&mut person, &[("id_token_hint", &of_alice)]));
    assert!(is_signed_in(&mut person));
}

#[test]
fn sends_nobody_to_an_address_that_is_not_registered() {
    let mut person = Person::new();
    let hint = id_token(&mut person, &[]);
    for address in [
        "https://evil.example/",
        "https://app.example",
        "https://app.example/signed-out/",
        "https://app.example/signed-out?a=b",
        "https://app.example/callback",
        "signed-out",
    ] {
        for client in [("id_token_hint", hint.as_str()), ("client_id", "workbench")] {
            is_refused(&end_session(&mut person, &[client, ("post_logout_redirect_uri", address)]));
        }
    }
    // Registered, and nobody knows for whom; or by nobody.
    is_refused(&end_session(&mut person, &[("post_logout_redirect_uri", BASE)]));
    is_refused(&end_session(&mut person, &[("client_id", "nobody")]));
    // RP-Initiated Logout §2: the two must agree.
    is_refused(&end_session(&mut person, &[("id_token_hint", &hint), ("client_id", "minimal")]));
    let twice = person.get(&format!("{ISSUER}end_session?state=a&state=b"));
    is_refused(&twice);
    let no_form = person.request("POST", &format!("{ISSUER}end_session"), &[("content-type", "text/plain")], "a=b");
    is_refused(&no_form);
    assert!(is_signed_in(&mut person));
}

#[test]
fn who_has_nowhere_to_go_is_told_how_it_stands() {
    let mut person = Person::new();
    let hint = id_token(&mut person, &[]);
    let page = end_session(&mut person, &[("state", "of no use")]);
    assert!(!text(&page).contains("asks you to"));
    let form_value = asked(&page);
    let stays = text(&answer(&mut person, &form_value, false));
    assert!(stays.contains("<h1>You are still signed in</h1>") && stays.contains("href=\"https://app.example/\""));
    let response = end_session(&mut person, &[("id_token_hint", &hint)]);
    assert_eq!((response.status, header(&response, "location")), (200, None));
    assert!(text(&response).contains("<h1>You are signed out</h1>"));
    assert!(!is_signed_in(&mut person));
    // Nobody is there who could be asked.
    assert!(text(&end_session(&mut person, &[])).contains("<h1>You are signed out</h1>"));
    let parameters = [("client_id", "minimal"), ("post_logout_redirect_uri", SIGNED_OUT)];
    assert_eq!(location(&end_session(&mut person, &parameters)), SIGNED_OUT);
}

#[test]
fn a_page_runs_nothing_and_asks_again_and_again_without_filling_the_memory() {
    let mut person = Person::new();
    person.sign_in(&[]);
    let response = end_session(&mut person, &[("client_id", "workbench"), ("state", "\"><script>")]);
    assert!(!text(&response).contains("<script"));
    let policy = header(&response, "content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    for _ in 0..500 {
        let parameters = [("client_id", "workbench"), ("post_logout_redirect_uri", BASE), ("state", "x")];
        asked(&end_session(&mut person, &parameters));
    }
    let length = person.sandbox.state.encode().to_text().len();
    assert!(length < 32 * 1024, "{length} octets");
}

#[test]
fn the_endpoint_is_announced_where_it_is() {
    let metadata = |person: &mut Person| json(&person.get(&format!("{ISSUER}.well-known/openid-configuration")));
    assert_eq!(metadata(&mut Person::new())["end_session_endpoint"], format!("{ISSUER}end_session"));
    let mut person = Person::with(&["end-session-missing"]);
    let hint = id_token(&mut person, &[]);
    assert!(metadata(&mut person).get("end_session_endpoint").is_none());
    assert_eq!(end_session(&mut person, &[("id_token_hint", &hint)]).status, 404);
    assert_eq!(person.post(&format!("{ISSUER}end_session"), &[("id_token_hint", &hint)]).status, 404);
    assert!(is_signed_in(&mut person));
    let put = Person::new().request("PUT", &format!("{ISSUER}end_session"), &[], "");
    assert_eq!((put.status, header(&put, "allow")), (405, Some("GET, POST")));
    assert_eq!(Person::new().get(&format!("{ISSUER}sign-out")).status, 405);
}

#[test]
fn state_comes_back_changed_or_not_at_all() {
    for (name, with_state) in [
        ("logout-state-wrong", "https://app.example/signed-out?state=af0ifjsldkjx"),
        ("logout-state-missing", SIGNED_OUT),
    ] {
        let mut person = Person::with(&[name]);
        for (state, expected) in [("af0ifjsldkj", with_state), ("", SIGNED_OUT)] {
            let hint = id_token(&mut person, &[]);
            let parameters = [("id_token_hint", &*hint), ("post_logout_redirect_uri", SIGNED_OUT), ("state", state)];
            assert_eq!(location(&end_session(&mut person, &parameters)), expected, "{name}");
        }
    }
}

/// The server knows who is there, and says so to whoever asks with a page.
#[test]
fn nobody_is_found_in_silence_though_somebody_is_signed_in() {
    let mut person = Person::new();
    person.sign_in(&[]);
    assert!(is_signed_in(&mut person));
    person.sandbox.state.switches = Switches::on(["login-required-always"]).expect("it exists");
    assert!(!is_signed_in(&mut person));
    assert!(value(&redirected(&person.authorize(&[])), "code").is_some());
    person.sandbox.state.switches = Switches::default();
    assert!(is_signed_in(&mut person));
}

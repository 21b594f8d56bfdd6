//! The client modules of the OpenID Foundation's conformance suite, each as a test of its name, against the sandbox's
//! misbehaviours: those of OpenID Connect for a public client with the code flow, and those of FAPI 2 that go further.
//!
//! [`MODULES`] is the whole list, with the reason for each that is not here. Where a module waits for a request that must not
//! come, the world here has nothing left that could happen.

use leptos_pkce::protocol::challenge::{Denial, TokenScheme};
use leptos_pkce::protocol::client::ClientSettings;
use leptos_pkce::protocol::end_session::SignOutReturn;
use leptos_pkce::protocol::flow::{SessionEvent, UserInfoActivity};
use leptos_pkce::protocol::form;
use leptos_pkce::sandbox::switches::Switches;

use crate::conformance_modules::MODULES;
use crate::person::{BASE, ISSUER, Person, value};
use crate::world::{CALM, World, lasting, settings, signed_in};

/// The functions of this file are the modules of the list without a reason, no more and no fewer, and in their order.
#[test]
fn each_module_is_here_or_has_a_reason() {
    let lines = include_str!("conformance.rs").lines().collect::<Vec<_>>();
    let tests = lines.windows(2).filter(|pair| pair[0] == "#[test]");
    let names = tests.filter_map(|pair| pair[1].strip_prefix("fn ")?.strip_suffix("() {"));
    let here: Vec<&str> = names.filter(|name| name.starts_with("oidcc_") || name.starts_with("fapi2_")).collect();
    let listed = MODULES.iter().filter(|(_, reason)| reason.is_none()).map(|(name, _)| name.replace('-', "_"));
    assert_eq!(here, listed.collect::<Vec<_>>());
}

/// What goes wrong before a code is of any use.
const BEFORE_THE_CODE: [&str; 4] = ["metadata.", "request.", "push.", "callback."];

/// A sign-in at a server that misbehaves in these ways.
fn world(switches: &[&'static str]) -> World {
    let mut world = World::new(Person::with(switches), CALM, "session");
    world.click_sign_in();
    world.settle();
    world
}

/// The sign-in succeeds, every check of the ID token is there and none failed, and the user info is about the same person.
#[track_caller]
fn accepts(switches: &[&'static str]) -> World {
    let mut world = world(switches);
    assert_eq!(world.error_code(), None);
    assert!(world.is_signed_in());
    let session = world.flow().session(&world.key()).expect("a session");
    assert_eq!(session.id_token().expect("an ID token").checks().len(), 17);
    world.ask_userinfo();
    world.settle();
    let session = world.flow().session(&world.key()).expect("a session");
    assert_eq!(session.userinfo().map(|claims| claims.sub()), session.claims().map(|claims| claims.sub()));
    world
}

/// The sign-in fails with this code, nobody is signed in, nothing is asked afterwards; and where the answer itself is refused
/// its code goes nowhere.
#[track_caller]
fn stops(switches: &[&'static str], code: &str) {
    let mut world = world(switches);
    assert_eq!(world.error_code(), Some(code));
    assert!(!world.is_signed_in());
    let is_early = BEFORE_THE_CODE.iter().any(|stage| code.starts_with(stage));
    assert_eq!((world.codes_sent.len(), count(&world, "/token")), if is_early { (0, 0) } else { (1, 1) });
    // With metadata that cannot be believed nobody goes anywhere.
    assert_eq!(world.departures, u32::from(!code.starts_with("metadata.")));
    world.ask_userinfo();
    world.call_api();
    world.settle();
    let asked = |path: &str| world.asked.iter().any(|url| url.contains(path));
    assert!(!asked("userinfo") && !asked("api/"), "{:?}", world.asked);
}

/// The session is there, and the user info is not used.
#[track_caller]
fn drops_userinfo(switches: &[&'static str], code: &str) {
    let mut world = world(switches);
    world.ask_userinfo();
    world.settle();
    let UserInfoActivity::Failed(error) = world.flow().userinfo(&world.key()) else { panic!("it was used") };
    assert_eq!(error.code(), code);
    assert!(world.flow().session(&world.key()).is_some_and(|session| session.userinfo().is_none()));
}

fn count(world: &World, path: &str) -> usize {
    world.asked.iter().filter(|url| url.ends_with(path)).count()
}

// OpenID Connect: oidcc-client-…

#[test]
fn oidcc_client_test() {
    let world = accepts(&[]);
    // One code, one token request, one look at the keys.
    assert_eq!((world.codes_sent.len(), count(&world, "/token"), count(&world, "/jwks")), (1, 1, 1));
}

/// IDT-1: the ID token names another issuer.
#[test]
fn oidcc_client_test_invalid_iss() {
    stops(&["id-token-iss-wrong"], "id_token.iss");
}

/// IDT-7: nobody is named.
#[test]
fn oidcc_client_test_missing_sub() {
    stops(&["id-token-sub-missing"], "id_token.sub");
}

/// IDT-2: the token is for another client.
#[test]
fn oidcc_client_test_invalid_aud() {
    stops(&["id-token-aud-wrong"], "id_token.aud");
}

/// IDT-2: the token is for nobody.
#[test]
fn oidcc_client_test_missing_aud() {
    stops(&["id-token-aud-missing"], "id_token.aud");
}

/// IDT-5: it is not said when it was issued.
#[test]
fn oidcc_client_test_missing_iat() {
    stops(&["id-token-iat-missing"], "id_token.iat");
}

/// JOSE-12: without kid the only key is tried.
#[test]
fn oidcc_client_test_kid_absent_single_jwks() {
    accepts(&["kid-missing", "id-token-rs256"]);
}

/// JOSE-12: without kid each of a few keys is tried.
#[test]
fn oidcc_client_test_kid_absent_multiple_jwks() {
    accepts(&["kid-missing-several", "id-token-rs256"]);
}

#[test]
fn oidcc_client_test_idtoken_sig_rs256() {
    accepts(&["id-token-rs256"]);
}

/// JOSE-1: no signature is not accepted though TLS vouches for the answer.
#[test]
fn oidcc_client_test_idtoken_sig_none() {
    stops(&["id-token-alg-none"], "id_token.alg");
}

/// IDT-11: a broken signature is found, not skipped.
#[test]
fn oidcc_client_test_invalid_sig_rs256() {
    stops(&["id-token-rs256", "id-token-signature-wrong"], "id_token.signature");
}

/// IDT-11: the same with ES256.
#[test]
fn oidcc_client_test_invalid_sig_es256() {
    stops(&["id-token-signature-wrong"], "id_token.signature");
}

/// RS-4: user info about somebody else is dropped.
#[test]
fn oidcc_client_test_userinfo_invalid_sub() {
    drops_userinfo(&["userinfo-sub-wrong"], "userinfo.sub_mismatch");
}

/// IDT-8: the token answers another request.
#[test]
fn oidcc_client_test_nonce_invalid() {
    stops(&["id-token-nonce-wrong"], "id_token.nonce");
}

/// The claims of the scopes that were asked for arrive.
#[test]
fn oidcc_client_test_scope_userinfo_claims() {
    let scope = Some("openid profile email".to_owned());
    let mut world = World::of(Person::new(), CALM, ClientSettings { scope, ..settings() });
    world.click_sign_in();
    world.settle();
    world.ask_userinfo();
    world.settle();
    let session = world.flow().session(&world.key()).expect("a session");
    let claims = session.userinfo().expect("user info");
    assert!(claims.name().is_some() && claims.email().is_some() && claims.email_verified() == Some(true));
}

/// RS-1: the token is in the header; the sandbox takes it from nowhere else.
#[test]
fn oidcc_client_test_userinfo_bearer_header() {
    let world = accepts(&[]);
    assert!(world.asked.iter().all(|url| !url.contains("access_token")));
}

/// RS-5: signed user info is verified and used; with a broken signature it is not.
#[test]
fn oidcc_client_test_userinfo_signed() {
    accepts(&["userinfo-signed"]);
    accepts(&["userinfo-signed", "id-token-rs256"]);
    drops_userinfo(&["userinfo-signed-wrong"], "userinfo.signature");
}

/// RS-6: other sources of claims are data.
#[test]
fn oidcc_client_test_aggregated_claims() {
    accepts(&["userinfo-claim-sources"]);
}

/// RS-6: and nothing is fetched for them.
#[test]
fn oidcc_client_test_distributed_claims() {
    let world = accepts(&["userinfo-claim-sources"]);
    let known = ["openid-configuration", "/jwks", "/token", "/userinfo"];
    assert!(world.asked.iter().all(|url| known.iter().any(|path| url.ends_with(path))), "{:?}", world.asked);
}

/// REF-1: each refresh sends the token that came last, and the new access token is the one that is used.
#[test]
fn oidcc_client_test_refresh_token() {
    let mut world = signed_in(lasting(), &[]);
    let mut tokens = vec![world.access_token()];
    for _ in 0..3 {
        world.renew();
        world.pass(2);
        world.ask_userinfo();
        world.pass(2);
        let session = world.flow().session(&world.key()).expect("a session");
        assert_eq!(session.userinfo().map(|claims| claims.sub()), session.claims().map(|claims| claims.sub()));
        tokens.push(world.access_token());
    }
    let sent: Vec<_> = world.presented.iter().map(|it| it.token.clone()).collect();
    for mut all in [sent, tokens] {
        let count = all.len();
        all.sort();
        all.dedup();
        assert!(count >= 3 && all.len() == count, "each once");
    }
    // The server takes none of before, and that they would be presented is how it knows a thief.
    assert!(world.presented.iter().all(|it| it.status == Some(200)));
}

/// A refresh is answered with an ID token that is wrong: nothing of the answer is used, the session is over, nothing is asked.
#[track_caller]
fn discards(switch: &'static str, code: &str) {
    let mut world = signed_in(lasting(), &[switch]);
    let before = world.asked.len();
    world.renew();
    world.pass(400);
    world.ask_userinfo();
    world.call_api();
    world.settle();
    assert!(!world.is_signed_in());
    assert_eq!(world.end_code(), Some(code));
    let [SessionEvent::Expired(error)] = &world.take_announced()[..] else { panic!("one event") };
    assert_eq!(error.code(), code);
    let asked = world.asked[before..].iter().filter(|url| !url.ends_with("/jwks"));
    assert_eq!(asked.collect::<Vec<_>>(), [&format!("{ISSUER}token")]);
}

/// REF-4: the renewed ID token names another issuer.
#[test]
fn oidcc_client_test_refresh_token_invalid_issuer() {
    discards("refresh-id-token-iss-wrong", "id_token.iss");
}

/// REF-4, A26: the renewed ID token is about somebody else.
#[test]
fn oidcc_client_test_refresh_token_invalid_sub() {
    discards("refresh-id-token-sub-wrong", "id_token.sub");
}

/// CFG-8
#[test]
fn oidcc_client_test_discovery_openid_config() {
    let world = accepts(&[]);
    assert_eq!(world.asked[0], format!("{ISSUER}.well-known/openid-configuration"));
}

/// JOSE-11: the keys come from where the metadata says, after the metadata, and from nowhere else.
#[test]
fn oidcc_client_test_discovery_jwks_uri_keys() {
    for (switches, jwks_uri) in [(&[][..], "jwks"), (&["jwks-uri-elsewhere"], "jwks/elsewhere")] {
        let world = accepts(switches);
        let asked: Vec<_> =
            world.asked.iter().filter(|url| url.contains("jwks") || url.contains("well-known")).collect();
        let [metadata, keys] = asked.as_slice() else { panic!("{asked:?}") };
        assert!(metadata.ends_with("openid-configuration"), "{metadata}");
        assert_eq!(**keys, format!("{ISSUER}{jwks_uri}"));
    }
}

/// CFG-7: the metadata of another issuer sends nobody anywhere.
#[test]
fn oidcc_client_test_discovery_issuer_mismatch() {
    stops(&["metadata-issuer-wrong"], "metadata.issuer_mismatch");
}

/// JOSE-13: the keys change between two sign-ins of one tab.
#[test]
fn oidcc_client_test_signing_key_rotation() {
    let mut world = accepts(&[]);
    world.sign_out();
    world.person.sandbox.state.switches = Switches::on(["keys-rotated"]).expect("it exists");
    world.click_sign_in();
    world.settle();
    assert_eq!((world.error_code(), world.is_signed_in()), (None, true));
}

/// JOSE-13: the keys change after the client has seen them and before the ID token is signed.
#[test]
fn oidcc_client_test_signing_key_rotation_just_before_signing() {
    let world = accepts(&["keys-rotated"]);
    assert_eq!(count(&world, "/jwks"), 2);
}

/// Signs out at a server that then misbehaves in these ways; the parameters of the address that the person goes to.
#[track_caller]
fn signs_out(switches: &[&'static str]) -> (World, Vec<(String, String)>) {
    let post_logout_redirect_uri = Some(format!("{BASE}signed-out"));
    let settings = ClientSettings { post_logout_redirect_uri, id_token_hint: true, ..lasting() };
    let mut world = signed_in(settings, switches);
    world.sign_out_at_server();
    assert!(!world.is_signed_in(), "here at once");
    world.settle();
    assert_eq!(world.take_announced(), [SessionEvent::SignedOut]);
    let url = world.left_for.pop().expect("somebody left");
    assert_eq!(url.without_query(), format!("{ISSUER}end_session"));
    // Nobody is signed in there any more.
    let answer = world.person.sign_in(&[("prompt", "none")]);
    assert_eq!(value(&answer, "error").as_deref(), Some("login_required"));
    // And coming back is no sign-in, and no error.
    assert!(!world.is_signed_in());
    assert_eq!(world.error_code(), None);
    (world, form::decode(url.query().expect("a query")).expect("parameters"))
}

/// OUT-4: the hint, the address that is registered, and a state that comes back and is another one each time.
#[test]
fn oidcc_client_test_rp_init_logout() {
    let (mut world, parameters) = signs_out(&[]);
    let names: Vec<_> = parameters.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["id_token_hint", "post_logout_redirect_uri", "state"]);
    assert_eq!(parameters[1].1, format!("{BASE}signed-out"));
    assert_eq!(world.flow().sign_out_return(), Some(SignOutReturn::Confirmed));
    world.click_sign_in();
    world.settle();
    world.sign_out_at_server();
    world.settle();
    let url = world.left_for.pop().expect("somebody left");
    let state = value(&form::decode(url.query().expect("a query")).expect("parameters"), "state");
    assert!(state.is_some_and(|state| state.len() == 43 && state != parameters[2].1));
    assert_eq!(world.flow().sign_out_return(), Some(SignOutReturn::Confirmed));
}

/// OUT-5: another state comes back, which changes nothing.
#[test]
fn oidcc_client_test_rp_init_logout_other_state() {
    let (mut world, _) = signs_out(&["logout-state-wrong"]);
    assert_eq!(world.flow().sign_out_return(), Some(SignOutReturn::Unconfirmed));
    world.click_sign_in();
    world.settle();
    assert!(world.is_signed_in());
}

/// OUT-5: none comes back, which changes nothing.
#[test]
fn oidcc_client_test_rp_init_logout_no_state() {
    let (mut world, _) = signs_out(&["logout-state-missing"]);
    assert_eq!(world.flow().sign_out_return(), Some(SignOutReturn::Unconfirmed));
    world.click_sign_in();
    world.settle();
    assert!(world.is_signed_in());
}

// FAPI 2 Security Profile: fapi2-security-profile-final-client-test-…

/// CB-1
#[test]
fn fapi2_ensure_authorization_response_with_invalid_state_fails() {
    stops(&["state-wrong"], "callback.unknown_state");
}

/// CB-1
#[test]
fn fapi2_ensure_authorization_response_with_invalid_missing_state_fails() {
    stops(&["state-missing"], "callback.unknown_state");
}

/// CB-6
#[test]
fn fapi2_invalid_authorization_response_iss() {
    stops(&["iss-wrong"], "callback.issuer_mismatch");
}

/// CB-6
#[test]
fn fapi2_remove_authorization_response_iss() {
    stops(&["iss-missing"], "callback.missing_issuer");
}

/// IDT-4: expired for longer than any tolerance.
#[test]
fn fapi2_invalid_expired_exp() {
    stops(&["id-token-expired"], "id_token.exp");
}

/// IDT-4
#[test]
fn fapi2_invalid_missing_exp() {
    stops(&["id-token-exp-missing"], "id_token.exp");
}

/// IDT-1
#[test]
fn fapi2_invalid_missing_iss() {
    stops(&["id-token-iss-missing"], "id_token.iss");
}

/// IDT-2
#[test]
fn fapi2_invalid_missing_aud() {
    stops(&["id-token-aud-missing"], "id_token.aud");
}

/// IDT-8
#[test]
fn fapi2_invalid_missing_nonce() {
    stops(&["id-token-nonce-missing"], "id_token.nonce");
}

/// IDT-8
#[test]
fn fapi2_invalid_nonce() {
    stops(&["id-token-nonce-wrong"], "id_token.nonce");
}

/// JOSE-1
#[test]
fn fapi2_invalid_null_alg() {
    stops(&["id-token-alg-none"], "id_token.alg");
}

/// JOSE-1: a right signature by an algorithm that the server does not list.
#[test]
fn fapi2_invalid_alternate_alg() {
    stops(&["id-token-alg-unlisted"], "id_token.alg");
}

/// IDT-2: a second audience that nobody trusts.
#[test]
fn fapi2_invalid_secondary_aud() {
    stops(&["id-token-aud-second"], "id_token.aud");
}

/// IDT-2
#[test]
fn fapi2_valid_aud_as_array() {
    accepts(&["id-token-aud-array"]);
}

/// TOK-6
#[test]
fn fapi2_token_type_case_insensitivity() {
    accepts(&["token-type-odd-case"]);
}

/// TOK-8
#[test]
fn fapi2_token_endpoint_response_without_expires_in() {
    let world = accepts(&["token-without-expires-in"]);
    let session = world.flow().session(&world.key()).expect("a session");
    assert_eq!(session.expires_at(), None);
}

fn bound(switches: &[&'static str]) -> World {
    let settings = ClientSettings { dpop: true, ..settings() };
    let mut world = World::of(Person::with(switches), CALM, settings);
    world.click_sign_in();
    world.settle();
    assert_eq!((world.error_code(), world.is_signed_in()), (None, true));
    world
}

/// DP-3, DP-4: the API's challenge names the scheme in odd casing, and the call is repeated with the nonce that it brings.
#[test]
fn fapi2_rs_dpop_auth_scheme_case_insensitivity() {
    // Nonces are kept by origin, and this API shares its own with the server: so the switches come after the sign-in.
    let mut world = bound(&[]);
    world.person.sandbox.state.switches = Switches::on(["dpop-nonce", "dpop-scheme-odd-case"]).expect("they exist");
    world.call_api();
    world.settle();
    assert!(matches!(world.answered.pop(), Some(Ok(response)) if response.status == 200));
    assert_eq!(count(&world, "/api/photos"), 2);
    // What such a challenge looks like, where no nonce helps.
    world.person.sandbox.state.switches = Switches::on(["api-401", "dpop-scheme-odd-case"]).expect("they exist");
    world.call_api();
    world.settle();
    let Some(Ok(response)) = world.answered.pop() else { panic!("an answer") };
    let challenge = response.header("www-authenticate").expect("a challenge");
    assert!(challenge.starts_with("dPoP "), "{challenge}");
    let denial = Denial::of(&response).expect("a denial");
    assert_eq!(denial.schemes, [TokenScheme::Dpop]);
}

/// DP-4: a server without nonces, and one with them.
#[test]
fn fapi2_happy_path_no_dpop_nonce() {
    for switches in [&[][..], &["dpop-nonce"][..]] {
        let mut world = bound(switches);
        world.call_api();
        world.settle();
        assert!(matches!(world.answered.pop(), Some(Ok(response)) if response.status == 200));
    }
}

/// RS-7, RS-12: an API says that the token is invalid: one refresh, one repeat, and then that is the answer.
#[test]
fn fapi2_refresh_token_test() {
    let mut world = signed_in(lasting(), &["api-401"]);
    world.call_api();
    world.settle();
    assert!(matches!(&world.answered[..], [Ok(response)] if response.status == 401));
    assert_eq!((count(&world, "/api/photos"), world.presented.len()), (2, 1));
    assert_eq!((world.take_announced(), world.is_signed_in()), (vec![SessionEvent::Renewed], true));
    // The same with a token that is revoked, where the repeat helps.
    world.switch(&[]);
    world.pass(2);
    let revoked = [("client_id", "workbench"), ("token", &world.access_token())];
    assert_eq!(world.person.post(&format!("{ISSUER}revoke"), &revoked).status, 200);
    world.call_api();
    world.settle();
    assert!(matches!(&world.answered[1..], [Ok(response)] if response.status == 200));
    assert_eq!((count(&world, "/api/photos"), world.presented.len()), (4, 2));
}

/// CFG-7: the same as the module of OpenID Connect, and the person is sent nowhere.
#[test]
fn fapi2_discovery_issuer_mismatch() {
    stops(&["metadata-issuer-wrong"], "metadata.issuer_mismatch");
}

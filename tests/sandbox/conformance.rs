//! The client modules of the OpenID Foundation's conformance suite, each as a test of its name, against the sandbox's
//! misbehaviours: those of OpenID Connect for a public client with the code flow, and those of FAPI 2 that go further.
//!
//! [`MODULES`] is the whole list, with the reason for each that is not here. Where a module waits for a request that must not
//! come, the world here has nothing left that could happen.

use leptos_pkce::protocol::challenge::{Denial, TokenScheme};
use leptos_pkce::protocol::client::ClientSettings;
use leptos_pkce::protocol::flow::UserInfoActivity;
use leptos_pkce::sandbox::switches::Switches;

use crate::person::{ISSUER, Person};
use crate::world::{Network, World, settings};

const CALM: Network = Network { latency: 0, loss: 0 };

/// No such client can be configured.
const NO_SECRET: Option<&str> = Some("a client without a secret has none to authenticate with");
/// It is asked for by code, and by nothing else.
const CODE_FLOW: Option<&str> =
    Some("the code flow answers in the query, and gives the ID token at the token endpoint");
/// The client is registered by people, and its server named by its issuer.
const REGISTERED: Option<&str> = Some("the client is registered beforehand, at an issuer that it knows");
/// Parameters stand in the request, or are pushed.
const NO_REQUEST_OBJECTS: Option<&str> =
    Some("no request objects are made, and a page has no address to offer them at");
/// Channels that files on a host do not have.
const STATIC: Option<&str> =
    Some("a page of static files is asked by no server, and sees no other site's storage in a frame");
const REFRESH: Option<&str> = Some("not yet: refresh tokens");
const LOGOUT: Option<&str> = Some("not yet: sign-out at the server");

/// The suite's client modules for the code flow and what a public client meets, each with the reason why it is not here.
/// The functions below are called as the modules are, with underscores; those of FAPI 2 are called
/// `fapi2-security-profile-final-client-test-…` in the suite.
const MODULES: [(&str, Option<&str>); 69] = [
    ("oidcc-client-test", None),
    ("oidcc-client-test-invalid-iss", None),
    ("oidcc-client-test-missing-sub", None),
    ("oidcc-client-test-invalid-aud", None),
    ("oidcc-client-test-missing-aud", None),
    ("oidcc-client-test-missing-iat", None),
    ("oidcc-client-test-kid-absent-single-jwks", None),
    ("oidcc-client-test-kid-absent-multiple-jwks", None),
    ("oidcc-client-test-idtoken-sig-rs256", None),
    ("oidcc-client-test-idtoken-sig-none", None),
    ("oidcc-client-test-invalid-sig-rs256", None),
    ("oidcc-client-test-invalid-sig-es256", None),
    ("oidcc-client-test-invalid-sig-hs256", NO_SECRET),
    ("oidcc-client-test-userinfo-invalid-sub", None),
    ("oidcc-client-test-nonce-invalid", None),
    ("oidcc-client-test-scope-userinfo-claims", None),
    ("oidcc-client-test-client-secret-basic", NO_SECRET),
    ("oidcc-client-test-userinfo-bearer-header", None),
    ("oidcc-client-test-userinfo-bearer-body", Some("RS-1: the token is in the header and nowhere else")),
    ("oidcc-client-test-userinfo-signed", None),
    ("oidcc-client-test-aggregated-claims", None),
    ("oidcc-client-test-distributed-claims", None),
    ("oidcc-client-test-refresh-token", REFRESH),
    ("oidcc-client-test-refresh-token-invalid-issuer", REFRESH),
    ("oidcc-client-test-refresh-token-invalid-sub", REFRESH),
    ("oidcc-client-test-discovery-openid-config", None),
    ("oidcc-client-test-discovery-jwks-uri-keys", None),
    ("oidcc-client-test-discovery-issuer-mismatch", None),
    ("oidcc-client-test-signing-key-rotation", None),
    ("oidcc-client-test-signing-key-rotation-just-before-signing", None),
    ("oidcc-client-test-discovery-webfinger-acct", REGISTERED),
    ("oidcc-client-test-discovery-webfinger-url", REGISTERED),
    ("oidcc-client-test-dynamic-registration", REGISTERED),
    ("oidcc-client-test-request-uri-signed-rs256", NO_REQUEST_OBJECTS),
    ("oidcc-client-test-request-uri-signed-none", NO_REQUEST_OBJECTS),
    ("oidcc-client-test-mtls-endpoint-aliases", NO_SECRET),
    ("oidcc-client-test-form-post-error", CODE_FLOW),
    ("oidcc-client-test-missing-athash", CODE_FLOW),
    ("oidcc-client-test-invalid-athash", CODE_FLOW),
    ("oidcc-client-test-invalid-chash", CODE_FLOW),
    ("oidcc-client-test-nonce-unless-code-flow", CODE_FLOW),
    ("oidcc-client-test-rp-init-logout", LOGOUT),
    ("oidcc-client-test-rp-init-logout-other-state", LOGOUT),
    ("oidcc-client-test-rp-init-logout-no-state", LOGOUT),
    ("oidcc-client-test-rp-frontchannel-rpinitlogout", STATIC),
    ("oidcc-client-test-rp-frontchannel-opinitlogout", STATIC),
    ("oidcc-client-test-session-management", STATIC),
    ("oidcc-client-test-rp-backchannel", STATIC),
    (
        "oidcc-client-test-3rd-party-init-login",
        // AUT-17, a SHOULD for those who offer it; a plan of its own in the suite.
        Some("no initiate_login_uri is offered, so nobody but the person in front of the page begins a sign-in"),
    ),
    ("fapi2-ensure-authorization-response-with-invalid-state-fails", None),
    ("fapi2-ensure-authorization-response-with-invalid-missing-state-fails", None),
    ("fapi2-invalid-authorization-response-iss", None),
    ("fapi2-remove-authorization-response-iss", None),
    ("fapi2-invalid-expired-exp", None),
    ("fapi2-invalid-missing-exp", None),
    ("fapi2-invalid-missing-iss", None),
    ("fapi2-invalid-missing-aud", None),
    ("fapi2-invalid-missing-nonce", None),
    ("fapi2-invalid-nonce", None),
    ("fapi2-invalid-null-alg", None),
    ("fapi2-invalid-alternate-alg", None),
    ("fapi2-invalid-secondary-aud", None),
    ("fapi2-valid-aud-as-array", None),
    ("fapi2-token-type-case-insensitivity", None),
    ("fapi2-token-endpoint-response-without-expires_in", None),
    ("fapi2-rs-dpop-auth-scheme-case-insensitivity", None),
    ("fapi2-happy-path-no-dpop-nonce", None),
    ("fapi2-refresh-token-test", REFRESH),
    ("fapi2-discovery-issuer-mismatch", None),
];

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

/// CFG-7: the same as the module of OpenID Connect, and the person is sent nowhere.
#[test]
fn fapi2_discovery_issuer_mismatch() {
    stops(&["metadata-issuer-wrong"], "metadata.issuer_mismatch");
}

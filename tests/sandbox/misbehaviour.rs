//! Each misbehaviour against the real client: what was refused, where, with which code; or what was survived.

use leptos_pkce::protocol::client::ClientSettings;
use leptos_pkce::protocol::flow::UserInfoActivity;
use leptos_pkce::sandbox::switches::ALL;

use crate::person::Person;
use crate::world::{Network, World, settings};

const CALM: Network = Network { latency: 0, loss: 0 };

/// Signs in at a server that misbehaves so, as a client that asks for this.
fn sign_in(switch: &'static str, asked: Asked) -> World {
    let settings = match asked {
        Asked::Nothing | Asked::UserInfo => settings(),
        Asked::MaxAge => ClientSettings { max_age: Some(300), ..settings() },
        Asked::AcrValues => ClientSettings { acr_values: Some("urn:sandbox:acr:otp".to_owned()), ..settings() },
        Asked::PushedRequest => ClientSettings { pushed_authorization_requests: true, ..settings() },
        Asked::Dpop => ClientSettings { dpop: true, ..settings() },
    };
    let mut world = World::of(Person::with(&[switch]), CALM, settings);
    world.click_sign_in();
    world.settle();
    world
}

/// What the client makes of each; every switch has a row, in its order.
const OUTCOMES: [(&str, Outcome, Asked); 121] = {
    use Asked::*;
    use Outcome::*;
    [
        ("metadata-issuer-wrong", Refused("metadata.issuer_mismatch"), Nothing),
        ("jwks-uri-elsewhere", SignedIn, Nothing),
        ("par-required", SignedIn, PushedRequest),
        ("par-refused", Refused("push.refused"), PushedRequest),
        ("par-expired", Refused("callback.refused"), PushedRequest),
        ("iss-wrong", Refused("callback.issuer_mismatch"), Nothing),
        ("iss-missing", Refused("callback.missing_issuer"), Nothing),
        ("iss-foreign", Refused("callback.issuer_mismatch"), Nothing),
        ("state-wrong", Refused("callback.unknown_state"), Nothing),
        ("state-missing", Refused("callback.unknown_state"), Nothing),
        ("state-foreign", Refused("callback.unknown_state"), Nothing),
        ("code-swapped", Refused("token.refused"), Nothing),
        ("code-expired", Refused("token.refused"), Nothing),
        ("code-used", Refused("token.refused"), Nothing),
        ("login-required-always", SignedIn, Nothing),
        // What a server does not look at, a client cannot see.
        ("pkce-ignored", SignedIn, Nothing),
        ("token-slow", Refused("token.timeout"), Nothing),
        ("token-lost", Refused("token.unreachable"), Nothing),
        ("token-redirected", Refused("token.unreachable"), Nothing),
        ("token-html", Refused("token.html"), Nothing),
        ("token-endless", Refused("token.body_too_large"), Nothing),
        ("token-429", Refused("token.refused"), Nothing),
        ("token-without-expires-in", SignedIn, Nothing),
        ("token-type-other", Refused("token.unsupported_token_type"), Nothing),
        ("scope-narrower", SignedIn, Nothing),
        // What was granted is there to be seen; what it is good for is the API's to say.
        ("scope-wider", SignedIn, Nothing),
        ("token-type-odd-case", SignedIn, Nothing),
        // Until everything has settled down, ten seconds have passed.
        ("token-lifetime-short", Api(401), Nothing),
        ("refresh-token-missing", SignedIn, Nothing),
        // A client that asked for a bound token takes no other.
        ("token-type-dpop-asked-bearer-given", Refused("token.unsupported_token_type"), Dpop),
        ("dpop-required", SignedIn, Dpop),
        ("dpop-nonce", SignedIn, Dpop),
        ("dpop-nonce-hidden", Refused("token.nonce_hidden"), Dpop),
        // One retry with the nonce, and no more.
        ("dpop-nonce-always", Refused("token.refused"), Dpop),
        ("dpop-scheme-odd-case", SignedIn, Dpop),
        ("id-token-missing", Refused("token.missing_id_token"), Nothing),
        ("id-token-iss-wrong", Refused("id_token.iss"), Nothing),
        ("id-token-iss-missing", Refused("id_token.iss"), Nothing),
        ("id-token-aud-wrong", Refused("id_token.aud"), Nothing),
        ("id-token-aud-missing", Refused("id_token.aud"), Nothing),
        ("id-token-aud-array", SignedIn, Nothing),
        ("id-token-aud-second", Refused("id_token.aud"), Nothing),
        ("id-token-azp-wrong", Refused("id_token.azp"), Nothing),
        ("id-token-sub-missing", Refused("id_token.sub"), Nothing),
        ("id-token-iat-missing", Refused("id_token.iat"), Nothing),
        ("id-token-iat-future", Refused("id_token.iat"), Nothing),
        ("id-token-exp-missing", Refused("id_token.exp"), Nothing),
        ("id-token-expired", Refused("id_token.exp"), Nothing),
        ("id-token-nbf-future", Refused("id_token.nbf"), Nothing),
        ("id-token-nonce-wrong", Refused("id_token.nonce"), Nothing),
        ("id-token-nonce-missing", Refused("id_token.nonce"), Nothing),
        ("id-token-at-hash-wrong", Refused("id_token.at_hash"), Nothing),
        ("id-token-auth-time-old", Refused("id_token.auth_time"), MaxAge),
        ("id-token-auth-time-missing", Refused("id_token.auth_time"), MaxAge),
        ("id-token-acr-wrong", Refused("id_token.acr"), AcrValues),
        ("id-token-three-faults", Refused("id_token.iss"), Nothing),
        ("id-token-duplicate-claim", Refused("id_token.encryption"), Nothing),
        ("id-token-huge", Refused("id_token.encryption"), Nothing),
        ("id-token-rs256", SignedIn, Nothing),
        ("id-token-ps256", SignedIn, Nothing),
        ("id-token-eddsa", SignedIn, Nothing),
        ("id-token-alg-unlisted", Refused("id_token.alg"), Nothing),
        ("id-token-alg-none", Refused("id_token.alg"), Nothing),
        ("id-token-alg-hs256", Refused("id_token.alg"), Nothing),
        ("id-token-signature-wrong", Refused("id_token.signature"), Nothing),
        ("id-token-signature-zero", Refused("id_token.signature"), Nothing),
        ("id-token-signature-foreign", Refused("id_token.signature"), Nothing),
        ("id-token-header-jku", Refused("id_token.signature"), Nothing),
        ("id-token-crit", Refused("id_token.signature"), Nothing),
        ("id-token-typ-at-jwt", Refused("id_token.typ"), Nothing),
        ("id-token-encrypted", Refused("id_token.encryption"), Nothing),
        ("kid-missing", SignedIn, Nothing),
        // JOSE-12: whoever does not try each refuses; both are lawful.
        ("kid-missing-several", SignedIn, Nothing),
        ("kid-unknown", Refused("id_token.signature"), Nothing),
        ("keys-rotated", SignedIn, Nothing),
        ("keys-one-bad", SignedIn, Nothing),
        ("keys-too-many", Refused("keys.not_keys"), Nothing),
        ("keys-weak-rsa", Refused("id_token.signature"), Nothing),
        ("keys-lost", Refused("keys.unavailable"), Nothing),
        ("keys-html", Refused("keys.unavailable"), Nothing),
        ("keys-500", Refused("keys.unavailable"), Nothing),
        ("userinfo-sub-wrong", Refused("userinfo.sub_mismatch"), UserInfo),
        ("userinfo-signed", SignedIn, UserInfo),
        ("userinfo-signed-wrong", Refused("userinfo.signature"), UserInfo),
        // Whatever is in it, the world sees no request for it.
        ("userinfo-claim-sources", SignedIn, UserInfo),
        ("api-401", Api(401), Nothing),
        ("api-401-bare", Api(401), Nothing),
        ("api-403", Api(403), Nothing),
        ("api-403-bare", Api(403), Nothing),
        ("api-429", Api(429), Nothing),
        // What it does later harms no sign-in.
        ("refresh-request-lost", SignedIn, Nothing),
        ("refresh-answer-lost", SignedIn, Nothing),
        ("refresh-slow", SignedIn, Nothing),
        ("refresh-429", SignedIn, Nothing),
        ("refresh-503", SignedIn, Nothing),
        ("refresh-500", SignedIn, Nothing),
        ("refresh-html", SignedIn, Nothing),
        ("refresh-garbage", SignedIn, Nothing),
        ("refresh-redirected", SignedIn, Nothing),
        ("refresh-invalid-grant", SignedIn, Nothing),
        ("refresh-invalid-client", SignedIn, Nothing),
        ("refresh-not-rotated", SignedIn, Nothing),
        ("refresh-token-type-other", SignedIn, Nothing),
        ("refresh-scope-narrower", SignedIn, Nothing),
        ("refresh-scope-wider", SignedIn, Nothing),
        ("refresh-id-token-missing", SignedIn, Nothing),
        ("refresh-id-token-nonce", SignedIn, Nothing),
        ("refresh-id-token-nonce-wrong", SignedIn, Nothing),
        ("refresh-id-token-iss-wrong", SignedIn, Nothing),
        ("refresh-id-token-sub-wrong", SignedIn, Nothing),
        ("refresh-id-token-aud-wrong", SignedIn, Nothing),
        ("refresh-id-token-auth-time-changed", SignedIn, Nothing),
        ("refresh-id-token-signature-wrong", SignedIn, Nothing),
        ("revocation-503", SignedIn, Nothing),
        ("revocation-slow", SignedIn, Nothing),
        ("revocation-unsupported-type", SignedIn, Nothing),
        ("revocation-refused", SignedIn, Nothing),
        ("revocation-missing", SignedIn, Nothing),
        ("end-session-missing", SignedIn, Nothing),
        ("logout-state-wrong", SignedIn, Nothing),
        ("logout-state-missing", SignedIn, Nothing),
    ]
};

/// What the client must have asked for, beside what it always asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Nothing,
    /// `max_age=300`.
    MaxAge,
    /// `acr_values=urn:sandbox:acr:otp`.
    AcrValues,
    /// The user info endpoint.
    UserInfo,
    /// By a pushed request.
    PushedRequest,
    /// With proofs of possession.
    Dpop,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Refused(&'static str),
    SignedIn,
    Api(u16),
}

#[test]
fn every_misbehaviour_ends_as_it_should() {
    let names: Vec<_> = ALL.iter().map(|switch| switch.name).collect();
    assert_eq!(names, OUTCOMES.map(|(name, ..)| name), "each switch has a row, in its order");
    for (switch, expected, asked) in OUTCOMES {
        let mut world = sign_in(switch, asked);
        if asked == Asked::UserInfo {
            userinfo(&mut world, switch, expected);
            continue;
        }
        let found = match world.error_code() {
            Some(code) => Outcome::Refused(code),
            None => {
                assert!(world.is_signed_in(), "{switch}");
                world.call_api();
                world.settle();
                match world.answered.pop() {
                    Some(Ok(response)) if response.status == 200 => Outcome::SignedIn,
                    // Narrower scope: the first of what was asked for is openid, and the API asks for more.
                    Some(Ok(response)) if switch == "scope-narrower" && response.status == 403 => Outcome::SignedIn,
                    Some(Ok(response)) => Outcome::Api(response.status),
                    other => panic!("{switch}: {other:?}"),
                }
            }
        };
        assert_eq!(found, expected, "{switch}");
        // Whatever the server did, one sign-in sends one code at most, and none if the answer was refused.
        // Once more only for a server that wants a nonce in the proof, and so has not looked at it.
        let most = if asked == Asked::Dpop { 2 } else { 1 };
        assert!(
            world.codes_sent.len() <= most && world.codes_sent.iter().all(|code| *code == world.codes_sent[0]),
            "{switch}"
        );
        let sent = !matches!(expected, Outcome::Refused(code) if ["callback", "push", "metadata"].contains(&code.split('.').next().unwrap_or_default()));
        assert_eq!(world.codes_sent.is_empty(), !sent, "{switch}");
        // An answer of the API signs nobody out.
        assert_eq!(world.is_signed_in(), !matches!(expected, Outcome::Refused(_)), "{switch}");
    }
}

/// The session is there whatever becomes of the user info; what is refused of that is dropped whole.
#[track_caller]
fn userinfo(world: &mut World, switch: &str, expected: Outcome) {
    assert!(world.is_signed_in(), "{switch}");
    world.ask_userinfo();
    world.settle();
    let found = match world.flow().userinfo(&world.key()) {
        UserInfoActivity::Failed(error) => Outcome::Refused(error.code()),
        _ => Outcome::SignedIn,
    };
    assert_eq!(found, expected, "{switch}");
    let claims = world.flow().session(&world.key()).and_then(|session| session.userinfo());
    assert_eq!(claims.is_some(), expected == Outcome::SignedIn, "{switch}");
    // RS-6: what a claim points to is data.
    assert!(!world.asked.iter().any(|url| url.contains("/claims") || url.contains("foreign")), "{switch}");
}

/// TOK-9, A48: the session says what was granted, be it less or more than what was asked for.
#[test]
fn the_session_shows_what_was_granted() {
    for (switches, granted) in [
        (&[][..], "openid photos:read"),
        (&["scope-narrower"], "openid"),
        (&["scope-wider"], "openid profile email photos:read photos:write offline_access"),
    ] {
        let mut world = World::new(Person::with(switches), CALM, "session");
        world.click_sign_in();
        world.settle();
        let session = world.flow().session(&world.key()).expect("a session");
        assert_eq!(session.granted_scope().map(|scope| scope.as_str()), Some(granted), "{switches:?}");
    }
}

/// A3, A4: a server that does not look at the verifier takes a code of somebody else's request; the nonce finds it out.
#[test]
fn the_nonce_catches_a_swapped_code_where_the_verifier_is_ignored() {
    let mut world = World::new(Person::with(&["code-swapped", "pkce-ignored"]), CALM, "memory");
    world.click_sign_in();
    world.settle();
    assert_eq!((world.error_code(), world.is_signed_in()), (Some("id_token.nonce"), false));
}

#[test]
fn nothing_that_the_server_does_ends_a_session_that_is_there() {
    for switch in ALL {
        let mut world = World::new(Person::new(), CALM, "session");
        world.click_sign_in();
        world.settle();
        assert!(world.is_signed_in());
        world.person.sandbox.state.switches =
            leptos_pkce::sandbox::switches::Switches::on([switch.name]).expect("it exists");
        world.click_sign_in();
        world.settle();
        assert!(world.is_signed_in(), "{}", switch.name);
    }
}

#[test]
fn the_list_of_switches_is_an_answer_of_the_server() {
    let mut person = Person::new();
    let url = |path: &str| format!("{}{path}", crate::person::ISSUER);
    let set = person.request("PUT", &url("switches"), &[], r#"{"on":["iss-wrong","api-403"]}"#);
    let listed = crate::person::json(&person.get(&url("switches/list")));
    assert_eq!(crate::person::json(&set), listed);
    let rows = listed["switches"].as_array().expect("rows");
    assert_eq!(rows.len(), ALL.len());
    let on: Vec<_> = rows.iter().filter(|row| row["on"] == true).map(|row| row["name"].clone()).collect();
    assert_eq!(on, ["iss-wrong", "api-403"]);
    for wrong in [r#"{"on":["nonsense"]}"#, r#"{"on":"iss-wrong"}"#, "{}", "nonsense", r#"{"on":[1]}"#] {
        assert_eq!(person.request("PUT", &url("switches"), &[], wrong).status, 400, "{wrong}");
    }
    assert_eq!(person.sandbox.state.switches.names(), ["iss-wrong", "api-403"]);
}

//! Each misbehaviour against the real client: what was refused, where, with which code; or what was survived.

use leptos_pkce::sandbox::switches::ALL;

use crate::person::Person;
use crate::world::{Network, World};

const CALM: Network = Network { latency: 0, loss: 0 };

/// Signs in at a server that misbehaves so.
fn sign_in(switch: &'static str) -> World {
    let mut world = World::new(Person::with(&[switch]), CALM, "memory");
    world.click_sign_in();
    world.settle();
    world
}

/// What the client makes of each; every switch has a row here or in [`PENDING`].
const OUTCOMES: [(&str, Outcome); 24] = [
    ("iss-wrong", Outcome::Refused("callback.issuer_mismatch")),
    ("iss-missing", Outcome::Refused("callback.missing_issuer")),
    ("iss-foreign", Outcome::Refused("callback.issuer_mismatch")),
    ("state-wrong", Outcome::Refused("callback.unknown_state")),
    ("state-missing", Outcome::Refused("callback.unknown_state")),
    ("state-foreign", Outcome::Refused("callback.unknown_state")),
    ("code-swapped", Outcome::Refused("token.refused")),
    ("code-expired", Outcome::Refused("token.refused")),
    ("code-used", Outcome::Refused("token.refused")),
    // What a server does not look at, a client cannot see.
    ("pkce-ignored", Outcome::SignedIn),
    ("token-slow", Outcome::Refused("token.timeout")),
    ("token-lost", Outcome::Refused("token.unreachable")),
    ("token-redirected", Outcome::Refused("token.unreachable")),
    ("token-html", Outcome::Refused("token.html")),
    ("token-endless", Outcome::Refused("token.body_too_large")),
    ("token-429", Outcome::Refused("token.refused")),
    ("token-without-expires-in", Outcome::SignedIn),
    ("token-type-other", Outcome::Refused("token.unsupported_token_type")),
    ("scope-narrower", Outcome::SignedIn),
    ("api-401", Outcome::Api(401)),
    ("api-401-bare", Outcome::Api(401)),
    ("api-403", Outcome::Api(403)),
    ("api-403-bare", Outcome::Api(403)),
    ("api-429", Outcome::Api(429)),
];

/// What a client that verifies ID tokens makes of each, and what it must have asked for to notice. Only the names are
/// checked as yet; a row moves up when the client has learnt it.
const PENDING: [(&str, Outcome, Asked); 58] = {
    use Asked::*;
    use Outcome::*;
    [
        ("par-required", SignedIn, PushedRequest),
        // Codes of a stage that the client does not have yet: a pushed request that was refused.
        ("par-refused", Refused("par.refused"), PushedRequest),
        ("par-expired", Refused("callback.refused"), PushedRequest),
        // A client that asked for a bound token takes no other.
        ("token-type-dpop-asked-bearer-given", Refused("token.unsupported_token_type"), Dpop),
        ("dpop-required", SignedIn, Dpop),
        ("dpop-nonce", SignedIn, Dpop),
        ("dpop-nonce-hidden", Refused("token.refused"), Dpop),
        // One retry with the nonce, and no more.
        ("dpop-nonce-always", Refused("token.refused"), Dpop),
        ("id-token-missing", Refused("id_token.missing"), Nothing),
        ("id-token-iss-wrong", Refused("id_token.invalid"), Nothing),
        ("id-token-iss-missing", Refused("id_token.invalid"), Nothing),
        ("id-token-aud-wrong", Refused("id_token.invalid"), Nothing),
        ("id-token-aud-missing", Refused("id_token.invalid"), Nothing),
        ("id-token-aud-array", SignedIn, Nothing),
        ("id-token-aud-second", Refused("id_token.invalid"), Nothing),
        ("id-token-azp-wrong", Refused("id_token.invalid"), Nothing),
        ("id-token-sub-missing", Refused("id_token.invalid"), Nothing),
        ("id-token-iat-missing", Refused("id_token.invalid"), Nothing),
        ("id-token-iat-future", Refused("id_token.invalid"), Nothing),
        ("id-token-exp-missing", Refused("id_token.invalid"), Nothing),
        ("id-token-expired", Refused("id_token.invalid"), Nothing),
        ("id-token-nbf-future", Refused("id_token.invalid"), Nothing),
        ("id-token-nonce-wrong", Refused("id_token.invalid"), Nothing),
        ("id-token-nonce-missing", Refused("id_token.invalid"), Nothing),
        ("id-token-at-hash-wrong", Refused("id_token.invalid"), Nothing),
        ("id-token-auth-time-old", Refused("id_token.invalid"), MaxAge),
        ("id-token-auth-time-missing", Refused("id_token.invalid"), MaxAge),
        ("id-token-acr-wrong", Refused("id_token.invalid"), AcrValues),
        ("id-token-three-faults", Refused("id_token.invalid"), Nothing),
        ("id-token-duplicate-claim", Refused("id_token.invalid"), Nothing),
        ("id-token-huge", Refused("id_token.invalid"), Nothing),
        ("id-token-rs256", SignedIn, Nothing),
        ("id-token-ps256", SignedIn, Nothing),
        ("id-token-eddsa", SignedIn, Nothing),
        ("id-token-alg-unlisted", Refused("id_token.invalid"), Nothing),
        ("id-token-alg-none", Refused("id_token.invalid"), Nothing),
        ("id-token-alg-hs256", Refused("id_token.invalid"), Nothing),
        ("id-token-signature-wrong", Refused("id_token.invalid"), Nothing),
        ("id-token-signature-zero", Refused("id_token.invalid"), Nothing),
        ("id-token-signature-foreign", Refused("id_token.invalid"), Nothing),
        ("id-token-header-jku", Refused("id_token.invalid"), Nothing),
        ("id-token-crit", Refused("id_token.invalid"), Nothing),
        ("id-token-typ-at-jwt", Refused("id_token.invalid"), Nothing),
        ("id-token-encrypted", Refused("id_token.invalid"), Nothing),
        ("kid-missing", SignedIn, Nothing),
        // JOSE-12: whoever does not try each refuses; both are lawful.
        ("kid-missing-several", SignedIn, Nothing),
        ("kid-unknown", Refused("id_token.invalid"), Nothing),
        ("keys-rotated", SignedIn, Nothing),
        ("keys-one-bad", SignedIn, Nothing),
        ("keys-too-many", Refused("keys.unavailable"), Nothing),
        ("keys-weak-rsa", Refused("id_token.invalid"), Nothing),
        ("keys-lost", Refused("keys.unavailable"), Nothing),
        ("keys-html", Refused("keys.unavailable"), Nothing),
        ("keys-500", Refused("keys.unavailable"), Nothing),
        ("userinfo-sub-wrong", Refused("userinfo.sub_mismatch"), UserInfo),
        ("userinfo-signed", SignedIn, UserInfo),
        ("userinfo-signed-wrong", Refused("userinfo.invalid"), UserInfo),
        // Whatever is in it, the world sees no request for it.
        ("userinfo-claim-sources", SignedIn, UserInfo),
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
    // In the order of the switches, each in one of the two lists.
    let is_pending = |name: &str| PENDING.iter().any(|(known, ..)| *known == name);
    let names = |pending| ALL.iter().map(|switch| switch.name).filter(move |name| is_pending(name) == pending);
    assert!(names(false).eq(OUTCOMES.map(|(name, _)| name)), "each switch has a row");
    assert!(names(true).eq(PENDING.map(|(name, ..)| name)), "each switch has a row, once");
    for (switch, expected) in OUTCOMES {
        let mut world = sign_in(switch);
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
        assert!(world.codes_sent.len() <= 1, "{switch}");
        let sent = !matches!(expected, Outcome::Refused(code) if code.starts_with("callback."));
        assert_eq!(world.codes_sent.is_empty(), !sent, "{switch}");
        // An answer of the API signs nobody out.
        assert_eq!(world.is_signed_in(), !matches!(expected, Outcome::Refused(_)), "{switch}");
    }
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

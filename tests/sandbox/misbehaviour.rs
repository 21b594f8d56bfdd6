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

/// What the client makes of each; every switch has a row.
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Refused(&'static str),
    SignedIn,
    Api(u16),
}

#[test]
fn every_misbehaviour_ends_as_it_should() {
    let names: Vec<_> = ALL.iter().map(|switch| switch.name).collect();
    assert_eq!(names, OUTCOMES.map(|(name, _)| name), "each switch has a row, in its order");
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

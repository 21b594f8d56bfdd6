//! Each misbehaviour at a sign-out against the real client: what the person meets, and what is left at the server.

use leptos_pkce::protocol::client::ClientSettings;
use leptos_pkce::protocol::end_session::SignOutReturn;
use leptos_pkce::protocol::flow::SessionEvent::{self, NotRevoked, NotSignedOutAtServer, SignedOut};
use leptos_pkce::protocol::form;
use leptos_pkce::sandbox::switches::{ALL, Phase};

use crate::person::{BASE, ISSUER, value};
use crate::world::{World, lasting, signed_in};

/// What becomes of a sign-out at a server that misbehaves: the switch, how often the revocation endpoint is asked, what the
/// app hears of that, whether a token is left at the server, and how people come back who sign out there too.
struct Goodbye(&'static str, usize, &'static [SessionEvent], bool, Option<SignOutReturn>);

/// Every switch has a row, in its order.
#[rustfmt::skip]
const GOODBYES: [Goodbye; 8] = {
    use SignOutReturn::*;
    [
        // The second one is not waited for again.
        Goodbye("revocation-503", 3, &[NotRevoked], true, Some(Confirmed)),
        // Three seconds, and no more.
        Goodbye("revocation-slow", 1, &[NotRevoked], false, Some(Confirmed)),
        // A server that revokes no tokens of a kind says so, and that is lawful (RFC 7009 §2.2.1).
        Goodbye("revocation-unsupported-type", 2, &[], true, Some(Confirmed)),
        Goodbye("revocation-refused", 2, &[NotRevoked], true, Some(Confirmed)),
        Goodbye("revocation-missing", 0, &[], true, Some(Confirmed)),
        Goodbye("end-session-missing", 2, &[], false, None),
        Goodbye("logout-state-wrong", 2, &[], false, Some(Unconfirmed)),
        Goodbye("logout-state-missing", 2, &[], false, Some(Unconfirmed)),
    ]
};

/// How long a sign-out waits for the server.
const PATIENCE: u64 = 3;

/// Settings of somebody who is sent to the server's sign-out and comes back to the base.
fn hinting() -> ClientSettings {
    ClientSettings { post_logout_redirect_uri: Some(BASE.to_owned()), id_token_hint: true, ..lasting() }
}

/// How many access and refresh tokens the server has.
fn left_at_server(world: &World) -> usize {
    let state = world.person.sandbox.state.encode();
    ["tokens", "families"]
        .map(|name| state.member(name).and_then(|list| list.as_array()).expect("a list").len())
        .iter()
        .sum()
}

/// Requests to the revocation endpoint.
fn revocations(world: &World) -> usize {
    world.asked.iter().filter(|url| url.ends_with("/revoke")).count()
}

/// The parameters of the address that the person went to last, which is the end session endpoint.
#[track_caller]
fn parameters(world: &World) -> Vec<(String, String)> {
    let url = world.left_for.last().expect("somebody left");
    assert_eq!(url.without_query(), format!("{ISSUER}end_session"));
    form::decode(url.query().expect("a query")).expect("parameters")
}

/// OUT-2, OUT-3, OUT-5, OUT-8, OUT-11: the whole list: here the person is signed out at once and whatever the server does,
/// nothing is left in the tab but when that was, and who leaves for the server does so in three seconds.
#[test]
fn every_misbehaviour_at_a_sign_out_ends_as_it_should() {
    let is_here = |phase| matches!(phase, Phase::Revocation | Phase::EndSession);
    let switches = ALL.iter().filter(|switch| is_here(switch.phase)).map(|switch| switch.name);
    assert_eq!(switches.collect::<Vec<_>>(), GOODBYES.map(|Goodbye(name, ..)| name));
    for Goodbye(switch, count, events, is_left, returned) in GOODBYES {
        for at_server in [false, true] {
            let mut world = World::of(crate::person::Person::with(&[switch]), crate::world::CALM, hinting());
            world.click_sign_in();
            world.settle();
            assert_eq!((world.take_announced(), left_at_server(&world)), (vec![SessionEvent::SignedIn], 2), "{switch}");
            if at_server {
                world.sign_out_at_server()
            } else {
                world.sign_out()
            }
            // Nothing has reached the server yet.
            assert_eq!((world.take_announced(), world.is_signed_in()), (vec![SignedOut], false), "{switch}");
            assert_eq!(left_at_server(&world), 2, "{switch}");
            let is_other =
                |name: &String| name != "leptos-pkce sign-out" && !name.starts_with("leptos-pkce signed-out ");
            assert_eq!(world.stored().into_iter().find(is_other), None, "{switch}");
            world.pass(PATIENCE);
            let mut expected = events.to_vec();
            expected.extend((at_server && returned.is_none()).then_some(NotSignedOutAtServer));
            assert_eq!(world.take_announced(), expected, "{switch}");
            assert_eq!(world.departures, if at_server && returned.is_some() { 2 } else { 1 }, "{switch}");
            world.pass(60);
            assert_eq!(world.stored(), [format!("leptos-pkce signed-out {ISSUER} workbench")], "{switch}");
            assert_eq!(revocations(&world), count, "{switch}");
            assert_eq!(left_at_server(&world) > 0, is_left, "{switch}");
            assert_eq!(world.flow().sign_out_return(), returned.filter(|_| at_server), "{switch}");
            assert_eq!((world.take_announced(), world.error_code(), world.is_signed_in()), (vec![], None, false));
            assert_eq!(world.is_signed_in_there(), !at_server || returned.is_none(), "{switch}");
            // And the next one may come.
            world.click_sign_in();
            world.settle();
            assert_eq!((world.error_code(), world.is_signed_in()), (None, true), "{switch}");
        }
    }
}

/// OUT-1: the refresh token goes first, and takes with it what was made of it.
#[test]
fn the_refresh_token_is_revoked_first() {
    let mut world = signed_in(lasting(), &[]);
    world.renew();
    world.pass(2);
    assert_eq!(left_at_server(&world), 3);
    world.sign_out();
    while revocations(&world) < 2 {
        assert!(world.step());
    }
    assert_eq!(left_at_server(&world), 0);
}

/// OUT-1, RS-13: a renewal is on its way when the person signs out: what comes of it is revoked too, and used by nobody.
#[test]
fn a_renewal_that_is_overtaken_by_a_sign_out_leaves_nothing() {
    for switch in ["refresh-slow", "refresh-answer-lost", "refresh-request-lost", "refresh-html"] {
        for steps in 0..3 {
            let mut world = signed_in(lasting(), &[switch]);
            world.renew();
            for _ in 0..steps {
                world.step();
            }
            world.take_announced();
            world.call_api();
            world.sign_out();
            world.pass(100);
            assert_eq!((world.take_announced(), world.is_signed_in()), (vec![SignedOut], false), "{switch} {steps}");
            assert_eq!((left_at_server(&world), world.presented.len()), (0, 1), "{switch} {steps}");
            assert!(world.answered.iter().all(Result::is_err), "{switch} {steps}");
        }
    }
}

/// OUT-7: unless it is configured no ID token is in the address; the server is told which client asks, asks the person, and
/// believes the answer.
#[test]
fn without_a_hint_the_server_asks() {
    for says_no in [false, true] {
        let mut world = signed_in(ClientSettings { id_token_hint: false, ..hinting() }, &[]);
        world.says_no = says_no;
        world.sign_out_at_server();
        world.pass(PATIENCE + 60);
        let names: Vec<_> = parameters(&world).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["client_id", "post_logout_redirect_uri", "state"]);
        assert!(world.left_for.iter().all(|url| !url.as_str().contains("eyJ")));
        // Here the person is signed out either way.
        assert_eq!(world.flow().sign_out_return(), Some(SignOutReturn::Confirmed));
        assert_eq!((world.is_signed_in(), world.is_signed_in_there()), (false, says_no));
    }
}

/// OUT-4: without an address to come back to there is no state either; who comes back on their own is not sure to be signed
/// out there, and that is said once.
#[test]
fn without_an_address_people_find_back_on_their_own() {
    let mut world = signed_in(ClientSettings { post_logout_redirect_uri: None, ..hinting() }, &[]);
    world.sign_out_at_server();
    world.pass(PATIENCE + 60);
    let names: Vec<_> = parameters(&world).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["id_token_hint"]);
    assert_eq!((world.flow().sign_out_return(), world.error_code()), (Some(SignOutReturn::Unconfirmed), None));
    assert!(!world.is_signed_in_there());
    world.open(None);
    assert_eq!(world.flow().sign_out_return(), None);
}

/// OUT-5, OUT-6: addresses that look like a return from a sign-out sign nobody out, wherever they come from.
#[test]
fn a_return_that_nobody_left_for_changes_nothing() {
    for path in ["/", "/callback", "/signed-out"] {
        for query in
            ["state=af0ifjsldkj", "state=", "logout=1", "", "error=x&state=af0ifjsldkj", "iss=https://evil.example/"]
        {
            let mut world = signed_in(hinting(), &[]);
            world.open_at(path, query);
            world.pass(60);
            assert!(world.is_signed_in(), "{path} {query}");
            assert_eq!((revocations(&world), world.take_announced()), (0, vec![]), "{path} {query}");
            assert_eq!((world.flow().sign_out_return(), world.departures), (None, 1), "{path} {query}");
        }
    }
}

/// OUT-5: the real return a second time, by Back or a copied address: nothing comes of it, for whoever has signed in since.
#[test]
fn a_return_counts_once() {
    let mut world = signed_in(hinting(), &[]);
    world.sign_out_at_server();
    world.settle();
    let query = form::encode(&[("state", &value(&parameters(&world), "state").expect("a state"))]);
    world.click_sign_in();
    world.settle();
    world.open_at("/", &query);
    world.pass(60);
    assert_eq!((world.is_signed_in(), world.flow().sign_out_return()), (true, None));
}

/// OUT-3: after a sign-out nothing comes back by itself, though `restore` would have it back.
#[test]
fn nobody_who_signed_out_is_signed_in_quietly() {
    for at_server in [false, true] {
        let mut world = signed_in(ClientSettings { restore: true, ..hinting() }, &[]);
        if at_server {
            world.sign_out_at_server()
        } else {
            world.sign_out()
        }
        world.settle();
        for _ in 0..3 {
            world.open(None);
            world.pass(3_600);
            world.resume();
        }
        assert_eq!((world.is_signed_in(), world.departures), (false, if at_server { 2 } else { 1 }));
    }
}

/// OUT-1, OUT-8: a page that does not know the server's endpoints any more asks for them first.
#[test]
fn a_sign_out_after_hours_and_a_reload_reaches_the_server() {
    let mut world = signed_in(hinting(), &[]);
    world.pass(2 * 3_600);
    world.open(None);
    let before = world.asked.len();
    world.sign_out_at_server();
    world.pass(PATIENCE);
    assert!(world.asked[before].ends_with("openid-configuration"), "{:?}", &world.asked[before..]);
    assert_eq!((revocations(&world), left_at_server(&world), world.departures), (2, 0, 2));
}

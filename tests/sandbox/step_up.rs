//! From an API that wants more, to the authorization server and back: step-up, and finding the server from the API alone.

use leptos_pkce::protocol::challenge::{Denial, Reason, Source};
use leptos_pkce::protocol::client::ClientSettings;
use leptos_pkce::protocol::http::HttpResponse;
use leptos_pkce::protocol::resource_metadata::{self, ResourceMetadata};
use leptos_pkce::protocol::url::{SchemePolicy, Url};

use crate::person::{ISSUER, Person};
use crate::world::{Network, World, settings};

const CALM: Network = Network { latency: 0, loss: 0 };
const OTP: &str = "urn:sandbox:acr:otp";

/// RS-9, IDT-9: the challenge becomes a demand, the demand a request, and the ID token answers it.
#[test]
fn a_challenge_is_satisfied_by_signing_in_once_more() {
    for dpop in [false, true] {
        let mut world = World::of(Person::new(), CALM, ClientSettings { dpop, ..settings() });
        world.click_sign_in();
        world.settle();
        world.call("api/safe");
        world.settle();
        let Some(Ok(response)) = world.answered.pop() else { panic!("an answer") };
        let denial = Denial::of(&response).expect("a denial");
        assert_eq!((denial.status, denial.source), (401, Source::Challenge));
        let Reason::StepUp(demand) = denial.reason else { panic!("a demand") };
        assert_eq!((demand.acr_values.as_slice(), demand.max_age.map(|age| age.0)), (&[OTP.to_owned()][..], Some(300)));
        assert!(world.is_signed_in(), "a denial signs nobody out");

        world.step_up(demand);
        world.settle();
        assert_eq!(world.error_code(), None);
        let claims = world.flow().session(&world.key()).and_then(|session| session.claims()).expect("claims");
        assert_eq!(claims.acr(), Some(OTP));
        world.call("api/safe");
        world.settle();
        assert!(matches!(world.answered.pop(), Some(Ok(response)) if response.status == 200));
    }
}

/// IDT-9: a server that does not do what was demanded gets nobody in; the session from before stays.
#[test]
fn a_demand_that_is_not_met_changes_nothing() {
    let mut world = World::new(Person::new(), CALM, "session");
    world.click_sign_in();
    world.settle();
    world.call("api/safe");
    world.settle();
    let Some(Ok(response)) = world.answered.pop() else { panic!("an answer") };
    let Some(Reason::StepUp(demand)) = Denial::of(&response).map(|denial| denial.reason) else { panic!("a demand") };
    world.person.sandbox.state.switches =
        leptos_pkce::sandbox::switches::Switches::on(["id-token-acr-wrong"]).expect("it exists");
    world.step_up(demand);
    world.settle();
    assert_eq!(world.error_code(), Some("id_token.acr"));
    assert!(world.is_signed_in());
}

/// From an API's URL, without a token, to its authorization server (RFC 9728 §5).
#[test]
fn an_api_says_which_authorization_server_it_trusts() {
    let mut person = Person::new();
    let api = Url::parse(&format!("{ISSUER}api/photos")).expect("a URL");
    let asked = person.get(api.as_str());
    let response = HttpResponse { status: asked.status, headers: asked.headers, body: asked.body };
    let denial = Denial::of(&response).expect("a denial");
    let location = denial.resource_metadata.expect("where its metadata is");
    assert_eq!(location, resource_metadata::well_known_url(&api));

    let policy = SchemePolicy::HttpsOnly;
    let request = resource_metadata::request_at(&location, policy).expect("a URL");
    let document = person.get(request.url.as_str());
    let answer = HttpResponse { status: document.status, headers: document.headers, body: document.body };
    let metadata = ResourceMetadata::read(Ok(answer), &api, policy).expect("metadata");
    let servers: Vec<_> = metadata.authorization_servers.iter().map(|issuer| issuer.as_str()).collect();
    assert_eq!(servers, [ISSUER]);
}

//! Somebody with a browser: follows redirects and answers the server's pages.

use leptos_pkce::protocol::form;
use leptos_pkce::protocol::time::UnixTime;
use leptos_pkce::protocol::url::Url;
use leptos_pkce::sandbox::http::{Request, Response};
use leptos_pkce::sandbox::state::State;
use leptos_pkce::sandbox::switches::Switches;
use leptos_pkce::sandbox::{Entropy, Sandbox};
use rand::rngs::SmallRng;
use rand::{RngCore as _, SeedableRng as _};

use crate::crypto::Native;

pub(crate) const BASE: &str = "https://app.example/";
pub(crate) const ISSUER: &str = "https://app.example/sandbox/";
pub(crate) const CALLBACK: &str = "https://app.example/callback";
/// The pair of RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub(crate) struct Person {
    pub(crate) sandbox: Sandbox,
    pub(crate) crypto: Native,
    pub(crate) now: u64,
    pub(crate) rng: SmallRng,
}

impl Person {
    pub(crate) fn new() -> Self {
        Self::seeded(0)
    }

    pub(crate) fn seeded(seed: u64) -> Self {
        let sandbox = Sandbox::new(BASE, State::default()).expect("the base is a URL");
        Self { sandbox, crypto: Native::new(7), now: 1_700_000_000, rng: SmallRng::seed_from_u64(seed) }
    }

    /// With these misbehaviours on.
    pub(crate) fn with(switches: &[&'static str]) -> Self {
        let mut person = Self::new();
        person.sandbox.state.switches = Switches::on(switches.iter().copied()).expect("they exist");
        person
    }

    /// Sends one request.
    pub(crate) fn send(&mut self, request: &Request) -> Response {
        let mut octets = [0; 64];
        self.rng.fill_bytes(&mut octets);
        let answer = self.sandbox.handle(request, UnixTime(self.now), Entropy(octets), &self.crypto);
        pollster::block_on(answer).expect("this platform signs")
    }

    pub(crate) fn get(&mut self, url: &str) -> Response {
        self.request("GET", url, &[], "")
    }

    pub(crate) fn post(&mut self, url: &str, pairs: &[(&str, &str)]) -> Response {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.request("POST", url, &headers, &form::encode(pairs))
    }

    pub(crate) fn request(&mut self, method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Response {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.send(&Request {
            method: method.to_owned(),
            url: Url::parse(url).expect("a URL"),
            headers: headers.collect(),
            body: body.as_bytes().to_vec(),
        })
    }

    /// Calls an API with a token.
    pub(crate) fn call(&mut self, method: &str, path: &str, token: &str, body: &str) -> Response {
        let authorization = format!("Bearer {token}");
        self.request(method, &format!("{ISSUER}{path}"), &[("authorization", &authorization)], body)
    }

    /// Goes to the authorization endpoint with these parameters over the usual ones; an empty value leaves one out.
    pub(crate) fn authorize(&mut self, parameters: &[(&str, &str)]) -> Response {
        self.get(&authorization_url(parameters))
    }

    /// Answers login and consent as alice until the server has sent her back; the parameters of the redirect.
    pub(crate) fn sign_in(&mut self, parameters: &[(&str, &str)]) -> Vec<(String, String)> {
        let response = self.authorize(parameters);
        self.answer(response, "alice")
    }

    /// Answers pages as `username` until the server sends her back.
    pub(crate) fn answer(&mut self, mut response: Response, username: &str) -> Vec<(String, String)> {
        for _ in 0..3 {
            if response.status == 303 {
                return redirected(&response);
            }
            let page = text(&response);
            assert_eq!(response.status, 200, "{page}");
            let form_value = form_value(&page);
            response = match page.contains("/sandbox/login") {
                true => self.post(&format!("{ISSUER}login"), &[("form_value", &form_value), ("username", username)]),
                false => self.post(&format!("{ISSUER}consent"), &[("form_value", &form_value), ("allow", "1")]),
            };
        }
        panic!("the server asks without end");
    }

    /// Exchanges a code, with these parameters over the usual ones; an empty value leaves one out.
    pub(crate) fn exchange(&mut self, code: &str, parameters: &[(&str, &str)]) -> Response {
        let usual = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("client_id", "workbench"),
            ("code_verifier", VERIFIER),
        ];
        self.post_over("token", &usual, parameters)
    }

    /// Sends a refresh token, with these parameters over the usual ones; an empty value leaves one out.
    pub(crate) fn refresh(&mut self, refresh_token: &str, parameters: &[(&str, &str)]) -> Response {
        let usual = [("grant_type", "refresh_token"), ("refresh_token", refresh_token), ("client_id", "workbench")];
        self.post_over("token", &usual, parameters)
    }

    /// Posts the usual parameters to an endpoint, with others over them; an empty value leaves one out.
    pub(crate) fn post_over(&mut self, path: &str, usual: &[(&str, &str)], parameters: &[(&str, &str)]) -> Response {
        self.post(&format!("{ISSUER}{path}"), &over(usual, parameters))
    }

    /// Signs in and exchanges the code; the token response as JSON.
    pub(crate) fn tokens(&mut self, parameters: &[(&str, &str)]) -> serde_json::Value {
        let code = value(&self.sign_in(parameters), "code").expect("a code");
        let response = self.exchange(&code, &[]);
        assert_eq!(response.status, 200, "{}", text(&response));
        json(&response)
    }
}

/// The usual authorization request, with other parameters over its own.
pub(crate) fn authorization_url(parameters: &[(&str, &str)]) -> String {
    let usual = [
        ("response_type", "code"),
        ("client_id", "workbench"),
        ("redirect_uri", CALLBACK),
        ("scope", "openid profile photos:read"),
        ("state", "af0ifjsldkj"),
        ("nonce", "n-0S6_WzA2Mj"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    format!("{ISSUER}authorize?{}", form::encode(&over(&usual, parameters)))
}

fn over<'a>(usual: &[(&'a str, &'a str)], parameters: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let is_replaced = |name: &str| parameters.iter().any(|(known, _)| *known == name);
    usual.iter().filter(|(name, _)| !is_replaced(name)).chain(parameters).copied().collect()
}

/// The parameters that a redirect to the callback carries.
#[track_caller]
pub(crate) fn redirected(response: &Response) -> Vec<(String, String)> {
    assert_eq!(response.status, 303, "{}", text(response));
    let location = header(response, "location").expect("a redirect goes somewhere");
    let url = Url::parse(location).expect("a redirect goes to a URL");
    assert_eq!(url.without_query(), CALLBACK);
    form::decode(url.query().unwrap_or_default()).expect("a query")
}

pub(crate) fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

pub(crate) fn value(parameters: &[(String, String)], name: &str) -> Option<String> {
    form::value(parameters, name).map(str::to_owned)
}

pub(crate) fn text(response: &Response) -> String {
    String::from_utf8(response.body.clone()).expect("UTF-8")
}

#[track_caller]
pub(crate) fn json(response: &Response) -> serde_json::Value {
    assert_eq!(header(response, "content-type"), Some("application/json"));
    serde_json::from_slice(&response.body).expect("JSON")
}

/// The one-time value of a page.
#[track_caller]
pub(crate) fn form_value(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"form_value\" value=\"").expect("a page has a form");
    rest.split('"').next().expect("its value ends").to_owned()
}

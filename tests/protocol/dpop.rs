//! Proofs of possession: what is signed, what binds to the key, and whose nonce is whose.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use leptos_pkce::protocol::base64url;
use leptos_pkce::protocol::clock::ClockDifference;
use leptos_pkce::protocol::dpop::{ProofError, ProofKey, ProofOrder, ServerNonces, asks_for_nonce, ath};
use leptos_pkce::protocol::http::{HttpRequest, HttpResponse, Limits};
use leptos_pkce::protocol::secret::{AccessToken, UnsignedDpopProof};
use leptos_pkce::protocol::time::{Seconds, UnixTime};
use leptos_pkce::protocol::url::Url;
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::ecdsa::{Signature, SigningKey};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::answers::refusal;
use crate::properties::for_all;

// RFC 9449 §4.1, §6.1, §7.1.
const X: &str = "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs";
const Y: &str = "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA";
const JKT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
const ACCESS_TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
const ATH: &str = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo";
const NONCE: &str = "eyJ7S_zG.eyJH0-Z.HX4w-7v";

const NOW: UnixTime = UnixTime(1_562_262_618);
const JTI: [u8; 16] = [7; 16];

fn key() -> ProofKey {
    ProofKey::new(X, Y).expect("coordinates")
}

fn url(text: &str) -> Url {
    Url::parse(text).expect("a URL")
}

/// Header and claims of what is to be signed.
fn read(proof: &UnsignedDpopProof) -> (Value, Value) {
    let part = |text: &str| {
        let octets = URL_SAFE_NO_PAD.decode(text).expect("base64url");
        serde_json::from_slice(&octets).expect("JSON")
    };
    let (header, claims) = proof.expose().split_once('.').expect("two parts");
    (part(header), part(claims))
}

fn claims(method: &str, text: &str) -> Value {
    read(&key().proof(method, &url(text), &JTI, NOW, None, None)).1
}

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> HttpResponse {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    HttpResponse { status, headers, body: body.into() }
}

/// DP-6: RFC 9449 §6.1, which is the EC thumbprint of RFC 7638; `dpop_jkt` of §10 is the same.
#[test]
fn makes_the_thumbprint_of_rfc_9449() {
    assert_eq!(key().thumbprint(), JKT);
}

/// DP-6: RFC 9449 §10: with the key that the request was bound to, by the server's clock, or not at all.
#[test]
fn signs_with_no_other_key_than_the_one_that_was_bound() {
    let request = HttpRequest {
        method: "POST".into(),
        url: url("https://server.example.com/token"),
        headers: Vec::new(),
        bearer: None,
        body: None,
        limits: Limits { deadline: Seconds(20), body: 1024 },
        keepalive: false,
    };
    let order = |thumbprint: Option<&str>| ProofOrder {
        key: "proof".into(),
        thumbprint: thumbprint.map(str::to_owned),
        nonce: Some(NONCE.into()),
        clock: ClockDifference(5),
    };
    for bound in [None, Some(JKT)] {
        let (_, claims) = read(&order(bound).proof(&key(), &request, &JTI, NOW).expect("a proof"));
        let expected = [json!("POST"), json!(NOW.0 + 5), json!(NONCE)];
        assert_eq!(["htm", "iat", "nonce"].map(|name| claims[name].clone()), expected);
    }
    assert_eq!(order(Some(ATH)).proof(&key(), &request, &JTI, NOW).err(), Some(ProofError::KeyChanged));
    assert_eq!(format!("{:?}", order(Some(JKT))), "ProofOrder");
}

/// DP-1, DP-6: a coordinate is 32 octets in the one spelling that base64url has for them.
#[test]
fn takes_coordinates_of_p_256_only() {
    for octet in [0, 1, 127, 255] {
        let text = base64url::encode(&[octet; 32]);
        assert!(ProofKey::new(&text, Y).is_some() && ProofKey::new(X, &text).is_some(), "{text}");
    }
    let other_last = format!("{}t", &X[..42]);
    for wrong in ["", &X[1..], &format!("{X}A"), &other_last, &X.replace('-', "+"), &format!("{}=", &X[..42])] {
        assert!(ProofKey::new(wrong, Y).is_none() && ProofKey::new(X, wrong).is_none(), "{wrong}");
    }
}

/// DP-1: RFC 9449 §4.1, the header octet by octet; no private member can be in it.
#[test]
fn writes_the_header_of_rfc_9449() {
    let proof = key().proof("POST", &url("https://server.example.com/token"), &JTI, NOW, None, None);
    let header = r#"{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}}"#;
    assert_eq!(proof.expose().split('.').next(), Some(URL_SAFE_NO_PAD.encode(header).as_str()));
}

/// DP-1: RFC 9449 §7.1, with the token's hash and a nonce, and §4.1 without either.
#[test]
fn writes_the_claims_of_rfc_9449() {
    let token = AccessToken::new(ACCESS_TOKEN);
    assert_eq!(ath(&token), ATH);
    let resource = "https://resource.example.org/protectedresource";
    let (_, claims) = read(&key().proof("GET", &url(resource), &JTI, NOW, Some(&token), Some(NONCE)));
    let jti = base64url::encode(&JTI);
    let expected =
        json!({ "jti": jti, "htm": "GET", "htu": resource, "iat": 1_562_262_618, "ath": ATH, "nonce": NONCE });
    assert_eq!(claims, expected);

    let endpoint = "https://server.example.com/token";
    let (_, claims) = read(&key().proof("POST", &url(endpoint), &JTI, NOW, None, None));
    assert_eq!(claims, json!({ "jti": jti, "htm": "POST", "htu": endpoint, "iat": 1_562_262_618 }));
    assert_eq!(jti.len(), 22, "128 bit");
}

/// DP-1: the URL as the browser sends it, without query and fragment.
#[test]
fn names_the_url_without_query_and_fragment() {
    for (asked, htu) in [
        ("https://r.example/a?b=c", "https://r.example/a"),
        ("https://r.example/a?", "https://r.example/a"),
        ("https://r.example/a#b?c", "https://r.example/a"),
        ("https://r.example", "https://r.example/"),
        ("https://r.example?b", "https://r.example/"),
        ("HTTPS://R.Example:443/A%2f", "https://r.example/A%2f"),
        ("http://127.0.0.1:8080/a/", "http://127.0.0.1:8080/a/"),
    ] {
        assert_eq!(claims("GET", asked)["htu"], htu, "{asked}");
    }
}

/// DP-1: the method as `fetch` sends it: six are put in upper case, and no other.
#[test]
fn names_the_method_as_it_is_sent() {
    for (asked, htm) in [("get", "GET"), ("Post", "POST"), ("DELETE", "DELETE"), ("patch", "patch"), ("PATCH", "PATCH")]
    {
        assert_eq!(claims(asked, "https://r.example/")["htm"], htm);
    }
}

/// DP-2: two proofs for the same request differ, and a proof is signed once: `signed` takes it.
#[test]
fn each_proof_is_its_own() {
    let proof = |jti: &[u8; 16]| key().proof("GET", &url("https://r.example/"), jti, NOW, None, Some(NONCE));
    let [one, other] = [proof(&[1; 16]), proof(&[2; 16])];
    assert_ne!(one, other);
    assert_ne!(read(&one).1["jti"], read(&other).1["jti"]);
    let signed = one.signed(&[0; 64]).expect("a proof");
    assert_eq!(signed.expose().split('.').count(), 3);
    for length in [0, 63, 65, 70, 72] {
        assert!(proof(&[1; 16]).signed(&vec![0; length]).is_none(), "{length}");
    }
}

/// DP-1: whatever it is made for, it is signed and verified as a JWS, and says what it was given.
#[test]
fn a_signed_proof_verifies() {
    let private = SigningKey::from_slice(&[7; 32]).expect("a scalar");
    let point = private.verifying_key().to_encoded_point(false);
    let [x, y] = [point.x(), point.y()].map(|octets| base64url::encode(octets.expect("a coordinate")));
    let key = ProofKey::new(&x, &y).expect("coordinates");
    let given = (any::<[u8; 16]>(), any::<u32>(), "[!-~]{1,40}", proptest::option::of(any::<String>()), "[A-Z]{1,8}");
    for_all(given, |(jti, iat, token, nonce, method)| {
        let (token, iat) = (AccessToken::new(token), UnixTime(iat.into()));
        let proof = key.proof(&method, &url("https://r.example/a?b"), &jti, iat, Some(&token), nonce.as_deref());
        let (header, claims) = read(&proof);
        prop_assert_eq!(&header["jwk"], &json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y }));
        let mut expected = json!({
            "jti": base64url::encode(&jti),
            "htm": method,
            "htu": "https://r.example/a",
            "iat": iat.0,
            "ath": ath(&token),
        });
        if let Some(nonce) = nonce {
            expected["nonce"] = json!(nonce);
        }
        prop_assert_eq!(claims, expected);
        let signature: Signature = private.sign(proof.expose().as_bytes());
        let signed = proof.signed(&signature.to_bytes()).expect("64 octets");
        let (input, signature) = signed.expose().rsplit_once('.').expect("three parts");
        let signature = Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature).expect("base64url")).expect("r and s");
        prop_assert!(private.verifying_key().verify(input.as_bytes(), &signature).is_ok());
        Ok(())
    });
}

/// DP-4: each server has its own nonce, the newest one counts, and every answer may bring it.
#[test]
fn keeps_the_newest_nonce_of_each_server() {
    let (server, api) = (url("https://as.example/token"), url("https://api.example/photos?a"));
    let mut nonces = ServerNonces::default();
    assert_eq!(nonces.get(&server), None);
    nonces.learn(&server, &answer(400, &[("dpop-nonce", "one")], ""));
    nonces.learn(&api, &answer(401, &[("dpop-nonce", NONCE)], ""));
    assert_eq!((nonces.get(&server), nonces.get(&api)), (Some("one"), Some(NONCE)));
    nonces.learn(&url("https://AS.example:443/par"), &answer(200, &[("dpop-nonce", "two")], ""));
    nonces.learn(&server, &answer(200, &[], ""));
    assert_eq!((nonces.get(&server), nonces.get(&api)), (Some("two"), Some(NONCE)));
    assert_eq!(nonces.get(&url("https://as.example:8443/token")), None);
    assert_eq!(nonces.get(&url("http://as.example/token")), None);
}

/// DP-4: what is no nonce is ignored, and the one before it stays (RFC 9449 §8.1).
#[test]
fn ignores_what_is_no_nonce() {
    let server = url("https://as.example/token");
    let mut nonces = ServerNonces::default();
    nonces.learn(&server, &answer(200, &[("dpop-nonce", "kept!#[]~,")], ""));
    for wrong in ["", " ", "a b", "a, b", "a\"b", "a\\b", "ä", "a\u{7f}", "a\t", &"a".repeat(1025)] {
        nonces.learn(&server, &answer(200, &[("dpop-nonce", wrong)], ""));
        assert_eq!(nonces.get(&server), Some("kept!#[]~,"), "{wrong}");
    }
    nonces.learn(&server, &answer(200, &[("dpop-nonce", &"a".repeat(1024))], ""));
    assert_eq!(nonces.get(&server).map(str::len), Some(1024));
}

/// DP-4: 32 servers are remembered; the one that was silent longest gives way.
#[test]
fn remembers_so_many_servers() {
    let server = |number: usize| url(&format!("https://s{number}.example/"));
    let nonce = answer(200, &[("dpop-nonce", "n")], "");
    let mut nonces = ServerNonces::default();
    for number in 0..32 {
        nonces.learn(&server(number), &nonce);
    }
    nonces.learn(&server(0), &nonce);
    nonces.learn(&server(32), &nonce);
    let known: Vec<bool> = [0, 1, 2, 32].map(|number| nonces.get(&server(number)).is_some()).to_vec();
    assert_eq!(known, [true, false, true, true]);
}

/// DP-3, DP-4: RFC 9449 §8 at the token endpoint, §9 at an API, and nothing else.
#[test]
fn knows_when_a_nonce_is_asked_for() {
    let body = r#"{"error":"use_dpop_nonce","error_description":"Authorization server requires nonce in DPoP proof"}"#;
    assert!(asks_for_nonce(&refusal("use_dpop_nonce").expect("an answer")));
    assert!(asks_for_nonce(&answer(400, &[], body)));
    assert!(asks_for_nonce(&answer(401, &[], body)));
    let at_api = |challenge: &str| asks_for_nonce(&answer(401, &[("www-authenticate", challenge)], ""));
    let asked = r#"DPoP error="use_dpop_nonce", error_description="Resource server requires nonce in DPoP proof""#;
    assert!(at_api(asked));
    assert!(at_api("Bearer error=\"invalid_token\", dpop algs=\"ES256\", error=use_dpop_nonce"));
    for other in ["DPoP algs=\"ES256\"", "DPoP error=\"invalid_token\"", "Bearer error=\"use_dpop_nonce\"", ""] {
        assert!(!at_api(other), "{other}");
    }
    assert!(!asks_for_nonce(&refusal("invalid_grant").expect("an answer")));
    for status in [200, 403, 500] {
        assert!(!asks_for_nonce(&answer(status, &[("www-authenticate", asked)], body)), "{status}");
    }
    for wrong in ["use_dpop_nonce", "[\"use_dpop_nonce\"]", "{\"error\":[\"use_dpop_nonce\"]}"] {
        assert!(!asks_for_nonce(&answer(400, &[], wrong)), "{wrong}");
    }
}

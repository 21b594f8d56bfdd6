//! The ID token, against a request that is always the same: in compact form, or as header and claims on a line each,
//! because no mutation of base64url gets far.

use leptos_pkce::protocol::algorithm::{Algorithm, Hash};
use leptos_pkce::protocol::authorization_response::AuthorizationResponse;
use leptos_pkce::protocol::base64url;
use leptos_pkce::protocol::clock::ClockDifference;
use leptos_pkce::protocol::id_token::{IdTokenError, IdTokenRequest, Outcome, Signature, check_id_token};
use leptos_pkce::protocol::jwk::JwkSet;
use leptos_pkce::protocol::jws::{Jws, SubtleUnavailable, Verdict};
use leptos_pkce::protocol::secret::IdToken;
use leptos_pkce::protocol::token_request::TokenRequest;

use super::common::{CLIENT_ID, ISSUER, LONGEST_WORDS, NONCE, NOW, STATE, is_for, key, oracle, pending, text, value};

/// The signature of the tokens that are put together here: of the length of ES256, and nobody's.
const SIGNATURE: [u8; 64] = [7; 64];

/// The hash that WebCrypto found.
const HASH: [u8; 32] = [9; 32];

const ALLOWED: [Algorithm; 2] = [Algorithm::Rs(Hash::Sha256), Algorithm::Es(Hash::Sha256)];

/// IDT-1 to IDT-11, JOSE-1, JOSE-2, JOSE-5 to JOSE-10: a token that is accepted satisfies the rules as another reader reads it.
pub fn check(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let token = match text.split_once('\n') {
        Some((header, claims)) if text.starts_with('{') => {
            let [header, claims] = [header, claims].map(|part| base64url::encode(part.as_bytes()));
            [header, claims, base64url::encode(&SIGNATURE)].join(".")
        }
        _ => text.to_owned(),
    };
    if let Ok(jws) = Jws::parse(&token) {
        taken_apart(&token, &jws);
    }
    judged(&token);
}

fn taken_apart(token: &str, jws: &Jws) {
    let parts: Vec<&str> = token.split('.').collect();
    assert_eq!(parts.len(), 3, "JOSE-7");
    assert_eq!(base64url::encode(jws.payload()), parts[1], "JOSE-7: one value has one text");
    let Ok(question) = jws.verification(&ALLOWED, &keys()) else { return };
    let header = oracle(&base64url::decode(parts[0]).expect("it was decoded before"));
    if header.is_null() {
        return;
    }
    assert!(header.get("crit").is_none(), "JOSE-6");
    assert_eq!(header["alg"], question.algorithm.as_str(), "JOSE-1");
    assert!((1..=8).contains(&question.keys.len()), "JOSE-12");
    assert_eq!(question.signed, format!("{}.{}", parts[0], parts[1]).into_bytes());
    assert_eq!(base64url::encode(&question.signature), parts[2]);
    assert!(question.keys.iter().all(|key| key.signs_in(question.signature.len())), "JOSE-8");
}

fn judged(token: &str) {
    let verdict = |signature| Signature::Asked(Verdict { signature, hash: HASH.to_vec() });
    for signature in [verdict(Ok(false)), verdict(Err(SubtleUnavailable))] {
        let error = ask(token, signature).expect_err("IDT-11: nobody made this signature");
        assert!(!error.failed().is_empty() && error.code().starts_with("id_token."));
        let checks = error.checks();
        assert_eq!(checks.len(), 17);
        assert!(checks.iter().all(|check| check.expected.len() + check.found.len() < LONGEST_WORDS));
    }
    if ask(token, verdict(Ok(true))).is_ok() {
        satisfies_the_rules(token);
    }
}

fn ask(token: &str, signature: Signature) -> Result<(), IdTokenError> {
    let asked = request();
    let verified = check_id_token(&IdToken::new(token), &asked, &key(), None, signature, NOW, ClockDifference(0))?;
    assert!(verified.checks().iter().all(|check| check.outcome != Outcome::Failed));
    Ok(())
}

fn satisfies_the_rules(token: &str) {
    let part =
        |index| oracle(&base64url::decode(token.split('.').nth(index).expect("three parts")).expect("base64url"));
    let [header, claims] = [part(0), part(1)];
    if header.is_null() || claims.is_null() {
        return;
    }
    assert!(["RS256", "ES256"].iter().any(|name| header["alg"] == *name), "JOSE-1");
    assert!(header["typ"].as_str().is_none_or(|typ| typ.eq_ignore_ascii_case("JWT")), "JOSE-10");
    assert_eq!(claims["iss"], ISSUER, "IDT-1");
    let audience = &claims["aud"];
    assert!(is_for(Some(audience), CLIENT_ID), "IDT-2");
    assert!(audience.as_array().is_none_or(|several| several.iter().all(|one| one == CLIENT_ID)), "IDT-2");
    assert!(claims["azp"].is_null() || claims["azp"] == CLIENT_ID, "IDT-3");
    let time = |name: &str| claims[name].as_f64();
    let now = NOW.0 as f64;
    assert!(time("exp").is_some_and(|exp| exp + 61.0 > now), "IDT-4");
    assert!(time("iat").is_some_and(|iat| iat < now + 61.0), "IDT-5");
    assert!(time("nbf").is_none_or(|nbf| nbf < now + 61.0), "IDT-6");
    assert!(claims["sub"].as_str().is_some_and(|sub| (1..=255).contains(&sub.len()) && sub.is_ascii()), "IDT-7");
    assert_eq!(claims["nonce"], NONCE, "IDT-8");
    assert!(time("auth_time").is_some_and(|time| time + 361.0 > now), "IDT-9");
    assert!(["urn:otp", "urn:pin"].iter().any(|acr| claims["acr"] == *acr), "IDT-9");
    assert!(claims["at_hash"].is_null() || claims["at_hash"] == base64url::encode(&HASH[..16]), "IDT-10");
}

/// What the pending request wants of the token: the exchange knows.
fn request() -> IdTokenRequest {
    let response = AuthorizationResponse::parse("/callback", &format!("code=x&state={STATE}"), "");
    let response = response.expect("it is well-formed").expect("it is a response");
    let grant = pending(false).complete(&response, NOW).expect("it answers the request");
    TokenRequest::new(grant).exchange.id_token.expect("openid was asked for")
}

/// A key of each kind that is allowed, and one that is not.
fn keys() -> JwkSet {
    let coordinate = base64url::encode(&[5; 32]);
    let modulus = base64url::encode(&[0xc5; 256]);
    let document = format!(
        r#"{{ "keys": [ {{ "kty": "EC", "crv": "P-256", "x": "{coordinate}", "y": "{coordinate}", "kid": "1" }},
        {{ "kty": "RSA", "n": "{modulus}", "e": "AQAB", "kid": "2" }},
        {{ "kty": "OKP", "crv": "Ed25519", "x": "{coordinate}" }} ] }}"#
    );
    JwkSet::read(&value(&document)).expect("a key set")
}

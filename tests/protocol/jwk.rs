//! Key sets: which keys are relied on, and for what.

use leptos_pkce::protocol::algorithm::{Algorithm, Hash, NAMES};
use leptos_pkce::protocol::base64url;
use leptos_pkce::protocol::jwk::{Jwk, JwkSet, MOST_KEYS};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::id_tokens::key;
use crate::jws::set;
use crate::scenario::value;
use crate::vectors::shared;

/// An RSA key with this modulus, of which every octet but the last is `octet`.
fn rsa(octets: usize, octet: u8) -> Value {
    let mut modulus = vec![octet; octets];
    if let Some(last) = modulus.last_mut() {
        *last |= 1;
    }
    json!({ "kty": "RSA", "n": base64url::encode(&modulus), "e": "AQAB", "kid": "1" })
}

fn ec(curve: &str, octets: usize) -> Value {
    let coordinate = base64url::encode(&vec![5; octets]);
    json!({ "kty": "EC", "crv": curve, "x": coordinate, "y": coordinate, "kid": "1" })
}

fn ed25519() -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url::encode(&[5; 32]), "kid": "1" })
}

fn with(key: &Value, member: &str, value: Value) -> Value {
    let mut key = key.clone();
    key[member] = value;
    key
}

/// The names of the algorithms that this key may verify; Ed25519 has two.
fn serves(key: &Value) -> Vec<&'static str> {
    let set = set(std::slice::from_ref(key));
    let serves = |algorithm: Algorithm| !set.candidates(algorithm, Some("1")).is_empty();
    NAMES.iter().filter(|(_, algorithm)| serves(*algorithm)).map(|(name, _)| *name).collect()
}

const NONE: [&str; 0] = [];

/// JOSE-3: a key verifies the algorithms of its kind and curve, and no others.
#[test]
fn a_key_serves_its_own_kind() {
    assert_eq!(serves(&rsa(256, 0xff)), ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]);
    for (curve, octets, name) in [("P-256", 32, "ES256"), ("P-384", 48, "ES384"), ("P-521", 66, "ES512")] {
        assert_eq!(serves(&ec(curve, octets)), [name]);
        for wrong in [octets - 1, octets + 1, 0] {
            assert_eq!(serves(&ec(curve, wrong)), NONE, "{curve}: {wrong}");
        }
    }
    for wrong in [json!(base64url::encode(&[5; 31])), json!(base64url::encode(&[5; 33])), json!("="), json!(null)] {
        for coordinate in ["x", "y"] {
            assert_eq!(serves(&with(&ec("P-256", 32), coordinate, wrong.clone())), NONE, "{coordinate}: {wrong}");
        }
    }
    assert_eq!(serves(&ed25519()), ["EdDSA", "Ed25519"]);
    for key in [
        ec("secp256k1", 32),
        ec("p-256", 32),
        with(&ed25519(), "crv", json!("X25519")),
        with(&ed25519(), "crv", json!("Ed448")),
        with(&ed25519(), "x", json!(base64url::encode(&[5; 31]))),
        with(&ed25519(), "kty", json!("EC")),
        with(&ec("P-256", 32), "kty", json!("RSA")),
        with(&ec("P-256", 32), "kty", json!("ec")),
        json!({ "kty": "oct", "k": "AAAA", "kid": "1" }),
        json!({ "kid": "1" }),
    ] {
        assert_eq!(serves(&key), NONE, "{key}");
    }
}

/// JOSE-3: where the key says `alg`, `use` or `key_ops` it is held to it.
#[test]
fn a_key_serves_what_it_says_it_is_for() {
    let good = ec("P-256", 32);
    for (member, accepted) in [
        ("alg", vec![json!("ES256"), json!(null)]),
        ("use", vec![json!("sig"), json!(null)]),
        ("key_ops", vec![json!(["verify"]), json!(["sign", "verify"]), json!(null)]),
    ] {
        for value in accepted {
            assert_eq!(serves(&with(&good, member, value.clone())), ["ES256"], "{member}: {value}");
        }
    }
    for (member, refused) in [
        (
            "alg",
            vec![json!("ES384"), json!("RS256"), json!("ECDH-ES"), json!("none"), json!("es256"), json!(5), json!([])],
        ),
        ("use", vec![json!("enc"), json!("SIG"), json!(""), json!(["sig"]), json!(5)]),
        ("key_ops", vec![json!(["sign"]), json!([]), json!(["encrypt"]), json!("verify"), json!({}), json!([5])]),
    ] {
        for value in refused {
            assert_eq!(serves(&with(&good, member, value.clone())), NONE, "{member}: {value}");
        }
    }
    assert_eq!(serves(&with(&rsa(256, 0xff), "alg", json!("PS256"))), ["PS256"]);
}

/// JOSE-5: a name is a text of at most 1024 octets, and a key that is called something else is none. Such keys used to be
/// asked for by a name that they do not have, so that they were not found whatever became of them.
#[test]
fn a_key_with_a_name_that_is_none_is_no_key() {
    let is_read = |kid: Value| Jwk::read(&value(&with(&ec("P-256", 32), "kid", kid).to_string())).is_some();
    for kid in [json!(null), json!(""), json!("1".repeat(1024))] {
        assert!(is_read(kid.clone()), "{kid}");
    }
    for wrong in [json!(1), json!(["1"]), json!({}), json!("1".repeat(1025)), json!("1".repeat(2000))] {
        assert!(!is_read(wrong.clone()), "{wrong}");
    }
}

/// RFC 7638 §3.1, RFC 9449 §6.1, RFC 8037 appendix A.3: a thumbprint is the hash of these members in this order.
#[test]
fn a_thumbprint_is_that_of_the_rfcs() {
    let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhM\
             stn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5ha\
             jrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    let (x, y) = ("l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs", "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA");
    for (key, thumbprint) in [
        (
            json!({ "kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29" }),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
        ),
        (json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y }), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"),
        (
            json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        ),
    ] {
        let read = Jwk::read(&value(&key.to_string())).expect("a key");
        assert_eq!(base64url::encode(&Sha256::digest(read.key().canonical().as_bytes())), thumbprint);
    }
}

/// JOSE-4, A19: at least 2048 bit, odd, without zeros in front; an exponent that is odd and at least 3.
#[test]
fn refuses_weak_rsa_keys() {
    for (key, serves_something) in [
        (rsa(256, 0xff), true),
        (rsa(256, 0x80), true),
        (rsa(257, 0x01), true),
        (rsa(512, 0xc5), true),
        (rsa(2048, 0xc5), true),
        (rsa(256, 0x7f), false),
        (rsa(255, 0xff), false),
        (rsa(128, 0xff), false),
        (rsa(64, 0xff), false),
        (rsa(2049, 0xff), false),
        (rsa(0, 0), false),
    ] {
        assert_eq!(!serves(&key).is_empty(), serves_something, "{}", key["n"].as_str().map_or(0, str::len));
    }
    let padded = [vec![0], vec![0xff; 256]].concat();
    let even = [vec![0xff; 255], vec![0xfe]].concat();
    for n in [base64url::encode(&padded), base64url::encode(&even), String::new(), "=".to_owned()] {
        assert_eq!(serves(&with(&rsa(256, 0xff), "n", json!(n))), NONE);
    }
    for (exponent, serves_something) in [
        (vec![3], true),
        (vec![17], true),
        (vec![1, 0, 1], true),
        (vec![0xff; 8], true),
        (vec![1], false),
        (vec![0], false),
        (vec![], false),
        (vec![2], false),
        (vec![1, 0, 0], false),
        (vec![0, 1, 0, 1], false),
        (vec![0, 1], false),
        (vec![0xff; 9], false),
    ] {
        let key = with(&rsa(256, 0xff), "e", json!(base64url::encode(&exponent)));
        assert_eq!(!serves(&key).is_empty(), serves_something, "{exponent:?}");
    }
}

/// JOSE-4, A19: a modulus that is a power of 65537 modulo every small prime, as CVE-2017-15361 makes them.
#[test]
fn refuses_a_modulus_with_the_mark_of_roca() {
    // 65537 to the 128th has that mark by its nature, and 2049 bit.
    let mut modulus = vec![1_u8];
    for _ in 0..128 {
        let shifted = [modulus.as_slice(), &[0, 0]].concat();
        let mut carry = 0;
        let mut sum: Vec<u8> = Vec::new();
        for place in 0..shifted.len() {
            let digit = |octets: &[u8]| octets.iter().rev().nth(place).map_or(0, |octet| u16::from(*octet));
            let total = digit(&shifted) + digit(&modulus) + carry;
            sum.push((total % 256) as u8);
            carry = total / 256;
        }
        if carry > 0 {
            sum.push(carry as u8);
        }
        sum.reverse();
        modulus = sum;
    }
    let of = |modulus: &[u8]| with(&rsa(256, 0xff), "n", json!(base64url::encode(modulus)));
    assert_eq!(modulus.len(), 257);
    assert_eq!(serves(&of(&modulus)), NONE);
    *modulus.last_mut().expect("octets") ^= 2;
    assert!(!serves(&of(&modulus)).is_empty(), "its neighbour has none");
}

/// JOSE-3, JOSE-4: Wycheproof's public keys: those that break a rule, and good ones.
#[test]
fn agrees_with_wycheproof_about_keys() {
    let Some(document) = shared("wycheproof/json_web_key_test.json") else { return };
    let document: Value = serde_json::from_str(&document.to_text()).expect("JSON");
    let (mut refused, mut accepted) = (Vec::new(), Vec::new());
    for group in document["testGroups"].as_array().expect("groups") {
        // A group without a public key is about shared secrets.
        let Some(keys) = group["public"]["keys"].as_array() else { continue };
        let set = set(keys);
        let is_usable = NAMES.iter().any(|(_, algorithm)| !set.candidates(*algorithm, None).is_empty());
        let numbers = group["tests"].as_array().expect("tests").iter().filter_map(|test| test["tcId"].as_u64());
        if is_usable { &mut accepted } else { &mut refused }.extend(numbers);
    }
    // 22 to 24: a point beside its curve is for WebCrypto to see; the other two have another curve and another kind.
    assert_eq!((refused, accepted), (vec![6, 7, 8, 9, 19, 20, 21, 23, 24], vec![5, 22]));
}

/// JOSE-14: a bad key beside good ones costs nothing but itself.
#[test]
fn a_bad_key_spoils_no_other() {
    let bad = [json!(null), json!("x"), json!({}), json!([]), json!({ "kty": "XYZ" }), rsa(64, 0xff), ec("P-256", 3)];
    let keys: Vec<Value> = bad.into_iter().chain([key("1"), rsa(256, 0xff)]).collect();
    let set = set(&keys);
    assert_eq!(set.candidates(Algorithm::Es(Hash::Sha256), Some("1")).len(), 1);
    assert_eq!(set.candidates(Algorithm::Rs(Hash::Sha256), Some("1")).len(), 1);
}

/// JOSE-14: what is no key set, or has more than a hundred keys, is none.
#[test]
fn refuses_what_is_no_key_set() {
    let read = |document: Value| JwkSet::read(&value(&document.to_string()));
    let many = |count: usize| json!({ "keys": vec![key("1"); count] });
    assert_eq!(MOST_KEYS, 100);
    assert!(read(many(100)).is_some() && read(many(0)).is_some());
    assert_eq!(read(many(101)), None);
    for document in [json!({}), json!({ "keys": {} }), json!({ "keys": "x" }), json!([key("1")]), json!(null), key("1")]
    {
        assert_eq!(read(document.clone()), None, "{document}");
    }
}

/// JOSE-8: what WebCrypto imports has the numbers and nothing else: no name, no purpose, no private member.
#[test]
fn hands_on_the_numbers_and_nothing_else() {
    let private = with(&key("1"), "d", json!("AAAA"));
    let found = set(&[private]).candidates(Algorithm::Es(Hash::Sha256), None);
    let (x, y) = (key("1")["x"].clone(), key("1")["y"].clone());
    assert_eq!(found[0].canonical(), format!(r#"{{"crv":"P-256","kty":"EC","x":{x},"y":{y}}}"#));
    assert!(Jwk::read(&value(&key("1").to_string())).is_some());
}

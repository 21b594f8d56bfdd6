//! The issuer's keys.

use leptos_pkce::protocol::algorithm::NAMES;
use leptos_pkce::protocol::base64url;
use leptos_pkce::protocol::json::Value;
use leptos_pkce::protocol::jwk::{JwkSet, PublicKey};
use leptos_pkce::protocol::keys::read_keys;
use leptos_pkce::protocol::url::Url;

use super::common::{document, oracle};

/// JOSE-3, JOSE-4, JOSE-12, JOSE-14, A16, A19: a key that may verify is strong, of the right kind, and for signatures.
pub fn check(data: &[u8]) {
    let jwks_uri = Url::parse("https://as.example/jwks").expect("a URL");
    let Ok((set, record)) = read_keys(&jwks_uri, document(data)) else { return };
    let again = Value::parse(record.to_text().as_bytes()).ok();
    assert_eq!(again.as_ref().and_then(JwkSet::read).as_ref(), Some(&set), "what is kept says the same");
    let there = oracle(data);
    if there.is_null() {
        return;
    }
    let there = there["keys"].as_array().map(Vec::as_slice).unwrap_or_default();
    assert!(there.len() <= 100, "JOSE-14");
    let names = there.iter().filter_map(|key| key["kid"].as_str());
    for kid in [None, Some("1")].into_iter().chain(names.map(Some)) {
        for (alg, algorithm) in NAMES {
            let candidates = set.candidates(algorithm, kid);
            assert!(candidates.len() <= 8, "JOSE-12");
            for key in candidates {
                is_usable(&key);
                assert!(there.iter().any(|whole| is_it(&key, whole) && is_for_it(whole, alg, kid)), "JOSE-3");
            }
        }
    }
}

fn is_usable(key: &PublicKey) {
    let octets = |text: &str| base64url::decode(text).expect("numbers are base64url");
    match key {
        PublicKey::Rsa { n, e } => {
            let (n, e) = (octets(n), octets(e));
            assert!(n.len() >= 256 && n[0] != 0 && (n.len() > 256 || n[0] >= 0x80), "JOSE-4");
            assert!(n.last().is_some_and(|last| last % 2 == 1) && e.last().is_some_and(|last| last % 2 == 1), "JOSE-4");
            assert!(e != [1] && !e.is_empty(), "JOSE-4");
        }
        PublicKey::Ec { curve, x, y } => {
            let length = curve.curve().1;
            assert!(octets(x).len() == length && octets(y).len() == length);
        }
        PublicKey::Ed25519 { x } => assert_eq!(octets(x).len(), 32),
    }
    let canonical: serde_json::Value = serde_json::from_str(&key.canonical()).expect("JSON");
    assert_eq!(canonical.to_string(), key.canonical(), "sorted, without white space");
}

/// Whether the numbers come from this key of the document.
fn is_it(key: &PublicKey, whole: &serde_json::Value) -> bool {
    let numbers: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&key.canonical()).expect("JSON");
    numbers.iter().all(|(name, number)| whole[name] == *number)
}

/// Whether a key of the document says that it may verify signatures of this algorithm.
fn is_for_it(whole: &serde_json::Value, alg: &str, kid: Option<&str>) -> bool {
    let absent_or = |name: &str, wanted: &str| whole[name].is_null() || whole[name] == wanted;
    let is_alg = absent_or("alg", alg)
        || (alg == "EdDSA" && whole["alg"] == "Ed25519")
        || (alg == "Ed25519" && whole["alg"] == "EdDSA");
    let operations = &whole["key_ops"];
    let verifies =
        operations.is_null() || operations.as_array().is_some_and(|all| all.iter().any(|one| one == "verify"));
    is_alg && verifies && absent_or("use", "sig") && kid.is_none_or(|kid| whole["kid"] == kid)
}

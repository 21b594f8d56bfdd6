//! Signed documents in compact form: what is taken apart, and which key is asked about it.

use leptos_pkce::protocol::algorithm::{Algorithm, Hash, NAMES};
use leptos_pkce::protocol::base64url;
use leptos_pkce::protocol::jwk::{JwkSet, PublicKey};
use leptos_pkce::protocol::jws::{Jws, JwsError, LONGEST, Unverifiable, Verification};
use serde_json::{Value, json};

use crate::id_tokens::{claims, compact, header, key, looked_at};
use crate::scenario::{Scenario, value};

const ES256: Algorithm = Algorithm::Es(Hash::Sha256);

/// The key set of these JWKs.
pub(crate) fn set(keys: &[Value]) -> JwkSet {
    JwkSet::read(&value(&json!({ "keys": keys }).to_string())).expect("a key set")
}

fn with_header(changes: &[(&str, Value)]) -> String {
    let mut whole = header();
    for (name, value) in changes {
        whole[*name] = value.clone();
    }
    compact(&whole, &claims())
}

#[track_caller]
fn parse(text: &str) -> Jws {
    Jws::parse(text).expect("a document in compact form")
}

/// What would be asked about a token with these members in its header, where ES256 is allowed.
fn asked(changes: &[(&str, Value)], keys: &[Value]) -> Result<Verification, Unverifiable> {
    parse(&with_header(changes)).verification(&[ES256], &set(keys))
}

/// JOSE-1, A13: `none` in any casing, and whatever else is not allowed to the letter.
#[test]
fn asks_nobody_about_an_algorithm_that_is_not_allowed() {
    let names = ["none", "None", "NONE", "nOnE", "", "es256", "ES256 ", " ES256", "ES384", "RS256", "EdDSA", "ES256K"];
    for alg in names.map(|name| json!(name)).into_iter().chain([json!(null), json!(["ES256"]), json!(0), json!({})]) {
        let found = asked(&[("alg", alg.clone())], &[key("1")]).expect_err("not allowed");
        assert!(matches!(found, Unverifiable::Algorithm(_)), "{alg}: {found}");
    }
    assert!(asked(&[], &[key("1")]).is_ok());
    assert!(matches!(parse(&with_header(&[])).verification(&[], &set(&[key("1")])), Err(Unverifiable::Algorithm(_))));
}

/// JOSE-1, JOSE-2, A14: a name with a shared secret is no algorithm here, even if metadata list it.
#[test]
fn knows_no_algorithm_with_a_shared_secret() {
    for name in ["HS256", "HS384", "HS512", "hs256", "none", "None", "A128KW", "dir", "RSA-OAEP", ""] {
        assert_eq!(Algorithm::parse(name), None, "{name}");
    }
    for (name, algorithm) in NAMES {
        assert_eq!(Algorithm::parse(name), Some(algorithm), "{name}");
        assert_eq!(Algorithm::parse(&name.to_lowercase()), None, "{name}");
    }
    assert_eq!(Algorithm::parse("Ed25519"), Algorithm::parse("EdDSA"));
    let confused = json!({ "kty": "oct", "k": "AAAA", "kid": "1", "alg": "HS256" });
    let found = asked(&[("alg", json!("HS256"))], &[confused, key("1")]);
    assert!(matches!(found, Err(Unverifiable::Algorithm(alg)) if alg == "HS256"));
}

/// JOSE-6, A17: whatever `crit` says, this client does not understand it.
#[test]
fn refuses_a_header_that_demands_understanding() {
    for crit in [json!(["b64"]), json!([]), json!("exp"), json!({}), json!(true), json!(null)] {
        assert_eq!(asked(&[("crit", crit.clone())], &[key("1")]).err(), Some(Unverifiable::Critical), "{crit}");
    }
    assert_eq!(
        asked(&[("crit", json!(["b64"])), ("b64", json!(false))], &[key("1")]).err(),
        Some(Unverifiable::Critical)
    );
}

/// JOSE-5, A15: a key that the token brings, or says where to find, is not looked at.
#[test]
fn takes_no_key_from_the_token() {
    let mine = key("mine");
    let named = [
        ("jwk", mine.clone()),
        ("jku", json!("https://evil.example/jwks")),
        ("x5u", json!("https://evil.example/x5c")),
        ("x5c", json!(["MIIB"])),
    ];
    let plain = asked(&[], &[key("1")]).expect("a question").keys;
    for (name, value) in named {
        let changes = [(name, value)];
        assert_eq!(asked(&changes, &[key("1")]).expect("a question").keys, plain, "{name}");
        assert_eq!(asked(&changes, &[]).err(), Some(Unverifiable::Key), "{name}");
    }
    assert_eq!(asked(&[("jwk", mine), ("kid", json!("mine"))], &[key("1")]).err(), Some(Unverifiable::Key));
}

/// JOSE-7, JOSE-9, A20: three parts in compact form, and no other serialization.
#[test]
fn reads_the_compact_form_only() {
    let good = with_header(&[]);
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = [parts[0], parts[1], parts[2]];
    for (text, error) in [
        (String::new(), JwsError::Parts { count: 1 }),
        (format!("{header}.{payload}"), JwsError::Parts { count: 2 }),
        (format!("{good}."), JwsError::Parts { count: 4 }),
        (format!("{good}.{payload}.{signature}"), JwsError::Encrypted),
        ("....".to_owned(), JwsError::Encrypted),
        ("{\"payload\":\"e30\",\"signatures\":[]}".to_owned(), JwsError::JsonSerialization),
        ("..".to_owned(), JwsError::Header),
        (format!(".{payload}.{signature}"), JwsError::Header),
        (format!("{}.{payload}.{signature}", base64url::encode(b"[]")), JwsError::Header),
        (format!("{}.{payload}.{signature}", base64url::encode(b"\xff{}")), JwsError::Header),
    ] {
        assert_eq!(Jws::parse(&text).err(), Some(error), "{text}");
    }
    for header in [r#"{"alg":"ES256","alg":"ES256"}"#, r#"{"alg":"ES256","\u0061lg":"none"}"#] {
        let text = format!("{}.{payload}.{signature}", base64url::encode(header.as_bytes()));
        assert_eq!(Jws::parse(&text).err(), Some(JwsError::Header), "JOSE-9: {header}");
    }
}

/// JOSE-7: base64url to the letter: one value has one text.
#[test]
fn reads_strict_base64url_only() {
    let good = with_header(&[]);
    for index in 0..3 {
        let spoiled = |spoil: &dyn Fn(&str) -> String| {
            let mut parts: Vec<String> = good.split('.').map(str::to_owned).collect();
            parts[index] = spoil(&parts[index]);
            parts.join(".")
        };
        let spoils: [&dyn Fn(&str) -> String; 7] = [
            &|part| format!("{part}="),
            &|part| format!("{part} "),
            &|part| format!(" {part}"),
            &|part| format!("{part}\n"),
            &|part| format!("{}+{}", &part[..4], &part[5..]),
            &|part| format!("{}%{}", &part[..4], &part[5..]),
            &|part| format!("{part}{}", "A".repeat(1 + (8 - part.len() % 4) % 4)),
        ];
        for (number, spoil) in spoils.into_iter().enumerate() {
            let text = spoiled(spoil);
            assert_eq!(Jws::parse(&text).err(), Some(JwsError::Base64url), "{index} {number}");
        }
    }
    // The last character of 64 octets holds two bits that are zero in the one right spelling.
    let (rest, last) = good.split_at(good.len() - 1);
    assert_eq!(last, "w");
    assert_eq!(Jws::parse(&format!("{rest}x")).err(), Some(JwsError::Base64url));
}

/// JOSE-15, A39: nothing longer than 64 KiB is looked at.
#[test]
fn looks_at_64_kib_at_most() {
    assert_eq!(LONGEST, 65_536);
    let long = |length: usize| "A".repeat(length - 2) + "..";
    assert_eq!(Jws::parse(&long(LONGEST)).err(), Some(JwsError::Header));
    assert_eq!(Jws::parse(&long(LONGEST + 1)).err(), Some(JwsError::TooLong { limit: LONGEST }));
}

/// JOSE-5, A16: `kid` is a name that is compared, whatever it says.
#[test]
fn a_kid_is_compared_and_nothing_else() {
    let keys = [key("1"), key("")];
    let long = "x".repeat(40_000);
    let names = [json!("2"), json!("1 "), json!(1), json!(true), json!(["1"]), json!({ "1": 1 }), json!("__proto__")];
    let paths = ["../../1", "' or '1'='1", "constructor", "https://evil.example/1", "\u{0}1", long.as_str()];
    for kid in names.into_iter().chain(paths.map(|kid| json!(kid))) {
        assert_eq!(asked(&[("kid", kid.clone())], &keys).err(), Some(Unverifiable::Key), "{kid}");
    }
    // Ten megabytes of x; to encode them octet by octet would take longer than all other tests.
    let endless =
        [&base64url::encode(br#"{ "kid":""#), &*"eHh4".repeat(3_333_333), &base64url::encode(br#""}"#)].concat();
    assert_eq!(Jws::parse(&format!("{endless}.e30.AA")).err(), Some(JwsError::TooLong { limit: LONGEST }));
    assert_eq!(asked(&[("kid", json!(""))], &keys).expect("a question").keys.len(), 1);
    let named = asked(&[("kid", json!("__proto__"))], &[key("__proto__")]);
    assert_eq!(named.expect("a question").keys.len(), 1, "a key may be called so");
}

/// JOSE-12: without a name the keys of its kind are tried, eight at most.
#[test]
fn a_token_without_kid_is_tried_with_each_key_of_its_kind() {
    let without = [("kid", Value::Null)];
    let several = |count: usize| -> Vec<Value> { (0..count).map(|number| key(&number.to_string())).collect() };
    for (count, tried) in [(1, 1), (2, 2), (8, 8), (9, 8), (100, 8)] {
        assert_eq!(asked(&without, &several(count)).expect("a question").keys.len(), tried, "{count}");
    }
    assert_eq!(asked(&without, &[]).err(), Some(Unverifiable::Key));
    let rsa = json!({ "kty": "RSA", "n": base64url::encode(&[0xff; 256]), "e": "AQAB" });
    let found = asked(&without, &[rsa, key("1")]).expect("a question").keys;
    assert!(matches!(found[..], [PublicKey::Ec { .. }]));
}

/// JOSE-8, A18: a signature has the length that its algorithm gives it: r and s, and not DER.
#[test]
fn a_signature_has_the_length_of_its_algorithm() {
    let curve = |name: &str, octets: usize| {
        let coordinate = base64url::encode(&vec![5; octets]);
        json!({ "kty": "EC", "crv": name, "x": coordinate, "y": coordinate })
    };
    let ed25519 = json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url::encode(&[5; 32]) });
    let rsa = |octets: usize| json!({ "kty": "RSA", "n": base64url::encode(&vec![0xff; octets]), "e": "AQAB" });
    for (alg, key, length) in [
        ("ES256", curve("P-256", 32), 64),
        ("ES384", curve("P-384", 48), 96),
        ("ES512", curve("P-521", 66), 132),
        ("EdDSA", ed25519.clone(), 64),
        ("Ed25519", ed25519, 64),
        ("RS256", rsa(256), 256),
        ("PS512", rsa(384), 384),
    ] {
        let signed = |length: usize| {
            let good = compact(&json!({ "alg": alg }), &claims());
            let (signed, _) = good.rsplit_once('.').expect("three parts");
            let text = format!("{signed}.{}", base64url::encode(&vec![7; length]));
            let allowed = [Algorithm::parse(alg).expect("an algorithm")];
            parse(&text).verification(&allowed, &set(std::slice::from_ref(&key)))
        };
        let question = signed(length).expect("a question");
        assert_eq!((question.signature.len(), question.keys.len()), (length, 1), "{alg}");
        for wrong in [0, 1, length - 1, length + 1, length + 6, 2 * length] {
            assert_eq!(signed(wrong).err(), Some(Unverifiable::SignatureLength), "{alg}: {wrong}");
        }
    }
}

/// JOSE-16: an access token is opaque: whatever is in it, it is taken as it is, and nobody looks into it.
#[test]
fn an_access_token_is_not_looked_into() {
    let expired =
        compact(&json!({ "alg": "none", "typ": "at+jwt" }), &json!({ "exp": 1, "aud": "other", "scope": "x" }));
    for token in [expired.as_str(), "a.b.c", "a.b.c.d.e", "{}", "e30.e30.", "null"] {
        let body = json!({ "access_token": token, "token_type": "Bearer" });
        let tab = Scenario::public_client().tokens(&body.to_string()).run();
        let session = tab.session().expect("a session");
        assert_eq!((session.access_token().expose(), session.expires_at()), (token, None));
        assert_eq!(session.granted_scope().map(|scope| scope.as_str()), Some("photos:read"));
        assert!(!tab.trace.contains(&"verify".to_owned()));
    }
}

/// JOSE-7: what a signature is over is the text as it came, and nothing of it is printed.
#[test]
fn the_question_is_about_the_text_as_it_came() {
    let text = with_header(&[]);
    let question = parse(&text).verification(&[ES256], &set(&[key("1")])).expect("a question");
    assert!(text.as_bytes().starts_with(&question.signed));
    assert_eq!((question.algorithm, question.hashed.is_none()), (ES256, true));
    assert_eq!(format!("{question:?} {:?}", parse(&text)), "Verification(ES256, 1 keys) Jws([redacted])");
}

/// JOSE-2, JOSE-12: the examples of RFC 7515, appendix A: each finds its own key among all of them; those of A.1 (a MAC)
/// and A.5 (`none`) find nothing.
#[test]
fn reads_the_examples_of_rfc_7515() {
    let Some(document) = crate::vectors::shared("rfc/rfc7515.json") else { return };
    let document: Value = serde_json::from_str(&document.to_text()).expect("JSON");
    let examples = document["vectors"].as_array().expect("examples");
    let keys: Vec<Value> = examples.iter().map(|example| example["jwk"].clone()).filter(Value::is_object).collect();
    let every_algorithm = NAMES.map(|(_, algorithm)| algorithm);
    for example in examples {
        let name = example["name"].as_str().expect("a name");
        let jws = parse(example["jws"].as_str().expect("a document"));
        let found = jws.verification(&every_algorithm, &set(&keys));
        if ["A.1 HS256", "A.5 none"].contains(&name) {
            assert!(matches!(found, Err(Unverifiable::Algorithm(_))), "{name}");
            continue;
        }
        let question = found.expect("a question");
        assert!(name.ends_with(question.algorithm.as_str()), "{name}");
        let [key] = &question.keys[..] else { panic!("{name}: one key") };
        let numbers: serde_json::Map<String, Value> = serde_json::from_str(&key.canonical()).expect("an object");
        assert!(numbers.len() >= 3, "{name}");
        for (member, value) in numbers {
            assert_eq!(example["jwk"][&member], value, "{name}: {member}");
        }
        if question.algorithm == ES256 {
            assert_eq!(looked_at(&question).signature, Ok(true), "{name}");
        }
    }
    assert_eq!(examples.len(), 5);
}

/// JOSE-1, JOSE-2, JOSE-3, JOSE-8, A13, A14, A18: Wycheproof's signed documents. MACs lead to no question; every valid document
/// of an asymmetric key does; and of ES256, which is computed here, exactly the valid ones hold.
#[test]
fn agrees_with_wycheproof_about_signed_documents() {
    let Some(document) = crate::vectors::shared("wycheproof/json_web_signature_test.json") else { return };
    let document: Value = serde_json::from_str(&document.to_text()).expect("JSON");
    let every_algorithm = NAMES.map(|(_, algorithm)| algorithm);
    let (mut macs, mut computed, mut others) = (0, 0, 0);
    for group in document["testGroups"].as_array().expect("groups") {
        let mac_key = json!({ "keys": [group["private"]] });
        let key = if group["public"].is_object() { &group["public"] } else { &mac_key["keys"][0] };
        for test in group["tests"].as_array().expect("tests") {
            let (number, text) = (test["tcId"].as_u64().expect("a number"), test["jws"].as_str().expect("a text"));
            let jws = Jws::parse(text).ok();
            let question = jws.map(|jws| jws.verification(&every_algorithm, &set(std::slice::from_ref(key))));
            let question = question.and_then(Result::ok);
            // A key is held to the algorithm it names: in the copies of RFC 7520 PS256 where PS384 signed, and "ES521".
            let is_valid = test["result"] == json!("valid") && ![346, 347, 350, 351].contains(&number);
            match (key["kty"].as_str(), key["crv"].as_str()) {
                (Some("oct"), _) => {
                    assert!(question.is_none(), "{number}");
                    macs += 1;
                }
                (Some("EC"), Some("P-256")) => {
                    let holds = question.is_some_and(|question| looked_at(&question).signature == Ok(true));
                    assert_eq!(holds, is_valid, "{number}");
                    computed += 1;
                }
                _ => {
                    assert!(question.is_some() || !is_valid, "{number}");
                    others += 1;
                }
            }
        }
    }
    assert_eq!((macs, computed, others), (40, 41, 320));
}

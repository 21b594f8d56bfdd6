//! The user info answer: plain, or signed as header and claims on a line each.

use leptos_pkce::protocol::base64url;
use leptos_pkce::protocol::json::Value;
use leptos_pkce::protocol::userinfo::{UserInfoAnswer, check_userinfo, read_userinfo};

use super::common::{CLIENT_ID, ISSUER, LONGEST_WORDS, SUB, answer, is_for, key, oracle, text};

/// RS-4, RS-5, A25: claims are about the person who is signed in and, if signed, for this client by this issuer.
pub fn check(data: &[u8]) {
    for (status, media_type) in [(200, "application/json"), (200, "application/jwt"), (200, "text/html"), (401, "")] {
        if let Ok(UserInfoAnswer::Plain(claims)) = read_userinfo(answer(status, media_type, data)) {
            assert_eq!((status, media_type), (200, "application/json"));
            if check_userinfo(claims, SUB, None).is_ok() {
                let there = oracle(data);
                assert!(there.is_null() || there["sub"] == SUB, "RS-4");
            }
        }
    }
    let compact = match text(data).and_then(|text| text.split_once('\n')) {
        Some((header, claims)) => {
            let [header, claims] = [header, claims].map(|part| base64url::encode(part.as_bytes()));
            format!("{header}.{claims}.AA").into_bytes()
        }
        None => data.to_vec(),
    };
    match read_userinfo(answer(200, "application/jwt", &compact)) {
        Ok(UserInfoAnswer::Signed(jws)) => {
            let Ok(claims) = Value::parse(jws.payload()) else { return };
            if check_userinfo(claims, SUB, Some(&key())).is_ok() {
                let there = oracle(jws.payload());
                let is_so = there["sub"] == SUB && there["iss"] == ISSUER && is_for(there.get("aud"), CLIENT_ID);
                assert!(there.is_null() || is_so, "RS-5");
            }
        }
        Ok(UserInfoAnswer::Plain(_)) => panic!("what says it is signed is not plain"),
        Err(error) => assert!(error.to_string().len() < LONGEST_WORDS),
    }
}

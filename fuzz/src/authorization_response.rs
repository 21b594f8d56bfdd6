//! The authorization response: `query#fragment`, matched to a pending request that is always the same.

use ::url::form_urlencoded;
use leptos_pkce::protocol::authorization_response::{AuthorizationResponse, CallbackError, may_be_response};
use leptos_pkce::protocol::form;
use leptos_pkce::protocol::token_request::TokenRequest;

use super::common::{ISSUER, LONGEST_WORDS, NOW, STATE, pending, text};

/// CB-1, CB-5, CB-6, CB-9, CB-14: who is believed has the state, once, from the right issuer, in the query.
pub fn check(data: &[u8]) {
    let Some(address) = text(data) else { return };
    let (query, fragment) = address.split_once('#').unwrap_or((address, ""));
    for is_iss_announced in [true, false] {
        let response = match AuthorizationResponse::parse("/callback", query, fragment) {
            Ok(Some(response)) => response,
            Ok(None) => {
                assert!(!may_be_response(query) && !may_be_response(fragment), "a response was overlooked");
                return;
            }
            Err(error) => return assert!(error.to_string().len() < LONGEST_WORDS),
        };
        let unknown = response.unknown_state();
        assert_eq!(unknown.to_string(), "no sign-in of this tab is waiting for this response");
        let debug = format!("{unknown:?}");
        let words = ["None", "Some(UnverifiedError)"].map(|error| format!("UnknownState {{ error: {error} }}"));
        assert!(words.contains(&debug), "anybody's words are shown");
        match pending(is_iss_announced).complete(&response, NOW) {
            Err(error) => {
                assert!(error.to_string().len() < LONGEST_WORDS);
                if let CallbackError::Refused(refusal) = error {
                    assert!(refusal.error.len() <= 100);
                    assert!([refusal.error_description, refusal.error_uri].iter().flatten().all(|it| it.len() <= 500));
                }
            }
            Ok(grant) => {
                let all = |name: &str| -> Vec<String> {
                    let pairs = form_urlencoded::parse(query.as_bytes());
                    pairs.filter(|(known, _)| known == name).map(|(_, value)| value.into_owned()).collect()
                };
                let said = |name: &str| all(name).iter().any(|value| !value.is_empty());
                assert_eq!(all("state"), [STATE], "the state is there once, and is the one that was sent");
                assert!(all("iss").iter().all(|iss| iss.is_empty() || iss == ISSUER), "another issuer answered");
                assert!(said("iss") || !is_iss_announced, "iss is missing");
                assert!(!said("error") && !said("access_token") && !said("id_token"), "not what was asked for");
                assert!(!fragment.split('&').any(|pair| pair.starts_with("access_token=")), "a token in the fragment");
                let body = TokenRequest::new(grant).http.body.expect("a form");
                assert!(body.len() <= 3 * query.len() + LONGEST_WORDS);
                let sent = form::decode(&body).expect("each parameter is there once");
                assert_eq!(all("code"), [form::value(&sent, "code").expect("a code")], "the code is sent as it came");
            }
        }
    }
}

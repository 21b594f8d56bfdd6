//! `WWW-Authenticate`: the grammar against a corpus, and what a denial means.

use leptos_pkce::protocol::challenge::{Challenge, Denial, Reason, Source, StepUp, TokenScheme, parse};
use leptos_pkce::protocol::http::HttpResponse;
use leptos_pkce::protocol::time::Seconds;
use leptos_pkce::protocol::vocabulary::Scope;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use crate::properties::for_all;

fn challenge(scheme: &str, parameters: &[(&str, &str)]) -> Challenge {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Challenge { scheme: scheme.into(), token68: None, parameters: parameters.iter().map(owned).collect() }
}

fn with_token68(scheme: &str, token68: &str) -> Challenge {
    Challenge { scheme: scheme.into(), token68: Some(token68.into()), parameters: vec![] }
}

#[track_caller]
fn assert_reads(value: &str, challenges: &[Challenge]) {
    assert_eq!(parse(value), challenges, "{value}");
}

fn answer(status: u16, challenge: Option<&str>, body: &str) -> HttpResponse {
    let challenge = challenge.map(|value| ("www-authenticate".to_owned(), value.to_owned()));
    let media_type = ("content-type".to_owned(), "application/json".to_owned());
    HttpResponse { status, headers: challenge.into_iter().chain([media_type]).collect(), body: body.into() }
}

fn denial(status: u16, challenge: &str) -> Denial {
    Denial::of(&answer(status, Some(challenge), "")).expect("a denial")
}

fn reason(challenge: &str) -> Reason {
    denial(401, challenge).reason
}

fn scope(text: &str) -> Option<Scope> {
    Some(Scope::parse(text).expect("a scope"))
}

/// RS-10: RFC 9110 §11.6.1, two challenges with a comma between them, commas and quotation marks within.
#[test]
fn reads_the_example_of_rfc_9110() {
    let value = r#"Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\"""#;
    let newauth = challenge("newauth", &[("realm", "apps"), ("type", "1"), ("title", "Login to \"apps\"")]);
    assert_reads(value, &[challenge("basic", &[("realm", "simple")]), newauth.clone()]);
    let value = r#"Newauth realm="apps", type=1, title="Login to \"apps\"", Basic realm="simple""#;
    assert_reads(value, &[newauth, challenge("basic", &[("realm", "simple")])]);
}

/// RS-10: the examples of the specifications for access tokens.
#[test]
fn reads_the_examples_of_the_token_schemes() {
    assert_reads(r#"Bearer realm="example""#, &[challenge("bearer", &[("realm", "example")])]);
    let expired = [("realm", "example"), ("error", "invalid_token"), ("error_description", "The access token expired")];
    let value = r#"Bearer realm="example", error="invalid_token", error_description="The access token expired""#;
    assert_reads(value, &[challenge("bearer", &expired)]);
    assert_reads(r#"DPoP algs="ES256 PS256""#, &[challenge("dpop", &[("algs", "ES256 PS256")])]);
    let binding = [("error", "invalid_token"), ("error_description", "Invalid DPoP key binding"), ("algs", "ES256")];
    let value = r#"DPoP error="invalid_token", error_description="Invalid DPoP key binding", algs="ES256""#;
    assert_reads(value, &[challenge("dpop", &binding)]);
    let value = r#"Bearer, DPoP algs="ES256""#;
    assert_reads(value, &[challenge("bearer", &[]), challenge("dpop", &[("algs", "ES256")])]);
    let metadata = "https://resource.example.com/.well-known/oauth-protected-resource";
    let value = format!("Bearer resource_metadata=\"{metadata}\"");
    assert_reads(&value, &[challenge("bearer", &[("resource_metadata", metadata)])]);
}

/// RS-10: what the grammar allows, however odd it looks.
#[test]
fn reads_whatever_the_grammar_allows() {
    let a_b = || challenge("x", &[("a", "b")]);
    for value in [
        "X a=b",
        "X a=\"b\"",
        "X a=\"\\b\"",
        "x A=b",
        "X   a=b",
        "X a = b",
        "X a\t=\t\"b\"\t",
        "X a=b,",
        ",, ,X a=b, ,",
        "X ,a=b",
        "X , , a=b",
        "\tX\ta=b",
    ] {
        assert_reads(value, &[a_b()]);
    }
    for (value, expected) in [
        ("", vec![]),
        (" ,\t,, ", vec![]),
        ("Negotiate", vec![challenge("negotiate", &[])]),
        ("Negotiate ", vec![challenge("negotiate", &[])]),
        ("Negotiate, NTLM", vec![challenge("negotiate", &[]), challenge("ntlm", &[])]),
        ("Negotiate a874+/_-.~==", vec![with_token68("negotiate", "a874+/_-.~==")]),
        ("Negotiate YQ==, X a=b", vec![with_token68("negotiate", "YQ=="), a_b()]),
        ("Negotiate YQ\t,,X a=b", vec![with_token68("negotiate", "YQ"), a_b()]),
        ("X a=", vec![with_token68("x", "a=")]),
        ("X a==", vec![with_token68("x", "a==")]),
        ("X a=\"\"", vec![challenge("x", &[("a", "")])]),
        ("X a=\"b, Y c=d\"", vec![challenge("x", &[("a", "b, Y c=d")])]),
        ("X a=\"\\\\\\\"\\,\"", vec![challenge("x", &[("a", "\\\",")])]),
        ("X a=\"b\tc\"", vec![challenge("x", &[("a", "b\tc")])]),
        ("X a=\"schön \\ü\"", vec![challenge("x", &[("a", "schön ü")])]),
        ("X a=1, Y, Z b=2", vec![challenge("x", &[("a", "1")]), challenge("y", &[]), challenge("z", &[("b", "2")])]),
        ("X a=b, x a=c", vec![a_b(), challenge("x", &[("a", "c")])]),
        ("!#$%&'*+-.^_`|~9 a=b", vec![challenge("!#$%&'*+-.^_`|~9", &[("a", "b")])]),
    ] {
        assert_reads(value, &expected);
    }
}

/// RS-10: several fields, joined by a comma as Fetch says, or by a line feed.
#[test]
fn reads_fields_that_were_joined() {
    let both = [challenge("bearer", &[("error", "invalid_token")]), challenge("dpop", &[("algs", "ES256")])];
    assert_reads("Bearer error=\"invalid_token\", DPoP algs=ES256", &both);
    assert_reads("Bearer error=\"invalid_token\"\nDPoP algs=ES256", &both);
}

/// RS-10: what cannot be read ends the list; what was read before it is kept.
#[test]
fn stops_at_what_cannot_be_read() {
    for rest in [
        ", c=",
        ", c=\"",
        ", c=\"d",
        ", c=\"d\\",
        ", c=\"d\\\"",
        ", c=\"d\"e",
        ", c=\"d\" e=\"f\"",
        ", c=d e=f",
        ", c=https://as.example",
        ", c=\"\u{0}\"",
        ", c=\"\u{7f}\"",
        ", c=\"\\\u{1}\"",
        ", c=\"d\ne\"",
        ", =d",
        ", \"c\"=d",
        ", ü=d",
        ", Y@z c=d",
        ", (Y) c=d",
    ] {
        assert_reads(&format!("X a=b{rest}"), &[challenge("x", &[("a", "b")])]);
    }
    for nothing in ["=", "a=b", "\"X\" a=b", "Ünicode a=b", "X@ a=b", "\u{0}", "(", "=X a=b"] {
        assert_reads(nothing, &[]);
    }
    // The scheme is read before its parameters are.
    for rest in ["a=b; c=d", "a=\"b", "Y a=b", "a:b", "YQ==YQ"] {
        assert_reads(&format!("X {rest}"), &[challenge("x", &[])]);
    }
    // A parameter has no place beside a token68, and a word alone is a scheme.
    assert_reads("X YQ==, a=b, Y c=d", &[with_token68("x", "YQ==")]);
    assert_reads("X a=b, error_descr", &[challenge("x", &[("a", "b")]), challenge("error_descr", &[])]);
}

/// RS-10: a challenge that says something twice is left out, its neighbours are not.
#[test]
fn leaves_out_a_challenge_with_a_parameter_twice() {
    let neighbours = [challenge("x", &[("a", "b")]), challenge("z", &[("a", "b")])];
    assert_reads("X a=b, Y c=d, C=\"d\", e=f, Z a=b", &neighbours);
    assert_reads("Bearer scope=a, error=x, scope=b", &[]);
    let refused = Denial::of(&answer(401, Some("Bearer error=invalid_token, error=invalid_token"), ""));
    assert_eq!(refused.map(|denial| denial.reason), Some(Reason::Hidden));
}

/// RS-10: length, challenges and parameters are bounded.
#[test]
fn reads_no_more_than_its_bounds() {
    assert_eq!(parse(&"X a=\"b\", ".repeat(12_000)), []);
    assert_eq!(parse(&"\\\"".repeat(50_000)), []);
    assert_eq!(parse(&format!("X a=\"{}\"", "b".repeat(100_000))), []);
    let longest = format!("X a=\"{}\"", "b".repeat(8 * 1024 - 6));
    assert_eq!((longest.len(), parse(&longest).len()), (8 * 1024, 1));
    assert_eq!(parse(&format!("{longest} ")), []);

    assert_eq!(parse(&"X, ".repeat(100)).len(), 32);
    let parameters: Vec<String> = (0..100).map(|number| format!("p{number}=v")).collect();
    let read = parse(&format!("X {}", parameters.join(", ")));
    assert_eq!(read.iter().map(|challenge| challenge.parameters.len()).collect::<Vec<_>>(), [32]);
}

/// RS-10: each registered error by its name, whatever the case of scheme and parameter.
#[test]
fn names_the_reason() {
    for (error, expected) in [
        ("invalid_request", Reason::InvalidRequest),
        ("invalid_token", Reason::InvalidToken),
        ("insufficient_scope", Reason::InsufficientScope { scope: None }),
        ("insufficient_user_authentication", Reason::StepUp(StepUp::default())),
        ("invalid_dpop_proof", Reason::InvalidDpopProof),
        ("use_dpop_nonce", Reason::UseDpopNonce),
        ("Invalid_Token", Reason::Other { error: "Invalid_Token".into() }),
    ] {
        assert_eq!(reason(&format!("Bearer error=\"{error}\"")), expected);
        assert_eq!(reason(&format!("dPoP realm=x, ERROR={error}")), expected);
    }
    let long = "e".repeat(1000);
    assert_eq!(reason(&format!("Bearer error={long}")), Reason::Other { error: "e".repeat(100) });
    assert_eq!(reason("Bearer realm=\"example\""), Reason::Bare);
    assert_eq!(reason("Bearer error=\"\""), Reason::Bare);
    assert_eq!(reason("Basic error=\"invalid_token\""), Reason::Bare);
    assert_eq!(reason("Basic realm=x, Bearer realm=y, DPoP error=use_dpop_nonce"), Reason::UseDpopNonce);
    let cut_short = "Bearer error=\"invalid_token\", error_description=\"The access tok";
    assert_eq!(denial(401, cut_short).reason, Reason::InvalidToken);
    assert_eq!(denial(401, cut_short).description, None);
}

/// DP-3: which kinds of token the API asks for, in its order and whatever their case.
#[test]
fn names_the_schemes_that_are_asked_for() {
    let schemes = |value: &str| denial(401, value).schemes;
    assert_eq!(schemes("Bearer realm=a, DPOP algs=ES256, bearer realm=b"), [TokenScheme::Bearer, TokenScheme::Dpop]);
    assert_eq!(schemes("Basic realm=a, dpop algs=ES256"), [TokenScheme::Dpop]);
    assert_eq!(schemes("Basic realm=a"), []);
}

/// RS-10: RFC 9728 §5.1; the location is handed on as it was written, whichever challenge has it.
#[test]
fn hands_on_the_location_of_the_metadata() {
    let location = "https://resource.example.com/.well-known/oauth-protected-resource";
    let denied = denial(401, &format!("Bearer error=\"invalid_token\", resource_metadata=\"{location}\""));
    assert_eq!(denied.resource_metadata.as_deref(), Some(location));
    let denied = denial(401, &format!("Bearer, Other resource_metadata=\"{location}\""));
    assert_eq!((denied.reason, denied.resource_metadata.as_deref()), (Reason::Bare, Some(location)));
}

/// RS-10: only what refuses is a denial.
#[test]
fn other_answers_are_no_denial() {
    for status in [200, 204, 400, 404, 407, 429, 500] {
        assert_eq!(Denial::of(&answer(status, None, r#"{"error":"invalid_token"}"#)), None, "{status}");
    }
    for status in [200, 404, 500] {
        assert_eq!(Denial::of(&answer(status, Some("Bearer error=invalid_token"), "")), None, "{status}");
    }
    let denied = denial(400, r#"Bearer error="invalid_request", error_description="Two tokens""#);
    assert_eq!((denied.status, &denied.reason), (400, &Reason::InvalidRequest));
    assert_eq!(denied.description.as_deref(), Some("Two tokens"));
    assert!(!denied.calls_for_new_token());
}

/// RFC 6750 §3.1: of what a server may say about a token, only that it is no good calls for another one.
#[test]
fn an_invalid_token_calls_for_a_new_one() {
    for (challenge, calls) in [
        ("Bearer error=invalid_token", true),
        ("DPoP error=invalid_token", true),
        ("Bearer realm=photos", true),
        ("Bearer error=invalid_request", false),
        ("DPoP error=invalid_dpop_proof", false),
        ("Bearer error=something_else", false),
    ] {
        assert_eq!(denial(401, challenge).calls_for_new_token(), calls, "{challenge}");
    }
    assert!(denial(403, "Bearer error=invalid_token").calls_for_new_token());
    assert!(!denial(403, "Bearer realm=photos").calls_for_new_token());
}

/// RS-8: a scope that is too narrow is no matter of a new token; what is needed is said.
#[test]
fn an_insufficient_scope_calls_for_no_new_token() {
    let denied = denial(403, r#"Bearer error="insufficient_scope", scope="photos:read photos:write""#);
    assert_eq!(denied.reason, Reason::InsufficientScope { scope: scope("photos:read photos:write") });
    assert!(!denied.calls_for_new_token());
    // Not even beside a 401, and a scope that is none is not handed on.
    let denied = denial(401, r#"Bearer error="insufficient_scope", scope="a  b""#);
    assert_eq!(denied.reason, Reason::InsufficientScope { scope: None });
    assert!(!denied.calls_for_new_token());
}

/// RS-9: the examples of RFC 9470 §3, and values that are none.
#[test]
fn reads_what_a_step_up_asks_for() {
    let step_up = |parameters: &str| match reason(&format!(
        "Bearer error=\"insufficient_user_authentication\", error_description=\"A different level\"{parameters}"
    )) {
        Reason::StepUp(step_up) => step_up,
        other => panic!("{other:?}"),
    };
    let asked = step_up(", acr_values=\"myACR\"");
    assert_eq!(asked, StepUp { acr_values: vec!["myACR".into()], max_age: None, scope: None });
    let asked = step_up(", max_age=\"5\"");
    assert_eq!(asked, StepUp { acr_values: vec![], max_age: Some(Seconds(5)), scope: None });
    let asked = step_up(", acr_values=\" urn:a  urn:b\", max_age=0, scope=\"purchase\"");
    let acr_values = vec!["urn:a".to_owned(), "urn:b".to_owned()];
    assert_eq!(asked, StepUp { acr_values, max_age: Some(Seconds(0)), scope: scope("purchase") });
    for wrong in ["", "-1", "+5", "5.0", "5s", " 5", "1e3", "99999999999999999999"] {
        assert_eq!(step_up(&format!(", max_age=\"{wrong}\"")).max_age, None, "{wrong}");
    }
    assert!(!denial(401, "Bearer error=insufficient_user_authentication").calls_for_new_token());
}

/// RS-10: CORS hides the field unless the server exposes it; then the status decides.
#[test]
fn a_hidden_challenge_leaves_the_status() {
    for (status, body, calls) in [(401, "", true), (403, "", false), (401, "{}", true), (401, r#"{"error":5}"#, true)] {
        let denied = Denial::of(&answer(status, None, body)).expect("a denial");
        assert_eq!((denied.status, &denied.reason, denied.source), (status, &Reason::Hidden, Source::Status));
        assert_eq!((denied.calls_for_new_token(), denied.schemes.len()), (calls, 0));
    }
    assert_eq!(Denial::of(&answer(401, Some("\u{0}"), "")).map(|denied| denied.reason), Some(Reason::Hidden));
}

/// RS-8, RS-10: an error in the body is a hint, where no challenge can be read.
#[test]
fn a_body_may_hint_at_what_is_hidden() {
    let body = r#"{"error":"insufficient_scope","error_description":"Ask for more","scope":"photos:write"}"#;
    let denied = Denial::of(&answer(401, None, body)).expect("a denial");
    assert_eq!(denied.reason, Reason::InsufficientScope { scope: scope("photos:write") });
    assert_eq!((denied.source, denied.description.as_deref()), (Source::Body, Some("Ask for more")));
    assert!(!denied.calls_for_new_token());
    // A challenge that can be read has the last word, and so does the media type.
    let denied = Denial::of(&answer(401, Some("Bearer"), body)).expect("a denial");
    assert_eq!((denied.reason, denied.source), (Reason::Bare, Source::Challenge));
    let html = HttpResponse { headers: vec![("content-type".into(), "text/html".into())], ..answer(401, None, body) };
    assert_eq!(Denial::of(&html).map(|denied| denied.source), Some(Source::Status));
}

/// RS-10: whatever arrives is read without panic, within the bounds, and names are unique and in lower case.
#[test]
fn reading_is_total() {
    let pieces = prop_oneof![
        any::<String>(),
        "[ -~]{0,12}",
        "[\"\\\\,= \t\n]{1,4}",
        "(Bearer|DPoP|Basic|X) ",
        "(error|scope|a)=(\"[a-z ]{0,5}\"|[a-z]{0,5}),? ?",
    ];
    for_all(vec(pieces, 0..12), |pieces| {
        let value = pieces.concat();
        let read = parse(&value);
        prop_assert!(read.len() <= 32);
        for challenge in &read {
            prop_assert!(!challenge.scheme.is_empty() && challenge.parameters.len() <= 32);
            prop_assert!(challenge.token68.is_none() || challenge.parameters.is_empty());
            for (index, (name, _)) in challenge.parameters.iter().enumerate() {
                prop_assert_eq!(name, &name.to_ascii_lowercase());
                prop_assert!(challenge.parameters[..index].iter().all(|(other, _)| other != name));
            }
        }
        for status in [400, 401, 403] {
            let _ = Denial::of(&answer(status, Some(&value), &value));
        }
        Ok(())
    });
}

/// RS-10: challenges that are written down read as what they were, whatever their quoting, case and blanks.
#[test]
fn what_is_written_reads_as_it_was() {
    let name = || "[a-z!#$%&'*+.^_`|~-][a-z0-9]{0,6}";
    let value = prop_oneof!["[a-zA-Z0-9]{1,6}", "[ -~\t]{0,10}", "[ -~äöü€]{0,10}"];
    let token68 = "[a-zA-Z0-9._~+/-]{1,10}={0,2}";
    let body = prop_oneof![
        1 => token68.prop_map(|token68| (Some(token68), Vec::new())),
        3 => btree_map(name(), value, 0..4).prop_map(|map| (None, map.into_iter().collect())),
    ];
    let one = (name(), body).prop_map(|(scheme, (token68, parameters))| Challenge { scheme, token68, parameters });
    let style = (any::<bool>(), any::<bool>(), prop_oneof![Just(","), Just(", "), Just(" ,\t, "), Just("\n")]);
    for_all((vec(one, 0..5), style), |(challenges, (is_upper, is_escaped, separator))| {
        let mut elements: Vec<String> = Vec::new();
        let cased = |text: &str| if is_upper { text.to_ascii_uppercase() } else { text.to_owned() };
        for Challenge { scheme, token68, parameters } in &challenges {
            let mut start = cased(scheme);
            if let Some(token68) = token68 {
                start = format!("{start} {token68}");
            }
            elements.push(start);
            for (index, (name, value)) in parameters.iter().enumerate() {
                let parameter = format!("{}{}", cased(name), written(value, is_escaped));
                match elements.last_mut() {
                    Some(start) if index == 0 => *start = format!("{start} {parameter}"),
                    _ => elements.push(parameter),
                }
            }
        }
        prop_assert_eq!(parse(&elements.join(separator)), challenges);
        Ok(())
    });
}

/// `=value`, as a token if it is one and escapes are not wanted.
fn written(value: &str, is_escaped: bool) -> String {
    let is_token = !value.is_empty() && value.bytes().all(|octet| octet.is_ascii_alphanumeric());
    if is_token && !is_escaped {
        return format!("={value}");
    }
    let escape = |character: char| match character {
        '"' | '\\' => format!("\\{character}"),
        _ if is_escaped => format!("\\{character}"),
        _ => character.to_string(),
    };
    format!(" = \"{}\"", value.chars().map(escape).collect::<String>())
}

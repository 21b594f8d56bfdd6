//! `WWW-Authenticate`: the field, and after an empty line a body, as an API's refusal has them.

use leptos_pkce::protocol::challenge::{Challenge, Denial, Reason, Source, parse};
use leptos_pkce::protocol::http::HttpResponse;

use super::common::text;

/// RS-8 to RS-10, A39: reading ends, within bounds, and what was read reads the same when it is written down.
pub fn check(data: &[u8]) {
    let Some(whole) = text(data) else { return };
    let (field, body) = whole.split_once("\n\n").unwrap_or((whole, ""));
    let challenges = parse(field);
    assert!(challenges.len() <= 32 && (challenges.is_empty() || field.len() <= 8192));
    for challenge in &challenges {
        is_in_order(challenge);
    }
    let written: Vec<String> = challenges.iter().map(written).collect();
    let written = written.join(", ");
    if written.len() <= 8192 {
        assert_eq!(parse(&written), challenges, "written as {written}");
    }
    for status in [200, 400, 401, 403, 404] {
        denied(status, field, body, challenges.is_empty());
    }
}

fn is_in_order(challenge: &Challenge) {
    assert!(challenge.parameters.len() <= 32 && (challenge.token68.is_none() || challenge.parameters.is_empty()));
    assert!(!challenge.scheme.is_empty() && !challenge.scheme.bytes().any(|octet| octet.is_ascii_uppercase()));
    for (index, (name, value)) in challenge.parameters.iter().enumerate() {
        assert!(!name.is_empty() && !name.bytes().any(|octet| octet.is_ascii_uppercase()));
        assert!(challenge.parameters[..index].iter().all(|(known, _)| known != name), "a parameter is there once");
        assert!(!value.bytes().any(|octet| octet.is_ascii_control() && octet != b'\t'));
    }
}

fn written(challenge: &Challenge) -> String {
    let quoted =
        |(name, value): &(String, String)| format!("{name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""));
    let rest = match &challenge.token68 {
        Some(token68) => token68.clone(),
        None => challenge.parameters.iter().map(quoted).collect::<Vec<_>>().join(", "),
    };
    format!("{} {rest}", challenge.scheme)
}

fn denied(status: u16, field: &str, body: &str, is_hidden: bool) {
    let headers = [("www-authenticate", field), ("content-type", "application/json")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let Some(denial) = Denial::of(&HttpResponse { status, headers, body: body.into() }) else {
        return assert!(![401, 403].contains(&status));
    };
    assert!(status == 401 || status == 403 || (status == 400 && !is_hidden));
    assert_eq!(denial.source == Source::Challenge, !is_hidden, "the body counts only where no challenge can be read");
    assert!(denial.description.as_ref().is_none_or(|words| words.len() <= 500));
    assert!(denial.schemes.len() <= 2);
    let mends = denial.calls_for_new_token();
    match denial.reason {
        Reason::InsufficientScope { .. } | Reason::StepUp(_) => assert!(!mends, "RS-8, RS-9"),
        Reason::Other { error } => assert!(!mends && error.len() <= 100),
        Reason::InvalidToken => assert!(mends),
        Reason::Bare | Reason::Hidden => assert_eq!(mends, status == 401),
        _ => assert!(!mends),
    }
}

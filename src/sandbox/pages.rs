//! The pages that people see at the server: login, consent, sign-out, and what cannot go on.
//!
//! Rule: whatever came from outside is escaped, and the policy of each page admits its one stylesheet and no script.

use super::Turn;
use super::authentication::Level;
use super::authorization_request::AuthorizationRequest;
use super::clients::Client;
use super::crypto::{Crypto, CryptoFailure};
use super::http::Response;
use super::people::{self, PEOPLE};

const STYLE: &str = include_str!("style.css");

/// What a request for the higher level adds to the login page: it is made up, as the people are.
const SECOND_STEP: &str = "<fieldset><legend>Second step</legend><label><input type=\"checkbox\" name=\"otp\" \
    value=\"1\" checked disabled><span>The app asks for one. Let us say that you typed the number on your phone.</span></label></fieldset>";

/// Asks who somebody is.
pub(super) async fn login<C: Crypto>(
    turn: &Turn<'_, C>,
    request: &AuthorizationRequest,
    form_value: &str,
) -> Result<Response, CryptoFailure> {
    let hinted = |username: &str| request.login_hint.as_deref() == Some(username);
    let has_hint = PEOPLE.iter().any(|person| hinted(person.username));
    let mut choices = String::new();
    for (index, person) in PEOPLE.iter().enumerate() {
        let checked = if hinted(person.username) || (index == 0 && !has_hint) { " checked autofocus" } else { "" };
        choices += &format!(
            "<label><input type=\"radio\" name=\"username\" value=\"{username}\"{checked}><span>{name} <code>{username}</code></span></label>",
            username = person.username,
            name = escape(person.name),
        );
    }
    let body = format!(
        "<h1>Sign in to the sandbox</h1><p>For {client}. These people are made up; nothing leaves this browser.</p>\
         <form method=\"post\" action=\"{action}\"><input type=\"hidden\" name=\"form_value\" value=\"{form_value}\">\
         <fieldset><legend>Who are you?</legend>{choices}</fieldset>{step}\
         <div class=\"actions\"><button class=\"main\">Continue</button><button name=\"cancel\" value=\"1\">Cancel</button></div></form>",
        client = escape(client_name(turn, request)),
        step = if request.level == Some(Level::Otp) { SECOND_STEP } else { "" },
        action = turn.endpoint("login"),
    );
    page(turn, 200, "Sign in", &body).await
}

/// Asks what a client may do.
pub(super) async fn consent<C: Crypto>(
    turn: &Turn<'_, C>,
    request: &AuthorizationRequest,
    form_value: &str,
    sub: &str,
) -> Result<Response, CryptoFailure> {
    let items: String = request.scope.split_whitespace().map(|token| format!("<li>{}</li>", meaning(token))).collect();
    let items = if items.is_empty() { "<li>Nothing but that you signed in</li>".to_owned() } else { items };
    let body = format!(
        "<h1>Allow {client}?</h1><p>You are {person}. It asks for:</p><ul>{items}</ul>\
         <form method=\"post\" action=\"{action}\"><input type=\"hidden\" name=\"form_value\" value=\"{form_value}\">\
         <div class=\"actions\"><button class=\"main\" name=\"allow\" value=\"1\">Allow</button><button>Deny</button></div></form>",
        client = escape(client_name(turn, request)),
        person = escape(people::by_sub(sub).map_or(sub, |person| person.name)),
        action = turn.endpoint("consent"),
    );
    page(turn, 200, "Consent", &body).await
}

/// Asks whether somebody wants to sign out.
pub(super) async fn sign_out<C: Crypto>(
    turn: &Turn<'_, C>,
    client: Option<&Client>,
    form_value: &str,
    sub: &str,
) -> Result<Response, CryptoFailure> {
    let asked = client.map(|client| format!(" {} asks you to.", escape(&sentence(client.name)))).unwrap_or_default();
    let body = format!(
        "<h1>Sign out of the sandbox?</h1><p>You are {person}.{asked}</p>\
         <form method=\"post\" action=\"{action}\"><input type=\"hidden\" name=\"form_value\" value=\"{form_value}\">\
         <div class=\"actions\"><button class=\"main\" name=\"sign_out\" value=\"1\">Sign out</button><button>Stay signed in</button></div></form>",
        person = escape(people::by_sub(sub).map_or(sub, |person| person.name)),
        action = turn.endpoint("sign-out"),
    );
    page(turn, 200, "Sign out", &body).await
}

/// Says how it stands after that, if no app said where to go.
pub(super) async fn signed_out<C: Crypto>(turn: &Turn<'_, C>, is_signed_out: bool) -> Result<Response, CryptoFailure> {
    let title = if is_signed_out { "You are signed out" } else { "You are still signed in" };
    page(turn, 200, title, &format!("<h1>{title}</h1>{}", way_back(turn))).await
}

/// Says why nobody can be sent back to the client.
pub(super) async fn refused<C: Crypto>(turn: &Turn<'_, C>, why: &str) -> Result<Response, CryptoFailure> {
    let body = format!("<h1>This is not possible</h1><p>{}</p>{}", escape(why), way_back(turn));
    page(turn, 400, "Not possible", &body).await
}

/// Says that there is nothing at this address.
pub(super) async fn not_found<C: Crypto>(turn: &Turn<'_, C>) -> Result<Response, CryptoFailure> {
    let body = format!("<h1>Nothing is here</h1><p>The sandbox has no such page.</p>{}", way_back(turn));
    page(turn, 404, "Not found", &body).await
}

/// Leads to the site that the server is part of.
fn way_back<C>(turn: &Turn<'_, C>) -> String {
    let base = turn.issuer.as_str().strip_suffix("sandbox/").unwrap_or_default();
    format!("<p><a href=\"{}\">Go to the workbench</a></p>", escape(base))
}

async fn page<C: Crypto>(turn: &Turn<'_, C>, status: u16, title: &str, body: &str) -> Result<Response, CryptoFailure> {
    let hash = base64_of_hash(turn.crypto, STYLE).await?;
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width,initial-scale=1\"><title>{title} · sandbox</title><style>{STYLE}</style></head>\
         <body><main>{body}</main></body></html>"
    );
    Ok(Response::empty(status)
        .with_header("content-security-policy", &policy)
        .with_header("referrer-policy", "no-referrer")
        .with_header("x-content-type-options", "nosniff")
        .with_body("text/html; charset=utf-8", html))
}

/// The hash of a text in a policy's words: base64 with padding, of SHA-256.
async fn base64_of_hash(crypto: &impl Crypto, text: &str) -> Result<String, CryptoFailure> {
    let hash = crypto.sha_256(text.as_bytes()).await?;
    let url_safe = crate::protocol::base64url::encode(&hash);
    // 32 octets are 43 characters and one of padding.
    Ok(format!("{}=", url_safe.replace('-', "+").replace('_', "/")))
}

fn client_name<'a, C>(turn: &'a Turn<'_, C>, request: &'a AuthorizationRequest) -> &'a str {
    turn.clients.find(&request.client_id).map_or(&request.client_id, |client| client.name)
}

/// A name at the beginning of a sentence.
fn sentence(name: &str) -> String {
    let (first, rest) = name.split_at(name.chars().next().map_or(0, char::len_utf8));
    first.to_uppercase() + rest
}

fn meaning(token: &str) -> &'static str {
    match token {
        "openid" => "Know that it is you",
        "profile" => "See your name",
        "email" => "See your email address",
        "photos:read" => "See your photos",
        "photos:write" => "Add photos",
        "offline_access" => "Go on with it when you are not here",
        _ => "Something unknown",
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    #[test]
    fn escapes_what_means_something_in_html() {
        assert_eq!(super::escape("<a href='x' title=\"&\">"), "&lt;a href=&#39;x&#39; title=&quot;&amp;&quot;&gt;");
    }
}

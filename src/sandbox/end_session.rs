//! Sign-out at the server: the end session endpoint, and the page that asks.
//!
//! Rule: an address alone signs nobody out. Either an ID token comes with it that is about the person who is signed in, or
//! the person is asked, by a form with a one-time value. Nobody is sent to an address that is not registered, exactly.
//!
//! Order of checks: the hint and the client, which must agree, then the address. What is wrong with them is said on a page,
//! and nothing has happened. A hint that is none is not used. That nobody is signed in is no error: whoever signs out twice
//! is sent on twice (§4).
//!
//! Signing out ends the session at the server. Refresh tokens live on: all of them are for when nobody is there (OpenID
//! Connect Core §11).
//!
//! Source: OpenID Connect RP-Initiated Logout 1.0 §2, §3, §4.

use super::clients::Client;
use super::crypto::{Crypto, CryptoFailure};
use super::http::{Request, Response};
use super::id_token_hint::{self, Hint};
use super::state::{SignOut, State, Target};
use super::{Turn, pages, switches};
use crate::protocol::form;
use crate::protocol::url::Url;

const GONE: &str = "This page was answered already, or has waited for too long. Go back to the app.";
const SOMEBODY_ELSE: &str = "Somebody else signed in here meanwhile, and still is.";

/// Answers the end session endpoint. `ui_locales` and `logout_hint` are not looked at.
pub(super) async fn answer<C: Crypto>(
    state: &mut State,
    turn: &Turn<'_, C>,
    request: &Request,
) -> Result<Response, CryptoFailure> {
    let Some(Ok(parameters)) = request.form() else {
        return pages::refused(turn, "The request cannot be read: a parameter appears twice, or it is no form.").await;
    };
    let value = |name: &str| form::value(&parameters, name);
    let hint = match value("id_token_hint") {
        Some(hint) => id_token_hint::read(state, turn, hint).await?,
        None => None,
    };
    let client = match client(turn, value("client_id"), hint.as_ref()) {
        Ok(client) => client,
        Err(why) => return pages::refused(turn, why).await,
    };
    let address = value("post_logout_redirect_uri");
    let is_registered = |address| client.is_some_and(|client| client.has_post_logout_redirect_uri(address));
    if !address.is_none_or(is_registered) {
        let why = "The post_logout_redirect_uri is not one that is registered for this client, exactly.";
        return pages::refused(turn, why).await;
    }
    let echoed = value("state").map(str::to_owned);
    let target = address.map(|address| Target { post_logout_redirect_uri: address.to_owned(), state: echoed });
    let Some(session) = state.session.clone() else { return leave(state, turn, target.as_ref()).await };
    if hint.is_some_and(|hint| hint.sub == session.sub) {
        state.session = None;
        return leave(state, turn, target.as_ref()).await;
    }
    let form_value = turn.first_random();
    let page = pages::sign_out(turn, client, &form_value, &session.sub).await?;
    state.sign_outs.push(SignOut { form_value, sub: session.sub, target, created_at: turn.now });
    Ok(page)
}

/// Somebody signs out, or stays. The app has let them go in either case, so both lead back to it.
pub(super) async fn sign_out<C: Crypto>(
    state: &mut State,
    turn: &Turn<'_, C>,
    request: &Request,
) -> Result<Response, CryptoFailure> {
    let Some(Ok(answer)) = request.form() else { return pages::refused(turn, GONE).await };
    let form_value = form::value(&answer, "form_value");
    let index = state.sign_outs.iter().position(|asked| form_value == Some(&asked.form_value));
    // It is spent whatever the answer says.
    let Some(asked) = index.map(|index| state.sign_outs.remove(index)) else {
        return pages::refused(turn, GONE).await;
    };
    if state.session.as_ref().is_some_and(|session| session.sub != asked.sub) {
        return pages::refused(turn, SOMEBODY_ELSE).await;
    }
    if form::value(&answer, "sign_out").is_some() {
        state.session = None;
    }
    leave(state, turn, asked.target.as_ref()).await
}

/// The client that asks, if it can be known.
fn client<'a, C>(
    turn: &'a Turn<'_, C>,
    client_id: Option<&str>,
    hint: Option<&Hint>,
) -> Result<Option<&'a Client>, &'static str> {
    let client_id = match (client_id, hint.map(|hint| hint.client_id.as_str())) {
        // RP-Initiated Logout §2: the two MUST match.
        (Some(named), Some(hinted)) if named != hinted => return Err("The id_token_hint was given to another client."),
        (Some(client_id), _) | (None, Some(client_id)) => client_id,
        (None, None) => return Ok(None),
    };
    turn.clients.find(client_id).map(Some).ok_or("No client is registered by this client_id.")
}

/// Sends people on, or says how it stands if there is nowhere to send them.
async fn leave<C: Crypto>(
    state: &State,
    turn: &Turn<'_, C>,
    target: Option<&Target>,
) -> Result<Response, CryptoFailure> {
    let on = |name| state.switches.has(name);
    let url = target.and_then(|target| Some((Url::parse(&target.post_logout_redirect_uri).ok()?, &target.state)));
    let Some((url, echoed)) = url else { return pages::signed_out(turn, state.session.is_none()).await };
    let echoed = match echoed {
        _ if on(switches::LOGOUT_STATE_MISSING) => None,
        Some(text) if on(switches::LOGOUT_STATE_WRONG) => Some(format!("{text}x")),
        echoed => echoed.clone(),
    };
    let with_state = |text: String| url.with_query(&form::encode(&[("state", &text)]));
    Ok(Response::see_other(echoed.map_or_else(|| url.clone(), with_state).as_str()))
}

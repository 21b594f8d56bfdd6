//! What people answer: who they are, and what they allow.
//!
//! Rule: each answer carries the one-time value of the page it was given on; without it nothing happens. A forged form
//! can therefore sign nobody in and allow nothing.

use super::authentication::{Authentication, Level};
use super::authorization_request::Refusal;
use super::crypto::{Crypto, CryptoFailure};
use super::http::{Request, Response};
use super::state::{Consent, Interaction, PersonSession, State};
use super::{Turn, pages, people};
use crate::protocol::form;

const SOMEBODY_ELSE: &str = "Somebody else signed in here meanwhile. Go back to the app and sign in again.";
const GONE: &str = "This page was answered already, or has waited for too long. Go back to the app and sign in again.";

/// Somebody says who they are.
pub(super) async fn login<C: Crypto>(
    state: &mut State,
    turn: &Turn<'_, C>,
    request: &Request,
) -> Result<Response, CryptoFailure> {
    let Some((interaction, answer)) = take(state, request) else { return pages::refused(turn, GONE).await };
    if form::value(&answer, "cancel").is_some() {
        return Ok(Refusal::ACCESS_DENIED.of(state, turn, &interaction.request));
    }
    let Some(person) = form::value(&answer, "username").and_then(people::by_username) else {
        return interaction.request.proceed(state, turn, false).await;
    };
    // Whoever was asked for the second step was shown it on the page.
    let level = interaction.request.level.unwrap_or(Level::Password);
    let authentication = Authentication { level, at: turn.now };
    state.session = Some(PersonSession { sub: person.sub.to_owned(), authentication });
    interaction.request.proceed(state, turn, true).await
}

/// Somebody allows what a client asks for, or does not.
pub(super) async fn consent<C: Crypto>(
    state: &mut State,
    turn: &Turn<'_, C>,
    request: &Request,
) -> Result<Response, CryptoFailure> {
    let Some((interaction, answer)) = take(state, request) else { return pages::refused(turn, GONE).await };
    let Some(session) = state.session.clone().filter(|session| interaction.sub.as_ref() == Some(&session.sub)) else {
        return pages::refused(turn, SOMEBODY_ELSE).await;
    };
    let request = interaction.request;
    if form::value(&answer, "allow").is_none() {
        return Ok(Refusal::ACCESS_DENIED.of(state, turn, &request));
    }
    let consent =
        Consent { sub: session.sub.clone(), client_id: request.client_id.clone(), scope: request.scope.clone() };
    state.consents.retain(|known| known.sub != consent.sub || known.client_id != consent.client_id);
    state.consents.push(consent);
    Ok(request.respond(state, turn, &session))
}

/// Takes the interaction that the answer belongs to; it is spent whatever the answer says.
fn take(state: &mut State, request: &Request) -> Option<(Interaction, Vec<(String, String)>)> {
    let answer = request.form()?.ok()?;
    let form_value = form::value(&answer, "form_value")?;
    let index = state.interactions.iter().position(|interaction| interaction.form_value == form_value)?;
    Some((state.interactions.remove(index), answer))
}

//! The successful answer of the token endpoint: which tokens are in it, and what it says of them.
//!
//! Out of scope: whether there is one (`token_endpoint`, `refresh_grant`).
//!
//! Source: RFC 6749 §5.1; RFC 9449 §5; OpenID Connect Core §3.1.3.3, §12.2.

use super::Turn;
use super::crypto::{Crypto, CryptoFailure};
use super::grant::Grant;
use super::http::Response;
use super::id_token::id_token;
use super::metadata::SCOPES;
use super::state::{State, TOKEN_LIFETIME, Token};
use super::switches::{self, Switches};
use crate::protocol::json::Value;
use crate::protocol::time::Seconds;

/// What tokens are given for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// A code.
    Exchange,
    /// A refresh token.
    Refresh,
}

/// What is to be answered.
pub(super) struct Draft {
    pub occasion: Occasion,
    /// What the access token is good for.
    pub grant: Grant,
    /// Whether an ID token comes with it.
    pub has_id_token: bool,
    /// The nonce that this repeats.
    pub nonce: Option<String>,
    pub refresh_token: Option<String>,
}

/// How long an access token lives that lives shortly.
const SHORT_LIFETIME: Seconds = Seconds(5);

/// Gives the tokens, and remembers the access token.
pub(super) async fn answer<C: Crypto>(
    state: &mut State,
    turn: &Turn<'_, C>,
    draft: Draft,
) -> Result<Response, CryptoFailure> {
    let Draft { occasion, grant, has_id_token, nonce, refresh_token } = draft;
    let access_token = turn.second_random();
    let id_token = match has_id_token {
        true => Some(id_token(state, turn, occasion, &grant, nonce.as_deref(), &access_token).await?),
        false => None,
    };
    let at_exchange = |name| occasion == Occasion::Exchange && state.switches.has(name);
    let text = |text: &str| Some(Value::string(text));
    let token_type = match &grant.jkt {
        _ if occasion == Occasion::Refresh && state.switches.has(switches::REFRESH_TOKEN_TYPE_OTHER) => "mac",
        _ if at_exchange(switches::TOKEN_TYPE_OTHER) => "mac",
        Some(_) if at_exchange(switches::TOKEN_TYPE_ODD) => "dPoP",
        None if at_exchange(switches::TOKEN_TYPE_ODD) => "bEARER",
        Some(_) => "DPoP",
        None => "Bearer",
    };
    let is_short = state.switches.has(switches::TOKEN_LIFETIME_SHORT);
    let lifetime = if is_short { SHORT_LIFETIME } else { TOKEN_LIFETIME };
    let expires_in = (!at_exchange(switches::NO_EXPIRES_IN)).then(|| Value::from(lifetime.0));
    let response = Value::object(vec![
        ("access_token", text(&access_token)),
        ("token_type", text(token_type)),
        ("expires_in", expires_in),
        ("refresh_token", refresh_token.as_deref().map(Value::string)),
        ("scope", Some(&grant.scope).filter(|scope| !scope.is_empty()).map(|scope| Value::string(scope))),
        ("id_token", id_token.as_deref().map(Value::string)),
    ]);
    state.tokens.push(Token { access_token, grant, expires_at: turn.now.plus(lifetime) });
    Ok(Response::json(200, &response).with_header("pragma", "no-cache")) // RFC 6749 §5.1
}

/// What of the scope is granted: all of it, unless one of the two switches is on.
pub(super) fn scope(switches: &Switches, asked: &str, narrower: &str, wider: &str) -> String {
    match asked {
        asked if switches.has(narrower) => asked.split(' ').next().unwrap_or_default().to_owned(),
        _ if switches.has(wider) => SCOPES.join(" "),
        asked => asked.to_owned(),
    }
}

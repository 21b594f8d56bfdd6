//! How long an access token lives, in words and as a bar.

use leptos_pkce::protocol::time::Seconds;
use leptos_pkce::ui::Auth;

use super::super::node::{Node, element, fragment};

/// What is left, e.g. `4:12 left`.
pub(in super::super) fn lifetime_text(remaining: Option<Seconds>) -> String {
    match remaining {
        None => "lifetime not said".to_owned(),
        Some(Seconds(0)) => "expired".to_owned(),
        Some(Seconds(left)) if left < 3600 => format!("{}:{:02} left", left / 60, left % 60),
        Some(Seconds(left)) => format!("{} h {:02} min left", left / 3600, left / 60 % 60),
    }
}

/// The bar under it; nothing if the server did not say a lifetime.
pub(in super::super) fn lifetime_bar(auth: Auth) -> Node {
    let lifetime = move || auth.session().and_then(|session| session.lifetime());
    let left = move || auth.remaining().map_or(0, |Seconds(left)| left).to_string();
    fragment().live_by(lifetime, move |lifetime| {
        let Seconds(whole) = lifetime.as_ref()?;
        let bar = element("progress.life").attribute("aria-label", "Access token lifetime left");
        Some(bar.attribute("max", (*whole).max(1).to_string()).live_attribute("value", move || Some(left())))
    })
}

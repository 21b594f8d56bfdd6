//! The fault panel, everywhere the same: what happened, whose side it is on, what to check, the stable code.

use leptos::prelude::*;
use leptos_pkce::inspect::advice::advise;
use leptos_pkce::inspect::report::report;
use leptos_pkce::protocol::client::ClientKey;
use leptos_pkce::protocol::error::{Error, Fault};
use leptos_pkce::ui::use_auth;

use super::CopyButton;

/// Explains `error`.
#[component]
pub fn FaultPanel(
    /// What went wrong.
    error: Error,
    /// Whose it was, if that is known.
    #[prop(optional_no_strip)]
    key: Option<ClientKey>,
    /// What "Try again" does; without it there is no such button.
    #[prop(optional_no_strip)]
    retry: Option<Callback<()>>,
) -> impl IntoView {
    let auth = use_auth();
    let advice = auth.peek(|flow| advise(&error, key.and_then(|key| flow.client(&key)), flow.site()));
    let text = StoredValue::new(report(&error, &advice));
    let fault = error.fault();
    let rows = advice.values.into_iter().map(|(name, value)| {
        view! { <div><dt>{name}</dt><dd><code>{value}</code></dd></div> }
    });
    let checks = advice.checks.into_iter().map(|check| view! { <li>{check}</li> });
    view! {
        <section class="fault" data-fault=fault.as_str() role="alert">
            <h2>{advice.summary}</h2>
            <p class="muted">{format!("On the side of: {}", side(fault))}</p>
            <h3>"What to check next"</h3>
            <ol>{checks.collect_view()}</ol>
            <h3>"The values involved"</h3>
            <dl class="values">{rows.collect_view()}</dl>
            {advice.more.map(|uri| view! {
                <p><a href=uri.clone() rel="noopener noreferrer" target="_blank">"What the server says about it: " {uri.clone()}</a></p>
            })}
            <p class="muted">"Error code: " <code>{error.code()}</code></p>
            <div class="actions">
                {retry.map(|retry| view! {
                    <button class="button primary" type="button" on:click=move |_| retry.run(())>"Try again"</button>
                })}
                <CopyButton label="Copy report" text=Signal::derive(move || text.get_value())/>
            </div>
        </section>
    }
}

fn side(fault: Fault) -> &'static str {
    match fault {
        Fault::Caller => "this page's configuration",
        Fault::AuthorizationServer => "the authorization server or API",
        Fault::EndUser => "the person",
        Fault::Network => "the network",
        Fault::Environment => "the browser",
    }
}

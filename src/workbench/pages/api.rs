//! API: call a protected resource with the access token.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_pkce::browser::clock;
use leptos_pkce::inspect::pretty::pretty_json;
use leptos_pkce::protocol::error::Error;
use leptos_pkce::protocol::flow::CallId;
use leptos_pkce::protocol::http::HttpResponse;
use leptos_pkce::protocol::protected_resource::ResourceRequest;
use leptos_pkce::ui::{SignedIn, SignedOut, use_auth};

use super::super::parts::FaultPanel;
use super::super::shell::PageLink;
use crate::route::Route;

/// How a call stands.
#[derive(Clone, PartialEq)]
enum Stage {
    Idle,
    Waiting,
    Answered(Answer),
    Failed(Error),
}

#[derive(Clone, PartialEq)]
struct Answer {
    response: HttpResponse,
    milliseconds: u32,
}

/// More characters than this are not put into the page at once; browsers take seconds to lay them out.
const MOST_SHOWN: usize = 200_000;

#[component]
pub fn ApiPage() -> impl IntoView {
    view! {
        <SignedOut>
            <p>"Nobody is signed in, so there is no token to send. " <PageLink target=Route::SignIn>"Go to the sign-in page"</PageLink> "."</p>
        </SignedOut>
        <SignedIn>
            <Caller/>
        </SignedIn>
    }
}

#[component]
fn Caller() -> impl IntoView {
    let auth = use_auth();
    let resources = Memo::new(move |_| {
        let Some(key) = auth.selected() else { return Vec::new() };
        let pair = |resource: &leptos_pkce::protocol::client::Resource| {
            (resource.name.clone(), resource.url.as_str().to_owned())
        };
        auth.read(|flow| flow.allowed_resources(&key).list().iter().map(pair).collect::<Vec<_>>())
    });
    let method = RwSignal::new("GET".to_owned());
    let typed = RwSignal::new(None::<String>);
    let url = Memo::new(move |_| {
        typed.get().unwrap_or_else(|| resources.get().first().map(|(_, url)| url.clone()).unwrap_or_default())
    });
    let body = RwSignal::new(String::new());
    let content_type = RwSignal::new("application/json".to_owned());
    let stage = RwSignal::new(Stage::Idle);
    let has_body = move || !matches!(method.get().as_str(), "GET" | "HEAD");
    let pending = RwSignal::new(None::<CallId>);

    let send = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if stage.with_untracked(|stage| *stage == Stage::Waiting) {
            return;
        }
        let with_body = has_body() && !body.with_untracked(String::is_empty);
        let request = ResourceRequest {
            method: method.get_untracked(),
            url: url.get_untracked().trim().to_owned(),
            headers: with_body.then(|| ("content-type".to_owned(), content_type.get_untracked())).into_iter().collect(),
            body: with_body.then(|| body.get_untracked()),
        };
        let Some(call) = auth.call(request) else { return };
        stage.set(Stage::Waiting);
        let began = clock::elapsed_ms();
        pending.set(Some(call.id()));
        spawn_local(async move {
            let outcome = call.await;
            let milliseconds = (clock::elapsed_ms() - began) as u32;
            // Whoever left the page does not look at the answer any more.
            let _ = stage.try_set(match outcome {
                Ok(response) => Stage::Answered(Answer { response, milliseconds }),
                Err(error) => Stage::Failed(error.into()),
            });
        });
    };
    let cancel = move || {
        if let Some(call) = pending.get_untracked() {
            auth.cancel_call(call);
        }
    };
    on_cleanup(cancel);

    view! {
        <form class="card request" on:submit=send>
            <div class="field method">
                <label for="method">"Method"</label>
                <select id="method" prop:value=method on:change=move |event| method.set(event_target_value(&event))>
                    {["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"].map(|name| view! { <option>{name}</option> })}
                </select>
            </div>
            <div class="field url">
                <label for="url">"URL"</label>
                <input id="url" type="text" inputmode="url" autocomplete="off" spellcheck="false" list="resources"
                    prop:value=url on:input=move |event| typed.set(Some(event_target_value(&event)))/>
                <datalist id="resources">
                    {move || resources.get().into_iter().map(|(name, url)| view! { <option value=url>{name}</option> }).collect_view()}
                </datalist>
            </div>
            {move || has_body().then(|| view! {
                <div class="field">
                    <label for="content-type">"Content-Type"</label>
                    <input id="content-type" type="text" autocomplete="off" spellcheck="false"
                        prop:value=content_type on:input=move |event| content_type.set(event_target_value(&event))/>
                </div>
                <div class="field">
                    <label for="body">"Body"</label>
                    <textarea id="body" rows="5" spellcheck="false"
                        prop:value=body on:input=move |event| body.set(event_target_value(&event))></textarea>
                </div>
            })}
            <p class="muted">"The access token goes along as Authorization: Bearer, to these places only: "
                {move || resources.get().into_iter().map(|(_, url)| url).collect::<Vec<_>>().join(", ")}
            </p>
            <div class="actions">
                <button class="button primary" type="submit" disabled=move || stage.get() == Stage::Waiting>"Send"</button>
                {move || (stage.get() == Stage::Waiting).then(|| view! {
                    <button class="button late" type="button" on:click=move |_| cancel()>"Cancel"</button>
                })}
            </div>
        </form>
        <section class="card" aria-label="API response" aria-live="polite">
            {move || match stage.get() {
                Stage::Idle => view! { <p class="muted">"The answer will appear here."</p> }.into_any(),
                Stage::Waiting => view! { <p class="late">"Waiting for the API…"</p> }.into_any(),
                Stage::Answered(answer) => view! { <Response answer/> }.into_any(),
                Stage::Failed(error) => view! { <FaultPanel error key=auth.selected() retry=None/> }.into_any(),
            }}
        </section>
    }
}

#[component]
fn Response(
    /// The answer and how long it took.
    answer: Answer,
) -> impl IntoView {
    let Answer { response, milliseconds } = answer;
    let size = response.body.len();
    let outcome = if (200..300).contains(&response.status) { "ok" } else { "fail" };
    let text = pretty_json(&response.body).or_else(|| String::from_utf8(response.body.clone()).ok());
    let text = text.unwrap_or_else(|| format!("{size} octets that are no text."));
    let cut = text.char_indices().nth(MOST_SHOWN).map(|(at, _)| at);
    let shown = cut.map_or(text.as_str(), |at| &text[..at]).to_owned();
    let headers = response.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect::<String>();
    view! {
        <p class="status" data-outcome=outcome>
            <strong>{format!("Status {}", response.status)}</strong>
            <span class="muted">{format!(" · {milliseconds} ms · {}", size_text(size))}</span>
        </p>
        <pre class="wire" tabindex="0" role="group" aria-label="Body">{shown}</pre>
        {cut.map(|_| view! { <p class="muted">{format!("The first {MOST_SHOWN} characters are shown.")}</p> })}
        <details>
            <summary>"Header fields that the browser lets this page see"</summary>
            <pre class="wire">{headers}</pre>
        </details>
    }
}

fn size_text(octets: usize) -> String {
    match octets {
        0..1000 => format!("{octets} B"),
        1000..1_000_000 => format!("{}.{} kB", octets / 1000, octets / 100 % 10),
        _ => format!("{}.{} MB", octets / 1_000_000, octets / 100_000 % 10),
    }
}

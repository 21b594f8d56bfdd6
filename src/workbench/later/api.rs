//! API: call a protected resource with the access token.

use std::sync::Arc;

use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_pkce::browser::clock;
use leptos_pkce::inspect::denial::explain;
use leptos_pkce::inspect::pretty::pretty_json;
use leptos_pkce::protocol::challenge::{Denial, Reason};
use leptos_pkce::protocol::client::ClientKey;
use leptos_pkce::protocol::error::Error;
use leptos_pkce::protocol::flow::CallId;
use leptos_pkce::protocol::http::HttpResponse;
use leptos_pkce::protocol::protected_resource::ResourceRequest;
use leptos_pkce::protocol::token_response::TokenType;
use leptos_pkce::ui::Status;

use super::super::node::{Node, element, fragment};
use super::super::pages::coming;
use super::super::parts::{button, code, fault_panel};
use super::super::shell::Place;

/// What is typed into the form.
struct Form {
    method: String,
    /// `None` means the first configured resource.
    url: Option<String>,
    content_type: String,
    body: String,
}

/// How a call stands, and whose token went along: somebody may have selected another server since.
enum Stage {
    Idle,
    Waiting(CallId),
    Answered { key: ClientKey, response: HttpResponse, milliseconds: u32 },
    Failed { key: ClientKey, error: Arc<Error> },
}

/// The page's two signals and the sign-ins.
#[derive(Clone, Copy)]
struct Caller {
    place: Place,
    form: RwSignal<Form>,
    stage: RwSignal<Stage>,
}

/// More characters than this are not put into the page at once; browsers take seconds to lay them out.
const MOST_SHOWN: usize = 200_000;

/// The form for people who are signed in.
pub(super) fn api_page(place: Place) -> Node {
    let auth = place.auth;
    fragment().live_by(
        move || auth.status(),
        move |status| match status {
            Status::SignedIn => Some(Caller::new(place).view()),
            Status::Loading => Some(coming()),
            _ => Some(place.dead_end("Nobody is signed in, so there is no token to send. ")),
        },
    )
}

impl Form {
    /// Browsers refuse these two with a body, so there is no field for one.
    fn has_body(&self) -> bool {
        !matches!(self.method.as_str(), "GET" | "HEAD")
    }
}

impl Caller {
    fn new(place: Place) -> Self {
        let form = Form {
            method: "GET".to_owned(),
            url: None,
            content_type: "application/json".to_owned(),
            body: String::new(),
        };
        Self { place, form: RwSignal::new(form), stage: RwSignal::new(Stage::Idle) }
    }

    fn view(self) -> Node {
        on_cleanup(move || self.cancel());
        let places = move || self.resources().iter().map(|(_, url)| url.as_str()).collect::<Vec<_>>().join(", ");
        let form = element("form.card request")
            .on("submit", move |event| self.submit(&event))
            .child(self.method())
            .child(self.url_field())
            .live_by(move || self.has_body(), move |has_body| has_body.then(|| self.body_fields()))
            .child(element("p.muted").live(move || self.scheme()).live(places))
            .child(self.actions());
        let answer = element("section.card")
            .attribute("aria-label", "API response")
            .attribute("aria-live", "polite")
            .live(move || self.stage.with(|stage| self.outcome(stage)));
        fragment().child(form).child(answer)
    }

    fn scheme(self) -> &'static str {
        match self.place.auth.session().map(|session| session.token_type()) {
            Some(TokenType::Dpop) => {
                "The access token goes along as Authorization: DPoP with a proof of its own, to these places only: "
            }
            _ => "The access token goes along as Authorization: Bearer, to these places only: ",
        }
    }

    fn method(self) -> Node {
        let names = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];
        let select = element("select")
            .attribute("id", "method")
            .live_value(move || self.form.with(|form| form.method.clone()))
            .on("change", move |event| self.form.update(|form| form.method = event_target_value(&event)))
            .children(names.map(|name| element("option").child(name)));
        field("div.field method", "method", "Method", select)
    }

    fn url_field(self) -> Node {
        let suggestions = move || {
            let options = self.resources().into_iter();
            fragment().children(options.map(|(name, url)| element("option").attribute("value", url).child(name)))
        };
        let input = one_line("url")
            .attribute("inputmode", "url")
            .attribute("list", "resources")
            .live_value(move || self.url())
            .on("input", move |event| self.form.update(|form| form.url = Some(event_target_value(&event))));
        field("div.field url", "url", "URL", input)
            .child(element("datalist").attribute("id", "resources").live(suggestions))
    }

    fn body_fields(self) -> Node {
        let content_type = one_line("content-type")
            .live_value(move || self.form.with(|form| form.content_type.clone()))
            .on("input", move |event| self.form.update(|form| form.content_type = event_target_value(&event)));
        let body = element("textarea")
            .attribute("id", "body")
            .attribute("rows", "5")
            .attribute("spellcheck", "false")
            .live_value(move || self.form.with(|form| form.body.clone()))
            .on("input", move |event| self.form.update(|form| form.body = event_target_value(&event)));
        fragment().child(field("div.field", "content-type", "Content-Type", content_type)).child(field(
            "div.field",
            "body",
            "Body",
            body,
        ))
    }

    fn actions(self) -> Node {
        let is_waiting = move || self.stage.with(|stage| matches!(stage, Stage::Waiting(_)));
        let send = element("button.button primary")
            .attribute("type", "submit")
            .live_attribute("disabled", move || is_waiting().then(String::new))
            .child("Send");
        let cancel = move || is_waiting().then(|| button("button.button late", "Cancel", move || self.cancel()));
        element("div.actions").child(send).live(cancel)
    }

    fn outcome(self, stage: &Stage) -> Node {
        match stage {
            Stage::Idle => element("p.muted").child("The answer will appear here."),
            Stage::Waiting(_) => element("p.late").child("Waiting for the API…"),
            Stage::Answered { key, response, milliseconds } => {
                self.whose(key).child(self.denial(key, response)).child(answer(response, *milliseconds))
            }
            Stage::Failed { key, error } => self.whose(key).child(fault_panel(self.place, error, Some(key), None)),
        }
    }

    /// Says whose token it was, if that is not the selected one.
    fn whose(self, key: &ClientKey) -> Node {
        let auth = self.place.auth;
        let name = auth.peek(|flow| flow.client(key).map(|client| client.name().to_owned())).unwrap_or_default();
        let key = key.clone();
        let words = move || element("p.muted").child(format!("This call was made with the token of {name}."));
        fragment()
            .live_by(move || auth.selected().as_ref() == Some(&key), move |is_selected| (!is_selected).then(&words))
    }

    /// Why the API said no, and one click that would help, if there is one.
    fn denial(self, key: &ClientKey, response: &HttpResponse) -> Option<Node> {
        let denial = Denial::of(response)?;
        let explainer = self.place.explainer;
        explainer.want();
        let step_up = match denial.reason {
            Reason::StepUp(ref demand) => {
                let (key, demand) = (key.clone(), demand.clone());
                let again = move || {
                    self.place.auth.select(key.clone());
                    self.place.auth.step_up(demand.clone());
                };
                Some(button("button.button primary", "Sign in as the API demands", again))
            }
            _ => None,
        };
        let words = denial.description.clone();
        let explained = move || {
            let words = words.clone().map(|text| element("p.muted").child("The API's words: ").child(code(text)));
            match explain(&denial, explainer.explanations()) {
                Some([what, help, source]) => fragment()
                    .child(element("h2").child(what))
                    .child(element("p").child(help))
                    .child(words)
                    .child(element("p.muted").child(source)),
                None => {
                    fragment().child(element("h2").child("The API says no.")).child(explainer.notice()).child(words)
                }
            }
        };
        let panel = element("section.fault").attribute("aria-label", "Why the API said no");
        Some(panel.live(explained).child(step_up.map(|step_up| element("div.actions").child(step_up))))
    }

    /// Names and URLs of the APIs that the token may go to.
    fn resources(self) -> Vec<(String, String)> {
        let Some(key) = self.place.auth.selected() else { return Vec::new() };
        self.place.auth.read(|flow| {
            let allowed = flow.allowed_resources(&key);
            allowed.list().iter().map(|resource| (resource.name.clone(), resource.url.as_str().to_owned())).collect()
        })
    }

    /// What is typed, else the first of the APIs.
    fn url(self) -> String {
        let first = || self.resources().into_iter().next().map(|(_, url)| url);
        self.form.with(|form| form.url.clone()).or_else(first).unwrap_or_default()
    }

    fn has_body(self) -> bool {
        self.form.with(Form::has_body)
    }

    fn submit(self, event: &ev::Event) {
        event.prevent_default();
        if self.stage.with_untracked(|stage| matches!(stage, Stage::Waiting(_))) {
            return;
        }
        let url = untrack(|| self.url()).trim().to_owned();
        let request = self.form.with_untracked(|form| {
            let body = Some(&form.body).filter(|body| form.has_body() && !body.is_empty());
            let content_type = body.map(|_| ("content-type".to_owned(), form.content_type.clone()));
            let headers = content_type.into_iter().collect();
            ResourceRequest { method: form.method.clone(), url, headers, body: body.cloned() }
        });
        let Some(key) = untrack(|| self.place.auth.selected()) else { return };
        let Some(call) = self.place.auth.request(request) else { return };
        self.stage.set(Stage::Waiting(call.id()));
        let began = clock::elapsed_ms();
        spawn_local(async move {
            let outcome = call.await;
            let milliseconds = (clock::elapsed_ms() - began) as u32;
            // Whoever left the page does not look at the answer any more.
            let _ = self.stage.try_set(match outcome {
                Ok(response) => Stage::Answered { key, response, milliseconds },
                Err(error) => Stage::Failed { key, error: error.into() },
            });
        });
    }

    fn cancel(self) {
        if let Some(Some(call)) = self.stage.try_with_untracked(Stage::waiting_for) {
            self.place.auth.cancel_call(call);
        }
    }
}

impl Stage {
    fn waiting_for(&self) -> Option<CallId> {
        match self {
            Self::Waiting(call) => Some(*call),
            _ => None,
        }
    }
}

fn field(name: &'static str, id: &'static str, label: &'static str, control: Node) -> Node {
    element(name).child(element("label").attribute("for", id).child(label)).child(control)
}

fn one_line(id: &'static str) -> Node {
    element("input")
        .attribute("id", id)
        .attribute("type", "text")
        .attribute("autocomplete", "off")
        .attribute("spellcheck", "false")
}

fn answer(response: &HttpResponse, milliseconds: u32) -> Node {
    let size = response.body.len();
    let outcome = if (200..300).contains(&response.status) { "ok" } else { "fail" };
    // A character has four octets at most.
    let text = pretty_json(&response.body, 4 * MOST_SHOWN).or_else(|| String::from_utf8(response.body.clone()).ok());
    let mut text = text.unwrap_or_else(|| format!("{size} octets that are no text."));
    let cut = text.char_indices().nth(MOST_SHOWN).map(|(at, _)| at);
    if let Some(at) = cut {
        text.truncate(at);
    }
    let headers = response.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect::<String>();
    let wire = || element("pre.wire");
    let summary = "Header fields that the browser lets this page see";
    let status = element("p.status")
        .attribute("data-outcome", outcome)
        .child(element("strong").child(format!("Status {}", response.status)))
        .child(element("span.muted").child(format!(" · {milliseconds} ms · {}", size_text(size))));
    let body = wire().attribute("tabindex", "0").attribute("role", "group").attribute("aria-label", "Body").child(text);
    fragment()
        .child(status)
        .child(body)
        .child(cut.map(|_| element("p.muted").child(format!("The first {MOST_SHOWN} characters are shown."))))
        .child(element("details").child(element("summary").child(summary)).child(wire().child(headers)))
}

fn size_text(octets: usize) -> String {
    match octets {
        0..1000 => format!("{octets} B"),
        1000..1_000_000 => format!("{}.{} kB", octets / 1000, octets / 100 % 10),
        _ => format!("{}.{} MB", octets / 1_000_000, octets / 100_000 % 10),
    }
}

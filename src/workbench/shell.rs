//! The frame around every page: top bar, navigation, and the page itself.

use leptos::html;
use leptos::prelude::*;
use leptos_pkce::browser::navigation;
use leptos_pkce::protocol::client::ClientKey;
use leptos_pkce::ui::{Auth, use_auth};

use super::pages::{ApiPage, CallbackPage, NotFoundPage, SessionPage, SignInPage};
use super::parts::{LifetimeBar, lifetime_text};
use crate::route::Route;

/// Where the person is; pages and links share it.
#[derive(Clone, Copy)]
pub(super) struct Place {
    route: Memo<Route>,
    base: StoredValue<String>,
}

impl Place {
    /// The page shown.
    pub(super) fn route(self) -> Route {
        self.route.get()
    }

    /// The path of a page.
    pub(super) fn path(self, route: Route) -> String {
        self.base.with_value(|base| route.path(base))
    }

    /// Goes to a page.
    pub(super) fn go(self, route: Route) {
        navigation::push_route(&self.path(route));
    }
}

#[component]
pub fn Shell() -> impl IntoView {
    let auth = use_auth();
    let base = auth.peek(|flow| flow.site().base_path().to_owned());
    let path = RwSignal::new(navigation::current_path());
    navigation::on_route_change(move || path.set(navigation::current_path()));
    let base = StoredValue::new(base);
    let route = Memo::new(move |_| path.with(|path| base.with_value(|base| Route::parse(path, base))));
    let place = Place { route, base };
    provide_context(place);

    let heading = NodeRef::<html::H1>::new();
    // The first page leaves the focus where the browser put it; every later one moves it to its heading.
    Effect::new(move |seen: Option<Route>| {
        let route = place.route();
        document().set_title(&format!("{} · leptos-pkce workbench", route.heading()));
        if seen.is_some_and(|seen| seen != route)
            && let Some(heading) = heading.get_untracked()
        {
            // A heading that cannot take the focus is no reason to stop.
            let _ = heading.focus();
        }
        route
    });

    view! {
        <a class="skip" href="#page">"Skip to the page"</a>
        <div class="shell">
            <header class="bar">
                <span class="brand">"leptos-pkce workbench"</span>
                <ServerPicker/>
                <span class="grow"></span>
                <SessionChip/>
            </header>
            <nav class="nav" aria-label="Pages">
                <ul>
                    {[Route::SignIn, Route::Session, Route::Api]
                        .map(|target| view! { <li><PageLink target>{target.heading()}</PageLink></li> })}
                </ul>
            </nav>
            <main class="page" id="page" tabindex="-1">
                <h1 node_ref=heading tabindex="-1">{move || place.route().heading()}</h1>
                {move || match place.route() {
                    Route::SignIn => view! { <SignInPage/> }.into_any(),
                    Route::Callback => view! { <CallbackPage/> }.into_any(),
                    Route::Session => view! { <SessionPage/> }.into_any(),
                    Route::Api => view! { <ApiPage/> }.into_any(),
                    Route::NotFound => view! { <NotFoundPage/> }.into_any(),
                }}
            </main>
        </div>
    }
}

/// A link to a page that does not reload the app; with a modifier key it is an ordinary link.
#[component]
pub fn PageLink(
    /// The page.
    target: Route,
    /// The words.
    children: Children,
) -> impl IntoView {
    let place: Place = expect_context();
    let follow = move |event: leptos::ev::MouseEvent| {
        if event.button() == 0 && !event.ctrl_key() && !event.meta_key() && !event.shift_key() && !event.alt_key() {
            event.prevent_default();
            if place.route.get_untracked() != target {
                place.go(target);
            }
        }
    };
    let current = move || (place.route() == target).then_some("page");
    view! { <a href=place.path(target) aria-current=current on:click=follow>{children()}</a> }
}

/// Which server everything is about: a choice if there are several, its name if there is one.
#[component]
fn ServerPicker() -> impl IntoView {
    let auth = use_auth();
    let servers = Memo::new(move |_| {
        let named = |client: &leptos_pkce::protocol::client::Client| (client.key().clone(), client.name().to_owned());
        auth.read(|flow| flow.clients().iter().map(named).collect::<Vec<_>>())
    });
    move || match servers.get().as_slice() {
        [] => ().into_any(),
        [(_, name)] => view! { <span class="picker">{name.clone()}</span> }.into_any(),
        several => picker(auth, several.to_vec()).into_any(),
    }
}

fn picker(auth: Auth, servers: Vec<(ClientKey, String)>) -> impl IntoView {
    let keys: Vec<ClientKey> = servers.iter().map(|(key, _)| key.clone()).collect();
    let choose = move |event: leptos::ev::Event| {
        let chosen = event_target_value(&event).parse().ok().and_then(|index: usize| keys.get(index).cloned());
        if let Some(key) = chosen {
            auth.select(key);
        }
    };
    let options = servers.into_iter().enumerate().map(move |(index, (key, name))| {
        let selected = move || auth.selected().as_ref() == Some(&key);
        view! { <option value=index selected=selected>{name}</option> }
    });
    view! {
        <select class="picker" aria-label="Authorization server" on:change=choose>
            {options.collect_view()}
        </select>
    }
}

#[component]
fn SessionChip() -> impl IntoView {
    let auth = use_auth();
    let signed_in = Memo::new(move |_| auth.is_signed_in());
    move || {
        if signed_in.get() {
            view! {
                <span class="session">
                    <span>{move || format!("Signed in · {}", lifetime_text(auth.remaining()))}</span>
                    <LifetimeBar/>
                </span>
                <button class="button" on:click=move |_| auth.sign_out()>"Sign out"</button>
            }
            .into_any()
        } else {
            view! { <span class="session muted">"Signed out"</span> }.into_any()
        }
    }
}

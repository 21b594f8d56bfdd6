//! The frame around every page: top bar, navigation, and the page itself.

use leptos::ev;
use leptos::html::{ElementType, H1};
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use leptos_pkce::browser::navigation;
use leptos_pkce::protocol::client::{Client, ClientKey};
use leptos_pkce::ui::{Auth, use_auth};

use super::explanations::Explainer;
use super::later;
use super::node::{Child as _, Node, element, fragment};
use super::pages::{callback_page, not_found_page, session_page, sign_in_page};
use super::parts::{button, lifetime_bar, lifetime_text};
use super::rest::Rest;
use super::sandbox::Sandbox;
use crate::route::Route;

/// Where the person is, and the sign-ins of this page: what every page is given.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// The sign-ins.
    pub(super) auth: Auth,
    /// The server that may be in this browser.
    pub(super) sandbox: Sandbox,
    /// What is wrong, in words.
    pub(super) explainer: Explainer,
    /// What the first pages do not need.
    pub(super) rest: Rest,
    route: RwSignal<Route>,
}

impl Place {
    /// The path of a page.
    pub(super) fn path(self, route: Route) -> String {
        self.auth.peek(|flow| route.path(flow.site().base_path()))
    }

    /// A link to a page that does not reload the app; with a modifier key it is an ordinary link.
    pub(super) fn link(self, target: Route, words: &'static str) -> Node {
        let follow = move |event: ev::Event| {
            let click: &ev::MouseEvent = event.unchecked_ref();
            if click.button() == 0 && !click.ctrl_key() && !click.meta_key() && !click.shift_key() && !click.alt_key() {
                click.prevent_default();
                if self.route.get_untracked() != target {
                    navigation::push_route(&self.path(target));
                }
            }
        };
        element("a")
            .attribute("href", self.path(target))
            .live_attribute("aria-current", move || (self.route.get() == target).then(|| "page".to_owned()))
            .on("click", follow)
            .child(words)
    }

    /// A paragraph that says why there is nothing here, and leads to where a sign-in begins.
    pub(super) fn dead_end(self, words: &'static str) -> Node {
        element("p").child(words).child(self.link(Route::SignIn, "Go to the sign-in page")).child(".")
    }

    fn read_address_bar(auth: Auth) -> Route {
        auth.peek(|flow| Route::parse(&navigation::current_path(), flow.site().base_path()))
    }
}

/// The frame, with the page in it that the address bar names.
pub(super) fn shell() -> AnyView {
    let auth = use_auth();
    let route = RwSignal::new(Place::read_address_bar(auth));
    let place = Place { auth, sandbox: Sandbox::new(auth), explainer: Explainer::new(auth), rest: Rest::new(), route };
    set_title(route.get_untracked());
    // The first page leaves the focus where the browser put it; every later one moves it to its heading.
    navigation::on_route_change(move || {
        let next = Place::read_address_bar(auth);
        if next != route.get_untracked() {
            route.set(next);
            set_title(next);
            focus_heading();
        }
    });

    let targets = [Route::SignIn, Route::Session, Route::Api];
    let links = targets.map(|target| element("li").child(place.link(target, target.heading())));
    let bar = element("header.bar")
        .child(element("span.brand").child("leptos-pkce workbench"))
        .child(server_picker(auth))
        .child(element("span.grow"))
        .child(session_chip(auth));
    let pages = element("nav.nav").attribute("aria-label", "Pages").child(element("ul").children(links));
    let page = element("main.page")
        .attribute("id", "page")
        .attribute("tabindex", "-1")
        .child(element("h1").attribute("tabindex", "-1").live(move || route.get().heading()))
        .live(move || (route.get() != Route::SignIn).then(|| place.sandbox.trouble()).flatten())
        .live(move || match route.get() {
            Route::SignIn => sign_in_page(place),
            Route::Callback => callback_page(place),
            Route::Session => session_page(place),
            Route::Api => place.rest.show_alone(move || later::api_page(place)),
            Route::NotFound => not_found_page(place),
        });
    fragment()
        .child(element("a.skip").attribute("href", "#page").child("Skip to the page"))
        .child(element("div.shell").child(bar).child(pages).child(page))
        .into_view()
}

fn set_title(route: Route) {
    document().set_title(&format!("{} · leptos-pkce workbench", route.heading()));
}

fn focus_heading() {
    if let Ok(Some(heading)) = document().query_selector("#page h1") {
        // A heading that cannot take the focus is no reason to stop.
        let _ = heading.unchecked_into::<<H1 as ElementType>::Output>().focus();
    }
}

/// Which server everything is about: a choice if there are several, its name if there is one.
fn server_picker(auth: Auth) -> Node {
    let named = |client: &Client| (client.key().clone(), client.name().to_owned());
    let servers = move || auth.read(|flow| flow.clients().iter().map(named).collect::<Vec<_>>());
    fragment().live_by(servers, move |servers| match servers.as_slice() {
        [] => None,
        [(_, name)] => Some(element("span.picker").child(name.clone())),
        several => Some(picker(auth, several)),
    })
}

fn picker(auth: Auth, servers: &[(ClientKey, String)]) -> Node {
    let options = servers.iter().enumerate().map(|(index, (key, name))| {
        let key = key.clone();
        let selected = move || (auth.selected().as_ref() == Some(&key)).then(String::new);
        element("option").attribute("value", index.to_string()).live_attribute("selected", selected).child(name.clone())
    });
    let options = options.collect::<Vec<_>>();
    let keys: Vec<ClientKey> = servers.iter().map(|(key, _)| key.clone()).collect();
    let choose = move |event| {
        let chosen = event_target_value(&event).parse().ok().and_then(|index: usize| keys.get(index).cloned());
        if let Some(key) = chosen {
            auth.select(key);
        }
    };
    element("select.picker").attribute("aria-label", "Authorization server").on("change", choose).children(options)
}

fn session_chip(auth: Auth) -> Node {
    fragment().live(move || {
        if !auth.is_signed_in() {
            return element("span.session muted").child("Signed out");
        }
        let left = element("span").live(move || format!("Signed in · {}", lifetime_text(auth.remaining())));
        let session = element("span.session").child(left).child(lifetime_bar(auth));
        fragment().child(session).child(button("button.button", "Sign out", move || auth.sign_out()))
    })
}

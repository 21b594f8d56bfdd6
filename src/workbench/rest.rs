//! The rest of the program: what a sign-in does not need is in a file of its own, which is fetched when it is wanted.
//!
//! A build that was not divided has it from the beginning. What did not arrive is fetched again when it is next wanted, when
//! somebody says so, or when the browser goes online.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_pkce::browser::rest;

use super::node::{Node, element, fragment};
use super::parts::button;

/// Whether it is there; `Copy`.
#[derive(Clone, Copy)]
pub(super) struct Rest(RwSignal<State>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Unasked,
    Coming,
    Here,
    Missing,
}

const MISSING: &str = "The rest of the workbench could not be loaded. It is fetched again when the browser is online; if that \
                       does not help, reload the page.";

impl Rest {
    /// Fetches nothing yet.
    pub(super) fn new() -> Self {
        let rest = Self(RwSignal::new(State::Unasked));
        // Pages live as long as this listener.
        window_event_listener_untyped("online", move |_| {
            if rest.0.get_untracked() == State::Missing {
                rest.want();
            }
        });
        rest
    }

    /// Has it fetched, unless it is there or on its way.
    pub(super) fn want(self) {
        if matches!(self.0.get_untracked(), State::Coming | State::Here) {
            return;
        }
        self.0.set(State::Coming);
        let loading: Pin<Box<dyn Future<Output = ()>>> = Box::pin(async move {
            self.0.set(if rest::load().await.is_ok() { State::Here } else { State::Missing });
        });
        spawn_local(loading);
    }

    /// Has it fetched soon: somebody who has signed in may be offline when it is wanted.
    pub(super) fn want_soon(self) {
        if self.0.get_untracked() == State::Unasked {
            set_timeout(move || self.want(), Duration::from_secs(1));
        }
    }

    /// What `view` makes of it; until it is there, what `meanwhile` makes of a notice that says so.
    pub(super) fn show(
        self,
        view: impl Fn() -> Node + Send + 'static,
        meanwhile: impl Fn(Option<Node>) -> Node + Send + 'static,
    ) -> Node {
        self.want();
        fragment().live_by(
            move || self.0.get(),
            move |state| match state {
                State::Here => view(),
                State::Unasked | State::Coming => {
                    meanwhile(Some(element("p.late").child("Loading the rest of the workbench…")))
                }
                State::Missing => meanwhile(Some(self.missing())),
            },
        )
    }

    /// The same where there is nothing else to show meanwhile.
    pub(super) fn show_alone(self, view: impl Fn() -> Node + Send + 'static) -> Node {
        self.show(view, |notice| element("div").attribute("role", "status").child(notice))
    }

    fn missing(self) -> Node {
        let again = button("button.button", "Load it again", move || self.want());
        fragment().child(element("p.warning").child(MISSING)).child(element("div.actions").child(again))
    }
}

//! The explanations of errors as the pages see them: a file of this site, fetched with the first thing that has to be
//! explained, once for the page. What did not arrive is asked for again when it is next wanted, or when the browser goes
//! online.

use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_pkce::browser::fetch;
use leptos_pkce::inspect::explanations::Explanations;
use leptos_pkce::ui::Auth;

use super::node::{Node, element};

/// The file and whether it is there; `Copy`.
#[derive(Clone, Copy)]
pub(super) struct Explainer {
    auth: Auth,
    file: RwSignal<File>,
}

#[derive(Clone)]
enum File {
    /// Nobody has wanted it yet.
    Absent,
    /// It is on its way.
    Coming,
    /// It did not arrive.
    Missing,
    /// It is there.
    Here(Arc<Explanations>),
}

impl Explainer {
    /// Fetches nothing yet.
    pub(super) fn new(auth: Auth) -> Self {
        let explainer = Self { auth, file: RwSignal::new(File::Absent) };
        // Pages live as long as this listener.
        window_event_listener_untyped("online", move |_| {
            if matches!(explainer.file.get_untracked(), File::Missing) {
                explainer.want();
            }
        });
        explainer
    }

    /// Has the file fetched, unless it is there or on its way.
    pub(super) fn want(self) {
        if matches!(self.file.get_untracked(), File::Coming | File::Here(_)) {
            return;
        }
        self.file.set(File::Coming);
        let url = self.auth.peek(|flow| flow.site().url_of("explanations.json"));
        spawn_local(async move {
            let read = Explanations::read(fetch::file(&url).await);
            self.file.set(read.map_or(File::Missing, |explanations| File::Here(Arc::new(explanations))));
        });
    }

    /// What is there: without the file, nothing. Whoever reads is told when it has come.
    pub(super) fn explanations(self) -> Arc<Explanations> {
        match self.file.get() {
            File::Here(explanations) => explanations,
            _ => Arc::default(),
        }
    }

    /// What stands in the place of explanations that are not there.
    pub(super) fn notice(self) -> Option<Node> {
        match self.file.get() {
            File::Here(_) => None,
            File::Missing => Some(element("p.muted").child(
                "The explanations could not be loaded. Connect to the network, and they will be fetched again. If it is \
                 there, whoever hosts this page must upload explanations.json with it.",
            )),
            _ => Some(element("p.late").child("Fetching the explanations…")),
        }
    }
}

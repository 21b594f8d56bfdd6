//! The explanations of errors as the pages see them: a file of this site, fetched with the first thing that has to be
//! explained, once for the page. What did not arrive is asked for again when it is next wanted, or when the browser goes
//! online.

use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_pkce::browser::fetch;
use leptos_pkce::inspect::explanations::Explanations;
use leptos_pkce::ui::Auth;

use super::node::{Node, element};

/// The file, and what to say while it is not there; `Copy`.
#[derive(Clone, Copy)]
pub(super) struct Explainer {
    auth: Auth,
    /// Leaked: a page has one.
    file: &'static OnceLock<Explanations>,
    /// One of the words below, or none: nobody has wanted the file yet, or it is there.
    notice: RwSignal<&'static str>,
}

const COMING: &str = "Fetching the explanations…";
const MISSING: &str = "The explanations could not be loaded. Connect to the network, and they will be fetched again. If it \
                       is there, whoever hosts this page must upload explanations.json with it.";

/// What there is to read without the file.
static NOTHING: Explanations = Explanations::NONE;

impl Explainer {
    /// Fetches nothing yet.
    pub(super) fn new(auth: Auth) -> Self {
        let file = Box::leak(Box::new(OnceLock::new()));
        let explainer = Self { auth, file, notice: RwSignal::new("") };
        // Pages live as long as this listener.
        window_event_listener_untyped("online", move |_| {
            if explainer.notice.get_untracked() == MISSING {
                explainer.want();
            }
        });
        explainer
    }

    /// Has the file fetched, unless it is there or on its way.
    pub(super) fn want(self) {
        if self.file.get().is_some() || self.notice.get_untracked() == COMING {
            return;
        }
        let Some(request) = self.auth.peek(|flow| Explanations::request(flow.site())) else { return };
        self.notice.set(COMING);
        let fetching: Pin<Box<dyn Future<Output = ()>>> = Box::pin(async move {
            let read = Explanations::read(fetch::ask(&request).await);
            self.notice.set(match read.map(|explanations| self.file.set(explanations)) {
                Ok(_) => "",
                Err(_) => MISSING,
            });
        });
        spawn_local(fetching);
    }

    /// What is there: without the file, nothing. Whoever reads is told when it has come.
    pub(super) fn explanations(self) -> &'static Explanations {
        self.notice.track();
        self.file.get().unwrap_or(&NOTHING)
    }

    /// What stands in the place of explanations that are not there.
    pub(super) fn notice(self) -> Option<Node> {
        match self.notice.get() {
            "" => None,
            COMING => Some(element("p.late").child(COMING)),
            missing => Some(element("p.muted").child(missing)),
        }
    }
}

//! The redirect URI's page.

use std::sync::Arc;

use leptos::prelude::*;

use super::auth::{Auth, use_auth};
use crate::protocol::client::ClientKey;
use crate::protocol::error::Error;
use crate::protocol::flow::Activity;

/// What there is to show at the redirect URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallbackView {
    /// The pending request is looked up.
    Receiving,
    /// The code is exchanged.
    Exchanging,
    /// The response was not accepted.
    Failed {
        /// Why.
        error: Arc<Error>,
        /// Whose it was, if that is known.
        key: Option<ClientKey>,
    },
    /// Somebody came here without a response.
    Empty,
}

/// Shows what becomes of the authorization response; on success the app's route is replaced by where the person was.
#[component]
pub fn Callback(
    /// How to show it; without this it is plain text with a button, which names an error by its code alone: the words of
    /// every error are kilobytes, for an app that wants them to carry.
    #[prop(optional, into)]
    view: Option<ViewFor>,
) -> impl IntoView {
    let auth = use_auth();
    let view = view.unwrap_or_else(|| ViewFor(Box::new(move |view| plain(auth, view))));
    move || (view.0)(auth.callback())
}

/// A function from [`CallbackView`] to what is shown.
pub struct ViewFor(Box<dyn Fn(CallbackView) -> AnyView + Send>);

impl<F: Fn(CallbackView) -> AnyView + Send + 'static> From<F> for ViewFor {
    fn from(view: F) -> Self {
        Self(Box::new(view))
    }
}

impl Auth {
    /// What there is to show at the redirect URI.
    pub fn callback(self) -> CallbackView {
        self.read(|flow| match (flow.callback_failure(), flow.activity()) {
            (Some(failure), _) => CallbackView::Failed { error: failure.error.clone(), key: failure.key.clone() },
            (None, Activity::Receiving) => CallbackView::Receiving,
            (None, Activity::Exchanging(_)) => CallbackView::Exchanging,
            (None, _) => CallbackView::Empty,
        })
    }

    /// Tries the sign-in again whose response failed: at the same server, coming back to the same place.
    pub fn retry_sign_in(self) {
        let failed = self.peek(|flow| {
            let failure = flow.callback_failure()?;
            let path = failure.return_path.as_ref().map(|path| path.as_str().to_owned());
            Some((failure.key.clone(), path.unwrap_or_else(|| flow.site().base_path().to_owned())))
        });
        let Some((key, path)) = failed else { return };
        if let Some(key) = key {
            self.select(key);
        }
        self.sign_in_and_return_to(path);
    }
}

fn plain(auth: Auth, view: CallbackView) -> AnyView {
    let has_failed = matches!(view, CallbackView::Failed { .. });
    let text = match view {
        CallbackView::Receiving | CallbackView::Exchanging => "Signing in…".to_owned(),
        CallbackView::Empty => "There is no sign-in to complete here.".to_owned(),
        CallbackView::Failed { error, .. } => ["Signing in failed: ", error.code()].concat(),
    };
    view! {
        <p role=if has_failed { "alert" } else { "status" }>{text}</p>
        <button hidden=!has_failed on:click=move |_| auth.retry_sign_in()>"Try again"</button>
    }
    .into_any()
}

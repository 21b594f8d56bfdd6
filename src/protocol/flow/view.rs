//! What the page may look at: the flow's reading side.

use std::sync::Arc;

use super::super::error::Error;
use super::super::site::Site;
use super::super::url::Url;
use super::{
    Activity, AllowedResources, Callback, CallbackFailure, Client, ClientKey, Configuration, DiscoveryState, Flow,
    Metadata, Session, SignIn, SignOutReturn, UserInfoActivity, UserInfoState,
};

impl Flow {
    /// The configuration.
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// The configured clients; empty until the configuration is there.
    pub fn clients(&self) -> &[Client] {
        match &self.configuration {
            Configuration::Ready(clients) => clients,
            Configuration::Loading(_) | Configuration::Failed(_) => &[],
        }
    }

    /// The client of `key`, if it is configured.
    pub fn client(&self, key: &ClientKey) -> Option<&Client> {
        self.clients().iter().find(|client| client.key == *key)
    }

    /// What is known of the server's metadata: `None` if nothing yet.
    pub fn metadata(&self, key: &ClientKey) -> Option<Result<&Metadata, &Error>> {
        match self.discovery(key)? {
            DiscoveryState::Fetching { .. } => None,
            DiscoveryState::Ready(metadata) => Some(Ok(metadata)),
            DiscoveryState::Failed(error) => Some(Err(error)),
        }
    }

    /// The session of `key`.
    pub fn session(&self, key: &ClientKey) -> Option<&Session> {
        self.sessions.iter().find(|session| session.key == *key)
    }

    /// All sessions of this page.
    pub fn sessions(&self) -> &[Session] {
        &self.sessions
    }

    /// Whether the user info endpoint of `key` is being asked, and why it gave nothing; what it gave is in the session.
    pub fn userinfo(&self, key: &ClientKey) -> UserInfoActivity {
        match self.userinfo.iter().find(|(known, _)| known == key) {
            None => UserInfoActivity::Idle,
            Some((_, UserInfoState::Failed(error))) => UserInfoActivity::Failed(error.clone()),
            Some(_) => UserInfoActivity::Asking,
        }
    }

    /// What is being done for the person.
    pub fn activity(&self) -> Activity {
        match (&self.callback, &self.sign_in) {
            (Callback::Taking(_) | Callback::Returning(_), _) => Activity::Receiving,
            (Callback::Exchanging(exchanging), _) => Activity::Exchanging(exchanging.exchange.key.clone()),
            (_, SignIn::Discovering { key, .. }) => Activity::Discovering(key.clone()),
            (_, SignIn::Navigating { key, .. }) => Activity::Navigating(key.clone()),
            (_, SignIn::Pushing(pushing)) => Activity::Navigating(pushing.key().clone()),
            (_, SignIn::Saving { pending, .. }) => Activity::Navigating(pending.key.clone()),
            _ => Activity::Idle,
        }
    }

    /// Why the last sign-in at `key` did not leave the page.
    pub fn sign_in_error(&self, key: &ClientKey) -> Option<&Arc<Error>> {
        match &self.sign_in {
            SignIn::Failed { key: failed, error } if failed == key => Some(error),
            _ => None,
        }
    }

    /// Why the response that this page began with was not accepted.
    pub fn callback_failure(&self) -> Option<&CallbackFailure> {
        match &self.callback {
            Callback::Failed(failure) => Some(failure),
            _ => None,
        }
    }

    /// The authorization request that was made to be shown.
    pub fn prepared(&self, key: &ClientKey) -> Option<&Url> {
        self.prepared.as_ref().filter(|(owner, _)| owner == key).map(|(_, url)| url)
    }

    /// The places that the token of `key` may be sent to.
    pub fn allowed_resources(&self, key: &ClientKey) -> AllowedResources {
        let metadata = self.metadata(key).and_then(Result::ok);
        self.client(key).map(|client| AllowedResources::new(client, metadata)).unwrap_or_default()
    }

    /// Whether it is not known yet if `key` has a session that is kept, or will have one back in a moment.
    pub fn is_restoring(&self, key: &ClientKey) -> bool {
        self.restoring.iter().any(|search| search.key == *key) || self.is_coming_back(key)
    }

    /// Whether this page began with the person coming back from the server's sign-out.
    pub fn sign_out_return(&self) -> Option<SignOutReturn> {
        self.sign_out_return
    }

    /// Where the app is served.
    pub fn site(&self) -> &Site {
        &self.site
    }

    pub(super) fn discovery(&self, key: &ClientKey) -> Option<&DiscoveryState> {
        self.discoveries.iter().find(|(known, _)| known == key).map(|(_, state)| state)
    }
}

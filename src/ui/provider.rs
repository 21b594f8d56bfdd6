//! The provider: one driver for everything below it.

use leptos::prelude::*;

use super::auth::Auth;
use crate::browser::driver::Driver;
use crate::protocol::client::{Client, ClientSettings};
use crate::protocol::configuration::read_configuration;
use crate::protocol::flow::{ConfigurationSource, ReadConfiguration};
use crate::protocol::site::Site;

/// Where the provider gets its clients from.
pub enum Clients {
    /// Settings made in code.
    Settings(Vec<ClientSettings>),
    /// A file below the site's base; see [`Clients::file`].
    File(&'static str, ReadConfiguration),
}

impl Clients {
    /// `config.json` beside index.html.
    pub fn file() -> Self {
        Self::File("config.json", ReadConfiguration(read_configuration))
    }
}

impl From<ClientSettings> for Clients {
    fn from(settings: ClientSettings) -> Self {
        Self::Settings(vec![settings])
    }
}

impl From<Vec<ClientSettings>> for Clients {
    fn from(settings: Vec<ClientSettings>) -> Self {
        Self::Settings(settings)
    }
}

/// Starts the flow and provides [`use_auth`](super::use_auth) to its children.
///
/// Mount it once, around everything: it takes the authorization response that the address bar held.
#[component]
pub fn AuthProvider(
    /// One server's settings, several, or [`Clients::file`].
    #[prop(into)]
    clients: Clients,
    /// The app.
    children: Children,
) -> impl IntoView {
    // A page without an http address (a file, say) still shows the app, signed out.
    let site = Driver::site().or_else(|| Site::parse("http://localhost/").ok());
    let site = site.expect("http://localhost/ is the base of a site");
    let source = match clients {
        Clients::File(name, read) => ConfigurationSource::File(name, read),
        Clients::Settings(settings) => ConfigurationSource::Clients(Client::all(settings, &site)),
    };
    let auth = Auth::new(Driver::start(site, source));
    provide_context(auth);
    children()
}

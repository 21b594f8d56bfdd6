//! The routes of the workbench, in both directions.

/// A page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// `/`
    SignIn,
    /// `/callback`, also as a static host spells it, `/callback/` and `/callback.html`, and what is below it: each server
    /// may have a redirect URI of its own.
    Callback,
    /// `/session`
    Session,
    /// `/api`
    Api,
    /// Anything else.
    NotFound,
}

impl Route {
    /// The page at `path`; query and fragment say nothing about it. `base` ends in `/`.
    pub(crate) fn parse(path: &str, base: &str) -> Self {
        let path = path.split(['?', '#']).next().unwrap_or(path);
        let below = path.strip_prefix(base).or_else(|| (path == base.trim_end_matches('/')).then_some(""));
        let Some(name) = below.map(|name| name.trim_end_matches('/')) else { return Self::NotFound };
        match name.strip_suffix(".html").unwrap_or(name) {
            "" | "index" => Self::SignIn,
            "callback" => Self::Callback,
            name if name.starts_with("callback/") => Self::Callback,
            "session" => Self::Session,
            "api" => Self::Api,
            _ => Self::NotFound,
        }
    }

    /// The path of the page below `base`.
    pub(crate) fn path(self, base: &str) -> String {
        let name = match self {
            Self::SignIn | Self::NotFound => "",
            Self::Callback => "callback",
            Self::Session => "session",
            Self::Api => "api",
        };
        format!("{base}{name}")
    }

    /// The heading of the page, which is also its name in the navigation.
    pub(crate) fn heading(self) -> &'static str {
        match self {
            Self::SignIn => "Sign in",
            Self::Callback => "Signing in",
            Self::Session => "Session",
            Self::Api => "API",
            Self::NotFound => "Page not found",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_found_again_by_its_path() {
        for base in ["/", "/sub/path/"] {
            for route in [Route::SignIn, Route::Callback, Route::Session, Route::Api] {
                assert_eq!(Route::parse(&route.path(base), base), route, "{base}");
            }
        }
    }

    #[test]
    fn static_hosts_may_spell_the_callback_their_way() {
        for path in [
            "/sub/callback",
            "/sub/callback/",
            "/sub/callback.html",
            "/sub/callback/index.html",
            "/sub/callback?code=x#y",
        ] {
            assert_eq!(Route::parse(path, "/sub/"), Route::Callback, "{path}");
        }
        assert_eq!(Route::parse("/sub", "/sub/"), Route::SignIn);
    }

    /// CFG-15: a redirect URI for each server.
    #[test]
    fn each_server_may_have_a_callback_of_its_own() {
        for path in ["/sub/callback/one", "/sub/callback/one/", "/sub/callback/two.html", "/sub/callback/a/b?code=x"] {
            assert_eq!(Route::parse(path, "/sub/"), Route::Callback, "{path}");
        }
    }

    #[test]
    fn other_paths_are_not_found() {
        for path in ["/subcallback", "/callback", "/sub/callbacks", "/sub/nothing/session"] {
            assert_eq!(Route::parse(path, "/sub/"), Route::NotFound, "{path}");
        }
    }
}

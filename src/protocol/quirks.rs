//! Where known servers depart from the specifications, as data: one row each, with its source.
//!
//! Rule: a row says for which issuers it holds, and that by host and path alone. Only [`Deviation::IssuerTemplate`] changes
//! what is accepted, and no further than its template; every other row is there to be shown. Nothing here sends a secret,
//! leaves a check out, or touches a server that is not in the list.
//!
//! Source: the threads that each row names, in which the servers' users met it.

use super::json::Value;
use super::text::{cut, parts};
use super::vocabulary::Issuer;

/// One departure of one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quirk {
    /// A stable name.
    pub id: &'static str,
    /// What it is.
    pub deviation: Deviation,
    /// Where it was met, for people.
    pub source: &'static str,
    place: Place,
}

/// Which issuers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    /// The host; with a star, every host that begins and ends so.
    host: &'static str,
    /// What the issuer's path begins with.
    path: &'static str,
}

/// The places of [`Deviation::IssuerTemplate`]: all that a sign-in needs to know of this file.
const TEMPLATES: [Place; 2] =
    [Place { host: ENTRA, path: "/common/v2.0" }, Place { host: ENTRA, path: "/organizations/v2.0" }];
const ENTRA: &str = "login.microsoftonline.com";

/// How a server departs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deviation {
    /// The metadata names the issuer by a template, and ID tokens fill it with the tenant of the person (`tid`).
    IssuerTemplate,
    /// The issuer of this address is another one, which the metadata names.
    OtherIssuer,
    /// The token endpoint wants a client secret also of public clients.
    SecretDemanded,
    /// The token endpoint answers pages only if the client is registered as a single-page application.
    PageMustBeRegistered,
    /// The token endpoint answers no page of another origin.
    NoCors,
    /// An answer with scope comes as a form post, which no static page can receive.
    FormPost,
    /// The issuer ends in a slash, however it is usually written.
    TrailingSlash,
    /// The origin of the page is registered apart from the redirect URI.
    OriginsRegistered,
    /// There is no sign-out, or one with parameters of its own (OpenID Connect RP-Initiated Logout 1.0 §2).
    OwnSignOut,
}

/// Every row.
pub const QUIRKS: [Quirk; 13] = [
    Quirk {
        id: "entra-common-issuer",
        deviation: Deviation::IssuerTemplate,
        source: "https://github.com/coreos/go-oidc/issues/212",
        place: TEMPLATES[0],
    },
    Quirk {
        id: "entra-organizations-issuer",
        deviation: Deviation::IssuerTemplate,
        source: "https://github.com/coreos/go-oidc/issues/212",
        place: TEMPLATES[1],
    },
    Quirk {
        id: "entra-consumers-issuer",
        deviation: Deviation::OtherIssuer,
        source: "https://github.com/thesaadmirza/django-bastion/issues/38",
        place: Place { host: ENTRA, path: "/consumers/v2.0" },
    },
    Quirk {
        id: "entra-client-type",
        deviation: Deviation::PageMustBeRegistered,
        source: "https://github.com/AzureAD/microsoft-authentication-library-for-js/issues/5196",
        place: Place { host: ENTRA, path: "/" },
    },
    Quirk {
        id: "google-client-secret",
        deviation: Deviation::SecretDemanded,
        source: "https://github.com/manfredsteyer/angular-oauth2-oidc/issues/812",
        place: Place { host: "accounts.google.com", path: "" },
    },
    Quirk {
        id: "github-cors",
        deviation: Deviation::NoCors,
        source: "https://github.com/isaacs/github/issues/330",
        place: Place { host: "github.com", path: "" },
    },
    Quirk {
        id: "apple-form-post",
        deviation: Deviation::FormPost,
        source: "https://github.com/nov/apple_id/issues/6",
        place: Place { host: "appleid.apple.com", path: "" },
    },
    Quirk {
        id: "auth0-trailing-slash",
        deviation: Deviation::TrailingSlash,
        source: "https://github.com/auth0/nextjs-auth0/pull/2693",
        place: Place { host: "*.auth0.com", path: "" },
    },
    Quirk {
        id: "okta-trusted-origins",
        deviation: Deviation::OriginsRegistered,
        source: "https://github.com/okta/samples-js-react/issues/57",
        place: Place { host: "*.okta.com", path: "" },
    },
    Quirk {
        id: "keycloak-web-origins",
        deviation: Deviation::OriginsRegistered,
        source: "https://github.com/mauriciovigolo/keycloak-angular/issues/91",
        place: Place { host: "*", path: "/realms/" },
    },
    Quirk {
        id: "google-sign-out",
        deviation: Deviation::OwnSignOut,
        source: "https://github.com/DuendeArchive/identity-model-oidc-client-js/issues/1067",
        place: Place { host: "accounts.google.com", path: "" },
    },
    Quirk {
        id: "auth0-sign-out",
        deviation: Deviation::OwnSignOut,
        source: "https://github.com/auth0/auth0-auth-js/issues/27",
        place: Place { host: "*.auth0.com", path: "" },
    },
    Quirk {
        id: "cognito-sign-out",
        deviation: Deviation::OwnSignOut,
        source: "https://github.com/AxaFrance/oidc-client/issues/1173",
        place: Place { host: "cognito-idp.*.amazonaws.com", path: "" },
    },
];

/// Where the tenant stands in the template.
const PLACEHOLDER: &str = "{tenantid}";

/// The claim that holds it.
const TENANT: &str = "tid";

/// What is known of this issuer's server.
pub fn known(issuer: &Issuer) -> impl Iterator<Item = &'static Quirk> {
    QUIRKS.iter().filter(|quirk| quirk.place.has(issuer))
}

/// Whether metadata that names this issuer is that of the configured one (RFC 8414 §3.3): to the letter, or by the template.
pub(super) fn is_issuer_of(found: &str, configured: &Issuer) -> bool {
    found == configured.as_str() || tenant_issuer(configured, PLACEHOLDER).is_some_and(|template| found == template)
}

/// The `iss` that an ID token of this issuer must have; by the template that is for its own claims to say.
///
/// `None` if the token does not name a tenant. The signature vouches for it, by a key of [`key_issuers`].
pub(super) fn expected_iss(configured: &Issuer, claims: &Value) -> Option<String> {
    if !has_template(configured) {
        return Some(configured.as_str().to_owned());
    }
    tenant_issuer(configured, claims.text(TENANT).filter(|tenant| is_uuid(tenant))?)
}

/// Whose keys may sign an ID token with this payload, where its server has a template: a key that says whose tokens it signs
/// must say the template, which `tid` fills, or the token's own `iss`. `None` for other servers: any of their keys may.
pub(super) fn key_issuers(configured: &Issuer, payload: &[u8]) -> Option<[String; 2]> {
    let template = tenant_issuer(configured, PLACEHOLDER)?;
    let claims = Value::parse(payload).unwrap_or(Value::Null);
    Some([template, claims.text("iss").unwrap_or_default().to_owned()])
}

fn has_template(issuer: &Issuer) -> bool {
    TEMPLATES.iter().any(|place| place.has(issuer))
}

/// The issuer with a tenant in the place of its first path segment, if its server has a template.
fn tenant_issuer(issuer: &Issuer, tenant: &str) -> Option<String> {
    let (_, rest) = cut(issuer.url().path().get(1..)?, b'/');
    has_template(issuer).then(|| [issuer.url().origin(), "/", tenant, "/", rest.unwrap_or_default()].concat())
}

/// `8-4-4-4-12` hexadecimal digits (RFC 9562 §4).
fn is_uuid(text: &str) -> bool {
    let is_hexadecimal = |part: &str| part.bytes().all(|octet| octet.is_ascii_hexdigit());
    parts(text, b'-').map(str::len).eq([8, 4, 4, 4, 12]) && parts(text, b'-').all(is_hexadecimal)
}

impl Place {
    fn has(&self, issuer: &Issuer) -> bool {
        let host = issuer.url().host();
        let is_host = match cut(self.host, b'*') {
            (before, Some(after)) => host.starts_with(before) && host.ends_with(after),
            (whole, None) => host == whole,
        };
        is_host && issuer.url().path().starts_with(self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_with_a_template_are_those_that_a_sign_in_goes_by() {
        let rows = QUIRKS.iter().filter(|quirk| quirk.deviation == Deviation::IssuerTemplate);
        assert_eq!(rows.map(|quirk| quirk.place).collect::<Vec<_>>(), TEMPLATES);
    }
}

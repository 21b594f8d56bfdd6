//! The list of the OpenID Foundation's client modules; `conformance` has the tests.

/// No such client can be configured.
const NO_SECRET: Option<&str> = Some("a client without a secret has none to authenticate with");
/// It is asked for by code, and by nothing else.
const CODE_FLOW: Option<&str> =
    Some("the code flow answers in the query, and gives the ID token at the token endpoint");
/// The client is registered by people, and its server named by its issuer.
const REGISTERED: Option<&str> = Some("the client is registered beforehand, at an issuer that it knows");
/// Parameters stand in the request, or are pushed.
const NO_REQUEST_OBJECTS: Option<&str> =
    Some("no request objects are made, and a page has no address to offer them at");
/// Channels that files on a host do not have.
const STATIC: Option<&str> =
    Some("a page of static files is asked by no server, and sees no other site's storage in a frame");

/// The suite's client modules for the code flow and what a public client meets, each with the reason why it is not here.
/// The functions of `conformance` are called as the modules are, with underscores; those of FAPI 2 are called
/// `fapi2-security-profile-final-client-test-…` in the suite.
pub(crate) const MODULES: [(&str, Option<&str>); 69] = [
    ("oidcc-client-test", None),
    ("oidcc-client-test-invalid-iss", None),
    ("oidcc-client-test-missing-sub", None),
    ("oidcc-client-test-invalid-aud", None),
    ("oidcc-client-test-missing-aud", None),
    ("oidcc-client-test-missing-iat", None),
    ("oidcc-client-test-kid-absent-single-jwks", None),
    ("oidcc-client-test-kid-absent-multiple-jwks", None),
    ("oidcc-client-test-idtoken-sig-rs256", None),
    ("oidcc-client-test-idtoken-sig-none", None),
    ("oidcc-client-test-invalid-sig-rs256", None),
    ("oidcc-client-test-invalid-sig-es256", None),
    ("oidcc-client-test-invalid-sig-hs256", NO_SECRET),
    ("oidcc-client-test-userinfo-invalid-sub", None),
    ("oidcc-client-test-nonce-invalid", None),
    ("oidcc-client-test-scope-userinfo-claims", None),
    ("oidcc-client-test-client-secret-basic", NO_SECRET),
    ("oidcc-client-test-userinfo-bearer-header", None),
    ("oidcc-client-test-userinfo-bearer-body", Some("RS-1: the token is in the header and nowhere else")),
    ("oidcc-client-test-userinfo-signed", None),
    ("oidcc-client-test-aggregated-claims", None),
    ("oidcc-client-test-distributed-claims", None),
    ("oidcc-client-test-refresh-token", None),
    ("oidcc-client-test-refresh-token-invalid-issuer", None),
    ("oidcc-client-test-refresh-token-invalid-sub", None),
    ("oidcc-client-test-discovery-openid-config", None),
    ("oidcc-client-test-discovery-jwks-uri-keys", None),
    ("oidcc-client-test-discovery-issuer-mismatch", None),
    ("oidcc-client-test-signing-key-rotation", None),
    ("oidcc-client-test-signing-key-rotation-just-before-signing", None),
    ("oidcc-client-test-discovery-webfinger-acct", REGISTERED),
    ("oidcc-client-test-discovery-webfinger-url", REGISTERED),
    ("oidcc-client-test-dynamic-registration", REGISTERED),
    ("oidcc-client-test-request-uri-signed-rs256", NO_REQUEST_OBJECTS),
    ("oidcc-client-test-request-uri-signed-none", NO_REQUEST_OBJECTS),
    ("oidcc-client-test-mtls-endpoint-aliases", NO_SECRET),
    ("oidcc-client-test-form-post-error", CODE_FLOW),
    ("oidcc-client-test-missing-athash", CODE_FLOW),
    ("oidcc-client-test-invalid-athash", CODE_FLOW),
    ("oidcc-client-test-invalid-chash", CODE_FLOW),
    ("oidcc-client-test-nonce-unless-code-flow", CODE_FLOW),
    ("oidcc-client-test-rp-init-logout", None),
    ("oidcc-client-test-rp-init-logout-other-state", None),
    ("oidcc-client-test-rp-init-logout-no-state", None),
    ("oidcc-client-test-rp-frontchannel-rpinitlogout", STATIC),
    ("oidcc-client-test-rp-frontchannel-opinitlogout", STATIC),
    ("oidcc-client-test-session-management", STATIC),
    ("oidcc-client-test-rp-backchannel", STATIC),
    (
        "oidcc-client-test-3rd-party-init-login",
        // AUT-17, a SHOULD for those who offer it; a plan of its own in the suite.
        Some("no initiate_login_uri is offered, so nobody but the person in front of the page begins a sign-in"),
    ),
    ("fapi2-ensure-authorization-response-with-invalid-state-fails", None),
    ("fapi2-ensure-authorization-response-with-invalid-missing-state-fails", None),
    ("fapi2-invalid-authorization-response-iss", None),
    ("fapi2-remove-authorization-response-iss", None),
    ("fapi2-invalid-expired-exp", None),
    ("fapi2-invalid-missing-exp", None),
    ("fapi2-invalid-missing-iss", None),
    ("fapi2-invalid-missing-aud", None),
    ("fapi2-invalid-missing-nonce", None),
    ("fapi2-invalid-nonce", None),
    ("fapi2-invalid-null-alg", None),
    ("fapi2-invalid-alternate-alg", None),
    ("fapi2-invalid-secondary-aud", None),
    ("fapi2-valid-aud-as-array", None),
    ("fapi2-token-type-case-insensitivity", None),
    ("fapi2-token-endpoint-response-without-expires_in", None),
    ("fapi2-rs-dpop-auth-scheme-case-insensitivity", None),
    ("fapi2-happy-path-no-dpop-nonce", None),
    ("fapi2-refresh-token-test", None),
    ("fapi2-discovery-issuer-mismatch", None),
];

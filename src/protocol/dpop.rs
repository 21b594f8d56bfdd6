//! Demonstrating proof of possession: what is signed, and the nonces that servers want in it.
//!
//! In scope: the proof up to its signature, the hashes that bind keys, codes and tokens, and nonces by server.
//! Out of scope: the key pair and signing, which WebCrypto does, and when to try again.
//!
//! Rule: one proof for one request: a retry needs new octets for `jti`, and so does the same request once more. A bound
//! token that was taken elsewhere is of no use there; a script in this page can sign as the page can (RFC 9449 §11.4).
//!
//! Source: RFC 9449 §4.2, §6.1, §7.1, §8 to §10; RFC 7638 §3; RFC 7518 §3.4, §6.2.1.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::base64url;
use super::challenge::{Challenge, TokenScheme};
use super::clock::ClockDifference;
use super::http::{HttpRequest, HttpResponse};
use super::json::Value;
use super::secret::{AccessToken, DpopProof, UnsignedDpopProof};
use super::time::UnixTime;
use super::url::Url;

/// The public half of a key pair on P-256: its coordinates as a JWK has them (RFC 7518 §6.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofKey {
    x: String,
    y: String,
}

/// The last nonce of each server (RFC 9449 §8.2: the newest one counts), by origin.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ServerNonces(Vec<(String, String)>);

/// What the browser layer needs to make the proof of one request, right before it is sent.
#[derive(Clone, PartialEq, Eq)]
pub struct ProofOrder {
    /// The name of the key pair.
    pub key: String,
    /// The thumbprint that the key must have, where code or token are bound to it and it is kept.
    pub thumbprint: Option<String>,
    /// The nonce that the server gave last.
    pub nonce: Option<String>,
    /// How far the server's clock is from the one here.
    pub clock: ClockDifference,
    /// No request needs a proof in a build that makes none.
    #[cfg(not(feature = "dpop"))]
    never: std::convert::Infallible,
}

/// Why there is no proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofError {
    /// The browser makes or keeps no such key, or would not sign.
    NoKey,
    /// The key that the request was bound to is gone; there is another one in its place.
    KeyChanged,
}

/// The longest nonce kept: it goes into a header with each proof.
const LONGEST_NONCE: usize = 1024;

/// The most servers remembered.
const MOST_SERVERS: usize = 32;

impl ProofKey {
    /// Takes the members `x` and `y` of a JWK: 32 octets each, in the one way that base64url writes them, because the
    /// thumbprint is one of the text.
    pub fn new(x: &str, y: &str) -> Option<Self> {
        let is_coordinate = |text: &str| {
            let is_base64url = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
            // 43 characters hold 258 bit, and the last two of them are zero.
            let ends_in_zeros = text.bytes().last().is_some_and(|octet| b"AEIMQUYcgkosw048".contains(&octet));
            text.len() == 43 && text.bytes().all(is_base64url) && ends_in_zeros
        };
        (is_coordinate(x) && is_coordinate(y)).then(|| Self { x: x.to_owned(), y: y.to_owned() })
    }

    /// Its SHA-256 thumbprint: `jkt` of a bound token, `dpop_jkt` of an authorization request (RFC 9449 §6.1, §10).
    pub fn thumbprint(&self) -> String {
        // RFC 7638 §3.3: the required members in lexicographic order, without white space.
        let [kty, x, y, crv] = self.members();
        sha_256(&Value::object(vec![crv, kty, x, y]).to_text())
    }

    /// A proof for one request, to be signed with this key by ES256.
    ///
    /// `method` is the one that `fetch` is given, `jti` 128 random bit for this proof alone, and `iat` now.
    /// `access_token` is the one that the same request carries, `nonce` the one that its server gave last.
    pub fn proof(
        &self,
        method: &str,
        url: &Url,
        jti: &[u8; 16],
        iat: UnixTime,
        access_token: Option<&AccessToken>,
        nonce: Option<&str>,
    ) -> UnsignedDpopProof {
        // RFC 9449 §4.2: "jwk: ... It MUST NOT contain a private key"; this type has none.
        let header = Value::object(vec![
            ("typ", Some(Value::string("dpop+jwt"))),
            ("alg", Some(Value::string("ES256"))),
            ("jwk", Some(Value::object(self.members().into()))),
        ]);
        // "htu: The HTTP target URI ..., without query and fragment parts", as the browser sends it: host in lower
        // case, no default port, a path in any case.
        let htu = [url.origin(), url.path()].concat();
        let claims = Value::object(vec![
            ("jti", Some(Value::String(base64url::encode(jti)))),
            ("htm", Some(Value::String(as_sent(method)))),
            ("htu", Some(Value::String(htu))),
            ("iat", Some(Value::from(iat.0))),
            ("ath", access_token.map(ath).map(Value::String)),
            ("nonce", nonce.map(Value::string)),
        ]);
        let part = |value: &Value| base64url::encode(value.to_text().as_bytes());
        UnsignedDpopProof::new([&part(&header), ".", &part(&claims)].concat())
    }

    fn members(&self) -> [(&'static str, Option<Value>); 4] {
        [("kty", "EC"), ("x", &self.x), ("y", &self.y), ("crv", "P-256")]
            .map(|(name, text)| (name, Some(Value::string(text))))
    }
}

impl ProofOrder {
    /// The proof for `request`, to be signed with `key`.
    ///
    /// # Errors
    /// [`ProofError::KeyChanged`].
    pub fn proof(
        &self,
        key: &ProofKey,
        request: &HttpRequest,
        jti: &[u8; 16],
        now: UnixTime,
    ) -> Result<UnsignedDpopProof, ProofError> {
        if self.thumbprint.as_ref().is_some_and(|expected| *expected != key.thumbprint()) {
            return Err(ProofError::KeyChanged);
        }
        let (iat, nonce) = (self.clock.applied(now), self.nonce.as_deref());
        Ok(key.proof(&request.method, &request.url, jti, iat, request.bearer.as_ref(), nonce))
    }
}

/// A nonce is no secret, but it is nobody's business in a log.
impl fmt::Debug for ProofOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProofOrder")
    }
}

impl UnsignedDpopProof {
    /// The proof, with the signature over the octets of this text: r and s of 32 octets each (RFC 7518 §3.4).
    ///
    /// `None` if it has another length, e.g. because it is in DER.
    pub fn signed(self, signature: &[u8]) -> Option<DpopProof> {
        let proof = || [self.expose(), ".", &base64url::encode(signature)].concat();
        (signature.len() == 64).then(|| DpopProof::new(proof()))
    }
}

impl ServerNonces {
    /// Takes the nonce of an answer, whatever its status: success brings new ones too (RFC 9449 §8.2, §9).
    ///
    /// What is no nonce is ignored: not `1*NQCHAR` (§8.1), longer than 1024 characters, or two fields joined by a comma
    /// and a space (§8: there must not be two).
    pub fn learn(&mut self, url: &Url, response: &HttpResponse) {
        let is_nonce = |text: &&str| (1..=LONGEST_NONCE).contains(&text.len()) && text.bytes().all(is_nqchar);
        let Some(nonce) = response.header("dpop-nonce").filter(is_nonce) else { return };
        self.0.retain(|(origin, _)| origin != url.origin());
        if self.0.len() == MOST_SERVERS {
            self.0.remove(0);
        }
        self.0.push((url.origin().to_owned(), nonce.to_owned()));
    }

    /// The nonce for a request to `url`, if its server has given one.
    pub fn get(&self, url: &Url) -> Option<&str> {
        self.0.iter().find(|(origin, _)| origin == url.origin()).map(|(_, nonce)| nonce.as_str())
    }
}

/// `ath`: the hash of an access token (RFC 9449 §4.2).
pub fn ath(access_token: &AccessToken) -> String {
    sha_256(access_token.expose())
}

/// Whether a server refused because the proof has no nonce of its own, or an old one.
///
/// An authorization server says so in its JSON error (RFC 9449 §8), an API in its challenge (§9). One retry is worth it
/// if [`ServerNonces::get`] then gives another nonce than the proof had. If not, the answer brought none that can be
/// read: CORS hides `DPoP-Nonce` unless the server exposes it.
pub fn asks_for_nonce(response: &HttpResponse) -> bool {
    const ERROR: Option<&str> = Some("use_dpop_nonce");
    let in_challenge =
        |challenge: &Challenge| challenge.token_scheme() == Some(TokenScheme::Dpop) && challenge.error() == ERROR;
    let in_body = || Value::parse(&response.body).is_ok_and(|body| body.text("error") == ERROR);
    match response.status {
        400 => in_body(),
        401 => Challenge::all_of(response).iter().any(in_challenge) || in_body(),
        _ => false,
    }
}

/// The method as `fetch` puts it on the wire: it writes these in upper case and leaves others as they are.
fn as_sent(method: &str) -> String {
    let upper = method.to_ascii_uppercase();
    let is_normalized = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"].contains(&upper.as_str());
    if is_normalized { upper } else { method.to_owned() }
}

/// RFC 6749 appendix A.
fn is_nqchar(octet: u8) -> bool {
    matches!(octet, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)
}

fn sha_256(text: &str) -> String {
    base64url::encode(&Sha256::digest(text.as_bytes()))
}

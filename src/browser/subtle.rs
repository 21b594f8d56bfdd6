//! WebCrypto: verifying signatures, hashing, and a P-256 key pair for ES256 whose private half no script can read out.
//!
//! Works in pages and in workers, where the context is secure.

use js_sys::{Array, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Crypto, CryptoKey, SubtleCrypto};

use crate::protocol::algorithm::{Algorithm, Hash};
use crate::protocol::jwk::PublicKey;
use crate::protocol::jws::{SubtleUnavailable, Verdict, Verification};

/// WebCrypto is not there, or would not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubtleFailure;

/// A key pair for ES256; the private key signs and cannot be exported.
#[derive(Clone)]
pub struct KeyPair {
    private_key: CryptoKey,
    public_key: CryptoKey,
}

impl From<JsValue> for SubtleFailure {
    fn from(_: JsValue) -> Self {
        Self
    }
}

/// SHA-256, 32 octets.
///
/// # Errors
/// [`SubtleFailure`].
pub async fn sha_256(octets: &[u8]) -> Result<Vec<u8>, SubtleFailure> {
    digest(Hash::Sha256, octets).await
}

/// Answers the question whether one of the keys made the signature, and hashes what is to be hashed.
pub async fn verify(verification: &Verification) -> Verdict {
    let mut hash = Vec::new();
    if let Some(token) = &verification.hashed {
        hash = digest(verification.algorithm.hash(), token.expose().as_bytes()).await.unwrap_or_default();
    }
    let mut signature = Ok(false);
    for key in &verification.keys {
        match is_signed_by(key, verification).await {
            Ok(true) => return Verdict { signature: Ok(true), hash },
            Ok(false) => {}
            Err(SubtleFailure) => signature = Err(SubtleUnavailable),
        }
    }
    Verdict { signature, hash }
}

/// A key that WebCrypto does not take made no signature; an algorithm that it does not have is a failure.
async fn is_signed_by(key: &PublicKey, verification: &Verification) -> Result<bool, SubtleFailure> {
    let subtle = subtle()?;
    let jwk = object(&key.members())?;
    let algorithm = parameters(verification.algorithm)?;
    let usages = Array::of1(&"verify".into());
    let key = match JsFuture::from(subtle.import_key_with_object("jwk", &jwk, &algorithm, false, &usages)?).await {
        Ok(key) => key.dyn_into::<CryptoKey>()?,
        Err(error) if is_unsupported(&error) => return Err(SubtleFailure),
        Err(_) => return Ok(false),
    };
    let [signature, signed] = [verification.signature.as_slice(), verification.signed.as_bytes()].map(Uint8Array::from);
    let answer = subtle.verify_with_object_and_js_u8_array_and_js_u8_array(&algorithm, &key, &signature, &signed)?;
    Ok(JsFuture::from(answer).await?.is_truthy())
}

/// The algorithm, for importing a key and for verifying with it: each reads what it needs.
fn parameters(algorithm: Algorithm) -> Result<Object, SubtleFailure> {
    let name = match algorithm {
        Algorithm::Rs(_) => "RSASSA-PKCS1-v1_5",
        Algorithm::Ps(_) => "RSA-PSS",
        Algorithm::Es(_) => "ECDSA",
        Algorithm::Ed25519 => "Ed25519",
    };
    let hash = algorithm.hash();
    let parameters = object(&[("name", name), ("hash", hash.as_str()), ("namedCurve", hash.curve().0)])?;
    Reflect::set(&parameters, &"saltLength".into(), &hash.octets().into())?;
    Ok(parameters)
}

fn is_unsupported(error: &JsValue) -> bool {
    let name = Reflect::get(error, &"name".into()).ok().and_then(|name| name.as_string());
    name.is_some_and(|name| name == "NotSupportedError")
}

async fn digest(hash: Hash, octets: &[u8]) -> Result<Vec<u8>, SubtleFailure> {
    let hash = subtle()?.digest_with_str_and_js_u8_array(hash.as_str(), &Uint8Array::from(octets))?;
    Ok(Uint8Array::new(&JsFuture::from(hash).await?).to_vec())
}

impl KeyPair {
    /// Makes a new one.
    ///
    /// # Errors
    /// [`SubtleFailure`].
    pub async fn generate() -> Result<Self, SubtleFailure> {
        let usages = Array::of2(&"sign".into(), &"verify".into());
        let extractable = false; // rules the private key alone; a public key always is
        let pair = subtle()?.generate_key_with_object(&ecdsa()?, extractable, &usages)?;
        Self::from_value(&JsFuture::from(pair).await?).ok_or(SubtleFailure)
    }

    /// The pair as IndexedDB gives it back; `None` for anything else.
    pub fn from_value(value: &JsValue) -> Option<Self> {
        let key = |name: &str| Reflect::get(value, &name.into()).ok()?.dyn_into::<CryptoKey>().ok();
        Some(Self { private_key: key("privateKey")?, public_key: key("publicKey")? })
    }

    /// The pair as IndexedDB can keep it.
    pub fn to_value(&self) -> JsValue {
        let pair = Object::new();
        // Setting a member of a plain object cannot fail.
        let _ = Reflect::set(&pair, &"privateKey".into(), &self.private_key);
        let _ = Reflect::set(&pair, &"publicKey".into(), &self.public_key);
        pair.into()
    }

    /// The ES256 signature of `octets`: r and s, 64 octets (RFC 7518 §3.4).
    ///
    /// # Errors
    /// [`SubtleFailure`].
    pub async fn sign(&self, octets: &[u8]) -> Result<Vec<u8>, SubtleFailure> {
        let octets = Uint8Array::from(octets);
        let signature = subtle()?.sign_with_object_and_js_u8_array(&ecdsa()?, &self.private_key, &octets)?;
        Ok(Uint8Array::new(&JsFuture::from(signature).await?).to_vec())
    }

    /// The public key as a JWK, a JavaScript object.
    ///
    /// # Errors
    /// [`SubtleFailure`].
    pub async fn public_jwk(&self) -> Result<JsValue, SubtleFailure> {
        Ok(JsFuture::from(subtle()?.export_key("jwk", &self.public_key)?).await?)
    }

    /// The coordinates x and y of the public key, base64url (RFC 7518 §6.2.1).
    ///
    /// # Errors
    /// [`SubtleFailure`].
    pub async fn coordinates(&self) -> Result<[String; 2], SubtleFailure> {
        let jwk = self.public_jwk().await?;
        let coordinate = |name: &str| Reflect::get(&jwk, &name.into()).ok()?.as_string();
        Ok([coordinate("x").ok_or(SubtleFailure)?, coordinate("y").ok_or(SubtleFailure)?])
    }
}

/// The algorithm, for making keys and for signing: each reads what it needs.
fn ecdsa() -> Result<Object, SubtleFailure> {
    object(&[("name", "ECDSA"), ("namedCurve", "P-256"), ("hash", "SHA-256")])
}

fn object(members: &[(&str, &str)]) -> Result<Object, SubtleFailure> {
    let object = Object::new();
    for (name, value) in members {
        Reflect::set(&object, &(*name).into(), &(*value).into())?;
    }
    Ok(object)
}

/// WebCrypto of the page or the worker; it is absent where the context is not secure.
fn subtle() -> Result<SubtleCrypto, SubtleFailure> {
    let crypto: Crypto = Reflect::get(&js_sys::global(), &"crypto".into())?.dyn_into()?;
    let subtle: JsValue = Reflect::get(&crypto, &"subtle".into())?;
    Ok(subtle.dyn_into()?)
}

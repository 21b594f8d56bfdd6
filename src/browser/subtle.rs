//! WebCrypto: verifying signatures, hashing, key pairs whose private half no script can read out, and sealing octets
//! under such a key.
//!
//! Works in pages and in workers, where the context is secure.
//!
//! Source: Web Cryptography API §14 and AES-GCM; RFC 7518 §3.3 to §3.5; RFC 8037 §3.1.

use js_sys::{JSON, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CryptoKey, SubtleCrypto};

use crate::protocol::algorithm::{Algorithm, Hash};
use crate::protocol::jwk::PublicKey;
use crate::protocol::jws::{SubtleUnavailable, Verdict, Verification};

/// WebCrypto is not there, or would not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubtleFailure;

/// A key pair for one algorithm; the private key signs and cannot be exported.
#[derive(Clone)]
pub struct KeyPair {
    algorithm: Algorithm,
    private_key: CryptoKey,
    public_key: CryptoKey,
}

/// Octets that only its own key opens, which cannot be exported.
pub struct Sealed {
    key: CryptoKey,
    iv: Uint8Array,
    data: Uint8Array,
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
    let jwk = json(&key.canonical())?;
    let algorithm = parameters(verification.algorithm)?;
    let usages = json(r#"["verify"]"#)?;
    let key = match JsFuture::from(subtle.import_key_with_object("jwk", &jwk, &algorithm, false, &usages)?).await {
        Ok(key) => key.unchecked_into::<CryptoKey>(),
        Err(error) if is_unsupported(&error) => return Err(SubtleFailure),
        Err(_) => return Ok(false),
    };
    let [signature, signed] =
        [&verification.signature, &verification.signed].map(|octets| Uint8Array::from(octets.as_slice()));
    let answer = subtle.verify_with_object_and_js_u8_array_and_js_u8_array(&algorithm, &key, &signature, &signed)?;
    Ok(JsFuture::from(answer).await?.is_truthy())
}

fn is_unsupported(error: &JsValue) -> bool {
    let name = Reflect::get(error, &"name".into()).ok().and_then(|name| name.as_string());
    name.is_some_and(|name| name == "NotSupportedError")
}

/// The hash of `octets`.
///
/// # Errors
/// [`SubtleFailure`].
pub async fn digest(hash: Hash, octets: &[u8]) -> Result<Vec<u8>, SubtleFailure> {
    let hash = subtle()?.digest_with_str_and_js_u8_array(hash.as_str(), &Uint8Array::from(octets))?;
    Ok(Uint8Array::new(&JsFuture::from(hash).await?).to_vec())
}

/// Seals octets under a new key: AES-GCM with 256 bit.
///
/// No key seals twice, so any `iv` will do.
///
/// # Errors
/// [`SubtleFailure`].
pub async fn seal(octets: &[u8], iv: [u8; 12]) -> Result<Sealed, SubtleFailure> {
    let algorithm = json(r#"{"name":"AES-GCM","length":256}"#)?;
    let usages = json(r#"["encrypt","decrypt"]"#)?;
    let extractable = false;
    let octets = Uint8Array::from(octets);
    let subtle = subtle()?;
    let key = subtle.generate_key_with_object(&algorithm, extractable, &usages)?;
    let key: CryptoKey = JsFuture::from(key).await?.unchecked_into();
    let iv = Uint8Array::from(&iv[..]);
    Reflect::set(&algorithm, &IV.into(), &iv)?;
    let data = subtle.encrypt_with_object_and_js_u8_array(&algorithm, &key, &octets)?;
    Ok(Sealed { key, iv, data: Uint8Array::new(&JsFuture::from(data).await?) })
}

/// What was sealed.
///
/// # Errors
/// [`SubtleFailure`], also if any of it was changed.
pub async fn open(Sealed { key, iv, data }: &Sealed) -> Result<Vec<u8>, SubtleFailure> {
    let algorithm = json(r#"{"name":"AES-GCM"}"#)?;
    Reflect::set(&algorithm, &IV.into(), iv)?;
    let octets = subtle()?.decrypt_with_object_and_js_u8_array(&algorithm, key, data)?;
    Ok(Uint8Array::new(&JsFuture::from(octets).await?).to_vec())
}

/// Members of what is kept; WebCrypto spells the first one so, too.
const IV: &str = "iv";
const KEY: &str = "key";
const DATA: &str = "data";

impl Sealed {
    /// What IndexedDB gives back; `None` for anything else.
    pub fn from_value(value: &JsValue) -> Option<Self> {
        let member = |name: &str| Reflect::get(value, &name.into()).ok();
        let octets = |name| member(name)?.dyn_into::<Uint8Array>().ok();
        Some(Self { key: member(KEY)?.dyn_into().ok()?, iv: octets(IV)?, data: octets(DATA)? })
    }

    /// What IndexedDB can keep: a plain object, which has room for more members.
    pub fn to_value(&self) -> JsValue {
        let sealed = Object::new();
        let members: [(&str, &JsValue); 3] = [(KEY, &self.key), (IV, &self.iv), (DATA, &self.data)];
        for (name, value) in members {
            // Setting a member of a plain object cannot fail.
            let _ = Reflect::set(&sealed, &name.into(), value);
        }
        sealed.into()
    }
}

impl KeyPair {
    /// Makes a new one; of RSA with 2048 bit.
    ///
    /// # Errors
    /// [`SubtleFailure`]: not every browser has every algorithm.
    pub async fn generate(algorithm: Algorithm) -> Result<Self, SubtleFailure> {
        let usages = json(r#"["sign","verify"]"#)?;
        let extractable = false; // rules the private key alone; a public key always is
        let parameters = parameters(algorithm)?;
        if let Algorithm::Rs(_) | Algorithm::Ps(_) = algorithm {
            Reflect::set(&parameters, &"modulusLength".into(), &2048.into())?;
            Reflect::set(&parameters, &"publicExponent".into(), &Uint8Array::from(&[1, 0, 1][..]))?;
        }
        let pair = subtle()?.generate_key_with_object(&parameters, extractable, &usages)?;
        Self::from_value(&JsFuture::from(pair).await?, algorithm).ok_or(SubtleFailure)
    }

    /// The pair as IndexedDB gives it back; `None` for anything else.
    pub fn from_value(value: &JsValue, algorithm: Algorithm) -> Option<Self> {
        let key = |name: &str| Reflect::get(value, &name.into()).ok()?.dyn_into::<CryptoKey>().ok();
        Some(Self { algorithm, private_key: key("privateKey")?, public_key: key("publicKey")? })
    }

    /// The pair as IndexedDB can keep it.
    pub fn to_value(&self) -> JsValue {
        let pair = Object::new();
        // Setting a member of a plain object cannot fail.
        let _ = Reflect::set(&pair, &"privateKey".into(), &self.private_key);
        let _ = Reflect::set(&pair, &"publicKey".into(), &self.public_key);
        pair.into()
    }

    /// The signature of `octets` as a JWS has it: of ECDSA r and s.
    ///
    /// # Errors
    /// [`SubtleFailure`].
    pub async fn sign(&self, octets: &[u8]) -> Result<Vec<u8>, SubtleFailure> {
        let (parameters, octets) = (parameters(self.algorithm)?, Uint8Array::from(octets));
        let signature = subtle()?.sign_with_object_and_js_u8_array(&parameters, &self.private_key, &octets)?;
        Ok(Uint8Array::new(&JsFuture::from(signature).await?).to_vec())
    }

    /// The public key as a JWK, a JavaScript object.
    ///
    /// # Errors
    /// [`SubtleFailure`].
    pub async fn public_jwk(&self) -> Result<JsValue, SubtleFailure> {
        Ok(JsFuture::from(subtle()?.export_key("jwk", &self.public_key)?).await?)
    }

    /// Members of the public key's JWK, e.g. `x` and `y`, base64url (RFC 7518 §6.2.1, §6.3.1; RFC 8037 §2).
    ///
    /// # Errors
    /// [`SubtleFailure`], also if there is no such member.
    pub async fn members<const N: usize>(&self, names: [&str; N]) -> Result<[String; N], SubtleFailure> {
        let jwk = self.public_jwk().await?;
        let mut members = [const { String::new() }; N];
        for (member, name) in members.iter_mut().zip(names) {
            *member = Reflect::get(&jwk, &name.into())?.as_string().ok_or(SubtleFailure)?;
        }
        Ok(members)
    }
}

/// The algorithm, for importing and making keys, signing and verifying: each reads what it needs.
fn parameters(algorithm: Algorithm) -> Result<Object, SubtleFailure> {
    let name = match algorithm {
        Algorithm::Rs(_) => "RSASSA-PKCS1-v1_5",
        Algorithm::Ps(_) => "RSA-PSS",
        Algorithm::Es(_) => "ECDSA",
        Algorithm::Ed25519 => "Ed25519",
    };
    let hash = algorithm.hash();
    // RFC 7518 §3.5: the salt is as long as the hash.
    let [curve, salt_length] = [hash.curve().0, &hash.octets().to_string()];
    json(
        &[
            r#"{"name":""#,
            name,
            r#"","hash":""#,
            hash.as_str(),
            r#"","namedCurve":""#,
            curve,
            r#"","saltLength":"#,
            salt_length,
            "}",
        ]
        .concat(),
    )
}

/// What WebCrypto is given is made of texts of our own and of base64url.
fn json(text: &str) -> Result<Object, SubtleFailure> {
    Ok(JSON::parse(text)?.unchecked_into())
}

/// WebCrypto of the page or the worker; it is absent where the context is not secure.
fn subtle() -> Result<SubtleCrypto, SubtleFailure> {
    let crypto: JsValue = Reflect::get(&js_sys::global(), &"crypto".into())?;
    let subtle: JsValue = Reflect::get(&crypto, &"subtle".into())?;
    if subtle.is_undefined() { Err(SubtleFailure) } else { Ok(subtle.unchecked_into()) }
}

//! The native counterpart of WebCrypto.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use leptos_pkce::protocol::algorithm::{Algorithm, Hash};
use leptos_pkce::sandbox::crypto::{Crypto, CryptoFailure, Generation, Key, PublicKey};
use p256::elliptic_curve::sec1::FromEncodedPoint as _;
use p256::{EncodedPoint, FieldBytes, PublicKey as Point, ecdsa};
use rand::rngs::SmallRng;
use rand::{RngCore as _, SeedableRng as _};
use rsa::signature::{RandomizedSigner as _, SignatureEncoding as _, Signer as _, Verifier as _};
use rsa::traits::PublicKeyParts as _;
use rsa::{BigUint, RsaPrivateKey, RsaPublicKey, pkcs1v15, pss};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// Keys that follow from a seed; those of RSA are the same for every seed, because making one takes a while.
pub(crate) struct Native {
    seed: u8,
}

/// What older traits take for random.
struct Dice(SmallRng);

static RSA_KEYS: LazyLock<[RsaPrivateKey; 2]> = LazyLock::new(|| {
    [1, 2].map(|seed| {
        let mut dice = Dice(SmallRng::seed_from_u64(seed));
        RsaPrivateKey::new(&mut dice, 2048).expect("the size is usual")
    })
});

impl Native {
    /// The keys of a seed.
    pub(crate) fn new(seed: u8) -> Self {
        Self { seed }
    }

    /// The seed of one key.
    fn octets(&self, generation: Generation) -> [u8; 32] {
        [self.seed ^ (generation as u8) << 6; 32]
    }

    fn ecdsa(&self, generation: Generation) -> ecdsa::SigningKey {
        ecdsa::SigningKey::from_slice(&self.octets(generation)).expect("a scalar below the order of the curve")
    }

    fn ed25519(&self, generation: Generation) -> ed25519_dalek::SigningKey {
        ed25519_dalek::SigningKey::from_bytes(&self.octets(generation))
    }

    fn rsa(generation: Generation) -> RsaPrivateKey {
        RSA_KEYS[generation as usize].clone()
    }
}

impl Crypto for Native {
    async fn sign(&self, key: Key, octets: &[u8]) -> Result<Vec<u8>, CryptoFailure> {
        let Key { algorithm, generation } = key;
        Ok(match algorithm {
            Algorithm::Es(Hash::Sha256) => {
                let signature: ecdsa::Signature = self.ecdsa(generation).sign(octets);
                signature.to_vec()
            }
            Algorithm::Rs(Hash::Sha256) => {
                pkcs1v15::SigningKey::<Sha256>::new(Self::rsa(generation)).sign(octets).to_vec()
            }
            Algorithm::Ps(Hash::Sha256) => {
                let mut dice = Dice(SmallRng::seed_from_u64(0));
                pss::SigningKey::<Sha256>::new(Self::rsa(generation)).sign_with_rng(&mut dice, octets).to_vec()
            }
            Algorithm::Ed25519 => self.ed25519(generation).sign(octets).to_vec(),
            _ => return Err(CryptoFailure),
        })
    }

    async fn public_key(&self, key: Key) -> Result<PublicKey, CryptoFailure> {
        let Key { algorithm, generation } = key;
        Ok(match algorithm {
            Algorithm::Es(Hash::Sha256) => {
                let [x, y] = coordinates(&self.ecdsa(generation));
                PublicKey::Ec { x, y }
            }
            Algorithm::Rs(Hash::Sha256) | Algorithm::Ps(Hash::Sha256) => {
                let key = Self::rsa(generation);
                PublicKey::Rsa { n: encode(&key.n().to_bytes_be()), e: encode(&key.e().to_bytes_be()) }
            }
            Algorithm::Ed25519 => PublicKey::Okp { x: encode(self.ed25519(generation).verifying_key().as_bytes()) },
            _ => return Err(CryptoFailure),
        })
    }

    async fn verify(&self, point: [&str; 2], octets: &[u8], signature: &[u8]) -> Result<bool, CryptoFailure> {
        let is_right = || {
            let key = verifying_key(point)?;
            let signature = ecdsa::Signature::from_slice(signature).ok()?;
            key.verify(octets, &signature).ok()
        };
        Ok(is_right().is_some())
    }

    async fn digest(&self, hash: Hash, octets: &[u8]) -> Result<Vec<u8>, CryptoFailure> {
        Ok(match hash {
            Hash::Sha256 => Sha256::digest(octets).to_vec(),
            Hash::Sha384 => Sha384::digest(octets).to_vec(),
            Hash::Sha512 => Sha512::digest(octets).to_vec(),
        })
    }
}

/// Whether a JWK verifies the signature of a JWS in compact form; by the algorithm that the JWK names.
pub(crate) fn verifies(jwk: &serde_json::Value, jws: &str) -> bool {
    let (signed, signature) = jws.rsplit_once('.').expect("three parts");
    let (signed, signature) = (signed.as_bytes(), decode(signature));
    let member = |name: &str| jwk[name].as_str().expect("a member");
    let rsa = || {
        let number = |name| BigUint::from_bytes_be(&decode(member(name)));
        RsaPublicKey::new(number("n"), number("e")).expect("a key")
    };
    match member("alg") {
        "ES256" => {
            let key = verifying_key([member("x"), member("y")]).expect("a point of the curve");
            ecdsa::Signature::from_slice(&signature).is_ok_and(|signature| key.verify(signed, &signature).is_ok())
        }
        "RS256" => {
            let key = pkcs1v15::VerifyingKey::<Sha256>::new(rsa());
            pkcs1v15::Signature::try_from(&signature[..]).is_ok_and(|it| key.verify(signed, &it).is_ok())
        }
        "PS256" => {
            let key = pss::VerifyingKey::<Sha256>::new(rsa());
            pss::Signature::try_from(&signature[..]).is_ok_and(|it| key.verify(signed, &it).is_ok())
        }
        "EdDSA" => {
            let octets = decode(member("x")).try_into().expect("32 octets");
            let key = ed25519_dalek::VerifyingKey::from_bytes(&octets).expect("a point of the curve");
            ed25519_dalek::Signature::from_slice(&signature).is_ok_and(|it| key.verify(signed, &it).is_ok())
        }
        other => panic!("{other}"),
    }
}

/// The public key at a point, base64url, if it is one.
pub(crate) fn verifying_key(point: [&str; 2]) -> Option<ecdsa::VerifyingKey> {
    let [x, y] = point.map(|text| URL_SAFE_NO_PAD.decode(text).ok().filter(|octets| octets.len() == 32));
    let point = EncodedPoint::from_affine_coordinates(FieldBytes::from_slice(&x?), FieldBytes::from_slice(&y?), false);
    let point: Option<Point> = Point::from_encoded_point(&point).into();
    Some(point?.into())
}

/// The coordinates of the public key, base64url.
pub(crate) fn coordinates(key: &ecdsa::SigningKey) -> [String; 2] {
    let point = key.verifying_key().to_encoded_point(false);
    [point.x(), point.y()].map(|octets| encode(octets.expect("the point is not at infinity")))
}

pub(crate) fn encode(octets: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}

pub(crate) fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect("base64url")
}

impl rsa::rand_core::RngCore for Dice {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill_bytes(&mut self, octets: &mut [u8]) {
        self.0.fill_bytes(octets);
    }

    fn try_fill_bytes(&mut self, octets: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
        self.0.fill_bytes(octets);
        Ok(())
    }
}

impl rsa::rand_core::CryptoRng for Dice {}

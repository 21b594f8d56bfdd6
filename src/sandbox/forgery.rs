//! ID tokens as they should not be: what each switch changes, as two tables, and two more for those of a refresh.
//!
//! Rule: one row, one change; a switch that needs several has several rows. A token is made right first and changed
//! then, so that nothing but the change is wrong with it.

use super::crypto::{Crypto, CryptoFailure, Key};
use super::jws::{self, Members};
use super::switches::{self, Switches};
use super::token_response::Occasion;
use super::{Turn, authentication};
use crate::protocol::base64url;
use crate::protocol::json::Value;

/// A token that is about to be signed.
pub(super) struct Draft {
    pub header: Members,
    pub claims: Members,
}

/// A half of a token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    Header,
    Claims,
}

/// What happens to a member.
#[derive(Clone, Copy)]
enum Change {
    /// It is so many seconds before now.
    Ago(u64),
    /// It is so many seconds after now.
    Ahead(u64),
    /// It is an array of what it is and these.
    And(&'static [&'static str]),
    /// It is gone.
    Gone,
    /// It is so many seconds later than it was.
    Later(u64),
    /// It has a 1 at its end.
    Longer,
    /// It is a text of so many characters.
    Padding(usize),
    /// It is this text.
    Text(&'static str),
    /// It stands there a second time, with this text.
    Twice(&'static str),
}

/// How a token is closed.
#[derive(Clone, Copy)]
enum Seal {
    /// In five parts, as if it were encrypted (RFC 7516 §3.1).
    Encrypted,
    /// With one bit of the signature flipped.
    Flipped,
    /// By a key that is not published; the header brings it along.
    ForeignEmbedded,
    /// By a key that is published where the header says.
    ForeignLinked,
    /// With a MAC whose secret is the public key.
    Mac,
    /// Without a signature.
    Unsigned,
    /// With a signature of zeros.
    Zeros,
}

const ELSEWHERE: &str = "somebody-else";

const CHANGES: &[(&str, Half, &str, Change)] = {
    use Change::*;
    use Half::*;
    &[
        (switches::ID_TOKEN_ISS_WRONG, Claims, "iss", Longer),
        (switches::ID_TOKEN_ISS_MISSING, Claims, "iss", Gone),
        (switches::ID_TOKEN_AUD_WRONG, Claims, "aud", Longer),
        (switches::ID_TOKEN_AUD_MISSING, Claims, "aud", Gone),
        (switches::ID_TOKEN_AUD_ARRAY, Claims, "aud", And(&[])),
        (switches::ID_TOKEN_AUD_SECOND, Claims, "aud", And(&[ELSEWHERE])),
        (switches::ID_TOKEN_AZP_WRONG, Claims, "azp", Text(ELSEWHERE)),
        (switches::ID_TOKEN_SUB_MISSING, Claims, "sub", Gone),
        (switches::ID_TOKEN_IAT_MISSING, Claims, "iat", Gone),
        (switches::ID_TOKEN_IAT_FUTURE, Claims, "iat", Ahead(60 * 60)),
        (switches::ID_TOKEN_IAT_FUTURE, Claims, "exp", Ahead(65 * 60)),
        (switches::ID_TOKEN_EXP_MISSING, Claims, "exp", Gone),
        (switches::ID_TOKEN_EXPIRED, Claims, "iat", Ago(15 * 60)),
        (switches::ID_TOKEN_EXPIRED, Claims, "exp", Ago(10 * 60)),
        (switches::ID_TOKEN_NBF_FUTURE, Claims, "nbf", Ahead(60 * 60)),
        (switches::ID_TOKEN_NONCE_WRONG, Claims, "nonce", Longer),
        (switches::ID_TOKEN_NONCE_MISSING, Claims, "nonce", Gone),
        // The left half of the hash of nothing.
        (switches::ID_TOKEN_AT_HASH_WRONG, Claims, "at_hash", Text("47DEQpj8HBSa-_TImW-5JA")),
        (switches::ID_TOKEN_AUTH_TIME_OLD, Claims, "auth_time", Ago(24 * 60 * 60)),
        (switches::ID_TOKEN_AUTH_TIME_MISSING, Claims, "auth_time", Gone),
        (switches::ID_TOKEN_ACR_WRONG, Claims, "acr", Text(authentication::NEVER_ASKED_FOR)),
        (switches::ID_TOKEN_THREE_FAULTS, Claims, "iss", Longer),
        (switches::ID_TOKEN_THREE_FAULTS, Claims, "aud", Longer),
        (switches::ID_TOKEN_THREE_FAULTS, Claims, "nonce", Longer),
        (switches::ID_TOKEN_DUPLICATE_CLAIM, Claims, "sub", Twice(ELSEWHERE)),
        (switches::ID_TOKEN_HUGE, Claims, "padding", Padding(64 * 1024)),
        (switches::ID_TOKEN_ALG_NONE, Header, "alg", Text("none")),
        (switches::ID_TOKEN_ALG_HS256, Header, "alg", Text("HS256")),
        (switches::ID_TOKEN_CRIT, Header, "crit", And(&["sandbox"])),
        (switches::ID_TOKEN_CRIT, Header, "sandbox", Text("nobody knows")),
        (switches::ID_TOKEN_TYP_AT_JWT, Header, "typ", Text("at+jwt")),
        (switches::ID_TOKEN_ENCRYPTED, Header, "alg", Text("RSA-OAEP-256")),
        (switches::ID_TOKEN_ENCRYPTED, Header, "enc", Text("A256GCM")),
        (switches::KID_MISSING, Header, "kid", Gone),
        (switches::KID_MISSING_SEVERAL, Header, "kid", Gone),
        (switches::KID_UNKNOWN, Header, "kid", Text("../../keys' OR '1'='1")),
    ]
};

/// What changes in those of a refresh alone.
const REFRESH_CHANGES: &[(&str, Half, &str, Change)] = {
    use Change::*;
    use Half::*;
    &[
        (switches::REFRESH_ID_TOKEN_NONCE_WRONG, Claims, "nonce", Text("of-another-request")),
        (switches::REFRESH_ID_TOKEN_ISS_WRONG, Claims, "iss", Longer),
        (switches::REFRESH_ID_TOKEN_SUB_WRONG, Claims, "sub", Longer),
        (switches::REFRESH_ID_TOKEN_AUD_WRONG, Claims, "aud", Longer),
        (switches::REFRESH_ID_TOKEN_AUTH_TIME_CHANGED, Claims, "auth_time", Later(60)),
    ]
};

const REFRESH_SEALS: &[(&str, Seal)] = &[(switches::REFRESH_ID_TOKEN_SIGNATURE_WRONG, Seal::Flipped)];

const SEALS: &[(&str, Seal)] = &[
    (switches::ID_TOKEN_ENCRYPTED, Seal::Encrypted),
    (switches::ID_TOKEN_ALG_NONE, Seal::Unsigned),
    (switches::ID_TOKEN_ALG_HS256, Seal::Mac),
    (switches::ID_TOKEN_SIGNATURE_FOREIGN, Seal::ForeignEmbedded),
    (switches::ID_TOKEN_HEADER_JKU, Seal::ForeignLinked),
    (switches::ID_TOKEN_SIGNATURE_ZERO, Seal::Zeros),
    (switches::ID_TOKEN_SIGNATURE_WRONG, Seal::Flipped),
];

/// The token of a draft, changed and closed as the switches say; by `key` if they say nothing.
pub(super) async fn token<C: Crypto>(
    switches: &Switches,
    turn: &Turn<'_, C>,
    occasion: Occasion,
    key: Key,
    mut draft: Draft,
) -> Result<String, CryptoFailure> {
    let (changes, seals) = match occasion {
        Occasion::Exchange => (&[][..], &[][..]),
        Occasion::Refresh => (REFRESH_CHANGES, REFRESH_SEALS),
    };
    for (_, half, name, change) in CHANGES.iter().chain(changes).filter(|(switch, ..)| switches.has(switch)) {
        let members = match half {
            Half::Header => &mut draft.header,
            Half::Claims => &mut draft.claims,
        };
        change.apply(members, name, turn.now.0);
    }
    let seal = SEALS.iter().chain(seals).find(|(switch, _)| switches.has(switch)).map(|(_, seal)| *seal);
    close(turn, key, draft, seal).await
}

async fn close<C: Crypto>(
    turn: &Turn<'_, C>,
    key: Key,
    draft: Draft,
    seal: Option<Seal>,
) -> Result<String, CryptoFailure> {
    let Draft { mut header, claims } = draft;
    let foreign = key.successor();
    let signer = match seal {
        Some(Seal::ForeignEmbedded) => {
            header.push(("jwk", turn.crypto.public_key(foreign).await?.bare_jwk()));
            foreign
        }
        Some(Seal::ForeignLinked) => {
            header.push(("jku", Value::string(&turn.endpoint("jwks/foreign"))));
            foreign
        }
        _ => key,
    };
    let input = jws::signing_input(header, claims);
    let signature = match seal {
        Some(Seal::Unsigned) => Vec::new(),
        Some(Seal::Mac) => {
            let jwk = turn.crypto.public_key(key).await?.bare_jwk();
            jws::hmac_sha_256(turn.crypto, jwk.to_text().as_bytes(), input.as_bytes()).await?
        }
        Some(Seal::Encrypted) => return encrypted(turn, &input).await,
        _ => turn.crypto.sign(signer, input.as_bytes()).await?,
    };
    let signature = match seal {
        Some(Seal::Flipped) => jws::flipped(signature),
        Some(Seal::Zeros) => vec![0; signature.len()],
        _ => signature,
    };
    Ok(jws::closed(&input, &signature))
}

/// Five parts; behind the header there is nothing that anybody could decrypt.
async fn encrypted<C: Crypto>(turn: &Turn<'_, C>, input: &str) -> Result<String, CryptoFailure> {
    let header = input.split('.').next().unwrap_or_default();
    let noise = turn.crypto.sha_256(input.as_bytes()).await?;
    let part = |length: usize| base64url::encode(&noise[..length.min(noise.len())]);
    Ok([header.to_owned(), part(32), part(12), part(32), part(16)].join("."))
}

impl Change {
    fn apply(self, members: &mut Members, name: &'static str, now: u64) {
        let found = members.iter().position(|(known, _)| *known == name);
        let present = found.map(|index| members[index].1.clone());
        let changed = match self {
            Self::Gone => None,
            Self::Ago(seconds) => Some(Value::from(now.saturating_sub(seconds))),
            Self::Ahead(seconds) => Some(Value::from(now.saturating_add(seconds))),
            Self::And(further) => {
                let further = further.iter().map(|text| Value::string(text));
                Some(Value::Array(present.into_iter().chain(further).collect()))
            }
            Self::Later(seconds) => {
                present.as_ref().and_then(Value::as_whole_number).map(|at| Value::from(at.saturating_add(seconds)))
            }
            Self::Longer => present.as_ref().and_then(Value::as_str).map(|text| Value::String(format!("{text}1"))),
            Self::Padding(length) => Some(Value::String("x".repeat(length))),
            Self::Text(text) => Some(Value::string(text)),
            Self::Twice(text) => {
                members.push((name, Value::string(text)));
                return;
            }
        };
        match (found, changed) {
            (Some(index), Some(value)) => members[index].1 = value,
            (None, Some(value)) => members.push((name, value)),
            (Some(index), None) => drop(members.remove(index)),
            (None, None) => {}
        }
    }
}

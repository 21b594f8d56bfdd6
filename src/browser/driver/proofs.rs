//! The keys that tokens are bound to: made once, kept in IndexedDB where the browser does that, never readable.
//!
//! Where it keeps none, a key lives as long as this page; the flow then binds no code to it.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::JsValue;

use super::super::indexed_db::{Database, DatabaseFailure};
use super::super::subtle::KeyPair;
use super::super::{clock, entropy};
use crate::protocol::algorithm::{Algorithm, Hash};
use crate::protocol::dpop::{ProofError, ProofKey, ProofOrder};
use crate::protocol::http::HttpRequest;
use crate::protocol::secret::DpopProof;

/// The keys of this page, by name.
#[derive(Default)]
pub(super) struct ProofKeys(RefCell<Vec<(String, Rc<Found>)>>);

/// A key pair that was found or made.
pub(super) struct Found {
    pair: KeyPair,
    pub(super) public: ProofKey,
    /// Whether it will still be there when the page is loaded anew.
    pub(super) is_kept: bool,
}

const DATABASE: &str = "leptos-pkce";

/// The algorithm of all the examples of RFC 9449, which leaves the choice to client and server.
const PROOF_ALGORITHM: Algorithm = Algorithm::Es(Hash::Sha256);

impl ProofKeys {
    /// The key of this name: of this page, of an earlier one, or new.
    pub(super) async fn find(&self, name: &str) -> Option<Rc<Found>> {
        if let Some(known) = self.known(name) {
            return Some(known);
        }
        let (pair, is_kept) = match kept(name).await {
            Ok(pair) => (pair, true),
            Err(DatabaseFailure) => (KeyPair::generate(PROOF_ALGORITHM).await.ok()?, false),
        };
        let [x, y] = pair.members(["x", "y"]).await.ok()?;
        let found = Rc::new(Found { pair, public: ProofKey::new(&x, &y)?, is_kept });
        // Somebody else may have looked for it meanwhile; one page has one key.
        if let Some(known) = self.known(name) {
            return Some(known);
        }
        self.0.borrow_mut().push((name.to_owned(), found.clone()));
        Some(found)
    }

    /// The proof of a request, made right before it is sent.
    pub(super) async fn prove(&self, order: &ProofOrder, request: &HttpRequest) -> Result<DpopProof, ProofError> {
        let found = self.find(&order.key).await.ok_or(ProofError::NoKey)?;
        let jti = entropy::octets().map_err(|_| ProofError::NoKey)?;
        let unsigned = order.proof(&found.public, request, &jti, clock::now())?;
        let signature = found.pair.sign(unsigned.expose().as_bytes()).await.map_err(|_| ProofError::NoKey)?;
        unsigned.signed(&signature).ok_or(ProofError::NoKey)
    }

    /// Deletes a key.
    pub(super) async fn forget(&self, name: &str) {
        self.0.borrow_mut().retain(|(known, _)| known != name);
        // Where there is no database there is nothing in it.
        if let Ok(database) = Database::open(DATABASE).await {
            let _ = database.remove(name).await;
        }
    }

    fn known(&self, name: &str) -> Option<Rc<Found>> {
        self.0.borrow().iter().find(|(known, _)| known == name).map(|(_, found)| found.clone())
    }
}

/// The key of this name in the database; makes it if there is none, and takes whichever is there in the end.
async fn kept(name: &str) -> Result<KeyPair, DatabaseFailure> {
    let database = Database::open(DATABASE).await?;
    if let Some(pair) = database.get(name).await?.as_ref().and_then(pair_of) {
        return Ok(pair);
    }
    let pair = KeyPair::generate(PROOF_ALGORITHM).await.map_err(|_| DatabaseFailure)?;
    // Another tab may have made one meanwhile, and bound something to it already: then that one stays.
    let _ = database.add(name, &pair.to_value()).await;
    database.get(name).await?.as_ref().and_then(pair_of).ok_or(DatabaseFailure)
}

fn pair_of(value: &JsValue) -> Option<KeyPair> {
    KeyPair::from_value(value, PROOF_ALGORITHM)
}

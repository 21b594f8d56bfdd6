//! Sealed records in IndexedDB: each under a key of its own, which lies beside it and which no script can read out.
//!
//! Rule: a record and its key are one value, so that there is never one without the other; what is copied out of the
//! browser's files is of no use without the key. Script of this origin can open it as this file does.

use js_sys::Reflect;
use wasm_bindgen::JsValue;

use super::entropy;
use super::indexed_db::{Database, DatabaseFailure};
use super::subtle::{self, Sealed};
use crate::protocol::json::Value;
use crate::protocol::storage::Record;

/// Where sealed records are kept, by name.
pub struct Vault(Database);

/// The database that the keys of proofs are in, too.
const DATABASE: &str = "leptos-pkce";

/// The member that stands beside those of [`Sealed`], in clear.
const VERSION: &str = "version";

impl Vault {
    /// Opens it, or makes it.
    ///
    /// # Errors
    /// [`DatabaseFailure`].
    pub async fn open() -> Result<Self, DatabaseFailure> {
        Database::open(DATABASE).await.map(Self)
    }

    /// The record of this name; `None` also if what is there cannot be opened, or is no JSON.
    ///
    /// # Errors
    /// [`DatabaseFailure`].
    pub async fn read(&self, name: &str) -> Result<Option<Record>, DatabaseFailure> {
        let Some(sealed) = self.0.get(name).await?.as_ref().and_then(Sealed::from_value) else { return Ok(None) };
        // Read by the one reader that every document goes through, like what comes from the other storages.
        Ok(subtle::open(&sealed).await.ok().and_then(|octets| Value::parse(&octets).ok()).map(Record))
    }

    /// Puts `record`, whose version is `version`, in the place of the one whose version is `expected`, or of whatever
    /// is there if that is `None`.
    ///
    /// `Ok(false)`: another one is there, or none, and stays.
    ///
    /// # Errors
    /// [`DatabaseFailure`], also if it cannot be sealed; nothing was written then.
    pub async fn replace(
        &self,
        name: &str,
        expected: Option<&str>,
        version: &str,
        record: &Record,
    ) -> Result<bool, DatabaseFailure> {
        // Before the transaction, which would not wait for it.
        let iv = entropy::octets().map_err(|_| DatabaseFailure)?;
        let sealed = subtle::seal(record.0.to_text().as_bytes(), iv).await.map_err(|_| DatabaseFailure)?;
        let value = sealed.to_value();
        Reflect::set(&value, &VERSION.into(), &version.into())?;
        let may = |stored: Option<&JsValue>| {
            let Some(expected) = expected else { return true };
            stored.and_then(version_of).is_some_and(|version| version == expected)
        };
        self.0.replace(name, &value, &may).await
    }

    /// Removes the record of this name, and its key with it.
    ///
    /// # Errors
    /// [`DatabaseFailure`].
    pub async fn remove(&self, name: &str) -> Result<(), DatabaseFailure> {
        self.0.remove(name).await
    }
}

fn version_of(stored: &JsValue) -> Option<String> {
    Reflect::get(stored, &VERSION.into()).ok()?.as_string()
}

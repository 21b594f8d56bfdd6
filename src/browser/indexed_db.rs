//! IndexedDB: one store of values by name, in pages and in workers.
//!
//! Rule: a write has happened when its transaction is complete, not when its request has succeeded.

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    EventTarget, IdbDatabase, IdbFactory, IdbObjectStore, IdbOpenDbRequest, IdbRequest, IdbTransaction,
    IdbTransactionMode,
};

/// The browser keeps no database for this page, or could not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatabaseFailure;

/// An open database.
pub struct Database(IdbDatabase);

const STORE: &str = "values";

/// How long opening may take: browsers are known that say nothing at all, neither success nor failure.
const PATIENCE_MS: i32 = 10_000;

impl From<JsValue> for DatabaseFailure {
    fn from(_: JsValue) -> Self {
        Self
    }
}

impl Database {
    /// Opens a database, or makes it.
    ///
    /// # Errors
    /// [`DatabaseFailure`], e.g. in some private modes, or because nothing came of it for ten seconds.
    pub async fn open(name: &str) -> Result<Self, DatabaseFailure> {
        let request: IdbOpenDbRequest = factory()?.open_with_u32(name, 1)?;
        let opening = request.clone();
        let upgrade = Closure::once_into_js(move || {
            // The store can be made here and nowhere else; if it cannot, every transaction will say so.
            if let Ok(database) = opening.result().and_then(JsCast::dyn_into::<IdbDatabase>) {
                let _ = database.create_object_store(STORE);
            }
        });
        request.set_onupgradeneeded(Some(upgrade.unchecked_ref()));
        event(&request, "success", &["error", "blocked"], Some(PATIENCE_MS)).await?;
        let database: IdbDatabase = request.result()?.dyn_into()?;
        // Whoever wants to delete it, or make it anew, need not wait for this page.
        let closing = database.clone();
        let close = Closure::once_into_js(move || closing.close());
        database.set_onversionchange(Some(close.unchecked_ref()));
        Ok(Self(database))
    }

    /// The value of this name, if there is one.
    ///
    /// # Errors
    /// [`DatabaseFailure`].
    pub async fn get(&self, name: &str) -> Result<Option<JsValue>, DatabaseFailure> {
        let (_, store) = self.store(IdbTransactionMode::Readonly)?;
        found(&store.get(&name.into())?).await
    }

    /// Puts values in the places of those that are there, all of them or none.
    ///
    /// # Errors
    /// [`DatabaseFailure`]: nothing was written then.
    pub async fn put(&self, values: &[(&str, JsValue)]) -> Result<(), DatabaseFailure> {
        let (transaction, store) = self.store(IdbTransactionMode::Readwrite)?;
        for (name, value) in values {
            if store.put_with_key(value, &(*name).into()).is_err() {
                // A value that cannot be kept throws here, and what went before it would be committed all the same.
                let _ = transaction.abort();
                return Err(DatabaseFailure);
            }
        }
        event(&transaction, "complete", &["error", "abort"], None).await
    }

    /// Adds a value where there is none of this name, whoever else is about to.
    ///
    /// # Errors
    /// [`DatabaseFailure`]: nothing was written then, also because there is one already.
    pub async fn add(&self, name: &str, value: &JsValue) -> Result<(), DatabaseFailure> {
        let (transaction, store) = self.store(IdbTransactionMode::Readwrite)?;
        store.add_with_key(value, &name.into())?;
        event(&transaction, "complete", &["error", "abort"], None).await
    }

    /// Puts a value where `may` allows it, when it has seen what is there; nobody else writes in between.
    ///
    /// `Ok(false)`: it did not, and what is there stays.
    ///
    /// # Errors
    /// [`DatabaseFailure`]: nothing was written then.
    pub async fn replace(
        &self,
        name: &str,
        value: &JsValue,
        may: &dyn Fn(Option<&JsValue>) -> bool,
    ) -> Result<bool, DatabaseFailure> {
        let (transaction, store) = self.store(IdbTransactionMode::Readwrite)?;
        // The transaction takes requests for as long as its event is told, and what is told by promises alone happens
        // before that ends. So nothing else may be awaited between the two requests.
        let before = found(&store.get(&name.into())?).await?;
        if !may(before.as_ref()) {
            return Ok(false);
        }
        store.put_with_key(value, &name.into())?;
        event(&transaction, "complete", &["error", "abort"], None).await?;
        Ok(true)
    }

    /// Removes the value of this name.
    ///
    /// # Errors
    /// [`DatabaseFailure`].
    pub async fn remove(&self, name: &str) -> Result<(), DatabaseFailure> {
        let (transaction, store) = self.store(IdbTransactionMode::Readwrite)?;
        store.delete(&name.into())?;
        event(&transaction, "complete", &["error", "abort"], None).await
    }

    /// Deletes a database and everything in it.
    ///
    /// # Errors
    /// [`DatabaseFailure`].
    pub async fn delete(name: &str) -> Result<(), DatabaseFailure> {
        let request = factory()?.delete_database(name)?;
        event(&request, "success", &["error"], None).await
    }

    fn store(&self, mode: IdbTransactionMode) -> Result<(IdbTransaction, IdbObjectStore), DatabaseFailure> {
        let transaction = self.0.transaction_with_str_and_mode(STORE, mode)?;
        let store = transaction.object_store(STORE)?;
        Ok((transaction, store))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// What a request finds, if there is something.
async fn found(request: &IdbRequest) -> Result<Option<JsValue>, DatabaseFailure> {
    event(request, "success", &["error"], None).await?;
    Ok(Some(request.result()?).filter(|value| !value.is_undefined()))
}

/// Waits until `target` has said `done`, or one of `failed`, or the `patience` in milliseconds is over.
async fn event(
    target: &EventTarget,
    done: &str,
    failed: &[&str],
    patience: Option<i32>,
) -> Result<(), DatabaseFailure> {
    // By its name, because a worker has it and no window.
    let timer = Reflect::get(&js_sys::global(), &"setTimeout".into())?;
    let settled = Promise::new(&mut |resolve, reject| {
        // Adding a listener to an object of the browser's own cannot fail.
        let _ = target.add_event_listener_with_callback(done, &resolve);
        for failure in failed {
            let _ = target.add_event_listener_with_callback(failure, &reject);
        }
        if let (Some(patience), Some(set_timeout)) = (patience, timer.dyn_ref::<Function>()) {
            // Once it is settled, the promise does not hear the timer any more.
            let _ = set_timeout.call2(&JsValue::UNDEFINED, &reject, &patience.into());
        }
    });
    JsFuture::from(settled).await?;
    Ok(())
}

/// The browser's databases; the member is absent or throws where they are blocked.
fn factory() -> Result<IdbFactory, DatabaseFailure> {
    Ok(Reflect::get(&js_sys::global(), &"indexedDB".into())?.dyn_into()?)
}

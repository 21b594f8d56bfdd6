//! Locks and records of all tabs of the origin, asked and answered by their numbers.

use std::cell::RefCell;

use super::super::locks::{self, Held, NotHeld};
#[cfg(feature = "shared_storage")]
use super::super::vault::Vault;
use super::{Driver, spawn};
#[cfg(feature = "shared_storage")]
use crate::protocol::authorization_request::StorageFailure;
use crate::protocol::flow::AskId;
#[cfg(feature = "shared_storage")]
use crate::protocol::flow::Effect;
use crate::protocol::renewal::Lock;
use crate::protocol::time::Seconds;

/// The locks that this page has or waits for, by name.
#[derive(Default)]
pub(super) struct Locks(RefCell<Vec<(String, Option<Held>)>>);

impl Locks {
    fn want(&self, name: &str) {
        self.0.borrow_mut().push((name.to_owned(), None));
    }

    /// Keeps what was granted, if it is still wanted.
    fn keep(&self, name: &str, held: Held) -> bool {
        match self.0.borrow_mut().iter_mut().find(|(known, held)| known == name && held.is_none()) {
            Some((_, place)) => {
                *place = Some(held);
                true
            }
            None => false,
        }
    }

    /// Lets a lock go, or the wish for it.
    pub(super) fn release(&self, name: &str) {
        let mut locks = self.0.borrow_mut();
        if let Some(index) = locks.iter().position(|(known, _)| known == name) {
            locks.swap_remove(index);
        }
    }
}

impl Driver {
    pub(super) fn lock(&self, ask: AskId, name: String, patience: Seconds) {
        let driver = *self;
        driver.0.locks.want(&name);
        spawn(async move {
            let lock = match locks::request(&name, patience).await {
                Ok(held) => {
                    if !driver.0.locks.keep(&name, held) {
                        // Not wanted any more: it was let go again.
                        return;
                    }
                    Lock::Held
                }
                Err(NotHeld::TimedOut) => Lock::Foreign,
                Err(NotHeld::Unavailable) => Lock::Without,
            };
            if lock != Lock::Held {
                driver.0.locks.release(&name);
            }
            driver.tell(|flow, now| flow.locked(ask, lock, name, now));
        });
    }

    /// Reads, writes or removes what all tabs share: one future for the three, which open the same database.
    #[cfg(feature = "shared_storage")]
    pub(super) fn share(&self, effect: Effect) {
        let driver = *self;
        spawn(async move {
            let vault = Vault::open().await;
            match effect {
                Effect::ReadShared { ask, name } => {
                    let record = match vault {
                        Ok(vault) => vault.read(name.as_str()).await,
                        Err(failure) => Err(failure),
                    };
                    let record = record.map_err(|_| StorageFailure::Blocked);
                    driver.tell(|flow, now| flow.shared_read(ask, record, now));
                }
                Effect::WriteShared { ask, name, before, version, record } => {
                    let written = match vault {
                        Ok(vault) => vault.replace(name.as_str(), before.as_deref(), &version, &record).await,
                        Err(failure) => Err(failure),
                    };
                    let outcome = written.map_err(|_| StorageFailure::Blocked);
                    driver.tell(|flow, now| flow.shared_written(ask, outcome, now));
                }
                Effect::RemoveShared(name) => {
                    // Where there is no database there is nothing in it.
                    if let Ok(vault) = vault {
                        let _ = vault.remove(name.as_str()).await;
                    }
                }
                _ => {}
            }
        });
    }
}

//! sessionStorage, which is the tab's, and localStorage, which all pages of the origin share.
//!
//! The record's name says which; gloo-storage traps where storage is blocked, so every function probes before it touches it.

use gloo_storage::{LocalStorage, SessionStorage, Storage as _};

use crate::protocol::authorization_request::StorageFailure;
use crate::protocol::json::Value;
use crate::protocol::storage::{Record, RecordName};

/// Reads a record; `None` if there is none, or what is there is not JSON.
pub fn read(name: &RecordName) -> Option<Record> {
    let text = open(Area::of(name))?.get_item(name.as_str()).ok()??;
    // Read by the one reader that every document goes through: no member twice.
    Value::parse(text.as_bytes()).ok().map(Record)
}

/// Reads a record and removes it in the same turn.
pub fn take(name: &RecordName) -> Option<Record> {
    let record = read(name);
    remove(name);
    record
}

/// Writes a record and reads it back.
///
/// # Errors
/// [`StorageFailure::Blocked`] or [`StorageFailure::Full`].
pub fn write(name: &RecordName, Record(value): &Record) -> Result<Option<Record>, StorageFailure> {
    let storage = open(Area::of(name)).ok_or(StorageFailure::Blocked)?;
    // What is left to go wrong behind the probe is the quota.
    storage.set_item(name.as_str(), &value.to_text()).map_err(|_| StorageFailure::Full)?;
    Ok(read(name))
}

/// Removes a record.
pub fn remove(name: &RecordName) {
    if let Some(storage) = open(Area::of(name)) {
        // Removing what is not there is no error, and there is no other.
        let _ = storage.remove_item(name.as_str());
    }
}

/// All records of this library in this tab.
pub fn list() -> Vec<(RecordName, Option<Record>)> {
    let Some(area) = open(Area::Tab) else { return Vec::new() };
    let count = area.length().unwrap_or(0);
    let names = (0..count).filter_map(|index| area.key(index).ok().flatten()).filter_map(RecordName::found);
    names.map(|name| (name.clone(), read(&name))).collect()
}

/// Whose storage it is.
#[derive(Clone, Copy)]
enum Area {
    Tab,
    Origin,
}

impl Area {
    fn of(name: &RecordName) -> Self {
        if name.is_of_origin() { Self::Origin } else { Self::Tab }
    }
}

/// The storage area, if the browser lets this page have one: blocked storage throws on first touch.
fn open(area: Area) -> Option<web_sys::Storage> {
    let window = web_sys::window()?;
    let probed = match area {
        Area::Tab => window.session_storage(),
        Area::Origin => window.local_storage(),
    };
    probed.ok()??.length().ok()?;
    Some(match area {
        Area::Tab => SessionStorage::raw(),
        Area::Origin => LocalStorage::raw(),
    })
}

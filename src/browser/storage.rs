//! sessionStorage, which is the tab's, and localStorage, which all pages of the origin share.
//!
//! gloo-storage traps where storage is blocked, so every function probes before it touches it.

use gloo_storage::{LocalStorage, SessionStorage, Storage as _};

use crate::protocol::authorization_request::StorageFailure;
use crate::protocol::json::Value;
use crate::protocol::storage::{Record, RecordName};

/// Reads a record; `None` if there is none, or what is there is not JSON.
pub fn read(name: &RecordName) -> Option<Record> {
    read_from(Area::Tab, name)
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
pub fn write(name: &RecordName, record: &Record) -> Result<Option<Record>, StorageFailure> {
    write_to(Area::Tab, name, record)
}

/// Removes a record.
pub fn remove(name: &RecordName) {
    remove_from(Area::Tab, name);
}

/// All records of this library in this tab.
pub fn list() -> Vec<(RecordName, Option<Record>)> {
    let Some(area) = open(Area::Tab) else { return Vec::new() };
    let count = area.length().unwrap_or(0);
    let names = (0..count).filter_map(|index| area.key(index).ok().flatten()).filter_map(RecordName::found);
    names.map(|name| (name.clone(), read(&name))).collect()
}

/// [`read`] for a record that all tabs share.
pub fn read_of_origin(name: &RecordName) -> Option<Record> {
    read_from(Area::Origin, name)
}

/// [`write()`] for a record that all tabs share; another one may have written by the time that it is read back.
///
/// # Errors
/// [`StorageFailure::Blocked`] or [`StorageFailure::Full`].
pub fn write_of_origin(name: &RecordName, record: &Record) -> Result<Option<Record>, StorageFailure> {
    write_to(Area::Origin, name, record)
}

/// [`remove`] for a record that all tabs share.
pub fn remove_of_origin(name: &RecordName) {
    remove_from(Area::Origin, name);
}

/// Whose storage it is.
#[derive(Clone, Copy)]
enum Area {
    Tab,
    Origin,
}

fn read_from(area: Area, name: &RecordName) -> Option<Record> {
    let text = open(area)?.get_item(name.as_str()).ok()??;
    // Read by the one reader that every document goes through: no member twice.
    Value::parse(text.as_bytes()).ok().map(Record)
}

fn write_to(area: Area, name: &RecordName, Record(value): &Record) -> Result<Option<Record>, StorageFailure> {
    let storage = open(area).ok_or(StorageFailure::Blocked)?;
    // What is left to go wrong behind the probe is the quota.
    storage.set_item(name.as_str(), &value.to_text()).map_err(|_| StorageFailure::Full)?;
    Ok(read_from(area, name))
}

fn remove_from(area: Area, name: &RecordName) {
    if let Some(storage) = open(area) {
        // Removing what is not there is no error, and there is no other.
        let _ = storage.remove_item(name.as_str());
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

//! One file per Web API, as thin as it can be.
//!
//! Rule: an adapter does what a value tells it to and gives a value back. Nothing here looks at a status code or an
//! OAuth error; `tests/architecture.rs` sees to that. [`driver`] joins the adapters to the flow.

pub mod capabilities;
pub mod channel;
pub mod clipboard;
pub mod clock;
pub mod driver;
pub mod entropy;
pub mod fetch;
pub mod indexed_db;
pub mod locks;
pub mod navigation;
pub mod rest;
pub mod service_worker;
pub mod storage;
pub mod subtle;
pub mod vault;
pub mod wake;

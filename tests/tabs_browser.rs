//! What several tabs share, in a real browser: locks, channels, sealed records, the origin's storage. And when a page
//! wakes.
#![cfg(target_arch = "wasm32")]

#[path = "browser/lab.rs"]
mod lab;

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Waker};

use js_sys::{Array, Function, JSON, Object, Promise, Reflect, Uint8Array};
use leptos_pkce::browser::channel::Channel;
use leptos_pkce::browser::indexed_db::{Database, DatabaseFailure};
use leptos_pkce::browser::locks::{self, NotHeld};
use leptos_pkce::browser::storage;
use leptos_pkce::browser::subtle::{self, Sealed, SubtleFailure};
use leptos_pkce::browser::vault::Vault;
use leptos_pkce::browser::wake;
use leptos_pkce::protocol::authorization_request::StorageFailure;
use leptos_pkce::protocol::json::Value;
use leptos_pkce::protocol::storage::{Record, RecordName};
use leptos_pkce::protocol::time::Seconds;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::{JsFuture, future_to_promise, spawn_local};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{BroadcastChannel, CryptoKey, SubtleCrypto, Window};

use lab::Lab;

wasm_bindgen_test_configure!(run_in_browser);

/// What a script gives.
fn script(text: &str) -> JsValue {
    js_sys::eval(text).expect("it runs")
}

/// What the promise of a script gives.
async fn promised(text: &str) -> JsValue {
    JsFuture::from(Promise::from(script(text))).await.expect("it is kept")
}

/// A property of the browser's with something else in its place; dropped, it is as it was.
struct Replaced(Function);

const ABSENT: &str = "({ get: () => undefined })";
const BLOCKED: &str = "({ get() { throw new DOMException('no', 'SecurityError') } })";

/// `property` is a property descriptor, as a script.
fn replace(object: &str, name: &str, property: &str) -> Replaced {
    let replace = script(
        "(object, name, property) => {
            const before = Object.getOwnPropertyDescriptor(object, name);
            Object.defineProperty(object, name, { configurable: true, ...property });
            return () => (before ? Object.defineProperty(object, name, before) : delete object[name]);
        }",
    );
    let replace: Function = replace.unchecked_into();
    let undo = replace.call3(&JsValue::UNDEFINED, &script(object), &name.into(), &script(property));
    Replaced(undo.expect("it can be replaced").unchecked_into())
}

impl Drop for Replaced {
    fn drop(&mut self) {
        self.0.call0(&JsValue::UNDEFINED).expect("it can be put back");
    }
}

/// How many say yes, of those that run at the same time.
async fn how_many<F: Future<Output = bool> + 'static>(tasks: impl IntoIterator<Item = F>) -> usize {
    let promises = tasks.into_iter().map(|task| future_to_promise(async { Ok(task.await.into()) }));
    let answers = JsFuture::from(Promise::all(&promises.collect::<Array>())).await.expect("none of them fails");
    Array::from(&answers).iter().filter(JsValue::is_truthy).count()
}

fn record(text: &str) -> Record {
    Record(Value::object(vec![("text", Some(Value::string(text)))]))
}

// Locks

const LONG: Seconds = Seconds(20);
const SHORT: Seconds = Seconds(1);

/// How many locks are held or waited for.
async fn locks_in_use() -> f64 {
    promised("navigator.locks.query().then(({ held, pending }) => held.length + pending.length)")
        .await
        .as_f64()
        .expect("a number")
}

/// Begins to wait for a lock, and gives up when dropped.
fn begin(name: &'static str) -> Pin<Box<dyn Future<Output = Result<locks::Held, NotHeld>>>> {
    let mut waiting = Box::pin(locks::request(name, LONG));
    assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    waiting
}

#[wasm_bindgen_test]
async fn only_one_holds_a_lock() {
    let lab = Lab::open();
    let first = locks::request("a", LONG).await.expect("nobody holds it");
    let other = locks::request("b", LONG).await.expect("names are different locks");
    drop(other);

    let has_it = Rc::new(Cell::new(false));
    let says = has_it.clone();
    spawn_local(async move {
        let held = locks::request("a", LONG).await.expect("its turn comes");
        says.set(true);
        drop(held);
    });
    lab.sleep(100).await;
    assert!(!has_it.get());
    drop(first);
    lab.until("the second has it", || has_it.get()).await;
    lab.settle().await;
    assert_eq!(locks_in_use().await, 0.0);
}

#[wasm_bindgen_test]
async fn patience_ends_and_a_late_lock_is_not_held() {
    let lab = Lab::open();
    let first = locks::request("a", LONG).await.expect("nobody holds it");
    assert_eq!(locks::request("a", SHORT).await.err(), Some(NotHeld::TimedOut));
    assert_eq!(locks_in_use().await, 1.0);
    drop(first);
    let again = locks::request("a", SHORT).await;
    assert!(again.is_ok());
    drop(again);
    lab.settle().await;
    assert_eq!(locks_in_use().await, 0.0);
    assert_eq!(lab.number("errors"), 0.0);
}

#[wasm_bindgen_test]
async fn whoever_does_not_wait_has_what_is_free() {
    let lab = Lab::open();
    let first = locks::request("a", Seconds(0)).await.expect("nobody holds it");
    assert_eq!(locks::request("a", Seconds(0)).await.err(), Some(NotHeld::TimedOut));
    assert_eq!(locks_in_use().await, 1.0);
    drop(first);
    lab.settle().await;
    assert!(locks::request("a", Seconds(0)).await.is_ok());
    lab.settle().await;
    assert_eq!(locks_in_use().await, 0.0);
    assert_eq!(lab.number("errors"), 0.0);
}

/// The timer ends with the waiting: what is held stays so.
#[wasm_bindgen_test]
async fn a_lock_is_held_longer_than_it_was_waited_for() {
    let lab = Lab::open();
    let held = locks::request("a", SHORT).await.expect("nobody holds it");
    lab.sleep(1200).await;
    assert_eq!(locks_in_use().await, 1.0);
    drop(held);
    lab.settle().await;
    assert_eq!(locks_in_use().await, 0.0);
}

#[wasm_bindgen_test]
async fn whoever_stops_waiting_holds_nothing() {
    let lab = Lab::open();
    // Before it is granted.
    let first = locks::request("a", LONG).await.expect("nobody holds it");
    drop(begin("a"));
    drop(first);
    lab.sleep(50).await;
    assert_eq!(locks_in_use().await, 0.0);
    // When it is, and nobody has looked yet.
    let waiting = begin("a");
    lab.sleep(50).await;
    assert_eq!(locks_in_use().await, 1.0);
    drop(waiting);
    lab.sleep(50).await;
    assert_eq!(locks_in_use().await, 0.0);
    assert_eq!(lab.number("errors"), 0.0);
}

/// The timer and the grant may cross; then the browser asks for how long, and the answer is: no longer.
#[wasm_bindgen_test]
async fn a_grant_that_crosses_the_timer_is_given_back() {
    let lab = Lab::open();
    let tardy = replace(
        "navigator",
        "locks",
        "({ value: { request(name, options, callback) {
            globalThis.grant = () => new Promise((resolve) => resolve(callback({ name }))).catch(() => {});
            return new Promise(() => {});
        } } })",
    );
    assert_eq!(locks::request("a", SHORT).await.err(), Some(NotHeld::TimedOut));
    assert!(promised("Promise.race([grant().then(() => true), lab.sleep(1000)])").await.is_truthy());
    // Held, it is for as long as it is held.
    let waiting = begin("a");
    script("globalThis.over = false; grant().then(() => (over = true)); 0");
    let held = waiting.await.expect("it was granted");
    lab.settle().await;
    assert_eq!(script("over"), JsValue::FALSE);
    drop(held);
    lab.settle().await;
    assert_eq!(script("over"), JsValue::TRUE);
    drop(tardy);
    assert_eq!(lab.number("errors"), 0.0);
}

#[wasm_bindgen_test]
async fn says_that_there_are_no_locks() {
    let lab = Lab::open();
    for how in [
        ABSENT,
        BLOCKED,
        "({ value: null })",
        "({ value: {} })",
        "({ value: { request: 1 } })",
        "({ value: { request() { throw new DOMException('no', 'SecurityError') } } })",
        "({ value: { request() { return Promise.reject(new DOMException('no', 'SecurityError')) } } })",
        "({ value: { request() { return Promise.reject(new DOMException('no', 'InvalidStateError')) } } })",
    ] {
        let replaced = replace("navigator", "locks", how);
        assert_eq!(locks::request("a", LONG).await.err(), Some(NotHeld::Unavailable), "{how}");
        drop(replaced);
    }
    for how in [ABSENT, BLOCKED] {
        for global in ["navigator", "AbortController"] {
            let replaced = replace("globalThis", global, how);
            assert_eq!(locks::request("a", LONG).await.err(), Some(NotHeld::Unavailable), "{global} {how}");
            drop(replaced);
        }
    }
    // The name that the standard keeps for itself.
    assert_eq!(locks::request("-a", LONG).await.err(), Some(NotHeld::Unavailable));
    lab.settle().await;
    assert_eq!(lab.number("errors"), 0.0);
    assert_eq!(locks_in_use().await, 0.0);
}

// Channels

/// A channel, and what it has heard.
fn channel(name: &str) -> (Channel, Rc<RefCell<Vec<String>>>) {
    let heard = Rc::new(RefCell::new(Vec::new()));
    let hears = heard.clone();
    let channel = Channel::open(name, move |text| hears.borrow_mut().push(text.to_owned()));
    (channel.expect("there are channels"), heard)
}

#[wasm_bindgen_test]
async fn a_channel_is_heard_by_the_others_of_its_name() {
    let lab = Lab::open();
    let [(first, to_first), (_second, to_second), (_other, to_other)] = ["a", "a", "b"].map(channel);
    first.post("é\"\n");
    first.post("");
    lab.until("the second hears both", || to_second.borrow().len() == 2).await;
    assert_eq!(*to_second.borrow(), ["é\"\n", ""]);
    assert!(to_first.borrow().is_empty());
    assert!(to_other.borrow().is_empty());
}

#[wasm_bindgen_test]
async fn a_channel_hears_texts_of_bounded_length_only() {
    let lab = Lab::open();
    let (_channel, heard) = channel("a");
    let stranger = BroadcastChannel::new("a").expect("there are channels");
    let [longest, too_long] = [4096, 4097].map(|length| "x".repeat(length));
    for value in ["null", "1", "({ text: 'a' })", "['a']", "new Uint8Array(3)", "new String('a')", "undefined"] {
        stranger.post_message(&script(value)).expect("it can be copied");
    }
    for text in [&too_long, &longest, "last"] {
        stranger.post_message(&text.into()).expect("it can be copied");
    }
    lab.until("it hears the last", || heard.borrow().last().is_some_and(|text| text == "last")).await;
    assert_eq!(*heard.borrow(), [&longest, "last"]);
    assert_eq!(lab.number("errors"), 0.0);
    stranger.close();
}

#[wasm_bindgen_test]
async fn a_dropped_channel_hears_nothing() {
    let lab = Lab::open();
    let [(first, _), (second, heard), (_third, third_heard)] = ["a"; 3].map(channel);
    first.post("a");
    // What is on its way, too.
    drop(second);
    first.post("b");
    lab.until("the third hears both", || third_heard.borrow().len() == 2).await;
    assert!(heard.borrow().is_empty());
    assert_eq!(lab.number("errors"), 0.0);
}

#[wasm_bindgen_test]
async fn a_channel_may_be_dropped_by_what_it_hears() {
    let lab = Lab::open();
    let own: Rc<RefCell<Option<Channel>>> = Rc::default();
    let drops = own.clone();
    *own.borrow_mut() = Channel::open("a", move |_| drop(drops.borrow_mut().take()));
    assert!(own.borrow().is_some());
    let (other, _) = channel("a");
    other.post("a");
    other.post("b");
    lab.until("it is gone", || own.borrow().is_none()).await;
    lab.settle().await;
    assert_eq!(lab.number("errors"), 0.0);
}

#[wasm_bindgen_test]
fn says_that_there_are_no_channels() {
    let _lab = Lab::open();
    for how in
        [ABSENT, BLOCKED, "({ value: class { constructor() { throw new DOMException('no', 'SecurityError') } } })"]
    {
        let _replaced = replace("globalThis", "BroadcastChannel", how);
        assert!(Channel::open("a", |_| {}).is_none(), "{how}");
    }
    let (channel, _) = channel("a");
    let throws = "({ value() { throw new DOMException('no', 'InvalidStateError') } })";
    let _replaced = replace("BroadcastChannel.prototype", "postMessage", throws);
    channel.post("a");
}

// Replacing in a database

fn text(value: Option<&JsValue>) -> Option<String> {
    value?.as_string()
}

/// Reading and writing are one transaction: it is still open when the value that was read has been looked at.
#[wasm_bindgen_test]
async fn replaces_what_it_has_seen() {
    let name = "leptos-pkce test replacing";
    let database = Database::open(name).await.expect("a database");
    let is = |expected: Option<&'static str>| move |found: Option<&JsValue>| text(found).as_deref() == expected;
    assert_eq!(database.replace("a", &"1".into(), &is(Some("0"))).await, Ok(false));
    assert_eq!(database.get("a").await, Ok(None));
    assert_eq!(database.replace("a", &"1".into(), &is(None)).await, Ok(true));
    assert_eq!(database.replace("a", &"2".into(), &is(None)).await, Ok(false));
    assert_eq!(database.replace("a", &"2".into(), &is(Some("1"))).await, Ok(true));
    assert_eq!(text(database.get("a").await.expect("it answers").as_ref()).as_deref(), Some("2"));
    // What cannot be kept takes the place of nothing.
    assert_eq!(database.replace("a", &script("() => 0"), &|_| true).await, Err(DatabaseFailure));
    assert_eq!(text(database.get("a").await.expect("it answers").as_ref()).as_deref(), Some("2"));
    drop(database);
    Database::delete(name).await.expect("it goes");
}

#[wasm_bindgen_test]
async fn of_all_that_replace_the_same_value_one_wins() {
    let name = "leptos-pkce test races";
    let [first, second] =
        [Database::open(name).await, Database::open(name).await].map(|open| Rc::new(open.expect("a database")));
    for round in 0..20 {
        first.put(&[("a", "before".into())]).await.expect("it is kept");
        let writers = (0..8).map(|writer| {
            let database = if (round + writer) % 2 == 0 { first.clone() } else { second.clone() };
            async move {
                let value = writer.to_string().into();
                let may = |found: Option<&JsValue>| text(found).as_deref() == Some("before");
                database.replace("a", &value, &may).await.expect("it answers")
            }
        });
        assert_eq!(how_many(writers).await, 1);
    }
    drop((first, second));
    Database::delete(name).await.expect("it goes");
}

// Sealing

#[wasm_bindgen_test]
async fn opens_what_it_sealed() {
    for octets in [&b""[..], b"octets", &[7; 10_000]] {
        let sealed = subtle::seal(octets, [1; 12]).await.expect("WebCrypto");
        let sealed = Sealed::from_value(&sealed.to_value()).expect("it is one");
        assert_eq!(subtle::open(&sealed).await.as_deref(), Ok(octets));
    }
}

#[wasm_bindgen_test]
async fn opens_nothing_that_was_changed() {
    let [sealed, other] =
        [subtle::seal(b"octets", [1; 12]).await, subtle::seal(b"octets", [1; 12]).await].map(|sealed| {
            let value = sealed.expect("WebCrypto").to_value();
            assert!(Sealed::from_value(&value).is_some());
            value
        });
    let member = |value: &JsValue, name: &str| Reflect::get(value, &name.into()).expect("a member");
    let with = |name: &str, value: &JsValue| {
        let changed = Object::assign(&Object::new(), sealed.unchecked_ref());
        Reflect::set(&changed, &name.into(), value).expect("a plain object");
        Sealed::from_value(&changed)
    };
    // Each is sealed under a key of its own.
    assert_ne!(Uint8Array::new(&member(&sealed, "data")).to_vec(), Uint8Array::new(&member(&other, "data")).to_vec());
    let mut octets = Uint8Array::new(&member(&sealed, "data")).to_vec();
    octets[0] ^= 1;
    let [changed, short, empty] = [&octets[..], &octets[..10], &[]].map(|octets| Uint8Array::from(octets).into());
    for (name, value) in [
        ("data", &changed),
        ("data", &short),
        ("data", &empty),
        ("data", &member(&other, "data")),
        ("iv", &short),
        ("iv", &empty),
        ("key", &member(&other, "key")),
    ] {
        let changed = with(name, value).expect("it looks like one");
        assert_eq!(subtle::open(&changed).await, Err(SubtleFailure), "{name}");
    }
    for (name, value) in [("data", "'text'"), ("iv", "[1, 2]"), ("key", "({})"), ("key", "undefined")] {
        assert!(with(name, &script(value)).is_none(), "{name}");
    }
    for other in ["null", "undefined", "'text'", "1", "({})", "[]"] {
        assert!(Sealed::from_value(&script(other)).is_none(), "{other}");
    }
}

// Vault

const DATABASE: &str = "leptos-pkce";

/// An empty vault, and the database that it is in.
async fn vault() -> (Vault, Database) {
    Database::delete(DATABASE).await.expect("it goes");
    (Vault::open().await.expect("a database"), Database::open(DATABASE).await.expect("the same"))
}

#[wasm_bindgen_test]
async fn a_vault_gives_back_what_was_put_into_it() {
    let (vault, _) = vault().await;
    assert_eq!(vault.read("a").await, Ok(None));
    assert_eq!(vault.replace("a", None, "1", &record("é\"\n")).await, Ok(true));
    assert_eq!(vault.replace("b", None, "1", &record("b")).await, Ok(true));
    drop(vault);
    let vault = Vault::open().await.expect("it is there still");
    assert_eq!(vault.read("a").await, Ok(Some(record("é\"\n"))));
    assert_eq!(vault.read("b").await, Ok(Some(record("b"))));
}

#[wasm_bindgen_test]
async fn a_vault_replaces_the_expected_version_only() {
    let (vault, database) = vault().await;
    assert_eq!(vault.replace("a", Some("1"), "2", &record("first")).await, Ok(false));
    assert_eq!(database.get("a").await, Ok(None));
    assert_eq!(vault.replace("a", None, "1", &record("first")).await, Ok(true));
    for other in ["2", "", "1 ", "undefined"] {
        assert_eq!(vault.replace("a", Some(other), "2", &record("second")).await, Ok(false), "{other}");
        assert_eq!(vault.read("a").await, Ok(Some(record("first"))));
    }
    assert_eq!(vault.replace("a", Some("1"), "2", &record("second")).await, Ok(true));
    assert_eq!(vault.replace("a", Some("1"), "3", &record("third")).await, Ok(false));
    assert_eq!(vault.read("a").await, Ok(Some(record("second"))));
    assert_eq!(vault.replace("a", None, "1", &record("fourth")).await, Ok(true));
    assert_eq!(vault.read("a").await, Ok(Some(record("fourth"))));
    // What is no record has no version, and can be replaced by whoever expects nothing.
    for garbage in ["'text'", "1", "null", "({ version: 1 })"] {
        database.put(&[("a", script(garbage))]).await.expect("it is kept");
        assert_eq!(vault.replace("a", Some("1"), "2", &record("second")).await, Ok(false), "{garbage}");
        assert_eq!(vault.replace("a", None, "1", &record("first")).await, Ok(true), "{garbage}");
    }
}

#[wasm_bindgen_test]
async fn of_two_writers_of_a_version_one_wins() {
    let (first, _) = vault().await;
    let second = Vault::open().await.expect("the same");
    let vaults = [Rc::new(first), Rc::new(second)];
    assert_eq!(vaults[0].replace("a", None, "0", &record("0")).await, Ok(true));
    for round in 0..10 {
        let writers = vaults.clone().into_iter().enumerate().map(|(writer, vault)| async move {
            let [before, after] = [round, round + 1].map(|version| version.to_string());
            vault.replace("a", Some(&before), &after, &record(&writer.to_string())).await.expect("it answers")
        });
        assert_eq!(how_many(writers).await, 1);
    }
}

#[wasm_bindgen_test]
async fn what_lies_in_a_vault_is_sealed() {
    const SECRET: &str = "the-refresh-token";
    let (vault, database) = vault().await;
    let mut seen = Vec::new();
    for version in ["1", "2"] {
        assert_eq!(vault.replace("a", None, version, &record(SECRET)).await, Ok(true));
        let value = database.get("a").await.expect("it answers").expect("what was put");
        let member = |name: &str| Reflect::get(&value, &name.into()).expect("a member");
        assert_eq!(Object::keys(value.unchecked_ref::<Object>()).join(" "), "key iv data version");
        assert_eq!(member("version"), version);
        let octets = ["iv", "data"].map(|name| member(name).dyn_into::<Uint8Array>().expect("octets").to_vec());
        for octets in &octets {
            let text = String::from_utf8_lossy(octets).into_owned();
            assert!(!text.contains("token") && !text.contains("text"), "{text}");
        }
        assert_eq!(octets[0].len(), 12);
        seen.push(octets);

        let key: CryptoKey = member("key").dyn_into().expect("a key");
        assert_eq!(Reflect::get(&key, &"extractable".into()), Ok(JsValue::FALSE));
        let subtle: SubtleCrypto = script("crypto.subtle").unchecked_into();
        for format in ["raw", "jwk"] {
            let exported = JsFuture::from(subtle.export_key(format, &key).expect("a promise")).await;
            assert!(exported.is_err(), "{format}");
        }
        let written = JSON::stringify(&value).map(String::from).expect("it can be written");
        assert!(!written.contains(SECRET), "{written}");
    }
    // Neither octets for the key nor those that it seals are used twice.
    assert!(seen[0].iter().zip(&seen[1]).all(|(first, second)| first != second));
}

#[wasm_bindgen_test]
async fn a_vault_removes_the_key_with_the_record() {
    let (vault, database) = vault().await;
    assert_eq!(vault.replace("a", None, "1", &record("a")).await, Ok(true));
    assert_eq!(vault.replace("b", None, "1", &record("b")).await, Ok(true));
    assert_eq!(vault.remove("a").await, Ok(()));
    assert_eq!(vault.remove("a").await, Ok(()));
    assert_eq!(vault.read("a").await, Ok(None));
    assert_eq!(vault.replace("a", Some("1"), "2", &record("a")).await, Ok(false));
    assert_eq!(database.get("a").await, Ok(None));
    assert_eq!(vault.read("b").await, Ok(Some(record("b"))));
}

#[wasm_bindgen_test]
async fn a_vault_reads_garbage_as_nothing() {
    let (vault, database) = vault().await;
    for garbage in ["'text'", "1", "null", "({})", "({ version: '1', key: {}, iv: [], data: [] })"] {
        database.put(&[("a", script(garbage))]).await.expect("it is kept");
        assert_eq!(vault.read("a").await, Ok(None), "{garbage}");
    }
    // Sealed, and no JSON.
    for octets in [&b"{"[..], b"", b"{\"a\":1,\"a\":2}", b"\xff"] {
        let sealed = subtle::seal(octets, [1; 12]).await.expect("WebCrypto").to_value();
        database.put(&[("a", sealed)]).await.expect("it is kept");
        assert_eq!(vault.read("a").await, Ok(None));
    }
    // Under the key of another one.
    assert_eq!(vault.replace("a", None, "1", &record("a")).await, Ok(true));
    assert_eq!(vault.replace("b", None, "1", &record("b")).await, Ok(true));
    let [a, b] = [database.get("a").await, database.get("b").await].map(|value| value.expect("it answers"));
    let mixed = a.expect("it is there");
    let key = Reflect::get(&b.expect("it is there"), &"key".into()).expect("a member");
    Reflect::set(&mixed, &"key".into(), &key).expect("a plain object");
    database.put(&[("a", mixed)]).await.expect("it is kept");
    assert_eq!(vault.read("a").await, Ok(None));
}

#[wasm_bindgen_test]
async fn says_that_there_is_no_vault() {
    for how in [ABSENT, BLOCKED] {
        let replaced = replace("globalThis", "indexedDB", how);
        assert_eq!(Vault::open().await.err(), Some(DatabaseFailure), "{how}");
        drop(replaced);
    }
    let (vault, database) = vault().await;
    assert_eq!(vault.replace("a", None, "1", &record("a")).await, Ok(true));
    // A page that is not secure has no WebCrypto; what it cannot seal it does not write.
    for how in [ABSENT, BLOCKED, "({ value: { getRandomValues: (octets) => octets } })"] {
        let replaced = replace("globalThis", "crypto", how);
        assert_eq!(vault.replace("a", None, "2", &record("b")).await, Err(DatabaseFailure), "{how}");
        assert_eq!(vault.read("a").await, Ok(None), "{how}");
        drop(replaced);
    }
    assert_eq!(vault.read("a").await, Ok(Some(record("a"))));
    // A database that is closed under the vault's feet: by whoever deletes it.
    drop(database);
    Database::delete(DATABASE).await.expect("it goes");
    assert_eq!(vault.read("a").await, Err(DatabaseFailure));
    assert_eq!(vault.replace("a", None, "1", &record("a")).await, Err(DatabaseFailure));
    assert_eq!(vault.remove("a").await, Err(DatabaseFailure));
}

// Waking

/// Counts by `count`, for as long as the page lives.
fn counted(count: impl FnOnce(Box<dyn FnMut()>)) -> Rc<Cell<u32>> {
    let calls = Rc::new(Cell::new(0));
    let counts = calls.clone();
    count(Box::new(move || counts.set(counts.get() + 1)));
    calls
}

/// How many calls one event makes. Events are dispatched at once, so nothing else comes between.
fn calls_of(calls: &Cell<u32>, target: &str, event: &str) -> u32 {
    let before = calls.get();
    script(&format!("{target}.dispatchEvent(new Event('{event}', {{ bubbles: {} }}))", event != "focus"));
    calls.get() - before
}

#[wasm_bindgen_test]
fn wakes_when_somebody_comes_back() {
    let _lab = Lab::open();
    let calls = counted(wake::on_wake);
    for (target, event) in
        [("document", "visibilitychange"), ("window", "focus"), ("window", "pageshow"), ("window", "online")]
    {
        assert_eq!(calls_of(&calls, target, event), 1, "{event}");
    }
    for persisted in ["true", "false"] {
        let before = calls.get();
        script(&format!("dispatchEvent(new PageTransitionEvent('pageshow', {{ persisted: {persisted} }}))"));
        assert_eq!(calls.get() - before, 1);
    }
    // A field that gets the focus is no window that does.
    for (target, event) in
        [("window", "blur"), ("window", "offline"), ("window", "pagehide"), ("document.body", "focus")]
    {
        assert_eq!(calls_of(&calls, target, event), 0, "{event}");
    }
    let _hidden = replace("document", "hidden", "({ value: true })");
    assert_eq!(calls_of(&calls, "document", "visibilitychange"), 0);
    assert_eq!(calls_of(&calls, "window", "online"), 1);
}

#[wasm_bindgen_test]
fn hears_what_somebody_does() {
    let _lab = Lab::open();
    let calls = counted(wake::on_activity);
    // Also where the page's own listeners let nobody else hear of it.
    script(
        "for (const name of ['pointerdown', 'keydown', 'touchstart', 'pointermove'])
              document.body.addEventListener(name, (event) => event.stopImmediatePropagation(), true)",
    );
    for event in ["pointerdown", "keydown", "touchstart"] {
        assert_eq!(calls_of(&calls, "document.body", event), 1, "{event}");
    }
    for event in ["pointermove", "scroll", "visibilitychange", "online"] {
        assert_eq!(calls_of(&calls, "document.body", event), 0, "{event}");
    }
}

#[wasm_bindgen_test]
fn knows_a_frame() {
    let _lab = Lab::open();
    assert!(!wake::is_framed());
    // The second is of another origin, from the beginning.
    for frame in ["{}", "{ sandbox: '', src: 'data:text/html,' }"] {
        let window: Window = script(&format!(
            "Object.assign(document.body.appendChild(document.createElement('iframe')), {frame}).contentWindow"
        ))
        .unchecked_into();
        assert!(wake::is_frame(&window), "{frame}");
        script("document.querySelectorAll('iframe').forEach((frame) => frame.remove())");
        assert!(wake::is_frame(&window), "{frame}");
    }
}

// The origin's storage

fn name(rest: &str) -> RecordName {
    RecordName::found(format!("leptos-pkce {rest}")).expect("it has the prefix")
}

fn local(text: &str) -> JsValue {
    script(&format!("localStorage.{text}"))
}

#[wasm_bindgen_test]
fn a_record_of_the_origin_is_none_of_the_tab() {
    let _lab = Lab::open();
    local("clear()");
    assert_eq!(storage::read(&name("active a")), None);
    assert_eq!(storage::write(&name("active a"), &record("é\"\n")), Ok(Some(record("é\"\n"))));
    assert_eq!(storage::read(&name("active a")), Some(record("é\"\n")));
    assert!(storage::list().is_empty());
    storage::write(&name("a"), &record("tab")).expect("there is room");
    assert_eq!(storage::read(&name("active a")), Some(record("é\"\n")));
    storage::remove(&name("a"));
    assert_eq!(local("length"), 1);
    storage::remove(&name("active a"));
    storage::remove(&name("active a"));
    assert_eq!(local("length"), 0);
    for garbage in ["{", "", "undefined", r#"{"a":1,"a":2}"#] {
        local(&format!("setItem('leptos-pkce active a', '{garbage}')"));
        assert_eq!(storage::read(&name("active a")), None, "{garbage}");
    }
    local("clear()");
}

#[wasm_bindgen_test]
fn says_that_the_storage_of_the_origin_is_blocked_or_full() {
    let _lab = Lab::open();
    local("clear()");
    storage::write(&name("active a"), &record("a")).expect("there is room");
    for how in [ABSENT, BLOCKED, "({ value: null })"] {
        let _replaced = replace("globalThis", "localStorage", how);
        assert_eq!(storage::write(&name("active a"), &record("b")), Err(StorageFailure::Blocked), "{how}");
        assert_eq!(storage::read(&name("active a")), None);
        storage::remove(&name("active a"));
        // The tab's is another matter.
        assert!(storage::write(&name("a"), &record("a")).is_ok());
    }
    {
        let full = "({ value() { throw new DOMException('no', 'QuotaExceededError') } })";
        let _replaced = replace("Storage.prototype", "setItem", full);
        assert_eq!(storage::write(&name("active a"), &record("b")), Err(StorageFailure::Full));
    }
    assert_eq!(storage::read(&name("active a")), Some(record("a")));
    local("clear()");
}

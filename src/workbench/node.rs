//! Elements as data: one type for all of them, so that each costs the bytes of its words and not a type of its own.
//!
//! The `view!` macro gives every tree a type, and every type brings code along: twice the bytes for these pages.
//! Nor is there `innerHTML` anywhere, so a policy may require Trusted Types.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};

use leptos::attr::any_attribute::{AnyAttribute, IntoAnyAttribute as _};
use leptos::attr::custom::custom_attribute;
use leptos::ev;
use leptos::html::custom;
use leptos::prelude::*;
use leptos::tachys::html::event::on;
use leptos::tachys::html::property::prop;
use leptos::tachys::view::iterators::StaticVec;

/// An element, or several nodes one after the other. Boxed: what is passed along is one word.
pub(super) struct Node(Box<Parts>);

struct Parts {
    /// `None` stands for the children without an element around them.
    tag: Option<&'static str>,
    attributes: Vec<AnyAttribute>,
    children: Vec<AnyView>,
}

/// What can stand in an element.
pub(super) trait Child {
    /// The child as a view.
    fn into_view(self) -> AnyView;
}

/// An element without children. `name` is its tag and after a dot its classes, e.g. `p.muted late`.
pub(super) fn element(name: &'static str) -> Node {
    match name.split_once('.') {
        Some((tag, classes)) => Node::new(Some(tag)).attribute("class", classes),
        None => Node::new(Some(name)),
    }
}

/// Nothing; its children will stand one after the other.
pub(super) fn fragment() -> Node {
    Node::new(None)
}

impl Node {
    fn new(tag: Option<&'static str>) -> Self {
        Self(Box::new(Parts { tag, attributes: Vec::new(), children: Vec::new() }))
    }

    /// Adds an attribute that stays as it is.
    pub(super) fn attribute(self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.with_attribute(custom_attribute(name, value.into()).into_any_attr())
    }

    /// Adds an attribute that follows what `value` reads; `None` takes it away.
    pub(super) fn live_attribute(
        self,
        name: &'static str,
        value: impl Fn() -> Option<String> + Send + 'static,
    ) -> Self {
        let value: Arc<Mutex<dyn FnMut() -> Option<String> + Send>> = Arc::new(Mutex::new(value));
        self.with_attribute(custom_attribute(name, value).into_any_attr())
    }

    /// Lets what stands in a form control follow what `value` reads.
    pub(super) fn live_value(self, value: impl Fn() -> String + Send + 'static) -> Self {
        let value: Arc<Mutex<dyn FnMut() -> String + Send>> = Arc::new(Mutex::new(value));
        self.with_attribute(prop("value", value).into_any_attr())
    }

    /// Calls `listener` at every `event`.
    pub(super) fn on(self, event: &'static str, listener: impl FnMut(ev::Event) + 'static) -> Self {
        let listener: Box<dyn FnMut(ev::Event)> = Box::new(listener);
        self.with_attribute(on(ev::Custom::new(event), listener).into_any_attr())
    }

    /// Adds a child after those that are there.
    pub(super) fn child(self, child: impl Child) -> Self {
        self.with_child(child.into_view())
    }

    /// Adds children after those that are there.
    pub(super) fn children(self, children: impl IntoIterator<Item = Self>) -> Self {
        children.into_iter().fold(self, Self::child)
    }

    /// Adds what `view` makes; it is made anew whenever something changes that it reads.
    pub(super) fn live<C: Child>(self, view: impl Fn() -> C + Send + 'static) -> Self {
        let view: Arc<Mutex<dyn FnMut() -> AnyView + Send>> = Arc::new(Mutex::new(move || view().into_view()));
        self.with_child(view.into_any())
    }

    /// Adds what `view` makes of what `look` sees; it is made anew only when that differs, so what somebody uses stays.
    pub(super) fn live_by<T, C>(
        self,
        look: impl Fn() -> T + Send + Sync + 'static,
        view: impl Fn(&T) -> C + Send + 'static,
    ) -> Self
    where
        T: PartialEq + Send + 'static,
        C: Child,
    {
        let seen = Arc::new(Mutex::new(None));
        let shown = Arc::clone(&seen);
        let version = versions(Box::new(move || {
            let now = Some(look());
            let mut seen = seen.lock().expect(ONE_THREAD);
            let is_new = *seen != now;
            *seen = now;
            is_new
        }));
        self.live(move || {
            version.get(); // looks, unlike `track`
            shown.lock().expect(ONE_THREAD).as_ref().map(&view)
        })
    }

    fn with_attribute(mut self, attribute: AnyAttribute) -> Self {
        self.0.attributes.push(attribute);
        self
    }

    fn with_child(mut self, child: AnyView) -> Self {
        self.0.children.push(child);
        self
    }
}

const ONE_THREAD: &str = "a page has one thread, and views do not look while they are made";

/// Counts how often something was new.
fn versions(is_new: Box<dyn Fn() -> bool + Send + Sync>) -> Memo<u32> {
    Memo::new(move |version: Option<&u32>| version.copied().unwrap_or_default() + u32::from(is_new()))
}

impl Child for Node {
    fn into_view(self) -> AnyView {
        let Parts { tag, attributes, children } = *self.0;
        let children = StaticVec::from(children);
        match tag {
            Some(tag) => custom(tag).add_any_attr(attributes).child(children).into_any(),
            None => children.into_any(),
        }
    }
}

impl Child for &'static str {
    fn into_view(self) -> AnyView {
        Cow::Borrowed(self).into_any()
    }
}

impl Child for String {
    fn into_view(self) -> AnyView {
        Cow::<'static, str>::Owned(self).into_any()
    }
}

impl<C: Child> Child for Option<C> {
    fn into_view(self) -> AnyView {
        match self {
            Some(child) => child.into_view(),
            None => fragment().into_view(),
        }
    }
}

//! What the tabs of one browser have in common: locks, the shared record, localStorage, messages; and a server that rotates
//! refresh tokens and watches for those that are used twice.

use std::cell::RefCell;
use std::rc::Rc;

use leptos_pkce::protocol::flow::Event;
use leptos_pkce::protocol::http::{HttpFailure, HttpResponse};
use leptos_pkce::protocol::renewal::Lock;
use serde_json::json;

use crate::answers::{document, refusal};
use crate::scenario::{Scenario, Tab};

/// A server that gives a new refresh token for each, and nothing more to whoever presents one twice (RFC 9700 §4.14.2).
#[derive(Clone)]
pub(crate) struct Server(Rc<RefCell<State>>);

struct State {
    /// The token that is good; none after one was presented twice.
    current: Option<String>,
    issued: u32,
    presented: Vec<String>,
    /// What becomes of answers from now on: they are lost, though the server has done its work.
    are_lost: bool,
}

impl Server {
    /// A server that gave `first`.
    pub(crate) fn new(first: &str) -> Self {
        let (current, presented) = (Some(first.to_owned()), Vec::new());
        Self(Rc::new(RefCell::new(State { current, issued: 0, presented, are_lost: false })))
    }

    /// Somebody signs in: `first` is good, and whatever was before is not.
    pub(crate) fn begin(&self, first: &str) {
        self.0.borrow_mut().current = Some(first.to_owned());
    }

    /// From now on answers are lost, or not.
    pub(crate) fn lose_answers(&self, are_lost: bool) {
        self.0.borrow_mut().are_lost = are_lost;
    }

    /// Every refresh token that was presented, in order.
    pub(crate) fn presented(&self) -> Vec<String> {
        self.0.borrow().presented.clone()
    }

    /// Whether some refresh token is still good.
    pub(crate) fn is_alive(&self) -> bool {
        self.0.borrow().current.is_some()
    }

    pub(crate) fn refresh(&self, token: &str) -> Option<Result<HttpResponse, HttpFailure>> {
        let mut state = self.0.borrow_mut();
        state.presented.push(token.to_owned());
        if state.current.as_deref() != Some(token) {
            state.current = None;
            return Some(refusal("invalid_grant"));
        }
        state.issued += 1;
        let next = format!("refresh-{}", state.issued);
        let tokens = json!({
            "access_token": format!("access-{}", state.issued), "token_type": "Bearer", "expires_in": 3600,
            "refresh_token": next,
        });
        state.current = Some(next);
        Some(if state.are_lost { Err(HttpFailure::Unreachable) } else { document(tokens.to_string()) })
    }
}

/// Tabs of one browser.
pub(crate) struct Browser {
    tabs: Vec<Tab>,
    /// Whether messages are heard.
    pub(crate) has_messages: bool,
}

impl Browser {
    /// Signs in in the first of `count` tabs.
    pub(crate) fn signed_in(scenario: &Scenario, count: usize) -> Self {
        let mut browser = Self { tabs: (0..count).map(|_| scenario.open()).collect(), has_messages: true };
        for (tab, attempt) in browser.tabs.iter_mut().zip((0..=255).step_by(30)) {
            tab.lock = None;
            tab.draw_from(attempt);
        }
        browser.in_tab(0, Tab::sign_in);
        browser.in_tab(0, |tab| {
            tab.now += 60;
            tab.come_back("code=x&state={state}", "");
        });
        browser
    }

    pub(crate) fn tab(&self, index: usize) -> &Tab {
        &self.tabs[index]
    }

    /// Does something in one tab, and everything that follows from it in the others.
    pub(crate) fn in_tab(&mut self, index: usize, what: impl FnOnce(&mut Tab)) {
        self.on_its_own(index, what);
        self.settle();
    }

    /// Does something in one tab, while the others have no time.
    pub(crate) fn on_its_own(&mut self, index: usize, what: impl FnOnce(&mut Tab)) {
        what(&mut self.tabs[index]);
        let now = self.tabs[index].now;
        let (shared, of_origin) = (self.tabs[index].shared.clone(), self.tabs[index].storage.of_origin.clone());
        for tab in &mut self.tabs {
            tab.now = tab.now.max(now);
            tab.shared.clone_from(&shared);
            tab.storage.of_origin.clone_from(&of_origin);
        }
    }

    /// Lets time pass in all tabs.
    pub(crate) fn pass(&mut self, seconds: u64) {
        let end = self.tabs[0].now + seconds;
        for second in self.tabs[0].now + 1..=end {
            for index in 0..self.tabs.len() {
                self.in_tab(index, |tab| {
                    let ahead = second.saturating_sub(tab.now);
                    // Another tab may have taken the time along.
                    if ahead > 0 {
                        tab.pass(ahead)
                    } else {
                        tab.pass(0)
                    };
                });
            }
        }
    }

    /// Hands out locks and messages until nobody waits for any.
    pub(crate) fn settle(&mut self) {
        for _ in 0..1_000 {
            if !self.hand_out_lock() && !self.deliver() {
                return;
            }
        }
        panic!("the tabs never come to rest");
    }

    fn hand_out_lock(&mut self) -> bool {
        let is_held = |name: &str| self.tabs.iter().any(|tab| tab.locks.iter().any(|held| held == name));
        let next = self.tabs.iter().position(|tab| tab.wished.first().is_some_and(|(_, name)| !is_held(name)));
        if let Some(index) = next {
            self.on_its_own(index, |tab| tab.grant(Lock::Held));
        }
        next.is_some()
    }

    fn deliver(&mut self) -> bool {
        let Some(from) = self.tabs.iter().position(|tab| !tab.posted.is_empty()) else { return false };
        let mut texts = std::mem::take(&mut self.tabs[from].posted);
        texts.retain(|_| self.has_messages);
        for text in texts {
            for index in (0..self.tabs.len()).filter(|index| *index != from) {
                let text = text.clone();
                self.on_its_own(index, |tab| tab.happen(Event::Heard(text)));
            }
        }
        true
    }
}

//! Three tabs that share a session, and everything that may happen to them in any order: the real machine of
//! `protocol::renewal`, in a model of lock, record, messages, network, server and clock, explored exhaustively.
//!
//! Within the bounds of [`Budget`] each interleaving is tried of: tabs that want new tokens, requests and answers that are lost,
//! a server that is busy, tabs that crash with the lock held, clocks that jump, and a sign-out. What must hold in every state
//! is [`PROPERTIES`]; that each of them would fail is shown by taking away the mechanism that it rests on.
#![cfg(not(target_arch = "wasm32"))]

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;

use leptos_pkce::protocol::renewal::{Answer, Found, Input, Lock, Output, Renewal, Written};
use leptos_pkce::protocol::time::{Seconds, UnixTime};
use stateright::{Checker as _, HasDiscoveries, Model, Property};

const TABS: usize = 3;

/// How much of each misfortune there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Budget {
    /// How often a tab wants new tokens though it has some.
    wishes: u8,
    /// Requests or answers that are lost.
    losses: u8,
    /// Answers by a server that is busy.
    refusals: u8,
    crashes: u8,
    /// Jumps of the clock, by an hour forth or back.
    jumps: u8,
    sign_outs: u8,
}

/// What the client rests on; each can be taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mechanism {
    /// One tab at a time.
    Lock,
    /// The record is read inside of the lock.
    Reading,
    /// That a token is presented is written down before.
    Mark,
    /// The record is written only over the version that was read.
    Version,
    /// Tabs hear of a sign-out.
    Message,
    /// The browser releases the lock of a tab that is gone.
    Release,
    /// Only `invalid_grant` ends a session.
    Patience,
}

struct Tabs {
    budget: Budget,
    /// Whether the browser has locks.
    has_locks: bool,
    without: &'static [Mechanism],
}

/// A state of the world.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    /// In no order: which of them is which makes no difference.
    tabs: Vec<Tab>,
    record: Option<Record>,
    server: Server,
    now: u64,
    left: Budget,
    is_signed_out: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Tab {
    is_alive: bool,
    has_lock: bool,
    /// What the page holds; `None` is signed out.
    session: Option<Record>,
    renewal: Renewal,
    /// What the machine has asked for and has no answer to.
    asked: Option<Asked>,
    /// Whether a message is on its way to this tab.
    has_mail: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Asked {
    Lock,
    Read,
    Mark(u32),
    Probe,
    /// The request is on its way to the server.
    Request,
    /// The answer is on its way back.
    Answer(Reply),
    /// New tokens are to be stored.
    Store(u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Reply {
    Tokens(u8),
    InvalidGrant,
    Busy,
}

/// The record, or what a page has of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Record {
    /// The refresh token: they are numbered as the server gives them.
    token: u8,
    presented: u32,
    presented_at: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Server {
    /// The token that is good; with reuse detection, none after another one was presented.
    current: Option<u8>,
    issued: u8,
    /// How often each token was presented.
    presented: Vec<u8>,
    /// For each token whether a message about it was lost: on the way, or with the tab that sent it.
    lost: Vec<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Action {
    Want(usize),
    /// What the tab asked for last is answered.
    Proceed(usize),
    /// What it asked for last is lost, or fails.
    Fail(usize),
    /// The server is busy.
    Refuse(usize),
    Mail(usize),
    Wake(usize),
    Crash(usize),
    Jump(bool),
    SignOut(usize),
}

const START: u64 = 1_000_000;
const HOUR: u64 = 3_600;
/// How long an answer may take; a mark that is older is no hope any more.
const RECENT: u64 = 4;
/// How long a request may take.
const DEADLINE: u64 = 3;

impl Model for Tabs {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let record = Record { token: 0, presented: 0, presented_at: 0 };
        let tab = Tab {
            is_alive: true,
            has_lock: false,
            session: Some(record),
            renewal: Renewal::default(),
            asked: None,
            has_mail: false,
        };
        vec![World {
            tabs: vec![tab; TABS],
            record: Some(record),
            server: Server { current: Some(0), issued: 0, presented: vec![0], lost: vec![false] },
            now: START,
            left: self.budget,
            is_signed_out: false,
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        let left = &world.left;
        for (index, tab) in world.tabs.iter().enumerate().filter(|(_, tab)| tab.is_alive) {
            if left.wishes > 0 && tab.session.is_some() && tab.asked.is_none() {
                actions.push(Action::Want(index));
            }
            if let Some(until) = tab.renewal.waits_until().filter(|_| tab.session.is_some())
                && world.may_be(until.0)
            {
                actions.push(Action::Wake(index));
            }
            if tab.has_mail {
                actions.push(Action::Mail(index));
            }
            if left.crashes > 0 {
                actions.push(Action::Crash(index));
            }
            if left.sign_outs > 0 && tab.session.is_some() {
                actions.push(Action::SignOut(index));
            }
            match tab.asked {
                None => {}
                Some(Asked::Lock)
                    if self.has_locks && self.keeps(Mechanism::Lock) && world.tabs.iter().any(|tab| tab.has_lock) => {}
                Some(Asked::Request) => {
                    actions.push(Action::Proceed(index));
                    if left.losses > 0 {
                        actions.push(Action::Fail(index));
                    }
                    if left.refusals > 0 {
                        actions.push(Action::Refuse(index));
                    }
                }
                Some(Asked::Answer(_)) => {
                    actions.push(Action::Proceed(index));
                    if left.losses > 0 {
                        actions.push(Action::Fail(index));
                    }
                }
                Some(_) => actions.push(Action::Proceed(index)),
            }
        }
        if left.jumps > 0 {
            actions.extend([Action::Jump(true), Action::Jump(false)]);
        }
    }

    fn next_state(&self, before: &World, action: Action) -> Option<World> {
        let mut world = before.clone();
        match action {
            Action::Want(index) => {
                world.left.wishes -= 1;
                self.tell(&mut world, index, Input::Wanted);
            }
            Action::Wake(index) => {
                let until = world.tabs[index].renewal.waits_until()?;
                world.now = world.now.max(until.0);
                self.tell(&mut world, index, Input::Wanted);
            }
            Action::Mail(index) => {
                world.tabs[index].has_mail = false;
                if world.tabs[index].session.is_some() {
                    self.tell(&mut world, index, Input::Hint);
                }
            }
            Action::Jump(forth) => {
                world.left.jumps -= 1;
                world.now = if forth { world.now + HOUR } else { world.now - HOUR };
            }
            Action::Crash(index) => {
                world.left.crashes -= 1;
                let tab = &mut world.tabs[index];
                tab.is_alive = false;
                if let (Some(Asked::Request | Asked::Answer(_) | Asked::Store(_)), Some(session)) =
                    (tab.asked.take(), tab.session.take())
                {
                    world.server.lost[usize::from(session.token)] = true;
                }
                tab.has_lock &= !self.keeps(Mechanism::Release);
            }
            Action::SignOut(index) => {
                world.left.sign_outs -= 1;
                world.is_signed_out = true;
                world.record = None;
                world.server.current = None;
                self.tell(&mut world, index, Input::Ended);
                world.tabs[index].session = None;
                world.tabs[index].asked = None;
                self.post(&mut world, index);
            }
            Action::Fail(index) => {
                world.left.losses -= 1;
                let session = world.tabs[index].session?;
                world.server.lost[usize::from(session.token)] = true;
                world.tabs[index].asked = None;
                let answer = if self.keeps(Mechanism::Patience) { Answer::Unclear } else { Answer::InvalidGrant };
                self.tell(&mut world, index, Input::Answered(answer));
            }
            Action::Refuse(index) => {
                world.left.refusals -= 1;
                world.tabs[index].asked = Some(Asked::Answer(Reply::Busy));
            }
            Action::Proceed(index) => self.proceed(&mut world, index)?,
        }
        // What happened to a tab that is gone, or only looks different, is the same for everybody.
        for tab in world.tabs.iter_mut().filter(|tab| !tab.is_alive) {
            tab.renewal = Renewal::default();
            tab.has_mail = false;
        }
        world.tabs.sort_by_cached_key(fingerprint);
        (world != *before).then_some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        PROPERTIES.iter().map(|(name, holds)| Property::always(name, *holds)).collect()
    }
}

type Holds = fn(&Tabs, &World) -> bool;

/// What holds in every state.
const PROPERTIES: [(&str, Holds); 4] = [
    ("no refresh token is presented twice, except once after a lost answer", |_, world| {
        let tokens = world.server.presented.iter().zip(&world.server.lost);
        tokens.into_iter().all(|(times, lost)| *times <= 1 + u8::from(*lost))
    }),
    ("no tab stays signed in after the sign-out", |_, world| {
        let is_quiet = world.tabs.iter().all(|tab| !tab.is_alive || tab.asked.is_none() && !tab.has_mail);
        !world.is_signed_out || !is_quiet || world.tabs.iter().all(|tab| !tab.is_alive || tab.session.is_none())
    }),
    ("no tab waits for ever", |tabs, world| {
        let mut actions = Vec::new();
        tabs.actions(world, &mut actions);
        let goes_on = |action: &Action| {
            !matches!(action, Action::Want(_) | Action::Crash(_) | Action::Jump(_) | Action::SignOut(_))
        };
        let waits = |tab: &Tab| tab.is_alive && tab.session.is_some() && tab.renewal.is_under_way();
        actions.iter().any(goes_on) || !world.tabs.iter().any(waits)
    }),
    ("a session ends only for invalid_grant or a sign-out", |_, world| {
        let is_over = world.server.current.is_none();
        is_over || world.tabs.iter().all(|tab| !tab.is_alive || tab.session.is_some())
    }),
];

impl Tabs {
    fn keeps(&self, mechanism: Mechanism) -> bool {
        !self.without.contains(&mechanism)
    }

    /// Answers what the tab asked for.
    fn proceed(&self, world: &mut World, index: usize) -> Option<()> {
        let now = world.now;
        let asked = world.tabs[index].asked.take()?;
        let mine = world.tabs[index].session?;
        let is_mine = |record: &Record| record.token == mine.token;
        let may_write = |record: &Option<Record>| match record {
            Some(record) => *record == mine,
            None => false,
        };
        match asked {
            Asked::Lock => {
                let is_exclusive = self.has_locks && self.keeps(Mechanism::Lock);
                world.tabs[index].has_lock = is_exclusive;
                let lock = if is_exclusive { Lock::Held } else { Lock::Without };
                // Who thinks that it has the lock, and has not.
                let lock = if self.keeps(Mechanism::Lock) { lock } else { Lock::Held };
                self.tell(world, index, Input::Locked(lock));
            }
            Asked::Read => {
                let found = match world.record {
                    _ if !self.keeps(Mechanism::Reading) => Found::Same { presented: mine.presented, is_recent: false },
                    None => Found::Gone,
                    Some(record) if is_mine(&record) => {
                        world.tabs[index].session = Some(record);
                        let age = now.checked_sub(record.presented_at);
                        let is_recent = record.presented > 0 && age.is_some_and(|age| age <= RECENT);
                        Found::Same { presented: record.presented, is_recent }
                    }
                    Some(_) => Found::Newer,
                };
                self.tell(world, index, Input::Found(found));
            }
            Asked::Mark(presented) => {
                let marked = Record { presented, presented_at: now, ..mine };
                let written = if !self.keeps(Mechanism::Mark) {
                    Written::Done
                } else if may_write(&world.record) || !self.keeps(Mechanism::Version) {
                    world.record = Some(marked);
                    world.tabs[index].session = Some(marked);
                    Written::Done
                } else {
                    Written::Conflict
                };
                self.tell(world, index, Input::Marked(written));
            }
            Asked::Probe => self.tell(world, index, Input::Probed(true)),
            Asked::Request => {
                let reply = world.server.refresh(mine.token);
                world.tabs[index].asked = Some(Asked::Answer(reply));
            }
            Asked::Answer(Reply::Tokens(token)) => {
                // The machine asks for them to be stored.
                self.tell(world, index, Input::Answered(Answer::Tokens));
                if let Some(Asked::Store(stored)) = &mut world.tabs[index].asked {
                    *stored = token;
                }
            }
            Asked::Answer(Reply::InvalidGrant) => self.tell(world, index, Input::Answered(Answer::InvalidGrant)),
            Asked::Answer(Reply::Busy) => self.tell(world, index, Input::Answered(Answer::NotNow(Seconds(1)))),
            Asked::Store(token) => {
                let renewed = Record { token, presented: 0, presented_at: 0 };
                let written =
                    if may_write(&world.record) || !self.keeps(Mechanism::Version) || !self.keeps(Mechanism::Mark) {
                        world.record = Some(renewed);
                        world.tabs[index].session = Some(renewed);
                        Written::Done
                    } else {
                        Written::Conflict
                    };
                self.tell(world, index, Input::Stored(written));
            }
        }
        Some(())
    }

    /// Tells the machine, and does what it asks for.
    fn tell(&self, world: &mut World, index: usize, input: Input) {
        let outputs = world.tabs[index].renewal.advance(input, UnixTime(world.now), 0);
        for output in outputs {
            match output {
                Output::Lock => world.tabs[index].asked = Some(Asked::Lock),
                Output::Unlock => world.tabs[index].has_lock = false,
                Output::Read => world.tabs[index].asked = Some(Asked::Read),
                Output::Probe => world.tabs[index].asked = Some(Asked::Probe),
                Output::Mark(presented) => world.tabs[index].asked = Some(Asked::Mark(presented)),
                Output::Send => world.tabs[index].asked = Some(Asked::Request),
                Output::Store => world.tabs[index].asked = Some(Asked::Store(0)),
                Output::Publish | Output::Discard => {}
                Output::Adopt => world.tabs[index].session = world.record,
                Output::Drop => world.tabs[index].session = None,
                Output::End(_) => {
                    let mine = world.tabs[index].session.take();
                    world.record.take_if(|record| Some(*record) == mine);
                }
                Output::Tell => self.post(world, index),
            }
        }
    }

    fn post(&self, world: &mut World, from: usize) {
        if !self.keeps(Mechanism::Message) {
            return;
        }
        for (index, tab) in world.tabs.iter_mut().enumerate() {
            tab.has_mail |= index != from && tab.is_alive;
        }
    }
}

impl World {
    /// Whether the clock may have come to `then` by itself: a request is given up at its deadline, which comes before its mark
    /// is too old to be waited for.
    fn may_be(&self, then: u64) -> bool {
        let is_in_time = |tab: &Tab| match (tab.asked, tab.session) {
            (Some(Asked::Request | Asked::Answer(_) | Asked::Store(_)), Some(session)) => {
                then <= session.presented_at + DEADLINE
            }
            _ => true,
        };
        self.tabs.iter().filter(|tab| tab.is_alive).all(is_in_time)
    }
}

/// Any order will do, if it is the same each time.
fn fingerprint(tab: &Tab) -> u64 {
    let mut hasher = DefaultHasher::new();
    tab.hash(&mut hasher);
    hasher.finish()
}

impl Server {
    /// Rotation with reuse detection (RFC 9700 §4.14.2).
    fn refresh(&mut self, token: u8) -> Reply {
        self.presented[usize::from(token)] += 1;
        if self.current != Some(token) {
            self.current = None;
            return Reply::InvalidGrant;
        }
        self.issued += 1;
        self.current = Some(self.issued);
        self.presented.push(0);
        self.lost.push(false);
        Reply::Tokens(self.issued)
    }
}

/// Past the test runner, which shows what passing tests print to nobody.
fn say(line: &str) {
    // There is nobody to tell where that cannot be written.
    let _ = writeln!(std::io::stderr(), "model check: {line}");
}

/// Explores; gives the names of what does not hold, how many states there are, and how deep.
fn explore(budget: Budget, has_locks: bool, without: &'static [Mechanism]) -> (Vec<&'static str>, usize, usize) {
    let model = Tabs { budget, has_locks, without };
    let checker = model.checker().threads(2).finish_when(HasDiscoveries::All).spawn_bfs().join();
    let mut failed: Vec<_> = checker.discoveries().into_keys().collect();
    failed.sort_unstable();
    (failed, checker.unique_state_count(), checker.max_depth())
}

const NOTHING: Budget = Budget { wishes: 0, losses: 0, refusals: 0, crashes: 0, jumps: 0, sign_outs: 0 };

const LOSSES: Budget = Budget { wishes: 3, losses: 2, ..NOTHING };
const CRASH: Budget = Budget { wishes: 2, losses: 1, crashes: 1, ..NOTHING };
const SIGN_OUT: Budget = Budget { wishes: 2, losses: 1, sign_outs: 1, ..NOTHING };
const JUMP: Budget = Budget { wishes: 2, jumps: 1, crashes: 1, ..NOTHING };
const BUSY: Budget = Budget { wishes: 2, refusals: 1, losses: 1, ..NOTHING };
const EVERYTHING: Budget = Budget { wishes: 2, losses: 1, refusals: 1, crashes: 1, jumps: 1, sign_outs: 1 };

/// REF-2, REF-5, REF-7, REF-10, A27: whatever happens to three tabs, in any order.
#[test]
fn nothing_that_may_happen_breaks_a_session() {
    for (what, budget) in [
        ("losses", LOSSES),
        ("a crash and a loss", CRASH),
        ("a sign-out and a loss", SIGN_OUT),
        ("a clock that jumps, and a crash", JUMP),
        ("a busy server, and a loss", BUSY),
        ("one of everything", EVERYTHING),
    ] {
        let (failed, states, depth) = explore(budget, true, &[]);
        say(&format!("{TABS} tabs, {what}: {states} states, depth {depth}"));
        assert_eq!(failed, [""; 0], "{what}");
    }
}

/// REF-2: without the Web Locks API the mark takes the lock's place, as long as clocks do not jump meanwhile.
#[test]
fn without_locks_the_mark_takes_their_place() {
    for (what, budget) in [("a crash and a loss", CRASH), ("a sign-out and a loss", SIGN_OUT), ("a busy server", BUSY)]
    {
        let (failed, states, depth) = explore(budget, false, &[]);
        say(&format!("{TABS} tabs, no locks, {what}: {states} states, depth {depth}"));
        assert_eq!(failed, [""; 0], "{what}");
    }
}

/// What is asserted is not true by chance: each assertion fails without the mechanism that it rests on.
#[test]
fn each_assertion_rests_on_a_mechanism() {
    let [twice, stays, waits, ends] = PROPERTIES.map(|(name, _)| name);
    let two = Budget { wishes: 2, ..NOTHING };
    let rows: [(&[Mechanism], Budget, &str); 7] = [
        (&[Mechanism::Lock], two, twice),
        // Without a look at the record the version alone still keeps a spent token from being marked, and so from being sent.
        (&[Mechanism::Reading, Mechanism::Version], two, twice),
        (&[Mechanism::Mark], Budget { losses: 2, ..two }, twice),
        (&[Mechanism::Version], SIGN_OUT, stays),
        (&[Mechanism::Message], SIGN_OUT, stays),
        (&[Mechanism::Release], CRASH, waits),
        (&[Mechanism::Patience], LOSSES, ends),
    ];
    for (without, budget, expected) in rows {
        let (failed, states, _) = explore(budget, true, without);
        say(&format!("without {without:?}: {states} states, {failed:?}"));
        assert!(failed.contains(&expected), "without {without:?}: {failed:?}");
    }
}

//! One page's part in keeping a session alive, as a state machine: who presents the refresh token, when, how often, and what
//! becomes of the session then.
//!
//! In scope: the order of lock, record, request and publication; backing off; the end of a session.
//! Out of scope: the messages (`refresh`), and performing what is asked for here (`flow::upkeep`, the driver).
//!
//! ```text
//!  Idle ─► Locking ─► Reading ─► (Probing) ─► Marking ─► Sending ─► Storing ─► Idle
//!    ▲                   │           │           │          │
//!    └────── backing off ┴───────────┴───────────┴──────────┴─► Rechecking ─► Over
//! ```
//!
//! Rules:
//! 1. Where tabs share a session, nothing is sent without the lock, and before anything is sent the record is read: another
//!    tab may have renewed the session meanwhile, and then its result is taken.
//! 2. That the token is about to be presented is written down before it is. So whoever finds the mark knows that there was an
//!    attempt whose answer nobody has, be it lost or its tab closed.
//! 3. Such a token is presented once more, and then never again: a server that rotates it takes the second time for theft
//!    (RFC 9700 §4.14.2). Before that the server is asked something harmless, so that the second time is not wasted on a
//!    network that is still down.
//! 4. The new tokens are stored before they are published.
//! 5. The session is over for `invalid_grant`, and for that only after the record was read once more.
//!
//! Without the Web Locks API the mark takes the lock's place: it is written only over the version that was read, so of two
//! tabs one wins, and the other waits for as long as a request may take.
//!
//! Source: RFC 6749 §6; RFC 9700 §4.14.2; `tests/renewal.rs` explores what may happen to three tabs.

use super::time::{Seconds, UnixTime};

/// What one page does about one session.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Renewal {
    state: State,
    /// Whether this page has the lock.
    is_locked: bool,
    /// How often in a row it did not work.
    failures: u32,
    /// How often the token was presented without an answer, as far as this page knows.
    presented: u32,
    /// When this page last tried.
    tried_at: Option<UnixTime>,
    /// Whether there was a hint while something else was being done.
    is_hinted: bool,
}

/// Where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum State {
    Idle(Idle),
    /// Somebody else may have changed the record: it is read, and nothing else.
    Following {
        back: Idle,
        is_wanted: bool,
    },
    Locking,
    Reading,
    Probing,
    Marking,
    Sending,
    /// The server has not looked at the token: the mark is taken back.
    Unmarking {
        delay: Seconds,
    },
    Storing,
    Rechecking,
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Idle {
    Resting,
    /// It did not work; by itself it is tried again at `until`, and if somebody comes back meanwhile, not before `earliest`.
    Waiting {
        until: UnixTime,
        earliest: UnixTime,
    },
    /// The token was presented twice and nobody knows what became of it; or it belongs to another tab.
    Exhausted,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// The access token is due, or was refused.
    Wanted,
    /// The record may have been changed by another tab, or the page was away.
    Hint,
    /// The browser is online again, or the page visible: what failed is worth another try.
    Resumed,
    /// Answers [`Output::Lock`].
    Locked(Lock),
    /// Answers [`Output::Read`].
    Found(Found),
    /// Answers [`Output::Probe`]: whether the server can be reached.
    Probed(bool),
    /// Answers [`Output::Mark`].
    Marked(Written),
    /// Answers [`Output::Send`].
    Answered(Answer),
    /// Answers [`Output::Store`].
    Stored(Written),
    /// The person signed out, or the session was replaced: nothing more is to be done.
    Ended,
}

/// What became of the wish for the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lock {
    /// This page has it.
    Held,
    /// The browser has none, or whoever has it does not let go.
    Without,
    /// The session belongs to another tab, of which this one is a copy.
    Foreign,
}

/// What is stored, compared with what this page holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Found {
    /// Nothing: somebody signed out.
    Gone,
    /// Another session, or this one renewed.
    Newer,
    /// The session of this page.
    Same {
        /// How often its refresh token was presented without an answer.
        presented: u32,
        /// Whether that was so short a time ago that the answer may still come, to another tab.
        is_recent: bool,
    },
}

/// What became of a write that was to replace one certain version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Written {
    /// It is there.
    Done,
    /// There was another version.
    Conflict,
    /// The browser would not.
    Failed,
}

/// What the token endpoint's answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// New tokens, checked.
    Tokens,
    /// The server did not look at the token, or it was not sent: later, and not before this long.
    NotNow(Seconds),
    /// Nobody knows whether the server has seen the token.
    Unclear,
    /// `invalid_grant`: the token is good for nothing.
    InvalidGrant,
    /// The server refuses for another reason that a second try would not change.
    Refused,
    /// The server does not know this client, or what it gave fails a check.
    Unusable,
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// The server said so.
    InvalidGrant,
    /// The server said so of a token whose answer was lost before: the person has done nothing to end it.
    AnswerLost,
    /// What the server gave is unusable.
    Unusable,
}

/// What is to be done, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Output {
    /// Wait for the lock; answered by [`Input::Locked`].
    Lock,
    /// Let it go.
    Unlock,
    /// Read the record; answered by [`Input::Found`].
    Read,
    /// Ask the server something that carries no token; answered by [`Input::Probed`].
    Probe,
    /// Write down how often the token was presented, over the version that was read; answered by [`Input::Marked`].
    Mark(u32),
    /// Present the token; answered by [`Input::Answered`].
    Send,
    /// Write the new tokens over the version that was marked; answered by [`Input::Stored`].
    Store,
    /// Publish them in this page.
    Publish,
    /// Drop them: there is no session any more that they could belong to.
    Discard,
    /// Take the record that was found for the session.
    Adopt,
    /// There is no session any more: somebody else ended it.
    Drop,
    /// The session is over; the record goes.
    End(End),
    /// Tell other tabs to look at the record.
    Tell,
}

/// How often a token may be presented without an answer.
const MOST_PRESENTED: u32 = 2;

/// The longest time between two attempts.
const LONGEST_DELAY: u64 = 60;

/// The least time between two attempts.
const LEAST_DELAY: Seconds = Seconds(1);

/// How long a tab waits for another's answer where there is no lock.
const RECHECK: Seconds = Seconds(2);

impl Default for Renewal {
    fn default() -> Self {
        Self {
            state: State::Idle(Idle::Resting),
            is_locked: false,
            failures: 0,
            presented: 0,
            tried_at: None,
            is_hinted: false,
        }
    }
}

impl Renewal {
    /// Whether new tokens are on their way, or will be tried for again.
    pub fn is_under_way(&self) -> bool {
        !matches!(self.state, State::Idle(Idle::Resting | Idle::Exhausted) | State::Over)
    }

    /// Whether this page has stopped presenting the token for good.
    pub fn is_exhausted(&self) -> bool {
        matches!(self.state, State::Idle(Idle::Exhausted))
    }

    /// Whether there is nothing more to do.
    pub fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// Whether it waits for a mark to be written or taken back.
    pub fn is_marking(&self) -> bool {
        matches!(self.state, State::Marking | State::Unmarking { .. })
    }

    /// When it will be tried again, if it did not work.
    pub fn waits_until(&self) -> Option<UnixTime> {
        match self.state {
            State::Idle(Idle::Waiting { until, .. }) => Some(until),
            _ => None,
        }
    }

    /// The transition. `seed` is a number that differs from page to page, so that not all try again at once.
    pub fn advance(&mut self, input: Input, now: UnixTime, seed: u32) -> Vec<Output> {
        let mut outputs = Vec::new();
        match (self.state, input) {
            (State::Over, Input::Locked(Lock::Held)) => outputs.push(Output::Unlock),
            (State::Over, Input::Answered(Answer::Tokens)) => outputs.push(Output::Discard),
            (State::Over, _) => {}
            (State::Storing, Input::Ended) => {
                outputs.push(Output::Discard);
                self.end(&mut outputs);
            }
            (_, Input::Ended) => self.end(&mut outputs),
            (_, Input::Hint) => self.is_hinted = true,
            (State::Idle(idle), Input::Wanted | Input::Resumed) => self.want(idle, input, now, &mut outputs),
            // Whatever comes of this attempt, it was made in another place than the ones before.
            (_, Input::Resumed) => self.failures = 0,
            (State::Following { back, .. }, Input::Wanted) => {
                self.state = State::Following { back, is_wanted: true };
            }
            (State::Following { back, is_wanted }, Input::Found(found)) => match found {
                Found::Same { .. } if is_wanted => self.want(back, Input::Wanted, now, &mut outputs),
                Found::Same { .. } => self.state = State::Idle(back),
                Found::Gone => self.drop(&mut outputs),
                Found::Newer => self.adopt(&mut outputs),
            },
            (State::Locking, Input::Locked(Lock::Foreign)) => self.exhaust(&mut outputs),
            (State::Locking, Input::Locked(lock)) => {
                self.is_locked = lock == Lock::Held;
                self.read(&mut outputs);
            }
            (State::Reading, Input::Found(found)) => self.found(found, now, &mut outputs),
            (State::Probing, Input::Probed(true)) => self.mark(&mut outputs),
            (State::Marking, Input::Marked(Written::Done)) => {
                self.state = State::Sending;
                outputs.push(Output::Send);
            }
            (State::Marking, Input::Marked(Written::Conflict)) => self.read(&mut outputs),
            (State::Sending, Input::Answered(answer)) => match answer {
                Answer::Tokens => {
                    self.state = State::Storing;
                    outputs.push(Output::Store);
                }
                Answer::NotNow(delay) => {
                    self.presented = self.presented.saturating_sub(1);
                    self.state = State::Unmarking { delay };
                    outputs.push(Output::Mark(self.presented));
                }
                Answer::InvalidGrant => {
                    self.state = State::Rechecking;
                    outputs.push(Output::Read);
                }
                // That was the last time, whatever another attempt would find out.
                Answer::Unclear if self.presented >= MOST_PRESENTED => self.exhaust(&mut outputs),
                Answer::Unclear => self.back_off(LEAST_DELAY, now, seed, &mut outputs),
                Answer::Refused => self.exhaust(&mut outputs),
                Answer::Unusable => self.finish(End::Unusable, &mut outputs),
            },
            (State::Unmarking { delay }, Input::Marked(_)) => self.back_off(delay, now, seed, &mut outputs),
            (State::Probing, Input::Probed(false)) | (State::Marking, Input::Marked(Written::Failed)) => {
                self.back_off(LEAST_DELAY, now, seed, &mut outputs);
            }
            (State::Storing, Input::Stored(Written::Conflict)) => {
                outputs.push(Output::Discard);
                self.rest(&mut outputs);
                self.is_hinted = true;
            }
            (State::Storing, Input::Stored(_)) => {
                outputs.push(Output::Publish);
                self.rest(&mut outputs);
                outputs.push(Output::Tell);
            }
            (State::Rechecking, Input::Found(found)) => match found {
                Found::Gone => self.drop(&mut outputs),
                Found::Newer => self.adopt(&mut outputs),
                Found::Same { .. } if self.presented > 1 => self.finish(End::AnswerLost, &mut outputs),
                Found::Same { .. } => self.finish(End::InvalidGrant, &mut outputs),
            },
            // A wish while one is being fulfilled, and answers to questions that nobody asks any more.
            _ => {}
        }
        if let State::Idle(back) = self.state
            && std::mem::take(&mut self.is_hinted)
        {
            self.state = State::Following { back, is_wanted: false };
            outputs.push(Output::Read);
        }
        outputs
    }

    fn want(&mut self, idle: Idle, input: Input, now: UnixTime, outputs: &mut Vec<Output>) {
        self.state = State::Idle(idle);
        let is_too_soon = |at: UnixTime| at <= now && now.since(at) < LEAST_DELAY;
        match idle {
            Idle::Exhausted => {}
            Idle::Resting if input == Input::Resumed => {}
            // A clock that was turned back lets nobody wait for the old time.
            Idle::Waiting { until, .. } if input == Input::Wanted && self.tried_at <= Some(now) && now < until => {}
            Idle::Waiting { earliest, .. } if self.tried_at <= Some(now) && now < earliest => {}
            Idle::Waiting { .. } | Idle::Resting if self.tried_at.is_some_and(is_too_soon) => {
                let until = now.plus(LEAST_DELAY);
                self.state = State::Idle(Idle::Waiting { until, earliest: until });
            }
            Idle::Waiting { .. } | Idle::Resting => {
                self.tried_at = Some(now);
                self.state = State::Locking;
                outputs.push(Output::Lock);
            }
        }
    }

    fn read(&mut self, outputs: &mut Vec<Output>) {
        self.state = State::Reading;
        outputs.push(Output::Read);
    }

    /// Rules 1 to 3.
    fn found(&mut self, found: Found, now: UnixTime, outputs: &mut Vec<Output>) {
        match found {
            Found::Gone => self.drop(outputs),
            Found::Newer => self.adopt(outputs),
            Found::Same { is_recent: true, .. } if !self.is_locked => {
                self.state = State::Idle(Idle::Waiting { until: now.plus(RECHECK), earliest: now });
            }
            Found::Same { presented, .. } => {
                self.presented = presented;
                match presented {
                    0 => self.mark(outputs),
                    presented if presented < MOST_PRESENTED => {
                        self.state = State::Probing;
                        outputs.push(Output::Probe);
                    }
                    _ => self.exhaust(outputs),
                }
            }
        }
    }

    fn mark(&mut self, outputs: &mut Vec<Output>) {
        self.presented += 1;
        self.state = State::Marking;
        outputs.push(Output::Mark(self.presented));
    }

    fn back_off(&mut self, least: Seconds, now: UnixTime, seed: u32, outputs: &mut Vec<Output>) {
        let delay = (1u64 << self.failures.min(6)).min(LONGEST_DELAY).max(least.0);
        let jitter = u64::from(seed.rotate_left(self.failures * 5)) % (delay / 2 + 1);
        self.failures = self.failures.saturating_add(1);
        self.release(outputs);
        let until = now.plus(Seconds(delay.saturating_add(jitter)));
        self.state = State::Idle(Idle::Waiting { until, earliest: now.plus(least) });
    }

    fn adopt(&mut self, outputs: &mut Vec<Output>) {
        outputs.push(Output::Adopt);
        self.rest(outputs);
    }

    fn rest(&mut self, outputs: &mut Vec<Output>) {
        self.release(outputs);
        (self.failures, self.presented) = (0, 0);
        self.state = State::Idle(Idle::Resting);
    }

    fn exhaust(&mut self, outputs: &mut Vec<Output>) {
        self.release(outputs);
        self.state = State::Idle(Idle::Exhausted);
    }

    fn drop(&mut self, outputs: &mut Vec<Output>) {
        outputs.push(Output::Drop);
        self.end(outputs);
    }

    /// Rule 5.
    fn finish(&mut self, end: End, outputs: &mut Vec<Output>) {
        outputs.push(Output::End(end));
        self.end(outputs);
        outputs.push(Output::Tell);
    }

    fn end(&mut self, outputs: &mut Vec<Output>) {
        self.release(outputs);
        self.state = State::Over;
    }

    fn release(&mut self, outputs: &mut Vec<Output>) {
        if std::mem::take(&mut self.is_locked) {
            outputs.push(Output::Unlock);
        }
    }
}

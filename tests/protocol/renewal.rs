//! The machine that renews a session, alone: what a page may be told that hardly ever happens, and when it tries again.
//! `tests/renewal.rs` explores several of them together.

use leptos_pkce::protocol::refresh::meaning;
use leptos_pkce::protocol::renewal::{Answer, End, Found, Input, Lock, Output, Renewal, Written};
use leptos_pkce::protocol::time::{Seconds, UnixTime};
use leptos_pkce::protocol::token_response::TokenError;

const SAME: Input = Input::Found(Found::Same { presented: 0, is_recent: false });

/// From the wish for new tokens to their arrival.
const WAY: [Input; 5] =
    [Input::Wanted, Input::Locked(Lock::Held), SAME, Input::Marked(Written::Done), Input::Answered(Answer::Tokens)];

/// A machine that was told this, and what it asked for last.
fn told(inputs: &[Input]) -> (Renewal, Vec<Output>) {
    let mut renewal = Renewal::default();
    let last = inputs.iter().fold(Vec::new(), |_, input| tell(&mut renewal, *input));
    (renewal, last)
}

fn tell(renewal: &mut Renewal, input: Input) -> Vec<Output> {
    renewal.advance(input, UnixTime(100), 0)
}

/// REF-2, REF-10: one step after the other, each after the answer to the one before.
#[test]
fn a_renewal_goes_one_way() {
    let expected = [Output::Lock, Output::Read, Output::Mark(1), Output::Send, Output::Store];
    for (steps, output) in expected.iter().enumerate() {
        let (renewal, last) = told(&WAY[..=steps]);
        assert_eq!(last, [*output]);
        assert!(renewal.is_under_way() && !renewal.is_over() && !renewal.is_exhausted());
    }
    let (mut renewal, _) = told(&WAY);
    let last = tell(&mut renewal, Input::Stored(Written::Done));
    assert_eq!(last, [Output::Publish, Output::Unlock, Output::Tell]);
    assert!(!renewal.is_under_way());
}

/// OUT-1, A28: after the end nothing is begun; a lock that still comes goes back, and so do tokens.
#[test]
fn what_comes_after_the_end_is_given_back() {
    let (mut renewal, last) = told(&[Input::Wanted, Input::Ended]);
    assert_eq!((last, renewal.is_over()), (vec![], true), "the lock was not there yet");
    assert_eq!(tell(&mut renewal, Input::Locked(Lock::Held)), [Output::Unlock]);
    assert_eq!(tell(&mut renewal, Input::Locked(Lock::Without)), []);
    assert_eq!(tell(&mut renewal, Input::Answered(Answer::Tokens)), [Output::Discard]);
    for input in [
        Input::Wanted,
        Input::Hint,
        Input::Resumed,
        Input::Found(Found::Newer),
        Input::Probed(true),
        Input::Marked(Written::Done),
        Input::Answered(Answer::InvalidGrant),
        Input::Stored(Written::Done),
        Input::Ended,
    ] {
        assert_eq!((tell(&mut renewal, input), renewal.is_over()), (vec![], true), "{input:?}");
    }
}

/// OUT-1, REF-10: tokens that are being stored when somebody signs out belong to nobody.
#[test]
fn tokens_that_are_being_stored_at_the_end_are_dropped() {
    let (mut renewal, _) = told(&WAY);
    assert_eq!(tell(&mut renewal, Input::Ended), [Output::Discard, Output::Unlock]);
    assert!(renewal.is_over());
}

/// REF-2: new tokens that are wished for while the record is looked at are got afterwards, if they did not come with it.
#[test]
fn a_wish_while_the_record_is_read_is_not_lost() {
    let (mut renewal, last) = told(&[Input::Hint, Input::Wanted, SAME]);
    assert_eq!(last, [Output::Lock]);
    assert_eq!(tell(&mut renewal, Input::Locked(Lock::Held)), [Output::Read]);
    let (renewal, last) = told(&[Input::Hint, SAME]);
    assert_eq!((last, renewal.is_under_way()), (vec![], false), "nobody wished for any");
    let (renewal, last) = told(&[Input::Hint, Input::Wanted, Input::Found(Found::Newer)]);
    assert_eq!((last, renewal.is_under_way()), (vec![Output::Adopt], false));
}

/// REF-12: the copy of a tab presents nothing, ever.
#[test]
fn a_copy_of_a_tab_is_exhausted_from_the_beginning() {
    let (mut renewal, last) = told(&[Input::Wanted, Input::Locked(Lock::Foreign)]);
    assert_eq!((last, renewal.is_exhausted(), renewal.is_under_way()), (vec![], true, false));
    assert_eq!(tell(&mut renewal, Input::Wanted), []);
    assert_eq!(tell(&mut renewal, Input::Resumed), []);
}

/// REF-2, F17: where another tab has written meanwhile, the record is read again.
#[test]
fn a_mark_over_a_version_that_is_no_more_reads_again() {
    let (mut renewal, last) = told(&[Input::Wanted, Input::Locked(Lock::Held), SAME, Input::Marked(Written::Conflict)]);
    assert_eq!(last, [Output::Read]);
    assert_eq!(tell(&mut renewal, Input::Found(Found::Newer)), [Output::Adopt, Output::Unlock]);
}

/// REF-7: whoever finds that a token was presented whose answer nobody has does so as well, once; then the end is nobody's fault.
#[test]
fn a_token_whose_answer_is_lost_is_presented_once_more() {
    let presented = |presented| Input::Found(Found::Same { presented, is_recent: false });
    let (mut renewal, last) = told(&[Input::Wanted, Input::Locked(Lock::Held), presented(1)]);
    assert_eq!(last, [Output::Probe]);
    assert_eq!(tell(&mut renewal, Input::Probed(true)), [Output::Mark(2)]);
    tell(&mut renewal, Input::Marked(Written::Done));
    assert_eq!(tell(&mut renewal, Input::Answered(Answer::InvalidGrant)), [Output::Read]);
    let last = tell(&mut renewal, presented(2));
    assert_eq!(last, [Output::End(End::AnswerLost), Output::Unlock, Output::Tell]);
    let (renewal, last) = told(&[Input::Wanted, Input::Locked(Lock::Held), presented(2)]);
    assert_eq!((last, renewal.is_exhausted()), (vec![Output::Unlock], true));
}

/// A machine whose server was busy this often, at the same moment each time.
fn refused(times: u32, seed: u32) -> Renewal {
    let mut renewal = Renewal::default();
    let mut now = UnixTime(1000);
    for _ in 0..times {
        for input in [Input::Wanted, Input::Locked(Lock::Held), SAME, Input::Marked(Written::Done)] {
            renewal.advance(input, now, seed);
        }
        renewal.advance(Input::Answered(Answer::NotNow(Seconds(1))), now, seed);
        renewal.advance(Input::Marked(Written::Done), now, seed);
        let until = renewal.waits_until().expect("it will be tried again");
        if times > 1 {
            now = until;
        }
    }
    renewal
}

/// REF-6, REF-8: by itself it is tried again at its time and not before; somebody who comes back may try sooner, and a clock that was
/// turned back makes nobody wait for the old time.
#[test]
fn what_failed_waits_for_its_time() {
    let at = |now, input| refused(1, 0).advance(input, UnixTime(now), 0);
    assert_eq!(refused(1, 0).waits_until(), Some(UnixTime(1001)));
    assert_eq!(at(1000, Input::Wanted), []);
    assert_eq!(at(1000, Input::Resumed), []);
    assert_eq!(at(1001, Input::Wanted), [Output::Lock]);
    assert_eq!(at(999, Input::Wanted), [Output::Lock], "a clock that was turned back");

    let at = |now, input| refused(4, 0).advance(input, UnixTime(now), 0);
    assert_eq!(refused(4, 0).waits_until(), Some(UnixTime(1000 + 1 + 2 + 4 + 8)));
    assert_eq!(at(1014, Input::Wanted), []);
    assert_eq!(at(1007, Input::Resumed), [], "not within a second");
    assert_eq!(at(1008, Input::Wanted), []);
    assert_eq!(at(1008, Input::Resumed), [Output::Lock]);
    assert_eq!(at(1015, Input::Wanted), [Output::Lock]);
}

/// REF-6: by how much the times differ from page to page depends on the page and on the attempt.
#[test]
fn each_attempt_draws_its_own_delay() {
    // 2^0 mod 1, 2^5 mod 2, 2^10 mod 3 and 2^15 mod 5, beside 1, 2, 4 and 8 seconds.
    assert_eq!(refused(4, 1).waits_until(), Some(UnixTime(1000 + 1 + 2 + (4 + 1) + (8 + 3))));
}

/// DP-5: a proof that cannot be had is no reason to try again, nor to end anything.
#[test]
fn a_nonce_that_is_hidden_refuses() {
    assert_eq!(meaning(&TokenError::NonceHidden), Answer::Refused);
}

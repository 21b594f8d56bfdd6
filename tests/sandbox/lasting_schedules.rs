//! Hundreds of random schedules of a session that lasts, at a server that takes a refresh token once: a network with latency
//! and loss, a server that fails for a while, people who reload, sleep and sign out.
//!
//! As `schedules` does, a failure prints its seed: `SEED=n cargo test --test sandbox lasting_schedules`.

use std::hash::{BuildHasher as _, RandomState};
use std::io::Write as _;

use leptos_pkce::protocol::client::ClientSettings;
use leptos_pkce::protocol::flow::SessionEvent;
use leptos_pkce::protocol::protected_resource::ResourceError;
use rand::Rng as _;

use crate::person::Person;
use crate::world::{CALM, Network, Presented, World, lasting};

const SCHEDULES: u64 = 300;

/// How the server fails for a while. In some of it the refresh token is spent, in some not.
const FAILURES: [&[&str]; 11] = [
    &[],
    &[],
    &[],
    &["token-lifetime-short"],
    &["refresh-request-lost"],
    &["refresh-answer-lost"],
    &["refresh-slow"],
    &["refresh-429"],
    &["refresh-503"],
    &["refresh-500"],
    &["refresh-html"],
];

/// How a schedule ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// With the session that it began with, renewed so often.
    Alive,
    /// An answer was lost, and with it the session.
    Lost,
    SignedOut,
}

/// REF-1, REF-5, REF-6, REF-7: no refresh token is sent twice, except once after an answer that nobody has; a session is
/// over when the server refuses such a token or the person signs out, and at no other time; and who is signed in at the end,
/// when the network is calm again, calls the API with success.
#[test]
fn whatever_happens_no_refresh_token_is_wasted() {
    let only = std::env::var("SEED").ok().map(|seed| seed.parse().expect("SEED is a number"));
    let first = u64::from(RandomState::new().hash_one(0) as u32);
    let seeds = only.map_or(first..first + SCHEDULES, |seed: u64| seed..seed + 1);
    let mut ends = Vec::new();
    for seed in seeds {
        match std::panic::catch_unwind(|| schedule(seed)) {
            Ok(end) => ends.push(end),
            Err(_) => panic!("seed {seed}: SEED={seed} cargo test --test sandbox lasting_schedules"),
        }
    }
    let [alive, lost, signed_out] =
        [End::Alive, End::Lost, End::SignedOut].map(|end| ends.iter().filter(|it| **it == end).count());
    // Past the test runner, which shows what passing tests print to nobody.
    let said = format!("seeds from {first}: {alive} alive, {lost} lost, {signed_out} signed out");
    let _ = writeln!(std::io::stderr(), "lasting schedules: {said}");
    // No outcome is an accident of how the dice are made.
    assert!(only.is_some() || [alive, lost, signed_out].iter().all(|count| *count > ends.len() / 20), "{said}");
}

/// One schedule.
fn schedule(seed: u64) -> End {
    let mut person = Person::seeded(seed);
    let mut dice = |of: usize| person.rng.random_range(0..of);
    let network = Network { latency: [0, 200, 2_000, 8_000][dice(4)], loss: [0, 0, 5, 20][dice(4)] };
    let token_storage = Some(["memory", "session"][dice(2)].to_owned());
    let restore = dice(2) == 0;
    let moves: Vec<(usize, usize)> = (0..24).map(|_| (dice(100), dice(1_000))).collect();

    let mut world = World::of(person, CALM, ClientSettings { token_storage, restore, ..lasting() });
    world.click_sign_in();
    world.settle();
    assert_eq!(world.take_announced(), [SessionEvent::SignedIn]);
    world.network = network;
    let (mut end, mut expired) = (End::Alive, 0);
    for (what, how) in moves {
        let (page, was_signed_in) = (world.page, world.is_signed_in());
        match what {
            0..40 => world.pass([1, 5, 20, 60, 240, 400][how % 6]),
            40..48 => (0..how % 6).for_each(|_| _ = world.step()),
            48..60 => world.call_api(),
            60..68 => world.renew(),
            68..74 => world.resume(),
            74..78 => {
                world.doze(how as u64 * 2);
                world.resume();
            }
            78..84 => world.open(None),
            84..87 if !world.is_signed_in() => world.click_sign_in(),
            87..98 => world.switch(FAILURES[how % FAILURES.len()]),
            98 => world.sign_out(),
            99 => world.sign_out_at_server(),
            _ => world.ask_userinfo(),
        }
        end = heard(&mut world, end, &mut expired);
        // Nobody is signed out without a word. What only a page has is gone with it.
        let is_over = was_signed_in && !world.is_signed_in();
        let is_page_gone = page != world.page && world.storage() == "memory";
        assert!(!is_over || end != End::Alive || is_page_gone, "a session was lost");
        if world.is_signed_in() {
            end = End::Alive;
        }
    }
    // Then all is well again, and what failed is tried once more.
    world.network = CALM;
    world.switch(&[]);
    world.pass(120);
    world.resume();
    world.pass(120);
    end = heard(&mut world, end, &mut expired);
    wastes_nothing(&world.presented);
    let refusals = world.presented.iter().filter(|sent| sent.status == Some(400)).count();
    assert_eq!(expired, refusals, "the server has said so each time");
    if world.is_signed_in() {
        works(&mut world, restore);
        return End::Alive;
    }
    end
}

/// What the app heard: the end of the session, if that is in it.
fn heard(world: &mut World, mut end: End, expired: &mut usize) -> End {
    for event in world.take_announced() {
        match event {
            SessionEvent::SignedIn => end = End::Alive,
            SessionEvent::SignedOut => end = End::SignedOut,
            SessionEvent::Expired(error) => {
                // What a page had sent that was reloaded may reach the server after what the next one sent.
                let is_late = |sent: &Presented| sent.status.is_none() && sent.page < world.page;
                let may_be = match error.code() {
                    "session.answer_lost" => true,
                    "session.expired" => world.presented.iter().any(is_late),
                    _ => false,
                };
                assert!(may_be, "{error:?}");
                *expired += 1;
                end = End::Lost;
            }
            _ => {}
        }
    }
    end
}

/// Each refresh token is sent until its answer comes, and twice at most if nobody knows whether the server has seen it.
fn wastes_nothing(presented: &[Presented]) {
    for (index, sent) in presented.iter().enumerate() {
        let is_busy = |sent: &&Presented| matches!(sent.status, Some(429 | 503));
        let before: Vec<_> = presented[..index].iter().filter(|it| it.token == sent.token).collect();
        // What came to a page that ended before it was checked and stored is lost too.
        assert!(!before.iter().any(|it| it.is_granted && it.page == sent.page), "its answer had come");
        assert!(!before.iter().any(|it| it.status == Some(400)), "it was refused");
        assert!(before.iter().filter(|it| !is_busy(it)).count() < 2, "a third time");
        if let Some(last) = before.last().filter(|it| it.page == sent.page) {
            let least = match last.status {
                Some(429) => 30,
                Some(503) => 5,
                _ => 1,
            };
            assert!(sent.at - last.at >= least, "too soon");
        }
    }
}

/// The session is good: its token, or the next one; unless nobody knows what became of its refresh token, which the app is
/// told.
fn works(world: &mut World, restore: bool) {
    for attempt in 0..2 {
        let is_unrenewable = world.flow().is_unrenewable(&world.key());
        let has_a_way = restore && world.is_signed_in_there();
        let (before, page) = (world.answered.len(), world.page);
        world.call_api();
        world.pass(60);
        let has_left = world.page != page;
        match &world.answered[before..] {
            [Ok(response)] => return assert_eq!(response.status, 200),
            // One quiet round trip, if that is wished for and the server still knows the person. The call waits for it, and is
            // gone with its page.
            [] if has_left && has_a_way && is_unrenewable && attempt == 0 => {}
            [Err(ResourceError::NotRenewed)] if is_unrenewable && !has_a_way => return,
            // It was lost before, and only now somebody has asked.
            [Err(ResourceError::SignedOut)] => {
                let is_end = |event: &SessionEvent| matches!(event, SessionEvent::Expired(_));
                return assert!(world.take_announced().iter().any(is_end));
            }
            other => panic!("{other:?}"),
        }
    }
    panic!("no token, and no next session");
}

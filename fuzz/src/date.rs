//! The `Date` header: how far another clock is from the one here.

use leptos_pkce::protocol::clock::ClockDifference;
use leptos_pkce::protocol::http::HttpResponse;
use leptos_pkce::protocol::time::UnixTime;

use super::common::{NOW, text};

/// DP-9, IDT-5: a date that is believed is one, to the second: written down again it reads the same.
pub fn check(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let headers = vec![("date".to_owned(), text.to_owned())];
    let response = HttpResponse { status: 200, headers, body: Vec::new() };
    let Some(difference) = ClockDifference::learn(&response, NOW) else { return };
    let there = difference.applied(NOW);
    assert_eq!(ClockDifference::learn(&response, UnixTime(0)), Some(ClockDifference(there.0 as i64)));
    assert!(there.0 <= 253_402_300_800, "no later than the year 9999");
    // A leap second is the first of the next minute.
    if !text.contains(":60 ") {
        let (_, date) = text.split_once(' ').expect("the day of the week stands apart");
        assert_eq!(written(there.0), date);
    }
}

/// Without the day of the week, which nobody reads. The algorithm is another one: it counts years and months up.
fn written(seconds: u64) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let (mut days, second) = (seconds / 86_400, seconds % 86_400);
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    let [hour, minute, second] = [second / 3600, second / 60 % 60, second % 60];
    format!("{:02} {} {year:04} {hour:02}:{minute:02}:{second:02} GMT", days + 1, MONTHS[month])
}

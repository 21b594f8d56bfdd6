//! How far the server's clock is from the one here, where that can be known.
//!
//! Rule: it is learned from a readable `Date` header in the answer to a POST, which no cache gives, and from nothing else: a
//! cached document's date is that of its own past, also where CORS hides its `Age`. A token's `iat` may explain an error, but
//! who would shift the clock by it would let the token vouch for itself.
//!
//! Source: RFC 9110 §5.6.7 (`IMF-fixdate`), §6.6.1, §9.3.3; RFC 9111 §5.1.

use super::http::HttpResponse;
use super::time::{Seconds, UnixTime};

/// Seconds by which a server's clock is ahead of the one here; negative if it is behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockDifference(pub i64);

impl ClockDifference {
    /// Reads it off the answer to a POST that arrived at `now`; `None` where CORS hides the header, which it does across origins
    /// unless the server exposes it, or where a cache answered with a date of its own past (RFC 9111 §5.1: `Age`).
    pub fn learn(response: &HttpResponse, now: UnixTime) -> Option<Self> {
        if response.header("age").is_some() {
            return None;
        }
        let there = parse_date(response.header("date")?)?;
        Some(Self(i64::try_from(there.0).ok()? - i64::try_from(now.0).ok()?))
    }

    /// The time there.
    pub fn applied(self, now: UnixTime) -> UnixTime {
        UnixTime(now.0.saturating_add_signed(self.0))
    }
}

/// How long the server wants to be left alone (RFC 9110 §10.2.3), at most an hour; `None` if it does not say, or CORS hides it.
///
/// A date is compared with the server's own, where that can be read.
pub fn retry_after(response: &HttpResponse, now: UnixTime) -> Option<Seconds> {
    let value = response.header("retry-after")?.trim_ascii();
    let delay = match value.parse() {
        Ok(seconds) => Seconds(seconds),
        Err(_) => {
            let there = response.header("date").and_then(parse_date).unwrap_or(now);
            parse_date(value)?.since(there)
        }
    };
    Some(delay.min(LONGEST_DELAY))
}

/// The longest time that a server is left alone because it asks for it.
const LONGEST_DELAY: Seconds = Seconds(60 * 60);

/// Reads `Sun, 06 Nov 1994 08:49:37 GMT`; the older two forms are not sent by anybody any more.
fn parse_date(text: &str) -> Option<UnixTime> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    // Each part has its place, and as many digits as the form has.
    let octets: &[u8; 29] = text.as_bytes().try_into().ok()?;
    let number = |from: usize, to: usize, most: u64| {
        let digits = octets[from..to].iter().map(|octet| char::from(*octet).to_digit(10).map(u64::from));
        let number = digits.reduce(|number, digit| Some(number? * 10 + digit?))??;
        (number <= most).then_some(number)
    };
    let is_form = [(3, ", "), (7, " "), (11, " "), (16, " "), (19, ":"), (22, ":"), (25, " GMT")]
        .iter()
        .all(|(at, separator)| octets[*at..].starts_with(separator.as_bytes()));
    let month = MONTHS.as_bytes().chunks(3).position(|month| octets[8..].starts_with(month))?;
    let year = number(12, 16, 9999).filter(|year| is_form && *year >= 1970)?;
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last = match month {
        1 => 28 + u64::from(is_leap),
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    };
    let day = number(5, 7, last).filter(|day| *day > 0)?;
    // Days since 1970 by counting years from March, so that the leap day is a year's last.
    let (year, month) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month as u64 * 153 + 2) / 5 + day - 719_469;
    Some(UnixTime(days * 86_400 + number(17, 19, 23)? * 3_600 + number(20, 22, 59)? * 60 + number(23, 25, 60)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_dates() {
        for (text, seconds) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Thu, 29 Feb 2024 23:59:59 GMT", 1_709_251_199),
            ("Fri, 01 Mar 2024 00:00:00 GMT", 1_709_251_200),
            ("Fri, 20 Nov 2026 12:00:00 GMT", 1_795_176_000),
        ] {
            assert_eq!(parse_date(text), Some(UnixTime(seconds)), "{text}");
        }
        for text in [
            "",
            "now",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Nov 1969 08:49:37 GMT",
            "Sun, 06 Foo 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 99 Nov 1994 08:49:37 GMT",
            // These used to be dates: of another day, or in another form than the one there is.
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 31 Nov 1994 08:49:37 GMT",
            "Sun, 29 Feb 2023 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 8:49:37 GMT",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }

    /// RFC 9110 §5.6.7: each month of 432 years has the days that the calendar gives it, and no other.
    #[test]
    fn reads_the_first_and_the_last_day_of_every_month_and_none_beyond() {
        let midnight =
            |year: u64, month: &str, day: u64| parse_date(&format!("Mon, {day:02} {month} {year} 00:00:00 GMT"));
        let mut days = 0;
        for year in 1970..2402 {
            let february = match (year % 400, year % 100, year % 4) {
                (0, _, _) => 29,
                (_, 0, _) => 28,
                (_, _, 0) => 29,
                _ => 28,
            };
            let months = [
                ("Jan", 31),
                ("Feb", february),
                ("Mar", 31),
                ("Apr", 30),
                ("May", 31),
                ("Jun", 30),
                ("Jul", 31),
                ("Aug", 31),
                ("Sep", 30),
                ("Oct", 31),
                ("Nov", 30),
                ("Dec", 31),
            ];
            for (month, last) in months {
                assert_eq!(midnight(year, month, 1), Some(UnixTime(days * 86_400)), "1 {month} {year}");
                days += last;
                assert_eq!(midnight(year, month, last), Some(UnixTime((days - 1) * 86_400)), "{last} {month} {year}");
                assert_eq!(midnight(year, month, last + 1), None, "{} {month} {year}", last + 1);
            }
        }
    }

    /// RFC 9110 §5.6.7: a second may be a leap second, and nothing else exceeds the clock.
    #[test]
    fn reads_the_last_second_of_a_day_and_none_beyond() {
        for (time, seconds) in [
            ("00:00:01", Some(1)),
            ("00:01:00", Some(60)),
            ("01:00:00", Some(3_600)),
            ("23:59:59", Some(86_399)),
            ("23:59:60", Some(86_400)),
            ("23:59:61", None),
            ("23:60:00", None),
            ("24:00:00", None),
            ("12:00:00:00", None),
        ] {
            let read = parse_date(&format!("Thu, 01 Jan 1970 {time} GMT"));
            assert_eq!(read, seconds.map(UnixTime), "{time}");
        }
    }

    #[test]
    fn the_difference_is_learned_from_a_date_header_only() {
        let answer = |headers: &[(&str, &str)]| HttpResponse {
            status: 200,
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body: br#"{"iat":784111777}"#.to_vec(),
        };
        let ahead = answer(&[("date", "Sun, 06 Nov 1994 08:49:37 GMT")]);
        assert_eq!(ClockDifference::learn(&ahead, UnixTime(784_108_177)), Some(ClockDifference(3_600)));
        assert_eq!(ClockDifference::learn(&ahead, UnixTime(784_115_377)), Some(ClockDifference(-3_600)));
        assert_eq!(ClockDifference::learn(&answer(&[]), UnixTime(0)), None);
        let cached = answer(&[("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("age", "3600")]);
        assert_eq!(ClockDifference::learn(&cached, UnixTime(784_115_377)), None);
        assert_eq!(ClockDifference(-3_600).applied(UnixTime(10_000)), UnixTime(6_400));
        assert_eq!(ClockDifference(-3_600).applied(UnixTime(1)), UnixTime(0));
    }
}

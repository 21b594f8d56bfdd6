//! How somebody signed in: the levels of authentication that the server knows, and which of them a request asks for.
//!
//! Source: OpenID Connect Core §2 (`acr`, `auth_time`), §3.1.2.1 (`acr_values`, `max_age`); RFC 9470 §4, §5.

use crate::protocol::time::{Seconds, UnixTime};

/// A level of authentication; a later one is worth more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Somebody said who they are.
    Password,
    /// And they confirmed it in a second step.
    Otp,
}

/// When somebody signed in, and how.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Authentication {
    pub level: Level,
    pub at: UnixTime,
}

/// All levels by the names that requests and tokens have for them.
pub(super) const LEVELS: [(&str, Level); 2] =
    [("urn:sandbox:acr:password", Level::Password), ("urn:sandbox:acr:otp", Level::Otp)];

/// A name that no request can ask for with success.
pub(super) const NEVER_ASKED_FOR: &str = "urn:sandbox:acr:guess";

impl Level {
    /// The level of this name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        LEVELS.iter().find(|(known, _)| *known == name).map(|(_, level)| *level)
    }

    /// The level that `acr_values` asks for: names, the most wanted first. Names that nobody knows are passed over,
    /// because the claim is asked for as a voluntary one (Core §3.1.2.1).
    pub(super) fn wanted(acr_values: &str) -> Option<Self> {
        acr_values.split(' ').find_map(Self::parse)
    }

    pub(super) fn as_str(self) -> &'static str {
        LEVELS.iter().find(|(_, level)| *level == self).map_or("", |(name, _)| name)
    }
}

impl Authentication {
    /// Whether it is good enough, and not too long ago.
    pub(super) fn satisfies(self, level: Option<Level>, max_age: Option<Seconds>, now: UnixTime) -> bool {
        level.is_none_or(|level| self.level >= level) && max_age.is_none_or(|most| now.since(self.at) <= most)
    }
}

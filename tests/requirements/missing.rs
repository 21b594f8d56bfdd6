//! What no test names, and why. A line here about something that a test does name fails, so that the list only shrinks.

/// What is shipped, and by whom.
const RELEASES: &str = "not yet: releases";
const NO_POPUP: &str = "not applicable: there is no popup flow";

pub(crate) const MISSING: &[(&str, &str)] = &[
    ("WEB-6", "not yet: the policy does not enforce them, and SECURITY.md says so"),
    ("WEB-9", "not met: the callback is the app itself, so the entry stays until the next load; SECURITY.md says so"),
    ("WEB-14", NO_POPUP),
    ("OPS-5", RELEASES),
    ("A30", NO_POPUP),
    ("A35", "not applicable: no worker holds a token"),
    ("A47", "not applicable: nobody else can ask, and ask again, in this tab"),
];

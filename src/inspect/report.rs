//! A report of an error as Markdown, to be pasted into an issue. It holds what the fault panel shows, and no secret.

use super::advice::Advice;
use crate::protocol::error::Error;

/// The report.
pub fn report(error: &Error, advice: &Advice) -> String {
    let mut text =
        format!("**{}**\n\n- Code: `{}`\n- Side: {}\n", advice.summary, error.code(), error.fault().as_str());
    for (name, value) in &advice.values {
        text += &format!("- {name}: `{}`\n", one_line(value));
    }
    // Without the explanations there may be nothing.
    if !advice.checks.is_empty() {
        text += "\nTo check:\n\n";
    }
    for check in &advice.checks {
        text += &format!("1. {check}\n");
    }
    text
}

/// Neither a backtick nor a line break in a server's words may end the code span.
fn one_line(value: &str) -> String {
    let plain = |character: char| match character {
        '`' => '\'',
        other if other.is_control() => ' ',
        other => other,
    };
    value.chars().map(plain).collect()
}

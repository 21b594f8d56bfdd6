//! Why an API said no, in words, and what would help.

use super::explanations::{Argument, Explanations, fill};
use crate::protocol::challenge::{Denial, Reason, Source};
use crate::protocol::json::Value;
use crate::protocol::text::join;

/// What happened, what to do about it, and where that was read, as three sentences; `None` if they are not in the file.
pub fn explain(denial: &Denial, explanations: &Explanations) -> Option<[String; 3]> {
    let mut arguments: Vec<Argument> = Vec::new();
    let (key, variant) = match &denial.reason {
        Reason::Bare => ("bare", ""),
        Reason::Hidden => ("hidden", ""),
        Reason::InsufficientScope { scope } => {
            arguments.extend(scope.as_ref().map(|scope| ("scope", scope.to_string())));
            ("insufficient_scope", if scope.is_some() { "scope" } else { "" })
        }
        Reason::InvalidDpopProof => ("invalid_dpop_proof", ""),
        Reason::InvalidRequest => ("invalid_request", ""),
        Reason::InvalidToken => ("invalid_token", ""),
        Reason::StepUp(demand) => {
            arguments.push(("acr_values", join(&demand.acr_values, ", ")));
            arguments.extend(demand.max_age.map(|max_age| ("max_age", max_age.0.to_string())));
            let variant = match (demand.acr_values.is_empty(), demand.max_age) {
                (true, None) => "",
                (true, Some(_)) => "max_age",
                (false, None) => "acr_values",
                (false, Some(_)) => "acr_values/max_age",
            };
            ("step_up", variant)
        }
        Reason::UseDpopNonce => ("use_dpop_nonce", ""),
        Reason::Other { error } => {
            arguments.push(("error", error.clone()));
            ("other", "")
        }
    };
    let source = match denial.source {
        Source::Challenge => "challenge",
        Source::Body => "body",
        Source::Status => "status",
    };
    let entry = explanations.entry("denials", key, variant)?;
    let source = explanations.entry("denial_sources", source, "").and_then(Value::as_str)?;
    Some([fill(entry.text("what")?, &arguments), fill(entry.text("help")?, &arguments), source.to_owned()])
}

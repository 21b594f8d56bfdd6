//! Why an API said no, in words, and what would help.

use super::explanations::{Explanations, Texts, fill};
use crate::protocol::challenge::{Denial, Reason, Source};
use crate::protocol::json::Value;
use crate::protocol::text::join;
use crate::protocol::vocabulary::Scope;

/// What happened, what to do about it, and where that was read, as three sentences; `None` if they are not in the file.
pub fn explain(denial: &Denial, explanations: &Explanations) -> Option<[String; 3]> {
    let mut arguments = Texts::default();
    let (key, variant) = match &denial.reason {
        Reason::Bare => ("bare", ""),
        Reason::Hidden => ("hidden", ""),
        Reason::InsufficientScope { scope } => {
            arguments.add("scope", scope.as_ref().map_or("", Scope::as_str));
            ("insufficient_scope", if scope.is_some() { "scope" } else { "" })
        }
        Reason::InvalidDpopProof => ("invalid_dpop_proof", ""),
        Reason::InvalidRequest => ("invalid_request", ""),
        Reason::InvalidToken => ("invalid_token", ""),
        Reason::StepUp(demand) => {
            arguments.add("acr_values", &join(&demand.acr_values, ", "));
            arguments.number("max_age", demand.max_age.map_or(0, |max_age| max_age.0));
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
            arguments.add("error", error);
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

//! JSON, against serde_json.

use leptos_pkce::inspect::pretty::pretty_json;
use leptos_pkce::protocol::json::{JsonProblem, Value};

use super::common::LONGEST_WORDS;

/// TOK-12, TOK-18, A22, A39: both readers agree, but for what is refused here on purpose; what is written reads the same.
pub fn check(data: &[u8]) {
    let theirs = serde_json::from_slice::<serde_json::Value>(data);
    match (Value::parse(data), &theirs) {
        (Ok(ours), Ok(theirs)) => {
            assert!(is_same(&ours, theirs), "{theirs}");
            round_trip(&ours);
        }
        (Ok(ours), Err(error)) => {
            // Numbers that no f64 holds, and the 128th level.
            let words = error.to_string();
            assert!(words.contains("out of range") || words.contains("recursion limit"), "{words}");
            round_trip(&ours);
        }
        (Err(error), Ok(_)) => {
            let on_purpose = [JsonProblem::Duplicate, JsonProblem::TooMany, JsonProblem::TooDeep];
            assert!(on_purpose.contains(&error.problem), "{error}");
            assert!(error.to_string().len() < LONGEST_WORDS);
        }
        (Err(error), Err(_)) => assert!(error.line >= 1 && error.column >= 1 && error.column <= data.len() + 1),
    }
    if Value::parse(data).is_ok() {
        assert!(Value::is_document(data));
    }
    if let Some(pretty) = pretty_json(data, 1000) {
        assert!(Value::is_document(data) && pretty.len() <= 1500 + data.len(), "what is shown is bounded");
    }
}

fn round_trip(value: &Value) {
    let text = value.to_text();
    assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok() || text.contains("[[[["), "{text}");
    let again = Value::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert!(is_nearly(value, &again), "{text}");
    assert!(*value == value.clone(), "a value differs from itself");
}

/// Of a number only six places are written, and none of one beyond 2^53.
pub(super) fn is_nearly(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Number(before), Value::Number(after)) => (before - after).abs() <= 1e-6 + before.abs() * 1e-12,
        (Value::Number(before), Value::Null) => before.abs() > (1_u64 << 53) as f64,
        (Value::Array(before), Value::Array(after)) => {
            before.len() == after.len() && before.iter().zip(after).all(|(before, after)| is_nearly(before, after))
        }
        (Value::Object(before), Value::Object(after)) => {
            let is_it = |(before, after): (&(String, Value), &(String, Value))| {
                before.0 == after.0 && is_nearly(&before.1, &after.1)
            };
            before.len() == after.len() && before.iter().zip(after).all(is_it)
        }
        (before, after) => before == after,
    }
}

fn is_same(ours: &Value, theirs: &serde_json::Value) -> bool {
    match (ours, theirs) {
        (Value::Null, serde_json::Value::Null) => true,
        (Value::Bool(ours), serde_json::Value::Bool(theirs)) => ours == theirs,
        (Value::String(ours), serde_json::Value::String(theirs)) => ours == theirs,
        (Value::Number(ours), serde_json::Value::Number(theirs)) => is_same_number(*ours, theirs),
        (Value::Array(ours), serde_json::Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| is_same(ours, theirs))
        }
        (Value::Object(ours), serde_json::Value::Object(theirs)) => {
            let is_there =
                |(name, ours): &(String, Value)| theirs.get(name).is_some_and(|theirs| is_same(ours, theirs));
            ours.len() == theirs.len() && ours.iter().all(is_there)
        }
        _ => false,
    }
}

/// To the last digit if it is whole and exact, else nearly; what is as good as zero may be zero.
fn is_same_number(ours: f64, theirs: &serde_json::Number) -> bool {
    let number = theirs.as_f64().unwrap_or(f64::NAN);
    let is_exact = theirs.as_u64().is_some_and(|whole| whole <= 1 << 53);
    let difference = (ours - number).abs();
    if is_exact { ours == number } else { ours == number || difference <= number.abs() * 1e-12 || difference < 1e-280 }
}

//! JSON values as this protocol needs them: order kept, duplicate members refused.
//!
//! In scope: the one JSON type of metadata, token responses, stored records and the configuration.
//! Out of scope: typed deserialization. One small reader for every document is fewer bytes than one per struct,
//! and it can name every wrong member at once.
//!
//! Source: RFC 8259; RFC 8725bis (duplicate names refused, UTF-8 only).

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap as _, Serializer};

/// A JSON value. No `Debug`, because documents hold secrets.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number; integers are exact up to 2^53.
    Number(f64),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Self>),
    /// An object: its members in the order of the document, no name twice.
    Object(Vec<(String, Self)>),
}

/// Why octets are no JSON document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// What is wrong.
    pub problem: JsonProblem,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
}

/// What is wrong with a document.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonProblem {
    /// An object has a member name twice.
    Duplicate,
    /// The document ends too early.
    Truncated,
    /// It is not JSON, not UTF-8, or nested more than 128 levels deep.
    Syntax,
}

impl Value {
    /// Reads a whole document.
    ///
    /// # Errors
    /// [`JsonError`] with the place.
    pub fn parse(octets: &[u8]) -> Result<Self, JsonError> {
        serde_json::from_slice(octets).map_err(|error| JsonError {
            problem: match error.classify() {
                serde_json::error::Category::Data => JsonProblem::Duplicate,
                serde_json::error::Category::Eof => JsonProblem::Truncated,
                _ => JsonProblem::Syntax,
            },
            line: error.line(),
            column: error.column(),
        })
    }

    /// An object of the members that have a value.
    pub fn object<const N: usize>(members: [(&str, Option<Self>); N]) -> Self {
        let present = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Self::Object(present.collect())
    }

    /// A string value.
    pub fn string(text: impl Into<String>) -> Self {
        Self::String(text.into())
    }

    /// The member `name` of an object; `null` counts as absent.
    pub fn member(&self, name: &str) -> Option<&Self> {
        let members = self.as_object()?;
        members.iter().find(|(known, value)| known == name && *value != Self::Null).map(|(_, value)| value)
    }

    /// The members, if this is an object.
    pub fn as_object(&self) -> Option<&[(String, Self)]> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The elements, if this is an array.
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is a whole one from 0 to 2^53.
    pub fn as_whole_number(&self) -> Option<u64> {
        match self {
            // The bounds make the conversion exact.
            Self::Number(number) if (0.0..=9_007_199_254_740_992.0).contains(number) && number.fract() == 0.0 => {
                Some(*number as u64)
            }
            _ => None,
        }
    }

    /// What kind of value this is, in words for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number as f64)
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = match self.problem {
            JsonProblem::Duplicate => "an object has the same member twice",
            JsonProblem::Truncated => "the document ends too early",
            JsonProblem::Syntax => "this is not JSON",
        };
        write!(f, "{problem} (line {}, column {})", self.line, self.column)
    }
}

impl std::error::Error for JsonError {}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value as f64))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(element) = elements.next_element()? {
            array.push(element);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object: Vec<(String, Value)> = Vec::new();
        while let Some((name, value)) = members.next_entry::<String, Value>()? {
            if object.iter().any(|(known, _)| *known == name) {
                return Err(A::Error::custom("duplicate member"));
            }
            object.push((name, value));
        }
        Ok(Value::Object(object))
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => match self.as_whole_number() {
                Some(whole) => serializer.serialize_u64(whole),
                None => serializer.serialize_f64(*number),
            },
            Self::String(text) => serializer.serialize_str(text),
            Self::Array(elements) => serializer.collect_seq(elements),
            Self::Object(members) => {
                let mut object = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    object.serialize_entry(name, value)?;
                }
                object.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// TOK-12: a document that says the same thing twice says nothing.
    #[test]
    fn refuses_a_duplicate_member_at_any_depth() {
        let error = Value::parse(br#"{"a":{"b":1,"b":2}}"#).err().expect("a duplicate");
        assert_eq!(error.problem, JsonProblem::Duplicate);
        assert!(Value::parse(br#"{"a":1,"\u0061":2}"#).is_err());
    }

    /// TOK-18: nothing panics, whatever arrives.
    #[test]
    fn refuses_what_is_no_document() {
        for octets in [&b"\xef\xbb\xbf{}"[..], b"{\"a\":\xff}", b"", b"{\"a\":1", b"{}{}", b"\0"] {
            assert!(Value::parse(octets).is_err(), "{octets:?}");
        }
        let deep = "[".repeat(10_000);
        assert!(Value::parse(deep.as_bytes()).is_err());
    }

    #[test]
    fn writes_whole_numbers_without_a_point() {
        let value = Value::object([("created_at", Some(Value::from(1_700_000_000))), ("absent", None)]);
        assert_eq!(serde_json::to_string(&value).ok().as_deref(), Some(r#"{"created_at":1700000000}"#));
    }
}

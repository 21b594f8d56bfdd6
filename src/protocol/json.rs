//! JSON values as this protocol needs them: order kept, duplicate members refused, depth bounded.
//!
//! In scope: the one JSON type of metadata, token responses, stored records and the configuration.
//! Out of scope: typed deserialization and speed. A general-purpose parser was measured at 6 kB of brotli more than
//! this one, in a page that is 60 kB; `tests/protocol/json.rs` holds this one against it.
//!
//! Source: RFC 8259; RFC 8725bis (duplicate names refused, UTF-8 only).

use std::fmt;

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
    /// The column in octets, from 1.
    pub column: usize,
}

/// What is wrong with a document.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonProblem {
    /// An object has a member name twice.
    Duplicate,
    /// Nested more than 128 levels deep.
    TooDeep,
    /// An object has more than 1000 members.
    TooMany,
    /// The document ends too early.
    Truncated,
    /// It is not JSON, or not UTF-8.
    Syntax,
}

/// The deepest nesting read: no document of this protocol has ten levels.
const DEEPEST: usize = 128;

/// 2^53: whole numbers are exact up to here.
const MOST_EXACT: f64 = 9_007_199_254_740_992.0;

/// The most members of one object: each name is compared with all before it.
const MOST_MEMBERS: usize = 1000;

impl Value {
    /// Reads a whole document.
    ///
    /// # Errors
    /// [`JsonError`] with the place.
    pub fn parse(octets: &[u8]) -> Result<Self, JsonError> {
        Self::read(octets, Duplicates::Refused)
    }

    /// Whether octets are a JSON document of whatever size, duplicate members or not: for showing it, not for use.
    pub fn is_document(octets: &[u8]) -> bool {
        Self::read(octets, Duplicates::Ignored).is_ok()
    }

    fn read(octets: &[u8], duplicates: Duplicates) -> Result<Self, JsonError> {
        let mut reader = Reader { octets, at: 0, depth: 0, duplicates };
        // Once for the whole document: what lies between two quotation marks is then UTF-8 too.
        let valid = std::str::from_utf8(octets).map_or_else(|error| error.valid_up_to(), str::len);
        let value = if valid < octets.len() {
            reader.at = valid;
            Err(JsonProblem::Syntax)
        } else {
            reader.value().and_then(|value| match reader.blank() {
                None => Ok(value),
                Some(_) => Err(JsonProblem::Syntax),
            })
        };
        value.map_err(|problem| reader.error(problem))
    }

    /// An object of the members that have a value.
    pub fn object(members: Vec<(&str, Option<Self>)>) -> Self {
        Self::Object(members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
    }

    /// A string value.
    pub fn string(text: &str) -> Self {
        Self::String(text.to_owned())
    }

    /// The document as text. Of fractions six places are written, which is what a time needs; numbers beyond 2^53 are
    /// written as `null`. A formatter for all of them is 8 kB.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    /// The member `name` of an object; `null` counts as absent.
    pub fn member(&self, name: &str) -> Option<&Self> {
        let members = self.as_object()?;
        members.iter().find(|(known, value)| known == name && !matches!(value, Self::Null)).map(|(_, value)| value)
    }

    /// The text of the member `name`, if that is a string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.member(name)?.as_str()
    }

    /// The text of the member `name`, which may be absent: `None` if it is there and no string.
    pub fn optional_text(&self, name: &str) -> Option<Option<&str>> {
        match self.member(name) {
            None => Some(None),
            Some(value) => value.as_str().map(Some),
        }
    }

    /// The whole number of the member `name`, if it is one.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.member(name)?.as_whole_number()
    }

    /// The whole number of the member `name`, which may be absent: `None` if it is there and no whole number.
    pub fn optional_number(&self, name: &str) -> Option<Option<u64>> {
        match self.member(name) {
            None => Some(None),
            Some(value) => value.as_whole_number().map(Some),
        }
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

    /// Whether the member `name` is true.
    pub(super) fn is_set(&self, name: &str) -> bool {
        matches!(self.member(name), Some(Self::Bool(true)))
    }

    /// The texts, if this is an array of nothing else.
    pub(super) fn as_texts(&self) -> Option<Vec<String>> {
        self.as_array()?.iter().map(|one| one.as_str().map(str::to_owned)).collect()
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
            // The bounds make both conversions exact.
            Self::Number(number) if (0.0..=MOST_EXACT).contains(number) => {
                let whole = *number as u64;
                (whole as f64 == *number).then_some(whole)
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

    fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Number(number) => write_number(*number, out),
            Self::String(text) => write_string(text, out),
            Self::Array(elements) => {
                out.push('[');
                for (index, element) in elements.iter().enumerate() {
                    separate(index, out);
                    element.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    separate(index, out);
                    write_string(name, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

/// An object in the making: members are written in their order, and one without a value is left out.
#[derive(Default)]
pub struct Members(Vec<(String, Value)>);

impl Members {
    /// A text.
    pub fn text(&mut self, name: &str, text: Option<&str>) {
        self.value(name, text.map(Value::string));
    }

    /// A whole number; up to 2^53 it is exact.
    pub fn number(&mut self, name: &str, number: Option<u64>) {
        self.value(name, number.map(Value::from));
    }

    /// True; left out if it is not so.
    pub(super) fn flag(&mut self, name: &str, flag: bool) {
        self.value(name, flag.then_some(Value::Bool(true)));
    }

    /// Texts; left out if there are none.
    pub(super) fn texts(&mut self, name: &str, texts: &[String]) {
        let array = Value::Array(texts.iter().map(|text| Value::string(text)).collect());
        self.value(name, Some(array).filter(|_| !texts.is_empty()));
    }

    /// Any value.
    pub fn value(&mut self, name: &str, value: Option<Value>) {
        if let Some(value) = value {
            self.0.push((name.to_owned(), value));
        }
    }

    /// The object.
    pub fn finish(self) -> Value {
        Value::Object(self.0)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number as f64)
    }
}

fn separate(index: usize, out: &mut String) {
    if index > 0 {
        out.push(',');
    }
}

fn write_number(number: f64, out: &mut String) {
    if !(-MOST_EXACT..=MOST_EXACT).contains(&number) {
        return out.push_str("null");
    }
    // In bounds, so both conversions only drop what is written next, or what no place is left for. Rounded, because the
    // text is read again and must then give the same text.
    let millionths = ((number.abs() % 1.0) * 1e6 + 0.5) as u64;
    let (whole, millionths) = (number.abs() as u64 + millionths / 1_000_000, millionths % 1_000_000);
    if number < 0.0 && (whole, millionths) != (0, 0) {
        out.push('-');
    }
    out.push_str(&whole.to_string());
    if millionths > 0 {
        // With a one in front the zeros that lead are written too.
        out.push('.');
        out.push_str((1_000_000 + millionths).to_string().get(1..).unwrap_or_default().trim_end_matches('0'));
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            '\0'..='\x1f' => {
                // Control characters: two of the four digits are always 0.
                let digit = |number: u32| char::from_digit(number, 16).unwrap_or('0');
                out.push_str("\\u00");
                out.push(digit(character as u32 / 16));
                out.push(digit(character as u32 % 16));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

/// Reads a document front to back.
struct Reader<'a> {
    octets: &'a [u8],
    at: usize,
    depth: usize,
    duplicates: Duplicates,
}

/// What becomes of a member whose name stands in the object already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Duplicates {
    Refused,
    Ignored,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.octets.get(self.at).copied()
    }

    fn next(&mut self) -> Result<u8, JsonProblem> {
        let octet = self.peek().ok_or(JsonProblem::Truncated)?;
        self.at += 1;
        Ok(octet)
    }

    /// Skips white space and looks at what follows.
    fn blank(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
        self.peek()
    }

    fn value(&mut self) -> Result<Value, JsonProblem> {
        match self.blank().ok_or(JsonProblem::Truncated)? {
            b'{' | b'[' if self.depth == DEEPEST => Err(JsonProblem::TooDeep),
            b'{' => self.object(),
            b'[' => self.array(),
            b'"' => self.string().map(Value::String),
            b't' => self.word(b"true", Value::Bool(true)),
            b'f' => self.word(b"false", Value::Bool(false)),
            b'n' => self.word(b"null", Value::Null),
            _ => self.number(),
        }
    }

    fn object(&mut self) -> Result<Value, JsonProblem> {
        let mut members: Vec<(String, Value)> = Vec::new();
        self.enter();
        if self.blank() != Some(b'}') {
            loop {
                match self.blank().ok_or(JsonProblem::Truncated)? {
                    b'"' => {}
                    _ => return Err(JsonProblem::Syntax),
                }
                let name = self.string()?;
                if self.duplicates == Duplicates::Refused {
                    if members.len() == MOST_MEMBERS {
                        return Err(JsonProblem::TooMany);
                    }
                    if members.iter().any(|(known, _)| *known == name) {
                        return Err(JsonProblem::Duplicate);
                    }
                }
                self.blank();
                self.expect(b':')?;
                members.push((name, self.value()?));
                if !self.goes_on(b'}')? {
                    break;
                }
            }
        }
        self.leave();
        Ok(Value::Object(members))
    }

    fn array(&mut self) -> Result<Value, JsonProblem> {
        let mut elements = Vec::new();
        self.enter();
        if self.blank() != Some(b']') {
            loop {
                elements.push(self.value()?);
                if !self.goes_on(b']')? {
                    break;
                }
            }
        }
        self.leave();
        Ok(Value::Array(elements))
    }

    /// Past the opening bracket, one level deeper.
    fn enter(&mut self) {
        self.at += 1;
        self.depth += 1;
    }

    /// Past the closing bracket, which was seen.
    fn leave(&mut self) {
        self.at += 1;
        self.depth -= 1;
    }

    /// After an element: past a comma, or in front of the closing bracket.
    fn goes_on(&mut self, end: u8) -> Result<bool, JsonProblem> {
        match self.blank().ok_or(JsonProblem::Truncated)? {
            b',' => {
                self.at += 1;
                Ok(true)
            }
            octet if octet == end => Ok(false),
            _ => Err(JsonProblem::Syntax),
        }
    }

    fn expect(&mut self, wanted: u8) -> Result<(), JsonProblem> {
        match self.next()? {
            octet if octet == wanted => Ok(()),
            _ => {
                self.at -= 1;
                Err(JsonProblem::Syntax)
            }
        }
    }

    fn word(&mut self, word: &[u8], value: Value) -> Result<Value, JsonProblem> {
        for octet in word {
            self.expect(*octet)?;
        }
        Ok(value)
    }

    fn string(&mut self) -> Result<String, JsonProblem> {
        let mut octets = Vec::new();
        self.at += 1;
        loop {
            match self.next()? {
                b'"' => break,
                b'\\' => {
                    let character = self.escape()?;
                    octets.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                0..0x20 => return Err(JsonProblem::Syntax),
                octet => octets.push(octet),
            }
        }
        // The document is UTF-8 and was cut at ASCII characters only.
        String::from_utf8(octets).map_err(|_| JsonProblem::Syntax)
    }

    fn escape(&mut self) -> Result<char, JsonProblem> {
        Ok(match self.next()? {
            octet @ (b'"' | b'\\' | b'/') => octet.into(),
            b'b' => '\x08',
            b'f' => '\x0c',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let mut code = self.four_digits()?;
                if (0xd800..0xdc00).contains(&code) {
                    self.expect(b'\\')?;
                    self.expect(b'u')?;
                    let low = self.four_digits()?;
                    if !(0xdc00..0xe000).contains(&low) {
                        return Err(JsonProblem::Syntax);
                    }
                    code = 0x10000 + (code - 0xd800) * 0x400 + (low - 0xdc00);
                }
                char::from_u32(code).ok_or(JsonProblem::Syntax)?
            }
            _ => return Err(JsonProblem::Syntax),
        })
    }

    fn four_digits(&mut self) -> Result<u32, JsonProblem> {
        let mut code = 0;
        for _ in 0..4 {
            code = code * 16 + char::from(self.next()?).to_digit(16).ok_or(JsonProblem::Syntax)?;
        }
        Ok(code)
    }

    /// `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`
    fn number(&mut self) -> Result<Value, JsonProblem> {
        let sign = if self.skip(b"-") { -1.0 } else { 1.0 };
        let leading_zero = self.peek() == Some(b'0');
        let (mut number, mut scale) = (0.0, 0_i32);
        // Digits beyond the nineteenth change nothing that is held; of the whole ones it counts how many there are.
        let mut add = |digit: f64, has_place: bool| {
            let is_held = number < 1e18;
            number = if is_held { number * 10.0 + digit } else { number };
            scale = scale.saturating_add(i32::from(!is_held) - i32::from(has_place));
        };
        let whole = self.digits(|digit| add(digit, false))?;
        if leading_zero && whole > 1 {
            return Err(JsonProblem::Syntax);
        }
        if self.skip(b".") {
            self.digits(|digit| add(digit, true))?;
        }
        if self.skip(b"eE") {
            let negative = self.peek() == Some(b'-');
            self.skip(b"+-");
            let mut exponent = 0_i32;
            self.digits(|digit| exponent = exponent.saturating_mul(10).saturating_add(digit as i32))?;
            scale = scale.saturating_add(if negative { -exponent } else { exponent });
        }
        // Zero and infinity must not meet.
        if number == 0.0 {
            scale = 0;
        }
        // Beyond these powers the result is zero or infinite whatever the digits were.
        let power = 10_f64.powi(scale.clamp(-400, 400).abs());
        Ok(Value::Number(sign * if scale < 0 { number / power } else { number * power }))
    }

    /// Hands over each digit; how many there were, at least one.
    fn digits(&mut self, mut each: impl FnMut(f64)) -> Result<usize, JsonProblem> {
        let start = self.at;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            each(f64::from(digit - b'0'));
            self.at += 1;
        }
        match (self.at - start, self.peek()) {
            (0, None) => Err(JsonProblem::Truncated),
            (0, Some(_)) => Err(JsonProblem::Syntax),
            (count, _) => Ok(count),
        }
    }

    fn skip(&mut self, any: &[u8]) -> bool {
        let found = self.peek().is_some_and(|octet| any.contains(&octet));
        self.at += usize::from(found);
        found
    }

    fn error(&self, problem: JsonProblem) -> JsonError {
        let (mut line, mut column) = (1, 1);
        for octet in self.octets.iter().take(self.at) {
            column += 1;
            if *octet == b'\n' {
                (line, column) = (line + 1, 1);
            }
        }
        JsonError { problem, line, column }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = match self.problem {
            JsonProblem::Duplicate => "an object has the same member twice",
            JsonProblem::TooDeep => "the document is nested too deep",
            JsonProblem::TooMany => "an object has too many members",
            JsonProblem::Truncated => "the document ends too early",
            JsonProblem::Syntax => "this is not JSON",
        };
        write!(f, "{problem} (line {}, column {})", self.line, self.column)
    }
}

impl std::error::Error for JsonError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(octets: &[u8]) -> Option<JsonProblem> {
        Value::parse(octets).err().map(|error| error.problem)
    }

    /// TOK-12: a document that says the same thing twice says nothing.
    #[test]
    fn refuses_a_duplicate_member_at_any_depth() {
        assert_eq!(problem(br#"{"a":{"b":1,"b":2}}"#), Some(JsonProblem::Duplicate));
        assert_eq!(problem(br#"{"a":1,"\u0061":2}"#), Some(JsonProblem::Duplicate));
    }

    /// TOK-18: nothing panics, whatever arrives.
    #[test]
    fn refuses_what_is_no_document() {
        for octets in [&b"\xef\xbb\xbf{}"[..], b"{\"a\":\xff}", b"{}{}", b"\0", b"01", b"1.", b"[1,]", b"\"\\ud800x\""]
        {
            assert!(Value::parse(octets).is_err(), "{octets:?}");
        }
        assert_eq!(problem(b""), Some(JsonProblem::Truncated));
        assert_eq!(problem(b"{\"a\":1"), Some(JsonProblem::Truncated));
        assert_eq!(problem("[".repeat(10_000).as_bytes()), Some(JsonProblem::TooDeep));
        assert_eq!(problem(format!("{}{}", "[".repeat(128), "]".repeat(128)).as_bytes()), None);
    }

    #[test]
    fn names_the_place_of_a_problem() {
        let error = Value::parse(b"{\n  \"a\": tru\n}").err();
        assert_eq!(error, Some(JsonError { problem: JsonProblem::Syntax, line: 2, column: 11 }));
    }

    #[test]
    fn writes_what_it_reads() {
        let value = Value::object(vec![
            ("created_at", Some(Value::from(1_700_000_000))),
            ("absent", None),
            ("text", Some(Value::string("a\"\\\n\u{1f600}"))),
            ("list", Some(Value::Array(vec![Value::Bool(true), Value::Null]))),
        ]);
        let text = value.to_text();
        assert_eq!(text, "{\"created_at\":1700000000,\"text\":\"a\\\"\\\\\\u000a\u{1f600}\",\"list\":[true,null]}");
        assert!(Value::parse(text.as_bytes()).is_ok_and(|read| read == value));
    }
}

//! The reader of JSON, held against one that everybody uses.

use leptos_pkce::protocol::json::{JsonError, JsonProblem, Value};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::properties::{for_all, json_value};

fn problem(text: &str) -> Option<JsonProblem> {
    Value::parse(text.as_bytes()).err().map(|error| error.problem)
}

/// Documents of RFC 8259.
const DOCUMENTS: [&str; 34] = [
    "null",
    "true",
    "false",
    "0",
    "-0",
    "-1",
    "10",
    "1.5",
    "0.1",
    "1e2",
    "1E+2",
    "1e-2",
    "-1.5e-2",
    "9007199254740992",
    "123456789012345678901234567890",
    "\"\"",
    "\"a\"",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
    "\"\\u0000\\u0041\\u00e4\\uFFFF\"",
    "\"\\ud83d\\ude00\"",
    "\"\\uDBFF\\uDFFF\"",
    "\"ä€😀\u{7f}\u{2028}\"",
    "[]",
    "[ ]",
    "[1,2]",
    "[ 1 , [ ] , { } ]",
    "{}",
    "{ }",
    "{\"\":1}",
    "{\"a\":{\"a\":1},\"b\":[{\"a\":2}]}",
    " \t\r\n{\"a\" : 1 , \"b\" : null}\t\n",
    "{\"a\":1,\"A\":2}",
    "{\"a\\u0000\":1}",
    "[true,false,null,\"x\",1]",
];

/// What resembles one.
const NO_DOCUMENTS: [&str; 63] = [
    "",
    " ",
    "nul",
    "nullx",
    "NULL",
    "True",
    "tru",
    "undefined",
    "NaN",
    "Infinity",
    "-",
    "+1",
    "01",
    "-01",
    "00",
    "1.",
    ".5",
    "-.5",
    "1.e2",
    "1e",
    "1e+",
    "1e1.5",
    "0x10",
    "1_000",
    "1 2",
    "1,",
    "\"",
    "\"a",
    "'a'",
    "a",
    "\"\\\"",
    "\"\\x41\"",
    "\"\\a\"",
    "\"\\u12\"",
    "\"\\u123g\"",
    "\"\\u+123\"",
    "\"\\ud800\"",
    "\"\\ud800x\"",
    "\"\\ud800\\n\"",
    "\"\\ud800\\u0041\"",
    "\"\\udc00\"",
    "\"a\nb\"",
    "\"a\tb\"",
    "\"a\0b\"",
    "[",
    "]",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[1 2]",
    "[1}",
    "{",
    "{\"a\"",
    "{\"a\":",
    "{\"a\":1",
    "{\"a\":1,}",
    "{\"a\" 1}",
    "{a:1}",
    "{1:1}",
    "{\"a\":1}}",
    "{\"a\":1}/* */",
    "\u{feff}{}",
];

/// TOK-18: what is JSON is read, and what only resembles it is not; both readers agree.
#[test]
fn reads_what_is_json_and_nothing_else() {
    for text in DOCUMENTS {
        let ours = Value::parse(text.as_bytes()).expect("a document");
        let theirs = serde_json::from_str::<serde_json::Value>(text).expect("a document");
        assert!(is_same(&ours, &theirs), "{text:?}");
    }
    for text in NO_DOCUMENTS {
        assert!(problem(text).is_some(), "{text:?}");
        assert!(serde_json::from_str::<serde_json::Value>(text).is_err(), "{text:?}");
    }
}

/// Both readers' idea of a document.
fn is_same(ours: &Value, theirs: &serde_json::Value) -> bool {
    match (ours, theirs) {
        (Value::Null, serde_json::Value::Null) => true,
        (Value::Bool(ours), serde_json::Value::Bool(theirs)) => ours == theirs,
        (Value::Number(ours), serde_json::Value::Number(theirs)) => {
            let theirs = theirs.as_f64().expect("a number");
            // Whole numbers are exact; of fractions nobody here needs the last digits.
            *ours == theirs || (ours - theirs).abs() <= theirs.abs() * 1e-12 || theirs.abs() < 1e-300
        }
        (Value::String(ours), serde_json::Value::String(theirs)) => ours == theirs,
        (Value::Array(ours), serde_json::Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| is_same(ours, theirs))
        }
        (Value::Object(ours), serde_json::Value::Object(theirs)) => {
            let is_member =
                |(name, ours): &(String, Value)| theirs.get(name).is_some_and(|theirs| is_same(ours, theirs));
            ours.len() == theirs.len() && ours.iter().all(is_member)
        }
        _ => false,
    }
}

/// The two readers say the same of `octets`, but for what each is stricter in: duplicates, and numbers beyond range.
fn agree_on(octets: &[u8]) -> Result<(), TestCaseError> {
    match (Value::parse(octets), serde_json::from_slice::<serde_json::Value>(octets)) {
        (Ok(ours), Ok(theirs)) => prop_assert!(is_same(&ours, &theirs), "{:?}", octets),
        (Err(error), Ok(_)) => prop_assert_eq!(error.problem, JsonProblem::Duplicate),
        (Ok(_), Err(error)) => prop_assert!(error.to_string().starts_with("number out of range"), "{}", error),
        (Err(_), Err(_)) => {}
    }
    Ok(())
}

/// TOK-18: any document is read as everybody reads it.
#[test]
fn agrees_with_another_reader_on_documents() {
    for_all(json_value(), |document| {
        agree_on(document.to_string().as_bytes())?;
        agree_on(serde_json::to_string_pretty(&document).expect("JSON").as_bytes())
    });
}

/// TOK-18: a document with a few octets changed is refused or read as everybody does.
#[test]
fn agrees_with_another_reader_on_damaged_documents() {
    let octet = prop_oneof![any::<u8>(), proptest::sample::select(b"\"\\{}[]:,0-+.eEu \n\x7f\xff".as_slice())];
    let damage = vec((any::<proptest::sample::Index>(), 0..3_u8, octet), 1..4);
    for_all((json_value(), damage), |(document, damage)| {
        let mut octets = document.to_string().into_bytes();
        for (index, kind, octet) in damage {
            let at = index.index(octets.len() + 1);
            match kind {
                0 => octets.insert(at, octet),
                1 if at < octets.len() => octets[at] = octet,
                _ => octets.truncate(at),
            }
        }
        agree_on(&octets)
    });
}

/// Whole numbers are written as they were read, of fractions six places; zero has no sign.
#[test]
fn writes_what_it_reads() {
    for_all(json_value(), |document| {
        let Ok(read) = Value::parse(document.to_string().as_bytes()) else { return Ok(()) };
        let text = read.to_text();
        let Ok(again) = Value::parse(text.as_bytes()) else {
            return Err(TestCaseError::fail(format!("{text} is no document")));
        };
        prop_assert_eq!(&again.to_text(), &text);
        prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", text);
        Ok(())
    });
    for text in
        ["{\"b\":1,\"a\":[true,false,null,\"\\\"\\\\\"]}", "9007199254740992", "\"\\u0000\\u001f\u{7f}ä😀\"", "{}"]
    {
        assert_eq!(Value::parse(text.as_bytes()).map(|value| value.to_text()).as_deref(), Ok(text));
    }
    for (read, written) in [
        ("1.5", "1.5"),
        ("-0.25", "-0.25"),
        ("1700000000.123456", "1700000000.123456"),
        ("0.000001", "0.000001"),
        ("0.0000001", "0"),
        ("0.9999999", "1"),
        ("268254789.19115517", "268254789.191155"),
        ("-0.0000001", "0"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("-7", "-7"),
        ("9007199254740994", "null"),
        ("1e400", "null"),
    ] {
        assert_eq!(Value::parse(read.as_bytes()).map(|value| value.to_text()).as_deref(), Ok(written), "{read}");
    }
}

/// TOK-18: a document cut off anywhere ends too early, and is nothing else.
#[test]
fn knows_a_document_that_was_cut_off() {
    let text = r#"{"a":[1.5e2,"\u00e4\ud83d\ude00\n",{"b":true}],"c":null,"d":-0}"#;
    assert_eq!(problem(text), None);
    for end in 0..text.len() {
        assert_eq!(problem(&text[..end]), Some(JsonProblem::Truncated), "{}", &text[..end]);
    }
}

/// TOK-12: a name that is there twice, in any spelling, at any depth.
#[test]
fn refuses_a_member_that_is_there_twice() {
    for text in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"b":2,"a":3}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"":1,"":2}"#,
        r#"[{"a":{"b":[{"c":1,"c":null}]}}]"#,
        r#"{"__proto__":1,"__proto__":2}"#,
    ] {
        assert_eq!(problem(text), Some(JsonProblem::Duplicate), "{text}");
    }
}

/// TOK-18: nesting has an end.
#[test]
fn refuses_what_is_nested_too_deep() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(problem(&nested(128)), None);
    assert_eq!(problem(&nested(129)), Some(JsonProblem::TooDeep));
    assert_eq!(problem(&"{\"a\":".repeat(10_000)), Some(JsonProblem::TooDeep));
    assert_eq!(problem(&format!("[{}]", vec![nested(127); 3].join(","))), None);
}

/// An object of so many members that comparing each name with all before it takes no time.
#[test]
fn refuses_an_object_of_too_many_members() {
    let object = |count: usize| {
        let members: Vec<String> = (0..count).map(|number| format!("\"{number}\":0")).collect();
        format!("{{{}}}", members.join(","))
    };
    assert_eq!(problem(&object(1000)), None);
    assert_eq!(problem(&object(1001)), Some(JsonProblem::TooMany));
    // What is only shown may be of any size: a map of 50 000 members used to take minutes.
    assert!(Value::is_document(object(50_000).as_bytes()));
}

/// What is only shown may say a thing twice, and is a document for the other reader too.
#[test]
fn knows_a_document_that_is_only_shown() {
    for_all(json_value(), |document| {
        prop_assert!(Value::is_document(document.to_string().as_bytes()));
        Ok(())
    });
    assert!(Value::is_document(br#"{"a":1,"a":2}"#));
    for text in NO_DOCUMENTS {
        assert!(!Value::is_document(text.as_bytes()), "{text:?}");
    }
}

#[test]
fn reads_whole_numbers_exactly() {
    let whole = |text: &str| Value::parse(text.as_bytes()).ok().and_then(|value| value.as_whole_number());
    for (text, number) in
        [("0", 0), ("-0", 0), ("3600", 3600), ("3.6e3", 3600), ("36000e-1", 3600), ("9007199254740992", 1 << 53)]
    {
        assert_eq!(whole(text), Some(number), "{text}");
    }
    for text in ["-1", "0.5", "1e-1", "9007199254740994", "1e400", "-1e400", "\"1\"", "true"] {
        assert_eq!(whole(text), None, "{text}");
    }
}

/// TOK-18: no number is none. These used to be one that differs from itself, because zero and infinity met.
#[test]
fn reads_numbers_of_any_length() {
    let number = |text: &str| match Value::parse(text.as_bytes()) {
        Ok(Value::Number(number)) => number,
        _ => panic!("{text} is a number"),
    };
    let (nines, zeros) = ("9".repeat(330), "0".repeat(500));
    for (text, expected) in [
        ("0e999".to_owned(), 0.0),
        ("-0.0e999".to_owned(), 0.0),
        (format!("0.{nines}"), 1.0),
        (format!("{nines}e-330"), 1.0),
        (format!("1{zeros}e-500"), 1.0),
        (format!("0.{zeros}1e501"), 1.0),
        (format!("1{zeros}"), f64::INFINITY),
        (format!("0.{zeros}1"), 0.0),
    ] {
        let found = number(&text);
        assert!(found == expected || (found - expected).abs() < 1e-12, "{text} was read as {found}");
    }
}

#[test]
fn says_what_is_wrong_with_a_document() {
    for (problem, message) in [
        (JsonProblem::Duplicate, "an object has the same member twice (line 2, column 5)"),
        (JsonProblem::TooDeep, "the document is nested too deep (line 2, column 5)"),
        (JsonProblem::TooMany, "an object has too many members (line 2, column 5)"),
        (JsonProblem::Truncated, "the document ends too early (line 2, column 5)"),
        (JsonProblem::Syntax, "this is not JSON (line 2, column 5)"),
    ] {
        assert_eq!(JsonError { problem, line: 2, column: 5 }.to_string(), message);
    }
}

/// What a message says is where one looks.
#[test]
fn names_the_place_of_a_problem() {
    for (text, problem, line, column) in [
        ("", JsonProblem::Truncated, 1, 1),
        ("x", JsonProblem::Syntax, 1, 1),
        ("{\n  \"a\": x\n}", JsonProblem::Syntax, 2, 8),
        ("{\n  \"a\": 1\n  \"b\": 2\n}", JsonProblem::Syntax, 3, 3),
        ("{}\n\n{}", JsonProblem::Syntax, 3, 1),
        ("{\n  \"a\": 1,\n  \"a\": 2\n}", JsonProblem::Duplicate, 3, 6),
        ("[1,\n2", JsonProblem::Truncated, 2, 2),
    ] {
        assert_eq!(Value::parse(text.as_bytes()).err(), Some(JsonError { problem, line, column }), "{text:?}");
    }
    // RFC 8259 §8.1: a document is UTF-8; the first octet that is none is the place, not the end of its string.
    let found = Value::parse(b"{\"a\":\n\"b\xff c\"}").err();
    assert_eq!(found, Some(JsonError { problem: JsonProblem::Syntax, line: 2, column: 3 }));
}

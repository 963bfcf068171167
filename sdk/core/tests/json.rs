//! The JSON reader: I-JSON (RFC 7493) and nothing else, and the same values as `serde_json` reads.

use gatepass_core::json::{Malformed, Value, Writer, read};
use serde_json::json;

use crate::world::Random;

fn refused(text: impl AsRef<[u8]>) {
    let text = text.as_ref();
    assert!(read(text).is_err(), "{:?}", String::from_utf8_lossy(text));
}

#[test]
fn values_are_what_they_say() {
    let text = |s: &str| Value::String(s.into());
    for (json, value) in [
        ("null", Value::Null),
        ("true", Value::Bool(true)),
        ("false", Value::Bool(false)),
        ("0", Value::Integer(0)),
        ("-0", Value::Integer(0)),
        ("-1", Value::Integer(-1)),
        ("9007199254740991", Value::Integer(9_007_199_254_740_991)),
        ("-9007199254740991", Value::Integer(-9_007_199_254_740_991)),
        ("9007199254740992", Value::OutOfRange),
        ("-9007199254740992", Value::OutOfRange),
        ("99999999999999999999999999999999999999", Value::OutOfRange),
        ("1.5", Value::Fraction(1)),
        ("-1.5", Value::Fraction(-1)),
        ("0.0000001", Value::Fraction(0)),
        ("9007199254740992.5", Value::OutOfRange),
        ("1e3", Value::OutOfRange),
        ("1E+3", Value::OutOfRange),
        ("1.5e-3", Value::OutOfRange),
        ("1e999999999999999999999", Value::OutOfRange),
        ("\"\"", text("")),
        ("\"a\"", text("a")),
        (r#""\"\\\/\b\f\n\r\t""#, text("\"\\/\u{8}\u{c}\n\r\t")),
        (r#""\u0041\u00e9\u20ac""#, text("A\u{e9}\u{20ac}")),
        (r#""\ud83d\ude00""#, text("\u{1f600}")),
        (r#""\uD83D\uDE00""#, text("\u{1f600}")),
        ("\"\u{1f600}\u{7f}\u{2028}\"", text("\u{1f600}\u{7f}\u{2028}")),
        (r#""\u0000""#, text("\0")),
        ("[]", Value::Array(Vec::new())),
        ("{}", Value::Object(Vec::new())),
        (" \t\r\n[ 1 , 2 ]\n", Value::Array(vec![Value::Integer(1), Value::Integer(2)])),
        ("{\"\":1}", Value::Object(vec![(String::new(), Value::Integer(1))])),
    ] {
        assert_eq!(read(json.as_bytes()), Ok(value), "{json}");
    }
}

/// The same list is read in a browser (`sdk/tests/verifiers.rs`).
#[test]
fn rp26_vectors_are_read_natively_as_they_should_be() {
    for (document, expected) in gatepass_vectors::JSON {
        let read = format!("{:?}", read(document));
        assert_eq!(read, *expected, "{:?}", String::from_utf8_lossy(document));
    }
}

#[test]
fn rp26_what_is_no_json_is_refused() {
    for text in [
        "",
        " ",
        "\0",
        "nul",
        "nulll",
        "True",
        "NaN",
        "Infinity",
        "-Infinity",
        "undefined",
        "'a'",
        "[",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1,,2]",
        "[1:2]",
        "[\"a\":1]",
        "[1}",
        "{",
        "}",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{a:1}",
        "{'a':1}",
        "{1:1}",
        "{\"a\":}",
        "{:1}",
        "{,}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1]",
        "{null:1}",
        "1 2",
        "{}{}",
        "{} x",
        "[]]",
        "nullnull",
        "\"a\"\"b\"",
        "1,",
        "/**/1",
        "1//",
        "#1",
        "00",
        "01",
        "-01",
        "+1",
        "--1",
        "-",
        "1.",
        ".5",
        "-.5",
        "1.e3",
        "1e",
        "1e+",
        "1e-",
        "1ee3",
        "1.2.3",
        "0x10",
        "1_000",
        "1f",
        "- 1",
        "1 .5",
        "\u{ff11}",
        "\"",
        "\"a",
        "\"\\\"",
        "\"\\\"a",
        "\"\\x41\"",
        "\"\\U0041\"",
        "\"\\u\"",
        "\"\\u004\"",
        "\"\\u004g\"",
        "\"\\u+041\"",
        "\"\\ \"",
        "\"\\\n\"",
        "\"\\0\"",
        "\"\\a\"",
        "\"\\'\"",
        "\"\n\"",
        "\"\t\"",
        "\"\0\"",
        "\"\u{1f}\"",
        "\u{a0}1",
        "\u{2028}1",
        "1\u{c}",
        "\u{b}1",
    ] {
        refused(text);
    }
}

#[test]
fn rp26_a_name_that_comes_twice_is_refused() {
    refused(r#"{"a":1,"a":1}"#);
    refused(r#"{"a":1,"b":2,"a":3}"#);
    refused(r#"{"a":1,"\u0061":2}"#);
    refused(r#"{"":1,"":2}"#);
    refused(r#"[{"a":{"b":1,"b":2}}]"#);
    assert!(read(br#"{"a":{"a":1},"b":{"a":1},"A":1}"#).is_ok());
}

#[test]
fn rp26_lone_surrogates_are_refused() {
    for text in [
        r#""\ud800""#,
        r#""\udc00""#,
        r#""\udfff""#,
        r#""\ud800\ud800""#,
        r#""\ud800x""#,
        r#""\ud800\n""#,
        r#""\ud800\u0041""#,
        r#""\udc00\ud800""#,
        r#""\ud800\""#,
        r#""\ud800\u""#,
        r#""\ud83d\uDE0""#,
        r#"{"\ud800":1}"#,
    ] {
        refused(text);
    }
    refused(b"\"\xed\xa0\x80\"");
}

#[test]
fn rp26_bytes_that_are_no_utf8_and_marks_are_refused() {
    refused(b"\xef\xbb\xbf{}");
    refused(b"\xff\xfe{\0}\0");
    refused(b"{\0}\0");
    refused(b"\"\xff\"");
    refused(b"\"\xc0\xaf\"");
    refused(b"\"\xe2\x82\"");
    refused(b"\"\xf4\x90\x80\x80\"");
    refused(b"[1]\x80");
    assert_eq!(read(b"\"ab\xff\""), Err(Malformed(3)));
}

#[test]
fn rp26_depth_and_members_are_limited() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(read(nested(33).as_bytes()).is_ok());
    refused(nested(34));
    refused(nested(1_000_000));
    refused("[".repeat(1_000_000));
    refused("{\"a\":".repeat(1_000_000));
    let objects = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    assert!(read(objects(32).as_bytes()).is_ok());
    refused(objects(33));
    let members = |count: usize| {
        let all: Vec<String> = (0..count).map(|n| format!("\"{n}\":{n}")).collect();
        format!("{{{}}}", all.join(","))
    };
    assert!(read(members(1000).as_bytes()).is_ok());
    refused(members(1001));
    // Items are limited by the size of what is read only.
    assert!(read(format!("[{}0]", "0,".repeat(50_000)).as_bytes()).is_ok());
}

#[test]
fn rp26_size_is_limited() {
    let text = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
    assert!(read(text(1 << 20).as_bytes()).is_ok());
    refused(text((1 << 20) + 1));
    refused(format!("{{}}{}", " ".repeat(1 << 20)));
    refused("[".repeat(2 << 20));
}

#[test]
fn the_offset_says_where_it_stops() {
    for (text, at) in [("", 0), ("[1,]", 3), ("{\"a\":1,\"a\":2}", 7), ("tru", 0), ("[1] x", 4)] {
        assert_eq!(read(text.as_bytes()), Err(Malformed(at)), "{text}");
    }
}

#[test]
fn members_are_found_by_name_and_type() {
    let value = read(br#"{"text":"a","number":7,"list":[1],"none":null}"#).unwrap();
    assert_eq!(value.str("text"), Some("a"));
    assert_eq!(value.str("number"), None);
    assert_eq!(value.get("number").and_then(Value::as_integer), Some(7));
    assert_eq!(value.get("text").and_then(Value::as_integer), None);
    assert_eq!(value.get("list").and_then(Value::as_array).map(<[_]>::len), Some(1));
    assert_eq!(value.get("none"), Some(&Value::Null));
    assert_eq!(value.get("absent"), None);
    assert_eq!(Value::Integer(1).get("a"), None);
}

/// Whether both readers read the same.
pub fn same(ours: &Value, theirs: &serde_json::Value) -> bool {
    match (ours, theirs) {
        (Value::Null, serde_json::Value::Null) => true,
        (Value::Bool(a), serde_json::Value::Bool(b)) => a == b,
        (Value::Integer(a), serde_json::Value::Number(b)) => {
            b.as_i64() == Some(*a) || (*a == 0 && b.as_f64() == Some(0.0))
        }
        #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
        (Value::Fraction(a), serde_json::Value::Number(b)) => {
            b.as_f64().is_some_and(|b| (b - *a as f64).abs() <= 1.0)
        }
        (Value::OutOfRange, serde_json::Value::Number(_)) => true,
        (Value::String(a), serde_json::Value::String(b)) => a == b,
        (Value::Array(a), serde_json::Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), serde_json::Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => false,
    }
}

/// Both readers take the text for the same value, or both refuse it.
pub fn compare(text: &[u8]) {
    let ours = read(text);
    let theirs = serde_json::from_slice::<serde_json::Value>(text);
    let shown = || String::from_utf8_lossy(text).into_owned();
    match (&ours, &theirs) {
        (Ok(ours), Ok(theirs)) => assert!(same(ours, theirs), "{}: {ours:?} {theirs:?}", shown()),
        (Err(_), Err(_)) => {}
        // Theirs has no numbers beyond a double.
        (Ok(_), Err(error)) => {
            assert!(error.to_string().starts_with("number out of range"), "{}: {error}", shown());
        }
        // What ours refuses besides: names that come twice.
        (Err(_), Ok(theirs)) => {
            let names = |value: &serde_json::Value| value.to_string().matches("\":").count();
            let written = text.windows(1).filter(|byte| byte == b":").count();
            assert!(written > names(theirs), "{}: refused without reason", shown());
        }
    }
}

fn document(random: &mut Random, depth: usize, out: &mut String) {
    match random.below(if depth > 4 { 8 } else { 11 }) {
        0 => out.push_str("null"),
        1 => out.push_str(["true", "false"][random.below(2)]),
        2 => out.push_str(&random.next().to_string()),
        3 => out.push_str(
            ["0", "-0", "-1.50", "1e5", "0.1", "9007199254740991", "-7"][random.below(7)],
        ),
        4..=7 => string(random, out),
        8 | 9 => {
            out.push('{');
            for at in 0..random.below(4) {
                if at > 0 {
                    out.push_str([",", " , "][random.below(2)]);
                }
                string(random, out);
                out.push_str([":", " :\n"][random.below(2)]);
                document(random, depth + 1, out);
            }
            out.push('}');
        }
        _ => {
            out.push('[');
            for at in 0..random.below(4) {
                if at > 0 {
                    out.push(',');
                }
                document(random, depth + 1, out);
            }
            out.push(']');
        }
    }
}

fn string(random: &mut Random, out: &mut String) {
    out.push('"');
    for _ in 0..random.below(4) {
        out.push_str(
            ["a", "b", "\\n", "\\u0041", "\\ud83d\\ude00", "\\ud800", "é", "\\\"", "\\/", "\u{7f}"]
                [random.below(10)],
        );
    }
    out.push('"');
}

#[test]
fn rp26_the_reader_agrees_with_serde_json() {
    let mut random = Random(7);
    for _ in 0..20_000 {
        let mut text = String::new();
        document(&mut random, 0, &mut text);
        compare(text.as_bytes());
        // And with some bytes changed, taken out, doubled or cut off.
        let mut bytes = text.into_bytes();
        for _ in 0..1 + random.below(3) {
            if bytes.is_empty() {
                break;
            }
            let at = random.below(bytes.len());
            match random.below(4) {
                0 => bytes[at] = b"{}[],:\"\\0123456789.eE+-tfn u\t\0\x80\xff"[random.below(32)],
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, bytes[at]),
                _ => bytes.truncate(at),
            }
        }
        compare(&bytes);
    }
}

#[test]
fn every_short_text_is_read_like_serde_json_reads_it() {
    let alphabet = b"{}[]\",:\\u01-.e n";
    let mut texts: Vec<Vec<u8>> = vec![Vec::new()];
    for _ in 0..4 {
        let mut longer = Vec::new();
        for text in &texts {
            for byte in alphabet {
                let mut text = text.clone();
                text.push(*byte);
                compare(&text);
                longer.push(text);
            }
        }
        texts = longer;
    }
}

#[test]
fn what_is_written_is_read_the_same() {
    let mut writer = Writer::default();
    writer.open('{');
    let strange = "\"\\/\u{8}\u{c}\n\r\t\0\u{1f}\u{7f}\u{2028}é\u{1f600}</script>";
    writer.member(strange, strange);
    writer.name("numbers");
    writer.open('[');
    for number in [0, -1, 1, 10, i64::MAX, i64::MIN, 9_007_199_254_740_991] {
        writer.integer(number);
    }
    writer.close(']');
    writer.name("raw");
    writer.raw("null");
    writer.name("empty");
    writer.open('{');
    writer.close('}');
    writer.member("last", "");
    writer.close('}');
    let text = writer.finish();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        value,
        json!({
            strange: strange,
            "numbers": [0, -1, 1, 10, i64::MAX, i64::MIN, 9_007_199_254_740_991_i64],
            "raw": null,
            "empty": {},
            "last": "",
        })
    );
    assert_eq!(read(text.as_bytes()).unwrap().str(strange), Some(strange));
}

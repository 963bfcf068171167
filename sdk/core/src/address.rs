//! Addresses: queries written and read, and paths that stay in the app.
//!
//! Forms are written out, because a general codec weighs three times as much in wasm
//! (docs/adr/0005).

use alloc::{string::String, vec::Vec};

/// `parameters` in `application/x-www-form-urlencoded`; those without a value are left out. The
/// names are ours and need no encoding.
pub(crate) fn form(parameters: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in parameters {
        if !value.is_empty() {
            if !out.is_empty() {
                out.push('&');
            }
            out.push_str(name);
            out.push('=');
            encode(value, &mut out);
        }
    }
    out
}

/// URL Standard, "application/x-www-form-urlencoded percent-encode set".
fn encode(value: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"*-._".contains(&byte) {
            out.push(char::from(byte));
        } else if byte == b' ' {
            out.push('+');
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

/// The text that [`encode`] made such a value of; a `%` that begins no escape stands for itself.
fn decode(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        let mut byte = *first;
        if byte == b'+' {
            byte = b' ';
        } else if byte == b'%'
            && let [high, low, after @ ..] = rest
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            byte = high << 4 | low;
            rest = after;
        }
        bytes.push(byte);
    }
    lossy(bytes)
}

/// The value of a hexadecimal digit.
pub(crate) fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// `bytes` as text. In bad UTF-8 every byte beyond ASCII becomes a replacement character: nothing
/// that means anything to us survives that, and what is left can be shown.
pub(crate) fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|bad| {
        let char = |byte: &u8| if byte.is_ascii() { char::from(*byte) } else { '\u{fffd}' };
        bad.as_bytes().iter().map(char).collect()
    })
}

/// `text` before and after the first `separator`.
pub(crate) fn cut(text: &str, separator: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|byte| byte == separator)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// Whether `word` is among `words`, which spaces separate.
pub(crate) fn has_word(words: &str, word: &str) -> bool {
    let mut rest = words;
    loop {
        let (first, after) = cut(rest, b' ').unwrap_or((rest, ""));
        if first == word || after.is_empty() {
            return first == word;
        }
        rest = after;
    }
}

/// `endpoint` with `parameters` added to its query (RFC 6749, 3.1: it may have one).
pub(crate) fn with_query(endpoint: &str, parameters: &[(&str, &str)]) -> String {
    let separator = if cut(endpoint, b'?').is_some() { "&" } else { "?" };
    [endpoint, separator, &form(parameters)].concat()
}

/// The query parameters of an address, fragment left out.
pub(crate) fn query(url: &str) -> Vec<(String, String)> {
    let url = cut(url, b'#').map_or(url, |(before, _)| before);
    let mut rest = cut(url, b'?').map_or("", |(_, query)| query);
    let mut parameters = Vec::new();
    while !rest.is_empty() {
        let (pair, after) = cut(rest, b'&').unwrap_or((rest, ""));
        if !pair.is_empty() {
            let (name, value) = cut(pair, b'=').unwrap_or((pair, ""));
            parameters.push((decode(name), decode(value)));
        }
        rest = after;
    }
    parameters
}

/// Whether `path` leads to a place of this origin however a browser reads it (D13, RP7): browsers
/// take a backslash for a slash, and drop tabs and line ends.
pub(crate) fn stays_here(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && !path.bytes().any(|byte| byte == b'\\' || byte < b' ' || byte == 0x7f)
}

/// The path of an absolute address, `/` if it has none.
pub(crate) fn path(url: &str) -> &str {
    // Scheme, nothing, host, and from the third slash on the path.
    let slash = url.bytes().enumerate().filter(|(_, byte)| *byte == b'/').nth(2);
    slash.and_then(|(at, _)| url.get(at..)).unwrap_or("/")
}

#[cfg(test)]
mod tests {
    use super::{form, query};
    use form_urlencoded::{Serializer, parse};
    use std::{format, string::String, vec::Vec};

    #[test]
    fn writes_and_reads_forms_as_the_reference_does() {
        let all: String = (0..0x250).filter_map(char::from_u32).chain(['\u{10ffff}']).collect();
        let pairs = [("a", all.as_str()), ("empty", ""), ("b", "1+1=2&c=%41")];
        let mut reference = Serializer::new(String::new());
        reference.append_pair("a", &all).append_pair("b", "1+1=2&c=%41");
        let text = reference.finish();
        assert_eq!(form(&pairs), text);
        assert_eq!(
            query(&format!("http://a/?{text}#b?c")),
            [(String::from("a"), all), ("b".into(), "1+1=2&c=%41".into())]
        );
    }

    #[test]
    fn reads_odd_queries_as_the_reference_does() {
        for odd in [
            "",
            "&",
            "&&a",
            "=",
            "=b",
            "a=",
            "a==b",
            "a=b=c",
            "%",
            "%4",
            "%4g",
            "%%41",
            "%2",
            "a=%",
            "a%3db=c",
            "%2b+%20",
            "a=1&a=2",
            "a=?x",
            "a=%f0%9f%98%80",
            "a=%Ff",
            "a=1%ffz",
        ] {
            let reference: Vec<(String, String)> = parse(odd.as_bytes()).into_owned().collect();
            assert_eq!(query(&format!("/?{odd}")), reference, "{odd:?}");
        }
    }
}

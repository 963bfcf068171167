//! Addresses: queries written and read, and paths that stay in the app.

use crate::text::Text;
use alloc::{string::String, vec::Vec};
use form_urlencoded::{Serializer, parse};

/// `parameters` in `application/x-www-form-urlencoded`; those without a value are left out.
pub(crate) fn form(parameters: &[(&str, &str)]) -> Text {
    let mut form = Serializer::new(String::new());
    for (name, value) in parameters {
        if !value.is_empty() {
            form.append_pair(name, value);
        }
    }
    form.finish().into()
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

/// `text` before and after the first `separator`.
pub(crate) fn cut(text: &str, separator: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|byte| byte == separator)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// Whether `part`, if it is anything, is somewhere in `text`.
pub(crate) fn holds(text: &str, part: &str) -> bool {
    !part.is_empty() && text.as_bytes().windows(part.len()).any(|found| found == part.as_bytes())
}

/// Whether `word` is among `words`, which spaces separate. No word is never among them.
pub(crate) fn has_word(words: &str, word: &str) -> bool {
    let mut rest = words;
    while !word.is_empty() {
        let (first, after) = cut(rest, b' ').unwrap_or((rest, ""));
        if first == word || after.is_empty() {
            return first == word;
        }
        rest = after;
    }
    false
}

/// `endpoint` with `parameters` added to its query (RFC 6749, 3.1: it may have one).
pub(crate) fn with_query(endpoint: &str, parameters: &[(&str, &str)]) -> Text {
    with_form(endpoint, &form(parameters))
}

/// The same with parameters that are a form already.
pub(crate) fn with_form(endpoint: &str, form: &str) -> Text {
    let separator = if cut(endpoint, b'?').is_some() { "&" } else { "?" };
    Text::concat(&[endpoint, separator, form])
}

/// The query parameters of an address, fragment left out.
pub(crate) fn query(url: &str) -> Vec<(Text, Text)> {
    let url = cut(url, b'#').map_or(url, |(before, _)| before);
    let query = cut(url, b'?').map_or("", |(_, query)| query);
    parse(query.as_bytes())
        .map(|(name, value)| (name.as_ref().into(), value.as_ref().into()))
        .collect()
}

/// Whether `path` leads to a place of this origin however a browser reads it (D13, RP7): browsers
/// take a backslash for a slash, and drop tabs and line ends.
pub(crate) fn stays_here(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && !path.bytes().any(|byte| byte == b'\\' || byte < b' ' || byte == 0x7f)
}

/// Whether an address, of which `rest` is what follows `http://`, is one of this machine, where
/// nobody is between: `localhost`, a name under it, or a loopback address. It is read as a browser
/// reads it, which takes a backslash for a slash; what stands before an `@` decides nothing.
pub(crate) fn is_on_this_machine(rest: &str) -> bool {
    let is_end = |byte: u8| matches!(byte, b'/' | b'?' | b'#' | b'\\');
    let authority = rest.bytes().position(is_end).and_then(|end| rest.get(..end)).unwrap_or(rest);
    let port = authority.bytes().rev().take_while(u8::is_ascii_digit).count();
    let host = authority.get(..authority.len() - port).unwrap_or_default();
    let host = host.strip_suffix(':').unwrap_or(authority);
    let ending = host.get(host.len().saturating_sub(10)..).unwrap_or_default();
    host.eq_ignore_ascii_case("localhost")
        || ending.eq_ignore_ascii_case(".localhost")
        || host == "127.0.0.1"
        || host == "[::1]"
}

/// The path of an absolute address, `/` if it has none.
pub(crate) fn path(url: &str) -> &str {
    // Scheme, nothing, host, and from the third slash on the path.
    let slash = url.bytes().enumerate().filter(|(_, byte)| *byte == b'/').nth(2);
    slash.and_then(|(at, _)| url.get(at..)).unwrap_or("/")
}

#[cfg(test)]
mod tests {
    use super::{has_word, is_on_this_machine};

    #[test]
    fn rp14_only_names_and_addresses_of_this_machine_are_here() {
        for rest in [
            "localhost",
            "LocalHost",
            "localhost/",
            "localhost:8080",
            "localhost:8080/realms/a?b#c",
            "localhost:",
            "localhost?a",
            "idp.localhost",
            "IDP.LOCALHOST:1/",
            "a.b.localhost#x",
            "127.0.0.1",
            "127.0.0.1:80/",
            "[::1]",
            "[::1]:80/",
            "evil.example@idp.localhost/",
        ] {
            assert!(is_on_this_machine(rest), "{rest}");
        }
        for rest in [
            "",
            "/",
            "localhost.",
            "localhost.evil.example",
            "evil-localhost",
            "evillocalhost:80",
            "localhost@evil.example",
            "localhost:80@evil.example",
            "evil.example/.localhost",
            "evil.example?.localhost",
            "evil.example#.localhost",
            "evil.example\\.localhost",
            "evil.example:80/.localhost",
            "127.0.0.1.evil.example",
            "127.0.0.10",
            "128.0.0.1",
            "0.0.0.0",
            "10.0.0.1",
            "192.168.0.1:80",
            "[::2]",
            "[::1].evil.example",
            "[2001:db8::1]:80",
            "local\thost",
        ] {
            assert!(!is_on_this_machine(rest), "{rest}");
        }
    }

    #[test]
    fn only_a_whole_word_is_among_words() {
        assert!(has_word("a", "a") && has_word("a b", "b") && has_word("a  b ", "b"));
        assert!(!has_word("ab", "a") && !has_word("a b", "c"));
        for words in ["", " ", "a ", "a  b"] {
            assert!(!has_word(words, ""), "{words:?}");
        }
    }
}

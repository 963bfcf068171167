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

/// How near two addresses are to each other, as far as a browser's cookies go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Site {
    /// The same host: ports do not count.
    Same,
    /// Their names end alike, and nobody has sold names under that ending, as far as one can see
    /// without the list of those who do.
    Likely,
    Other,
}

/// How near two absolute addresses are. Another scheme is another site.
pub(crate) fn site(one: &str, other: &str) -> Site {
    let (Some((scheme, one)), Some((other_scheme, other))) = (host(one), host(other)) else {
        return Site::Other;
    };
    if scheme != other_scheme {
        Site::Other
    } else if one.eq_ignore_ascii_case(other) {
        Site::Same
    } else if ending(one).is_some_and(|end| {
        ending(other).is_some_and(|other_end| end.eq_ignore_ascii_case(other_end))
    }) {
        Site::Likely
    } else {
        Site::Other
    }
}

/// Scheme and host of an absolute address.
fn host(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = cut(url, b':')?;
    let rest = rest.strip_prefix("//")?;
    let authority = cut(rest, b'/').map_or(rest, |(authority, _)| authority);
    let is_port = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    let colon = authority.bytes().rposition(|byte| byte == b':');
    let host = colon
        .filter(|at| authority.get(at + 1..).is_some_and(is_port))
        .and_then(|at| authority.get(..at));
    Some((scheme, host.unwrap_or(authority)))
}

/// The last two labels of a name; a number, or a name of one label, has none.
fn ending(host: &str) -> Option<&str> {
    let mut dots = host.bytes().enumerate().rev().filter(|(_, byte)| *byte == b'.');
    let (last, _) = dots.next()?;
    if host.get(last + 1..)?.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    host.get(dots.next().map_or(0, |(at, _)| at + 1)..)
}

/// The path of an absolute address, `/` if it has none.
pub(crate) fn path(url: &str) -> &str {
    // Scheme, nothing, host, and from the third slash on the path.
    let slash = url.bytes().enumerate().filter(|(_, byte)| *byte == b'/').nth(2);
    slash.and_then(|(at, _)| url.get(at..)).unwrap_or("/")
}

#[cfg(test)]
mod tests {
    use super::{Site, has_word, is_on_this_machine, site};

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
    fn f17_a_frame_may_see_the_cookie_of_a_provider_of_the_same_site() {
        for (one, other, expected) in [
            ("https://app.example", "https://app.example/idp", Site::Same),
            ("https://app.example", "https://APP.example:8443/", Site::Same),
            ("https://[::1]:1", "https://[::1]:2/", Site::Same),
            ("https://127.0.0.1:1", "https://127.0.0.1", Site::Same),
            ("http://localhost:1", "http://localhost:2", Site::Same),
            ("https://www.app.example", "https://idp.App.example/realm", Site::Likely),
            ("https://app.example", "https://idp.app.example", Site::Likely),
            ("https://a.b.app.example", "https://app.example:1", Site::Likely),
            ("http://app.example", "https://app.example", Site::Other),
            ("https://app.example", "https://idp.example", Site::Other),
            ("https://pied-piper.localhost", "https://idp.localhost", Site::Other),
            ("https://localhost", "https://idp.localhost", Site::Other),
            ("https://app.example", "https://evil-app.example", Site::Other),
            ("https://10.0.0.1", "https://10.0.1.1", Site::Other),
            ("https://[::1]", "https://[::2]", Site::Other),
            ("https://app", "https://idp", Site::Other),
            ("app.example", "https://app.example", Site::Other),
            ("", "", Site::Other),
        ] {
            assert_eq!(site(one, other), expected, "{one} {other}");
            assert_eq!(site(other, one), expected, "{other} {one}");
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

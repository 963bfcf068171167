//! The parameters of a request, from a query or a form, read once and strictly.

use percent_encoding::percent_decode_str;

/// Decoded parameters in the order they came. A parameter without a value counts as omitted
/// (RFC 6749, 3.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads `application/x-www-form-urlencoded` text.
    ///
    /// # Errors
    /// When there are more than [`MAX_PARAMS`] of them or one is not UTF-8: replacing bytes, as
    /// lenient readers do, would let two different requests look like one.
    pub(crate) fn parse(text: &str) -> Result<Self, ParamsError> {
        let mut list = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            if list.len() == MAX_PARAMS {
                return Err(ParamsError::TooMany);
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            list.push((decode(name)?, decode(value)?));
        }
        Ok(Self(list))
    }

    /// The value of `name`; `None` if it is absent or empty. The first one, if it came twice:
    /// callers refuse duplicates before they act on anything.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(n, _)| *n == name).map(|(_, v)| v)
    }

    /// Did `name` come more than once?
    pub(crate) fn is_duplicated(&self, name: &str) -> bool {
        self.0.iter().filter(|(n, _)| n == name).count() > 1
    }

    /// The first parameter that came more than once (RFC 6749, 3.1 and 3.2: "MUST NOT be included
    /// more than once"). `resource` may be repeated (RFC 8707, 2).
    pub(crate) fn first_duplicate(&self) -> Option<&str> {
        self.0
            .iter()
            .map(|(name, _)| name.as_str())
            .find(|name| *name != "resource" && self.is_duplicated(name))
    }

    /// All that have a value.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter(|(_, v)| !v.is_empty()).map(|(n, v)| (n.as_str(), v.as_str()))
    }
}

/// Why parameters could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ParamsError {
    /// More than [`MAX_PARAMS`].
    TooMany,
    /// A name or value is not UTF-8 after percent-decoding.
    NotUtf8,
}

impl ParamsError {
    /// The sentence for `error_description`.
    pub(crate) const fn description(self) -> &'static str {
        match self {
            Self::TooMany => "the request has more parameters than any request needs",
            Self::NotUtf8 => "a parameter is not UTF-8 text",
        }
    }
}

/// Undoes the encoding of one name or value of a form.
///
/// # Errors
/// When it is not UTF-8.
pub(crate) fn decode(text: &str) -> Result<String, ParamsError> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| ParamsError::NotUtf8)
}

/// Far above what any specification defines for one request.
pub(crate) const MAX_PARAMS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_forms() {
        let params = Params::parse("a=1+2&b=%C3%A9&c=&d&=x").unwrap();
        assert_eq!(params.get("a"), Some("1 2"));
        assert_eq!(params.get("b"), Some("é"));
        assert_eq!(params.get("c"), None);
        assert_eq!(params.get("d"), None);
    }

    #[test]
    fn op3_sees_duplicates_even_when_one_is_empty_or_encoded() {
        for text in ["a=1&a=1", "a=&a=1", "a=1&%61=2", "a&a"] {
            assert_eq!(Params::parse(text).unwrap().first_duplicate(), Some("a"), "{text}");
        }
        assert_eq!(Params::parse("resource=x&resource=y").unwrap().first_duplicate(), None);
    }

    #[test]
    fn refuses_bad_utf8_and_floods() {
        assert_eq!(Params::parse("a=%FF"), Err(ParamsError::NotUtf8));
        let flood = "a=1&".repeat(MAX_PARAMS + 1);
        assert_eq!(Params::parse(&flood), Err(ParamsError::TooMany));
    }
}

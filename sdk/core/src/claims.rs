//! Reading claims of a token: present, of the right type, or a precise refusal.

use crate::{
    error::{Code, Error, Result},
    json::{Value, push_integer},
    text::Text,
};
use alloc::string::String;

/// The string claim `name`; empty ones do not count.
pub(crate) fn text<'a>(claims: &'a Value, name: &str) -> Result<&'a str> {
    match claims.str(name) {
        Some(text) if !text.is_empty() => Ok(text),
        _ => Err(wrong_type(claims, name, "a string")),
    }
}

/// The string claim `name`, if there is one.
pub(crate) fn optional_text<'a>(claims: &'a Value, name: &str) -> Result<Option<&'a str>> {
    if claims.get(name).is_none() { Ok(None) } else { text(claims, name).map(Some) }
}

/// The `NumericDate` claim `name` in whole seconds (RFC 7519, 2).
pub(crate) fn date(claims: &Value, name: &str) -> Result<i64> {
    match claims.get(name) {
        Some(Value::Integer(seconds) | Value::Fraction(seconds)) if *seconds >= 0 => Ok(*seconds),
        _ => Err(wrong_type(claims, name, "a number of seconds")),
    }
}

/// `aud`, a string or an array of strings (RFC 7519, 4.1.3), is `client_id` and nobody else: other
/// audiences would have to be trusted, and we trust none. Otherwise `code`.
pub(crate) fn only_audience(claims: &Value, client_id: &str, code: Code) -> Result<()> {
    let audiences = match claims.get("aud") {
        Some(value @ Value::String(_)) => core::slice::from_ref(value),
        Some(Value::Array(items)) if items.iter().all(|item| item.as_str().is_some()) => items,
        _ => return Err(wrong_type(claims, "aud", "a string or an array of strings")),
    };
    let stranger = audiences.iter().find(|item| item.as_str() != Some(client_id));
    if audiences.is_empty() || stranger.is_some() {
        let found = stranger.and_then(Value::as_str).unwrap_or_default();
        return Err(Error::new(code, "aud", client_id, found));
    }
    Ok(())
}

/// A number as evidence.
pub(crate) fn number(value: i64) -> Text {
    let mut out = String::new();
    push_integer(&mut out, value);
    out.into()
}

fn wrong_type(claims: &Value, name: &str, expected: &str) -> Error {
    let found = match claims.get(name) {
        None => "",
        Some(Value::String(text)) if text.is_empty() => "an empty string",
        Some(Value::String(_)) => "a string",
        Some(Value::Integer(_) | Value::Fraction(_) | Value::OutOfRange) => "another number",
        Some(Value::Array(_)) => "an array",
        Some(_) => "another type",
    };
    Error::new(Code::ClaimInvalid, name, expected, found)
}

//! JSON objects as a list of members: text that may be what no JSON library would write.

use serde_json::{Map, Value};

use super::fault::Edit;

/// An object's members, in order, the values as their text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Members(Vec<(String, String)>);

impl Members {
    /// Reads an honest object.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        let object: Map<String, Value> = serde_json::from_slice(text).ok()?;
        Some(Self(object.into_iter().map(|(name, value)| (name, value.to_string())).collect()))
    }

    /// A member's text, if it is a string without its quotes.
    pub(super) fn word(&self, name: &str) -> Option<String> {
        let (_, text) = self.0.iter().find(|(own, _)| own == name)?;
        Some(serde_json::from_str::<String>(text).unwrap_or_else(|_| text.clone()))
    }

    /// Gives a member this text, at its place or at the end.
    pub(super) fn set(&mut self, name: &str, text: String) {
        match self.0.iter_mut().find(|(own, _)| own == name) {
            Some((_, value)) => *value = text,
            None => self.0.push((name.to_owned(), text)),
        }
    }

    /// Applies the changes, with marks filled in, and gives the object's text.
    pub(super) fn edited(mut self, edit: &Edit, fill: impl Fn(&str) -> String) -> String {
        if let Some(whole) = &edit.whole {
            return fill(whole);
        }
        for (name, text) in &edit.set {
            self.set(name, fill(text));
        }
        self.0.retain(|(name, _)| !edit.remove.contains(name));
        self.0.extend(edit.again.iter().map(|(name, text)| (name.clone(), fill(text))));
        self.text()
    }

    /// The object's text.
    pub(super) fn text(&self) -> String {
        let members: Vec<String> =
            self.0.iter().map(|(name, text)| format!("{}:{text}", Value::from(&**name))).collect();
        format!("{{{}}}", members.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(edit: &str) -> String {
        let members = Members::read(br#"{"a":1,"b":"two"}"#).unwrap();
        members.edited(&toml::from_str(edit).unwrap(), str::to_owned)
    }

    #[test]
    fn changes_what_it_is_told_and_nothing_else() {
        assert_eq!(edited(""), r#"{"a":1,"b":"two"}"#);
        assert_eq!(edited("set = { a = '1e400', c = '-0' }"), r#"{"a":1e400,"b":"two","c":-0}"#);
        assert_eq!(edited("remove = ['a']"), r#"{"b":"two"}"#);
        assert_eq!(edited("again = { b = '2' }"), r#"{"a":1,"b":"two","b":2}"#);
        assert_eq!(edited("whole = '[1'"), "[1");
    }

    #[test]
    fn words_are_read_without_quotes() {
        let members = Members::read(br#"{"a":1,"b":"tw\"o"}"#).unwrap();
        assert_eq!(members.word("a").as_deref(), Some("1"));
        assert_eq!(members.word("b").as_deref(), Some("tw\"o"));
        assert_eq!(members.word("c"), None);
    }
}

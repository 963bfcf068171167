//! Marks in the text of scenarios: what is known only when the lie is told.

use crate::provider::Provider;

/// Looks up what the honest answer says: a claim, a header, a member.
pub(super) type Honest<'a> = &'a (dyn Fn(&str) -> Option<String> + Sync);

/// What stands for the marks of one lie.
pub(super) struct Fill<'a> {
    pub(super) provider: &'a Provider,
    pub(super) client_id: Option<&'a str>,
    pub(super) honest: Honest<'a>,
}

impl Fill<'_> {
    /// Fills in all marks:
    ///
    /// | mark | what |
    /// |---|---|
    /// | `${issuer}` | this issuer |
    /// | `${origin}` | its origin, which is the honest issuer |
    /// | `${client_id}` | the client that asks |
    /// | `${now}`, `${now+60}`, `${now-60}` | seconds since 1970 |
    /// | `${was:NAME}` | what the honest answer says |
    /// | `${repeat:COUNT:TEXT}` | the text so often |
    ///
    /// A mark that is none stays as it is.
    pub(super) fn text(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            let Some((mark, after)) = after.split_once('}') else {
                out.push_str("${");
                rest = after;
                continue;
            };
            match self.mark(mark) {
                Some(value) => out.push_str(&value),
                None => {
                    out.push_str("${");
                    out.push_str(mark);
                    out.push('}');
                }
            }
            rest = after;
        }
        out.push_str(rest);
        out
    }

    fn mark(&self, mark: &str) -> Option<String> {
        let issuer = self.provider.config.issuer();
        if let Some(name) = mark.strip_prefix("was:") {
            return (self.honest)(name);
        }
        if let Some(asked) = mark.strip_prefix("repeat:") {
            let (count, text) = asked.split_once(':')?;
            return Some(text.repeat(count.parse().ok()?));
        }
        if let Some(moved) = mark.strip_prefix("now") {
            let moved: i64 = if moved.is_empty() { 0 } else { moved.parse().ok()? };
            return Some((self.provider.clock.now().seconds() + moved).to_string());
        }
        match mark {
            "issuer" => Some(issuer.to_owned()),
            "origin" => Some(self.provider.config.origin().to_owned()),
            "client_id" => self.client_id.map(str::to_owned),
            _ => None,
        }
    }
}

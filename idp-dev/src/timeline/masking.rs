//! What of a request may be shown. Names are listed that are harmless, not those that are secret:
//! a parameter that nobody thought of stays masked.

/// The value as the timeline shows it.
pub(super) fn masked(name: &str, value: &str) -> String {
    if NEVER_SHOWN.contains(&name) {
        return "...".to_owned();
    }
    if is_shown(name) {
        return shortened(value);
    }
    let start: String = value.chars().take(4).collect();
    // Of a short value four characters would be all of it.
    if value.chars().count() <= 8 { "...".to_owned() } else { format!("{start}...") }
}

/// Is this one of the names whose value is shown?
pub(super) fn is_shown(name: &str) -> bool {
    SHOWN.contains(&name)
}

/// At most 200 bytes and no control characters: the log is read in a terminal.
pub(super) fn shortened(value: &str) -> String {
    clipped(value, MAX_VALUE)
}

/// A parameter's name. No name of a specification is as long as what is cut here.
pub(super) fn name(name: &str) -> String {
    clipped(name, MAX_NAME)
}

/// At most `limit` bytes, counted after control characters were replaced, and three dots for the
/// rest. Bytes and not characters: what is kept must be bounded whatever the script (OP29).
fn clipped(text: &str, limit: usize) -> String {
    let mut short = String::new();
    for c in text.chars() {
        let c = if c.is_control() { '\u{fffd}' } else { c };
        if short.len() + c.len_utf8() > limit {
            short.push_str("...");
            break;
        }
        short.push(c);
    }
    short
}

const MAX_VALUE: usize = 200;

const MAX_NAME: usize = 48;

/// Passwords are short, and their first letters help in guessing.
const NEVER_SHOWN: [&str; 2] = ["password", "client_secret"];

const SHOWN: [&str; 23] = [
    "acr_values",
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "display",
    "error",
    "grant_type",
    "login_hint",
    "logout_hint",
    "logout_scope",
    "max_age",
    "post_logout_redirect_uri",
    "prompt",
    "redirect_uri",
    "resource",
    "response_mode",
    "response_type",
    "scope",
    "token_type_hint",
    "ui_locales",
    "username",
    "claims_locales",
    "action",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn op20_masks_secrets_and_unknown_names() {
        for name in
            ["code", "state", "nonce", "code_verifier", "refresh_token", "id_token_hint", "x"]
        {
            assert_eq!(masked(name, "abcdefghijkl"), "abcd...", "{name}");
            assert_eq!(masked(name, "abcdefgh"), "...", "{name}");
        }
        assert_eq!(masked("password", "a long password"), "...");
        assert_eq!(masked("client_id", "pied-piper"), "pied-piper");
    }

    #[test]
    fn op28_shows_no_control_characters() {
        assert_eq!(shortened("a\r\nb"), "a\u{fffd}\u{fffd}b");
    }

    #[test]
    fn op29_clips_names_and_values_by_bytes() {
        assert_eq!(shortened(&"x".repeat(200)), "x".repeat(200));
        assert_eq!(shortened(&"x".repeat(201)), format!("{}...", "x".repeat(200)));
        for wide in ["\u{1f600}", "\u{e9}", "\0", "\u{20ac}"] {
            assert!(shortened(&wide.repeat(300)).len() <= 203, "{wide:?}");
            assert!(name(&wide.repeat(300)).len() <= 51, "{wide:?}");
        }
        assert_eq!(name("code_challenge_method"), "code_challenge_method");
    }
}

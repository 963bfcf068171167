//! What of a request may be shown. Names are listed that are harmless, not those that are secret:
//! a parameter that nobody thought of stays masked.

/// The value as the timeline shows it.
pub(super) fn masked(name: &str, value: &str) -> String {
    if NEVER_SHOWN.contains(&name) {
        return "...".to_owned();
    }
    if SHOWN.contains(&name) {
        return shortened(value);
    }
    let start: String = value.chars().take(4).collect();
    // Of a short value four characters would be all of it.
    if value.chars().count() <= 8 { "...".to_owned() } else { format!("{start}...") }
}

/// At most 200 characters, without control characters: the log is read in a terminal.
pub(super) fn shortened(value: &str) -> String {
    let clean = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut short: String = value.chars().take(200).map(clean).collect();
    if short.len() < value.len() && value.chars().count() > 200 {
        short.push_str("...");
    }
    short
}

/// Passwords are short, and their first letters help in guessing.
const NEVER_SHOWN: [&str; 2] = ["password", "client_secret"];

const SHOWN: [&str; 22] = [
    "acr_values",
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "display",
    "error",
    "grant_type",
    "login_hint",
    "logout_hint",
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
        assert_eq!(shortened(&"x".repeat(300)).len(), 203);
    }
}

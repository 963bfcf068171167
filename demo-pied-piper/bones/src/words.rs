//! What is said to a person about the end of a session and about errors.

use gatepass_leptos::gatepass::{Blame, Code, Ending};

/// How a notice looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// All is as the person wished.
    Ok,
    /// Something to know.
    Warn,
    /// Something failed.
    Danger,
}

impl Tone {
    /// Its class in `tokens.css`.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Ok => "notice ok",
            Self::Warn => "notice warn",
            Self::Danger => "notice danger",
        }
    }
}

/// A notice in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) tone: Tone,
    pub(crate) title: &'static str,
    /// What happened.
    pub(crate) what: &'static str,
    /// What to do.
    pub(crate) way: &'static str,
}

/// What is said about why a session ended.
pub(crate) const fn of_ending(ending: Ending) -> Words {
    let (tone, title, what, way) = match ending {
        Ending::SignedOut => (
            Tone::Ok,
            "You are signed out",
            "You signed out here, and asked for it at all your apps.",
            "",
        ),
        Ending::SignedOutHere => (
            Tone::Ok,
            "You left this app",
            "Your other apps keep their sessions, and so does the identity provider.",
            "Signing in again here takes one click.",
        ),
        Ending::LogoutToken => (
            Tone::Warn,
            "You were signed out",
            "Your sign-in ended at the identity provider, and it told this app at once.",
            "If that was you at another app, all is well. Otherwise sign in again.",
        ),
        Ending::LoginRequired => (
            Tone::Warn,
            "You were signed out",
            "This app asked the identity provider, which knows of no sign-in any more.",
            "Sign in again to go on.",
        ),
        Ending::InvalidGrant => (
            Tone::Warn,
            "Your session has run out",
            "The identity provider did not renew it.",
            "Sign in again to go on.",
        ),
        Ending::InvalidToken => (
            Tone::Warn,
            "Your session has run out",
            "The identity provider no longer accepts it.",
            "Sign in again to go on.",
        ),
        Ending::Lifetime => (
            Tone::Warn,
            "Your session has run out",
            "This app ends a session after a set time.",
            "If you are still signed in elsewhere, one click brings you back.",
        ),
        Ending::UserChanged => (
            Tone::Warn,
            "Somebody else is signed in now",
            "The identity provider named another person than before, and what the first one saw \
             here was put away.",
            "If that is not you, sign out and sign in as yourself.",
        ),
    };
    Words { tone, title, what, way }
}

/// What is said while a sign-out is on its way to the provider.
pub(crate) const SIGNING_OUT: Words = Words {
    tone: Tone::Ok,
    title: "Signing you out",
    what: "This app has forgotten you. Now the identity provider is told, and it tells your other \
           apps.",
    way: "",
};

/// What is said about an error; `None` if there is nothing to say, because the sign-in button says
/// it all.
pub(crate) const fn of_error(code: Code) -> Option<Words> {
    let (title, what, way) = match code {
        Code::LoginRequired
        | Code::InteractionRequired
        | Code::ConsentRequired
        | Code::AccountSelectionRequired
        | Code::PopupTimeout
        | Code::Cancelled
        | Code::Superseded => return None,
        Code::AccessDenied => (
            "You have no access with this account",
            "Either you cancelled, or the account that you signed in with is not meant for this \
             app.",
            "Use another account, or ask the people who run this app to let yours in.",
        ),
        Code::IssuerUnreachable => (
            "The identity provider cannot be reached",
            "It did not answer this app.",
            "Check your connection and try again.",
        ),
        Code::PopupBlocked => (
            "There is no window",
            code.meaning(),
            "Allow windows for this address, or use the sign-in button.",
        ),
        Code::StorageUnavailable => (
            "This browser keeps nothing for this site",
            code.meaning(),
            "Allow cookies and site data for this address, or leave private browsing, then try \
             again.",
        ),
        Code::ClockWrong => {
            ("This machine's clock is wrong", code.meaning(), "Set the clock, then try again.")
        }
        Code::RedirectLoop => (
            "Automatic sign-in was stopped",
            "It was tried, and it brought no session.",
            "Use the sign-in button. If that fails too, the reason is shown here.",
        ),
        Code::StateUnknown | Code::AttemptExpired | Code::InvalidGrant | Code::InvalidToken => {
            ("That sign-in is no longer good", code.meaning(), "Sign in again.")
        }
        Code::SignOutUnsupported => (
            "You are signed out here only",
            "The identity provider offers no way to sign out everywhere.",
            "Close the browser on a machine that others use.",
        ),
        // The core's table has a sentence for each of the others; only what a person can do about
        // them depends on who has to act.
        other => match other.blame() {
            Blame::Provider => (
                "The answer did not pass a check",
                other.meaning(),
                "You were not signed in by it. Try again; if it stays, tell the people who run \
                 this app the code below.",
            ),
            Blame::Application => (
                "This app made a mistake",
                other.meaning(),
                "Tell the people who run this app the code below.",
            ),
            Blame::Environment => {
                ("That did not work here", other.meaning(), "Try again in a moment.")
            }
        },
    };
    Some(Words { tone: Tone::Danger, title, what, way })
}

/// How a method of RFC 8176 is called.
pub(crate) fn method(amr: &str) -> &str {
    match amr {
        "pwd" => "password",
        "otp" => "one-time code",
        "hwk" => "security key",
        "swk" | "pop" => "passkey",
        "mfa" => "several methods",
        "user" => "presence",
        other => other,
    }
}

//! One notice at a time: the most pressing thing that a person has to know.

use crate::{
    desk::Desk,
    snapshot::Snapshot,
    tick,
    words::{self, Tone, Words},
};
use gatepass_leptos::gatepass::{Code, Ending, Error, Scope, SignIn, Status};
use leptos::prelude::*;

/// What the notice says.
#[derive(Clone, Debug, PartialEq)]
struct Notice {
    code: &'static str,
    words: Words,
    /// When, in Unix seconds by the provider's clock.
    at: Option<i64>,
    /// What was looked at, expected and found.
    evidence: Option<(String, String, String)>,
    action: Option<Action>,
}

/// A way forward that is not on the page anyway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    AnotherAccount,
    TryAgain,
    FinishSigningOut,
}

impl Notice {
    /// What there is to say, the most pressing first: what a click led to, then a provider that is
    /// away, then what went wrong by itself, then why the session ended.
    fn of(session: &Snapshot, failure: Option<&Error>, is_busy: bool) -> Option<Self> {
        let failed = failure.or(session.error.as_ref());
        let of_failed = failed.and_then(|error| Self::of_error(error, session));
        of_failed.or_else(|| Self::of_offline(session)).or_else(|| Self::of_cause(session, is_busy))
    }

    fn of_error(error: &Error, session: &Snapshot) -> Option<Self> {
        if error.code == Code::IssuerUnreachable
            && let Some(offline) = Self::of_offline(session)
        {
            return Some(offline);
        }
        let mut words = words::of_error(error.code)?;
        // The person's wish was carried out here, and that must not be lost in the error.
        let signed_out = session.cause.as_ref().filter(|_| session.holder().is_none());
        let mut action = (error.code == Code::AccessDenied).then_some(Action::AnotherAccount);
        if error.code == Code::IssuerUnreachable && signed_out.is_some() {
            action = Some(Action::FinishSigningOut);
            words = Words {
                tone: Tone::Warn,
                title: "You are signed out here only",
                what: "This app has forgotten you. The identity provider could not be reached, so \
                       your other apps may still be signed in.",
                way: "Finish when the provider is back: nothing leaves this page before you click.",
            };
        }
        let evidence = error
            .evidence
            .as_ref()
            .map(|seen| (seen.subject.clone(), seen.expected.clone(), seen.found.clone()));
        let at = signed_out.map(|cause| cause.at);
        Some(Self { code: error.code.as_str(), words, at, evidence, action })
    }

    fn of_offline(session: &Snapshot) -> Option<Self> {
        if session.status != Status::Offline {
            return None;
        }
        let (what, way, action) = if session.holder().is_some() {
            (
                "You stay signed in here, and what is on this page is as it was.",
                "The app goes on by itself when the provider is back.",
                Some(Action::TryAgain),
            )
        } else {
            (
                "So this app cannot find out whether you are signed in.",
                "It asks again by itself; nothing is lost.",
                None,
            )
        };
        let words =
            Words { tone: Tone::Warn, title: "The identity provider cannot be reached", what, way };
        let code = session.error.as_ref().map_or("offline", |error| error.code.as_str());
        Some(Self { code, words, at: None, evidence: None, action })
    }

    fn of_cause(session: &Snapshot, is_busy: bool) -> Option<Self> {
        let cause = session.cause.as_ref()?;
        let is_leaving = is_busy && cause.ending == Ending::SignedOut;
        Some(Self {
            code: cause.ending.as_str(),
            words: if is_leaving { words::SIGNING_OUT } else { words::of_ending(cause.ending) },
            at: (!is_leaving).then_some(cause.at),
            evidence: None,
            action: None,
        })
    }
}

/// The place of notices: always there, so that a screen reader hears what appears in it.
#[component]
pub(crate) fn Notices() -> impl IntoView {
    let desk = Desk::here();
    let notice = Memo::new(move |_| {
        desk.failure.with(|failure| {
            desk.session.with(|session| Notice::of(session, failure.as_ref(), desk.is_busy.get()))
        })
    });
    view! {
        <div class="notices" role="status">
            {move || notice.get().map(|notice| draw(notice, desk))}
        </div>
    }
}

fn draw(notice: Notice, desk: Desk) -> impl IntoView {
    let Notice { code, words, at, evidence, action } = notice;
    let at = at.map(|at| {
        view! { " That was at " <time datetime=tick::iso(at)>{tick::clock(at)}</time> "." }
    });
    let evidence = evidence.map(|(subject, expected, found)| {
        let found = if found.is_empty() { "nothing".to_owned() } else { found };
        format!(" ({subject}: expected {expected}, found {found})")
    });
    let action = action.map(|action| {
        let (label, act): (_, Box<dyn Fn()>) = match action {
            Action::AnotherAccount => (
                "Use another account",
                Box::new(move || {
                    desk.sign_in.run(SignIn { prompt: Some("login".into()), ..SignIn::default() });
                }),
            ),
            Action::FinishSigningOut => {
                ("Finish signing out", Box::new(move || desk.sign_out.run(Scope::Global)))
            }
            Action::TryAgain => ("Try again", Box::new(move || desk.check.run(()))),
        };
        view! {
            <button type="button" class="notice-action" data-testid="notice-action" disabled=desk.is_busy on:click=move |_| act()>
                {label}
            </button>
        }
    });
    view! {
        <div class=words.tone.class() data-testid="notice" data-code=code>
            <p class="notice-title">{words.title}</p>
            <p>{words.what} {at}</p>
            {(!words.way.is_empty()).then(|| view! { <p>{words.way}</p> })}
            {action}
            <p class="notice-code"><code>{code}</code>{evidence}</p>
        </div>
    }
}

/// Ends the session everywhere or here.
#[component]
pub(crate) fn SignOutButton(
    /// How far it reaches.
    scope: Scope,
) -> impl IntoView {
    let desk = Desk::here();
    let (test, label) = match scope {
        Scope::Global => ("sign-out", "Sign out"),
        Scope::Local => ("sign-out-here", "Leave only this app"),
    };
    view! {
        <button
            type="button"
            data-testid=test
            disabled=desk.is_busy
            on:click=move |_| desk.sign_out.run(scope)
        >
            {label}
        </button>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Person;
    use gatepass_leptos::gatepass::Cause;

    fn ended(ending: Ending) -> Snapshot {
        let cause = Some(Cause { ending, at: 1_763_697_600 });
        Snapshot { status: Status::Anonymous, cause, ..Snapshot::default() }
    }

    fn code(notice: Option<Notice>) -> Option<&'static str> {
        notice.map(|notice| notice.code)
    }

    #[test]
    fn says_nothing_when_there_is_nothing_to_say() {
        let anonymous = Snapshot { status: Status::Anonymous, ..Snapshot::default() };
        assert_eq!(Notice::of(&anonymous, None, false), None);
        assert_eq!(Notice::of(&Snapshot::default(), None, true), None);
        // The sign-in button says it all.
        let asked = Snapshot { error: Some(Code::LoginRequired.into()), ..anonymous };
        assert_eq!(Notice::of(&asked, None, false), None);
    }

    #[test]
    fn f2_says_why_and_when_the_session_ended() {
        let notice = Notice::of(&ended(Ending::LogoutToken), None, false).unwrap();
        assert_eq!((notice.code, notice.at), ("logout_token", Some(1_763_697_600)));
        assert_eq!(notice.words.tone, Tone::Warn);
    }

    #[test]
    fn f7_does_not_claim_a_sign_out_that_is_still_on_its_way() {
        let session = ended(Ending::SignedOut);
        assert_eq!(Notice::of(&session, None, true).unwrap().words, words::SIGNING_OUT);
        assert_ne!(Notice::of(&session, None, false).unwrap().words, words::SIGNING_OUT);
    }

    #[test]
    fn f7_says_that_the_person_is_signed_out_here_only() {
        let failure = Error::from(Code::IssuerUnreachable);
        let notice = Notice::of(&ended(Ending::SignedOut), Some(&failure), false).unwrap();
        assert_eq!((notice.code, notice.at), ("issuer_unreachable", Some(1_763_697_600)));
        assert_eq!(notice.words.tone, Tone::Warn);
    }

    #[test]
    fn f14_refused_person_is_offered_another_account() {
        let refused = Snapshot {
            status: Status::Anonymous,
            error: Some(Code::AccessDenied.into()),
            ..Snapshot::default()
        };
        let notice = Notice::of(&refused, None, false).unwrap();
        assert_eq!((notice.code, notice.action), ("access_denied", Some(Action::AnotherAccount)));
    }

    #[test]
    fn offline_banner_carries_the_code_of_its_error() {
        let held = Snapshot {
            status: Status::Offline,
            person: Some(Person::default()),
            ..Snapshot::default()
        };
        assert_eq!(code(Notice::of(&held, None, false)), Some("offline"));
        let unreachable = Snapshot { error: Some(Code::IssuerUnreachable.into()), ..held };
        let notice = Notice::of(&unreachable, None, false).unwrap();
        assert_eq!((notice.code, notice.action), ("issuer_unreachable", Some(Action::TryAgain)));
        // There is nothing to check where no session is held: the client asks again by itself.
        let nobody = Snapshot { status: Status::Offline, ..Snapshot::default() };
        assert_eq!(Notice::of(&nobody, None, false).unwrap().action, None);
    }

    #[test]
    fn what_a_click_led_to_comes_first() {
        let session =
            Snapshot { error: Some(Code::AccessDenied.into()), ..ended(Ending::LogoutToken) };
        let failure = Error::from(Code::StorageUnavailable);
        let notice = Notice::of(&session, Some(&failure), false);
        assert_eq!(code(notice), Some("storage_unavailable"));
    }
}

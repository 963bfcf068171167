//! Pages of signing out.

use maud::{Markup, html};

use super::layout::layout;
use crate::config::User;

/// Asks before ending a session (OP12).
pub(crate) fn confirm_sign_out(
    user: &User,
    asking: Option<&str>,
    apps: &[&str],
    id: &str,
    csrf: &str,
) -> Markup {
    let title = "Do you want to sign out?";
    layout(
        title,
        html! {
            h1 { (title) }
            p {
                "You are signed in as " strong { (user.name) } " (" (user.email) "). "
                @match asking {
                    Some(name) => { (name) " asks to sign you out." }
                    None => { "Somebody asked to sign you out, without saying which app it was." }
                }
            }
            @if !apps.is_empty() {
                p.muted { "Signing out ends your session in: " (apps.join(", ")) "." }
            }
            form.actions method="post" action="/end_session/confirm" {
                input type="hidden" name="r" value=(id);
                input type="hidden" name="csrf" value=(csrf);
                button.primary type="submit" name="action" value="sign-out" data-testid="submit" {
                    "Sign out everywhere"
                }
                button.quiet type="submit" name="action" value="stay" data-testid="cancel" {
                    "Stay signed in"
                }
            }
        },
    )
}

/// Where a sign-out ends that returns nowhere by itself.
pub(crate) fn signed_out(user: Option<&User>, back: Option<(&str, &str)>) -> Markup {
    let title = if user.is_some() { "You are still signed in" } else { "You are signed out" };
    layout(
        title,
        html! {
            h1 { (title) }
            @match user {
                Some(user) => {
                    p { "Nothing was changed: you are " strong { (user.name) } " (" (user.email) ")." }
                }
                None => {
                    p role="status" {
                        "This browser holds no session at this provider any more. The apps that \
                         took part in one were told when it ended."
                    }
                }
            }
            (way_back(back))
        },
    )
}

/// F23: names the parameter that is wrong.
pub(crate) fn sign_out_refused(
    detail: &str,
    parameter: &str,
    back: Option<(&str, &str)>,
    is_signed_in: bool,
) -> Markup {
    let title = "The app sent a wrong sign-out request";
    layout(
        title,
        html! {
            h1 { (title) }
            p.notice.danger role="alert" data-testid="error" { (detail) }
            @if is_signed_in {
                p {
                    "You are still signed in here. "
                    a href="/end_session" { "Sign out of this provider" } "."
                }
            } @else {
                p.muted { "You are not signed in here." }
            }
            p.small.muted { "Parameter: " code { (parameter) } }
            (way_back(back))
        },
    )
}

fn way_back(back: Option<(&str, &str)>) -> Markup {
    html! {
        @if let Some((name, uri)) = back {
            div.actions {
                a.button href=(uri) data-testid="back-to-app" { "Back to " (name) }
            }
        }
    }
}

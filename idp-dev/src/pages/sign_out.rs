//! Pages of signing out.

use maud::{Markup, html};

use super::layout::layout;
use crate::config::User;
use crate::http::asset_path;

/// What a person is asked about.
pub(crate) struct SignOut<'a> {
    pub(crate) user: &'a User,
    /// The app that asks.
    pub(crate) asking: Option<&'a str>,
    /// The apps whose session ends.
    pub(crate) apps: &'a [&'a str],
    /// How many other browsers the person is signed in in.
    pub(crate) others: usize,
}

/// Asks before ending a session (OP12).
pub(crate) fn confirm_sign_out(asked: SignOut<'_>, id: &str, csrf: &str) -> Markup {
    let SignOut { user, asking, apps, others } = asked;
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
                    @if apps.is_empty() { "Sign out" } @else { "Sign out of these apps" }
                }
                @if others > 0 {
                    button type="submit" name="action" value="everywhere" data-testid="everywhere" {
                        "Sign out in my other browsers too (" (others) ")"
                    }
                }
                button.quiet type="submit" name="action" value="stay" data-testid="cancel" {
                    "Stay signed in"
                }
            }
        },
    )
}

/// Loads the sign-out pages of apps, name and address, and goes on.
pub(crate) fn signing_out(apps: &[(&str, &str)], next: &str) -> Markup {
    let title = "Signing you out";
    layout(
        title,
        html! {
            h1 { (title) }
            p role="status" {
                "You are signed out here. These apps are being told: "
                @for (at, (name, _)) in apps.iter().enumerate() {
                    @if at > 0 { ", " }
                    (name)
                }
                "."
            }
            div.actions {
                a.button.primary href=(next) data-testid="continue" { "Go on" }
            }
            @for (name, address) in apps {
                // What it frames may run its scripts and see its own storage, and may not take the
                // person elsewhere.
                iframe hidden src=(address) title={ "Sign-out page of " (name) }
                    sandbox="allow-scripts allow-same-origin" referrerpolicy="no-referrer"
                    data-testid="sign-out-frame" {}
            }
            script src=(asset_path("sign-out.js")) defer {}
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

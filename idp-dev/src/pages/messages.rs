//! Pages that say what went wrong and what to do.

use maud::{Markup, html};

use super::layout::layout;
use crate::config::Client;

/// An error that cannot be sent to an app. Names the parameter, for whoever wrote the app.
pub(crate) fn error(title: &str, detail: &str, parameter: Option<&str>) -> Markup {
    layout(
        title,
        html! {
            h1 { (title) }
            p.notice.danger role="alert" data-testid="error" { (detail) }
            p.muted { "Go back to the app and try again. If it happens again, tell its owner." }
            @if let Some(parameter) = parameter {
                p.small.muted { "Parameter: " code { (parameter) } }
            }
        },
    )
}

/// The address was good once.
pub(super) fn expired() -> Markup {
    let title = "This page is no longer good";
    layout(
        title,
        html! {
            h1 { (title) }
            p.notice.warn role="alert" data-testid="error" {
                "It was open for too long, it was used before, or the provider was restarted."
            }
            p.muted { "Go back to the app and start again; nothing was changed." }
        },
    )
}

/// The page was answered a moment ago.
pub(crate) fn already_answered(client: &Client, back: &str) -> Markup {
    let title = "You have answered this page already";
    layout(
        title,
        html! {
            h1 { (title) }
            p.notice role="status" data-testid="error" {
                (client.name) " got its answer, and a page is answered only once."
            }
            p.muted { "If " (client.name) " does not show you signed in, start again there." }
            div.actions {
                a.button.primary href=(back) data-testid="back-to-app" { "Back to " (client.name) }
            }
        },
    )
}

/// The form does not belong to this browser, or another site sent it.
pub(crate) fn stale_form(again: &str) -> Markup {
    let title = "Please try that once more";
    layout(
        title,
        html! {
            h1 { (title) }
            p.notice.warn role="alert" data-testid="error" {
                "The form that came does not belong to a page that this browser was given here, so \
                 it was not used. That happens when cookies are blocked, when the same page was \
                 open in two windows, or when another site sent the form."
            }
            div.actions { a.button.primary href=(again) { "Show the page again" } }
        },
    )
}

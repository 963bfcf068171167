//! Pages about the account that is signed in already.

use maud::{Markup, html};

use super::Form;
use super::layout::{asking_app, layout};
use crate::config::{Client, User};

/// `prompt=select_account`: this account or another one.
pub(crate) fn choose_account(form: Form<'_>, user: &User) -> Markup {
    let client = &form.request.client;
    layout(
        &format!("Which account for {}?", client.name),
        html! {
            header.asking {
                (asking_app(&client.name))
                h1 { "Which account?" }
            }
            p.muted {
                (client.name) " asks which account you want to use there. Then you go back to "
                strong.place { (form.request.redirect_uri.place()) } "."
            }
            form.stack method="post" action="/login" {
                input type="hidden" name="r" value=(form.id);
                input type="hidden" name="csrf" value=(form.csrf);
                input type="hidden" name="account" value=(user.username);
                button.account type="submit" name="action" value="continue" data-testid="continue" {
                    span.account-name { "Continue as " (user.name) }
                    span.muted.small { (user.email) }
                }
                div.actions {
                    a.button href={ "/login?r=" (form.id) } data-testid="other-account" {
                        "Use another account"
                    }
                    button.quiet type="submit" name="action" value="cancel"
                        data-testid="cancel" { "Cancel" }
                }
            }
            p.muted.small {
                "Another account takes the place of " (user.name) " in this browser: apps that "
                (user.name) " uses here are signed out."
            }
        },
    )
}

/// F14: signed in, but not assigned to the app.
pub(crate) fn not_assigned(client: &Client, user: &User, back: &str, id: &str) -> Markup {
    layout(
        &format!("No access to {}", client.name),
        html! {
            header.asking {
                (asking_app(&client.name))
                h1 { "Your account may not use " (client.name) }
            }
            p data-testid="error" {
                "You are signed in as " strong { (user.name) } " (" (user.email) "). That account is \
                 not on the list of people who may use " (client.name) "."
            }
            p.muted {
                "You stay signed in. To get access, ask whoever runs " (client.name) "."
            }
            div.actions {
                a.button.primary href=(back) data-testid="back-to-app" { "Back to " (client.name) }
                a.button href={ "/login?r=" (id) } data-testid="other-account" {
                    "Sign in as somebody else"
                }
            }
        },
    )
}

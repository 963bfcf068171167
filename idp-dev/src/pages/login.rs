//! The sign-in page.

use maud::{Markup, html};

use super::Form;
use super::layout::{asking_app, layout};
use crate::config::{Config, Password};
use crate::http::asset_path;
use crate::store::SignInProblem;

/// The form, with the last attempt's username and what was wrong with it.
pub(crate) fn login(
    config: &Config,
    form: Form<'_>,
    username: &str,
    problem: Option<SignInProblem>,
) -> Markup {
    let client = &form.request.client;
    let is_wrong = problem.is_some();
    layout(
        &format!("Sign in to {}", client.name),
        html! {
            header.asking {
                (asking_app(&client.name))
                h1 { (client.name) " wants to know who you are" }
            }
            p.muted {
                "Sign in once; other apps of this provider will not ask again. Then you go back to "
                strong.place { (form.request.redirect_uri.place()) }
                "."
            }
            form.stack method="post" action="/login" {
                input type="hidden" name="r" value=(form.id);
                input type="hidden" name="csrf" value=(form.csrf);
                div.field {
                    label for="username" { "Username or e-mail" }
                    input #username name="username" type="text" required value=(username)
                        autocomplete="username" autocapitalize="none" spellcheck="false"
                        autofocus[username.is_empty()] data-testid="username"
                        aria-invalid=[is_wrong.then_some("true")];
                }
                div.field {
                    label for="password" { "Password" }
                    input #password name="password" type="password" required
                        autocomplete="current-password" autofocus[!username.is_empty()]
                        data-testid="password" aria-invalid=[is_wrong.then_some("true")]
                        aria-describedby=[is_wrong.then_some("problem")];
                    @if let Some(problem) = problem {
                        p.notice.danger #problem role="alert" data-testid="error" {
                            (sentence(problem))
                        }
                    }
                }
                label.check {
                    input type="checkbox" name="keep" value="1" data-testid="keep";
                    "Keep me signed in when this browser is closed"
                }
                div.actions {
                    button.primary type="submit" name="action" value="sign-in"
                        data-testid="submit" { "Sign in" }
                    button.quiet type="submit" name="action" value="cancel" formnovalidate
                        data-testid="cancel" { "Cancel" }
                }
                @if config.lists_demo_accounts { (demo_accounts(config)) }
            }
            script src=(asset_path("login.js")) defer {}
        },
    )
}

/// Inside the form: without the script a click submits it, and the page comes back filled.
fn demo_accounts(config: &Config) -> Markup {
    html! {
        section.demo aria-labelledby="demo-title" {
            h2 #demo-title { "Demo accounts" }
            ul {
                @for user in &config.users {
                    @let password = match &user.password {
                        Password::Plain(secret) => Some(secret.expose()),
                        Password::Argon2id(_) => None,
                    };
                    li {
                        button.account type="submit" name="fill" value=(user.username) formnovalidate
                            data-testid="demo-account" data-username=(user.username)
                            data-password=[password] {
                            span.account-name { (user.name) }
                            span.muted.small {
                                (user.username)
                                @if let Some(password) = password { " / " (password) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn sentence(problem: SignInProblem) -> &'static str {
    match problem {
        SignInProblem::WrongCredentials => {
            "That username and password do not belong together. Check both and try again."
        }
        SignInProblem::OtherPersonExpected => {
            "The app expects somebody else. Sign in as that person, or cancel."
        }
        SignInProblem::Disabled => "This account is disabled. Ask whoever runs this provider.",
    }
}

//! The session panel: who, how and when, how long, and what was checked.

use crate::{
    desk::Desk,
    notice::SignOutButton,
    snapshot::{Person, Snapshot},
    tick, words,
};
use gatepass_leptos::gatepass::{Check, Scope, SignIn};
use leptos::prelude::*;

/// Everything that the app knows about the session that it holds.
#[component]
pub(crate) fn SessionPanel(
    /// Who holds it.
    person: Person,
) -> impl IntoView {
    let desk = Desk::here();
    let checks = Memo::new(move |_| desk.session.with(|session| session.checks.clone()));
    view! {
        <section class="panel" data-testid="session-panel" aria-labelledby="panel-title">
            <div class="panel-facts">
                <h2 id="panel-title">"Your session"</h2>
                {facts(&person, desk)}
                <div class="panel-ways">
                    <SignOutButton scope=Scope::Local />
                    <button
                        type="button"
                        data-testid="switch-account"
                        disabled=desk.is_busy
                        on:click=move |_| desk.sign_in.run(SignIn {
                            prompt: Some("select_account".into()),
                            ..SignIn::default()
                        })
                    >
                        "Use another account"
                    </button>
                    <p class="small muted">
                        "Leaving ends this session only. “Sign out” above ends the sign-in that all \
                         your apps share."
                    </p>
                </div>
            </div>
            <div class="panel-checks">
                <h3>{move || format!("{} checks that your ID token passed", checks.read().len())}</h3>
                <Checks checks=checks />
            </div>
        </section>
    }
}

fn facts(person: &Person, desk: Desk) -> impl IntoView + use<> {
    let how = if person.amr.is_empty() {
        "not told".to_owned()
    } else {
        person.amr.iter().map(|amr| words::method(amr)).collect::<Vec<_>>().join(", ")
    };
    let codes = person.amr.join(" ");
    let user = person.preferred_username.clone();
    let email = person.email.clone();
    let seconds =
        move |pick: fn(&Snapshot) -> Option<i64>| Memo::new(move |_| desk.session.with(pick));
    let started_at = seconds(|session| session.started_at);
    let expires_at = seconds(|session| session.expires_at);
    let token_expires_at = seconds(|session| session.token_expires_at);
    let since = move |at: i64| tick::stretch(desk.now.get() - at);
    let until = move |at: i64| tick::stretch(at - desk.now.get());
    view! {
        <dl class="facts">
            {user.map(|user| fact("Account", view! { {user} }))}
            {email.map(|email| fact("E-mail", view! { {email} }))}
            {fact("Subject", view! { <code>{person.sub.clone()}</code> })}
            {fact("Signed in by", view! {
                {how} " " {(!codes.is_empty()).then(|| view! { <code class="muted">{codes}</code> })}
            })}
            {person.acr.clone().map(|acr| fact("Level (acr)", view! { <code>{acr}</code> }))}
            {person.auth_time.map(|at| fact("Password asked", view! {
                <time datetime=tick::iso(at)>{tick::clock(at)}</time>
                <span class="muted">{move || format!(", {} ago", since(at))}</span>
            }))}
            {fact("This app since", view! {
                {move || started_at.get().map_or_else(|| "unknown".to_owned(), since)}
            })}
            {fact("It ends", view! {
                {move || expires_at.get().map_or_else(
                    || "with the shared sign-in".to_owned(),
                    |at| format!("in {}", until(at)),
                )}
            })}
            {move || token_expires_at.get().map(|at| fact("Access token", view! {
                {move || format!("good for {}", until(at))}
            }))}
        </dl>
    }
}

fn fact(name: &'static str, value: impl IntoView + 'static) -> impl IntoView {
    view! {
        <div>
            <dt>{name}</dt>
            <dd>{value}</dd>
        </div>
    }
}

/// The rules, and the values that were compared: from the verification, not from here.
#[component]
fn Checks(checks: Memo<Vec<Check>>) -> impl IntoView {
    view! {
        // The roles are said because a narrow page lays the cells out as blocks.
        <table class="checks" role="table">
            <thead>
                <tr>
                    <th scope="col">"Claim"</th>
                    <th scope="col">"Had to be"</th>
                    <th scope="col">"Was"</th>
                    <th scope="col">"Rule"</th>
                </tr>
            </thead>
            <tbody role="rowgroup">
                {move || checks.get().into_iter().map(row).collect_view()}
            </tbody>
        </table>
    }
}

fn row(check: Check) -> impl IntoView {
    let Check { rule, name, expected, found } = check;
    view! {
        <tr role="row">
            <th scope="row" role="rowheader"><code>{name}</code></th>
            <td role="cell" data-label="had to be"><span>{expected}</span></td>
            <td role="cell" data-label="was"><span>{found}</span></td>
            <td role="cell" class="rule">{rule}</td>
        </tr>
    }
}

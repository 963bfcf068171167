//! What the app's server says: a call with the access token, and its answer.

use crate::desk::Desk;
use gatepass_leptos::gatepass::{Client, FetchError};
use gloo::net::http::Response;
use leptos::prelude::*;
use serde::Deserialize;
use web_sys::RequestInit;

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The server answered.
    Given {
        /// Whom it takes the person for.
        sub: String,
        /// How many files it has.
        files: usize,
        /// What it looked at.
        checked: String,
    },
    /// It refused, for this reason.
    Refused {
        /// The error's code (RFC 6750, 3.1).
        code: String,
        /// In words.
        description: String,
    },
    /// There was no answer.
    None {
        /// Why.
        why: String,
    },
}

#[derive(Deserialize)]
struct Files {
    sub: String,
    checked: String,
    files: Vec<String>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
    error_description: String,
}

impl Answer {
    /// In one word, for tests and styles.
    fn name(&self) -> &'static str {
        match self {
            Self::Given { .. } => "given",
            Self::Refused { .. } => "refused",
            Self::None { .. } => "none",
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::Given { sub, files, checked } => {
                format!("“You are {sub}, and I keep {files} files for you.” It checked: {checked}.")
            }
            Self::Refused { code, description } => format!("Refused ({code}): {description}."),
            Self::None { why } => format!("No answer: {why}."),
        }
    }
}

/// Asks the API at `origin`, which asks the provider in turn. The client adds the token.
pub(crate) async fn ask(client: &Client, origin: &str) -> Answer {
    let asked = client.fetch(&format!("{origin}/files?strict=1"), &RequestInit::new()).await;
    let response = match asked {
        Ok(response) => Response::from(response),
        Err(FetchError::Gatepass(error)) => return Answer::None { why: error.to_string() },
        Err(error) => return Answer::None { why: error.to_string() },
    };
    let unreadable = |error: gloo::net::Error| Answer::None { why: error.to_string() };
    if response.ok() {
        response.json::<Files>().await.map_or_else(unreadable, |files| Answer::Given {
            sub: files.sub,
            files: files.files.len(),
            checked: files.checked,
        })
    } else {
        response.json::<Refusal>().await.map_or_else(unreadable, |refusal| Answer::Refused {
            code: refusal.error,
            description: refusal.error_description,
        })
    }
}

/// The button and the answer, where the app has a server.
#[component]
pub(crate) fn ServerPanel() -> impl IntoView {
    let desk = Desk::here();
    let panel = move |origin: String| {
        let place = origin.split("://").last().unwrap_or_default().to_owned();
        view! {
            <section class="server" aria-labelledby="server-title" data-testid="api-panel">
                <h2 id="server-title">"What our server says"</h2>
                <p class="small muted">
                    "This page shows your access token to " <code>{place}</code> " and to nobody else. The \
                     server verifies it and asks the identity provider whether your sign-in still \
                     counts: signed out anywhere, you are refused here at once."
                </p>
                <button
                    type="button"
                    data-testid="api-ask"
                    disabled=desk.is_busy
                    on:click=move |_| desk.ask_server.run(())
                >
                    "Ask our server"
                </button>
                <p role="status" class="server-answer" data-testid="api-answer"
                    data-answer=move || desk.answer.with(|it| it.as_ref().map(Answer::name))
                >
                    {move || desk.answer.with(|it| it.as_ref().map(Answer::sentence))}
                </p>
            </section>
        }
    };
    move || desk.server.get().map(panel)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s15_each_answer_is_a_sentence() {
        let given = Answer::Given { sub: "u1".into(), files: 3, checked: "signature".into() };
        assert_eq!(
            given.sentence(),
            "“You are u1, and I keep 3 files for you.” It checked: signature."
        );
        let refused = Answer::Refused { code: "invalid_token".into(), description: "over".into() };
        assert_eq!(refused.sentence(), "Refused (invalid_token): over.");
        assert_eq!(Answer::None { why: "away".into() }.sentence(), "No answer: away.");
    }
}

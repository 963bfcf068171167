//! What all pages have in common.

use maud::{DOCTYPE, Markup, html};

use crate::http::asset_path;

/// A page with one card.
pub(super) fn layout(title: &str, card: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (title) }
                link rel="stylesheet" href=(asset_path("tokens.css"));
                link rel="stylesheet" href=(asset_path("idp.css"));
                // Without it, browsers ask for /favicon.ico.
                link rel="icon" href=(asset_path("icon.svg")) type="image/svg+xml";
            }
            body {
                main.card.stack { (card) }
                footer.muted.small {
                    p { "idp-dev, an identity provider for development. Do not type a real password." }
                }
            }
        }
    }
}

/// The app that asks: its first letter on a tile, and its name.
pub(super) fn asking_app(name: &str) -> Markup {
    html! { span.tile aria-hidden="true" { (monogram(name)) } }
}

fn monogram(name: &str) -> String {
    name.split_whitespace().filter_map(|word| word.chars().next()).take(2).collect()
}

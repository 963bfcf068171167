//! The page at the issuer's own address.

use maud::{Markup, html};

use super::layout::layout;
use crate::config::{Config, User};

/// What this is, who is signed in, and where to look further.
pub(crate) fn root(config: &Config, user: Option<&User>) -> Markup {
    layout(
        "idp-dev",
        html! {
            h1 { "idp-dev" }
            p {
                "This is an OpenID provider for development. Apps send you here to sign in; there is \
                 nothing to do on this page."
            }
            @match user {
                Some(user) => {
                    p {
                        "In this browser you are signed in as " strong { (user.name) }
                        " (" (user.email) "). " a href="/end_session" { "Sign out" }
                    }
                }
                None => { p.muted { "Nobody is signed in in this browser." } }
            }
            dl.facts {
                dt { "Issuer" }
                dd { code { (config.issuer()) } }
                dt { "Discovery" }
                dd {
                    a href="/.well-known/openid-configuration" {
                        "/.well-known/openid-configuration"
                    }
                }
                dt { "Apps" }
                dd {
                    @if config.clients.is_empty() { "none" }
                    @for (at, client) in config.clients.iter().enumerate() {
                        @if at > 0 { ", " }
                        @match &client.initiate_login_uri {
                            // OIDC Core 4: the app learns who sends the person, and asks us.
                            Some(uri) => {
                                a href=(uri.with_query(&[("iss", config.issuer())]))
                                    data-testid={ "open-" (client.id) } { (client.name) }
                            }
                            None => { (client.name) }
                        }
                    }
                }
            }
        },
    )
}

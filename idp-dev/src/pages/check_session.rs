//! The frame of Session Management: nothing to see.

use maud::{DOCTYPE, Markup, html};

use crate::http::asset_path;

/// The frame's page, with the name of the cookie that it compares.
pub(crate) fn check_session(cookie: &str) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { "Session" }
            }
            body data-cookie=(cookie) {
                script src=(asset_path("check-session.js")) {}
            }
        }
    }
}

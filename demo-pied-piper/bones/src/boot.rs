//! From an empty page to an app: the configuration first, then the client, then the views.

use crate::{config::Config, face::Face, shell::Shell};
use leptos::{mount::mount_to_body, prelude::*};
use wasm_bindgen_futures::spawn_local;

/// Shows `face`: the `main` of an app.
///
/// The page's own skeleton (`#boot`) stays until the app can take its place.
pub fn start(face: Face) {
    // Leptos has no executor of its own before something is mounted.
    spawn_local(async move {
        match Config::load().await {
            Ok(config) => {
                clear();
                mount_to_body(move || view! { <Shell face=face config=config /> });
            }
            Err(error) => {
                clear();
                mount_to_body(move || view! { <Failure face=face detail=error.to_string() /> });
            }
        }
    });
}

fn clear() {
    if let Some(boot) = document().get_element_by_id("boot") {
        boot.remove();
    }
}

/// What is shown when the app's own server does not say where everything is.
#[component]
fn Failure(face: Face, detail: String) -> impl IntoView {
    view! {
        <main class="boot-failure">
            <h1>{format!("{} cannot start", face.name)}</h1>
            <p>"This app's own server did not say where the identity provider is."</p>
            <p>"Load the page again in a moment."</p>
            <p class="notice-code"><code>"/config.json"</code> {format!(": {detail}")}</p>
        </main>
    }
}

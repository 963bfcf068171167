//! Pieces that both faces build their content from.

use leptos::prelude::*;

/// One number and what it counts.
#[derive(Clone, Copy)]
pub struct Figure {
    /// The number, with its unit.
    pub value: &'static str,
    /// What it counts.
    pub label: &'static str,
}

/// Numbers side by side.
#[component]
pub fn Figures(
    /// The numbers.
    figures: &'static [Figure],
) -> impl IntoView {
    view! {
        <dl class="figures">
            {figures
                .iter()
                .map(|figure| {
                    view! {
                        <div class="figure">
                            <dt>{figure.label}</dt>
                            <dd>{figure.value}</dd>
                        </div>
                    }
                })
                .collect_view()}
        </dl>
    }
}

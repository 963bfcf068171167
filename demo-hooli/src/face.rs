//! Hooli's words, mark and content.

use demo_bones::{Draft, Face, Figure, Figures, Page};
use leptos::prelude::*;

/// What Hooli looks like.
pub(crate) const HOOLI: Face = Face {
    name: "Hooli",
    mark,
    motto: "Hooli. Making the world a better place through minimal message oriented transport layers.",
    home: Page {
        label: "Dashboard",
        title: "Your dashboard",
        lead: "The numbers that matter to Hooli, arranged around you.",
        invitation: "Greatness is behind this button",
        promise: "Sign in to see your dashboard. Hooli is expecting you.",
        content: dashboard,
    },
    public: Page {
        label: "About",
        title: "We are Hooli",
        lead: "We do everything. What we do not do yet, we announce.",
        invitation: "",
        promise: "",
        content: about,
    },
    private: Page {
        label: "Review",
        title: "Your review",
        lead: "Between you, your manager and nine committees.",
        invitation: "Reviews are confidential",
        promise: "Sign in to read yours; you come straight back to this page.",
        content: review,
    },
};

fn mark() -> AnyView {
    view! {
        <svg viewBox="0 0 32 32" fill="none" stroke="currentColor" stroke-width="3.5">
            <path d="M7 4v24M25 4v24M7 16h18" />
        </svg>
    }
    .into_any()
}

const NUMBERS: [Figure; 4] = [
    Figure { value: "47", label: "meetings this week" },
    Figure { value: "12", label: "you could have missed" },
    Figure { value: "3.1 M", label: "boxes announced" },
    Figure { value: "0", label: "boxes shipped" },
];

/// Slides per day of the week.
const SLIDES: [(&str, u8); 7] =
    [("Mon", 34), ("Tue", 52), ("Wed", 48), ("Thu", 71), ("Fri", 88), ("Sat", 6), ("Sun", 17)];

/// Projects, and how far each is by its own account.
const PROJECTS: [(&str, &str, u8); 4] = [
    ("Nucleus", "Delayed by excellence", 62),
    ("HooliPhone", "Reimagined", 91),
    ("The Box 3", "In legal", 38),
    ("HooliXYZ", "Undisclosed", 5),
];

fn dashboard() -> AnyView {
    view! {
        <Figures figures=&NUMBERS />
        <div class="tiles">
            <section class="tile">
                <h2>"Slides per day"</h2>
                <ul class="columns">{SLIDES.map(column).collect_view()}</ul>
            </section>
            <section class="tile">
                <h2>"Projects"</h2>
                <ul class="projects">{PROJECTS.map(project).collect_view()}</ul>
            </section>
        </div>
    }
    .into_any()
}

fn column((day, slides): (&'static str, u8)) -> impl IntoView {
    let top = 100 - slides;
    view! {
        <li>
            <span class="column-value">{slides}</span>
            <svg viewBox="0 0 10 100" preserveAspectRatio="none" aria-hidden="true">
                <rect y=top.to_string() width="10" height=slides.to_string() />
            </svg>
            <span class="column-day">{day}</span>
        </li>
    }
}

fn project((name, state, percent): (&'static str, &'static str, u8)) -> impl IntoView {
    view! {
        <li>
            <span class="project-name">{name}</span>
            <span class="muted small">{state}</span>
            <span class="project-value">{percent} " %"</span>
            <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
                <rect class="bar-before" width="100" height="4" />
                <rect class="bar-after" width=percent.to_string() height="4" />
            </svg>
        </li>
    }
}

fn about() -> AnyView {
    view! {
        <div class="trio">
            <section>
                <h2>"Search"</h2>
                <p>"Nine of ten people who look for something look for it with us. We found that out ourselves."</p>
            </section>
            <section>
                <h2>"Hardware"</h2>
                <p>"The Box is our signature product. It is a box. It will be in a rack near you."</p>
            </section>
            <section>
                <h2>"Humility"</h2>
                <p>"Named the world’s most humble company for the sixth year by HooliNews."</p>
            </section>
        </div>
    }
    .into_any()
}

fn review() -> AnyView {
    const LINES: [(&str, &str); 3] = [
        ("Alignment", "Exceeds. Nods before the sentence ends, in the right direction."),
        ("Vision", "Meets. Has seen the vision, could repeat most of it."),
        ("Next step", "Take Nucleus to ninety per cent, and keep it there."),
    ];
    view! {
        <div class="trio">
            {LINES
                .map(|(title, text)| view! {
                    <section>
                        <h2>{title}</h2>
                        <p>{text}</p>
                    </section>
                })
                .collect_view()}
        </div>
        <section class="own-words" aria-labelledby="own-words-title">
            <h2 id="own-words-title">"In your own words"</h2>
            <p class="small muted">
                "If your session runs out while you write, sign in again: what you wrote is still here. It waits in this tab, encrypted, for an hour at most and for you alone. The approval code is not kept."
            </p>
            <Draft
                name="own-words"
                send="Send to nine committees"
                sent="Nine committees have it now. (This is a demo: nobody has.)"
            >
                <label>
                    "What went well"
                    <textarea name="well" rows="4" data-testid="draft-well"></textarea>
                </label>
                <label>
                    "How well"
                    <select name="rating" data-testid="draft-rating">
                        <option value="meets">"Meets"</option>
                        <option value="exceeds">"Exceeds"</option>
                        <option value="transcends">"Transcends"</option>
                    </select>
                </label>
                <label class="tick">
                    <input type="checkbox" name="humble" data-testid="draft-humble" />
                    "I said it with humility"
                </label>
                <label>
                    "Approval code"
                    <input
                        name="code"
                        inputmode="numeric"
                        autocomplete="one-time-code"
                        data-testid="draft-code"
                    />
                </label>
            </Draft>
        </section>
    }
    .into_any()
}

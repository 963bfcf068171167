//! Pied Piper's words, mark and content.

use demo_bones::{Face, Figure, Figures, Page};
use leptos::prelude::*;

/// What Pied Piper looks like.
pub(crate) const PIED_PIPER: Face = Face {
    name: "Pied Piper",
    mark,
    motto: "Pied Piper. Making the world a smaller place.",
    home: Page {
        label: "Your files",
        title: "Your files",
        lead: "Everything you keep with us, and how small we made it.",
        invitation: "Your files, five times smaller",
        promise: "Sign in to see what you keep with us and how much room it really takes.",
        content: files,
    },
    public: Page {
        label: "What we do",
        title: "We make files smaller",
        lead: "Lossless, from the middle out. Nothing is thrown away; it only takes less room.",
        invitation: "",
        promise: "",
        content: what_we_do,
    },
    private: Page {
        label: "Notes",
        title: "Your notes",
        lead: "Only you see these. They are gone from this page the moment your session is.",
        invitation: "Notes are private",
        promise: "Sign in to read them; you come straight back to this page.",
        content: notes,
    },
};

fn mark() -> AnyView {
    view! {
        <svg viewBox="0 0 32 32" fill="none" stroke="currentColor" stroke-width="2.75" stroke-linecap="round">
            <path d="M5 21c5 0 5-12 10-12h12" />
            <path d="M5 26c8 0 8-11 13-11h9" />
            <path d="M23 21h4" />
        </svg>
    }
    .into_any()
}

struct File {
    name: &'static str,
    kind: &'static str,
    before: &'static str,
    after: &'static str,
    ratio: &'static str,
    /// What is left, in percent.
    left: u8,
}

const FILES: [File; 6] = [
    File {
        name: "demo-day-final-final.key",
        kind: "Slides",
        before: "412 MB",
        after: "71 MB",
        ratio: "5.8",
        left: 17,
    },
    File {
        name: "middle-out.tex",
        kind: "Paper",
        before: "9.4 MB",
        after: "1.1 MB",
        ratio: "8.5",
        left: 12,
    },
    File {
        name: "house-tour-4k.mov",
        kind: "Film",
        before: "1.2 GB",
        after: "316 MB",
        ratio: "3.8",
        left: 26,
    },
    File {
        name: "user-interviews.wav",
        kind: "Sound",
        before: "640 MB",
        after: "118 MB",
        ratio: "5.4",
        left: 18,
    },
    File {
        name: "cap-table.csv",
        kind: "Table",
        before: "2.0 MB",
        after: "0.2 MB",
        ratio: "10.0",
        left: 10,
    },
    File {
        name: "already-zipped.zip",
        kind: "Archive",
        before: "88 MB",
        after: "87 MB",
        ratio: "1.0",
        left: 99,
    },
];

const TOTAL: [Figure; 3] = [
    Figure { value: "2.35 GB", label: "what you gave us" },
    Figure { value: "593 MB", label: "what it takes" },
    Figure { value: "4.0 : 1", label: "on average" },
];

fn files() -> AnyView {
    view! {
        <Figures figures=&TOTAL />
        <ul class="files">{FILES.iter().map(file).collect_view()}</ul>
    }
    .into_any()
}

fn file(file: &'static File) -> impl IntoView {
    view! {
        <li class="file">
            <span class="file-name">{file.name}</span>
            <span class="file-size muted small">
                {file.kind} ", " {file.before} " to " {file.after}
            </span>
            <svg class="file-bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
                <rect class="bar-before" width="100" height="6" />
                <rect class="bar-after" width=file.left.to_string() height="6" />
            </svg>
            <span class="file-ratio">
                {file.ratio} <span class="visually-hidden">" to one"</span>
                <span class="ratio-unit" aria-hidden="true">" : 1"</span>
            </span>
        </li>
    }
}

fn what_we_do() -> AnyView {
    view! {
        <div class="trio">
            <section>
                <h2>"From the middle out"</h2>
                <p>
                    "Other methods begin at one end. Ours begins in the middle and works both ways, \
                     so it meets itself half as late."
                </p>
            </section>
            <section>
                <h2>"Nothing lost"</h2>
                <p>"What comes out is what went in, to the last bit. We check, every time."</p>
            </section>
            <section>
                <h2>"Priced by what you save"</h2>
                <p>"A file that we cannot make smaller costs you nothing. It happens with archives."</p>
            </section>
        </div>
    }
    .into_any()
}

fn notes() -> AnyView {
    const NOTES: [(&str, &str); 3] = [
        ("Pitch, second try", "Start with the demo. Say the number once. Stop talking after it."),
        (
            "The zip in your files",
            "Do not compress archives again; show “as small as it gets” instead.",
        ),
        ("Ask Jared", "Who signs for the new office, and does it come with a kitchen?"),
    ];
    view! {
        <div class="trio">
            {NOTES
                .map(|(title, text)| view! {
                    <section>
                        <h2>{title}</h2>
                        <p>{text}</p>
                    </section>
                })
                .collect_view()}
        </div>
    }
    .into_any()
}

//! The shell: the client outside, the router inside, and what is on every page.

use crate::{
    config::Config,
    desk::Desk,
    face::{Face, Page},
    focus, lifetime,
    lobby::Reporter,
    notice::{Notices, SignOutButton},
    pages::{Guarded, Open},
    server,
    snapshot::Snapshot,
    stay::Stay,
    tick,
    ways::{self, Ways},
};
use gatepass_leptos::{
    GatepassProvider,
    gatepass::{Code, Error, OnLoad, Options, Scope, SignIn, SignInMode, Status},
    use_client, use_extend, use_session, use_session_expires_in, use_sign_in, use_sign_out,
};
use leptos::{prelude::*, task::spawn_local};
use leptos_router::{
    components::{A, Route, Router, Routes},
    hooks::use_location,
    path,
};

/// The app: everything below needs a client, and the client comes before the router.
#[component]
pub(crate) fn Shell(
    /// The app's face.
    face: Face,
    /// Where everything is.
    config: Config,
) -> impl IntoView {
    // Before the client takes the provider's answer out of the address.
    let was_opened = !is_answer(&query());
    let reporter = Reporter::new(config.lobby);
    let mut options = Options::new(&config.issuer, &config.client_id)
        .on_load(on_load(&path(), &query()))
        .token_origins(std::iter::once(&config.issuer).chain(&config.api))
        // The demo's provider has a clock that can be moved.
        .dangerously_follow_provider_clock();
    if let Some(lifetime) = lifetime::session_lifetime() {
        options = options.session_lifetime(lifetime);
    }
    view! {
        <ErrorBoundary fallback=misconfigured>
            <GatepassProvider options=options>
                <Wired
                    face=face
                    reporter=reporter
                    was_opened=was_opened
                    other=config.other.name.clone()
                    api=config.api.clone()
                />
            </GatepassProvider>
        </ErrorBoundary>
    }
}

/// Whether the page at `path` may look for a session by a redirect of its own: the app and its
/// private page may, the public one only with a hint that there is one, and the page about the ways
/// does what its query says.
fn on_load(path: &str, query: &str) -> OnLoad {
    match path {
        "/public" => OnLoad::Hint,
        "/ways" => ways::chosen(query),
        _ => OnLoad::Auto,
    }
}

fn query() -> String {
    window().location().search().unwrap_or_default()
}

/// Whether a page's query is a provider's answer (RFC 6749 4.1.2): then nobody opened the page, the
/// browser came back to it.
fn is_answer(search: &str) -> bool {
    search.trim_start_matches('?').split('&').any(|pair| pair.starts_with("state="))
}

fn path() -> String {
    window().location().pathname().unwrap_or_default()
}

fn misconfigured(errors: ArcRwSignal<Errors>) -> impl IntoView {
    let said =
        move || errors.with(|errors| errors.iter().map(|(_, e)| e.to_string()).collect_view());
    view! {
        <main class="boot-failure">
            <h1>"This app is configured wrongly"</h1>
            <p><code>{said}</code></p>
        </main>
    }
}

/// Ties the views to the client.
#[component]
fn Wired(
    face: Face,
    reporter: Reporter,
    was_opened: bool,
    other: String,
    api: Option<String>,
) -> impl IntoView {
    let session = use_session();
    let snapshot = Memo::new(move |_| session.with(Snapshot::of));
    let (sign_in, sign_out, extend) = (use_sign_in(), use_sign_out(), use_extend());
    let left = use_session_expires_in();
    let client = use_client();
    let check = Action::new_local(move |(): &()| {
        let client = client.clone();
        async move { client.check().await }
    });

    let client = use_client();
    let server = api.clone();
    let ask_server = Action::new_local(move |(): &()| {
        let (client, server) = (client.clone(), server.clone());
        async move {
            match server {
                Some(origin) => Some(server::ask(&client, &origin).await),
                None => None,
            }
        }
    });
    let (answer, set_answer) = signal(None);
    Effect::new(move |_| set_answer.set(ask_server.value().get().flatten()));

    // What became of the last wish is told until the next one, or until the session changes.
    let (failure, set_failure) = signal(None::<Error>);
    for outcome in [sign_in.value(), sign_out.value(), check.value(), extend.value()] {
        Effect::new(move |_| set_failure.set(outcome.get().and_then(Result::err)));
    }
    let standing = Memo::new(move |_| snapshot.with(|now| (now.status, now.cause.clone())));
    Effect::new(move |_| {
        standing.track();
        set_failure.set(None);
        set_answer.set(None);
    });

    let windows = StoredValue::new_local(use_client());
    let clock = tick::unix_seconds();
    let client = StoredValue::new_local(use_client());
    let (diagnosis, set_diagnosis) = signal(None);
    let desk = Desk {
        session: snapshot.into(),
        failure: failure.into(),
        is_busy: Signal::derive(move || {
            let wishes = [sign_in.pending(), sign_out.pending(), check.pending(), extend.pending()];
            ask_server.pending().get() || wishes.iter().any(|pending| pending.get())
        }),
        now: Signal::derive(move || clock.get() + snapshot.with(|now| now.clock_offset)),
        left: left.into(),
        extend: Callback::new(move |()| {
            set_failure.set(None);
            extend.dispatch(());
        }),
        sign_in: Callback::new(move |wish: SignIn| {
            set_failure.set(None);
            reporter.sign_in_asked();
            if wish.mode == SignInMode::Redirect {
                sign_in.dispatch(wish);
                return;
            }
            // The page is not busy while a window waits: the person may have closed it, which nobody
            // can know, and clicks again.
            let done = windows.get_value().sign_in(wish);
            spawn_local(async move {
                let failed = done.await.err();
                set_failure.set(failed.filter(|error| error.code != Code::Superseded));
            });
        }),
        sign_out: Callback::new(move |scope| {
            set_failure.set(None);
            reporter.sign_out_asked(scope);
            sign_out.dispatch(scope);
        }),
        check: Callback::new(move |()| {
            set_failure.set(None);
            check.dispatch(());
        }),
        diagnose: Callback::new(move |()| {
            let client = client.get_value();
            spawn_local(async move { set_diagnosis.set(client.diagnose().await.ok()) });
        }),
        diagnosis: diagnosis.into(),
        server: Signal::stored(api),
        ask_server: Callback::new(move |()| {
            set_answer.set(None);
            ask_server.dispatch(());
        }),
        answer: answer.into(),
    };
    provide_context(desk);
    let client = use_client();
    reporter.watch(desk.session, was_opened, move || {
        let client = client.clone();
        // Nobody here asked: what comes of it is the session's to say.
        spawn_local(async move { drop(client.check().await) });
    });
    view! { <Frame face=face other=other /> }
}

/// What is on every page; it needs a [`Desk`] in the context and no client.
#[component]
pub fn Frame(
    /// The app's face.
    face: Face,
    /// The other app's name.
    other: String,
) -> impl IntoView {
    focus::follow(Desk::here().holder());
    view! {
        <Router>
            <Title face=face />
            <a class="skip" href="#content">"Skip to the content"</a>
            <div class="app">
                <Header face=face />
                <StatusLine other=other />
                <main id="content" tabindex="-1">
                    <Notices />
                    <Stay />
                    <Routes fallback=move || view! { <NotFound face=face /> }>
                        <Route
                            path=path!("/")
                            view=move || view! { <Guarded page=face.home has_server=true /> }
                        />
                        <Route
                            path=path!("/public")
                            view=move || view! { <Open page=face.public /> }
                        />
                        <Route path=path!("/ways") view=Ways />
                        <Route
                            path=path!("/private")
                            view=move || view! { <Guarded page=face.private /> }
                        />
                    </Routes>
                </main>
                <footer class="foot">
                    <p>{face.motto}</p>
                </footer>
            </div>
        </Router>
    }
}

/// Keeps the document's title in step with the page.
#[component]
fn Title(face: Face) -> impl IntoView {
    let place = use_location().pathname;
    Effect::new(move |_| {
        let label = place.with(|place| page_at(&face, place).map(|page| page.label));
        let title =
            label.map_or_else(|| face.name.into(), |label| format!("{label} · {}", face.name));
        document().set_title(&title);
    });
}

fn page_at<'a>(face: &'a Face, path: &str) -> Option<&'a Page> {
    match path {
        "/" => Some(&face.home),
        "/public" => Some(&face.public),
        "/private" => Some(&face.private),
        _ => None,
    }
}

#[component]
fn Header(face: Face) -> impl IntoView {
    let desk = Desk::here();
    let holder = desk.holder();
    let user = move || {
        holder.get().map(|person| {
            view! {
                <span class="user-mark" aria-hidden="true">{initials(person.called())}</span>
                <SignOutButton scope=Scope::Global />
            }
        })
    };
    view! {
        <header class="bar">
            <a class="brand" href="/">
                <span class="brand-mark" aria-hidden="true">{(face.mark)()}</span>
                <span class="brand-name">{face.name}</span>
            </a>
            <nav class="nav" aria-label="Pages">
                <A href="/" exact=true>{face.home.label}</A>
                <A href="/public">{face.public.label}</A>
                <A href="/private">{face.private.label}</A>
                <A href="/ways">"Ways in"</A>
            </nav>
            <div class="who">{user}</div>
        </header>
    }
}

/// The first letters of the first and the last name.
fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|word| word.chars().next());
    words.next().into_iter().chain(words.next_back()).flat_map(char::to_uppercase).collect()
}

/// The session in one word, and who holds it, on every page.
#[component]
fn StatusLine(other: String) -> impl IntoView {
    let desk = Desk::here();
    let (holder, status) = (desk.holder(), desk.status());
    let hint = move || match status.get() {
        Status::Restoring => "Finding out who you are".to_owned(),
        Status::Anonymous => "Nobody is signed in here".to_owned(),
        Status::Authenticated => format!("One sign-in for this app and {other}"),
        Status::Offline => "The identity provider is away".to_owned(),
        Status::Expired => "The session has run out".to_owned(),
    };
    view! {
        <section class="status-line" aria-label="Session">
            <p role="status">
                <span class="status-label">"Session "</span>
                <span
                    class="status"
                    data-testid="status"
                    data-status=move || status.get().as_str()
                >
                    {move || status.get().as_str()}
                </span>
            </p>
            {move || holder.get().map(|person| view! {
                <p class="user-name" data-testid="user-name">{person.called().to_owned()}</p>
            })}
            <p class="status-hint">{hint}</p>
        </section>
    }
}

#[component]
fn NotFound(face: Face) -> impl IntoView {
    view! {
        <div class="invitation">
            <h1>"There is no such page"</h1>
            <p class="lead">"The address leads nowhere in this app."</p>
            <A href="/" attr:class="button">{face.home.label}</A>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s10_public_page_redirects_on_a_hint_only() {
        assert_eq!(on_load("/public", ""), OnLoad::Hint);
        assert_eq!(on_load("/", ""), OnLoad::Auto);
        assert_eq!(on_load("/private", "?ask=manual"), OnLoad::Auto);
        assert_eq!(on_load("/ways", "?ask=probe"), OnLoad::Probe);
    }

    #[test]
    fn provider_s_answer_is_told_from_an_open_page() {
        assert!(is_answer("?code=a&state=b") && is_answer("?error=login_required&state=b"));
        assert!(!is_answer("") && !is_answer("?session_lifetime=60") && !is_answer("?estate=1"));
    }

    #[test]
    fn initials_are_the_first_and_the_last() {
        assert_eq!(initials("Richard Hendricks"), "RH");
        assert_eq!(initials("Anna Maria von Ölberg"), "AÖ");
        assert_eq!(initials("gavin"), "G");
        assert_eq!(initials(""), "");
    }
}

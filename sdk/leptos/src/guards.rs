//! Guards: what is shown to whom.
#![allow(unreachable_pub, reason = "the lint sees the function that `#[component]` makes inside")]

use crate::hooks::use_session;
use gatepass::Status;
use leptos::{
    children::{TypedChildrenFn, ViewFn},
    prelude::*,
};

/// What a guard asks of the session.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Standing {
    /// Not known yet.
    Unknown,
    /// This person's session is held: what is on the page of one person is not the next one's.
    SignedIn(Option<String>),
    /// None is.
    SignedOut,
}

impl Standing {
    fn of(status: Status, subject: Option<&str>) -> Self {
        match (status, subject) {
            (Status::Restoring, _) => Self::Unknown,
            // A provider that cannot be reached takes no session away.
            (Status::Authenticated, _) | (Status::Offline, Some(_)) => {
                Self::SignedIn(subject.map(str::to_owned))
            }
            (Status::Offline | Status::Anonymous | Status::Expired, _) => Self::SignedOut,
        }
    }
}

/// Shows its children while a session is held, also while the provider cannot be reached.
///
/// They are gone the moment the session is, and made anew for another person. While a page that comes back
/// asks whether the session still stands they are not to be seen, and what was typed into them stays. They
/// lie in a `div` of `display: contents`.
///
/// It is a matter of what is shown: what must stay secret stays on a server that asks for an access token.
#[component]
pub fn SignedIn<C>(
    /// For people who are signed in.
    children: TypedChildrenFn<C>,
    /// While it is not known yet whether there is a session; nothing by default.
    #[prop(optional, into)]
    fallback: ViewFn,
) -> impl IntoView
where
    C: IntoView + 'static,
{
    guard(true, children, fallback)
}

/// Shows its children while no session is held.
#[component]
pub fn SignedOut<C>(
    /// For people who are not signed in.
    children: TypedChildrenFn<C>,
    /// While it is not known yet whether there is a session; nothing by default.
    #[prop(optional, into)]
    fallback: ViewFn,
) -> impl IntoView
where
    C: IntoView + 'static,
{
    guard(false, children, fallback)
}

fn guard<C>(is_for_members: bool, children: TypedChildrenFn<C>, fallback: ViewFn) -> impl IntoView
where
    C: IntoView + 'static,
{
    let session = use_session();
    // A change of the session that is none of the standing draws nothing anew.
    let standing = Memo::new(move |_| {
        session.with(|session| Standing::of(session.status, session.subject.as_deref()))
    });
    shown(standing, is_for_members, children, fallback)
}

fn shown<C>(
    standing: Memo<Standing>,
    is_for_members: bool,
    children: TypedChildrenFn<C>,
    fallback: ViewFn,
) -> impl IntoView
where
    C: IntoView + 'static,
{
    let children = children.into_inner();
    // For whom they are there. While a page that slept asks whether its session still stands they stay, and
    // are not to be seen: what somebody has typed into them is still there if it does.
    let whose = Memo::new(move |before: Option<&Option<Standing>>| match standing.get() {
        Standing::Unknown => before.cloned().flatten(),
        now => (is_for_members == (now != Standing::SignedOut)).then_some(now),
    });
    let is_unknown = Memo::new(move |_| standing.get() == Standing::Unknown);
    let display = move || if is_unknown.get() { "none" } else { "contents" };
    // A list of one, by its key: whatever else is drawn anew keeps the elements, and what is in them.
    view! {
        {move || is_unknown.get().then(|| fallback.run())}
        <For
            each=move || whose.get()
            key=Standing::clone
            children=move |_| view! { <div style:display=display>{children()}</div> }
        />
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed_in(subject: &str) -> Standing {
        Standing::SignedIn(Some(subject.to_owned()))
    }

    #[test]
    fn offline_keeps_a_held_session_and_makes_none() {
        assert_eq!(Standing::of(Status::Offline, Some("a")), signed_in("a"));
        assert_eq!(Standing::of(Status::Offline, None), Standing::SignedOut);
    }

    #[test]
    fn nothing_is_shown_as_either_while_restoring() {
        assert_eq!(Standing::of(Status::Restoring, None), Standing::Unknown);
        assert_eq!(Standing::of(Status::Restoring, Some("a")), Standing::Unknown);
    }

    #[test]
    fn ended_session_is_signed_out_whoever_it_named() {
        for status in [Status::Anonymous, Status::Expired] {
            assert_eq!(Standing::of(status, Some("a")), Standing::SignedOut);
        }
        assert_eq!(Standing::of(Status::Authenticated, Some("a")), signed_in("a"));
    }

    #[test]
    fn rp27_another_person_is_another_standing() {
        let of = |status, subject| Standing::of(status, Some(subject));
        assert_ne!(of(Status::Authenticated, "a"), of(Status::Authenticated, "b"));
        // The same person's page stays as it is.
        assert_eq!(of(Status::Authenticated, "a"), of(Status::Offline, "a"));
    }
}

#[cfg(all(test, target_arch = "wasm32"))]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod in_a_browser {
    use super::*;
    use leptos::{
        children::ToChildren,
        mount::mount_to,
        task::tick,
        wasm_bindgen::JsCast,
        web_sys::{HtmlElement, HtmlInputElement},
    };
    use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

    wasm_bindgen_test_configure!(run_in_browser);

    struct Page(HtmlElement, RwSignal<Standing>);

    impl Page {
        /// A page with both guards, of somebody who is signed in so.
        fn new(standing: Standing) -> Self {
            let body = document().body().unwrap();
            let root: HtmlElement = document().create_element("div").unwrap().unchecked_into();
            body.append_child(&root).unwrap();
            let signal = RwSignal::new(standing);
            let view = move || {
                let standing = Memo::new(move |_| signal.get());
                let member = ToChildren::to_children(|| view! { <input/> });
                let stranger = ToChildren::to_children(|| view! { <button>"in"</button> });
                let wait = || ViewFn::from(|| view! { <progress></progress> });
                (
                    shown(standing, true, member, wait()),
                    shown(standing, false, stranger, ViewFn::default()),
                )
            };
            mount_to(root.clone(), view).forget();
            Self(root, signal)
        }

        async fn stand(&self, standing: Standing) {
            self.1.set(standing);
            tick().await;
        }

        fn find(&self, name: &str) -> Option<HtmlElement> {
            self.0.query_selector(name).unwrap().map(JsCast::unchecked_into)
        }

        /// What is to be seen.
        fn seen(&self) -> Vec<&'static str> {
            let is_seen =
                |name: &&str| self.find(name).is_some_and(|found| found.offset_parent().is_some());
            ["input", "button", "progress"].into_iter().filter(is_seen).collect()
        }

        fn input(&self) -> HtmlInputElement {
            self.find("input").unwrap().unchecked_into()
        }
    }

    fn person(subject: &str) -> Standing {
        Standing::SignedIn(Some(subject.to_owned()))
    }

    #[wasm_bindgen_test]
    async fn rp24_what_is_typed_stays_unseen_while_a_page_asks() {
        let page = Page::new(person("a"));
        assert_eq!(page.seen(), ["input"]);
        page.input().set_value("half a sentence");
        page.stand(Standing::Unknown).await;
        assert_eq!(page.seen(), ["progress"]);
        page.stand(person("a")).await;
        assert_eq!(page.seen(), ["input"]);
        assert_eq!(page.input().value(), "half a sentence");
    }

    #[wasm_bindgen_test]
    async fn rp24_rp27_nothing_stays_of_a_session_that_is_over_or_anothers() {
        for after in [person("b"), Standing::SignedOut] {
            let page = Page::new(person("a"));
            page.input().set_value("half a sentence");
            page.stand(Standing::Unknown).await;
            page.stand(after.clone()).await;
            if after == Standing::SignedOut {
                assert!(page.find("input").is_none());
                assert_eq!(page.seen(), ["button"]);
                page.stand(person("a")).await;
            }
            assert_eq!(page.seen(), ["input"]);
            assert_eq!(page.input().value(), "");
        }
    }

    #[wasm_bindgen_test]
    async fn nothing_is_made_before_it_is_known_for_whom() {
        let page = Page::new(Standing::Unknown);
        assert_eq!(page.seen(), ["progress"]);
        assert!(page.find("input").is_none() && page.find("button").is_none());
        page.stand(Standing::SignedOut).await;
        assert_eq!(page.seen(), ["button"]);
    }
}

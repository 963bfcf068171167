//! What one app is to the eye: everything that the other one has differently.

use leptos::prelude::*;

/// An app's brand, words and content.
#[derive(Clone, Copy)]
pub struct Face {
    /// The company.
    pub name: &'static str,
    /// Its mark, drawn.
    pub mark: fn() -> AnyView,
    /// One line below everything.
    pub motto: &'static str,
    /// The app itself, at `/`.
    pub home: Page,
    /// A page for everybody, at `/public`.
    pub public: Page,
    /// A page for people who are signed in, at `/private`.
    pub private: Page,
}

/// One page's words and content.
#[derive(Clone, Copy)]
pub struct Page {
    /// In the navigation.
    pub label: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// A sentence below the heading.
    pub lead: &'static str,
    /// The heading for people who may not see the content.
    pub invitation: &'static str,
    /// Why they should sign in.
    pub promise: &'static str,
    /// What the page is for.
    pub content: fn() -> AnyView,
}

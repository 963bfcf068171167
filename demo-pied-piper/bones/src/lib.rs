//! The bones that both demo apps share: shell, pages, session panel, notices, lobby reports.
//!
//! An app is its [`Face`]: a name, words and content. [`start`] reads `/config.json`, makes the
//! client before the router mounts, and shows the face.
//!
//! Not covered: anything that a real app would keep on a server.
#![allow(unreachable_pub, reason = "the lint sees the functions that `#[component]` makes inside")]

mod allowed;
mod boot;
mod config;
mod content;
mod deed;
mod desk;
mod draft;
mod face;
mod focus;
mod lifetime;
mod lobby;
mod notice;
mod pages;
mod panel;
mod server;
mod shell;
mod snapshot;
mod stay;
mod tick;
mod ways;
mod words;

pub use boot::start;
pub use content::{Figure, Figures};
pub use desk::Desk;
pub use draft::Draft;
pub use face::{Face, Page};
pub use server::Answer;
pub use shell::Frame;
pub use snapshot::{Person, Snapshot};

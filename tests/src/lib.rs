//! Whole-system tests of Gatepass: the demo as a person meets it, in a real browser.
//!
//! Nothing of ours is linked here. The apps, the lobby and the provider are programs that are
//! started ([`stage`]), the npm client is a tarball that is installed, and everything is reached by
//! URL. A test is a *journey*: a stage of its own, a browser with a fresh profile, and what a
//! person does ([`journey`]). Pages are driven by `data-testid`s ([`pages`]), so that no test
//! depends on wording.
//!
//! Each process first proves its world: a page on a third site frames a cookie probe, and when
//! what it sees is not what the world claims, every test of the process fails ([`world`]).

pub mod album;
pub mod browser;
pub mod control;
pub mod engine;
pub mod environment;
pub mod inspection;
pub mod journey;
pub mod network;
pub mod node;
pub mod npm_app;
pub mod pages;
pub mod process;
mod report;
pub mod site;
pub mod stage;
pub mod tab;
pub mod timeline;
mod trust;
pub mod wait;
pub mod wire;
pub mod world;

pub use browser::Browser;
pub use journey::{Journey, journey};
pub use stage::{Client, Stage};
pub use tab::Tab;
pub use timeline::Timeline;
pub use wait::{LONG_LIMIT, until, until_within};

/// What a test gives: any error fails it.
pub type Result<T = ()> = anyhow::Result<T>;

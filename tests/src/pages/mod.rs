//! The pages as a person uses them, by test id.

pub mod app;
pub mod idp;
pub mod lobby;

pub use app::App;
pub use idp::SignInPage;
pub use lobby::Lobby;

//! Who keeps the provider running, stops it and starts it again when the lobby asks for that.

use anyhow::{Result, bail};
use std::path::PathBuf;
use std::process::ExitStatus;
use tokio::sync::{mpsc, oneshot, watch};

use super::places::{Place, Places};
use super::provider::{self, Provider};
use super::tls::Tls;
use super::{Built, Options, listen};

/// Whether the provider runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It runs, or is about to.
    Running,
    /// It was stopped at the lobby's request.
    Stopped,
    /// Somebody else runs it.
    Elsewhere,
}

/// What is known about the provider by those who do not keep it.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) standing: Standing,
    /// The token of its control API; unknown until it has said so.
    pub(super) token: Option<String>,
}

/// A wish that the provider run or not, and where to say what came of it.
struct Wish {
    is_to_run: bool,
    answer: oneshot::Sender<Result<(), String>>,
}

/// The lobby's line to the keeper.
#[derive(Clone)]
pub(super) struct Line {
    wishes: mpsc::Sender<Wish>,
    known: watch::Receiver<Known>,
}

impl Line {
    /// What is known now.
    pub(super) fn known(&self) -> Known {
        self.known.borrow().clone()
    }

    /// Has the provider started or stopped, and waits until that is so.
    ///
    /// # Errors
    /// The sentence that says why it is not so.
    pub(super) async fn ask(&self, is_to_run: bool) -> Result<(), String> {
        let (answer, answered) = oneshot::channel();
        let gone = |_| "the demo is stopping".to_owned();
        self.wishes.send(Wish { is_to_run, answer }).await.map_err(|_| gone(()))?;
        answered.await.map_err(|_| gone(()))?
    }
}

/// The keeper.
pub(super) struct Keeper<'a> {
    places: Places,
    program: PathBuf,
    /// What the provider serves https with.
    tls: Option<&'a Tls>,
    provider: Option<Provider>,
    wishes: mpsc::Receiver<Wish>,
    known: watch::Sender<Known>,
}

impl<'a> Keeper<'a> {
    /// A keeper that has not begun, and the line to it.
    pub(super) fn new(
        places: Places,
        built: &Built,
        options: &Options,
        tls: Option<&'a Tls>,
    ) -> (Self, Line) {
        let standing = if options.no_provider { Standing::Elsewhere } else { Standing::Running };
        let (known, is_known) =
            watch::channel(Known { standing, token: options.control_token.clone() });
        let (sender, wishes) = mpsc::channel(1);
        let program = built.idp_dev.clone();
        let keeper = Self { places, program, tls, provider: None, wishes, known };
        (keeper, Line { wishes: sender, known: is_known })
    }

    /// Starts the provider, unless somebody else runs it.
    ///
    /// # Errors
    /// When it does not start.
    pub(super) async fn begin(&mut self) -> Result<()> {
        if self.known.borrow().standing == Standing::Elsewhere {
            return Ok(());
        }
        // The provider listens by itself; it is asked for its ports first so that every port in use
        // is named in the same words.
        for place in [Place::Provider, Place::Control] {
            drop(listen(&self.places, place).await?);
        }
        let token = self.known.borrow().token.clone();
        let provider =
            provider::start(&self.places, &self.program, token.as_deref(), self.tls).await?;
        // The next start takes the same token: whoever read it from the terminal goes on.
        self.known.send_modify(|known| {
            known.standing = Standing::Running;
            known.token = Some(provider.token.clone());
        });
        self.provider = Some(provider);
        Ok(())
    }

    /// Fulfils wishes until the provider ends by itself.
    ///
    /// # Errors
    /// When it cannot be watched.
    pub(super) async fn keep(&mut self) -> Result<ExitStatus> {
        loop {
            tokio::select! {
                ended = ended(&mut self.provider) => return ended,
                Some(wish) = self.wishes.recv() => {
                    let outcome = self.fulfil(wish.is_to_run).await;
                    // Who asked may have gone away; what was asked for is done.
                    drop(wish.answer.send(outcome.map_err(|error| format!("{error:#}"))));
                }
            }
        }
    }

    async fn fulfil(&mut self, is_to_run: bool) -> Result<()> {
        match (self.known.borrow().standing, is_to_run) {
            (Standing::Elsewhere, _) => bail!("whoever started the provider keeps it"),
            (Standing::Running, true) | (Standing::Stopped, false) => return Ok(()),
            (Standing::Running, false) | (Standing::Stopped, true) => {}
        }
        if is_to_run {
            return self.begin().await;
        }
        self.known.send_modify(|known| known.standing = Standing::Stopped);
        self.stop().await
    }

    async fn stop(&mut self) -> Result<()> {
        match self.provider.take() {
            Some(provider) => provider.stop().await,
            None => Ok(()),
        }
    }

    /// Ends the provider if it runs.
    ///
    /// # Errors
    /// When its end cannot be seen.
    pub(super) async fn end(mut self) -> Result<()> {
        self.stop().await
    }
}

/// Done when the provider has ended by itself; never, without one.
async fn ended(provider: &mut Option<Provider>) -> Result<ExitStatus> {
    match provider {
        Some(provider) => provider.ended().await,
        None => std::future::pending().await,
    }
}

//! The machine: facts in, orders out, nothing else.
//!
//! ```text
//!   Resume ──> memory, lock ──┬─ callback ─> attempt ─> tokens ─> verification ──┐
//!                             ├─ another tab has a session ──> verification ─────┤
//!                             ├─ one was kept in storage ────> verification ─────┤
//!                             ├─ prompt=none ─> leaving                          v
//!                             └─ nothing ─────> anonymous <── ending ── authenticated
//!                                                                 ^        │ │ │
//!   SignIn ──> metadata ─> challenge ─> attempt saved ─> leaving  │  stream check refresh
//!   SignOut ─> ending ─> metadata ─> attempt saved ─> leaving     └────────┴─┴─┘
//! ```
//! What an effect was ordered for is kept in one list of [`Expect`]s: each is a state that waits for
//! the answer, is taken by value when it comes, and goes over into the next. Flows that need the
//! provider's metadata first are [`Goal`]s.

mod arrival;
mod check;
mod confirm;
mod departure;
mod diagnosis;
mod kept;
mod leader;
mod lifetime;
mod orders;
mod provider;
mod refresh;
mod rungs;
mod session;
mod shown;
mod sign_out;
mod start;
mod stream;
mod timers;
mod user_info;
mod verification;

use self::timers::Timer;
use crate::{
    config::Config,
    entropy::Entropy,
    error::{Code, Error, Result},
    learnt::DatedKeys,
    memory::Memory,
    metadata::Metadata,
    secret::Secret,
    tabs::Version,
    text::Text,
    time::{Now, difference},
    token::Target,
    wire::{Answer, Came, Cause, Command, Fact, Mode, Order, Outcome, PastError, Signal, Status},
};
use alloc::{boxed::Box, sync::Arc, vec::Vec};

/// How long after a page was left it is on its way still, and not asleep.
const LEFT_MS: i64 = 2_000;

/// An OpenID Connect relying party for one client in one page.
pub struct Machine {
    config: Config,
    /// This page's name among the tabs.
    tab: Text,
    now: Now,
    entropy: Entropy,
    orders: Vec<Order>,
    last_effect: u32,
    waiting: Vec<(u32, Expect)>,
    timers: Vec<(Timer, i64)>,
    wake_at: Option<i64>,
    /// The provider's clock minus the local one, in milliseconds, as far as it is followed.
    clock_offset_ms: i64,
    /// The same, however far it is.
    measured_offset_ms: i64,
    /// The provider has said its time.
    date_is_known: bool,

    metadata: Option<Arc<Metadata>>,
    /// It was learnt by the page before this one.
    metadata_is_kept: bool,
    goals: Vec<Goal>,
    keys: Option<DatedKeys>,
    /// When this page last tried to.
    keys_tried_at_ms: Option<i64>,
    /// Why it could not.
    keys_error: Option<Error>,
    /// What waits for the fetch under way, if there is one.
    #[allow(clippy::vec_box, reason = "they come and go boxed")]
    awaiting_keys: Option<Vec<Box<verification::Verification>>>,

    status: Status,
    held: Option<Box<session::Held>>,
    /// Whatever began no later is known to be over.
    ended: Version,
    /// Why what `ended` names is over; none where `ended` names nothing.
    ended_by: Option<Cause>,
    /// `ended`, when a frame began to ask.
    ended_before_probe: Version,
    cause: Option<Cause>,
    error: Option<Error>,
    /// It is of a check or a refresh: the next one that succeeds takes it back.
    error_passes: bool,
    changed: bool,

    start: start::Start,
    queued: Vec<(u32, Command)>,
    /// `None` while storage is blocked.
    memory: Option<Memory>,
    /// A navigation has been ordered: nothing new begins.
    leaving: bool,
    /// What is clicked for takes the place of an automatic redirect, for which the provider has answered
    /// just now. (WebKit sends no request of a page that is on its way elsewhere.)
    overtakes: bool,
    /// The page is in the back/forward cache, frozen or being left.
    away: bool,
    /// When it was left, by the clock of the day.
    left_ms: i64,
    /// What was shown last is that nothing is known, for the page was left.
    is_masked: bool,
    /// Nobody sees the page.
    hidden: bool,
    lead: leader::Lead,
    stream: stream::Stream,
    refresh: refresh::Refresh,
    accepted_event_tokens: Vec<Text>,
    /// When a page of the front channel made this one ask.
    told_at_ms: Option<i64>,
    /// Something has changed about the session, as was said, and no refresh has shown it yet.
    owes_look: bool,
    /// The session was to be confirmed while a sign-in was under way that takes its place, if it succeeds.
    owes_confirm: bool,
    /// The page was left for a sign-in that was asked for. However often that was: it is one trip.
    has_departed: bool,
    /// The command of the latest click on "sign in": a window is its alone.
    latest_click: u32,
    /// What is known of the ladder's rungs in this browser, in words.
    rungs: Text,
    user_info: user_info::UserInfoEndpoint,
    /// The page slept with a session, and has not heard yet what the tabs say: whatever is known of it
    /// meanwhile is not shown.
    is_deaf: bool,
    /// It was said that it stands since the tab that leads was asked for its word.
    has_stood: bool,
    /// When this page last got tokens, on its own clock.
    renewed_ms: i64,
    /// What `UserInfo` confirms next, a refresh makes sure of.
    is_unsure: bool,
    /// When this page last refreshed only to make sure, on the same clock.
    made_sure_ms: Option<i64>,
    /// Tries in a row to reach the provider that failed.
    reach_failures: u32,
    over: Option<lifetime::Over>,
    /// The `id_token_hint` of a sign-out that the provider was not told of.
    unfinished: Secret,
    /// How the session came to this page.
    came: Came,
    streams_opened: u32,
    past_errors: Vec<PastError>,
}

/// What the answer of an effect is waited for.
enum Expect {
    /// Nothing depends on it.
    Nothing,
    /// The document that all [`Goal`]s wait for.
    Metadata,
    Memory,
    /// What the page before this one has learnt.
    Learnt,
    StartLock,
    /// Which version of the session is the one to recall.
    KeptMark,
    /// The session that was kept, if it is of this version, and when it was last known to stand.
    Kept(Version, i64),
    KeptSaved,
    Hint,
    Rungs,
    LastEnd,
    Attempt(Box<crate::authorization::UntrustedResponse>),
    Challenge(Box<departure::Departure>),
    AttemptSaved(Box<departure::Departure>, Secret),
    Frame(Box<departure::Departure>),
    Tokens(Box<arrival::Redemption>),
    /// Before the page is left.
    KeysToKeep(Box<departure::Departure>),
    Keys,
    Signature(Box<verification::Verification>),
    AccessTokenHash(Box<verification::HashCheck>),
    Refreshed(Version),
    UserInfo(check::Question),
    Lock,
    StreamHead,
    /// What the provider's frame says.
    Watched,
    SignOutSaved(Box<sign_out::SignOut>),
    /// For the command that waits for it.
    Revoked(Option<u32>),
}

/// What the provider's metadata is needed for.
enum Goal {
    Depart(Box<departure::Departure>),
    Redeem(Box<arrival::Redemption>),
    /// For this verification, or for later ones.
    Keys(Option<Box<verification::Verification>>),
    Refresh,
    Check(refresh::Waiter),
    Stream,
    /// The form, and the command that waits for what comes of it.
    Revoke(Secret, Option<u32>),
    EndSession(Box<sign_out::SignOut>),
    Reach,
}

impl Machine {
    /// A machine for one client. Nothing happens before the first command, `resume`.
    ///
    /// # Errors
    /// `config_invalid`, whose evidence names the option.
    pub fn new(config: Config) -> Result<Self> {
        config.verify()?;
        Ok(Self {
            config,
            tab: Text::default(),
            now: Now::default(),
            entropy: Entropy::new([0; Entropy::SIZE]),
            orders: Vec::new(),
            last_effect: 0,
            waiting: Vec::new(),
            timers: Vec::new(),
            wake_at: None,
            clock_offset_ms: 0,
            measured_offset_ms: 0,
            date_is_known: false,
            metadata: None,
            metadata_is_kept: false,
            goals: Vec::new(),
            keys: None,
            keys_tried_at_ms: None,
            keys_error: None,
            awaiting_keys: None,
            status: Status::Restoring,
            held: None,
            ended: Version::default(),
            ended_by: None,
            ended_before_probe: Version::default(),
            cause: None,
            error: None,
            error_passes: false,
            changed: false,
            start: start::Start::Ahead,
            queued: Vec::new(),
            memory: None,
            leaving: false,
            overtakes: false,
            away: false,
            left_ms: 0,
            is_masked: false,
            hidden: false,
            lead: leader::Lead::No,
            stream: stream::Stream::default(),
            refresh: refresh::Refresh::default(),
            accepted_event_tokens: Vec::new(),
            told_at_ms: None,
            owes_look: false,
            owes_confirm: false,
            has_departed: false,
            latest_click: 0,
            rungs: Text::default(),
            user_info: user_info::UserInfoEndpoint::default(),
            is_deaf: false,
            has_stood: false,
            renewed_ms: 0,
            is_unsure: false,
            made_sure_ms: None,
            reach_failures: 0,
            over: None,
            unfinished: Secret::default(),
            came: Came::No,
            streams_opened: 0,
            past_errors: Vec::new(),
        })
    }

    /// Takes one fact in and gives the orders that follow from it, in the order in which they have
    /// to be carried out. `bytes` is the body of a response or a chunk of a stream.
    #[must_use]
    pub fn step(&mut self, now: Now, entropy: Entropy, fact: Fact, bytes: &[u8]) -> Vec<Order> {
        let before = core::mem::replace(&mut self.now, now);
        self.note_silence(before.monotonic_ms);
        self.entropy = entropy;
        self.notice_sleep(before);
        match fact {
            Fact::Command { id, command } => self.handle_command(id, command),
            Fact::Answer { effect, answer } => self.handle_answer(effect, &answer, bytes),
            Fact::Signal { signal } => self.handle_signal(signal, bytes),
        }
        self.run_timers();
        self.finish_arrival();
        self.finish_hearing();
        self.finish_recall();
        self.resume_commands();
        self.publish();
        self.order_wake();
        core::mem::take(&mut self.orders)
    }

    /// While it is not known whether the session still stands, nobody gets a token of it. (What a page
    /// sends while it is being left is sent at once: who asks later has slept, and wakes.)
    fn withholds_tokens(&self) -> bool {
        let is_asleep = self.away && difference(self.now.wall_ms, self.left_ms) > LEFT_MS;
        self.held.is_some() && (self.is_deaf || is_asleep || self.status == Status::Restoring)
    }

    /// It is known again.
    fn resume_commands(&mut self) {
        if self.start.is_over() && !self.withholds_tokens() {
            for (id, command) in core::mem::take(&mut self.queued) {
                self.handle_command(id, command);
            }
        }
    }

    fn handle_command(&mut self, id: u32, command: Command) {
        // Commands other than the first wait until it is known whether there is a session.
        if !matches!(command, Command::Resume { .. } | Command::Diagnose {})
            && !self.start.is_over()
        {
            // The page may be loaded anew before that: who has clicked so is not signed in by itself.
            if let (Command::SignOut { .. }, Some(memory)) = (&command, &mut self.memory) {
                memory.stopped = true;
                self.save_memory();
            }
            // The window is open already, and the page is as good as left.
            if matches!(command, Command::SignIn { mode: Some(Mode::Popup), .. })
                && self.has_just_left()
            {
                return self.complete_failed(Some(id), Code::Superseded.into());
            }
            // They wait to see what they asked for.
            let is_click = matches!(command, Command::SignIn { .. } | Command::SignOut { .. });
            self.queued.push((id, command));
            if is_click {
                self.stay_for_click();
            }
            return;
        }
        // Whoever says that they stay when it is over does not stay by that.
        let must_wait = match command {
            Command::GetToken { .. } => self.withholds_tokens(),
            Command::Extend {} => self.is_over() && !self.is_extending(),
            _ => false,
        };
        if must_wait {
            self.queued.push((id, command));
            return;
        }
        match command {
            Command::Resume { callback, here, on_load } => {
                self.handle_resume(id, callback, here, on_load);
            }
            Command::SignIn {
                mode,
                return_to,
                prompt,
                login_hint,
                acr_values,
                max_age,
                ui_locales,
            } => {
                let wishes = crate::authorization::Wishes {
                    prompt,
                    login_hint,
                    // No level is no wish: no `acr` could be one of none.
                    acr_values: acr_values.filter(|levels| levels.bytes().any(|b| b != b' ')),
                    max_age,
                    ui_locales,
                };
                self.handle_sign_in(id, mode, return_to, wishes);
            }
            Command::CheckSession {} => self.check(Some(id)),
            Command::Extend {} => self.handle_extend(id),
            Command::GetToken { min_ttl, origin, refused, resource, scope } => {
                let (resource, scope) = (resource.unwrap_or_default(), scope.unwrap_or_default());
                let target = Target { resource, scope };
                self.handle_get_token(id, min_ttl, origin.as_deref(), refused.as_ref(), target);
            }
            Command::Diagnose {} => self.diagnose(id),
            Command::SignOut { scope } => self.handle_sign_out(id, scope),
        }
    }

    fn handle_answer(&mut self, effect: u32, answer: &Answer, bytes: &[u8]) {
        // An answer to what was cancelled, or a second one, is nobody's business any more.
        let Some(at) = self.waiting.iter().position(|(id, _)| *id == effect) else { return };
        let (_, expect) = self.waiting.swap_remove(at);
        // A cache between may keep public documents, and with them the time when they were made.
        let is_public = matches!(expect, Expect::Metadata | Expect::Keys | Expect::KeysToKeep(_));
        if let (Answer::Response { response }, false) = (answer, is_public) {
            self.observe_date(response.date_ms);
        }
        match expect {
            Expect::Nothing | Expect::KeptSaved => {}
            Expect::Metadata => self.handle_metadata(answer, bytes),
            Expect::Memory => self.handle_memory(answer),
            Expect::Learnt => self.handle_learnt(answer),
            Expect::StartLock => self.handle_start_lock(effect, answer),
            Expect::KeptMark => self.handle_kept_mark(answer),
            Expect::Kept(version, at_ms) => self.handle_kept(answer, &version, at_ms),
            Expect::Hint => self.handle_hint(answer),
            Expect::Rungs => self.handle_rungs(answer),
            Expect::LastEnd => self.handle_last_end(answer),
            Expect::Attempt(response) => self.handle_attempt(answer, response),
            Expect::Challenge(departure) => self.handle_challenge(answer, departure),
            Expect::AttemptSaved(departure, url) => {
                self.handle_attempt_saved(answer, &departure, url);
            }
            Expect::Frame(departure) => self.handle_frame(answer, *departure),
            Expect::Tokens(redemption) => self.handle_tokens(answer, bytes, redemption),
            Expect::KeysToKeep(departure) => self.handle_keys_to_keep(answer, bytes, departure),
            Expect::Keys => self.handle_keys(answer, bytes),
            Expect::Signature(verification) => self.handle_signature(answer, verification),
            Expect::AccessTokenHash(check) => self.handle_access_token_hash(answer, check),
            Expect::Refreshed(version) => self.handle_refreshed(answer, bytes, version),
            Expect::UserInfo(question) => self.handle_user_info(answer, bytes, &question),
            Expect::Lock => self.handle_lock(effect, answer),
            Expect::StreamHead => self.handle_stream_head(effect, answer),
            Expect::Watched => self.handle_watched(answer),
            // Whatever came of it: the session is over here.
            Expect::Revoked(command) => self.complete(command, Outcome::Done {}),
            Expect::SignOutSaved(sign_out) => self.handle_sign_out_saved(answer, &sign_out),
        }
    }

    fn handle_signal(&mut self, signal: Signal, bytes: &[u8]) {
        match signal {
            // Timers run after every fact.
            Signal::Wake {} => {}
            Signal::Hidden {} => self.hidden = true,
            Signal::Shown {} => self.handle_shown(),
            Signal::Online {} => self.handle_attention(),
            Signal::Leave {} => self.handle_leave(),
            Signal::Return {} => self.handle_return(),
            Signal::Message { text } => self.handle_message(&text),
            Signal::Chunk { effect } => self.handle_chunk(effect, bytes),
            Signal::Ended { effect } => self.handle_stream_ended(effect),
            Signal::Lost { effect } => self.handle_lock_lost(effect),
        }
    }
}

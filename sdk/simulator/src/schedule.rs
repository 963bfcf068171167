//! A schedule: what kind of world it is, and what happens in it, turn by turn.
//!
//! Turns are drawn before the world is made and know nothing of it: one that makes no sense when its
//! time comes does nothing. So any of them can be taken away, which is how a schedule shrinks.

use core::fmt;

use gatepass_core::{
    config::StorageKind,
    wire::{OnLoad, Scope},
};

use crate::{provider::Endpoint, random::Random};

/// The tabs of the browser, by the site that each one shows.
pub(crate) const TABS: [usize; 5] = [0, 0, 0, 1, 1];

/// What a world is like from its beginning to its end.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one switch of the world")]
pub struct Setup {
    /// The browser has no Web Locks: leases stand in for them.
    pub locks_missing: bool,
    /// The provider does not get its cookie in frames.
    pub frames_are_blind: bool,
    /// The apps name their pages for frames.
    pub names_frame_pages: bool,
    /// The first app is of the provider's own host, so that its frames see the cookie; otherwise its
    /// name only ends as the provider's does.
    pub shares_host: bool,
    /// Seconds after which an app's session ends by itself.
    pub session_lifetime: Option<i64>,
    /// The provider gives no refresh tokens.
    pub no_refresh_tokens: bool,
    /// A refresh token stays good when it is used.
    pub no_rotation: bool,
    /// A refresh token that comes a second time ends its grant; otherwise the one that was used last
    /// still counts until its successor is used.
    pub strict_rotation: bool,
    /// A refresh brings no ID token.
    pub no_refreshed_id_token: bool,
    /// The provider has no stream of session events.
    pub no_events: bool,
    /// What one tab says can be heard before what another one said earlier.
    pub messages_overtake: bool,
    /// Where the apps keep their sessions.
    pub storage: Option<StorageKind>,
}

/// One turn: something happens, then some of what is under way arrives.
#[derive(Clone, Debug)]
pub struct Turn {
    /// What happens.
    pub(crate) act: Act,
    /// How many things arrive then.
    pub(crate) arrivals: usize,
    /// Which: the seed of that choice.
    pub(crate) order: u64,
}

/// What can happen. Tabs by their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// A page of the app is loaded in place of whatever is there.
    Load(usize, OnLoad),
    /// The page is loaded anew, the old one is gone.
    Reload(usize, OnLoad),
    /// The address of the last callback is opened again.
    OldCallback(usize),
    /// An answer that nobody asked for is opened: a stranger's code.
    StrangersLink(usize),
    Back(usize),
    Close(usize),
    /// The page is gone without a word.
    Crash(usize),
    /// A tab becomes a copy of another one of its site.
    Duplicate {
        from: usize,
        to: usize,
    },
    Freeze(usize),
    Thaw(usize),
    /// The page does nothing, but the browser has not noticed.
    Hang(usize),
    Recover(usize),
    StopLoading(usize),
    Look(usize),
    LookAway(usize),
    Online(usize),
    SignIn(usize),
    /// With `prompt=login`: somebody wants to be asked.
    SwitchUser(usize),
    SignOut(usize, Scope),
    GetToken(usize),
    /// A token that is good for longer than any is: a refresh.
    GetFreshToken(usize),
    /// A token for one resource.
    GetTokenFor(usize, &'static str),
    /// An API refused the token that the app was given last.
    TokenRefused(usize),
    Check(usize),
    /// The app extends the session.
    Extend(usize),
    /// At the provider's login page.
    Enter(usize, User),
    Cancel(usize),
    /// The person's session at the provider ends, and the streams are told.
    EndSession,
    /// The same, and nobody is told.
    EndSessionSilently,
    /// The provider has another key from now on; the old one is published for a while, or not.
    RotateKeys {
        keep_old: bool,
    },
    ProviderDown,
    ProviderUp,
    /// All streams end.
    EndStreams,
    /// All streams fall silent, and nobody knows.
    StallStreams,
    /// What becomes of the next request to an endpoint.
    Fate(Endpoint, Fate),
    /// The next message among tabs comes twice.
    DoubleMessage,
    /// The provider lies once.
    Lie(Lie),
    /// A script of the site says something on the channel of its tabs.
    FalseWord(usize, FalseWord),
    /// Everything that the site has stored is gone.
    ClearStorage(usize),
    /// Time passes while nothing arrives.
    Drift(i64),
    /// Time passes, and what is under way arrives.
    Pass(i64),
    /// The local clock is set.
    SetClock(i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum User {
    Richard,
    Gavin,
}

impl User {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Richard => "richard",
            Self::Gavin => "gavin",
        }
    }
}

/// What the network does to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It never arrives, and nobody says so.
    RequestLost,
    /// It arrives, the answer does not, and nobody says so.
    AnswerLost,
    /// No connection.
    Refused,
    /// It arrives, and the connection breaks before the answer.
    Broken,
    /// The answer comes twice.
    Doubled,
    /// The provider is in trouble.
    ServerError,
    /// Something on the way answers with a page.
    Html,
}

/// How the provider, or somebody in its place, lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    IdToken(TokenLie),
    Callback(CallbackLie),
    LogoutToken(LogoutLie),
    /// UserInfo of somebody else.
    UserInfo,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenLie {
    WrongKey,
    NoSignature,
    OtherAudience,
    OtherIssuer,
    Expired,
    FromTheFuture,
    OtherNonce,
    OtherHash,
    OtherSubject,
    LogoutType,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallbackLie {
    OtherState,
    OtherIssuer,
    NoIssuer,
    StrangersCode,
    Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogoutLie {
    WrongKey,
    OtherAudience,
    OtherSession,
    WithNonce,
    /// A genuine one of a session that is over, put on a stream of another.
    Replayed,
    /// Too old: it must lead to a check, and the session stands.
    Late,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FalseWord {
    Nonsense,
    Hello,
    Idle,
    Busy,
    /// The last session that was shared, signed by nobody.
    ForgedSession,
}

/// A schedule.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// Where it came from.
    pub seed: u64,
    pub(crate) setup: Setup,
    pub(crate) turns: Vec<Turn>,
}

/// What acts belong together: a schedule has some of these groups, so that what is rare in a
/// mixture of everything is common in some schedules (swarm testing).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    People,
    Pages,
    Sleep,
    Provider,
    Network,
    Lies,
    Time,
    Storage,
}

const GROUPS: [Group; 7] = [
    Group::Pages,
    Group::Sleep,
    Group::Provider,
    Group::Network,
    Group::Lies,
    Group::Time,
    Group::Storage,
];

impl Schedule {
    /// The schedule of a seed: always the same.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        // Neighbouring seeds are made unlike each other.
        let mut random = Random(Random(seed).next());
        let setup = Setup {
            locks_missing: random.once_in(10),
            frames_are_blind: random.once_in(2),
            session_lifetime: random.once_in(6).then_some(400),
            no_refresh_tokens: random.once_in(8),
            no_rotation: random.once_in(6),
            strict_rotation: random.once_in(3),
            no_refreshed_id_token: random.once_in(3),
            no_events: random.once_in(5),
            messages_overtake: random.once_in(8),
            // By generators of their own: what a seed was before there was a choice, it is still.
            names_frame_pages: Random(seed ^ 0xF4A3).once_in(2),
            shares_host: Random(seed ^ 0x40_57).once_in(4),
            storage: Random(!seed)
                .one_of(&[None, Some(StorageKind::Session), Some(StorageKind::Local)], None),
        };
        let mut groups = vec![Group::People, Group::People];
        groups.extend(GROUPS.into_iter().filter(|_| random.once_in(2)));
        // Few tabs meet each other more often than many.
        let tabs =
            random.one_of::<&[usize]>(&[&[0, 1], &[0, 1, 2, 3, 4], &[0, 1, 3], &[0, 3]], &[0]);
        let length = 10 + random.below(50);
        let mut acts = Vec::new();
        if !random.once_in(4) {
            acts.extend(beginning(tabs, &mut random));
        }
        for _ in 0..length {
            let group = random.one_of(&groups, Group::People);
            let tab = random.one_of(tabs, 0);
            acts.push(draw(group, tab, &mut random));
        }
        let turns = acts
            .into_iter()
            .map(|act| {
                let arrivals = random.one_of(&[0, 1, 2, 4, 8, 16, 64], 0);
                Turn { act, arrivals, order: random.next() }
            })
            .collect();
        Self { seed, setup, turns }
    }

    /// How many turns it has.
    #[must_use]
    pub const fn turns(&self) -> usize {
        self.turns.len()
    }
}

/// The tabs are open and somebody is signed in: where most of what can go wrong begins.
fn beginning(tabs: &[usize], random: &mut Random) -> Vec<Act> {
    let mut acts: Vec<Act> = tabs.iter().map(|tab| Act::Load(*tab, on_load(random))).collect();
    for site in [0, 1] {
        let first = tabs.iter().find(|tab| TABS.get(**tab) == Some(&site));
        if let Some(tab) = first {
            acts.extend([Act::SignIn(*tab), Act::Pass(1000), Act::Enter(*tab, User::Richard)]);
            acts.push(Act::Pass(1000));
        }
    }
    acts
}

fn draw(group: Group, tab: usize, random: &mut Random) -> Act {
    match group {
        Group::People => match random.below(20) {
            0..=2 => Act::Load(tab, on_load(random)),
            3..=6 => Act::SignIn(tab),
            7 => Act::SwitchUser(tab),
            8 => Act::SignOut(tab, Scope::Global),
            9 => Act::SignOut(tab, Scope::Local),
            10 | 11 => Act::GetToken(tab),
            12 if random.once_in(2) => Act::GetFreshToken(tab),
            12 => Act::GetTokenFor(tab, random.one_of(&["https://files", "https://mail"], "")),
            13 => Act::TokenRefused(tab),
            14 if random.once_in(2) => Act::Extend(tab),
            14 => Act::Check(tab),
            15 => Act::Cancel(tab),
            16 => Act::Enter(tab, User::Gavin),
            _ => Act::Enter(tab, User::Richard),
        },
        Group::Pages => match random.below(9) {
            0 | 1 => Act::Reload(tab, on_load(random)),
            2 => Act::OldCallback(tab),
            3 | 4 => Act::Back(tab),
            5 => Act::Close(tab),
            6 => Act::Crash(tab),
            7 => Act::StopLoading(tab),
            _ => {
                let site = TABS.get(tab).copied().unwrap_or_default();
                let others: Vec<usize> = (0..TABS.len())
                    .filter(|other| *other != tab && TABS.get(*other) == Some(&site))
                    .collect();
                Act::Duplicate { from: tab, to: random.one_of(&others, tab) }
            }
        },
        Group::Sleep => match random.below(8) {
            0 | 1 => Act::Freeze(tab),
            2 | 3 => Act::Thaw(tab),
            4 => Act::Hang(tab),
            5 => Act::Recover(tab),
            6 => Act::Look(tab),
            _ => random.one_of(&[Act::LookAway(tab), Act::Online(tab)], Act::Look(tab)),
        },
        Group::Provider => match random.below(8) {
            0 | 1 => Act::EndSession,
            2 => Act::EndSessionSilently,
            3 => Act::RotateKeys { keep_old: random.once_in(2) },
            4 => Act::ProviderDown,
            5 => Act::ProviderUp,
            6 => Act::EndStreams,
            _ => Act::StallStreams,
        },
        Group::Network => {
            if random.once_in(6) {
                return Act::DoubleMessage;
            }
            let endpoint = random.one_of(&Endpoint::ALL, Endpoint::Token);
            let fates = [
                Fate::RequestLost,
                Fate::AnswerLost,
                Fate::Refused,
                Fate::Broken,
                Fate::Doubled,
                Fate::ServerError,
                Fate::Html,
            ];
            match random.one_of(&fates, Fate::Refused) {
                // What answers there with a page has no stream for us: that is believed for good.
                Fate::Html if endpoint == Endpoint::Events => {
                    Act::Fate(endpoint, Fate::ServerError)
                }
                fate => Act::Fate(endpoint, fate),
            }
        }
        Group::Lies => lie(tab, random),
        Group::Time => match random.below(6) {
            0 | 1 => Act::Drift(whole(1 + random.below(20_000))),
            2 | 3 => Act::Pass(whole(1 + random.below(20_000))),
            4 => Act::Pass(whole(1 + random.below(600_000))),
            _ => Act::SetClock(whole(random.below(1_200_000)) - 600_000),
        },
        Group::Storage => Act::ClearStorage(TABS.get(tab).copied().unwrap_or_default()),
    }
}

fn on_load(random: &mut Random) -> OnLoad {
    random.one_of(&[OnLoad::Auto, OnLoad::Hint, OnLoad::Manual, OnLoad::Probe], OnLoad::Manual)
}

fn lie(tab: usize, random: &mut Random) -> Act {
    let token = [
        TokenLie::WrongKey,
        TokenLie::NoSignature,
        TokenLie::OtherAudience,
        TokenLie::OtherIssuer,
        TokenLie::Expired,
        TokenLie::FromTheFuture,
        TokenLie::OtherNonce,
        TokenLie::OtherHash,
        TokenLie::OtherSubject,
        TokenLie::LogoutType,
    ];
    let callback = [
        CallbackLie::OtherState,
        CallbackLie::OtherIssuer,
        CallbackLie::NoIssuer,
        CallbackLie::StrangersCode,
        CallbackLie::Error,
    ];
    let logout = [
        LogoutLie::WrongKey,
        LogoutLie::OtherAudience,
        LogoutLie::OtherSession,
        LogoutLie::WithNonce,
        LogoutLie::Replayed,
        LogoutLie::Late,
    ];
    let words = [
        FalseWord::Nonsense,
        FalseWord::Hello,
        FalseWord::Idle,
        FalseWord::Busy,
        FalseWord::ForgedSession,
    ];
    match random.below(12) {
        0..=4 => Act::Lie(Lie::IdToken(random.one_of(&token, TokenLie::WrongKey))),
        5 | 6 => Act::Lie(Lie::Callback(random.one_of(&callback, CallbackLie::OtherState))),
        7 | 8 => Act::Lie(Lie::LogoutToken(random.one_of(&logout, LogoutLie::WrongKey))),
        9 => Act::Lie(Lie::UserInfo),
        10 => Act::FalseWord(tab, random.one_of(&words, FalseWord::Nonsense)),
        _ => Act::StrangersLink(tab),
    }
}

fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// How people call a tab.
pub(crate) fn tab_name(tab: usize) -> String {
    let site = TABS.get(tab).copied().unwrap_or_default();
    let first = TABS.iter().position(|known| *known == site).unwrap_or_default();
    format!("{} {}", site_name(site), tab + 1 - first)
}

pub(crate) const fn site_name(site: usize) -> &'static str {
    if site == 0 { "Pied Piper" } else { "Hooli" }
}

impl Setup {
    /// The origin of a site's pages.
    pub(crate) const fn origin(&self, site: usize) -> &'static str {
        match (site, self.shares_host) {
            (0, true) => "https://idp.example:8443",
            (0, false) => "https://pied-piper.idp.example",
            _ => "https://hooli.example",
        }
    }

    /// Whether the browser gives the provider its cookie in frames of this site, whatever it blocks.
    pub(crate) const fn is_same_host(&self, site: usize) -> bool {
        site == 0 && self.shares_host
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said: Vec<String> = Vec::new();
        let mut say = |is: bool, what: &str| {
            if is {
                said.push(what.to_owned());
            }
        };
        say(self.locks_missing, "the browser has leases instead of locks");
        say(self.frames_are_blind, "frames see no cookie");
        say(self.names_frame_pages, "the apps name their pages for frames");
        say(self.shares_host, "the first app is of the provider's host");
        say(self.no_refresh_tokens, "no refresh tokens");
        say(self.no_rotation, "refresh tokens stay good");
        say(self.strict_rotation && !self.no_rotation, "a refresh token used twice ends its grant");
        say(self.no_refreshed_id_token, "a refresh brings no ID token");
        say(self.no_events, "the provider has no event stream");
        say(self.messages_overtake, "messages among tabs overtake each other");
        if let Some(seconds) = self.session_lifetime {
            said.push(format!("an app's session lasts {seconds} s"));
        }
        if let Some(kind) = self.storage {
            said.push(format!("apps keep their sessions: {kind:?}").to_lowercase());
        }
        if said.is_empty() {
            said.push("an ordinary browser and provider".to_owned());
        }
        f.write_str(&said.join(", "))
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tab = |tab: &usize| tab_name(*tab);
        match self {
            Self::Load(at, mode) => write!(f, "{}: the app is opened ({})", tab(at), mode.as_str()),
            Self::Reload(at, mode) => write!(f, "{}: reload ({})", tab(at), mode.as_str()),
            Self::OldCallback(at) => {
                write!(f, "{}: the address of its last callback is opened again", tab(at))
            }
            Self::StrangersLink(at) => {
                write!(f, "{}: a link with a stranger's code is opened", tab(at))
            }
            Self::Back(at) => write!(f, "{}: Back", tab(at)),
            Self::Close(at) => write!(f, "{}: the tab is closed", tab(at)),
            Self::Crash(at) => write!(f, "{}: the page crashes", tab(at)),
            Self::Duplicate { from, to } => {
                write!(f, "{}: duplicated, as {}", tab(from), tab(to))
            }
            Self::Freeze(at) => write!(f, "{}: the browser freezes the page", tab(at)),
            Self::Thaw(at) => write!(f, "{}: the page is thawed", tab(at)),
            Self::Hang(at) => write!(f, "{}: the page hangs", tab(at)),
            Self::Recover(at) => write!(f, "{}: the page hangs no more", tab(at)),
            Self::StopLoading(at) => write!(f, "{}: the person stops the loading", tab(at)),
            Self::Look(at) => write!(f, "{}: the person looks at it", tab(at)),
            Self::LookAway(at) => write!(f, "{}: the person looks away", tab(at)),
            Self::Online(at) => write!(f, "{}: the browser says that it is online", tab(at)),
            Self::SignIn(at) => write!(f, "{}: a click on \"Sign in\"", tab(at)),
            Self::SwitchUser(at) => {
                write!(f, "{}: a click on \"Sign in as somebody else\"", tab(at))
            }
            Self::SignOut(at, Scope::Global) => write!(f, "{}: a click on \"Sign out\"", tab(at)),
            Self::SignOut(at, Scope::Local) => {
                write!(f, "{}: a click on \"Leave only this app\"", tab(at))
            }
            Self::GetToken(at) => write!(f, "{}: the app wants a token", tab(at)),
            Self::GetFreshToken(at) => write!(f, "{}: the app wants a fresh token", tab(at)),
            Self::GetTokenFor(at, resource) => {
                write!(f, "{}: the app wants a token for {resource}", tab(at))
            }
            Self::TokenRefused(at) => write!(f, "{}: an API refused the app's token", tab(at)),
            Self::Check(at) => write!(f, "{}: the app checks the session", tab(at)),
            Self::Extend(at) => write!(f, "{}: the app extends the session", tab(at)),
            Self::Enter(at, user) => write!(f, "{}: {} signs in there", tab(at), user.name()),
            Self::Cancel(at) => write!(f, "{}: the person cancels there", tab(at)),
            Self::EndSession => write!(f, "the provider: the session ends, streams are told"),
            Self::EndSessionSilently => write!(f, "the provider: the session ends, nobody is told"),
            Self::RotateKeys { keep_old } => {
                let old = if *keep_old { "still published" } else { "gone" };
                write!(f, "the provider: a new key, the old one is {old}")
            }
            Self::ProviderDown => write!(f, "the provider: goes down"),
            Self::ProviderUp => write!(f, "the provider: is up"),
            Self::EndStreams => write!(f, "the network: all streams end"),
            Self::StallStreams => write!(f, "the network: all streams fall silent"),
            Self::Fate(endpoint, fate) => {
                let what = match fate {
                    Fate::RequestLost => "the next request to it is lost",
                    Fate::AnswerLost => "the answer to the next request is lost",
                    Fate::Refused => "the next request finds no connection",
                    Fate::Broken => "the connection of the next request breaks before its answer",
                    Fate::Doubled => "the next answer comes twice",
                    Fate::ServerError => "the next answer is a 500",
                    Fate::Html => "the next answer is a page of somebody on the way",
                };
                write!(f, "the network, {}: {what}", endpoint.name())
            }
            Self::DoubleMessage => write!(f, "the browser: the next message comes twice"),
            Self::Lie(lie) => write!(f, "the provider: will lie once ({lie:?})"),
            Self::FalseWord(at, word) => {
                write!(f, "{}: a script says on the channel: {word:?}", tab(at))
            }
            Self::ClearStorage(site) => write!(f, "{}: its storage is cleared", site_name(*site)),
            Self::Drift(ms) => write!(f, "{ms} ms pass, nothing arrives"),
            Self::Pass(ms) => write!(f, "{ms} ms pass"),
            Self::SetClock(ms) => write!(f, "the local clock is set {ms} ms off the true time"),
        }
    }
}

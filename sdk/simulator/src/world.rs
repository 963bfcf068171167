//! The world: what there is in it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use gatepass_core::{
    config::Config,
    entropy::Entropy,
    machine::Machine,
    time::Now,
    wire::{Fact, OnLoad, Order},
};

use crate::{
    network::{Stream, Transit},
    provider::{CLIENTS, Endpoint, ISSUER, Provider, Visit},
    random::Random,
    rules::{Broken, Rule, Seen},
    schedule::{Fate, Setup, TABS},
    story::Story,
};

/// When every world begins: 2026-01-01T00:00:00Z.
const BEGIN_MS: i64 = 1_767_225_600_000;

/// Stands between the world and the machines, to put a defect there on purpose: the proof that the
/// rules find it.
pub trait Meddler {
    /// A fact on its way to the machine of a page; `None` keeps it away.
    fn fact(&mut self, page: u32, fact: Fact, bytes: &mut Vec<u8>) -> Option<Fact> {
        let _ = (page, bytes);
        Some(fact)
    }

    /// The orders of a page's machine, on their way to the browser.
    fn orders(&mut self, page: u32, orders: Vec<Order>) -> Vec<Order> {
        let _ = page;
        orders
    }
}

/// Whether a page can do anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Awake,
    /// What comes is kept for later.
    Frozen,
    /// In the back/forward cache: it hears nothing of the other tabs.
    Cached,
}

/// One page: a machine and what its driver knows.
pub(crate) struct Page {
    pub(crate) machine: Machine,
    pub(crate) tab: usize,
    pub(crate) site: usize,
    pub(crate) state: State,
    pub(crate) hangs: bool,
    pub(crate) hangs_since: i64,
    pub(crate) listens: bool,
    pub(crate) wake_at: Option<i64>,
    /// Effects that were not cancelled.
    pub(crate) live: BTreeSet<u32>,
    /// When the driver gives up waiting for an answer.
    pub(crate) deadlines: BTreeMap<u32, i64>,
    pub(crate) leaving_to: Option<(String, bool)>,
    /// What storage and the like have answered: the driver hands that over before anything else.
    pub(crate) at_once: VecDeque<Fact>,
    pub(crate) seen: Seen,
}

impl Page {
    pub(crate) fn is_awake(&self) -> bool {
        self.state == State::Awake && !self.hangs
    }
}

/// One tab of the browser.
#[derive(Default)]
pub(crate) struct Tab {
    pub(crate) storage: BTreeMap<String, String>,
    pub(crate) current: Option<u32>,
    pub(crate) cached: Option<u32>,
    /// Where it is if no page of ours is loaded.
    pub(crate) elsewhere: Option<Visit>,
    pub(crate) on_load: OnLoad,
    pub(crate) last_callback: Option<String>,
    /// Automatic redirects since a session was last reached or the person clicked.
    pub(crate) redirects: usize,
    /// How often that happened.
    pub(crate) openings: usize,
    /// The person signed out here, and has not clicked since.
    pub(crate) signed_out: bool,
    /// What it had stored was cleared, and nobody has clicked since: it may have forgotten a sign-out.
    pub(crate) was_cleared: bool,
}

impl Tab {
    /// Somebody signs out in it; that is remembered as long as what it has stored.
    pub(crate) const fn signs_out(&mut self) {
        self.signed_out |= !self.was_cleared;
    }

    /// Somebody clicked "Sign in", or a session was reached: the way is open again.
    pub(crate) const fn opens(&mut self) {
        self.redirects = 0;
        self.openings += 1;
        self.signed_out = false;
        self.was_cleared = false;
    }
}

/// What the tabs of a site share.
#[derive(Default)]
pub(crate) struct Site {
    pub(crate) storage: BTreeMap<String, String>,
    pub(crate) lock: Option<(u32, u32)>,
    pub(crate) lock_queue: VecDeque<(u32, u32)>,
    /// When the page that has the lease was gone.
    pub(crate) lease_silent_since: i64,
    /// The last session that a tab has told the others.
    pub(crate) last_shared: Option<String>,
    /// Grants that somebody has signed out of here.
    pub(crate) signed_out: BTreeSet<usize>,
    /// Grants whose end a page has told the others.
    pub(crate) ended: BTreeSet<usize>,
    /// When each grant's sign-in began, as the tabs count that.
    pub(crate) began: BTreeMap<usize, (i64, String)>,
    /// Its storage was cleared: what depends on it is excused.
    pub(crate) was_cleared: bool,
}

/// The world.
pub(crate) struct World {
    pub(crate) setup: Setup,
    pub(crate) provider: Provider,
    pub(crate) sites: [Site; 2],
    pub(crate) tabs: Vec<Tab>,
    pub(crate) pages: BTreeMap<u32, Page>,
    pub(crate) transit: Vec<Transit>,
    pub(crate) streams: Vec<Stream>,
    pub(crate) fates: Vec<(Endpoint, Fate)>,
    pub(crate) doubles_message: bool,
    /// Refresh requests under way, and their grants.
    pub(crate) refreshing: BTreeMap<(u32, u32), usize>,
    /// Milliseconds since the world began.
    pub(crate) now_ms: i64,
    /// What the local clock is ahead of the true time.
    pub(crate) clock_ms: i64,
    /// It was set back once.
    pub(crate) was_set_back: bool,
    pub(crate) next_heartbeat_ms: i64,
    pub(crate) random: Random,
    entropy: Random,
    last_page: u32,
    pub(crate) last_command: u32,
    pub(crate) steps: u64,
    pub(crate) story: Story,
    pub(crate) meddler: Option<Box<dyn Meddler>>,
    pub(crate) broken: Option<Broken>,
}

impl World {
    pub(crate) fn new(
        seed: u64,
        setup: &Setup,
        story: Story,
        meddler: Option<Box<dyn Meddler>>,
    ) -> Self {
        Self {
            setup: setup.clone(),
            provider: Provider::new(setup.clone()),
            sites: [Site::default(), Site::default()],
            tabs: TABS.iter().map(|_| Tab::default()).collect(),
            pages: BTreeMap::new(),
            transit: Vec::new(),
            streams: Vec::new(),
            fates: Vec::new(),
            doubles_message: false,
            refreshing: BTreeMap::new(),
            now_ms: 1000,
            clock_ms: 0,
            was_set_back: false,
            next_heartbeat_ms: 15_000,
            random: Random(seed),
            entropy: Random(seed ^ 0x5eed),
            last_page: 0,
            last_command: 0,
            steps: 0,
            story,
            meddler,
            broken: None,
        }
    }

    /// The provider's time, which is the true one, in Unix seconds.
    pub(crate) const fn time(&self) -> i64 {
        (BEGIN_MS + self.now_ms).div_euclid(1000)
    }

    /// A rule is broken. What comes after the first one follows from it.
    pub(crate) fn breaks(&mut self, rule: Rule, what: impl FnOnce() -> String) {
        if self.broken.is_none() {
            let what = what();
            self.story.tell(|| format!("BROKEN: {}: {what}", rule.name()));
            self.broken = Some(Broken { rule, what });
        }
    }

    /// A page of the app, which knows nothing yet.
    pub(crate) fn new_page(&mut self, tab: usize) -> Option<u32> {
        let site = TABS.get(tab).copied()?;
        let (origin, client) = (self.setup.origin(site), *CLIENTS.get(site)?);
        let config = Config {
            issuer: ISSUER.into(),
            client_id: client.into(),
            redirect_uri: format!("{origin}/").into(),
            post_logout_redirect_uri: format!("{origin}/").into(),
            origin: origin.into(),
            silent_redirect_uri: self
                .setup
                .names_frame_pages
                .then(|| format!("{origin}/gatepass-silent.html").into()),
            session_lifetime: self.setup.session_lifetime,
            storage: self.setup.storage,
            ..Config::default()
        };
        let machine = Machine::new(config).ok()?;
        self.last_page += 1;
        let page = Page {
            machine,
            tab,
            site,
            state: State::Awake,
            hangs: false,
            hangs_since: 0,
            listens: false,
            wake_at: None,
            live: BTreeSet::new(),
            deadlines: BTreeMap::new(),
            leaving_to: None,
            at_once: VecDeque::new(),
            seen: Seen::default(),
        };
        self.pages.insert(self.last_page, page);
        Some(self.last_page)
    }

    /// A fact for a page's machine, and what follows from it at once.
    pub(crate) fn step(&mut self, id: u32, fact: Fact, bytes: Vec<u8>) {
        self.step_once(id, fact, bytes);
        while let Some(fact) = self.pages.get_mut(&id).and_then(|page| page.at_once.pop_front()) {
            self.step_once(id, fact, Vec::new());
        }
    }

    /// One step of a page's machine, held against the rules, and its orders carried out.
    fn step_once(&mut self, id: u32, fact: Fact, mut bytes: Vec<u8>) {
        if self.broken.is_some() {
            return;
        }
        let fact = match &mut self.meddler {
            Some(meddler) => meddler.fact(id, fact, &mut bytes),
            None => Some(fact),
        };
        let (Some(fact), Some(page)) = (fact, self.pages.get_mut(&id)) else { return };
        let mut random = [0; Entropy::SIZE];
        for chunk in random.chunks_exact_mut(8) {
            chunk.copy_from_slice(&self.entropy.next().to_le_bytes());
        }
        let now =
            Now { wall_ms: BEGIN_MS + self.now_ms + self.clock_ms, monotonic_ms: self.now_ms };
        let mut orders = page.machine.step(now, Entropy::new(random), fact, &bytes);
        self.steps += 1;
        if let Some(meddler) = &mut self.meddler {
            orders = meddler.orders(id, orders);
        }
        for order in orders {
            self.watch(id, &order);
            self.obey(id, order);
        }
    }
}

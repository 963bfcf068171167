//! What is under way: requests, answers, messages among tabs, streams. It arrives in any order, but
//! what one lane carries arrives in its own.

use std::collections::BTreeMap;

use gatepass_core::wire::{Answer, Fact, Failure, Response, Signal};

use crate::{
    provider::{Endpoint, Reply, Request},
    rules::Rule,
    schedule::{Fate, LogoutLie, tab_name},
    token::grant_of,
    world::{State, World},
};

/// What arrives in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// What one page tells another.
    Channel(u32),
    /// What becomes of its locks.
    Locks,
    /// One request, one stream, one piece of cryptography.
    Own(u32),
}

/// Where what all tabs say goes in the order in which it was said.
const CHANNEL: Lane = Lane::Channel(0);

/// Something under way to or from a page.
pub(crate) struct Transit {
    pub(crate) page: u32,
    lane: Lane,
    parcel: Parcel,
    /// It lay there when the page went on after it had hung.
    waited: bool,
}

impl Transit {
    const fn new(page: u32, lane: Lane, parcel: Parcel) -> Self {
        Self { page, lane, parcel, waited: false }
    }

    const fn is_request(&self) -> bool {
        matches!(self.parcel, Parcel::Request(..))
    }
}

enum Parcel {
    /// To the provider, for this effect.
    Request(u32, Request, Option<Fate>),
    /// To the page.
    Fact(Fact, Vec<u8>),
    /// To the page, from a tab whose session of this grant has ended.
    Ended(Fact, usize),
}

/// An open stream.
pub(crate) struct Stream {
    pub(crate) page: u32,
    effect: u32,
    grant: usize,
    /// Nothing comes through, and nobody knows.
    stalled: bool,
}

/// More than any schedule needs; a world that goes on is one that never rests.
const MOST_ARRIVALS: usize = 20_000;

impl World {
    pub(crate) fn send(&mut self, page: u32, lane: Lane, fact: Fact, bytes: Vec<u8>) {
        self.transit.push(Transit::new(page, lane, Parcel::Fact(fact, bytes)));
    }

    pub(crate) fn answer(&mut self, page: u32, effect: u32, lane: Lane, answer: Answer) {
        self.send(page, lane, Fact::Answer { effect, answer }, Vec::new());
    }

    // Requests.

    pub(crate) fn request(&mut self, page: u32, effect: u32, request: Request, timeout_ms: u32) {
        let endpoint = request.endpoint;
        if let Some(page) = self.pages.get_mut(&page) {
            page.deadlines.insert(effect, self.now_ms + i64::from(timeout_ms));
        }
        let fate = self.fates.iter().position(|(known, _)| *known == endpoint);
        let fate = fate.map(|at| self.fates.remove(at).1);
        let reply = match fate {
            Some(Fate::RequestLost) => {
                self.story.tell(|| format!("a request to {} is lost", endpoint.name()));
                return;
            }
            Some(Fate::Refused) => {
                return self.answer_request(page, effect, endpoint, None, false);
            }
            Some(Fate::ServerError) => {
                Some(Reply { status: 500, content_type: "text/html", body: "Oops".into() })
            }
            Some(Fate::Html) => Some(Reply {
                status: 200,
                content_type: "text/html",
                body: "<!doctype html>".into(),
            }),
            _ => None,
        };
        if reply.is_some() {
            return self.answer_request(page, effect, endpoint, reply, false);
        }
        let parcel = Parcel::Request(effect, request, fate);
        self.transit.push(Transit::new(page, Lane::Own(effect), parcel));
    }

    /// A request arrives at the provider.
    fn serve(&mut self, page: u32, effect: u32, request: Request, fate: Option<Fate>) {
        if !self.provider.is_up {
            return self.answer_request(page, effect, request.endpoint, None, false);
        }
        let now = self.time();
        let endpoint = request.endpoint;
        let reply = self.provider.answer_request(&request, now);
        let is_open = endpoint == Endpoint::Events && reply.status == 200;
        self.end_dead_streams();
        match fate {
            Some(Fate::AnswerLost) => {
                self.story.tell(|| format!("the answer of {} is lost", endpoint.name()));
            }
            Some(Fate::Broken) => self.answer_request(page, effect, endpoint, None, false),
            _ => {
                let doubled = fate == Some(Fate::Doubled);
                let waits =
                    self.pages.get(&page).is_some_and(|page| page.deadlines.contains_key(&effect));
                self.answer_request(page, effect, endpoint, Some(reply), doubled);
                if is_open && waits {
                    self.open_stream(page, effect, &request);
                }
            }
        }
    }

    /// What comes of a request, if its page still waits for it; `None` is a broken connection.
    fn answer_request(
        &mut self,
        page: u32,
        effect: u32,
        endpoint: Endpoint,
        reply: Option<Reply>,
        doubled: bool,
    ) {
        let waits = self.pages.get(&page).is_some_and(|page| page.deadlines.contains_key(&effect));
        let whose = self.pages.get(&page).map_or_else(String::new, |page| tab_name(page.tab));
        self.story.tell(|| {
            let what = reply.as_ref().map_or("no connection".into(), |reply| {
                let error = if reply.status == 400 { reply.body.as_str() } else { "" };
                format!("{} {error}", reply.status)
            });
            let gone = if waits { "" } else { " (nobody waits for it)" };
            format!("{whose} asks {}: {}{gone}", endpoint.name(), what.trim())
        });
        if !waits {
            return;
        }
        let date_ms = Some(self.time() * 1000);
        let (answer, bytes) = match reply {
            None => (Answer::Failed { reason: Failure::Network }, Vec::new()),
            Some(Reply { status, content_type, body }) => {
                let response = Response {
                    status,
                    date_ms,
                    content_type: Some(content_type.into()),
                    ..Response::default()
                };
                (Answer::Response { response }, body.into_bytes())
            }
        };
        let fact = Fact::Answer { effect, answer };
        if doubled {
            self.send(page, Lane::Own(effect), fact.clone(), bytes.clone());
        }
        self.send(page, Lane::Own(effect), fact, bytes);
    }

    // Streams.

    fn open_stream(&mut self, page: u32, effect: u32, request: &Request) {
        let token = request.authorization.as_deref().and_then(|text| text.strip_prefix("Bearer "));
        let Some(grant) = token.and_then(grant_of) else { return };
        self.streams.push(Stream { page, effect, grant, stalled: false });
        if self.provider.sso_of(grant).is_some_and(|sso| sso.ended) {
            self.tell_of_end(|stream| (stream.page, stream.effect) == (page, effect));
        } else {
            self.chunk(page, effect, "event: open\ndata: {\"heartbeat\": 15}\n\n");
        }
    }

    fn chunk(&mut self, page: u32, effect: u32, text: &str) {
        let mut parts = vec![text];
        // A network cuts where it likes.
        if self.random.once_in(4) {
            let (first, rest) = text.split_at(text.len() / 2);
            parts = vec![first, rest];
        }
        for part in parts {
            let fact = Fact::Signal { signal: Signal::Chunk { effect } };
            self.send(page, Lane::Own(effect), fact, part.as_bytes().to_vec());
        }
    }

    /// The provider says on these streams that their session is over, and ends them.
    pub(crate) fn tell_of_end(&mut self, which: impl Fn(&Stream) -> bool) {
        let (told, kept) = core::mem::take(&mut self.streams).into_iter().partition(which);
        self.streams = kept;
        let told: Vec<Stream> = told;
        let now = self.time();
        for stream in told.iter().filter(|stream| !stream.stalled) {
            let token = self.provider.logout_token(stream.grant, now);
            self.story.tell(|| format!("a logout token goes out for grant {}", stream.grant));
            let event = format!("event: logout\ndata: {token}\n\n");
            self.chunk(stream.page, stream.effect, &event);
            self.end_stream(stream);
        }
        // What does not come through stays open for the page.
        self.streams.extend(told.into_iter().filter(|stream| stream.stalled));
    }

    pub(crate) fn grants_of(&self, sso: usize) -> Vec<usize> {
        let all = self.provider.grants.iter().enumerate();
        all.filter(|(_, grant)| grant.sso == sso).map(|(at, _)| at).collect()
    }

    pub(crate) fn tell_grants_of_end(&mut self, grants: &[usize]) {
        self.tell_of_end(|stream| grants.contains(&stream.grant));
    }

    /// A logout token that must sign nobody out goes out on every stream.
    pub(crate) fn tell_lie_of_end(&mut self, lie: LogoutLie) {
        let now = self.time();
        let open: Vec<_> = self.streams.iter().filter(|stream| !stream.stalled).collect();
        let open: Vec<_> = open.iter().map(|s| (s.page, s.effect, s.grant)).collect();
        for (page, effect, grant) in open {
            let token = self.provider.false_logout_token(grant, lie, now);
            if !token.is_empty() {
                self.chunk(page, effect, &format!("event: logout\ndata: {token}\n\n"));
            }
        }
    }

    fn end_stream(&mut self, stream: &Stream) {
        let effect = stream.effect;
        let fact = Fact::Signal { signal: Signal::Ended { effect } };
        self.send(stream.page, Lane::Own(effect), fact, Vec::new());
    }

    /// A stream ends with its grant.
    pub(crate) fn end_dead_streams(&mut self) {
        let dead: Vec<usize> = self
            .streams
            .iter()
            .map(|stream| stream.grant)
            .filter(|at| self.provider.grants.get(*at).is_none_or(|grant| grant.revoked.is_some()))
            .collect();
        if !dead.is_empty() {
            self.end_streams(|stream| dead.contains(&stream.grant));
        }
    }

    pub(crate) fn end_streams(&mut self, which: impl Fn(&Stream) -> bool) {
        let all = core::mem::take(&mut self.streams);
        for stream in all {
            if which(&stream) && !stream.stalled {
                self.end_stream(&stream);
            } else {
                self.streams.push(stream);
            }
        }
    }

    pub(crate) fn stall_streams(&mut self) {
        for stream in &mut self.streams {
            stream.stalled = true;
        }
    }

    fn heartbeat(&mut self) {
        let open = self.streams.iter().filter(|stream| !stream.stalled);
        let open: Vec<_> = open.map(|stream| (stream.page, stream.effect)).collect();
        for (page, effect) in open {
            let fact = Fact::Signal { signal: Signal::Chunk { effect } };
            self.send(page, Lane::Own(effect), fact, b":\n\n".to_vec());
        }
    }

    pub(crate) fn close_stream(&mut self, page: u32, effect: u32) {
        self.streams.retain(|stream| (stream.page, stream.effect) != (page, effect));
    }

    /// Streams that are open to a site's pages and carry something.
    pub(crate) fn streams_of(&self, site: usize) -> usize {
        let is_here = |page: u32| self.pages.get(&page).is_some_and(|page| page.site == site);
        self.streams.iter().filter(|stream| !stream.stalled && is_here(stream.page)).count()
    }

    // Messages.

    /// Where the answers about locks go: after what the other tabs have said, unless words overtake
    /// each other.
    pub(crate) const fn lock_lane(&self) -> Lane {
        if self.setup.messages_overtake { Lane::Locks } else { CHANNEL }
    }

    /// Says something to the other tabs of a site; `ends` is the grant that it is the end of.
    pub(crate) fn say(&mut self, from: Option<u32>, site: usize, text: &str, ends: Option<usize>) {
        let times = if core::mem::take(&mut self.doubles_message) { 2 } else { 1 };
        let ears = self.pages.iter().filter(|(id, page)| {
            Some(**id) != from && page.site == site && page.listens && page.state != State::Cached
        });
        let ears: Vec<u32> = ears.map(|(id, _)| *id).collect();
        for page in ears {
            for _ in 0..times {
                let fact = Fact::Signal { signal: Signal::Message { text: text.into() } };
                let parcel = match ends {
                    Some(grant) => Parcel::Ended(fact, grant),
                    None => Parcel::Fact(fact, Vec::new()),
                };
                // Browsers pass messages on in the order in which they were said; nothing says that
                // they must.
                let sender = from.filter(|_| self.setup.messages_overtake);
                let lane = sender.map_or(CHANNEL, Lane::Channel);
                self.transit.push(Transit::new(page, lane, parcel));
            }
        }
    }

    // Arrivals.

    /// One thing arrives, or one page is left; false if there is neither.
    pub(crate) fn arrive(&mut self) -> bool {
        if self.broken.is_some() {
            return false;
        }
        let mut ready: Vec<usize> = Vec::new();
        for (at, transit) in self.transit.iter().enumerate() {
            let arrives = transit.is_request()
                || self.pages.get(&transit.page).is_some_and(|page| page.is_awake());
            let is_first = !self.transit.iter().enumerate().any(|(other_at, other)| {
                let of_lane = (other.page, other.lane) == (transit.page, transit.lane);
                // What lay there when a page went on comes before all that it asks for then.
                let waited = other.waited && !transit.waited && !transit.is_request();
                (of_lane && other_at < at) || (waited && other.page == transit.page)
            });
            if arrives && is_first {
                ready.push(at);
            }
        }
        let leaving = self.pages.iter().filter(|(_, page)| page.leaving_to.is_some());
        let leaving: Vec<u32> = leaving.map(|(id, _)| *id).collect();
        let drawn = self.random.below(ready.len() + leaving.len());
        let Some(at) = ready.get(drawn) else {
            return match leaving.get(drawn - ready.len().min(drawn)) {
                Some(page) => {
                    self.navigate(*page);
                    true
                }
                None => false,
            };
        };
        let step = i64::try_from(self.random.below(3)).unwrap_or_default();
        self.now_ms += step;
        self.bring(*at);
        true
    }

    /// A page that has been given a lock hears at once that it was taken away meanwhile: browsers tell
    /// both by one pipe, which no network is part of. So that no time passes between them, in which a
    /// timer could go off.
    pub(crate) fn tell_of_lost_locks(&mut self) {
        let is_loss = |world: &Self, transit: &Transit| {
            let page = world.pages.get(&transit.page).filter(|page| page.is_awake());
            page.is_some_and(|page| {
                matches!(&transit.parcel, Parcel::Fact(Fact::Signal { signal: Signal::Lost { effect } }, _)
                    if page.seen.lock == Some(*effect))
            })
        };
        while let Some(loss) = self.transit.iter().find(|transit| is_loss(self, transit)) {
            let (page, lane) = (loss.page, loss.lane);
            let of_lane = |transit: &Transit| (transit.page, transit.lane) == (page, lane);
            // What comes before it by the same way comes first.
            let Some(at) = self.transit.iter().position(of_lane) else { return };
            self.bring(at);
        }
    }

    fn bring(&mut self, at: usize) {
        let Transit { page, parcel, .. } = self.transit.remove(at);
        match parcel {
            Parcel::Request(effect, request, fate) => self.serve(page, effect, request, fate),
            Parcel::Fact(fact, bytes) => self.hand_over(page, fact, bytes),
            Parcel::Ended(fact, grant) => {
                if let Some(page) = self.pages.get_mut(&page) {
                    page.seen.heard.insert(grant);
                }
                self.hand_over(page, fact, Vec::new());
                if let Some(page) = self.pages.get_mut(&page) {
                    page.seen.over.insert(grant);
                }
            }
        }
    }

    /// A page hangs no longer.
    pub(crate) fn go_on(&mut self, id: u32) {
        let Some(page) = self.pages.get_mut(&id) else { return };
        if core::mem::take(&mut page.hangs) {
            let its_own = |transit: &&mut Transit| transit.page == id && !transit.is_request();
            for transit in self.transit.iter_mut().filter(its_own) {
                transit.waited = true;
            }
        }
    }

    /// Everything arrives.
    pub(crate) fn settle(&mut self) {
        for _ in 0..MOST_ARRIVALS {
            if !self.arrive() {
                return;
            }
        }
        self.breaks(Rule::NothingWaits, || "the world never comes to rest".into());
    }

    fn hand_over(&mut self, id: u32, fact: Fact, bytes: Vec<u8>) {
        let Some(page) = self.pages.get_mut(&id) else { return };
        // What was cancelled is not heard of any more.
        let wanted = match &fact {
            Fact::Answer { effect, .. } => {
                page.deadlines.remove(effect);
                page.live.contains(effect)
            }
            Fact::Signal { signal: Signal::Chunk { effect } | Signal::Ended { effect } } => {
                page.live.contains(effect)
            }
            _ => true,
        };
        if wanted {
            self.note_arrival(id, &fact);
        }
        if let Fact::Answer { effect, .. } = &fact {
            self.refreshing.remove(&(id, *effect));
        }
        if wanted {
            self.step(id, fact, bytes);
        }
    }

    // Time.

    /// Time passes; what is due on the way happens on the way.
    pub(crate) fn pass(&mut self, ms: i64, with_arrivals: bool) {
        let end = self.now_ms + ms;
        for _ in 0..MOST_ARRIVALS {
            if with_arrivals {
                self.settle();
            } else {
                self.tell_of_lost_locks();
            }
            let due = self.next_due().filter(|(at, _)| *at <= end && self.broken.is_none());
            let Some((at, due)) = due else {
                self.now_ms = self.now_ms.max(end);
                return;
            };
            self.now_ms = self.now_ms.max(at);
            match due {
                Due::Heartbeat => {
                    self.next_heartbeat_ms = self.now_ms + 15_000;
                    self.heartbeat();
                }
                Due::Timeout(page, effect) => self.time_out(page, effect),
                Due::Lease(site) => self.end_lease(site),
                Due::Wake(page) => {
                    if let Some(page) = self.pages.get_mut(&page) {
                        page.wake_at = None;
                    }
                    self.step(page, Fact::Signal { signal: Signal::Wake {} }, Vec::new());
                }
            }
        }
        self.breaks(Rule::NothingWaits, || "timers fire without end".into());
    }

    fn next_due(&self) -> Option<(i64, Due)> {
        let mut all: BTreeMap<i64, Due> = BTreeMap::new();
        all.insert(self.next_heartbeat_ms, Due::Heartbeat);
        for (id, page) in &self.pages {
            for (effect, at) in &page.deadlines {
                all.insert(*at, Due::Timeout(*id, *effect));
            }
            if let Some(at) = page.wake_at.filter(|_| page.is_awake()) {
                all.insert(at, Due::Wake(*id));
            }
        }
        for (at, site) in self.sites.iter().enumerate() {
            if let Some(end) = self.lease_ends_at(site) {
                all.insert(end, Due::Lease(at));
            }
        }
        all.pop_first()
    }

    /// The driver gives up; whatever comes later is too late.
    fn time_out(&mut self, id: u32, effect: u32) {
        if let Some(page) = self.pages.get_mut(&id) {
            page.deadlines.remove(&effect);
        }
        self.refreshing.remove(&(id, effect));
        self.close_stream(id, effect);
        self.transit.retain(|transit| {
            let is_answer = matches!(transit.parcel, Parcel::Fact(..));
            !(is_answer && (transit.page, transit.lane) == (id, Lane::Own(effect)))
        });
        self.story.tell(|| "a request has waited too long".into());
        self.answer(id, effect, Lane::Own(effect), Answer::Failed { reason: Failure::Timeout });
    }

    pub(crate) fn forget_transit(&mut self, page: u32) {
        self.transit.retain(|transit| {
            // What is on its way to the provider arrives all the same.
            transit.page != page || matches!(transit.parcel, Parcel::Request(..))
        });
        self.refreshing.retain(|(owner, _), _| *owner != page);
        self.streams.retain(|stream| stream.page != page);
    }
}

#[derive(Clone, Copy)]
enum Due {
    Heartbeat,
    Timeout(u32, u32),
    Lease(usize),
    Wake(u32),
}

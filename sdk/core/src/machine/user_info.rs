//! What is known of the `UserInfo` endpoint: whether it is of use to ask it about the session.
//!
//! A provider may let no script of another origin read it, which looks like a network that is away; it
//! may not be for tokens like this page's; and somebody on the way may answer in its place. So nothing
//! counts before it was seen twice, with a good answer of the provider in between. (That it was asked too often
//! counts at once: it says so itself.)
//!
//! ```text
//!   asked ──> failed ── the provider answered elsewhere ──> suspect ── failed again ──> useless
//!     ^         ^                                              │                           │
//!     └─────────┴────────────── an answer, or ten minutes ─────┴───────────────────────────┘
//! ```

/// For how long an endpoint that is of no use is not asked.
const USELESS_MS: i64 = 10 * 60_000;

/// For how long one that was asked too often is let alone at least.
const REST_MS: i64 = 30_000;

/// What a page knows of it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct UserInfoEndpoint {
    /// It has answered this page, whatever it said: what fails later is the network's fault.
    is_readable: bool,
    doubt: Doubt,
    /// The version of the session whose token it has refused before its time, and none accepted since.
    refused_ms: Option<i64>,
    /// How often it has become suspect: what was asked before that proves nothing more.
    suspicions: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Doubt {
    #[default]
    No,
    /// It could not be reached, or did not say what it is asked for.
    Failed,
    /// The same, and the provider has answered elsewhere since: it is tried once more.
    Suspect,
    /// In vain: it is not asked before this time of the page's own clock.
    Useless { until_ms: i64 },
}

impl UserInfoEndpoint {
    /// Whether it is of no use to ask it now.
    pub(super) fn is_useless(self, now_ms: i64) -> bool {
        matches!(self.doubt, Doubt::Useless { until_ms } if now_ms < until_ms)
    }

    /// Whether the provider is to answer elsewhere before it is asked again.
    pub(super) fn has_failed(self) -> bool {
        self.doubt == Doubt::Failed
    }

    /// It is asked now: the number goes with the question, and comes back with the answer.
    pub(super) fn asks(self) -> u32 {
        self.suspicions
    }

    /// It has said what it is asked for.
    pub(super) fn accepts(&mut self) {
        self.answers();
        self.refused_ms = None;
    }

    /// It has answered about the session.
    pub(super) fn answers(&mut self) {
        (self.is_readable, self.doubt) = (true, Doubt::No);
    }

    /// It has refused a token before its time: the session may be over, which a refresh tells. Where a
    /// second one, which a refresh has brought since, is refused too, it is not for tokens like these (but
    /// for those of another API, say).
    pub(super) fn refuses(&mut self, now_ms: i64, version_ms: i64) {
        self.answers();
        if self.refused_ms.replace(version_ms).is_some_and(|before| before != version_ms) {
            self.doubt = useless(now_ms, USELESS_MS);
        }
    }

    /// It was asked too often (RFC 6585, 4), and is let alone for so many seconds.
    pub(super) fn rests(&mut self, now_ms: i64, seconds: Option<i64>) {
        let ms = seconds.unwrap_or(0).saturating_mul(1000).clamp(REST_MS, USELESS_MS);
        (self.is_readable, self.doubt) = (true, useless(now_ms, ms));
    }

    /// It could not be reached; true if that is not the network's fault.
    pub(super) fn fails(&mut self, now_ms: i64, asked: u32) -> bool {
        self.doubt = match self.doubt {
            // An answer to what was asked before that was known.
            known if self.is_useless(now_ms) => known,
            _ if self.is_readable => Doubt::No,
            Doubt::Suspect if asked == self.suspicions => useless(now_ms, USELESS_MS),
            _ => Doubt::Failed,
        };
        self.is_useless(now_ms)
    }

    /// What it says is not about the session; true if that is so for good. Else it is asked once more
    /// when the provider has answered elsewhere.
    pub(super) fn evades(&mut self, now_ms: i64, asked: u32) -> bool {
        // That it could not be reached before was the network's fault after all.
        let is_second = core::mem::replace(&mut self.is_readable, true) && asked == self.suspicions;
        match self.doubt {
            _ if self.is_useless(now_ms) => {}
            Doubt::Suspect if is_second => self.doubt = useless(now_ms, USELESS_MS),
            Doubt::Suspect => {}
            _ => self.becomes_suspect(),
        }
        self.is_useless(now_ms)
    }

    /// The provider has answered elsewhere just now.
    pub(super) fn suspect(&mut self) {
        if self.doubt == Doubt::Failed {
            self.becomes_suspect();
        }
    }

    const fn becomes_suspect(&mut self) {
        self.doubt = Doubt::Suspect;
        self.suspicions = self.suspicions.wrapping_add(1);
    }

    /// The provider itself is away: what was seen since it answered says nothing.
    pub(super) fn forgive(&mut self) {
        if self.doubt == Doubt::Suspect {
            self.doubt = Doubt::Failed;
        }
    }

    /// There are other tokens to ask it with.
    pub(super) fn begin_anew(&mut self) {
        (self.doubt, self.refused_ms) = (Doubt::No, None);
    }
}

const fn useless(now_ms: i64, for_ms: i64) -> Doubt {
    Doubt::Useless { until_ms: now_ms.saturating_add(for_ms) }
}

//! The timeline: every step of every flow, what came, which check decided, by which section.
//!
//! For people who watch (the lobby), for tests that assert an order, and as the log. Secrets are
//! masked before a step is recorded, so no reader can get at them.

mod masking;
mod step;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;

use crate::clock::Clock;

pub(crate) use step::{RecordedStep, Step, StepName};

/// The kept history and those who follow it.
///
/// Clones are the same timeline: the isolated issuers of scenarios write into that of the provider.
#[derive(Clone)]
pub(crate) struct Timeline {
    inner: Arc<Inner>,
    /// The scenario whose issuer writes through this one.
    issuer_of: Option<&'static str>,
}

struct Inner {
    clock: Clock,
    logs: bool,
    kept: Mutex<Kept>,
    followers: broadcast::Sender<RecordedStep>,
}

struct Kept {
    steps: VecDeque<RecordedStep>,
    last_seq: u64,
}

impl Timeline {
    /// An empty timeline; `logs` writes each step to stderr too.
    pub(crate) fn new(clock: Clock, logs: bool) -> Self {
        let (followers, _) = broadcast::channel(MAX_BEHIND);
        let kept = Mutex::new(Kept { steps: VecDeque::new(), last_seq: 0 });
        Self { inner: Arc::new(Inner { clock, logs, kept, followers }), issuer_of: None }
    }

    /// The same timeline, for the isolated issuer of a scenario.
    pub(crate) fn of_issuer(&self, scenario: &'static str) -> Self {
        Self { inner: self.inner.clone(), issuer_of: Some(scenario) }
    }

    /// Adds a step at the end.
    pub(crate) fn record(&self, step: Step) {
        let mut kept = self.kept();
        kept.last_seq += 1;
        let recorded = step.at(kept.last_seq, self.inner.clock.now(), self.issuer_of);
        if self.inner.logs {
            crate::log::line(&recorded.log_line());
        }
        if kept.steps.len() == MAX_KEPT {
            kept.steps.pop_front();
        }
        // Under the lock, so that followers see the order of the numbers, and none comes meanwhile.
        if self.inner.followers.receiver_count() > 0 {
            let _followers = self.inner.followers.send(recorded.clone());
        }
        kept.steps.push_back(recorded);
    }

    /// What is kept with a number greater than `seq`.
    pub(crate) fn after(&self, seq: u64) -> Vec<RecordedStep> {
        self.kept().steps.iter().filter(|step| step.seq > seq).cloned().collect()
    }

    /// The history, and everything that is recorded after it: no step is missed or repeated.
    pub(crate) fn follow(&self) -> (Vec<RecordedStep>, broadcast::Receiver<RecordedStep>) {
        let kept = self.kept();
        (kept.steps.iter().cloned().collect(), self.inner.followers.subscribe())
    }

    /// Forgets the history. Numbers go on, so that a follower never sees one twice.
    pub(crate) fn clear(&self) {
        self.kept().steps.clear();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.inner.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Some hundred journeys.
const MAX_KEPT: usize = 4_000;

/// How many steps a follower may be behind before it misses some; it then reads the history.
const MAX_BEHIND: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::UnixTime;

    fn timeline() -> Timeline {
        Timeline::new(Clock::frozen_at(UnixTime::from_seconds(1)), false)
    }

    #[test]
    fn op29_keeps_a_bounded_history_with_running_numbers() {
        let timeline = timeline();
        for _ in 0..MAX_KEPT + 10 {
            timeline.record(Step::new(StepName::AuthorizeReceived, "s", "d"));
        }
        let steps = timeline.after(0);
        assert_eq!(steps.len(), MAX_KEPT);
        assert_eq!(steps[0].seq, 11);
        assert_eq!(timeline.after(steps[0].seq).len(), MAX_KEPT - 1);
    }

    #[test]
    fn follower_gets_history_then_news_without_gap() {
        let timeline = timeline();
        timeline.record(Step::new(StepName::AuthorizeReceived, "s", "1"));
        let (history, mut news) = timeline.follow();
        timeline.record(Step::new(StepName::CodeIssued, "s", "2"));
        assert_eq!(history.last().unwrap().seq, 1);
        assert_eq!(news.try_recv().unwrap().seq, 2);
    }
}

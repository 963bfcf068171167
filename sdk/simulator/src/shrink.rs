//! Playing schedules, and cutting one that fails down to the turns that matter.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use gatepass_core::wire::Scope;

use crate::{
    rules::{Broken, Rule},
    schedule::{Schedule, Setup, Turn},
    story::Story,
    world::{Meddler, World},
};

/// Makes the defect of a world, anew for each.
type Defect<'a> = &'a dyn Fn() -> Option<Box<dyn Meddler>>;

/// Plays a schedule.
///
/// # Errors
/// The first rule that was broken.
pub fn run(schedule: &Schedule) -> Result<u64, Broken> {
    run_with(schedule, &|| None)
}

/// Plays a schedule with a defect in it, on purpose; gives the number of steps.
///
/// # Errors
/// The first rule that was broken.
pub fn run_with(schedule: &Schedule, defect: Defect<'_>) -> Result<u64, Broken> {
    let (played, _) = play(schedule, defect, Story::default());
    played
}

fn play(schedule: &Schedule, defect: Defect<'_>, story: Story) -> (Result<u64, Broken>, String) {
    let mut world = World::new(schedule.seed, &schedule.setup, story, defect());
    let played = catch_unwind(AssertUnwindSafe(|| {
        for (at, turn) in schedule.turns.iter().enumerate() {
            world.story.begin(|| format!("  {:>2}. {}", at + 1, turn.act));
            world.turn(turn);
            if world.broken.is_some() {
                return;
            }
        }
        let even = schedule.seed.is_multiple_of(2);
        world.come_to_rest(if even { Scope::Global } else { Scope::Local });
    }));
    if played.is_err() {
        world.breaks(Rule::NoPanic, || "something panicked".into());
    }
    let result = match world.broken.take() {
        Some(broken) => Err(broken),
        None => Ok(world.steps),
    };
    (result, world.story.text())
}

/// A schedule that breaks a rule, as short as it could be made.
#[derive(Debug)]
pub struct Failure {
    /// The rule, and how.
    pub broken: Broken,
    /// The schedule.
    pub schedule: Schedule,
    /// How many turns it had at first.
    pub turns_before: usize,
    /// What happened.
    pub story: String,
}

impl Failure {
    /// Plays a schedule and, if it breaks a rule, shrinks it.
    #[must_use]
    pub fn of(schedule: &Schedule, defect: Defect<'_>) -> Option<Self> {
        let broken = run_with(schedule, defect).err()?;
        let turns_before = schedule.turns.len();
        let schedule = shrink(schedule.clone(), broken.rule, defect);
        let (played, story) = play(&schedule, defect, Story::kept());
        Some(Self { broken: played.err().unwrap_or(broken), schedule, turns_before, story })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { broken, schedule, turns_before, story } = self;
        writeln!(
            f,
            "seed {}: {}\n  {}\n  cut down from {turns_before} turns to {}\n  the world: {}\n{story}",
            schedule.seed,
            broken.rule.name(),
            broken.what,
            schedule.turns.len(),
            schedule.setup,
        )
    }
}

/// Delta debugging: whatever can be taken away, and the same rule is still broken, is taken away.
fn shrink(mut schedule: Schedule, rule: Rule, defect: Defect<'_>) -> Schedule {
    let fails =
        |schedule: &Schedule| run_with(schedule, defect).is_err_and(|broken| broken.rule == rule);
    let mut chunk = schedule.turns.len().div_ceil(2);
    while chunk > 0 {
        let mut at = 0;
        let mut took_any = false;
        while at < schedule.turns.len() {
            let mut shorter = schedule.clone();
            let end = (at + chunk).min(shorter.turns.len());
            shorter.turns.drain(at..end);
            if fails(&shorter) {
                schedule = shorter;
                took_any = true;
            } else {
                at += chunk;
            }
        }
        if !took_any || chunk > 1 {
            chunk /= 2;
        }
    }
    simplify_turns(&mut schedule, &fails);
    simplify_setup(&mut schedule, &fails);
    schedule
}

/// Everything arrives at once after each turn, where that changes nothing.
fn simplify_turns(schedule: &mut Schedule, fails: &impl Fn(&Schedule) -> bool) {
    for at in 0..schedule.turns.len() {
        let mut simpler = schedule.clone();
        if let Some(turn) = simpler.turns.get_mut(at) {
            *turn = Turn { arrivals: 1000, order: 0, ..turn.clone() };
        }
        if fails(&simpler) {
            *schedule = simpler;
        }
    }
}

/// The world is as ordinary as it can be.
fn simplify_setup(schedule: &mut Schedule, fails: &impl Fn(&Schedule) -> bool) {
    let steps: [fn(&mut Setup); 12] = [
        |setup| setup.locks_missing = false,
        |setup| setup.frames_are_blind = false,
        |setup| setup.names_frame_pages = false,
        |setup| setup.shares_host = false,
        |setup| setup.session_lifetime = None,
        |setup| setup.no_refresh_tokens = false,
        |setup| setup.no_rotation = false,
        |setup| setup.strict_rotation = false,
        |setup| setup.no_refreshed_id_token = false,
        |setup| setup.no_events = false,
        |setup| setup.messages_overtake = false,
        |setup| setup.storage = None,
    ];
    for step in steps {
        let mut simpler = schedule.clone();
        step(&mut simpler.setup);
        if fails(&simpler) {
            *schedule = simpler;
        }
    }
}

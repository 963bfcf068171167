//! The world itself: nothing else is believed before this.

use anyhow::{Context, ensure};
use gatepass_tests::world::World;
use gatepass_tests::{Result, journey};

#[test]
fn world_proves_itself() -> Result {
    // The proof comes before every journey; a journey of no steps shows that it and a stage stand.
    journey().go(async |_, _| Ok(()))
}

#[test]
fn a_world_that_is_another_is_refused() -> Result {
    journey().go(async |stage, browser| {
        let this = World::of_this_run()?;
        for (name, other) in World::ALL.into_iter().filter(|(_, world)| *world != this) {
            let refused = other.prove(browser, &stage.site).await.err();
            let words = refused.with_context(|| format!("{name} was believed"))?.to_string();
            ensure!(words.contains("framed cookie probe"), "{words}");
        }
        Ok(())
    })
}

//! How long a page waits between its tries.

use super::{Page, World};

/// Expects that the pause after the first failure is at most two seconds, and that it grows to half a
/// minute and no further, spread over all of it. `fail` gives a page whose first try has failed, in a
/// world where all others do.
pub fn expect_growing_pauses(begin: impl Fn() -> World, fail: impl Fn(&World) -> Page) {
    let mut longest = Vec::new();
    for failures in 0..8 {
        let mut seen = Vec::new();
        for tries in 0..12 {
            let world = begin();
            for _ in 0..tries {
                // Draws other jitter.
                world.open().close();
            }
            let page = fail(&world);
            for _ in 0..failures {
                let pause = page.wake_in().unwrap();
                world.advance_ms(pause);
            }
            seen.push(page.wake_in().unwrap());
        }
        let limit = [2000, 3000, 5000, 9000, 17_000, 30_000, 30_000, 30_000][failures];
        assert!(seen.iter().all(|pause| (1000..=limit).contains(pause)), "{failures}: {seen:?}");
        seen.sort_unstable();
        seen.dedup();
        assert!(seen.len() > 6, "it is spread: {seen:?}");
        longest.push(*seen.last().unwrap());
    }
    assert!(longest[5] > longest[0]);
}

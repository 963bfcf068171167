//! The world itself: nothing else is believed before this.

use gatepass_tests::{Result, journey};

#[test]
fn world_proves_itself() -> Result {
    // The proof comes before every journey; a journey of no steps shows that it and a stage stand.
    journey().go(async |_, _| Ok(()))
}

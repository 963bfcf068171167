//! Hooli: a self-important giant, as a demo app of Gatepass.

mod face;

fn main() {
    demo_bones::start(face::HOOLI);
}

//! Pied Piper: a small file-compression start-up, as a demo app of Gatepass.

mod face;

fn main() {
    demo_bones::start(face::PIED_PIPER);
}

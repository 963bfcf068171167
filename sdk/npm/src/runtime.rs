//! What `no_std` asks of the module: memory, and what a panic does.
//!
//! Measured, brotli of the whole module: lol_alloc's free list costs 0.5 KB over an allocator that
//! never frees; powers of two in lists of our own would save 0.04 KB and cost sixty lines of
//! `unsafe`.

use core::panic::PanicInfo;
use lol_alloc::{AssumeSingleThreaded, FreeListAllocator};

#[allow(unsafe_code, reason = "states that the module has one thread, which no type can show")]
// SAFETY: the target is built without `atomics`, so its memory is not shared with any other thread.
#[global_allocator]
static MEMORY: AssumeSingleThreaded<FreeListAllocator> =
    unsafe { AssumeSingleThreaded::new(FreeListAllocator::new()) };

/// Traps: the face sees a `RuntimeError` and lets no further step in.
///
/// The message is dropped, as formatting it would weigh more than the machine's JSON reader.
#[panic_handler]
fn trap(_: &PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}

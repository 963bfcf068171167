//! JSON from outside and to outside: the one reader and the one writer of the crate.

mod read;
mod write;

pub(crate) use read::read_long;
pub use read::{Malformed, Value, read};
pub use write::Writer;
pub(crate) use write::push_integer;

//! Points in time and spans, as the core is told them.

/// What the two clocks say when a step begins, in milliseconds.
///
/// `wall_ms` counts from the Unix epoch and may jump; `monotonic_ms` counts from any origin and
/// never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since 1970-01-01T00:00:00Z by the local clock.
    pub wall_ms: i64,
    /// Milliseconds since an arbitrary origin (the page's start).
    pub monotonic_ms: i64,
}

/// Seconds since 1970-01-01T00:00:00Z (RFC 7519's `NumericDate`, whole seconds).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixTime(pub i64);

impl UnixTime {
    /// The point `span` later. Saturates.
    #[must_use]
    pub const fn plus(self, span: Seconds) -> Self {
        Self(sum(self.0, span.0))
    }
}

/// A span of whole seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub i64);

/// `a + b`, saturating. Not inlined: that takes many bytes of wasm for 64 bits.
#[inline(never)]
pub(crate) const fn sum(a: i64, b: i64) -> i64 {
    a.saturating_add(b)
}

/// `a - b`, saturating.
#[inline(never)]
pub(crate) const fn difference(a: i64, b: i64) -> i64 {
    a.saturating_sub(b)
}

//! Medians and spread of what was measured.

use serde::Serialize;

/// How measured values lie.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    /// How many values.
    pub(crate) n: usize,
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) p95: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// Of at least one value; `None` for none, or for one that is no number.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        if values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        Some(Self {
            n: sorted.len(),
            min: *sorted.first()?,
            median: percentile(&sorted, 50)?,
            p95: percentile(&sorted, 95)?,
            max: *sorted.last()?,
        })
    }
}

/// The nearest rank: a value that was really measured, with at least `percent` of all at or below.
fn percentile(sorted: &[f64], percent: usize) -> Option<f64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_values_that_were_measured() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        let spread = Spread::of(&values).unwrap();
        let expected = Spread { n: 100, min: 1.0, median: 50.0, p95: 95.0, max: 100.0 };
        assert_eq!(spread, expected);
    }

    #[test]
    fn one_value_is_all_of_them() {
        let expected = Spread { n: 1, min: 7.0, median: 7.0, p95: 7.0, max: 7.0 };
        assert_eq!(Spread::of(&[7.0]), Some(expected));
    }

    #[test]
    fn p95_of_few_values_is_the_largest() {
        let spread = Spread::of(&[3.0, 1.0, 2.0]).unwrap();
        assert_eq!((spread.median, spread.p95), (2.0, 3.0));
    }

    #[test]
    fn nothing_has_no_spread() {
        assert_eq!(Spread::of(&[]), None);
        assert_eq!(Spread::of(&[1.0, f64::NAN]), None);
    }
}

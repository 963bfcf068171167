//! The behaviours that are promised, and which of them have a test.
//!
//! A test's name begins with the ids that it shows, in lower case: `f7_logout_order`,
//! `f1_s2_one_password`.

/// The behaviours that the demo and its tests show so far.
const PROMISED: [&str; 31] = [
    "F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "F10", "F11", "F12", "F14", "F17", "F18",
    "F19", "F20", "F21", "C9", "D1", "D3", "D13", "R6", "S1", "S2", "S5", "S7", "S10", "S11",
    "S15", "R14",
];

/// The promised behaviours that none of these tests shows.
pub(super) fn without_a_test<'a>(
    passed: impl Iterator<Item = &'a str>,
) -> impl Iterator<Item = &'static str> {
    let shown: Vec<String> = passed.flat_map(ids).collect();
    PROMISED.into_iter().filter(move |row| !shown.iter().any(|id| id == row))
}

/// The ids at the beginning of a test's own name, in capitals.
pub(super) fn ids(name: &str) -> impl Iterator<Item = String> {
    let own = name.rsplit("::").next().unwrap_or(name);
    own.split('_').take_while(|word| is_id(word)).map(str::to_uppercase)
}

fn is_id(word: &str) -> bool {
    let digits = word.trim_start_matches(|letter: char| letter.is_ascii_lowercase());
    digits.len() < word.len() && !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_each_id_at_the_beginning() {
        assert_eq!(ids("f1_s2_one_password").collect::<Vec<_>>(), ["F1", "S2"]);
        assert_eq!(ids("journeys::f14_not_assigned").collect::<Vec<_>>(), ["F14"]);
        assert_eq!(ids("op21_cors").collect::<Vec<_>>(), ["OP21"]);
    }

    #[test]
    fn takes_no_other_word_for_an_id() {
        for name in ["rejects_f1", "f_1", "rs256", "f1x_y", "1_f"] {
            let found: Vec<_> = ids(name).filter(|id| PROMISED.contains(&id.as_str())).collect();
            assert!(found.is_empty(), "{name}: {found:?}");
        }
    }

    #[test]
    fn lists_what_no_test_shows() {
        let (shown, missing) = PROMISED.split_at(PROMISED.len() - 3);
        let name = format!("{}_all_at_once", shown.join("_").to_lowercase());
        let without: Vec<_> = without_a_test([name.as_str(), "f1_again"].into_iter()).collect();
        assert_eq!(without, missing);
    }
}

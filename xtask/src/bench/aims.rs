//! What is aimed at, and whether a run reached it. A missed aim fails nothing.

use std::collections::BTreeSet;

use super::Part;
use super::report::{Aim, Row};
use crate::test::worlds;

/// The aims of a part, judged by its rows.
pub(super) fn of(part: Part, rows: &[Row]) -> Vec<Aim> {
    match part {
        Part::Size => vec![aim(
            "gatepass below oidc-spa, brotli",
            compare(rows, ["gatepass", "oidc-spa"], "brotli", |ours, theirs| ours < theirs),
        )],
        Part::Logout => vec![aim(
            "p95 below 100 ms",
            all(rows, "gatepass", |row| p95(row, "click to anonymous elsewhere"), 100.0),
        )],
        Part::Worlds => vec![aim(
            "a sign-out is heard in all five worlds",
            rows.iter().filter(|row| row.name == "gatepass" && !row.measures.is_empty()).count()
                == worlds::ALL.len(),
        )],
        Part::Tabs => vec![aim(
            "one request",
            all(rows, "gatepass", |row| Some(row.measure("requests")?.max), 1.5),
        )],
        Part::Callback => callback(rows),
        Part::Reload => reload(rows),
        Part::Start => vec![
            aim(
                "idp-dev below 100 ms to the first verified ID token",
                all(rows, "idp-dev", |row| median(row, "first verified ID token"), 100.0),
            ),
            aim(
                "idp-dev below 15 MB idle",
                all(rows, "idp-dev", |row| median(row, "idle memory"), 15.0),
            ),
        ],
        Part::Load => ["discovery", "code+PKCE logins"]
            .map(|measure| {
                let providers = ["idp-dev", "oidc-provider"];
                let is_met = compare(rows, providers, measure, |ours, theirs| ours > 5.0 * theirs);
                aim(&format!("idp-dev more than 5 times oidc-provider: {measure}"), is_met)
            })
            .to_vec(),
        Part::Streams => vec![
            aim(
                "below 20 kB for each stream",
                all(rows, "idp-dev", |row| median(row, "memory of a stream"), 20.0),
            ),
            aim(
                "the end of a session of 50 apps at their streams below 100 ms",
                all(&rows[..rows.len().min(1)], "idp-dev", sign_out, 100.0),
            ),
            aim(
                "one sign-out at all streams within a second",
                all(&rows[rows.len().min(1)..], "idp-dev", sign_out, 1000.0),
            ),
        ],
        Part::Verify => verify(rows),
        Part::Schedules => vec![aim("20,000 in a minute", twenty_thousand(rows))],
    }
}

fn twenty_thousand(rows: &[Row]) -> bool {
    let rate = |row: &Row| median(row, "schedules");
    rows.iter().filter_map(rate).any(|rate| rate * 60.0 >= 20_000.0)
}

/// Each place, with its own way to check signatures, by itself: one row's note says which.
fn verify(rows: &[Row]) -> Vec<Aim> {
    let places: BTreeSet<_> = rows.iter().filter_map(|row| row.note.as_deref()).collect();
    let in_each = places.into_iter().flat_map(|place| {
        let is_here = |row: &&Row| row.note.as_deref() == Some(place);
        let here: Vec<_> = rows.iter().filter(is_here).cloned().collect();
        let peers = [("signature alone", 2.0), ("jose", 1.0), ("jsonwebtoken", 1.0)];
        let present =
            peers.into_iter().filter(|(peer, _)| here.iter().any(|row| row.name == *peer));
        let aims = present.map(|(peer, times)| {
            let is_met = ["RS256", "ES256"].into_iter().all(|alg| {
                compare(&here, ["gatepass", peer], alg, |ours, theirs| ours <= times * theirs)
            });
            match peer {
                "signature alone" => aim(&format!("at most twice the signature, {place}"), is_met),
                _ => aim(&format!("not slower than {peer}, {place}"), is_met),
            }
        });
        aims.collect::<Vec<_>>()
    });
    in_each.collect()
}

fn sign_out(row: &Row) -> Option<f64> {
    median(row, "sign-out to the last stream")
}

/// The clients are compared at each distance by itself: one row's note says how far that is.
fn callback(rows: &[Row]) -> Vec<Aim> {
    let one = all(rows, "gatepass", |row| median(row, "round trips"), 1.5);
    let mut aims = vec![aim("one round trip", one)];
    let (near, far): (Vec<_>, Vec<_>) = rows.iter().cloned().partition(|row| row.note.is_none());
    for rows in [near, far] {
        let note = rows.iter().find_map(|row| row.note.as_deref());
        let note = note.map_or_else(String::new, |note| format!(", {note}"));
        for peer in ["oidc-client-ts", "oidc-spa"] {
            if rows.iter().any(|row| row.name == peer) {
                let both = ["gatepass", peer];
                let is_met = compare(&rows, both, "time", |ours, theirs| ours <= theirs);
                aims.push(aim(&format!("not slower than {peer}{note}"), is_met));
            }
        }
    }
    aims
}

/// Near the provider and far from it.
fn reload(rows: &[Row]) -> Vec<Aim> {
    let kept = |storage: &str| {
        let is_it = |row: &&Row| row.note.as_deref().is_some_and(|note| note.starts_with(storage));
        rows.iter().filter(is_it).cloned().collect::<Vec<_>>()
    };
    let (session, memory) = (kept("session"), kept("memory"));
    let below = |rows: &[Row], measure: &str, limit| {
        all(rows, "gatepass", |row| median(row, measure), limit)
    };
    let asks_nobody =
        below(&session, "redirects", 0.5) && below(&session, "requests of the last page", 0.5);
    vec![
        aim("no request with session", asks_nobody),
        aim("below 30 ms with session", below(&session, "time", 30.0)),
        aim("one redirect with memory", below(&memory, "redirects", 1.5)),
    ]
}

fn aim(text: &str, met: bool) -> Aim {
    Aim { text: text.to_owned(), met }
}

fn median(row: &Row, measure: &str) -> Option<f64> {
    Some(row.measure(measure)?.median)
}

fn p95(row: &Row, measure: &str) -> Option<f64> {
    Some(row.measure(measure)?.p95)
}

/// Whether all rows of a name, at least one, are below a limit.
fn all(rows: &[Row], name: &str, value: impl Fn(&Row) -> Option<f64>, limit: f64) -> bool {
    let mut ours = rows.iter().filter(|row| row.name == name).map(value).peekable();
    ours.peek().is_some() && ours.all(|value| value.is_some_and(|value| value < limit))
}

/// Whether the medians of two rows stand to each other as they should.
fn compare(
    rows: &[Row],
    names: [&str; 2],
    measure: &str,
    is_met: impl Fn(f64, f64) -> bool,
) -> bool {
    let of = |name: &str| {
        let row = rows.iter().find(|row| row.name == name)?;
        median(row, measure)
    };
    match names.map(of) {
        [Some(ours), Some(theirs)] => is_met(ours, theirs),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::row;
    use super::*;

    fn met(part: Part, rows: &[Row]) -> Vec<bool> {
        of(part, rows).into_iter().map(|aim| aim.met).collect()
    }

    #[test]
    fn logout_is_judged_by_its_p95() {
        let click = "click to anonymous elsewhere";
        let slow = row(Part::Logout, "gatepass", click, [1.0, 2.0, 100.0, 101.0]);
        let fast = row(Part::Logout, "gatepass", click, [1.0, 2.0, 99.9, 101.0]);
        assert_eq!(met(Part::Logout, &[slow]), [false]);
        assert_eq!(met(Part::Logout, &[fast]), [true]);
        assert_eq!(met(Part::Logout, &[]), [false]);
    }

    #[test]
    fn load_needs_more_than_five_times() {
        let of = |name, value| row(Part::Load, name, "discovery", [value; 4]);
        let rows = |ours| [of("idp-dev", ours), of("oidc-provider", 2.0)];
        assert_eq!(met(Part::Load, &rows(10.1)), [true, false]);
        assert_eq!(met(Part::Load, &rows(10.0)), [false, false]);
    }

    #[test]
    fn a_callback_may_be_as_fast_as_a_peer() {
        let of = |name, value| row(Part::Callback, name, "time", [value; 4]);
        let rows = [of("gatepass", 5.0), of("oidc-client-ts", 5.0), of("oidc-spa", 4.0)];
        assert_eq!(met(Part::Callback, &rows), [false, true, false]);
        // Far away, each is compared with those that are as far.
        let far = rows.clone().map(|row| Row { note: Some("far".to_owned()), ..row });
        let both = [&[of("gatepass", 4.0)][..], &rows[1..], &far[..2]].concat();
        assert_eq!(met(Part::Callback, &both), [false, true, true, true]);
    }

    #[test]
    fn a_reload_is_judged_by_where_the_session_is_kept() {
        let of = |note: &str, redirects, time| {
            let mut row_of = row(Part::Reload, "gatepass", "redirects", [redirects; 4]);
            let more = [("requests of the last page", redirects), ("time", time)];
            for (name, value) in more {
                row_of.measures.extend(row(Part::Reload, "", name, [value; 4]).measures);
            }
            Row { note: Some(note.to_owned()), ..row_of }
        };
        let memory = of("memory", 1.0, 90.0);
        let rows = |time| [memory.clone(), of("session", 0.0, 9.0), of("session, far", 0.0, time)];
        assert_eq!(met(Part::Reload, &rows(29.9)), [true; 3]);
        assert_eq!(met(Part::Reload, &rows(30.0)), [true, false, true]);
        let asks = [of("memory", 2.0, 1.0), of("session", 1.0, 1.0)];
        assert_eq!(met(Part::Reload, &asks), [false, true, false]);
    }

    #[test]
    fn a_verification_is_compared_where_it_is_made_and_with_both_algorithms() {
        let of = |place: &str, name, [rs256, es256]: [f64; 2]| {
            let mut both = row(Part::Verify, name, "RS256", [rs256; 4]);
            both.measures.extend(row(Part::Verify, name, "ES256", [es256; 4]).measures);
            Row { note: Some(place.to_owned()), ..both }
        };
        let alone = of("page", "signature alone", [10.0, 10.0]);
        let jose = of("page", "jose", [19.0, 21.0]);
        let elsewhere = of("native", "jsonwebtoken", [1.0, 1.0]);
        let ours = |values| vec![of("page", "gatepass", values), alone.clone(), jose.clone()];
        assert_eq!(met(Part::Verify, &ours([19.0, 20.0])), [true, true]);
        assert_eq!(met(Part::Verify, &ours([20.0, 20.0])), [true, false]);
        assert_eq!(met(Part::Verify, &ours([19.0, 20.1])), [false, true]);
        let both = [ours([1.0, 1.0]), vec![elsewhere]].concat();
        assert_eq!(met(Part::Verify, &both), [false, true, true]);
    }

    #[test]
    fn worlds_are_five_and_tabs_ask_once() {
        let heard = |count| vec![row(Part::Worlds, "gatepass", "click", [1.0; 4]); count];
        assert_eq!(met(Part::Worlds, &heard(5)), [true]);
        assert_eq!(met(Part::Worlds, &heard(4)), [false]);
        let asked = |most| [row(Part::Tabs, "gatepass", "requests", [1.0, 1.0, 1.0, most])];
        assert_eq!(met(Part::Tabs, &asked(1.0)), [true]);
        assert_eq!(met(Part::Tabs, &asked(2.0)), [false]);
    }

    #[test]
    fn schedules_fit_a_minute() {
        let at = |rate| [row(Part::Schedules, "simulator", "schedules", [rate; 4])];
        assert_eq!(met(Part::Schedules, &at(334.0)), [true]);
        assert_eq!(met(Part::Schedules, &at(333.0)), [false]);
    }

    #[test]
    fn every_row_of_ours_counts() {
        let of = |value| row(Part::Start, "idp-dev", "idle memory", [value; 4]);
        assert_eq!(met(Part::Start, &[of(1.0), of(14.0)]), [false, true]);
        assert_eq!(met(Part::Start, &[of(1.0), of(15.0)]), [false, false]);
    }
}

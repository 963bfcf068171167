//! The time, once a second, and how it is said.

use gloo::timers::callback::Interval;
use js_sys::Date;
use leptos::prelude::*;
use wasm_bindgen::JsValue;

/// This machine's time in Unix seconds; it moves until the owner is gone.
pub(crate) fn unix_seconds() -> ReadSignal<i64> {
    let (now, set_now) = signal(read());
    let interval = StoredValue::new_local(Some(Interval::new(1000, move || set_now.set(read()))));
    on_cleanup(move || {
        interval.try_update_value(|interval| drop(interval.take()));
    });
    now
}

#[expect(clippy::cast_possible_truncation, reason = "seconds fit for 285,000 years")]
fn read() -> i64 {
    (Date::now() / 1000.0) as i64
}

/// A stretch of time: `04:11`, `1:02:03`.
pub(crate) fn stretch(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes:02}:{seconds:02}")
    }
}

/// A moment as a clock on the wall shows it, in the person's own way.
pub(crate) fn clock(unix_seconds: i64) -> String {
    date(unix_seconds).to_locale_time_string("default").into()
}

/// A moment for machines (`<time datetime>`).
pub(crate) fn iso(unix_seconds: i64) -> String {
    date(unix_seconds).to_iso_string().into()
}

#[expect(clippy::cast_precision_loss, reason = "exact for 285,000 years")]
fn date(unix_seconds: i64) -> Date {
    Date::new(&JsValue::from_f64(unix_seconds as f64 * 1000.0))
}

#[cfg(test)]
mod tests {
    use super::stretch;

    #[test]
    fn stretch_shows_hours_only_when_there_are_some() {
        assert_eq!(stretch(-5), "00:00");
        assert_eq!(stretch(251), "04:11");
        assert_eq!(stretch(3599), "59:59");
        assert_eq!(stretch(3723), "1:02:03");
    }
}

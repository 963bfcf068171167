//! The worlds that journeys run in: an engine with a rule for third-party cookies.

use serde::Deserialize;
use std::fs;
use std::path::PathBuf;

use crate::workspace;

/// Chromium's worlds. In the first every journey but the long ones runs on each change; in all others
/// a spine does, and everything by `test all`.
pub(super) const CHROMIUM: [&str; 2] = ["chromium-blocked", "chromium-allowed"];

/// Firefox's worlds.
pub(super) const FIREFOX: [&str; 2] = ["firefox-default", "firefox-block-all"];

/// WebKit's world.
pub(super) const WEBKIT: &str = "webkit-itp";

/// Where each behaviour that is promised is to be seen.
pub(super) const COMPLETE: [&str; 2] = [CHROMIUM[0], FIREFOX[0]];

/// All of them, as the table has them.
pub(crate) const ALL: [&str; 5] = [CHROMIUM[0], CHROMIUM[1], FIREFOX[0], FIREFOX[1], WEBKIT];

/// The spine: the journeys of each test file that run in every world on each change. What a person
/// would notice first: signing in once for two sites, and out of both.
pub(super) const SPINE: [(&str, &[&str]); 3] = [
    (
        "logout",
        &["f2_f20_sign_out_at_hooli_reaches_pied_piper", "f18_back_after_sign_out_shows_no_data"],
    ),
    ("sso", &["f1_s1_s2_one_password_for_two_sites"]),
    ("tabs", &["a_tab_that_closes_hands_the_stream_over"]),
];

/// Journeys that `test all` walks, and each change does not: what they show is held by another one too,
/// or by native tests of the same rule. The report has a row for each.
pub(super) const LONG: [&str; 88] = [
    "a_bookmarked_callback_shows_the_session_or_says_what_to_do",
    "a_callback_handled_twice_at_once_signs_in_once",
    "a_callback_in_a_tab_that_did_not_ask_takes_no_harm",
    "a_callback_opened_again_is_no_error",
    "a_callback_reached_by_back_is_no_error",
    "a_clock_that_is_wrong_by_an_hour_is_told",
    "a_clock_that_is_wrong_by_ten_minutes_keeps_nobody_out",
    "a_double_click_asks_once",
    "a_half_filled_form_that_came_back_is_for_everybody_to_use",
    "a_protected_page_brings_the_person_back_there",
    "a_provider_that_is_down_at_a_click_keeps_the_person_in_the_app",
    "a_provider_that_is_down_at_the_callback_is_told",
    "a_record_of_an_older_version_is_told_and_the_next_sign_in_works",
    "a_restarted_provider_ends_both_sessions",
    "a_sign_in_link_opened_in_a_new_tab_is_told_there_and_works_in_the_first",
    "a_tab_that_reloads_hands_the_stream_over",
    "an_administrator_signs_out_both",
    "another_account_is_chosen_at_the_provider_and_told_once",
    "axe_finds_nothing_in_pied_piper",
    "back_from_the_sign_in_page_leaves_a_working_app",
    "f11_network_killed_while_a_session_is_extended",
    "f11_rp24_a_tab_frozen_for_an_hour_goes_on_or_finds_out",
    "f11_the_demo_counts_down_and_a_click_stays_signed_in",
    "f11_the_lobby_makes_each_row_of_its_table_true",
    "f12_keep_me_signed_in_decides_who_is_known_after_a_restart_of_the_browser",
    "f12_network_killed_while_a_kept_session_starts",
    "f12_s7_storage_cleared_under_the_page_keeps_the_session_until_a_reload",
    "f14_the_lobby_ticks_what_really_happened_in_any_order",
    "f17_a_page_rendered_in_advance_asks_nobody_and_works_when_it_is_shown",
    "f17_c9_a_frame_sees_what_a_persons_click_has_opened_and_not_a_scripts",
    "f17_manual_asks_nobody_before_the_click_which_needs_no_password",
    "f17_network_killed_while_a_silent_frames_code_is_redeemed",
    "f17_probe_of_a_stranger_shows_the_button_and_no_fault",
    "f17_s7_whatever_is_answered_to_a_silent_question_is_told_once_and_a_click_goes_on",
    "f1_f17_network_killed_from_a_silent_frame_on",
    "f1_f2_f12_private_windows_sign_in_and_out_and_keep_what_they_can",
    "f1_network_killed_before_the_sign_in_page",
    "f1_network_killed_on_the_way_of_a_silent_sign_in",
    "f1_network_killed_while_the_code_is_redeemed",
    "f1_network_killed_while_the_password_is_sent",
    "f1_provider_restarted_while_the_code_is_redeemed",
    "f1_provider_restarted_while_the_password_is_typed",
    "f1_the_other_way_round_too",
    "f21_a_refresh_token_that_was_used_by_a_thief_ends_the_session",
    "f21_network_killed_in_the_middle_of_a_refresh",
    "f21_provider_restarted_before_a_refresh",
    "f2_f3_ten_tabs_on_two_sites_show_one_sign_out",
    "f2_network_killed_while_a_sign_out_is_told",
    "f2_s15_a_sign_out_is_seen_by_who_was_offline",
    "f2_s15_a_sign_out_is_seen_in_the_background",
    "f2_sign_out_at_pied_piper_reaches_hooli",
    "f2_two_people_at_one_browser_never_see_each_others_data",
    "f3_a_sign_out_comes_back_although_each_of_five_apps_hangs",
    "f3_a_sign_out_comes_back_although_five_of_fifty_apps_hang",
    "f3_a_sign_out_comes_back_although_one_of_five_apps_hangs",
    "f3_seven_apps_on_one_site_leave_room_for_an_eighth",
    "f3_seven_apps_on_seven_sites_leave_room_for_an_eighth",
    "f5_a_token_that_is_signed_but_wrong_never_creates_a_session",
    "f7_a_sign_out_erases_what_was_kept",
    "f7_network_killed_in_the_middle_of_a_sign_out",
    "f7_provider_restarted_before_a_sign_out",
    "f7_the_local_session_is_gone_even_if_the_provider_is",
    "leaving_in_one_tab_leaves_in_all_tabs_of_the_app",
    "lost_cookies_of_the_provider_end_at_the_button",
    "oidcc_3rd_party_init_login_network_killed_on_its_way",
    "r5_network_killed_before_another_account_is_chosen",
    "r5_network_killed_while_the_other_accounts_code_is_redeemed",
    "records_each_step_in_light_and_dark",
    "reloading_signs_in_again_by_one_redirect",
    "rp22_a_window_asks_nobody_who_is_known",
    "rp22_provider_restarted_while_a_window_is_open",
    "rp24_a_page_left_and_come_back_to_finds_out",
    "s11_half_filled_form_is_erased_by_a_sign_out",
    "s11_half_filled_form_is_never_filled_in_twice",
    "s11_half_filled_form_is_not_shown_to_somebody_else",
    "s15_leaving_one_app_kills_its_token_and_not_the_others",
    "s15_network_killed_while_one_app_is_left",
    "s15_the_api_answers_while_signed_in_and_refuses_after_a_sign_out_elsewhere",
    "s7_a_duplicated_tab_is_the_same_session_and_one_stream",
    "signing_in_again_as_another_shows_the_other",
    "signing_out_at_pied_piper_ticks_the_lobbys_third_step_too",
    "signing_out_in_two_apps_at_once_ends_at_both_buttons",
    "storage_cleared_between_leaving_and_coming_back_is_told_once",
    "the_lobby_tells_an_arrows_details_by_keyboard",
    "the_lobbys_picture_is_paused_stepped_filtered_cleared_and_saved",
    "the_seventh_tab_works_and_hears_the_sign_out",
    "tls_a_browser_that_was_told_nothing_trusts_nothing",
    "two_sign_in_pages_at_once_both_work",
];

/// What belongs to the spine besides where frames get the provider's cookie: the journeys that see
/// something else there.
const SEEING: [(&str, &[&str]); 3] = [
    (
        "idp_frames",
        &["f4_session_frame_tells_a_change_where_it_sees_its_cookie_and_nothing_elsewhere"],
    ),
    ("ways", &["f17_probe_never_leaves_the_page"]),
    ("world", &["world_proves_itself"]),
];

/// The journeys of a test file that belong to a world's spine.
pub(super) fn spine_of(target: &str, world: &str) -> Vec<&'static str> {
    let seeing: &[_] = if world == CHROMIUM[1] { &SEEING } else { &[] };
    let files = SPINE.iter().chain(seeing).filter(|(file, _)| *file == target);
    files.flat_map(|(_, names)| names.iter().copied()).collect()
}

/// What the journeys of one test file wrote about their drivers.
pub(super) struct Notes {
    pub(super) file: PathBuf,
}

/// What a driver could not do in one journey.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Limits {
    /// Why the journey could not be walked, if it could not.
    pub(super) cannot: Option<String>,
    /// What it went on without.
    pub(super) without: Vec<String>,
}

impl Notes {
    /// An empty page for them.
    ///
    /// # Errors
    /// When the file of an earlier run cannot be removed.
    pub(super) fn begin() -> anyhow::Result<Self> {
        let file = workspace::output("report/notes.jsonl");
        fs::create_dir_all(workspace::output("report"))?;
        fs::write(&file, "")?;
        Ok(Self { file })
    }

    /// What was noted about a test that has ended.
    ///
    /// # Errors
    /// When the notes cannot be read: a test that could not be walked would look like one that passed.
    pub(super) fn of(&self, test: &str) -> anyhow::Result<Limits> {
        limits(&fs::read_to_string(&self.file)?, test)
    }
}

fn limits(text: &str, test: &str) -> anyhow::Result<Limits> {
    let mut limits = Limits::default();
    // The last line may be half written, by a test that is not over.
    for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        let note: Note = serde_json::from_str(line)?;
        if note.test != test {
            continue;
        }
        limits.cannot = limits.cannot.or(note.cannot);
        limits.without.extend(note.without);
    }
    limits.without.sort();
    limits.without.dedup();
    Ok(limits)
}

#[derive(Deserialize)]
struct Note {
    test: String,
    cannot: Option<String>,
    without: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_long_journey_is_there() {
        let tests = fs::read_dir(workspace::path("tests/tests")).unwrap();
        let text: String =
            tests.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect();
        for name in LONG {
            assert!(text.contains(&format!("fn {name}(")), "{name}");
        }
    }

    #[test]
    fn reads_the_notes_of_one_test() {
        let text = "{\"test\":\"a\",\"without\":\"x\"}\n{\"test\":\"b\",\"cannot\":\"y\"}\n\
                    {\"test\":\"a\",\"without\":\"x\"}\n";
        let one = Limits { cannot: None, without: vec!["x".to_owned()] };
        assert_eq!(limits(text, "a").unwrap(), one);
        assert_eq!(limits(text, "b").unwrap().cannot.as_deref(), Some("y"));
        assert_eq!(limits(text, "c").unwrap(), Limits::default());
        assert!(limits("nonsense\n", "c").is_err());
    }
}

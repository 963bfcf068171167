//! Signing in in a window of its own (`mode: popup`): the page stays, and the command waits.

use gatepass_core::{
    error::Code,
    wire::{Command, Ending, Failure, Mode, OnLoad, Outcome, Scope, Status},
};
use serde_json::json;

use crate::world::{
    APP, Endpoint, Page, World,
    keys::{ES256, ES256_NEXT},
    page::sign_in_to,
    provider::{SILENT, Visit},
};

/// What a click on "sign in" asks for where it opens a window.
fn in_a_window(wish: Option<&str>) -> Command {
    let mut command = sign_in_to("/elsewhere");
    if let Command::SignIn { mode, prompt, .. } = &mut command {
        *mode = Some(Mode::Popup);
        *prompt = wish.map(Into::into);
    }
    command
}

fn refused(outcome: Option<Outcome>) -> Option<Code> {
    match outcome {
        Some(Outcome::Failed { error }) => Some(error.code),
        other => {
            assert_eq!(other, None);
            None
        }
    }
}

/// Opens a window and lets it come to where the person has to do something.
fn click(page: &Page, prompt: Option<&str>) -> u32 {
    let command = page.begin(in_a_window(prompt));
    page.world.settle();
    command
}

/// A page whose window shows the login page, and the command that waits for it.
fn waiting(world: &World) -> (Page, u32) {
    let page = world.open();
    let command = click(&page, None);
    assert_eq!((page.outcome(command), world.inside().popups.len()), (None, 1));
    (page, command)
}

#[test]
fn rp22_a_window_signs_in_without_leaving_the_page() {
    let world = World::new();
    let other = world.open();
    let (page, click) = waiting(&world);
    page.person_enters_in_window("richard");
    assert_eq!(page.outcome(click), Some(Outcome::Done {}));
    for tab in [&page, &other] {
        tab.expect_status(Status::Authenticated);
        assert_eq!((tab.code(), tab.cause()), (None, None));
    }
    assert_eq!(page.token(), other.token());
    // The same page, and nothing in its storage that could be taken for an attempt.
    assert!(page.is_here());
    assert!(!page.storage().keys().any(|key| key.contains(":attempt:")));
    // The app's page in the window knows by this that it has only to report.
    let asked = world.last_visit();
    assert!(asked["state"].starts_with("gatepass-popup-"), "{}", asked["state"]);
    assert_eq!(asked.get("prompt"), None);
}

#[test]
fn rp22_a_person_who_is_known_sees_the_window_for_a_moment() {
    let world = World::new();
    world.person_signs_in("richard");
    let page = world.open();
    assert_eq!(page.run(in_a_window(None)), Some(Outcome::Done {}));
    page.expect_status(Status::Authenticated);
}

#[test]
fn rp22_without_storage_a_window_signs_in_all_the_same() {
    let world = World::new();
    world.inside().storage_blocked = true;
    world.inside().origin_storage_blocked = true;
    let page = world.open();
    assert_eq!(refused(page.sign_in()), Some(Code::StorageUnavailable));
    let click = click(&page, None);
    page.person_enters_in_window("richard");
    assert_eq!(page.outcome(click), Some(Outcome::Done {}));
    page.expect_status(Status::Authenticated);
    assert_eq!(page.code(), None);
}

#[test]
fn rp22_a_window_that_is_blocked_says_so() {
    let world = World::new();
    world.inside().popups_blocked = true;
    let page = world.open();
    assert_eq!(refused(page.run(in_a_window(None))), Some(Code::PopupBlocked));
    page.expect_status(Status::Anonymous);
    assert_eq!(page.code(), Some(Code::PopupBlocked));
}

#[test]
fn rp22_a_window_that_brings_nothing_changes_nothing() {
    for (failure, code) in
        [(Failure::Timeout, Code::PopupTimeout), (Failure::Cancelled, Code::Cancelled)]
    {
        let world = World::new();
        let (page, click) = waiting(&world);
        world.inside().end_popup(failure);
        world.settle();
        assert_eq!(refused(page.outcome(click)), Some(code));
        page.expect_status(Status::Anonymous);
        // The next click is as good as the first.
        let again = self::click(&page, None);
        page.person_enters_in_window("richard");
        assert_eq!(page.outcome(again), Some(Outcome::Done {}));
        assert_eq!(page.code(), None);
    }
}

#[test]
fn rp22_a_second_click_takes_the_place_of_the_first() {
    let world = World::new();
    let (page, first) = waiting(&world);
    let second = click(&page, None);
    assert_eq!(refused(page.outcome(first)), Some(Code::Superseded));
    page.person_enters_in_window("richard");
    assert_eq!(page.outcome(second), Some(Outcome::Done {}));
    page.expect_status(Status::Authenticated);
    // What the first window would still say is heard by nobody.
    let user = page.claim("sub");
    page.person_enters_in_window("dinesh");
    assert_eq!(page.claim("sub"), user);
}

#[test]
fn rp22_two_clicks_at_once_open_one_window() {
    let world = World::new();
    world.hold(Endpoint::Discovery);
    let page = world.open();
    let (first, second) = (page.begin(in_a_window(None)), page.begin(in_a_window(None)));
    world.release();
    assert_eq!(refused(page.outcome(first)), Some(Code::Superseded));
    page.person_enters_in_window("richard");
    assert_eq!(page.outcome(second), Some(Outcome::Done {}));
}

#[test]
fn rp22_two_windows_whose_answers_cross_sign_in_the_later_click() {
    for crossed in [false, true] {
        let world = World::new();
        world.hold(Endpoint::Token);
        let (page, first) = waiting(&world);
        page.person_enters_in_window("dinesh");
        // What the window brought is at the provider when the person clicks again.
        let second = click(&page, Some("login"));
        page.person_enters_in_window("richard");
        assert_eq!(world.count(Endpoint::Token), 2);
        if crossed {
            world.inside().cross_deliveries();
        }
        world.release();
        assert_eq!(refused(page.outcome(first)), Some(Code::Superseded));
        assert_eq!(page.outcome(second), Some(Outcome::Done {}));
        page.expect_status(Status::Authenticated);
        assert_eq!(page.claim("sub"), "richard", "crossed: {crossed}");
        // Nobody keeps the tokens of the first.
        assert_eq!(world.count(Endpoint::Revocation), 1);
        assert!(page.token().is_ok());
    }
}

/// What a page does at its start, in steps: a click comes after each of them.
fn click_while_starting(begin: impl Fn(&World) -> Page, check: impl Fn(&World, &Page, u32)) {
    for steps in 0.. {
        let world = World::new();
        let page = begin(&world);
        let mut taken = 0;
        while taken < steps && world.inside().deliver_one() {
            taken += 1;
        }
        // It is as good as left, or has started.
        let leaves = !page.is_here() || world.inside().is_leaving(page.tab);
        if taken < steps || leaves || page.status() != Status::Restoring {
            assert!(steps > 3, "the start has steps");
            return;
        }
        let command = page.begin(in_a_window(None));
        world.settle();
        check(&world, &page, command);
    }
}

#[test]
fn rp22_a_window_that_is_opened_while_the_page_starts_is_not_left_empty() {
    for on_load in [OnLoad::Auto, OnLoad::Hint, OnLoad::Probe] {
        let begin = |world: &World| {
            if on_load == OnLoad::Hint {
                world.signed_in("richard").close();
                world.inside().provider.cookie = None;
            }
            let page = world.tab();
            page.begin_load("/", on_load);
            page
        };
        click_while_starting(begin, |world, page, command| {
            assert!(page.is_here());
            assert_eq!((page.outcome(command), world.inside().popups.len()), (None, 1));
            page.expect_status(Status::Anonymous);
            page.person_enters_in_window("richard");
            assert_eq!(page.outcome(command), Some(Outcome::Done {}));
            page.expect_status(Status::Authenticated);
        });
    }
}

#[test]
fn rp22_a_window_that_is_opened_when_the_page_leaves_is_refused_at_once() {
    let world = World::new();
    world.inside().stays = true;
    let page = world.tab();
    page.load("/", OnLoad::Auto);
    let command = page.begin(in_a_window(None));
    assert_eq!(refused(page.outcome(command)), Some(Code::Superseded), "the face closes it");
    // A navigation that was stopped is none: the next click is as good as any.
    world.advance(11);
    page.expect_status(Status::Anonymous);
    let command = click(&page, None);
    page.person_enters_in_window("richard");
    assert_eq!(page.outcome(command), Some(Outcome::Done {}));
}

#[test]
fn rp22_a_page_that_came_back_while_it_started_still_starts() {
    let world = World::new();
    let page = world.tab();
    page.begin_load("/", OnLoad::Auto);
    world.hold(Endpoint::Discovery);
    world.settle();
    page.freeze();
    page.thaw();
    world.release();
    world.advance(1);
    assert!(page.is_here());
    page.expect_status(Status::Anonymous);
}

#[test]
fn rp22_a_sign_out_takes_the_window_back() {
    let world = World::new();
    let (page, command) = waiting(&world);
    page.leave_only_this_app();
    assert_eq!(refused(page.outcome(command)), Some(Code::Superseded));
    // Also when the window has answered, and the answer is being looked at.
    let world = World::new();
    let page = world.signed_in("richard");
    world.hold(Endpoint::Token);
    let command = click(&page, Some("login"));
    page.person_enters_in_window("dinesh");
    assert_eq!(page.outcome(command), None);
    page.begin(Command::SignOut { scope: Scope::Local });
    world.settle();
    world.release();
    assert_eq!(refused(page.outcome(command)), Some(Code::Superseded));
    page.expect_status(Status::Anonymous);
}

#[test]
fn rp22_a_second_click_that_is_refused_has_taken_the_window_too() {
    let world = World::new();
    let (page, first) = waiting(&world);
    let mut elsewhere = in_a_window(None);
    if let Command::SignIn { return_to, .. } = &mut elsewhere {
        *return_to = "//evil.example/".into();
    }
    assert_eq!(refused(page.run(elsewhere)), Some(Code::ReturnToRefused));
    assert_eq!(refused(page.outcome(first)), Some(Code::Superseded));
}

#[test]
fn rp22_a_click_that_leaves_the_page_gives_the_window_up() {
    let world = World::new();
    let (page, click) = waiting(&world);
    page.sign_in();
    assert_eq!(refused(page.outcome(click)), Some(Code::Superseded));
    page.person_enters("richard");
    page.expect_status(Status::Authenticated);
}

#[test]
fn rp22_a_provider_that_is_away_is_told_before_the_window_goes_there() {
    let world = World::new();
    let page = world.open();
    world.provider().is_down = true;
    world.advance(90);
    assert_eq!(refused(page.run(in_a_window(None))), Some(Code::IssuerUnreachable));
    assert_eq!(world.visits(), 0);
}

#[test]
fn rp22_a_refusal_in_the_window_leaves_the_session_as_it_was() {
    let world = World::new();
    let page = world.signed_in("richard");
    let (token, notices) = (page.token(), page.notices());
    world.provider().next_callback(|parameters| {
        parameters.retain(|(name, _)| name != "code");
        parameters.push(("error".into(), "access_denied".into()));
    });
    assert_eq!(refused(page.run(in_a_window(None))), Some(Code::AccessDenied));
    page.expect_status(Status::Authenticated);
    assert_eq!((page.token(), page.code()), (token, Some(Code::AccessDenied)));
    assert_eq!(page.notices(), notices + 1);
}

#[test]
fn rp22_somebody_else_in_the_window_is_a_change_of_user() {
    let world = World::new();
    let (page, other) = (world.signed_in("richard"), world.open());
    let click = click(&page, Some("login"));
    page.person_enters_in_window("dinesh");
    assert_eq!(page.outcome(click), Some(Outcome::Done {}));
    for tab in [&page, &other] {
        tab.expect_status(Status::Authenticated);
        assert_eq!(tab.claim("sub"), page.claim("sub"));
        assert_eq!(tab.cause(), Some(Ending::UserChanged));
    }
}

#[test]
fn rp22_who_changed_meanwhile_is_no_change_by_the_window() {
    let world = World::new();
    let (page, other) = (world.signed_in("richard"), world.open());
    let click = click(&page, Some("login"));
    other.leave_only_this_app();
    page.expect_status(Status::Anonymous);
    page.person_enters_in_window("dinesh");
    assert_eq!(page.outcome(click), Some(Outcome::Done {}));
    assert_eq!(page.cause(), None);
}

#[test]
fn rp22_an_answer_to_something_else_is_refused() {
    let world = World::new();
    let (page, click) = waiting(&world);
    let (document, effect, _) = world.inside().popups.remove(0);
    let stolen = format!("{APP}/?code=stolen&state=gatepass-popup-of-somebody-else");
    world.inside().show_in_popup(document, effect, Visit::Redirect(stolen));
    world.settle();
    assert_eq!(refused(page.outcome(click)), Some(Code::StateUnknown));
    assert_eq!(world.count(Endpoint::Token), 0);
}

#[test]
fn rp17_a_sign_in_without_a_refresh_token_leaves_nobody_waiting() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    first.hang();
    let token = second.begin(Command::GetToken {
        min_ttl: None,
        origin: None,
        refused: None,
        resource: Some("https://files.example".into()),
        scope: None,
    });
    world.settle();
    world.provider().gives_refresh_token = false;
    click(&second, Some("login"));
    second.person_enters_in_window("richard");
    second.expect_status(Status::Authenticated);
    assert_eq!(refused(second.outcome(token)), Some(Code::TokenUnavailable));
    world.advance(60);
    second.expect_status(Status::Authenticated);
}

#[test]
fn rp22_a_window_ends_at_the_page_for_frames_where_there_is_one() {
    for (silent, ends_at) in [(Some(SILENT), SILENT.to_owned()), (None, format!("{APP}/"))] {
        let world = World::with(|config| config.silent_redirect_uri = silent.map(Into::into));
        world.person_signs_in("richard");
        let page = world.open();
        assert_eq!(page.run(in_a_window(None)), Some(Outcome::Done {}));
        page.expect_status(Status::Authenticated);
        assert_eq!(world.last_visit()["redirect_uri"], ends_at);
    }
}

/// A provider without session events ends the session before for the one that begins, and before all has
/// come that the new one takes, somebody looks at the page.
#[test]
fn rp22_the_session_before_is_not_asked_about_while_the_next_one_arrives() {
    // The tokens for the code, then the key that signed the ID token.
    for late in [Endpoint::Token, Endpoint::Keys] {
        let world = World::eventless();
        let page = world.signed_in("richard");
        world.advance(5);
        let click = click(&page, Some("login"));
        let since = page.notices();
        world.provider().key = &ES256_NEXT;
        world.provider().published = vec![ES256.jwk(), ES256_NEXT.jwk()];
        world.hold(late);
        page.person_enters_in_window("gavin");
        world.provider().end_sso(0);
        let asked = world.count(Endpoint::UserInfo);
        page.look();
        assert_eq!(world.count(Endpoint::UserInfo), asked, "{late:?}");
        assert_eq!(page.claim("sub"), "richard");
        world.release();
        assert_eq!(page.outcome(click), Some(Outcome::Done {}), "{late:?}");
        assert_eq!(page.claim("sub"), "gavin");
        let statuses = page.statuses_since(since);
        assert!(!statuses.contains(&Status::Expired), "{late:?}: {statuses:?}");
        // The new one is asked about as any other.
        page.look();
        assert_eq!(world.count(Endpoint::UserInfo), asked + 1, "{late:?}");
    }
}

/// The same, where the one that begins comes to nothing, and the one before has ended for it or stands.
#[test]
fn rp22_the_session_before_is_asked_about_once_the_next_one_has_failed() {
    for (late, stands) in [(Endpoint::Token, true), (Endpoint::Keys, false)] {
        let world = World::eventless();
        let page = world.signed_in("richard");
        world.advance(5);
        let click = click(&page, Some("login"));
        world.provider().next_id_token(|token| token.header("kid", json!("unheard")));
        world.hold(late);
        page.person_enters_in_window("gavin");
        if !stands {
            world.provider().end_sso(0);
        }
        let asked = world.count(Endpoint::UserInfo);
        page.look();
        page.look();
        assert_eq!(world.count(Endpoint::UserInfo), asked, "{late:?}");
        world.release();
        assert_eq!(refused(page.outcome(click)), Some(Code::KeyNotFound), "{late:?}");
        world.advance(5);
        assert_eq!(world.count(Endpoint::UserInfo), asked + 1, "{late:?}");
        page.expect_status(if stands { Status::Authenticated } else { Status::Expired });
    }
}

/// The same in a tab that does not lead: somebody looks, and the answer comes while it waits for the word
/// of the one that does.
#[test]
fn rp22_the_session_before_is_not_asked_about_when_no_word_of_it_comes_either() {
    for is_refused in [false, true] {
        let world = World::eventless();
        let first = world.signed_in("richard");
        let second = world.open();
        world.advance(5);
        let click = click(&second, Some("login"));
        let since = second.notices();
        let asked = world.count(Endpoint::UserInfo);
        if is_refused {
            world.provider().next_id_token(|token| token.header("kid", json!("unheard")));
        }
        world.hold(Endpoint::Token);
        second.look();
        second.person_enters_in_window("gavin");
        world.provider().end_sso(0);
        world.advance(1);
        assert_eq!(world.count(Endpoint::UserInfo), asked);
        second.expect_status(Status::Authenticated);
        world.release();
        world.advance(5);
        if is_refused {
            assert_eq!(refused(second.outcome(click)), Some(Code::KeyNotFound));
            assert_eq!(world.count(Endpoint::UserInfo), asked + 1);
            first.expect_status(Status::Expired);
            second.expect_status(Status::Expired);
        } else {
            assert_eq!(second.outcome(click), Some(Outcome::Done {}));
            assert_eq!(world.count(Endpoint::UserInfo), asked);
            let statuses = second.statuses_since(since);
            assert!(!statuses.contains(&Status::Expired), "{statuses:?}");
            assert_eq!(second.cause(), Some(Ending::UserChanged));
            assert_eq!(first.claim("sub"), "gavin");
        }
    }
}

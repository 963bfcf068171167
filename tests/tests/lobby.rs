//! The lobby: its tour by real clicks, its picture, its three sessions.

use std::cell::RefCell;

use anyhow::{Context, ensure};
use gatepass_tests::pages::{App, Lobby, SignInPage};
use gatepass_tests::stage::PASSWORD;
use gatepass_tests::{Browser, Client, Result, Stage, journey, until};
use serde_json::json;

/// The app that a click in the lobby opens in a tab of its own.
async fn open<'a>(
    stage: &Stage,
    browser: &'a Browser,
    lobby: &Lobby<'a>,
    client: Client,
) -> Result<App<'a>> {
    let known = browser.tabs().await?;
    lobby.tab.click(&format!("open-{}", client.id())).await?;
    Ok(App::of(stage, client, browser.opened_tab(&known).await?))
}

/// Waits until these are drawn in this order; others may stand between them.
async fn in_order(
    read: impl AsyncFn() -> Result<Vec<String>>,
    wanted: &[&str],
) -> Result<Vec<String>> {
    let last = RefCell::new(Vec::new());
    let stand = until(format!("{wanted:?} in this order"), async || {
        let found = read().await?;
        let mut rest = found.iter();
        let stand = wanted.iter().all(|name| rest.any(|one| one == name));
        *last.borrow_mut() = found;
        Ok(stand.then_some(()))
    });
    stand.await.with_context(|| format!("{:?}", last.borrow()))?;
    Ok(last.into_inner())
}

#[test]
fn the_lobby_ticks_three_steps_off_when_they_happen() -> Result {
    journey().go(async |stage, browser| {
        let lobby = Lobby::open(stage, browser).await?;
        for step in 1..=3 {
            lobby.tab.wait_text(&format!("step-{step}")).await?;
            ensure!(!lobby.is_done(step).await?, "step {step} is done before anything happened");
        }

        let known = browser.tabs().await?;
        lobby.tab.click("open-pied-piper").await?;
        let opened = browser.opened_tab(&known).await?;
        let pied_piper = App::of(stage, Client::PiedPiper, opened);
        pied_piper.wait_signed_out().await?;
        ensure!(!lobby.is_done(1).await?, "opening Pied Piper is not signing in");
        pied_piper.sign_in("richard").await?;
        lobby.wait_done(1).await?;
        ensure!(!lobby.is_done(2).await? && !lobby.is_done(3).await?);

        let known = browser.tabs().await?;
        lobby.tab.click("open-hooli").await?;
        let hooli = App::of(stage, Client::Hooli, browser.opened_tab(&known).await?);
        hooli.wait_signed_in().await?;
        lobby.wait_done(2).await?;
        ensure!(!lobby.is_done(3).await?);

        hooli.sign_out().await?;
        pied_piper.wait_signed_out().await?;
        hooli.wait_signed_out().await?;
        lobby.wait_done(3).await?;
        stage.control.timeline().await?.exactly(1, "authorize.login_page")
    })
}

#[test]
fn signing_out_at_pied_piper_ticks_the_lobbys_third_step_too() -> Result {
    journey().go(async |stage, browser| {
        let lobby = Lobby::open(stage, browser).await?;
        let known = browser.tabs().await?;
        lobby.tab.click("open-pied-piper").await?;
        let opened = browser.opened_tab(&known).await?;
        let pied_piper = App::of(stage, Client::PiedPiper, opened);
        pied_piper.sign_in("gavin").await?;
        let known = browser.tabs().await?;
        lobby.tab.click("open-hooli").await?;
        let hooli = App::of(stage, Client::Hooli, browser.opened_tab(&known).await?);
        hooli.wait_signed_in().await?;
        lobby.wait_done(2).await?;
        pied_piper.sign_out().await?;
        hooli.wait_signed_out().await?;
        lobby.wait_done(3).await
    })
}

#[test]
fn a_sign_in_elsewhere_ticks_nothing_in_the_lobby() -> Result {
    journey().go(async |stage, browser| {
        // The lobby believes the provider's steps of this person's apps, not what any page sends.
        let lobby = Lobby::open(stage, browser).await?;
        lobby.tab.wait_text("step-1").await?;
        let script = "window.postMessage({ app: 'pied-piper', status: 'authenticated' }, '*');\
                      window.postMessage('authenticated', '*')";
        lobby.tab.run(script, vec![]).await?;
        // A message is delivered before a later task of the page runs.
        lobby.tab.run_async("setTimeout(arguments[0])", vec![]).await?;
        for step in 1..=3 {
            ensure!(!lobby.is_done(step).await?, "step {step} was ticked off by a foreign message");
        }
        Ok(())
    })
}

#[test]
fn f6_f7_the_lobby_draws_each_message_in_its_order() -> Result {
    journey().go(async |stage, browser| {
        let lobby = Lobby::open(stage, browser).await?;
        let pied_piper = open(stage, browser, &lobby, Client::PiedPiper).await?;
        pied_piper.sign_in("richard").await?;
        lobby.wait_arrow(1, "app.verified@pied-piper").await?;
        let hooli = open(stage, browser, &lobby, Client::Hooli).await?;
        hooli.wait_signed_in().await?;
        lobby.wait_arrow(1, "app.verified@hooli").await?;
        lobby.wait_arrow(1, "stream.opened@hooli").await?;
        lobby.wait_arrow(1, "stream.opened@pied-piper").await?;
        hooli.sign_out().await?;
        pied_piper.wait_signed_out().await?;
        hooli.wait_signed_out().await?;
        lobby.wait_arrow(1, "app.ended@pied-piper").await?;
        lobby.wait_arrow(1, "end_session.returned@hooli").await?;

        let arrows = in_order(
            async || lobby.arrows().await,
            &[
                "app.opened@pied-piper",
                "app.sign_in_asked@pied-piper",
                "authorize.received@pied-piper",
                "authorize.login_page@pied-piper",
                "login.submitted@pied-piper",
                "session.started",
                "code.issued@pied-piper",
                "token.received@pied-piper",
                "token.issued@pied-piper",
                "app.opened@hooli",
                "authorize.received@hooli",
                "session.reused@hooli",
                "code.issued@hooli",
                "token.issued@hooli",
                "app.sign_out_asked@hooli",
                // The app forgets first (F7).
                "app.ended@hooli",
                "end_session.received@hooli",
                "session.ended",
                "logout_token.sent@pied-piper",
                "end_session.returned@hooli",
            ],
        )
        .await?;
        in_order(async || lobby.groups().await, &["sign-in", "silent", "logout"]).await?;
        let submitted = arrows.iter().filter(|arrow| arrow.starts_with("login.submitted"));
        ensure!(submitted.count() == 1, "one password opens both: {arrows:?}");

        // The list for those who read it: the same, in the same order.
        let drawn = lobby.texts("[data-testid=sequence] [data-step]", "entry").await?;
        let listed = lobby.texts("[data-testid=sequence-list] > li", "entry").await?;
        ensure!(drawn == listed && !listed.is_empty(), "{drawn:?} is not {listed:?}");
        let steps = lobby.texts("[data-testid=sequence-list] > li", "step").await?;
        let plain: Vec<_> = arrows.iter().filter_map(|arrow| arrow.split('@').next()).collect();
        ensure!(steps == plain, "{steps:?} is not {plain:?}");
        Ok(())
    })
}

/// A lie is no bug of the app, and who watches is told so: what was broken, and what must catch it.
#[test]
fn the_lobby_explains_a_lie_and_what_came_of_it() -> Result {
    journey().go(async |stage, browser| {
        let name = "oidcc-client-test-nonce-invalid";
        stage.control.tell_scenario(name, "pied-piper").await?;
        let lobby = Lobby::open(stage, browser).await?;
        let app = open(stage, browser, &lobby, Client::PiedPiper).await?;
        app.wait_signed_out().await?;
        app.tab.click("sign-in").await?;
        SignInPage::wait(app.tab.clone()).await?.submit("richard", PASSWORD).await?;
        lobby.wait_arrow(1, "scenario.broke@pied-piper").await?;
        stage.control.asked(name, &json!({ "said": "refused", "code": "nonce_invalid" })).await?;
        lobby.wait_arrow(1, "scenario.refused").await?;
        // For those who read it: it is not to be seen.
        let script = "return document.querySelector('[data-testid=sequence-list]').textContent";
        let list = lobby.tab.run(script, vec![]).await?;
        let list = list.as_str().context("no list")?;
        for words in ["The nonce", "What has to catch it", name, "was refused (nonce_invalid)"] {
            ensure!(list.contains(words), "{words} is not in {list}");
        }
        Ok(())
    })
}

#[test]
fn the_lobby_tells_an_arrows_details_by_keyboard() -> Result {
    journey().go(async |stage, browser| {
        let lobby = Lobby::open(stage, browser).await?;
        let app = open(stage, browser, &lobby, Client::PiedPiper).await?;
        app.sign_in("richard").await?;
        lobby.wait_arrow(1, "app.verified@pied-piper").await?;
        // One stop for Tab, whatever the number of arrows; then the arrow keys.
        lobby.tab.press_until_focused("sequence-group").await?;
        let focused = "return document.activeElement.dataset.step ?? ''";
        let mut first = String::new();
        // (Some browsers stop at what can be scrolled, too.)
        for _ in 0..2 {
            if first.is_empty() {
                lobby.tab.press("\u{E004}").await?;
                let step = lobby.tab.run(focused, vec![]).await?;
                first = step.as_str().unwrap_or_default().to_owned();
            }
        }
        ensure!(!first.is_empty(), "Tab reaches no arrow");
        until("the arrow of the request", async || {
            lobby.tab.press("\u{E013}").await?;
            let step = lobby.tab.run(focused, vec![]).await?;
            Ok((step.as_str() == Some("token.received")).then_some(()))
        })
        .await?;
        let details = lobby.tab.text("sequence-detail").await?.context("no details")?;
        for word in ["token.received", "OIDC Core 3.1.3.1", "grant_type", "authorization_code"] {
            ensure!(details.contains(word), "{word} is not in {details}");
        }
        let verifier = details.split("code_verifier").nth(1).context("no code_verifier")?;
        let value = verifier.split_whitespace().next().unwrap_or_default();
        ensure!(value.ends_with("...") && value.len() < 9, "code_verifier is shown: {value}");
        Ok(())
    })
}

#[test]
fn the_lobbys_picture_is_paused_stepped_filtered_cleared_and_saved() -> Result {
    journey().go(async |stage, browser| {
        let lobby = Lobby::open(stage, browser).await?;
        lobby.tab.click("sequence-pause").await?;
        let app = open(stage, browser, &lobby, Client::PiedPiper).await?;
        app.sign_in("richard").await?;
        // The tour goes on while the picture stands still.
        lobby.wait_done(1).await?;
        ensure!(lobby.arrows().await?.is_empty(), "a paused picture has drawn");
        for count in 1..=3 {
            lobby.tab.click("sequence-step").await?;
            ensure!(lobby.arrows().await?.len() == count, "one step draws one arrow");
        }
        lobby.tab.click("sequence-pause").await?;
        lobby.wait_arrow(1, "app.verified@pied-piper").await?;
        let hooli = open(stage, browser, &lobby, Client::Hooli).await?;
        hooli.wait_signed_in().await?;
        lobby.wait_arrow(1, "app.verified@hooli").await?;
        lobby.wait_arrow(1, "stream.opened@hooli").await?;

        let choose = "const select = document.querySelector(`[data-testid=${arguments[0]}]`);\
            select.value = arguments[1];\
            select.dispatchEvent(new Event('change'))";
        let choose = async |id: &str, value: &str| {
            lobby.tab.run(choose, vec![id.into(), value.into()]).await.map(drop)
        };
        let all = lobby.arrows().await?;
        choose("sequence-lane", "hooli").await?;
        let some = lobby.arrows().await?;
        ensure!(!some.is_empty() && some.len() < all.len());
        ensure!(some.iter().all(|arrow| arrow.ends_with("@hooli")), "{some:?}");
        choose("sequence-lane", "").await?;
        choose("sequence-group", "sign-in").await?;
        let flow = lobby.groups().await?;
        ensure!(!flow.is_empty() && flow.iter().all(|kind| kind == "sign-in"), "{flow:?}");
        choose("sequence-group", "").await?;
        ensure!(lobby.arrows().await? == all);

        // The file is taken where the browser would be given it.
        let catch = "URL.createObjectURL = (blob) => { window.caught = blob; return 'about:blank' };\
            HTMLAnchorElement.prototype.click = function () { window.named = this.download }";
        lobby.tab.run(catch, vec![]).await?;
        lobby.tab.click("sequence-save").await?;
        until("the saved file", async || {
            let named = lobby.tab.run("return window.named", vec![]).await?;
            Ok((named == "gatepass-sequence.svg").then_some(()))
        })
        .await?;
        let read = "const done = arguments[0]; window.caught.text().then((text) => {\
            const file = new DOMParser().parseFromString(text, 'image/svg+xml');\
            done({ text, root: file.documentElement.nodeName,\
              steps: file.querySelectorAll('[data-step]').length }) })";
        let file = lobby.tab.run_async(read, vec![]).await?;
        ensure!(file["root"] == "svg" && file["steps"] == all.len(), "{}", file["root"]);
        let text = file["text"].as_str().context("no text")?;
        for foreign in ["var(", "<script", "href=", "url(", "@import"] {
            ensure!(!text.contains(foreign), "the file is not self-contained: {foreign}");
        }
        ensure!(text.contains("<style") && text.contains("Pied Piper"));

        lobby.tab.click("sequence-clear").await?;
        ensure!(lobby.arrows().await?.is_empty());
        ensure!(lobby.texts("[data-testid=sequence-list] > li", "step").await?.is_empty());
        // What was ticked off did happen.
        ensure!(lobby.is_done(1).await? && lobby.is_done(2).await?);
        Ok(())
    })
}

#[test]
fn f14_the_lobby_ticks_what_really_happened_in_any_order() -> Result {
    journey().go(async |stage, browser| {
        let lobby = Lobby::open(stage, browser).await?;
        let hooli = open(stage, browser, &lobby, Client::Hooli).await?;
        hooli.wait_signed_out().await?;
        hooli.tab.click("sign-in").await?;
        SignInPage::wait(hooli.tab.clone()).await?.submit("dinesh", "wrong").await?;
        lobby.wait_ticked("wrong-password").await?;
        ensure!(lobby.ticked().await? == ["tour-wrong-password"]);
        SignInPage::wait(hooli.tab.clone()).await?.submit("dinesh", PASSWORD).await?;
        lobby.wait_ticked("forbidden-user").await?;
        // Hooli's page is gone, and says nothing of itself: that is no state of its session.
        until("a card that says where Hooli's tab is", async || {
            let card = lobby.tab.text("session-hooli").await?.unwrap_or_default();
            Ok(card.contains("at the provider").then_some(()))
        })
        .await?;
        in_order(async || lobby.groups().await, &["failed", "refused"]).await?;

        let pied_piper = open(stage, browser, &lobby, Client::PiedPiper).await?;
        pied_piper.wait_signed_in().await?;
        pied_piper.leave().await?;
        pied_piper.wait_signed_out().await?;
        lobby.wait_ticked("leave-app").await?;
        let left = ["app.leave_asked@pied-piper", "app.ended@pied-piper"];
        let arrows = in_order(async || lobby.arrows().await, &left).await?;
        ensure!(!arrows.iter().any(|arrow| arrow.starts_with("end_session")), "{arrows:?}");
        Ok(())
    })
}

#[test]
fn a_deep_link_starts_the_lobbys_tour_at_its_stop() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        let stands = "const at = document.querySelector('[aria-current=step]')?.parentElement;\
            return [at?.dataset.testid, at?.open, document.activeElement === at?.firstElementChild,\
              document.querySelectorAll('[aria-current=step]').length]";
        for stop in ["single-logout", "provider-down", "forbidden-user"] {
            tab.goto("about:blank").await?;
            tab.goto(&format!("{}index.html#tour={stop}", stage.lobby())).await?;
            let wanted = serde_json::json!([format!("tour-{stop}"), true, true, 1]);
            until(format!("the stop {stop}"), async || {
                Ok((tab.run(stands, vec![]).await? == wanted).then_some(()))
            })
            .await?;
        }
        // Another one while the page is open, then a name that there is not.
        tab.run("location.hash = '#tour=leave-app'", vec![]).await?;
        let wanted = serde_json::json!(["tour-leave-app", true, true, 1]);
        until("the stop leave-app", async || {
            Ok((tab.run(stands, vec![]).await? == wanted).then_some(()))
        })
        .await?;
        tab.run("location.hash = '#tour=nothing'", vec![]).await?;
        tab.run_async("setTimeout(arguments[0])", vec![]).await?;
        ensure!(tab.run(stands, vec![]).await? == wanted);
        Ok(())
    })
}

#[test]
fn f4_c1_the_lobby_tells_three_sessions_owner_age_and_end() -> Result {
    journey().go(async |stage, browser| {
        let lobby = Lobby::open(stage, browser).await?;
        let words = async |name: &str| {
            let text = lobby.tab.text(&format!("session-{name}")).await?;
            text.with_context(|| format!("no card for {name}"))
        };
        let wait = async |name: &str, wanted: &[&str]| {
            until(format!("{wanted:?} in the card of {name}"), async || {
                let text = words(name).await?;
                Ok(wanted.iter().all(|word| text.contains(word)).then_some(()))
            })
            .await
        };
        wait("idp", &["none", "Nobody is signed in"]).await?;
        wait("pied-piper", &["not known"]).await?;
        wait("hooli", &["not known"]).await?;

        let app = open(stage, browser, &lobby, Client::PiedPiper).await?;
        app.sign_in("richard").await?;
        wait("idp", &["open", "richard", "seen by Pied Piper", "ends in 29:", "ends in 7:59:"])
            .await?;
        wait("pied-piper", &["authenticated", "Richard Hendricks", "no limit of its own"]).await?;
        wait("hooli", &["not known"]).await?;

        // Times follow the provider's clock, also when it is moved.
        stage.control.advance_clock(600).await?;
        lobby.tab.reload().await?;
        wait("idp", &["richard", "ends in 19:", "ends in 7:49:"]).await?;
        // What an app said to a page that is gone is not known to this one.
        wait("pied-piper", &["not known"]).await?;

        let id = stage.control.sessions().await?[0]["id"].as_str().context("no id")?.to_owned();
        stage.control.end_session(&id).await?;
        // Nobody told the app that the clock was moved: a logout token from ten minutes ahead makes it
        // ask, and it may hear first that its grant is over (`expired`).
        until("the end of the app's session", async || {
            let status = app.status().await?;
            Ok(matches!(status.as_deref(), Some("anonymous" | "expired")).then_some(()))
        })
        .await?;
        wait("idp", &["none", "Nobody is signed in"]).await
    })
}

#[test]
fn f11_the_lobby_makes_each_row_of_its_table_true() -> Result {
    journey().with_the_whole_demo().go(async |stage, browser| {
        let lobby = Lobby::open(stage, browser).await?;
        let known = browser.tabs().await?;
        lobby.tab.click("f11-sign-in").await?;
        let app = App::of(stage, Client::PiedPiper, browser.opened_tab(&known).await?);
        app.wait_signed_out().await?;
        lobby.wait_row("expired-expired").await?;
        app.sign_in("richard").await?;
        lobby.wait_row("valid-valid").await?;

        // The app's own session gets sixty seconds, and the clock is moved past them.
        lobby.tab.click("f11-app-over").await?;
        lobby.wait_arrow(2, "app.verified@pied-piper").await?;
        until("a session with a limit of its own", async || {
            let card = lobby.tab.text("session-pied-piper").await?.unwrap_or_default();
            let button = lobby.tab.text("f11-app-over").await?.unwrap_or_default();
            Ok((card.contains("ends in 00:") && button.contains("run out")).then_some(()))
        })
        .await?;
        lobby.tab.click("f11-app-over").await?;
        lobby.wait_row("expired-valid").await?;
        app.wait_status("expired").await?;
        ensure!(stage.control.sessions().await?.len() == 1, "the provider's session stands");
        // A visit then brings a session without a password.
        app.visit("/").await?;
        app.wait_signed_in().await?;
        lobby.wait_row("valid-valid").await?;

        lobby.tab.click("f11-sso-over").await?;
        lobby.wait_row("expired-expired").await?;
        ensure!(stage.control.sessions().await?.is_empty());
        // A visit then asks for the password.
        app.visit("/?session_lifetime=none").await?;
        app.sign_in("richard").await?;
        lobby.wait_row("valid-valid").await?;

        lobby.tab.click("f11-sso-end").await?;
        lobby.wait_row("expired-expired").await?;
        app.wait_signed_out().await?;
        app.sign_in("richard").await?;
        lobby.wait_row("valid-valid").await?;

        lobby.tab.click("f11-stop").await?;
        lobby.wait_row("valid-expired").await?;
        app.wait_status("offline").await?;
        lobby.wait_row("valid-expired").await?;
        lobby.tab.click("f11-stop").await?;
        lobby.wait_row("expired-expired").await
    })
}

#[test]
fn the_provider_is_stopped_and_started_from_the_lobby() -> Result {
    journey().with_the_whole_demo().go(async |stage, browser| {
        let lobby = Lobby::open(stage, browser).await?;
        let app = open(stage, browser, &lobby, Client::PiedPiper).await?;
        app.sign_in("richard").await?;
        lobby.wait_done(1).await?;
        lobby.tab.goto(&format!("{}#tour=provider-down", stage.lobby())).await?;
        lobby.tab.click("provider-stop").await?;
        let health = format!("{}/health", stage.issuer());
        until("the end of the provider", async || {
            Ok(stage.http.get(&health).send().await.is_err().then_some(()))
        })
        .await?;
        app.wait_status("offline").await?;
        ensure!(app.user_name().await?.contains("Richard"), "nobody is signed out for a fault");
        lobby.wait_ticked("provider-down").await?;
        lobby.wait_arrow(1, "app.offline@pied-piper").await?;

        lobby.tab.click("provider-stop").await?;
        until("the provider's new start", async || {
            Ok(stage.http.get(&health).send().await?.status().is_success().then_some(()))
        })
        .await?;
        // It knows nobody any more, and the app hears that.
        app.wait_status("expired").await?;
        app.tab.click("sign-in").await?;
        SignInPage::wait(app.tab.clone()).await?.submit("gavin", PASSWORD).await?;
        app.wait_signed_in().await?;
        lobby.wait_arrow(1, "login.succeeded@pied-piper").await
    })
}

#[test]
fn the_lobbys_server_serves_nobody_else() -> Result {
    journey().go(async |stage, _| {
        let origin = stage.lobby().trim_end_matches('/').to_owned();
        let state = format!("{origin}/control/state");
        let clock = format!("{origin}/control/clock");
        let post = |url: &str| stage.http.post(url).json(&serde_json::json!({ "advance": 1 }));
        let asked = [
            (stage.http.get(&state), 200),
            (stage.http.get(&state).header("sec-fetch-site", "cross-site"), 403),
            (stage.http.get(&state).header("host", "evil.example"), 403),
            (post(&clock).header("origin", &origin), 200),
            (post(&clock), 403),
            (post(&clock).header("origin", stage.origin(Client::Hooli)), 403),
            (post(&clock).header("origin", "null"), 403),
            (stage.http.post(&clock).header("origin", &origin).body("{\"advance\":1}"), 403),
        ];
        for (number, (request, wanted)) in asked.into_iter().enumerate() {
            let response = request.send().await?;
            let status = response.status();
            ensure!(status == wanted, "request {number} was answered {status}");
            let text = response.text().await?;
            ensure!(!text.contains("journeys-only"), "the token is in answer {number}");
        }
        Ok(())
    })
}

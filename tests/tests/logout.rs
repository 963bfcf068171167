//! Signing out at one site, and being signed out at the other.

use anyhow::{Context, ensure};
use gatepass_tests::engine::Ability;
use gatepass_tests::pages::{App, SignInPage};
use gatepass_tests::stage::PASSWORD;
use gatepass_tests::{Client, LONG_LIMIT, Result, journey, until_within};

#[test]
fn f2_f20_sign_out_at_hooli_reaches_pied_piper() -> Result {
    sign_out_reaches_the_other(Client::Hooli)
}

#[test]
fn f2_sign_out_at_pied_piper_reaches_hooli() -> Result {
    sign_out_reaches_the_other(Client::PiedPiper)
}

fn sign_out_reaches_the_other(initiator: Client) -> Result {
    journey().go(async |stage, browser| {
        let [first, second] = App::both(stage, browser).await?;
        let (here, there) = match initiator {
            Client::PiedPiper => (first, second),
            Client::Hooli => (second, first),
        };
        there.mark().await?;
        let is_logged = browser.can(Ability::Requests)?;
        let before = if is_logged { browser.requests().await?.len() } else { 0 };
        let asks = format!("token.received@{}", there.client().id());
        let asked_before = stage.control.timeline().await?.count(&asks);
        here.sign_out().await?;
        there.wait_status("anonymous").await?;
        ensure!(there.is_marked().await?, "the other app was reloaded");

        // It was told, it did not ask: its tab sent nothing between the sign-out and its change.
        stage.control.timeline().await?.exactly(asked_before, &asks)?;
        if is_logged {
            let requests = browser.requests().await?;
            let target = there.tab.target();
            let is_seen = requests.iter().any(|request| request.target == target);
            ensure!(is_seen, "the log does not see that tab at all");
            let asked: Vec<_> = requests
                .iter()
                .skip(before)
                .filter(|request| {
                    request.target == target || request.document.starts_with(there.origin())
                })
                .map(|request| format!("{} {}", request.method, request.path()))
                .collect();
            ensure!(asked.is_empty(), "the other app sent {asked:?}");
        }
        there.wait_signed_out().await?;
        there.shows_nothing_private().await?;
        // It says why and when.
        there.wait_notice("logout_token").await?;
        let time = "return document.querySelector('[data-testid=notice] time')?.dateTime ?? ''";
        ensure!(there.tab.run(time, vec![]).await? != "", "the notice does not say when");

        here.wait_signed_out().await?;
        here.has_clean_address().await?;
        here.shows_nothing_private().await?;
        let timeline = stage.control.timeline().await?;
        timeline.exactly(1, &format!("logout_token.sent@{}", initiator.other().id()))?;
        timeline.exactly(1, "session.ended")?;

        // Both stay signed out: a password is asked for again.
        for app in [&here, &there] {
            app.tab.reload().await?;
            app.wait_signed_out().await?;
        }
        there.tab.click("sign-in").await?;
        SignInPage::wait(there.tab.clone()).await.map(drop)
    })
}

#[test]
fn f7_sign_out_goes_through_the_published_steps() -> Result {
    journey().go(async |stage, browser| {
        let [pied_piper, hooli] = App::both(stage, browser).await?;
        // A second tab of the initiating app hears of it inside the browser.
        let beside = App::open_beside(stage, Client::Hooli, browser).await?;
        beside.wait_signed_in().await?;
        let before = stage.control.now().await?;
        hooli.sign_out().await?;
        for app in [&hooli, &pied_piper, &beside] {
            app.wait_status("anonymous").await?;
        }
        hooli.wait_signed_out().await?;
        let timeline = stage.control.timeline_after(before).await?;
        timeline.in_order(&[
            "end_session.received@hooli",
            "session.ended",
            "logout_token.sent@pied-piper",
            "end_session.returned@hooli",
        ])?;
        ensure!(timeline.first("session.ended")?.received("cause") == Some("rp_initiated"));
        let home = format!("{}/", hooli.origin());
        ensure!(timeline.first("end_session.returned")?.received("uri") == Some(home.as_str()));
        // The person sees the initiating app, which offers to sign in (F7, last step).
        ensure!(hooli.tab.address().await? == home);
        timeline.exactly(0, "authorize.received@hooli")
    })
}

#[test]
fn f7_the_local_session_is_gone_even_if_the_provider_is() -> Result {
    journey().go(async |stage, browser| {
        let [_, hooli] = App::both(stage, browser).await?;
        let beside = App::open_beside(stage, Client::Hooli, browser).await?;
        beside.wait_signed_in().await?;
        stage.stop_provider();
        hooli.sign_out().await?;
        hooli.wait_status("anonymous").await?;
        beside.wait_status("anonymous").await?;
        hooli.wait_notice("issuer_unreachable").await?;
        hooli.shows_nothing_private().await?;
        hooli.has_clean_address().await?;
        beside.shows_nothing_private().await
    })
}

#[test]
fn f18_back_after_sign_out_shows_no_data() -> Result {
    journey().go(async |stage, browser| {
        let app = App::open(stage, Client::PiedPiper, browser).await?;
        app.sign_in("richard").await?;
        app.visit("/private").await?;
        app.wait_signed_in().await?;
        ensure!(!app.tab.wait_text("protected-content").await?.is_empty());
        app.sign_out().await?;
        app.wait_signed_out().await?;
        let before = stage.control.timeline().await?.count("token.issued");
        for _ in 0..3 {
            app.tab.back().await?;
            if !app.tab.address().await?.starts_with(app.origin()) {
                continue;
            }
            app.wait_status("anonymous").await?;
            app.shows_nothing_private().await?;
        }
        // Nothing on the way back has signed anybody in again.
        stage.control.timeline().await?.exactly(before, "token.issued")?;
        // The public page stays reachable and offers to sign in.
        app.visit("/public").await?;
        app.wait_signed_out().await
    })
}

#[test]
fn s15_leaving_one_app_kills_its_token_and_not_the_others() -> Result {
    journey().with_a_wire().go(async |stage, browser| {
        let [pied_piper, hooli] = App::both(stage, browser).await?;
        let requests = stage.wire()?.requests();
        let token_of = |app: &App<'_>| {
            let mut of_app = requests.iter().filter(|request| request.document == app.origin());
            of_app.find_map(|request| request.bearer()).map(str::to_owned)
        };
        let mine = token_of(&hooli).context("no token of Hooli")?;
        let other = token_of(&pied_piper).context("no token of Pied Piper")?;
        let userinfo = format!("{}/userinfo", stage.issuer());
        hooli.leave().await?;
        hooli.wait_signed_out().await?;
        stage.control.wait_for(1, "token.revoked@hooli").await?;
        for (token, expected) in [(&mine, 401), (&other, 200)] {
            let response = stage.http.get(&userinfo).bearer_auth(token).send().await?;
            ensure!(response.status() == expected, "UserInfo answered {}", response.status());
        }
        pied_piper.wait_signed_in().await?;
        stage.control.timeline().await?.exactly(0, "session.ended")
    })
}

#[test]
fn s15_tokens_are_refused_after_sign_out() -> Result {
    journey().with_a_wire().go(async |stage, browser| {
        let [pied_piper, hooli] = App::both(stage, browser).await?;
        let mut tokens: Vec<String> = stage
            .wire()?
            .requests()
            .iter()
            .filter_map(|request| request.bearer())
            .map(str::to_owned)
            .collect();
        tokens.sort();
        tokens.dedup();
        ensure!(tokens.len() >= 2, "the log has {} tokens, expected one of each app", tokens.len());
        let userinfo = format!("{}/userinfo", stage.issuer());
        let ask = async |token: &str| -> Result<u16> {
            let response = stage.http.get(&userinfo).bearer_auth(token).send().await?;
            Ok(response.status().as_u16())
        };
        for token in &tokens {
            let status = ask(token).await?;
            ensure!(status == 200, "before the sign-out UserInfo answered {status}");
        }
        hooli.sign_out().await?;
        hooli.wait_signed_out().await?;
        pied_piper.wait_signed_out().await?;
        for token in &tokens {
            let status = ask(token).await?;
            ensure!(status == 401, "after the sign-out UserInfo answered {status}");
        }
        Ok(())
    })
}

#[test]
fn sign_out_stays_signed_out_after_reload() -> Result {
    journey().go(async |stage, browser| {
        let app = App::open(stage, Client::PiedPiper, browser).await?;
        app.sign_in("richard").await?;
        app.sign_out().await?;
        app.wait_signed_out().await?;
        let before = stage.control.timeline().await?.count("authorize.received");
        for _ in 0..2 {
            app.tab.reload().await?;
            app.wait_signed_out().await?;
        }
        stage.control.timeline().await?.exactly(before, "authorize.received")
    })
}

#[test]
fn leaving_one_app_leaves_the_other_and_stays_left_after_reload() -> Result {
    journey().go(async |stage, browser| {
        let [pied_piper, hooli] = App::both(stage, browser).await?;
        pied_piper.mark().await?;
        hooli.leave().await?;
        hooli.wait_signed_out().await?;
        hooli.shows_nothing_private().await?;
        let before = stage.control.timeline().await?.count("authorize.received");
        for _ in 0..2 {
            hooli.tab.reload().await?;
            hooli.wait_signed_out().await?;
        }
        let timeline = stage.control.timeline().await?;
        timeline.exactly(before, "authorize.received")?;
        timeline.exactly(0, "session.ended")?;
        ensure!(pied_piper.is_marked().await?);
        pied_piper.wait_signed_in().await?;
        // The single sign-on session is still there: a click needs no password.
        hooli.tab.click("sign-in").await?;
        hooli.wait_signed_in().await?;
        stage.control.timeline().await?.exactly(1, "authorize.login_page")
    })
}

#[test]
fn an_administrator_signs_out_both() -> Result {
    journey().go(async |stage, browser| {
        let [pied_piper, hooli] = App::both(stage, browser).await?;
        let sessions = stage.control.sessions().await?;
        ensure!(sessions.len() == 1, "{sessions:?}");
        let id = sessions[0]["id"].as_str().unwrap_or_default();
        stage.control.end_session(id).await?;
        for app in [&pied_piper, &hooli] {
            app.wait_signed_out().await?;
            app.shows_nothing_private().await?;
        }
        let timeline = stage.control.timeline().await?;
        ensure!(timeline.first("session.ended")?.received("cause") == Some("administrator"));
        timeline.exactly(2, "logout_token.sent")
    })
}

#[test]
fn f11_s5_the_end_of_the_single_sign_on_session_signs_out_both() -> Result {
    journey().go(async |stage, browser| {
        let [pied_piper, hooli] = App::both(stage, browser).await?;
        // Beyond the absolute lifetime, by the provider's clock; nobody waits for it.
        stage.control.advance_clock(9 * 3600).await?;
        for app in [&pied_piper, &hooli] {
            let lost = until_within(LONG_LIMIT, "the loss of the session", async || {
                let status = app.status().await?;
                Ok(matches!(status.as_deref(), Some("expired" | "anonymous")).then_some(()))
            });
            lost.await?;
            app.shows_nothing_private().await?;
            ensure!(!app.tab.wait_text("notice").await?.is_empty());
        }
        let timeline = stage.control.timeline().await?;
        ensure!(timeline.first("session.ended")?.received("cause") == Some("expired"));
        timeline.exactly(1, "session.ended")
    })
}

#[test]
fn signing_in_again_as_another_shows_the_other() -> Result {
    journey().go(async |stage, browser| {
        let [pied_piper, hooli] = App::both(stage, browser).await?;
        hooli.sign_out_and_return().await?;
        pied_piper.wait_signed_out().await?;
        hooli.tab.click("sign-in").await?;
        SignInPage::wait(hooli.tab.clone()).await?.submit("gavin", PASSWORD).await?;
        hooli.wait_signed_in().await?;
        ensure!(hooli.user_name().await?.contains("Gavin"));
        pied_piper.tab.click("sign-in").await?;
        pied_piper.wait_signed_in().await?;
        ensure!(pied_piper.user_name().await?.contains("Gavin"));
        Ok(())
    })
}

/// Where such an app is brought back to. What asks on for an icon would tell the code to.
const BACK: &str = "<!doctype html><title>back</title><meta name=referrer content=no-referrer>\
    <link rel=icon href=data:,>";

/// A sign-out whose provider frames the pages of so many apps, the first of which never answer. The
/// person is in all of them.
fn sign_out_of(count: usize, hanging: usize) -> Result {
    journey().go(async |stage, browser| {
        let mut apps = Vec::new();
        let mut clients = String::new();
        stage.site.answer_page("/back", BACK);
        for number in 0..count {
            let id = format!("framed-{number}");
            // On ten hosts: of the six connections to one, hanging pages may not take all.
            let origin = stage.site.origin(&format!("app-{}", number % 10));
            let (back, out) = (format!("{origin}/back"), format!("/out/{number}"));
            clients.push_str(&format!(
                "\n[[clients]]\nid = {id:?}\nname = {id:?}\nredirect_uris = [{back:?}]\n\
                 frontchannel_logout_uri = \"{origin}{out}\"\n"
            ));
            match number < hanging {
                true => stage.site.hang(&out),
                false => stage.site.answer_page(&out, "<!doctype html><title>out</title>"),
            }
            apps.push((id, back, out));
        }
        stage.start_provider_with(&clients)?;
        let [pied_piper, hooli] = App::both(stage, browser).await?;
        let tab = browser.new_tab().await?;
        for (id, back, _) in &apps {
            let address = format!(
                "{}/authorize?response_type=code&client_id={id}&scope=openid&state=s&nonce=n\
                 &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\
                 &code_challenge_method=S256&prompt=none&redirect_uri={back}",
                stage.issuer()
            );
            tab.goto(&address).await?;
            stage.control.wait_for(1, &format!("session.joined@{id}")).await?;
        }
        // It is no app of ours, and no page's address may have a code when all is over.
        tab.goto("about:blank").await?;

        pied_piper.sign_out().await?;
        stage.control.wait_for(1, "frontchannel.page").await?;
        // Back in the app, whatever hangs.
        pied_piper.wait_signed_out().await?;
        pied_piper.has_clean_address().await?;
        pied_piper.shows_nothing_private().await?;
        hooli.wait_signed_out().await?;
        let asked = |out: &String| stage.site.asked(out);
        let missing: Vec<_> = apps.iter().filter(|(.., out)| asked(out) != 1).collect();
        ensure!(missing.is_empty(), "not loaded once: {missing:?}");
        stage.control.timeline().await?.exactly(1, "session.ended")
    })
}

#[test]
fn f3_a_sign_out_comes_back_although_one_of_five_apps_hangs() -> Result {
    sign_out_of(5, 1)
}

#[test]
fn f3_a_sign_out_comes_back_although_each_of_five_apps_hangs() -> Result {
    sign_out_of(5, 5)
}

#[test]
fn f3_a_sign_out_comes_back_although_five_of_fifty_apps_hang() -> Result {
    sign_out_of(50, 5)
}

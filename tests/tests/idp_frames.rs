//! The provider's two pages with frames in real browsers: the one that frames apps' sign-out pages, and
//! the one that apps frame to ask whether the session changed.

use anyhow::{Context, ensure};
use gatepass_tests::pages::SignInPage;
use gatepass_tests::stage::{GUEST_HOST, PASSWORD};
use gatepass_tests::world::World;
use gatepass_tests::{Result, Stage, Tab, journey, until};

/// Where apps begin.
const HOME: &str = "<!doctype html><meta name=referrer content=no-referrer><title>home</title>";

/// SHA-256 of a verifier that no code is redeemed with here.
const CHALLENGE: &str = "HKo6Is6Fa1c6I4Y9cwovFcoH2wexkjsyfYUB2BF__uw";

/// Sends a tab to the provider as an app does; gives the address where it ends.
async fn authorize(stage: &Stage, tab: &Tab<'_>, client: &str, home: &str) -> Result<String> {
    let issuer = stage.issuer();
    let query = format!(
        "response_type=code&client_id={client}&redirect_uri={home}&scope=openid&state=s\
         &code_challenge={CHALLENGE}&code_challenge_method=S256"
    );
    tab.goto(&format!("{issuer}/authorize?{query}")).await?;
    if tab.address().await?.starts_with(&issuer) {
        SignInPage::wait(tab.clone()).await?.submit("richard", PASSWORD).await?;
    }
    until("the way back", async || {
        let address = tab.address().await?;
        Ok(address.starts_with(home).then_some(address))
    })
    .await
}

/// F3: with few apps and with many, one of which never answers, the browser goes on by itself.
#[test]
fn f3_page_that_frames_sign_out_pages_waits_for_none_that_hangs() -> Result {
    journey().go(async |stage, browser| {
        let home = |number: usize| format!("{}/", stage.site.origin(&format!("app-{number}")));
        let page = |number: usize| if number == 0 { "hang" } else { "out" };
        let clients: String = (0..10)
            .map(|number| {
                let (home, page) = (home(number), page(number));
                format!(
                    "\n[[clients]]\nid = \"app-{number}\"\nname = \"App {number}\"\n\
                     redirect_uris = [\"{home}\"]\nfrontchannel_logout_uri = \"{home}{page}\"\n"
                )
            })
            .collect();
        stage.start_provider_with(&clients)?;
        stage.site.hang("/hang");
        stage.site.answer_page("/out", "<!doctype html><title>out</title>");
        stage.site.answer_page("/", HOME);
        let tab = browser.first_tab();
        for count in [2, 10] {
            for number in 0..count {
                authorize(stage, &tab, &format!("app-{number}"), &home(number)).await?;
            }
            let before = stage.site.requests().len();
            let back = format!("{}/", stage.site.origin(GUEST_HOST));
            let query = format!("client_id=npm-app&post_logout_redirect_uri={back}&state=s");
            tab.goto(&format!("{}/end_session?{query}", stage.issuer())).await?;
            tab.click("submit").await?;
            until("the way back to the app", async || {
                Ok((tab.address().await? == format!("{back}?state=s")).then_some(()))
            })
            .await?;
            let requests = stage.site.requests().split_off(before);
            for number in 0..count {
                let page = format!("{}{}?iss=", home(number), page(number));
                let framed = requests.iter().filter(|request| request.url.starts_with(&page));
                ensure!(framed.count() > 0, "{page} was not framed");
            }
            ensure!(stage.control.sessions().await?.is_empty(), "the session goes on");
        }
        Ok(())
    })
}

/// An app's page that asks the provider's frame, with what it is to ask in its own address.
const ASKING: &str = "<!doctype html><title>asking</title><script>
    const asked = new URLSearchParams(location.search);
    const frame = document.createElement('iframe');
    frame.src = `${asked.get('issuer')}/check_session`;
    frame.onload = () => frame.contentWindow.postMessage(asked.get('ask'), new URL(frame.src).origin);
    addEventListener('message', ({ data }) => { document.documentElement.dataset.said = data; });
    addEventListener('DOMContentLoaded', () => document.body.append(frame));
    </script><body>";

async fn ask(stage: &Stage, tab: &Tab<'_>, question: &str) -> Result<String> {
    let (home, issuer) = (stage.site.origin(GUEST_HOST), stage.issuer());
    tab.goto(&format!("{home}/asking?issuer={issuer}&ask={question}")).await?;
    until("what the frame says", async || {
        let said = tab.run("return document.documentElement.dataset.said", vec![]).await?;
        Ok(said.as_str().map(str::to_owned))
    })
    .await
}

/// Session Management 1.0, in the world as it is: where the frame sees its cookie it tells a change,
/// elsewhere it says that it cannot tell, and nobody is signed out for that.
#[test]
fn f4_session_frame_tells_a_change_where_it_sees_its_cookie_and_nothing_elsewhere() -> Result {
    journey().go(async |stage, browser| {
        let world = World::of_this_run()?;
        let sees = world.frames_get_cookies();
        // Where a person's click opens the frame, it may see its cookie from then on.
        let is_right = |said: &str, truth: &str| match said {
            "error" => !sees,
            said => said == truth && (sees || world.opens_on_click()),
        };
        stage.site.answer_page("/asking", ASKING);
        stage.site.answer_page("/", HOME);
        let tab = browser.first_tab();
        let home = format!("{}/", stage.site.origin(GUEST_HOST));
        let address = authorize(stage, &tab, "npm-app", &home).await?;
        let state = address.split("session_state=").nth(1).context("no session_state")?;
        let question = format!("npm-app%20{}", state.split('&').next().unwrap_or_default());
        let said = ask(stage, &tab, &question).await?;
        ensure!(is_right(&said, "unchanged"), "it says {said}");
        tab.goto(&format!("{}/end_session", stage.issuer())).await?;
        tab.click("submit").await?;
        until("the end", async || Ok(stage.control.sessions().await?.is_empty().then_some(())))
            .await?;
        let said = ask(stage, &tab, &question).await?;
        ensure!(is_right(&said, "changed"), "it says {said}");
        // Who asks nonsense is told so, whatever the frame sees.
        let said = ask(stage, &tab, "npm-app").await?;
        ensure!(said == "error", "it says {said}");
        Ok(())
    })
}

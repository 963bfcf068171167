//! Other people's clients sign in at our provider (S9).

use anyhow::ensure;
use axum::http::header::REFERRER_POLICY;
use gatepass_tests::node::Script;
use gatepass_tests::pages::SignInPage;
use gatepass_tests::stage::{GUEST_HOST, PASSWORD};
use gatepass_tests::{Result, journey, until};
use serde_json::Value;

#[test]
fn s9_oidc_client_ts_signs_in_renews_and_signs_out() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        let page = format!("{}/peers/oidc-client-ts.html", stage.site.origin(GUEST_HOST));
        let status = async |wanted: &str| {
            let shown = until(format!("status {wanted}"), async || {
                let here = tab.address().await?.starts_with(&page);
                Ok((here && tab.text("status").await?.as_deref() == Some(wanted)).then_some(()))
            });
            match shown.await {
                Ok(()) => Ok(()),
                Err(error) => Err(error.context(tab.describe().await)),
            }
        };
        tab.goto(&format!("{page}?issuer={}", stage.issuer())).await?;
        status("anonymous").await?;
        tab.click("sign-in").await?;
        SignInPage::wait(tab.clone()).await?.submit("richard", PASSWORD).await?;
        status("authenticated").await?;
        let profile: Value = serde_json::from_str(&tab.wait_text("profile").await?)?;
        ensure!(profile["name"] == "Richard Hendricks", "{profile}");
        ensure!(profile["email"] == "richard@piedpiper.example", "{profile}");
        ensure!(profile["renewable"] == true, "there is no refresh token");

        tab.click("renew").await?;
        status("authenticated").await?;
        stage.control.timeline().await?.exactly(1, "token.refreshed@oidc-client-ts")?;

        tab.click("silent").await?;
        stage.control.wait_for(2, "token.issued@oidc-client-ts").await?;
        status("authenticated").await?;
        stage.control.timeline().await?.exactly(1, "session.reused@oidc-client-ts")?;

        tab.click("sign-out").await?;
        status("anonymous").await?;
        stage.control.timeline().await?.exactly(1, "session.ended")
    })
}

#[test]
fn s9_openid_client_signs_in_renews_and_signs_out_by_its_own_checks() -> Result {
    journey().go(async |stage, browser| {
        let callback = format!("{}/peers/openid-client", stage.site.origin(GUEST_HOST));
        // There is no page, for which some browsers want an icon, and say where they are.
        stage.site.set_header(REFERRER_POLICY, "no-referrer")?;
        let mut node = Script::start("peers/openid-client.js", &[&stage.issuer(), &callback])?;
        let address = node.hear()?;
        let tab = browser.first_tab();
        tab.goto(&address).await?;
        SignInPage::wait(tab.clone()).await?.submit("gavin", PASSWORD).await?;
        let arrival = async |sign: &str| {
            until("the callback", async || {
                let address = tab.address().await?;
                let is_it = address.starts_with(&callback) && address.contains(sign);
                Ok(Some(address).filter(|_| is_it))
            })
            .await
        };
        node.tell(&arrival("code=").await?)?;
        let learned: Value = serde_json::from_str(&node.hear()?)?;
        ensure!(learned["claims"]["aud"] == "openid-client", "{learned}");
        ensure!(learned["info"]["name"] == "Gavin Belson", "{learned}");
        ensure!(learned["rotated"] == true, "the refresh token was not rotated");
        ensure!(learned["renewedSubject"] == learned["claims"]["sub"], "{learned}");
        ensure!(learned["secondRedemption"] == "invalid_grant", "{learned}");
        stage.control.timeline().await?.exactly(1, "token.replayed@openid-client")?;

        // Silently, with the session that is left.
        tab.goto("about:blank").await?;
        tab.goto(&node.hear()?).await?;
        node.tell(&arrival("code=").await?)?;
        let silent: Value = serde_json::from_str(&node.hear()?)?;
        ensure!(silent["subject"] == learned["claims"]["sub"], "{silent}");
        stage.control.timeline().await?.exactly(1, "session.reused@openid-client")?;

        tab.goto("about:blank").await?;
        tab.goto(&node.hear()?).await?;
        node.tell(&arrival("state=").await?)?;
        let left: Value = serde_json::from_str(&node.hear()?)?;
        ensure!(left["signedOut"] == true, "{left}");
        stage.control.timeline().await?.exactly(1, "session.ended")
    })
}

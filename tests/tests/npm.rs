//! The packed npm package in a Vite app without a framework, on a third site.

use anyhow::{Context, ensure};
use gatepass_tests::node::Script;
use gatepass_tests::npm_app::{
    built, built_react, look_at, open, open_at, open_build, run, sign_out, wait, wait_ended,
};
use gatepass_tests::pages::SignInPage;
use gatepass_tests::stage::{GUEST_HOST, PASSWORD};
use gatepass_tests::world::World;
use gatepass_tests::{Result, environment, journey, until};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn the_types_of_the_package_fit_a_strict_app() -> Result {
    let app = built()?;
    let app = app.parent().context("the app has no directory")?;
    let tsc = environment::crate_path("node_modules/typescript/bin/tsc");
    run(Command::new("node").arg(tsc).args(["--project", "."]).current_dir(app))?;
    // A wrong option is an error, or the types say nothing.
    let wrong = app.join("wrong.ts");
    std::fs::write(
        &wrong,
        "import { createClient } from 'gatepass';\ncreateClient({ issuer: 'x', clientID: 'y' });\n",
    )?;
    let project =
        std::fs::read_to_string(app.join("tsconfig.json"))?.replace("main.ts", "wrong.ts");
    std::fs::write(app.join("wrong.json"), project)?;
    let tsc = environment::crate_path("node_modules/typescript/bin/tsc");
    let output = Command::new("node")
        .arg(tsc)
        .args(["--project", "wrong.json"])
        .current_dir(app)
        .stdin(Stdio::null())
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(!output.status.success() && said.contains("clientID"), "{said}");
    Ok(())
}

#[test]
fn the_package_holds_what_it_names_and_nothing_else() -> Result {
    let app = built()?;
    let package = app.parent().context("the app has no directory")?.join("node_modules/gatepass");
    let files = files_of(&package, "")?;
    let manifest: Value =
        serde_json::from_str(&std::fs::read_to_string(package.join("package.json"))?)?;
    let exports = manifest["exports"].as_object().context("no exports")?;
    for (name, target) in exports {
        let targets = match target {
            Value::String(path) => vec![path.as_str()],
            Value::Object(kinds) => kinds.values().filter_map(Value::as_str).collect(),
            _ => vec![],
        };
        ensure!(!targets.is_empty(), "{name} leads nowhere");
        for path in targets {
            let path = path.trim_start_matches("./");
            ensure!(files.iter().any(|file| file == path), "{name}: there is no {path}");
        }
    }
    // What a person reads of: files by name, and entries that can be imported.
    let readme = std::fs::read_to_string(package.join("README.md"))?;
    let mut named = Vec::new();
    for word in readme.split('`').skip(1).step_by(2) {
        let is_file = [".html", ".wasm", ".js", ".json"].iter().any(|end| word.ends_with(end));
        if is_file && !word.contains(char::is_whitespace) {
            let is_there = files.iter().any(|file| file.rsplit('/').next() == Some(word));
            ensure!(is_there, "the README names {word}, and the package has none");
            named.push(word);
        }
        if let Some(entry) = word.strip_prefix("gatepass/") {
            ensure!(exports.contains_key(&format!("./{entry}")), "no entry {word}");
            named.push(word);
        }
    }
    let pages = ["gatepass-front-channel.html", "gatepass-silent.html"];
    for wanted in pages.into_iter().chain(["gatepass_bg.wasm", "gatepass/inline"]) {
        ensure!(named.contains(&wanted), "the README does not name {wanted}: {named:?}");
    }
    // An app serves these pages as they are: whoever knows a script by hash must not be surprised.
    for page in pages {
        let packed = std::fs::read(package.join(page))?;
        let source = std::fs::read(environment::crate_path("../sdk/driver").join(page))?;
        ensure!(packed == source, "{page} is another one");
        ensure!(packed.len() < 1000, "{page} has grown to {} bytes", packed.len());
    }
    let papers = ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "package.json"];
    for file in &files {
        let is_code = ["driver/", "npm/ts/", "npm/wasm/"].iter().any(|at| file.starts_with(at))
            && [".js", ".d.ts", ".wasm"].iter().any(|end| file.ends_with(end));
        let is_known = papers.iter().chain(&pages).any(|known| known == file);
        ensure!(is_code || is_known, "{file} has no business in the package");
    }
    Ok(())
}

/// All files below a directory, as paths with slashes.
fn files_of(directory: &Path, prefix: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            found.extend(files_of(&entry.path(), &format!("{name}/"))?);
        } else {
            found.push(name);
        }
    }
    Ok(found)
}

#[test]
fn the_package_can_be_imported_and_a_client_made_on_a_server() -> Result {
    let app = built()?;
    let app = app.parent().context("the app has no directory")?;
    let script = r#"
        import assert from "node:assert/strict";
        import { createClient } from "gatepass";
        const auth = createClient({ issuer: "https://idp.example", clientId: "pied-piper" });
        assert.equal(auth.state.status, "restoring");
        let told = 0;
        auth.subscribe(() => told++)();
        assert.equal(told, 1);
        await assert.rejects(auth.signIn(), { code: "browser_required" });
        assert.throws(() => createClient({ issuer: "https://idp.example" }), {
            code: "config_invalid",
        });
        const on = (onLoad) =>
            createClient({ issuer: "https://idp.example", clientId: "pied-piper", onLoad });
        for (const known of ["hint", "auto", "check", "probe", "manual"]) on(known);
        for (const none of [undefined, null, ""]) on(none);
        for (const unknown of ["always", "Auto", "login-required", " auto"])
            assert.throws(() => on(unknown), (refused) =>
                refused.code === "config_invalid" && refused.evidence.subject === "onLoad" &&
                refused.evidence.found === unknown);
    "#;
    run(Command::new("node").args(["--input-type=module", "--eval", script]).current_dir(app))
}

#[test]
fn s15_the_npm_client_signs_in_reads_and_is_refused_after_sign_out() -> Result {
    journey().with_a_wire().go(async |stage, browser| {
        let tab = browser.first_tab();
        let origin = open(stage, &tab).await?;
        wait(&tab, "status", "anonymous").await?;
        tab.click("sign-in").await?;
        SignInPage::wait(tab.clone()).await?.submit("richard", PASSWORD).await?;
        wait(&tab, "status", "authenticated").await?;
        ensure!(tab.wait_text("user-name").await?.contains("Richard Hendricks"));
        let address = tab.address().await?;
        ensure!(address == format!("{origin}/"), "{address}");

        tab.click("fetch-userinfo").await?;
        let read = until("what UserInfo answers", async || {
            let words = tab.text("userinfo").await?.unwrap_or_default();
            Ok(serde_json::from_str::<Value>(&words).ok())
        });
        let read = read.await?;
        ensure!(read["email"] == "richard@piedpiper.example", "{read}");
        stage.control.timeline().await?.exactly(1, "userinfo.served@npm-app")?;

        tab.click("sign-out").await?;
        wait(&tab, "status", "anonymous").await?;
        stage.control.wait_for(1, "session.ended").await?;
        // Without a session the client has no token to send, and says so.
        tab.click("fetch-userinfo").await?;
        wait(&tab, "refused", "not_signed_in").await?;
        // The token that the app has seen while it was signed in is worth nothing now.
        let requests = stage.wire()?.requests();
        let token =
            requests.iter().find_map(|request| request.bearer()).context("no token seen")?;
        let script = "const done = arguments[2];\
            fetch(arguments[0], { headers: { authorization: `Bearer ${arguments[1]}` } })\
              .then((response) => done(response.status), (error) => done(String(error)))";
        let userinfo = format!("{}/userinfo", stage.issuer());
        let answered = tab.run_async(script, vec![json!(userinfo), json!(token)]).await?;
        ensure!(answered == 401, "the old token got {answered}");
        Ok(())
    })
}

#[test]
fn f2_the_npm_client_hears_of_a_sign_out_elsewhere() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        open(stage, &tab).await?;
        wait(&tab, "status", "anonymous").await?;
        tab.click("sign-in").await?;
        SignInPage::wait(tab.clone()).await?.submit("gavin", PASSWORD).await?;
        wait(&tab, "status", "authenticated").await?;
        stage.control.wait_for(1, "stream.opened@npm-app").await?;
        let sessions = stage.control.sessions().await?;
        let id = sessions[0]["id"].as_str().context("a session has no id")?;
        stage.control.end_session(id).await?;
        wait(&tab, "status", "anonymous").await
    })
}

#[test]
fn two_npm_clients_on_one_page_handle_one_callback_once() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        let origin = open(stage, &tab).await?;
        wait(&tab, "status", "anonymous").await?;
        // Two clients from the start of the page, as React's strict mode makes them.
        tab.goto(&format!("{origin}/?clients=2")).await?;
        wait(&tab, "status", "anonymous").await?;
        tab.click("sign-in").await?;
        SignInPage::wait(tab.clone()).await?.submit("gavin", PASSWORD).await?;
        wait(&tab, "status", "authenticated").await?;
        let address = tab.address().await?;
        ensure!(!address.contains("code="), "{}", address.split('?').next().unwrap_or_default());
        let timeline = stage.control.timeline().await?;
        timeline.exactly(1, "token.received@npm-app")?;
        timeline.exactly(0, "token.replayed")
    })
}

#[test]
fn react_in_strict_mode_mounts_twice_and_signs_in_once() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        let origin = open_build(stage, &tab, &built_react()?).await?;
        for name in ["Richard Hendricks", "Gavin Belson"] {
            wait(&tab, "status", "anonymous").await?;
            let before = stage.control.now().await?;
            tab.click("sign-in").await?;
            let user = name.split(' ').next().unwrap_or_default().to_lowercase();
            SignInPage::wait(tab.clone()).await?.submit(&user, PASSWORD).await?;
            wait(&tab, "user-name", name).await?;
            // Otherwise React is not in its strict mode, and this shows nothing.
            wait(&tab, "mounts", "2").await?;
            wait(&tab, "status", "authenticated").await?;
            wait(&tab, "notice", "").await?;
            ensure!(tab.address().await? == format!("{origin}/"), "the address is not clean");
            let timeline = stage.control.timeline_after(before).await?;
            timeline.exactly(1, "token.received@npm-app")?;
            timeline.exactly(1, "authorize.received@npm-app")?;
            // And a reload: one redirect, or none.
            tab.reload().await?;
            wait(&tab, "user-name", name).await?;
            wait(&tab, "mounts", "2").await?;
            let timeline = stage.control.timeline_after(before).await?;
            timeline.exactly(0, "token.replayed")?;
            timeline.exactly(0, "grants.revoked")?;
            ensure!(timeline.count("authorize.received@npm-app") <= 2, "{timeline}");
            sign_out(stage, &tab).await?;
        }
        wait(&tab, "status", "anonymous").await
    })
}

/// Starts npm's oidc-provider 9, unmodified, for these clients and their addresses; and its issuer.
fn oidc_provider(clients: &[(&str, &str)]) -> Result<(Script, String)> {
    let certificate = if World::of_this_run()?.needs_tls() {
        environment::text(environment::CERTIFICATE)?
    } else {
        String::new()
    };
    let mut words = vec![certificate.as_str()];
    words.extend(clients.iter().flat_map(|(id, home)| [*id, *home]));
    let mut peer = Script::start_by_node_22("peers/oidc-provider.mjs", &words)?;
    let issuer = peer.hear()?;
    Ok((peer, issuer))
}

/// The same provider, in our client's eyes: sign-in, silent sign-in after a reload,
/// refresh, sign-out.
#[test]
fn s9_the_npm_client_at_oidc_provider() -> Result {
    journey().go(async |stage, browser| {
        let home = format!("{}/", stage.site.origin(GUEST_HOST));
        let (mut peer, issuer) = oidc_provider(&[("npm-app", &home)])?;
        let tab = browser.first_tab();
        open_at(stage, &tab, &issuer).await?;
        wait(&tab, "status", "anonymous").await?;

        tab.click("sign-in").await?;
        tab.click("submit").await?;
        wait(&tab, "status", "authenticated").await?;
        ensure!(tab.wait_text("user-name").await?.contains("Richard Hendricks"));
        ensure!(tab.address().await? == home, "{}", tab.address().await?);
        peer.hear_until("authorized by a person")?;
        peer.hear_until("token authorization_code")?;

        // Its access tokens live for 20 seconds, so a client refreshes before it uses one.
        tab.click("fetch-userinfo").await?;
        let read = until("what UserInfo answers", async || {
            let words = tab.text("userinfo").await?.unwrap_or_default();
            Ok(serde_json::from_str::<Value>(&words).ok())
        });
        let read = read.await?;
        ensure!(read["email"] == "richard@piedpiper.example", "{read}");
        peer.hear_until("token refresh_token")?;

        // Tokens live in memory: after a reload the provider's session signs in again, silently.
        tab.reload().await?;
        wait(&tab, "status", "authenticated").await?;
        peer.hear_until("authorized none")?;

        tab.click("sign-out").await?;
        tab.click("submit").await?;
        wait(&tab, "status", "anonymous").await?;
        peer.hear_until("session ended")
    })
}

/// A provider that knows nothing of session events: two apps on two sites, one sign-in, and a sign-out at
/// one that the other finds out by itself, with its tab in view or when somebody looks at it again.
#[test]
fn f1_f2_s9_two_apps_at_oidc_provider_learn_of_each_other() -> Result {
    journey().go(async |stage, browser| {
        let homes = [GUEST_HOST, "elsewhere"].map(|host| format!("{}/", stage.site.origin(host)));
        let (mut peer, issuer) =
            oidc_provider(&[("npm-app", &homes[0]), ("npm-other", &homes[1])])?;
        // In a window of its own: a tab behind another one is not looked at.
        let (first, second) = (browser.first_tab(), browser.new_window().await?);
        open_at(stage, &first, &issuer).await?;
        wait(&first, "status", "anonymous").await?;
        first.click("sign-in").await?;
        first.click("submit").await?;
        wait(&first, "status", "authenticated").await?;
        peer.hear_until("authorized by a person")?;

        second.goto(&format!("{}?client=npm-other", homes[1])).await?;
        wait(&second, "status", "authenticated").await?;
        ensure!(second.wait_text("user-name").await?.contains("Richard Hendricks"));
        peer.hear_until("authorized none")?;

        first.click("sign-out").await?;
        first.click("submit").await?;
        wait(&first, "status", "anonymous").await?;
        peer.hear_until("session ended")?;
        look_at(&second).await?;
        wait_ended(&second).await?;
        // Nor does it come back, or ask again and again.
        second.reload().await?;
        wait(&second, "status", "anonymous").await
    })
}

#[test]
fn two_clients_of_one_page_take_each_its_own_answer() -> Result {
    journey().go(async |stage, browser| {
        let home = format!("{}/", stage.site.origin(GUEST_HOST));
        let (_peer, issuer) = oidc_provider(&[("npm-app", &home), ("npm-other", &home)])?;
        let tab = browser.first_tab();
        open_at(stage, &tab, &issuer).await?;
        let door = format!("{home}?other=npm-other&onLoad=manual");
        tab.goto(&door).await?;
        wait(&tab, "status", "anonymous").await?;
        // The one that was made last, whose answer the first finds in the address.
        tab.run("other.signIn().catch(() => {})", vec![]).await?;
        tab.click("submit").await?;
        wait(&tab, "status", "anonymous").await?;
        let is_in = "return other.state.status === 'authenticated'";
        until("the second client's session", async || {
            Ok((tab.run(is_in, vec![]).await? == json!(true)).then_some(()))
        })
        .await?;
        ensure!(tab.address().await? == door, "{}", tab.address().await?);
        ensure!(tab.text("notice").await?.as_deref() == Some(""), "the first one complains");
        tab.click("sign-in").await?;
        wait(&tab, "status", "authenticated").await?;
        ensure!(tab.address().await? == door, "{}", tab.address().await?);
        Ok(())
    })
}

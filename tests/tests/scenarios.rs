//! The packed npm package against each scenario of the provider, in Chromium.
//!
//! Each scenario has an issuer of its own, so one browser meets them one after the other. What came
//! of it stands in `target/report/scenarios.json`; docs/scenarios.md has the same table for people.
//! `GATEPASS_BLESS=1 cargo xtask test npm --filter scenarios` agrees to a new one.

use anyhow::{Context, ensure};
use gatepass_tests::browser::{Flavour, refuse_tokens};
use gatepass_tests::npm_app::{self, built};
use gatepass_tests::pages::SignInPage;
use gatepass_tests::stage::{GUEST_HOST, PASSWORD};
use gatepass_tests::world::World;
use gatepass_tests::{Browser, Result, Stage, Tab, environment, journey, until, until_within};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt::Write;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A scenario as the provider lists it.
#[derive(Clone, Debug, Deserialize)]
struct Scenario {
    name: String,
    breaks: String,
    spec: String,
    outcome: String,
    codes: Vec<String>,
    reach: String,
    reason: Option<String>,
    issuer: String,
    /// How many things it breaks; none where all is right.
    faults: usize,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
struct Row {
    name: String,
    outcome: String,
    /// The session's status afterwards.
    status: String,
    /// The client's error code, if it told one.
    code: Option<String>,
    verdict: String,
    because: String,
    /// What is not as it should be.
    wrong: Option<String>,
    milliseconds: u128,
}

#[test]
fn scenarios_are_met_as_they_should_be() -> Result {
    journey().go(async |stage, browser| {
        stage.site.serve(built()?);
        let config = json!({
            "issuer": stage.issuer(),
            "clientId": "npm-app",
            "api": stage.api(),
            "elsewhere": stage.site.origin("elsewhere"),
        });
        stage.site.answer("/config.json", config.to_string());
        let scenarios = stage.control.scenarios().await?;
        let scenarios: Vec<Scenario> = scenarios
            .into_iter()
            .map(serde_json::from_value)
            .collect::<std::result::Result<_, _>>()?;
        let (inapplicable, met): (Vec<_>, Vec<_>) =
            scenarios.iter().partition(|scenario| scenario.reason.is_some());
        let (undriven, met): (Vec<_>, Vec<_>) =
            met.into_iter().partition(|scenario| UNDRIVEN.contains(&scenario.name.as_str()));
        ensure!(undriven.len() == UNDRIVEN.len(), "no such scenario: {UNDRIVEN:?}");
        let second = Browser::start(World::of_this_run()?, Flavour::default()).await?;
        let next = AtomicUsize::new(0);
        let (mine, others) =
            tokio::join!(walk(stage, browser, &met, &next), walk(stage, &second, &met, &next));
        for line in second.console().await? {
            refuse_tokens(&line, &[], "a console line")?;
        }
        second.quit().await?;
        let mut rows = mine?;
        rows.extend(others?);
        rows.sort_by(|a, b| a.name.cmp(&b.name));
        write_report(&rows, &inapplicable)?;
        let wrong: Vec<String> = rows
            .iter()
            .filter(|row| row.wrong.is_some() != is_open(&row.name))
            .map(|row| format!("{row:?}"))
            .collect();
        ensure!(
            wrong.is_empty(),
            "{} of {} scenarios are not as expected (or are mended, and no longer open):\n{}",
            wrong.len(),
            rows.len(),
            wrong.join("\n")
        );
        compare_docs(&scenarios, &rows)
    })
}

/// RFC 9700, 4.4: the person has an account at the honest provider, and the app has also to do with
/// a hostile one, which sends her on to the honest one to get at the code.
#[test]
fn op27_a_mix_up_gives_the_hostile_provider_no_code() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        let origin = npm_app::open(stage, &tab).await?;
        let hostile = format!("{}/s/mix-up", stage.issuer());
        tab.goto(&format!("{origin}/?issuer={hostile}&onLoad=manual")).await?;
        npm_app::wait(&tab, "status", "anonymous").await?;
        tab.click("sign-in").await?;
        let page = SignInPage::wait(tab.clone()).await?;
        let address = tab.address().await?;
        ensure!(address.starts_with(&format!("{}/authorize", stage.issuer())), "not sent on");
        page.submit("richard", PASSWORD).await?;
        npm_app::wait(&tab, "notice", "response_issuer_mismatch").await?;
        npm_app::wait(&tab, "status", "anonymous").await?;
        let address = tab.address().await?;
        let is_clean = !address.contains("code=") && !address.contains("state=");
        ensure!(is_clean, "something of the answer stays in the address");
        stage.control.timeline().await?.exactly(0, "token.received")?;
        let judged = stage.control.asked("mix-up", &json!({})).await?;
        ensure!(judged["verdict"] == "refused", "{judged}");
        // At the honest provider she is signed in, and the app can use that.
        tab.goto(&format!("{origin}/?issuer={}&onLoad=auto", stage.issuer())).await?;
        npm_app::wait(&tab, "status", "authenticated").await
    })
}

/// What no browser is driven through. A person who stops a navigation that is not answered clicks again,
/// and that click is `superseded` for as long as the client takes to believe that the page stays: how
/// long depends on when each of the two notices. The provider's own tests meet it.
const UNDRIVEN: &[&str] = &["authorization-response-silent"];

/// What is known not to be as it should be: name and why. Empty is the aim; a row that is mended
/// has to go.
const OPEN: &[(&str, &str)] = &[];

fn is_open(name: &str) -> bool {
    OPEN.iter().any(|(open, _)| *open == name)
}

/// Meets scenarios until there are none left.
async fn walk(
    stage: &Stage,
    browser: &Browser,
    scenarios: &[&Scenario],
    next: &AtomicUsize,
) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
        let began = Instant::now();
        let visit = Visit { stage, tab: browser.first_tab(), scenario };
        let mut row = match visit.meet().await {
            Ok(row) => row,
            Err(error) => {
                let error = error.context(browser.first_tab().describe().await);
                Row {
                    name: scenario.name.clone(),
                    outcome: scenario.outcome.clone(),
                    status: String::new(),
                    code: None,
                    verdict: String::new(),
                    because: String::new(),
                    wrong: Some(format!("{error:#}")),
                    milliseconds: 0,
                }
            }
        };
        row.milliseconds = began.elapsed().as_millis();
        rows.push(row);
    }
    Ok(rows)
}

/// One scenario in one tab.
struct Visit<'a> {
    stage: &'a Stage,
    tab: Tab<'a>,
    scenario: &'a Scenario,
}

/// What the app shows of its session.
#[derive(Clone, Debug, Default, Deserialize)]
struct Shown {
    status: String,
    code: Option<String>,
}

impl Visit<'_> {
    async fn meet(&self) -> Result<Row> {
        let Scenario { name, outcome, reach, .. } = self.scenario;
        // Of one site's cookies browsers keep some 180: the oldest go first, and one may be ours.
        self.tab.command("Network.clearBrowserCookies", json!({})).await?;
        self.bring_session(&self.scenario.issuer).await?;
        if name.starts_with("mix-up") {
            self.bring_session(&self.stage.issuer()).await?;
        }
        self.stage.control.forget_scenario(name).await?;
        let origin = self.stage.site.origin(GUEST_HOST);
        let issuer = &self.scenario.issuer;
        self.tab.goto(&format!("{origin}/?issuer={issuer}&onLoad=manual")).await?;
        let mut shown = self.sign_in().await?;
        if shown.status == "authenticated" {
            shown = match reach.as_str() {
                "second_sign_in" => {
                    self.ask("auth.signOut({ scope: 'local' })").await?;
                    self.sign_in().await?
                }
                "user_info" => self.ask("auth.check()").await?,
                "refresh" => self.ask("auth.getToken({ minTtl: 1e6 })").await?,
                "logout_token" => self.send_logout_token().await?,
                "sign_out" => self.sign_out().await?,
                _ => shown,
            };
        }
        // Whoever claims success calls UserInfo, and whoever refused is asked to.
        let before = self.requests().await?;
        let used = self.ask(&format!("auth.fetch('{issuer}/userinfo')")).await?;
        let report = self.report(&shown);
        let judged = self.stage.control.asked(name, &report).await;
        let judged = match judged {
            Ok(judged) => judged,
            // Nothing is wrong there, so there was nothing to tell.
            Err(_) if outcome == "accept" && self.scenario.faults == 0 => json!({
                "verdict": if shown.code.is_none() { "accepted" } else { "refused" },
                "because": "there was nothing to refuse",
            }),
            Err(error) => return Err(error.context(format!("{shown:?}"))),
        };
        let word = |name: &str| judged[name].as_str().unwrap_or_default().to_owned();
        let mut row = Row {
            name: name.clone(),
            outcome: outcome.clone(),
            status: used.status.clone(),
            code: shown.code.clone(),
            verdict: word("verdict"),
            because: word("because"),
            wrong: None,
            milliseconds: 0,
        };
        row.wrong = self.wrong(&row).err().map(|error| format!("{error:#}"));
        let is_refused_sign_in = outcome == "reject" && used.status != "authenticated";
        if is_refused_sign_in && self.requests().await? != before {
            row.wrong = Some("requests followed the refusal".to_owned());
        }
        Ok(row)
    }

    /// What is not as the scenario wants it.
    fn wrong(&self, row: &Row) -> Result {
        let Scenario { outcome, reach, codes, .. } = self.scenario;
        let is_signed_in = row.status == "authenticated";
        let code_fits = row.code.as_ref().is_some_and(|code| codes.contains(code));
        match outcome.as_str() {
            "accept" => {
                let should_be = !matches!(reach.as_str(), "logout_token" | "sign_out");
                ensure!(is_signed_in == should_be, "the session is {}", row.status);
                ensure!(row.code.is_none(), "refused: {:?}", row.code);
                ensure!(row.verdict == "accepted", "the verdict is {}", row.verdict);
            }
            "reject" => {
                // What comes to a session that is there leaves it as it was.
                let should_be = matches!(reach.as_str(), "user_info" | "refresh" | "logout_token");
                ensure!(is_signed_in == should_be, "the session is {}", row.status);
                let is_quiet = codes.is_empty() && row.code.is_none();
                ensure!(code_fits || is_quiet, "the code is {:?}, not of {codes:?}", row.code);
                ensure!(row.verdict == "refused", "the verdict is {}", row.verdict);
            }
            _ => {
                ensure!(row.verdict != "still waiting", "the verdict is {}", row.verdict);
                ensure!(row.code.is_none() || code_fits, "the code is {:?}", row.code);
                ensure!(row.code.is_some() || is_signed_in || reach == "sign_out", "said nothing");
            }
        }
        Ok(())
    }

    /// What the client says, where no request shows what it thinks.
    fn report(&self, shown: &Shown) -> Value {
        let is_silent = matches!(self.scenario.reach.as_str(), "user_info" | "sign_out");
        match (&shown.code, is_silent) {
            (Some(code), _) if is_silent => json!({ "said": "refused", "code": code }),
            (None, true) => json!({ "said": "accepted" }),
            (_, _) => json!({}),
        }
    }

    /// Signs in at an issuer as a browser without pages does, and gives this browser the cookies.
    async fn bring_session(&self, issuer: &str) -> Result {
        let http = &self.stage.http;
        let query = [
            ("response_type", "code"),
            ("client_id", "npm-app"),
            ("redirect_uri", &format!("{}/", self.stage.site.origin(GUEST_HOST))),
            ("scope", "openid"),
            ("code_challenge", "HKo6Is6Fa1c6I4Y9cwovFcoH2wexkjsyfYUB2BF__uw"),
            ("code_challenge_method", "S256"),
        ];
        let asked = http.get(format!("{issuer}/authorize")).query(&query).send().await?;
        if asked.status() != 200 {
            // An answer at once, or a way to another provider.
            return Ok(());
        }
        let pre = cookies_of(&asked);
        let page = asked.text().await?;
        let (r, csrf) = (hidden(&page, "r")?, hidden(&page, "csrf")?);
        let form = [
            ("r", r.as_str()),
            ("csrf", csrf.as_str()),
            ("username", "richard"),
            ("password", PASSWORD),
            ("action", "sign-in"),
        ];
        let cookie: Vec<String> =
            pre.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = http.post(format!("{issuer}/login")).header("cookie", cookie.join("; "));
        let answer = request.form(&form).send().await?;
        ensure!(answer.status() == 303, "the sign-in answered {}", answer.status());
        let path = issuer.splitn(4, '/').nth(3).map_or_else(|| "/".to_owned(), |p| format!("/{p}"));
        for (name, value) in cookies_of(&answer) {
            let cookie = json!({
                "name": name, "value": value, "url": issuer, "path": path,
                "secure": true, "httpOnly": true, "sameSite": "Lax",
            });
            let set = self.tab.command("Network.setCookie", cookie).await?;
            ensure!(set["success"] == true, "the cookie {name} is not kept: {set}");
        }
        Ok(())
    }

    /// Asks the client to sign in, and waits for what comes of it, here or after the way back.
    async fn sign_in(&self) -> Result<Shown> {
        self.started().await?;
        let script = "window.left = true;
            auth.signIn().catch((error) => { window.refused = error.code ?? String(error) })";
        self.tab.run(script, vec![]).await?;
        until_within(PATIENCE, "the end of the sign-in", async || {
            let script = "if (!window.auth) return null;
                if (window.left && window.refused === undefined) return null;
                if (auth.state.status === 'restoring') return null;
                return { status: auth.state.status,
                         code: window.refused ?? auth.state.error?.code ?? null }";
            shown(&self.tab.run(script, vec![]).await?)
        })
        .await
    }

    async fn started(&self) -> Result {
        until("the client", async || {
            let script = "return !!window.auth && auth.state.status !== 'restoring'";
            Ok((self.tab.run(script, vec![]).await? == true).then_some(()))
        })
        .await
    }

    /// Lets the client do something and gives what the session shows then, with the code of what
    /// failed.
    async fn ask(&self, what: &str) -> Result<Shown> {
        let script = format!(
            "const done = arguments[0];
             const show = (code) => done({{ status: auth.state.status,
                                            code: code ?? auth.state.error?.code ?? null }});
             {what}.then(() => show(), (error) => show(error.code ?? String(error)))"
        );
        let answer = self.tab.run_async(&script, vec![]).await?;
        shown(&answer)?.context("the client says nothing")
    }

    /// Sends the scenario's logout token, twice where it is one of an earlier session, and waits
    /// for what the client makes of it.
    async fn send_logout_token(&self) -> Result<Shown> {
        let name = &self.scenario.name;
        until("an open stream", async || {
            Ok((self.stage.control.scenario_logout(name).await? > 0).then_some(()))
        })
        .await?;
        if name.ends_with("replayed") {
            // The first one was genuine.
            until("the sign-out", async || {
                let script = "return auth.state.status === 'anonymous'";
                Ok((self.tab.run(script, vec![]).await? == true).then_some(()))
            })
            .await?;
            // The times in tokens are whole seconds: the sign-in comes in a later one.
            let second = "return Math.floor(Date.now() / 1000)";
            let then = self.tab.run(second, vec![]).await?;
            until("a later second", async || {
                Ok((self.tab.run(second, vec![]).await? != then).then_some(()))
            })
            .await?;
            self.sign_in().await?;
            until("an open stream", async || {
                Ok((self.stage.control.scenario_logout(name).await? > 0).then_some(()))
            })
            .await?;
        }
        if self.scenario.codes.is_empty() && self.scenario.outcome == "reject" {
            // Refused for its time only: nothing is wrong, but the client looks at its session.
            return until("a check of the session", async || {
                let judged = self.stage.control.verdict(name).await?;
                if judged["verdict"] != "refused" {
                    return Ok(None);
                }
                self.ask("Promise.resolve()").await.map(Some)
            })
            .await;
        }
        until("what the client makes of it", async || {
            let script = "return auth.state.error || auth.state.status === 'anonymous'
                ? { status: auth.state.status, code: auth.state.error?.code ?? null } : null";
            shown(&self.tab.run(script, vec![]).await?)
        })
        .await
    }

    async fn sign_out(&self) -> Result<Shown> {
        self.tab.run("window.left = true; auth.signOut()", vec![]).await?;
        until("the way back", async || {
            let script = "if (!window.auth || window.left) return null;
                if (auth.state.status === 'restoring') return null;
                return { status: auth.state.status, code: auth.state.error?.code ?? null }";
            shown(&self.tab.run(script, vec![]).await?)
        })
        .await
    }

    /// How many requests the browser has sent to the scenario's issuer.
    async fn requests(&self) -> Result<usize> {
        let requests = self.tab.browser().requests().await?;
        let below = format!("{}/", self.scenario.issuer);
        Ok(requests.iter().filter(|request| request.url.starts_with(&below)).count())
    }
}

/// Longer than the client waits for any answer.
const PATIENCE: Duration = Duration::from_secs(60);

fn shown(value: &Value) -> Result<Option<Shown>> {
    if value.is_null() { Ok(None) } else { Ok(Some(serde_json::from_value(value.clone())?)) }
}

fn cookies_of(response: &reqwest::Response) -> Vec<(String, String)> {
    let lines = response.headers().get_all("set-cookie").iter();
    lines
        .filter_map(|line| line.to_str().ok()?.split(';').next()?.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn hidden(page: &str, name: &str) -> Result<String> {
    let mark = format!("name=\"{name}\" value=\"");
    let rest = page.split_once(&mark).with_context(|| format!("no field {name}"))?.1;
    Ok(rest.split('"').next().unwrap_or_default().to_owned())
}

fn write_report(rows: &[Row], inapplicable: &[&Scenario]) -> Result {
    let reasons: Vec<Value> = inapplicable
        .iter()
        .map(|scenario| json!({ "name": scenario.name, "reason": scenario.reason }))
        .collect();
    let report = json!({ "met": rows, "not_applicable": reasons });
    let path = environment::output("report/scenarios.json");
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, serde_json::to_vec_pretty(&report)?)?;
    Ok(())
}

/// The table for people is this one.
fn compare_docs(scenarios: &[Scenario], rows: &[Row]) -> Result {
    let path = environment::crate_path("../docs/scenarios.md");
    let made = docs(scenarios, rows)?;
    if std::env::var_os("GATEPASS_BLESS").is_some() {
        fs::write(&path, made)?;
        return Ok(());
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    ensure!(
        found == made,
        "docs/scenarios.md is not what was found: look at the report, and agree by \
         `GATEPASS_BLESS=1 cargo xtask test npm --filter scenarios`"
    );
    Ok(())
}

fn docs(scenarios: &[Scenario], rows: &[Row]) -> Result<String> {
    let mut text = String::from(
        "# Scenarios\n\n\
         Generated by `tests/tests/scenarios.rs` from what happened; do not edit.\n\n\
         What a provider, a network or an attacker can answer, and what the packed npm package makes\n\
         of it in Chromium. `idp-dev` tells each of them at `ISSUER/s/NAME`\n\
         ([how](../idp-dev/README.md#scenarios-a-provider-that-lies)). The codes are explained in\n\
         [errors.md](errors.md).\n\n\
         *accept*: nothing is wrong, however odd it looks. *reject*: nothing of it is used, and an\n\
         earlier session stays as it was. *recover*: this try may fail, the next one may not.\n",
    );
    let is_module = |name: &str| name.starts_with("oidcc-") || name.starts_with("fapi2-");
    let parts = [
        ("Modules of the OpenID Foundation's conformance suite", true),
        ("And what else there is", false),
    ];
    for (title, are_modules) in parts {
        writeln!(text, "\n## {title}\n")?;
        writeln!(text, "| scenario | what is wrong | rule | should | client |")?;
        writeln!(text, "|---|---|---|---|---|")?;
        for one in scenarios.iter().filter(|one| one.reason.is_none()) {
            if is_module(&one.name) != are_modules {
                continue;
            }
            let Some(row) = rows.iter().find(|row| row.name == one.name) else { continue };
            let made = match (&row.code, row.verdict.as_str()) {
                (Some(code), _) => format!("`{code}`"),
                (None, verdict) => verdict.to_owned(),
            };
            let (name, breaks, spec, outcome) = (&one.name, &one.breaks, &one.spec, &one.outcome);
            writeln!(text, "| `{name}` | {breaks} | {spec} | {outcome} | {made} |")?;
        }
    }
    writeln!(text, "\n## Modules that cannot apply to a public client in a browser\n")?;
    writeln!(text, "| module | why |\n|---|---|")?;
    for one in scenarios {
        if let Some(reason) = &one.reason {
            writeln!(text, "| `{}` | {reason} |", one.name)?;
        }
    }
    Ok(text)
}

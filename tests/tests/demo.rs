//! `cargo xtask demo` as a newcomer meets it: its one line, its ports, its end.

use anyhow::{Context, ensure};
use gatepass_tests::journey::alone;
use gatepass_tests::stage::free_base;
use gatepass_tests::{Result, environment, until};
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

/// The demo with everything, as built for this run.
fn start(base: u16, options: &[&str]) -> Result<Child> {
    let mut command = Command::new(environment::file(environment::XTASK)?);
    // A group of its own, as a shell gives it: Ctrl-C reaches the whole group.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command
        .args(["demo", "--no-open", "--no-build", "--port-base", &base.to_string()])
        .args(options)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start the demo")
}

/// Ends it as Ctrl-C does, sent by another program; it has said nothing more.
async fn end(demo: &mut Child, mut stdout: impl Read) -> Result {
    let group = format!("-{}", demo.id());
    ensure!(Command::new("kill").args(["-INT", "--", &group]).status()?.success());
    let ended = until("the end of the demo", async || Ok(demo.try_wait()?)).await?;
    ensure!(ended.success(), "the demo ended with {ended}");
    let mut rest = String::new();
    stdout.read_to_string(&mut rest)?;
    ensure!(rest.is_empty(), "it said more: {rest:?}");
    Ok(())
}

#[test]
fn the_demo_says_one_line_and_ends_with_all_its_parts() -> Result {
    alone(async {
        let base = free_base()?;
        let mut demo = start(base, &[])?;
        let mut stdout = BufReader::new(demo.stdout.take().context("no standard output")?);
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        ensure!(line == format!("ready http://localhost:{base}/\n"), "{line:?}");
        let http = reqwest::Client::builder();
        let http = http.resolve("idp.localhost", ([127, 0, 0, 1], base + 3).into()).build()?;
        for address in [
            format!("http://localhost:{base}/"),
            format!("http://127.0.0.1:{}/", base + 1),
            format!("http://127.0.0.1:{}/private", base + 2),
            format!("http://idp.localhost:{}/.well-known/openid-configuration", base + 3),
        ] {
            let status = http.get(&address).send().await?.status();
            ensure!(status == 200, "{address} answers {status}");
        }
        end(&mut demo, stdout).await?;
        for port in base..base + 5 {
            until(format!("port {port} to be free"), async || {
                Ok(TcpListener::bind(("127.0.0.1", port)).ok())
            })
            .await?;
        }
        Ok(())
    })
}

#[test]
fn the_demo_ends_with_a_provider_that_the_lobby_started_again() -> Result {
    alone(async {
        let base = free_base()?;
        let mut demo = start(base, &[])?;
        let mut stdout = BufReader::new(demo.stdout.take().context("no standard output")?);
        stdout.read_line(&mut String::new())?;
        let http = reqwest::Client::new();
        let lobby = format!("http://localhost:{base}");
        for run in [false, true] {
            let asked = http
                .post(format!("{lobby}/control/provider"))
                .header("origin", &lobby)
                .json(&serde_json::json!({ "run": run }));
            let status = asked.send().await?.status();
            ensure!(status == 204, "run: {run} was answered {status}");
            let health = http.get(format!("http://127.0.0.1:{}/health", base + 3)).send().await;
            ensure!(health.is_ok() == run, "after run: {run}, the provider says {health:?}");
        }
        end(&mut demo, stdout).await?;
        for port in base..base + 5 {
            until(format!("port {port} to be free"), async || {
                Ok(TcpListener::bind(("127.0.0.1", port)).ok())
            })
            .await?;
        }
        Ok(())
    })
}

#[test]
fn tls_the_demo_says_one_line_and_how_to_trust_its_authority() -> Result {
    alone(async {
        let base = free_base()?;
        let mut demo = start(base, &["--tls"])?;
        let mut stdout = BufReader::new(demo.stdout.take().context("no standard output")?);
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        ensure!(line == format!("ready https://localhost:{base}/\n"), "{line:?}");
        let mut stderr = demo.stderr.take().context("no standard error")?;
        end(&mut demo, stdout).await?;
        let mut said = String::new();
        stderr.read_to_string(&mut said)?;
        let authority = environment::output("demo/tls/authority.pem").canonicalize()?;
        for word in ["certutil -d", "add-trusted-cert", "-addstore", "Firefox", "docs/tls.md"] {
            ensure!(said.contains(word), "it does not say {word}: {said}");
        }
        ensure!(said.contains(&authority.display().to_string()), "{said}");
        ensure!(!said.contains("PRIVATE"), "it says a key");
        Ok(())
    })
}

#[test]
fn the_demo_names_a_port_in_use_and_the_option_that_helps() -> Result {
    alone(async {
        for offset in 0..5 {
            let base = free_base()?;
            let _taken = TcpListener::bind(("127.0.0.1", base + offset))?;
            let output = start(base, &[])?.wait_with_output()?;
            ensure!(!output.status.success());
            let said = String::from_utf8(output.stderr)?;
            let port = (base + offset).to_string();
            ensure!(said.contains(&port) && said.contains("--port-base"), "{said}");
            ensure!(output.stdout.is_empty(), "{:?}", output.stdout);
        }
        Ok(())
    })
}

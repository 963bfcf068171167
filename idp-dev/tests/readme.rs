//! The README's examples work as they stand.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what fails here is a failed test")]

mod common;

use common::{Ask, World};
use idp_dev::Config;
use serde_json::Value;

const README: &str = include_str!("../README.md");

/// The code blocks of one language.
fn blocks(language: &str) -> Vec<&'static str> {
    let mark = format!("```{language}\n");
    README.split(&mark).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// One call of the control API, as a curl line has it.
struct Call {
    method: String,
    path: String,
    body: Option<Value>,
}

impl Call {
    fn read(line: &str) -> Self {
        let line = line.split(" #").next().unwrap().trim();
        assert!(line.starts_with("curl -H \"$AUTH\" "), "{line}");
        let after = |mark: &str| line.split_once(mark).map(|(_, rest)| rest);
        let path = after("$CONTROL").unwrap().trim_end_matches('"').to_owned();
        let body = after("-d '").map(|rest| rest.split('\'').next().unwrap());
        let body = body.map(|text| serde_json::from_str(text).unwrap());
        let method = match after("-X ") {
            Some(rest) => rest.split(' ').next().unwrap(),
            None if body.is_some() => "POST",
            None => "GET",
        };
        Self { method: method.to_owned(), path, body }
    }
}

fn calls() -> Vec<Call> {
    let lines = blocks("sh").into_iter().flat_map(str::lines);
    lines.filter(|line| line.starts_with("curl ")).map(Call::read).collect()
}

#[tokio::test]
async fn calls_of_the_readme_work() {
    let world = World::new().await;
    for call in calls() {
        let shown = format!("{} {} {:?}", call.method, call.path, call.body);
        if call.path.starts_with("/timeline/stream") {
            assert_eq!(world.control_stream(&call.path).await.status, 200, "{shown}");
            continue;
        }
        world.browser().sign_in(&Ask::piper(), "richard").await;
        let session = world.sessions().await[0]["id"].as_str().unwrap().to_owned();
        let path = call.path.replace("/ID", &format!("/{session}"));
        let reply = world.control(&call.method, &path, call.body).await;
        assert!([200, 204].contains(&reply.status), "{shown}: {} {}", reply.status, reply.body);
    }
}

#[test]
fn readme_calls_each_part_of_the_control_api() {
    let called: Vec<String> =
        calls().iter().map(|call| format!("{} {}", call.method, call.path)).collect();
    for wanted in [
        "GET /health",
        "GET /timeline",
        "GET /timeline/stream",
        "GET /clock",
        "POST /clock",
        "GET /sessions",
        "DELETE /sessions/",
        "POST /events",
        "POST /reset",
    ] {
        assert!(called.iter().any(|call| call.starts_with(wanted)), "{wanted}");
    }
}

#[test]
fn configuration_of_the_readme_is_good() {
    let [smallest, more] = blocks("toml")[..] else { panic!("two pieces of configuration") };
    for text in [smallest, &format!("{smallest}{more}")] {
        let config = Config::parse("README.md", text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(config.with_port(8083).issuer(), "http://idp.localhost:8083");
    }
}

#[tokio::test]
async fn readme_names_each_endpoint_of_discovery() {
    let world = World::new().await;
    let path = "/.well-known/openid-configuration";
    assert!(README.contains(path));
    let document = world.get(path).await.ok_json();
    let urls = document.as_object().unwrap().values().filter_map(Value::as_str);
    let paths: Vec<&str> = urls.filter_map(|url| url.strip_prefix(&*world.issuer)).collect();
    assert!(paths.contains(&"/authorize"), "{paths:?}");
    for path in paths {
        assert!(README.contains(&format!("`{path}`")) || path.is_empty(), "{path}");
    }
}

const ERRORS: &str = include_str!("../../docs/idp-errors.md");

/// What stands between quotes at the beginning of each piece after `mark`.
fn after<'a>(source: &'a str, mark: &str) -> Vec<&'a str> {
    source.split(mark).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// Every code in a file's source: as a member, as a name of a variant, as the second word of a
/// refusal of the control API, in parentheses at the end of a message.
fn codes(path: &str, source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let mut found = after(source, "\"error\": \"");
    found.extend(after(source, "\"error\", \""));
    found.extend(after(source, "code: \""));
    let members = source.lines().filter(|line| line.contains("\"error\": "));
    found.extend(members.flat_map(|line| after(line, "unwrap_or(\"")));
    if ["bearer.rs", "refusal.rs", "checks/mod.rs", "tls.rs"].iter().any(|end| path.ends_with(end))
    {
        found.extend(after(source, "=> \""));
        found.extend(after(source, "=> Some(\""));
    }
    if path.contains("control/") {
        let calls = source.split("refusal(").skip(1);
        found.extend(calls.filter_map(|call| call.split(['"', ';']).nth(1)));
    }
    found.extend(source.split(")\"").filter_map(|before| before.rsplit('(').next()));
    let is_code = |word: &&str| {
        word.contains('_') && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
    };
    found.into_iter().filter(is_code).map(str::to_owned).collect()
}

/// All sources of the provider itself. Scenarios say what others would.
fn sources(directory: &std::path::Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.to_string_lossy().replace('\\', "/");
        if path.is_dir() {
            if !name.ends_with("/scenario") {
                sources(&path, found);
            }
        } else if name.ends_with(".rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            found.push((name, source));
        }
    }
}

#[test]
fn every_error_code_is_explained_and_no_other() {
    let mut all = Vec::new();
    sources(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut all);
    let used: std::collections::BTreeSet<String> =
        all.iter().flat_map(|(path, source)| codes(path, source)).collect();
    let explained: std::collections::BTreeSet<String> = ERRORS
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" |").next())
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect();
    assert!(used.len() > 30, "few codes are found: {used:?}");
    assert_eq!(explained, used);
}

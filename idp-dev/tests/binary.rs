//! The program itself: its ready line, its manual, its exit codes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what fails here is a failed test")]

mod program;

use std::io::{Read, Write};
use std::net::TcpStream;

use program::{Running, file, run};

fn get(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    reply
}

#[test]
fn prints_one_ready_line_with_the_real_addresses() {
    let running =
        Running::start(&["--listen", "127.0.0.1:0", "--control-token", "a-control-token"]);
    assert!(running.ready.starts_with("ready issuer=http://idp.localhost:"), "{}", running.ready);
    let issuer = running.field("issuer=");
    let control = running.field("control=http://");
    assert_eq!(running.field("token="), "a-control-token");
    let port = issuer.rsplit(':').next().unwrap();
    let request =
        format!("GET /health HTTP/1.1\r\nHost: idp.localhost:{port}\r\nConnection: close\r\n\r\n");
    let reply = get(&format!("127.0.0.1:{port}"), &request);
    assert!(reply.starts_with("HTTP/1.1 200") && reply.contains("{\"status\":\"ok\"}"), "{reply}");
    assert_eq!(reply.to_lowercase().matches("\r\ndate:").count(), 1, "{reply}");
    let request = format!(
        "GET /sessions HTTP/1.1\r\nHost: {control}\r\nAuthorization: Bearer a-control-token\r\n\
         Connection: close\r\n\r\n"
    );
    assert!(get(&control, &request).ends_with("[]"));
    let errors = running.stop();
    assert_eq!(errors.matches("plain-text passwords").count(), 1, "{errors}");
    assert!(!errors.contains("a-control-token"), "{errors}");
    assert!(!errors.contains("Secure"), "{errors}");
}

#[test]
fn op11_warns_of_an_issuer_where_cookies_are_dropped() {
    let printed = String::from_utf8(run(&["--print-config"]).stdout).unwrap();
    for (name, issuer, warnings) in [
        ("far.toml", "http://idp.example:{port}", 1),
        ("tls.toml", "https://idp.example:{port}", 0),
        ("address.toml", "http://127.0.0.1:{port}", 0),
    ] {
        let path = file(name, &printed.replacen("http://idp.localhost:{port}", issuer, 1));
        let running = Running::start(&["--config", &path, "--listen", "127.0.0.1:0", "--quiet"]);
        let real = running.field("issuer=");
        let errors = running.stop();
        let found = errors.lines().filter(|line| line.contains("`Secure` cookies"));
        assert_eq!(found.clone().count(), warnings, "{errors}");
        assert!(found.clone().all(|line| line.contains(&real)), "{errors}");
    }
}

#[test]
fn op30_control_token_is_random_when_none_is_given() {
    let one = Running::start(&["--listen", "127.0.0.1:0", "--quiet"]);
    let two = Running::start(&["--listen", "127.0.0.1:0", "--quiet"]);
    assert_eq!(one.field("token=").len(), 43);
    assert_ne!(one.field("token="), two.field("token="));
}

#[test]
fn op30_control_token_must_fit_a_header_and_the_ready_line() {
    for bad in ["", "a b", "caf\u{e9}", "a\nready"] {
        let output = run(&["--listen", "127.0.0.1:0", "--control-token", bad]);
        assert_eq!(output.status.code(), Some(2), "{bad:?}");
        assert!(output.stdout.is_empty(), "{bad:?}");
    }
}

#[test]
fn port_that_somebody_else_holds_on_ipv6_is_in_use() {
    // A machine without ::1 has nobody there either.
    let Ok(other) = std::net::TcpListener::bind("[::1]:0") else { return };
    let port = other.local_addr().unwrap().port();
    let output = run(&["--listen", &format!("127.0.0.1:{port}")]);
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains(&format!("[::1]:{port}")) && errors.contains("--listen"), "{errors}");
}

#[test]
fn configuration_in_another_encoding_names_its_line() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("latin-1.toml");
    std::fs::write(&path, b"issuer = \"http://idp.localhost\"\n# caf\xe9\n").unwrap();
    let output = run(&["--config", &path.display().to_string()]);
    assert_eq!(output.status.code(), Some(2));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("latin-1.toml:2: expected UTF-8"), "{errors}");
}

#[test]
fn op29_header_that_is_too_large_ends_the_connection() {
    let running = Running::start(&["--listen", "127.0.0.1:0", "--quiet"]);
    let port = running.field("issuer=").rsplit(':').next().unwrap().to_owned();
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    let flood = format!("GET / HTTP/1.1\r\nHost: x\r\nX-Flood: {}\r\n", "a".repeat(200_000));
    // The server may hang up while we still write.
    let _written = stream.write_all(flood.as_bytes());
    let mut reply = Vec::new();
    let _read = stream.read_to_end(&mut reply);
    let reply = String::from_utf8_lossy(&reply);
    assert!(reply.is_empty() || reply.starts_with("HTTP/1.1 431"), "{reply}");
}

#[test]
fn printed_configuration_works() {
    let printed = run(&["--print-config"]);
    assert!(printed.status.success());
    let path = file("printed.toml", std::str::from_utf8(&printed.stdout).unwrap());
    let running = Running::start(&["--config", &path, "--listen", "127.0.0.1:0"]);
    assert!(running.ready.starts_with("ready "), "{}", running.ready);
}

#[test]
fn bad_configuration_names_file_line_expectation_and_finding() {
    for (name, text, line, expected, found) in [
        ("syntax.toml", "issuer = \n", 1, "expected", "issuer ="),
        (
            "unknown.toml",
            "issuer = \"http://a.localhost\"\ncolour = 1\n",
            2,
            "colour",
            "colour = 1",
        ),
        ("type.toml", "issuer = 5\n", 1, "string", "issuer = 5"),
        ("missing.toml", "idle_lifetime = 5\n", 1, "issuer", ""),
        (
            "issuer.toml",
            "\nissuer = \"http://a.localhost/\"\n",
            2,
            "without path",
            "http://a.localhost/",
        ),
    ] {
        let path = file(name, text);
        let output = run(&["--config", &path]);
        assert_eq!(output.status.code(), Some(2), "{name}");
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(errors.contains(&format!("{name}:{line}: expected ")), "{errors}");
        assert!(errors.contains(expected) && errors.contains(found), "{errors}");
        assert!(errors.contains("found "), "{errors}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn exit_codes_tell_wrong_arguments_from_a_busy_port() {
    assert_eq!(run(&["--config", "/nowhere/idp.toml"]).status.code(), Some(2));
    assert_eq!(run(&["--colour"]).status.code(), Some(2));
    assert_eq!(run(&["--listen", "8083"]).status.code(), Some(2));
    let running = Running::start(&["--listen", "127.0.0.1:0", "--quiet"]);
    let port = running.field("issuer=").rsplit(':').next().unwrap().to_owned();
    let output = run(&["--listen", &format!("127.0.0.1:{port}")]);
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains(&port) && errors.contains("--listen"), "{errors}");
}

/// Connections are open files, of which a system gives as many as it likes.
#[cfg(unix)]
#[test]
fn op29_few_open_files_are_fewer_connections_unless_those_were_asked_for() {
    let ready = Running::start_with_files(2_000, &["--listen", "127.0.0.1:0", "--quiet"]);
    assert!(ready.ready.starts_with("ready "), "{}", ready.ready);
    let errors = ready.stop();
    assert!(errors.contains("800 connections and not 12000"), "{errors}");
    let limits = "issuer = \"http://idp.localhost:{port}\"\nlimits = { streams = 9000 }\n";
    let path = file("many-streams.toml", limits);
    let output = program::with_files(2_000).args(["--config", &path]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("12200") && errors.contains("too_few_files"), "{errors}");
}

#[test]
fn op30_does_not_start_where_others_could_reach_it() {
    for option in ["--listen", "--control-listen"] {
        let output = run(&[option, "0.0.0.0:0"]);
        assert_eq!(output.status.code(), Some(2), "{option}");
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(errors.contains("loopback") && errors.contains(option), "{errors}");
    }
}

#[test]
fn help_is_a_manual() {
    let help = String::from_utf8(run(&["--help"]).stdout).unwrap();
    for word in ["--config", "--listen", "--control-token", "CONTROL API", "EXIT CODES", "/clock"] {
        assert!(help.contains(word), "{word}");
    }
    let line = help.lines().find(|line| line.contains("curl")).unwrap();
    assert!(line.contains("`localhost` itself") && line.contains("by hand"), "{line}");
}

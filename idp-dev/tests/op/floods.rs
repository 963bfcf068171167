//! Too much of everything (OP29). After each flood the next honest request is answered, and the
//! memory that the flood took is back.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::person::{Ask, Person};
use crate::wire::{Answer, FORM, Op, encoded, read};

/// The process's memory that is in use, in megabytes; not known on every system.
fn memory(op: &Op) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", op.process())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().split(' ').next()?.parse::<u64>().ok().map(|kilobytes| kilobytes / 1024)
}

/// What a flood may leave behind, in megabytes: what the allocator keeps for the next one.
const KEPT: u64 = 80;

/// What a second flood may add to that. More would be a leak.
const ADDED: u64 = 24;

/// Runs the flood twice.
fn assert_survives(op: &Op, flood: impl Fn(&Op)) {
    op.assert_well();
    let Some(before) = memory(op) else {
        flood(op);
        return assert_serves(op);
    };
    flood(op);
    let first = settle(op, before + KEPT);
    flood(op);
    let second = settle(op, (before + KEPT).min(first + ADDED));
    println!("memory: {before} MB before, {first} MB after one flood, {second} MB after two");
    assert_serves(op);
}

/// The memory in use once it is at most this. The server answers all the while, and learns only bit
/// by bit that thousands of peers have gone.
fn settle(op: &Op, most: u64) -> u64 {
    let mut seen = u64::MAX;
    for _ in 0..PATIENCE {
        op.assert_well();
        seen = memory(op).unwrap();
        if seen <= most {
            return seen;
        }
    }
    panic!("{seen} MB are in use where {most} MB should do")
}

const PATIENCE: usize = 10_000;

/// Somebody can sign in.
fn assert_serves(op: &Op) {
    let (_, tokens) = Person::signed_in(op);
    assert_eq!(op.userinfo(tokens.access()).status, 200);
}

#[test]
fn op29_ten_thousand_connections_that_say_nothing() {
    let allowed = rlimit::increase_nofile_limit(COUNT + 100).unwrap();
    assert!(allowed > COUNT, "this test needs {COUNT} open files (ulimit -n): {allowed}");
    let op = Op::start();
    assert_survives(&op, |op| {
        let mut silent: Vec<TcpStream> = Vec::new();
        for count in 0..COUNT {
            silent.push(TcpStream::connect(op.address).unwrap());
            // While they come, and not only when they are gone. Connections are accepted in their
            // order, so this also keeps the system's queue from overflowing, which costs seconds.
            if count % 500 == 499 {
                op.assert_well();
            }
        }
        // Some have begun a request.
        for stream in silent.iter_mut().skip(9_000) {
            let _written = stream.write_all(b"GET /jwks HTTP/1.1\r\nHost: ");
        }
        op.assert_well();
    });
}

const COUNT: u64 = 10_000;

#[test]
fn op29_bodies_without_end() {
    let op = Op::start();
    assert_survives(&op, |op| {
        for path in ["/token", "/login", "/authorize", "/end_session", "/revoke", "/jwks", "/none"]
        {
            for framing in ["Transfer-Encoding: chunked", "Content-Length: 1000000000000"] {
                let answer = pour(op, path, framing);
                assert!(
                    answer.status == 0 || (400..500).contains(&answer.status),
                    "{path} {framing}: {answer:?}"
                );
            }
        }
    });
}

/// Sends a body for as long as the server takes it.
fn pour(op: &Op, path: &str, framing: &str) -> Answer {
    let mut stream = op.connect();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: idp.localhost:{}\r\nContent-Type: {}\r\n{framing}\r\n\r\n",
        op.port, FORM.1
    );
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = [b"4000\r\n", &*vec![b'a'; 0x4000], b"\r\n"].concat();
    // 64 MB would be the end of patience: no limit was kept.
    for sent in 0.. {
        assert!(sent < 4096, "{path}: the server reads on");
        if stream.write_all(&chunk).is_err() {
            break;
        }
    }
    read(stream)
}

/// The server gives up, not the peer.
#[test]
fn op29_bodies_and_heads_that_stop_half_way() {
    let op = Op::start();
    let host = format!("Host: idp.localhost:{}\r\n", op.port);
    let stalled: Vec<TcpStream> = [
        String::new(),
        "GET /jw".to_owned(),
        format!("GET /jwks HTTP/1.1\r\n{host}"),
        format!(
            "POST /token HTTP/1.1\r\n{host}Content-Type: {}\r\nContent-Length: 9\r\n\r\na",
            FORM.1
        ),
    ]
    .into_iter()
    .map(|text| {
        let mut stream = op.connect();
        stream.write_all(text.as_bytes()).unwrap();
        stream
    })
    .collect();
    op.assert_well();
    let answers: Vec<_> = stalled.into_iter().map(read).collect();
    for answer in &answers {
        assert!([0, 408].contains(&answer.status), "{answer:?}");
    }
    assert_eq!(answers[3].status, 408);
    op.assert_well();
}

#[test]
fn op29_heads_of_a_megabyte() {
    let op = Op::start();
    let megabyte = "a".repeat(1024 * 1024);
    let many: String = (0..20_000).map(|n| format!("x-{n}: {n}\r\n")).collect();
    let cookies: String = (0..50_000).map(|n| format!("__Host-sso-{n}={n}; ")).collect();
    assert_survives(&op, |op| {
        for _ in 0..10 {
            for request in [
                op.request("GET /jwks", &[("X-Flood", &megabyte)], ""),
                op.request(&format!("GET /{megabyte}"), &[], ""),
                op.request(&format!("GET /authorize?state={megabyte}"), &[], ""),
                op.request(&format!("{megabyte} /"), &[], ""),
                op.request("GET /authorize", &[("Cookie", &cookies)], ""),
                op.request(
                    "GET /userinfo",
                    &[("Authorization", &format!("Bearer {megabyte}"))],
                    "",
                ),
                op.request("GET /jwks", &[], "").replace("\r\n\r\n", &format!("\r\n{many}\r\n")),
            ] {
                let answer = op.raw(request);
                assert!([0, 400, 414, 431].contains(&answer.status), "{answer:?}");
            }
        }
    });
}

/// Names by the thousand, in every place that keeps names.
#[test]
fn op29_floods_of_names() {
    let op = Op::start();
    let short: String = (0..4_000).map(|n| format!("{n:x}&")).collect();
    let nearly: String = (0..50).map(|n| format!("&{:a<200}{n}=1", "")).collect();
    let cookies: String = (0..5_000).map(|n| format!("a{n}=1; ")).collect();
    let deep = "[".repeat(8_000);
    assert_survives(&op, |op| {
        for _ in 0..50 {
            let body = &short[..12_000];
            assert_eq!(op.ask("POST /token", &[FORM], body).status, 400);
            op.ask(&format!("GET /authorize?{body}"), &[], "").assert_page("names");
            let asked = format!("GET {}{nearly}", Ask::piper().path());
            assert_eq!(op.ask(&asked, &[("Cookie", &cookies)], "").status, 200);
            let headers: Vec<_> = (0..90).map(|n| (format!("x-{n}"), "1")).collect();
            let headers: Vec<_> = headers.iter().map(|(n, v)| (&**n, *v)).collect();
            assert_eq!(op.ask("GET /jwks", &headers, "").status, 200);
            assert_eq!(op.control("POST /clock", &deep).status, 400);
        }
    });
}

/// Requests that are put aside fill a bounded store.
#[test]
fn op29_requests_that_are_put_aside() {
    let op = Op::start();
    let ask = Ask::piper().also("padding", &"a".repeat(15_000));
    let body = encoded(&ask.pairs());
    let one = format!(
        "POST /authorize HTTP/1.1\r\nHost: idp.localhost:{}\r\nContent-Type: {}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        op.port,
        FORM.1,
        body.len()
    );
    assert_survives(&op, |op| {
        let mut stream = op.connect();
        for _ in 0..4_000 {
            stream.write_all(one.as_bytes()).unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0; 512];
                let length = stream.read(&mut byte).unwrap();
                assert!(length > 0, "the server hung up");
                head.extend_from_slice(&byte[..length]);
            }
            assert_eq!(Answer::of(&head).status, 303);
        }
    });
}

//! HTTP itself: odd bytes, odd hosts, and the control API (OP28, OP30, OP33).

use crate::person::{Ask, PIPER, Person};
use crate::wire::{FORM, Op, encoded, raw};

#[test]
fn op28_line_breaks_and_nul_stay_inside_their_value() {
    let op = Op::start();
    let evil = "a\r\nSet-Cookie: evil=1\r\n\r\n<script>\0\u{7f}\u{2028}";
    for name in ["state", "nonce", "login_hint", "scope", "colour"] {
        let mut person = Person::new(&op);
        let answer = person.answer(&Ask::piper().set(name, evil));
        assert!(answer.all("set-cookie").iter().all(|c| !c.contains("evil")), "{name}: {answer:?}");
        assert!(!answer.location().contains(['\r', '\n', '\0']), "{name}");
        assert!(!answer.body.starts_with("<script>"), "{name}");
        if name == "state" {
            assert_eq!(answer.param("state").as_deref(), Some(evil));
        }
    }
    let (mut person, tokens) = Person::signed_in(&op);
    let query =
        [("id_token_hint", tokens.id()), ("post_logout_redirect_uri", PIPER), ("state", evil)];
    let answer = person.get(&format!("/end_session?{}", encoded(&query)));
    let answer = person.follow(answer);
    assert!(answer.all("set-cookie").iter().all(|cookie| !cookie.contains("evil")));
    assert_eq!(answer.param("state").as_deref(), Some(evil));
    // Names of parameters, addresses and cookies can hold them too.
    op.get("/authorize?%0d%0aSet-Cookie:%20evil=1=x").assert_page("a name");
    assert_eq!(op.get("/%0d%0aSet-Cookie:%20evil=1").all("set-cookie").len(), 0);
    assert_eq!(op.get("/assets/%00").status, 404);
    assert_eq!(op.get("/assets/..%2f..%2fetc%2fpasswd").status, 404);
}

#[test]
fn op28_broken_requests_end_their_connection_and_nothing_else() {
    let op = Op::start();
    let host = format!("Host: idp.localhost:{}\r\n", op.port);
    for bad in [
        "\0\0\0\0\r\n\r\n".to_owned(),
        "GET\r\n\r\n".to_owned(),
        format!("GET / HTTP/9.9\r\n{host}\r\n"),
        format!("GET /\0 HTTP/1.1\r\n{host}\r\n"),
        format!("GET / HTTP/1.1\r\n{host}X: a\0b\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{host}X : y\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{host}: y\r\n\r\n"),
        // Two lengths, or a length and chunks: where does the next request begin?
        format!("POST /token HTTP/1.1\r\n{host}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
        format!("POST /token HTTP/1.1\r\n{host}Content-Length: -1\r\n\r\n"),
        format!("POST /token HTTP/1.1\r\n{host}Content-Length: 99999999999999999999\r\n\r\n"),
        format!("POST /token HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\nZZ\r\n"),
        format!("POST /token HTTP/1.1\r\n{host}Transfer-Encoding: gzip\r\n\r\nx"),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}\u{2}\0".to_owned() + &"x".repeat(600),
    ] {
        let answer = op.raw(format!("{bad}\r\n\r\n"));
        assert!(
            answer.status == 0 || (400..=505).contains(&answer.status),
            "{:?}: {answer:?}",
            bad.get(..60).unwrap_or(&bad)
        );
        op.assert_well();
    }
}

#[test]
fn op28_smuggled_request_is_no_request() {
    let op = Op::start();
    let (_, tokens) = Person::signed_in(&op);
    let host = format!("idp.localhost:{}", op.port);
    let inner = format!(
        "GET /userinfo HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\n\r\n",
        tokens.access()
    );
    // Chunks and a length: the chunks count, or the request is refused; what follows them is
    // never answered as if another person had sent it.
    let answer = op.raw(format!(
        "POST /token HTTP/1.1\r\nHost: {host}\r\nContent-Type: {}\r\nContent-Length: 4\r\n\
         Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n{inner}",
        FORM.1
    ));
    assert!([400, 401].contains(&answer.status), "{answer:?}");
    assert!(!answer.body.contains("richard"), "{answer:?}");
}

#[test]
fn op30_control_api_wants_loopback_its_token_and_its_host() {
    let op = Op::start();
    let ask = |host: &str, token: &str, line: &str| {
        let request = format!(
            "{line} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
             Connection: close\r\nContent-Length: 0\r\n\r\n"
        );
        raw(op.control, request.as_bytes())
    };
    let own = op.control.to_string();
    for line in
        ["GET /sessions", "GET /timeline", "POST /reset", "GET /clock", "DELETE /sessions/x"]
    {
        assert_eq!(ask(&own, "", line).status, 401, "{line}");
        assert_eq!(ask(&own, &op.token[1..], line).status, 401, "{line}");
        assert_eq!(ask(&own, &format!("{}x", op.token), line).status, 401, "{line}");
        // A page whose name was made to lead here sends its own name, token or not.
        for host in ["evil.example", "localhost.evil.example", "idp.localhost", "0.0.0.0", ""] {
            assert_eq!(ask(host, &op.token, line).status, 421, "{host}: {line}");
        }
    }
    let answer = ask(&own, &op.token, "GET /sessions");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-idp-dev"), "not-for-production");
    assert_eq!(answer.all("access-control-allow-origin").len(), 0);
    // And the provider's own socket has none of it.
    for path in ["/sessions", "/reset", "/clock", "/events"] {
        let bearer = format!("Bearer {}", op.token);
        assert_eq!(op.ask(&format!("GET {path}"), &[("Authorization", &bearer)], "").status, 404);
    }
    assert_eq!(op.get("/health").header("x-idp-dev"), "not-for-production");
}

#[test]
fn op33_host_header_poisons_nothing() {
    let op = Op::start();
    let ask = |headers: &str, path: &str| {
        op.raw(format!("GET {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n"))
    };
    let own = format!("Host: idp.localhost:{}\r\n", op.port);
    let paths = [
        "/.well-known/openid-configuration",
        "/jwks",
        "/",
        "/authorize",
        "/end_session",
        "/health",
    ];
    for path in paths {
        // A name that was made to lead here, no name, two names.
        for host in [
            "Host: evil.example\r\n",
            "Host: idp.localhost.evil.example\r\n",
            "Host: evil.example:8083\r\n",
            "Host: pied-piper.localhost\r\n",
            "Host: idp.localhost@evil.example\r\n",
            "Host: \r\n",
            "",
            &format!("{own}Host: evil.example\r\n"),
        ] {
            let answer = ask(host, path);
            assert!([400, 421].contains(&answer.status), "{host:?} {path}: {answer:?}");
            assert!(!answer.body.contains("evil.example"), "{host:?} {path}");
        }
        // What proxies add changes nothing.
        for more in [
            "X-Forwarded-Host: evil.example\r\n",
            "Forwarded: host=evil.example;proto=https\r\n",
            "X-Host: evil.example\r\nX-Forwarded-Proto: https\r\nX-Original-URL: /x\r\n",
        ] {
            let answer = ask(&format!("{own}{more}"), path);
            assert!([200, 303, 400].contains(&answer.status), "{more:?} {path}: {answer:?}");
            assert!(!answer.body.contains("evil.example"), "{more:?} {path}");
            assert!(!answer.location().contains("evil.example"), "{more:?} {path}");
        }
    }
    let document = op.get(paths[0]).json();
    let addresses = document.as_object().unwrap().iter();
    for (name, value) in addresses.filter(|(name, _)| name.ends_with("_endpoint")) {
        assert!(value.as_str().unwrap().starts_with(&format!("{}/", op.issuer)), "{name}");
    }
    // The address itself may be absolute (RFC 9112, 3.2.2).
    let answer = ask("Host: evil.example\r\n", &format!("{}/jwks", op.issuer));
    assert!([200, 421].contains(&answer.status), "{answer:?}");
}

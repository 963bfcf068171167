//! The program serving https: who gets through, and what it refuses to start with.

#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod program;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use time::{Duration, OffsetDateTime};

use program::{Running, file, run};

/// An authority of one test, and a certificate with its key, as files.
struct Certified {
    authority: CertificateDer<'static>,
    cert: String,
    key: String,
}

/// A certificate for `host`, valid from and until so many days from now.
fn certified(name: &str, host: &str, from: i64, until: i64) -> Certified {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    params.not_before = OffsetDateTime::now_utc() + Duration::days(from);
    params.not_after = OffsetDateTime::now_utc() + Duration::days(until);
    let cert = params.signed_by(&key, &authority).unwrap();
    Certified {
        authority: authority.der().clone(),
        cert: file(&format!("{name}-cert.pem"), &cert.pem()),
        key: file(&format!("{name}-key.pem"), &key.serialize_pem()),
    }
}

/// The example's configuration with another issuer.
fn config(name: &str, issuer: &str) -> String {
    let printed = String::from_utf8(run(&["--print-config"]).stdout).unwrap();
    file(&format!("{name}.toml"), &printed.replacen("http://idp.localhost:{port}", issuer, 1))
}

/// A client that trusts one authority.
fn connect(port: u16, host: &str, authority: &CertificateDer<'static>) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let client = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(client, TcpStream::connect(("127.0.0.1", port))?);
    let request = format!(
        "GET /.well-known/openid-configuration HTTP/1.1\r\nHost: {host}:{port}\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let mut reply = String::new();
    // The server hangs up without TLS's own goodbye, which HTTP does not need here.
    match stream.read_to_string(&mut reply) {
        Err(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => Err(error),
        _ => Ok(reply),
    }
}

#[test]
fn serves_https_to_whoever_trusts_the_certificate_and_to_nobody_else() {
    let trusted = certified("served", "idp.localhost", -1, 1);
    let stranger = certified("stranger", "idp.localhost", -1, 1);
    let config = config("served", "https://idp.localhost:{port}");
    let running = Running::start(&[
        "--config",
        &config,
        "--listen",
        "127.0.0.1:0",
        "--tls-cert",
        &trusted.cert,
        "--tls-key",
        &trusted.key,
    ]);
    let issuer = running.field("issuer=");
    assert!(running.field("control=").starts_with("http://127.0.0.1:"), "{}", running.ready);
    let port = issuer.strip_prefix("https://idp.localhost:").unwrap().parse().unwrap();
    let reply = connect(port, "idp.localhost", &trusted.authority).unwrap();
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    for endpoint in ["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"] {
        assert!(reply.contains(&format!("\"{endpoint}\":\"{issuer}")), "{endpoint}: {reply}");
    }
    assert!(connect(port, "idp.localhost", &stranger.authority).is_err());
    assert!(connect(port, "hooli.localhost", &trusted.authority).is_err());
    // Plain http is answered with nothing that looks like an answer.
    let mut plain = TcpStream::connect(("127.0.0.1", port)).unwrap();
    plain.write_all(b"GET /health HTTP/1.1\r\nHost: idp.localhost\r\n\r\n").unwrap();
    let mut reply = Vec::new();
    let _read = plain.read_to_end(&mut reply);
    assert!(!String::from_utf8_lossy(&reply).contains("HTTP/1.1"));
}

/// The program with HTTP/2 configured or not, and with these lines.
fn multiplexed(name: &str, served: &Certified, http_2: bool, lines: &str) -> (Running, String) {
    let config = config(name, "https://idp.localhost:{port}");
    let text = std::fs::read_to_string(&config).unwrap();
    let changed = format!("http2 = {http_2}\n{lines}");
    std::fs::write(&config, text.replacen("http2 = false", &changed, 1)).unwrap();
    let listen = ["--config", &config, "--listen", "127.0.0.1:0"];
    let tls = ["--tls-cert", &served.cert, "--tls-key", &served.key];
    let running = Running::start(&[&listen[..], &tls[..]].concat());
    let issuer = running.field("issuer=").to_owned();
    (running, issuer)
}

/// A client with connections of its own.
fn client(issuer: &str, served: &Certified) -> reqwest::ClientBuilder {
    let port: u16 = issuer.strip_prefix("https://idp.localhost:").unwrap().parse().unwrap();
    reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_der(&served.authority).unwrap()])
        .resolve("idp.localhost", ([127, 0, 0, 1], port).into())
}

#[tokio::test]
async fn op29_http_2_connections_that_ask_nothing_give_up_their_places() {
    let served = certified("silent", "idp.localhost", -1, 1);
    let limits = "limits = { connections = 6, streams = 5 }";
    let (_running, issuer) = multiplexed("http-2-silent", &served, true, limits);
    let mut clients = Vec::new();
    for _ in 0..20 {
        let client = client(&issuer, &served).build().unwrap();
        let reply = client.get(format!("{issuer}/jwks")).send().await.unwrap();
        assert_eq!((reply.status().as_u16(), reply.version()), (200, reqwest::Version::HTTP_2));
        reply.bytes().await.unwrap();
        // Its connection stays open.
        clients.push(client);
    }
}

#[tokio::test]
async fn op33_http_2_is_spoken_if_it_is_configured_and_names_one_host() {
    let served = certified("multiplexed", "idp.localhost", -1, 1);
    for (is_on, is_asked, version) in [
        (true, true, reqwest::Version::HTTP_2),
        (true, false, reqwest::Version::HTTP_11),
        (false, true, reqwest::Version::HTTP_11),
    ] {
        let (_running, issuer) = multiplexed(&format!("http-2-{is_on}"), &served, is_on, "");
        let mut client = client(&issuer, &served);
        if !is_asked {
            client = client.http1_only();
        }
        let client = client.build().unwrap();
        let url = format!("{issuer}/.well-known/openid-configuration");
        let reply = client.get(&url).send().await.unwrap();
        assert_eq!((reply.status().as_u16(), reply.version()), (200, version));
        let metadata: serde_json::Value = reply.json().await.unwrap();
        assert_eq!(metadata["issuer"], issuer);
        // Named a second time and otherwise, or by HTTP/1.1 in the wrong way.
        let reply = client.get(&url).header("host", "evil.example").send().await.unwrap();
        assert_eq!(reply.status().as_u16(), 421);
    }
}

#[test]
fn certificate_that_browsers_would_refuse_is_refused_at_the_start() {
    let https = config("refused", "https://idp.localhost:{port}");
    let http = config("refused-http", "http://idp.localhost:{port}");
    let good = certified("good", "idp.localhost", -1, 1);
    let other = certified("other", "idp.localhost", -1, 1);
    let expired = certified("expired", "idp.localhost", -3, -1);
    let early = certified("early", "idp.localhost", 1, 3);
    let named = certified("named", "hooli.localhost", -1, 1);
    let nothing = file("nothing.pem", "nothing here\n");
    let broken = file("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n");
    let no_der =
        file("no-der.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let no_key =
        file("no-key.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    let absent = "/nowhere/file.pem".to_owned();
    for (config, cert, key, code, named_file) in [
        (&https, &absent, &good.key, "tls_cert_file", &absent),
        (&https, &good.cert, &absent, "tls_key_file", &absent),
        (&https, &nothing, &good.key, "tls_cert_syntax", &nothing),
        (&https, &broken, &good.key, "tls_cert_syntax", &broken),
        (&https, &no_der, &good.key, "tls_cert_syntax", &no_der),
        (&https, &good.key, &good.key, "tls_cert_syntax", &good.key),
        (&https, &good.cert, &nothing, "tls_key_syntax", &nothing),
        (&https, &good.cert, &no_key, "tls_key_syntax", &no_key),
        (&https, &good.cert, &other.key, "tls_key_mismatch", &other.key),
        (&https, &expired.cert, &expired.key, "tls_cert_expired", &expired.cert),
        (&https, &early.cert, &early.key, "tls_cert_not_yet_valid", &early.cert),
        (&https, &named.cert, &named.key, "tls_cert_name", &named.cert),
        (&http, &good.cert, &good.key, "tls_issuer", &good.cert),
    ] {
        let output = run(&[
            "--config",
            config,
            "--listen",
            "127.0.0.1:0",
            "--tls-cert",
            cert,
            "--tls-key",
            key,
        ]);
        assert_eq!(output.status.code(), Some(2), "{code}");
        assert!(output.stdout.is_empty(), "{code}");
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(errors.trim_end().ends_with(&format!("({code})")), "{code}: {errors}");
        assert!(errors.contains(&format!("{named_file}: expected ")), "{code}: {errors}");
        let secret = std::fs::read_to_string(key).unwrap_or_default();
        let middle = secret.lines().nth(1).unwrap_or("no key");
        assert!(middle == "AAAA" || !errors.contains(middle), "{code}: {errors}");
    }
}

#[test]
fn certificate_and_key_come_together() {
    let good = certified("together", "idp.localhost", -1, 1);
    for (option, path) in [("--tls-cert", &good.cert), ("--tls-key", &good.key)] {
        let output = run(&["--listen", "127.0.0.1:0", option, path]);
        assert_eq!(output.status.code(), Some(2), "{option}");
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(errors.contains("--tls-cert") && errors.contains("--tls-key"), "{errors}");
    }
}

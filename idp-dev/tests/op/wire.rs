//! One provider as a process, and requests to it byte by byte.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::program::{Running, file, run};

/// A running provider.
pub(crate) struct Op {
    running: Running,
    pub(crate) issuer: String,
    pub(crate) port: u16,
    pub(crate) address: SocketAddr,
    pub(crate) control: SocketAddr,
    pub(crate) token: String,
}

impl Op {
    /// With the demo's configuration.
    pub(crate) fn start() -> Self {
        Self::of(Running::start(&["--listen", "127.0.0.1:0", "--quiet"]))
    }

    /// With the demo's configuration, changed; `name` is the test's own.
    pub(crate) fn with(name: &str, change: impl FnOnce(String) -> String) -> Self {
        let printed = String::from_utf8(run(&["--print-config"]).stdout).unwrap();
        let path = file(&format!("{name}.toml"), &change(printed));
        Self::of(Running::start(&["--config", &path, "--listen", "127.0.0.1:0", "--quiet"]))
    }

    pub(crate) fn of(running: Running) -> Self {
        let issuer = running.field("issuer=");
        let port = issuer.rsplit(':').next().unwrap().parse().unwrap();
        let control = running.field("control=http://").parse().unwrap();
        let token = running.field("token=");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        Self { running, issuer, port, address, control, token }
    }

    /// Ends it and gives what it wrote to standard error.
    pub(crate) fn stop(self) -> String {
        self.running.stop()
    }

    pub(crate) fn process(&self) -> u32 {
        self.running.id()
    }

    pub(crate) fn connect(&self) -> TcpStream {
        connect(self.address)
    }

    /// What a request gets, byte by byte as it stands here.
    pub(crate) fn raw(&self, request: impl AsRef<[u8]>) -> Answer {
        raw(self.address, request.as_ref())
    }

    /// A request with the right `Host`.
    pub(crate) fn ask(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.raw(self.request(line, headers, body))
    }

    /// The bytes of such a request.
    pub(crate) fn request(&self, line: &str, headers: &[(&str, &str)], body: &str) -> String {
        let host = format!("idp.localhost:{}", self.port);
        let mut text = format!("{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            text.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        format!("{text}\r\n{body}")
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path}"), &[], "")
    }

    pub(crate) fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.ask(&format!("POST {path}"), &[FORM], &encoded(form))
    }

    /// Asks the control API.
    pub(crate) fn control(&self, line: &str, body: &str) -> Answer {
        let text = format!(
            "{line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.control,
            self.token,
            body.len()
        );
        raw(self.control, text.as_bytes())
    }

    /// Moves the provider's clock.
    pub(crate) fn advance(&self, seconds: u32) {
        let answer = self.control("POST /clock", &format!("{{\"advance\":{seconds}}}"));
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    /// After whatever happened, the next honest request is answered.
    pub(crate) fn assert_well(&self) {
        let document = self.get("/.well-known/openid-configuration").json();
        assert_eq!(document["issuer"], self.issuer);
    }
}

/// A response, read to the end of its connection. The status is 0 if there was none.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// All values of a header.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.trim()).collect()
    }

    /// The header's one value, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        let all = self.all(name);
        assert!(all.len() <= 1, "{name} came {} times", all.len());
        all.first().copied().unwrap_or_default()
    }

    pub(crate) fn location(&self) -> &str {
        self.header("location")
    }

    /// A query parameter of the location.
    pub(crate) fn param(&self, name: &str) -> Option<String> {
        let location = url::Url::parse(self.location()).ok()?;
        location.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned())
    }

    pub(crate) fn json(&self) -> Value {
        let value = serde_json::from_str(&self.body);
        value.unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.body))
    }

    /// The code of a JSON error.
    pub(crate) fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }

    /// The value of a hidden field.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let (_, rest) =
            self.body.split_once(&mark).unwrap_or_else(|| panic!("no {name}: {}", self.body));
        rest.split('"').next().unwrap().to_owned()
    }

    pub(crate) fn shows(&self, test_id: &str) -> bool {
        self.body.contains(&format!("data-testid=\"{test_id}\""))
    }

    /// An error page: nothing in it sends a browser anywhere.
    pub(crate) fn assert_page(&self, why: &str) {
        assert_eq!(self.status, 400, "{why}: {} {}", self.location(), self.body);
        assert_eq!(self.location(), "", "{why}");
        assert!(self.shows("error"), "{why}: {}", self.body);
    }
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    // Only for a server that hangs: nothing here waits for it otherwise.
    stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

pub(crate) fn raw(address: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = connect(address);
    // The server may answer and hang up while we still write.
    let _written = stream.write_all(request);
    read(stream)
}

/// Reads what comes until the connection ends, which may be by force.
pub(crate) fn read(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let mut chunk = [0; 16 * 1024];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => bytes.extend_from_slice(&chunk[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                panic!("the server neither answers nor hangs up")
            }
            Err(_) => break,
        }
    }
    Answer::of(&bytes)
}

/// A form or query.
pub(crate) fn encoded(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

pub(crate) const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

//! The wire between browsers and the provider, which a journey can cut: for everybody, for the pages
//! of one app, or at one request.
//!
//! It passes bytes on and reads no more of HTTP than the head of a request. So what is lost is lost as
//! in a real network, in every engine: no driver has to pretend that it is offline. And what was asked
//! can be told in every engine, also where the driver logs no requests.

use anyhow::Result;
use axum_server::tls_rustls::RustlsConfig;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::network::Request;
use crate::site::certificate;

/// A wire that is whole at first. Dropping it ends it.
#[derive(Debug)]
pub struct Wire {
    state: Arc<State>,
    servers: Vec<JoinHandle<()>>,
    port: u16,
}

#[derive(Debug)]
struct State {
    rule: Mutex<Rule>,
    /// What browsers have asked, as it came.
    asked: Mutex<Vec<Request>>,
    /// Told when the rule changes, so that connections which it forbids end at once.
    changed: watch::Sender<()>,
    /// Where the provider listens.
    provider: SocketAddr,
    /// How browsers come.
    scheme: &'static str,
}

/// What does not get through.
#[derive(Debug, Default)]
struct Rule {
    /// Nothing at all.
    is_cut: bool,
    /// Nothing at all, and nobody is told: connections are taken, and nothing comes of them.
    hangs: bool,
    /// Requests of pages of this origin.
    origin: Option<String>,
    /// Requests that begin so are lost before the provider sees them.
    request: Option<String>,
    /// The provider sees requests that begin so, and its answer breaks off.
    answer: Option<String>,
    /// The next request that begins so waits until the rule changes, and from then on those that begin
    /// as the second says are lost.
    waiting: Option<(String, String)>,
    /// How much was lost since the last change.
    lost: usize,
    /// A header that each answer is given besides.
    header: Option<String>,
}

impl Wire {
    /// Listens where browsers look for the provider, which listens elsewhere.
    ///
    /// # Errors
    /// When the port is taken.
    pub(crate) async fn start(port: u16, provider: u16, tls: Option<RustlsConfig>) -> Result<Self> {
        let state = Arc::new(State {
            rule: Mutex::default(),
            asked: Mutex::default(),
            changed: watch::Sender::new(()),
            provider: SocketAddr::from((Ipv4Addr::LOCALHOST, provider)),
            scheme: if tls.is_some() { "https" } else { "http" },
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let port = listener.local_addr()?.port();
        let mut listeners = vec![listener];
        // Browsers try both addresses; a machine without the second has only one to try.
        match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
            Ok(listener) => listeners.push(listener),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => return Err(error.into()),
            Err(_) => {}
        }
        let servers = listeners
            .into_iter()
            .map(|listener| {
                let (state, tls) = (Arc::clone(&state), tls.clone());
                tokio::spawn(async move {
                    while let Ok((stream, _)) = listener.accept().await {
                        tokio::spawn(accepted(Arc::clone(&state), stream, tls.clone()));
                    }
                })
            })
            .collect();
        Ok(Self { state, servers, port })
    }

    /// A wire by https, on a free port, to a program that speaks http.
    ///
    /// # Errors
    /// When there is no certificate, or no port.
    pub async fn over_tls(program: u16) -> Result<Self> {
        Self::start(0, program, Some(certificate().await?)).await
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Cuts it: connections break, and new ones too.
    pub fn cut(&self) {
        self.change(|rule| rule.is_cut = true);
    }

    /// Connections stand and new ones are taken, but no byte gets through. Afterwards the new ones break,
    /// and an old one that has lost something stays silent: nobody tells the browser that it is dead.
    pub fn hang(&self) {
        self.change(|rule| rule.hangs = true);
    }

    /// Cuts it for the pages of an origin. Where the browser itself goes is not theirs.
    pub fn cut_for(&self, origin: &str) {
        self.change(|rule| rule.origin = Some(origin.to_owned()));
    }

    /// Requests that begin so (`POST /token`) break before the provider sees them.
    pub fn lose_requests(&self, begin: &str) {
        self.change(|rule| rule.request = Some(begin.to_owned()));
    }

    /// Answers to requests that begin so break off after their headers. (What breaks off before them
    /// is asked again by browsers themselves, on a connection that had been used before.)
    pub fn lose_answers(&self, begin: &str) {
        self.change(|rule| rule.answer = Some(begin.to_owned()));
    }

    /// The next request that begins so is never answered; those after it are. But from then on requests
    /// that begin as `lost` says break before the provider sees them.
    pub fn keep_waiting(&self, begin: &str, lost: &str) {
        self.change(|rule| rule.waiting = Some((begin.to_owned(), lost.to_owned())));
    }

    /// Gives each answer of the provider another header.
    pub fn add_header(&self, header: &str) {
        self.state.rule().header = Some(header.to_owned());
    }

    /// How much has been lost since it was cut, or waits since it hangs.
    #[must_use]
    pub fn lost(&self) -> usize {
        self.state.rule().lost
    }

    /// What browsers have asked the provider so far, in order, that which was lost included. A request
    /// tells which page it is of by `Origin` or `Referer`, if at all, and its answer is not known here.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.state.asked().clone()
    }

    /// Everything gets through again.
    pub fn mend(&self) {
        self.change(|_| {});
    }

    fn change(&self, change: impl FnOnce(&mut Rule)) {
        {
            let mut rule = self.state.rule();
            let header = rule.header.take();
            *rule = Rule { header, ..Rule::default() };
            change(&mut rule);
        }
        self.state.changed.send_replace(());
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.servers.iter().for_each(JoinHandle::abort);
        self.cut();
    }
}

impl State {
    fn rule(&self) -> MutexGuard<'_, Rule> {
        self.rule.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked(&self) -> MutexGuard<'_, Vec<Request>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, bytes: &[u8]) {
        self.asked().extend(head_of(bytes, self.scheme));
    }
}

async fn accepted(state: Arc<State>, stream: TcpStream, tls: Option<RustlsConfig>) {
    if state.rule().is_cut {
        state.rule().lost += 1;
        return;
    }
    let mut changed = state.changed.subscribe();
    if state.rule().hangs() {
        return hold(&state, &mut changed, &mut { stream }, |rule| !rule.hangs).await;
    }
    // Events are small and must not wait for each other.
    let _is_set = stream.set_nodelay(true);
    // Whoever hangs up has nobody to be told.
    let _ended = match tls {
        Some(tls) => {
            // HTTP/1.1 only: bytes are passed on to the provider's plain port, which speaks nothing else.
            let mut config = (*tls.get_inner()).clone();
            config.alpn_protocols.clear();
            match TlsAcceptor::from(Arc::new(config)).accept(stream).await {
                Ok(stream) => pass(&state, stream).await,
                Err(_) => Ok(()),
            }
        }
        None => pass(&state, stream).await,
    };
}

/// Passes bytes on both ways until one end hangs up or the rule forbids it.
async fn pass(state: &State, browser: impl AsyncRead + AsyncWrite) -> std::io::Result<()> {
    let mut changed = state.changed.subscribe();
    let provider = TcpStream::connect(state.provider).await?;
    provider.set_nodelay(true)?;
    let (mut from_browser, mut to_browser) = split(browser);
    let (mut from_provider, mut to_provider) = provider.into_split();
    let (mut asked, mut answered) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let mut seen = Seen::default();
    loop {
        tokio::select! {
            _ = changed.changed() => {
                if state.rule().forbids(&seen) {
                    return Ok(());
                }
            }
            read = from_browser.read(&mut asked) => {
                let bytes = &asked[..read?];
                state.note(bytes);
                if bytes.is_empty() || !state.rule().lets_ask(&mut seen, bytes) {
                    return Ok(());
                }
                let hangs = state.rule().hangs();
                if hangs {
                    hold(state, &mut changed, &mut from_browser, |rule| rule.is_cut).await;
                    return Ok(());
                }
                let waits = state.rule().waits(&seen);
                if waits {
                    tokio::select! {
                        _ = changed.changed() => {}
                        // The browser wants to know no more.
                        _ = from_browser.read(&mut answered) => {}
                    }
                    return Ok(());
                }
                to_provider.write_all(bytes).await?;
            }
            read = from_provider.read(&mut answered) => {
                let bytes = &answered[..read?];
                let hangs = state.rule().hangs();
                if hangs {
                    hold(state, &mut changed, &mut from_browser, |rule| rule.is_cut).await;
                    return Ok(());
                }
                if bytes.is_empty() {
                    return Ok(());
                }
                let (bytes, goes_on) = state.rule().answer(&seen, bytes);
                to_browser.write_all(&bytes).await?;
                to_browser.flush().await?;
                if !goes_on {
                    return Ok(());
                }
            }
        }
    }
}

/// Answers nothing until the browser wants to know no more, or the rule is as meant.
async fn hold(
    state: &State,
    changed: &mut watch::Receiver<()>,
    from_browser: &mut (impl AsyncRead + Unpin),
    is_meant: impl Fn(&Rule) -> bool,
) {
    let mut unread = [0; 1024];
    while !is_meant(&state.rule()) {
        tokio::select! {
            _ = changed.changed() => {}
            read = from_browser.read(&mut unread) => if matches!(read, Ok(0) | Err(_)) {
                return;
            },
        }
    }
}

/// What has been asked on a connection.
#[derive(Debug, Default)]
struct Seen {
    /// The page's origin, as its requests say.
    origin: Option<String>,
    /// The first bytes of the last request.
    request: String,
}

impl Rule {
    fn forbids(&self, seen: &Seen) -> bool {
        self.is_cut || (self.origin.is_some() && self.origin == seen.origin)
    }

    /// Whether what comes waits, whatever it is.
    fn hangs(&mut self) -> bool {
        self.lost += usize::from(self.hangs);
        self.hangs
    }

    /// Whether what the browser says gets through.
    fn lets_ask(&mut self, seen: &mut Seen, bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes);
        if is_request(&text) {
            seen.request = text.lines().next().unwrap_or_default().to_owned();
            let origin = text.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("origin").then(|| value.trim().to_owned())
            });
            seen.origin = origin.or(seen.origin.take());
        }
        let is_lost = begins(self.request.as_ref(), &seen.request) || self.forbids(seen);
        self.lost += usize::from(is_lost);
        !is_lost
    }

    /// Whether what the browser says is the request that waits.
    fn waits(&mut self, seen: &Seen) -> bool {
        let is_it = |(begin, _): &mut (String, String)| seen.request.starts_with(begin.as_str());
        let Some((_, lost)) = self.waiting.take_if(is_it) else { return false };
        self.request = Some(lost);
        self.lost += 1;
        true
    }

    /// What of the provider's bytes gets through, and whether the connection goes on.
    fn answer(&mut self, seen: &Seen, bytes: &[u8]) -> (Vec<u8>, bool) {
        let mut bytes = bytes.to_vec();
        let Some(line) = bytes.windows(2).position(|two| two == b"\r\n") else {
            return (bytes, true);
        };
        if !bytes.starts_with(b"HTTP/1.1 ") {
            return (bytes, true);
        }
        if let Some(header) = &self.header {
            bytes.splice(line..line, format!("\r\n{header}").into_bytes());
        }
        if begins(self.answer.as_ref(), &seen.request) {
            self.lost += 1;
            let head = bytes.windows(4).position(|four| four == b"\r\n\r\n");
            bytes.truncate(head.map_or(bytes.len(), |at| at + 4));
            return (bytes, false);
        }
        (bytes, true)
    }
}

/// The request that begins here, if one does.
fn head_of(bytes: &[u8], scheme: &str) -> Option<Request> {
    let text = String::from_utf8_lossy(bytes);
    if !is_request(&text) {
        return None;
    }
    let mut lines = text.lines();
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?);
    let headers: BTreeMap<_, _> = lines
        .map_while(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let of = |name: &str| headers.get(name).cloned();
    // Only https tells what a request is for in every engine (Fetch Metadata).
    let kind = match of("sec-fetch-dest").as_deref() {
        Some("document") => "Document",
        Some("empty") => "Fetch",
        _ => "Other",
    };
    Some(Request {
        method,
        url: format!("{scheme}://{}{path}", of("host").unwrap_or_default()),
        document: of("origin").or_else(|| of("referer")).unwrap_or_default(),
        kind: kind.to_owned(),
        headers,
        ..Request::default()
    })
}

fn is_request(text: &str) -> bool {
    ["GET /", "POST /", "OPTIONS /", "HEAD /"].iter().any(|method| text.starts_with(method))
}

fn begins(rule: Option<&String>, request: &str) -> bool {
    rule.is_some_and(|begin| request.starts_with(begin.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(rule: &mut Rule, text: &str) -> (bool, Seen) {
        let mut seen = Seen::default();
        (rule.lets_ask(&mut seen, text.as_bytes()), seen)
    }

    #[test]
    fn loses_what_it_is_told_to_and_nothing_else() {
        let mut rule = Rule { request: Some("POST /token".into()), ..Rule::default() };
        assert!(asked(&mut rule, "GET /jwks HTTP/1.1\r\n\r\n").0);
        assert!(!asked(&mut rule, "POST /token HTTP/1.1\r\n\r\n").0);
        assert_eq!(rule.lost, 1);
        let waiting = Some(("GET /authorize".into(), "GET /jwks".into()));
        let mut rule = Rule { waiting, ..Rule::default() };
        let (_, first) = asked(&mut rule, "GET /authorize?a=b HTTP/1.1\r\n\r\n");
        assert!(rule.waits(&first) && !rule.waits(&first), "only the first one waits");
        assert!(!asked(&mut rule, "GET /jwks HTTP/1.1\r\n\r\n").0);
        let mut rule = Rule { hangs: true, ..Rule::default() };
        assert!(rule.hangs() && rule.hangs(), "whatever comes");
        assert_eq!(rule.lost, 2);
        let mut rule = Rule { origin: Some("http://a.localhost:1".into()), ..Rule::default() };
        assert!(!asked(&mut rule, "GET /x HTTP/1.1\r\norigin: http://a.localhost:1\r\n\r\n").0);
        assert!(asked(&mut rule, "GET /x HTTP/1.1\r\nOrigin: http://b.localhost:1\r\n\r\n").0);
    }

    #[test]
    fn reads_the_head_of_a_request_and_nothing_else() {
        let head = b"POST /token HTTP/1.1\r\nHost: idp.localhost:1\r\nAuthorization: Bearer t\r\n\
            Origin: http://a.localhost:1\r\n\r\na: b";
        let asked = head_of(head, "http").unwrap();
        assert_eq!((asked.method.as_str(), asked.host()), ("POST", "idp.localhost"));
        assert_eq!(asked.path(), "http://idp.localhost:1/token");
        assert_eq!((asked.bearer(), asked.document.as_str()), (Some("t"), "http://a.localhost:1"));
        assert!(!asked.headers.contains_key("a"));
        assert!(head_of(b"the rest of a body", "http").is_none());
    }

    #[test]
    fn breaks_an_answer_off_after_its_headers() {
        let mut rule = Rule { answer: Some("POST /token".into()), ..Rule::default() };
        let (_, seen) = asked(&mut rule, "POST /token HTTP/1.1\r\n\r\na=b");
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        let (bytes, goes_on) = rule.answer(&seen, answer);
        assert_eq!(bytes, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n");
        assert!(!goes_on);
        let (_, other) = asked(&mut rule, "GET /jwks HTTP/1.1\r\n\r\n");
        assert_eq!(rule.answer(&other, answer), (answer.to_vec(), true));
    }

    #[test]
    fn adds_a_header_to_the_head_only() {
        let mut rule = Rule { header: Some("A: b".into()), ..Rule::default() };
        let (bytes, _) = rule.answer(&Seen::default(), b"HTTP/1.1 200 OK\r\n\r\n");
        assert_eq!(bytes, b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n");
        let (bytes, _) = rule.answer(&Seen::default(), b"data: x\r\n\r\n");
        assert_eq!(bytes, b"data: x\r\n\r\n");
    }
}

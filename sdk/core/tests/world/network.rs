//! The browser's network: requests, answers and streams.

use std::collections::BTreeMap;

use gatepass_core::wire::{Answer, Fact, Failure, Response, Signal};

use super::{
    RELAY,
    browser::{Browser, Stream},
    provider::{Endpoint, Reply, Request},
    token::Draft,
};

impl Browser {
    pub(super) fn endpoint(&self, url: &str) -> Endpoint {
        let is = |name: &str| self.provider.metadata[name] == url;
        if url.ends_with("/.well-known/openid-configuration") {
            Endpoint::Discovery
        } else if is("jwks_uri") {
            Endpoint::Keys
        } else if is("token_endpoint") {
            Endpoint::Token
        } else if is("userinfo_endpoint") {
            Endpoint::UserInfo
        } else if is("session_events_endpoint") || url == RELAY {
            Endpoint::Events
        } else if is("revocation_endpoint") {
            Endpoint::Revocation
        } else if url.ends_with("/old") {
            Endpoint::Gone
        } else {
            panic!("a request to {url}")
        }
    }

    pub(super) fn ask(&mut self, request: Request) -> (Answer, Vec<u8>) {
        let now = self.provider_time();
        let reply: Reply = self.provider.answer_request(request, now);
        if let Some(reason) = reply.failure {
            return (Answer::Failed { reason }, Vec::new());
        }
        let response = Response {
            status: reply.status,
            date_ms: reply.has_date.then_some((now - reply.age) * 1000),
            content_type: reply.content_type.map(Into::into),
            retry_after: reply.retry_after,
            www_authenticate: None,
        };
        (Answer::Response { response }, reply.body)
    }

    #[expect(clippy::too_many_arguments, reason = "an effect taken apart")]
    pub(super) fn fetch(
        &mut self,
        document: u64,
        id: u32,
        method: &str,
        url: String,
        authorization: Option<String>,
        form: Option<String>,
        limit: u32,
    ) {
        let endpoint = self.endpoint(&url);
        let is_form = matches!(endpoint, Endpoint::Token | Endpoint::Revocation | Endpoint::Gone);
        assert_eq!(method == "POST", is_form, "{method} {url}");
        assert_eq!(form.is_some(), is_form);
        assert_eq!(authorization.is_some(), endpoint == Endpoint::UserInfo);
        let form = form.unwrap_or_default();
        let form: BTreeMap<String, String> =
            form_urlencoded::parse(form.as_bytes()).into_owned().collect();
        if let Some(token) = form.get("refresh_token").filter(|_| !self.locks_missing) {
            // RP17: one at a time, as far as the pages live that send it.
            let another = self.refreshing.iter().find(|(page, _, sent)| {
                let page = self.documents.get(page);
                sent == token && page.is_some_and(|page| !page.away && !page.hangs)
            });
            assert!(another.is_none(), "a second refresh by {document}: {another:?}");
            self.refreshing.push((document, id, token.clone()));
        }
        let (mut answer, mut bytes) = self.ask(Request { endpoint, url, form, authorization });
        if bytes.len() > limit as usize {
            answer = Answer::Failed { reason: Failure::TooLarge };
            bytes.clear();
        }
        let fact = Fact::Answer { effect: id, answer };
        self.deliver(document, Some(endpoint), fact, bytes);
    }

    pub(super) fn open_stream(
        &mut self,
        document: u64,
        effect: u32,
        url: String,
        authorization: String,
    ) {
        let sso = self.provider.session_of(&authorization);
        let request = Request {
            endpoint: self.endpoint(&url),
            url,
            form: BTreeMap::new(),
            authorization: Some(authorization),
        };
        assert!(!self.streams.iter().any(|s| s.document == document), "two streams of one page");
        let (answer, _) = self.ask(request);
        let is_open = matches!(&answer, Answer::Response { response } if response.status == 200);
        let fact = Fact::Answer { effect, answer };
        self.deliver(document, Some(Endpoint::Events), fact, Vec::new());
        if is_open {
            self.streams.push(Stream { document, effect, sso });
            // A session that is over is told at once, and nothing else.
            if let Some(sso) = sso.filter(|at| self.provider.sessions[*at].ended) {
                self.push_logout(sso, |_| {});
            } else if !self.streams_are_mute {
                let open = b"event: open\ndata: {\"heartbeat\": 15}\n\n";
                self.chunk(document, effect, open.to_vec());
            }
        }
    }

    pub(super) fn chunk(&mut self, document: u64, effect: u32, bytes: Vec<u8>) {
        let fact = Fact::Signal { signal: Signal::Chunk { effect } };
        self.deliver(document, Some(Endpoint::Events), fact, bytes);
    }

    pub fn push_logout(&mut self, sso: usize, mut change: impl FnMut(&mut Draft)) {
        let now = self.provider_time();
        let streams = self.streams.iter().filter(|stream| stream.sso == Some(sso));
        let streams: Vec<_> = streams.map(|s| (s.document, s.effect)).collect();
        for (document, effect) in streams {
            let mut draft = self.provider.logout_token(sso, now);
            change(&mut draft);
            let event = format!("event: logout\ndata: {}\n\n", draft.sign());
            self.chunk(document, effect, event.into_bytes());
        }
    }

    pub fn push_bytes(&mut self, bytes: &[u8]) {
        let streams: Vec<_> = self.streams.iter().map(|s| (s.document, s.effect)).collect();
        for (document, effect) in streams {
            self.chunk(document, effect, bytes.to_vec());
        }
    }

    pub fn close_streams(&mut self) {
        for stream in core::mem::take(&mut self.streams) {
            let fact = Fact::Signal { signal: Signal::Ended { effect: stream.effect } };
            self.deliver(stream.document, Some(Endpoint::Events), fact, Vec::new());
        }
    }

    pub fn open_streams(&self) -> usize {
        self.streams.len()
    }
}

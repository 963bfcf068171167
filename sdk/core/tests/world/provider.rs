//! A scripted provider: real codes, tokens and rotation; each answer can be made wrong, once.

use std::collections::BTreeMap;

use gatepass_core::{base64url::encode, wire::Failure};
use serde_json::{Value, json};

use super::{
    keys::{ES256, Key, at_hash, sha256},
    token::Draft,
};

pub const ISSUER: &str = "https://idp.example";
pub const CLIENT: &str = "pied-piper";
pub const APP: &str = "https://app.example";
pub const SILENT: &str = "https://app.example/gatepass-silent.html";

/// What can be asked of the provider by script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    Discovery,
    Keys,
    Token,
    UserInfo,
    Events,
    Revocation,
    /// What a hidden frame is sent to.
    Frame,
    /// Where something was once.
    Gone,
    /// None of the provider's: what was kept encrypted, which may be as slow.
    Vault,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    pub endpoint: Endpoint,
    pub url: String,
    pub form: BTreeMap<String, String>,
    pub authorization: Option<String>,
}

/// An answer before it leaves.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u32,
    pub content_type: Option<String>,
    pub retry_after: Option<i64>,
    pub body: Vec<u8>,
    /// The `Date` header is sent.
    pub has_date: bool,
    /// How many seconds ago the answer was made, which a cache has kept since.
    pub age: i64,
    /// Instead of an answer.
    pub failure: Option<Failure>,
}

impl Reply {
    pub fn json(status: u32, body: &Value) -> Self {
        Self {
            status,
            content_type: Some("application/json".into()),
            retry_after: None,
            body: body.to_string().into_bytes(),
            has_date: true,
            age: 0,
            failure: None,
        }
    }

    pub fn fail(&mut self, failure: Failure) {
        self.failure = Some(failure);
    }

    pub fn html(&mut self) {
        self.content_type = Some("text/html".into());
        self.body = b"<!doctype html><title>Oops</title>".to_vec();
    }

    /// Changes the body as a JSON object.
    pub fn edit(&mut self, change: impl FnOnce(&mut serde_json::Map<String, Value>)) {
        let mut body: Value = serde_json::from_slice(&self.body).unwrap();
        change(body.as_object_mut().unwrap());
        self.body = body.to_string().into_bytes();
    }

    /// Sets a member of the body; `null` takes it away.
    pub fn member(&mut self, name: &str, value: Value) {
        self.edit(|body| {
            if value.is_null() {
                body.remove(name);
            } else {
                body.insert(name.into(), value);
            }
        });
    }
}

/// What became of a visit to the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visit {
    /// The browser is sent on to this address.
    Redirect(String),
    /// A login page, for the request with this number.
    Login(usize),
    /// The provider's error page, and why.
    Refused(String),
    /// A page that says that the person is signed out.
    SignedOut,
}

pub struct Sso {
    pub user: String,
    pub sid: String,
    pub auth_time: i64,
    pub ended: bool,
}

struct Grant {
    sso: usize,
    nonce: Option<String>,
    refresh_token: String,
    spent: Vec<String>,
    access_tokens: Vec<(String, i64)>,
    revoked: bool,
}

struct Code {
    challenge: String,
    nonce: String,
    redirect_uri: String,
    sso: usize,
    used_by: Option<usize>,
}

pub type Parameters = Vec<(String, String)>;
type Amendment<T> = Box<dyn FnMut(&mut T)>;

#[expect(clippy::struct_excessive_bools, reason = "switches of a test double")]
pub struct Provider {
    /// Its clock minus the world's, in milliseconds.
    pub clock_offset_ms: i64,
    pub sends_date: bool,
    /// The registered redirect URI of frames.
    pub silent: String,
    /// Nothing answers.
    pub is_down: bool,
    pub published: Vec<Value>,
    pub key: &'static Key,
    pub rotates: bool,
    /// The refresh token before the last is answered anew, for a while, as its answer may be lost.
    pub has_grace: bool,
    pub gives_refresh_token: bool,
    pub gives_id_token_on_refresh: bool,
    /// The token endpoint refuses, and repeats this parameter of the request.
    pub echoes: Option<&'static str>,
    pub access_token_lifetime: i64,
    pub id_token_lifetime: i64,
    pub requests: Vec<Request>,
    /// Addresses that browsers were sent to.
    pub visits: Vec<String>,
    /// Everything that must not leak.
    pub secrets: Vec<(&'static str, String)>,
    /// The session that the browser's cookie names.
    pub cookie: Option<usize>,
    pub sessions: Vec<Sso>,
    pub metadata: Value,
    waiting: Vec<Parameters>,
    grants: Vec<Grant>,
    codes: BTreeMap<String, Code>,
    counter: u64,
    amendments: Vec<(Endpoint, bool, Amendment<Reply>)>,
    id_token_amendments: Vec<Amendment<Draft>>,
    callback_amendments: Vec<Amendment<Parameters>>,
}

impl Provider {
    pub fn new() -> Self {
        let at = |path: &str| format!("{ISSUER}/{path}");
        Self {
            clock_offset_ms: 0,
            sends_date: true,
            silent: SILENT.into(),
            is_down: false,
            published: vec![ES256.jwk()],
            key: &ES256,
            rotates: true,
            has_grace: false,
            gives_refresh_token: true,
            gives_id_token_on_refresh: true,
            echoes: None,
            access_token_lifetime: 300,
            id_token_lifetime: 300,
            requests: Vec::new(),
            visits: Vec::new(),
            secrets: Vec::new(),
            cookie: None,
            sessions: Vec::new(),
            metadata: json!({
                "issuer": ISSUER,
                "authorization_endpoint": at("authorize"),
                "token_endpoint": at("token"),
                "jwks_uri": at("jwks"),
                "userinfo_endpoint": at("userinfo"),
                "end_session_endpoint": at("end_session"),
                "session_events_endpoint": at("session_events"),
                "revocation_endpoint": at("revoke"),
                "authorization_response_iss_parameter_supported": true,
            }),
            waiting: Vec::new(),
            grants: Vec::new(),
            codes: BTreeMap::new(),
            counter: 0,
            amendments: Vec::new(),
            id_token_amendments: Vec::new(),
            callback_amendments: Vec::new(),
        }
    }

    /// Changes the next answer of `endpoint`.
    pub fn once(&mut self, endpoint: Endpoint, change: impl FnMut(&mut Reply) + 'static) {
        self.amendments.push((endpoint, true, Box::new(change)));
    }

    /// Changes all answers of `endpoint` from now on.
    pub fn always(&mut self, endpoint: Endpoint, change: impl FnMut(&mut Reply) + 'static) {
        self.amendments.push((endpoint, false, Box::new(change)));
    }

    /// Every answer is what it should be again.
    pub fn behave(&mut self) {
        self.amendments.clear();
    }

    /// Changes the next ID token.
    pub fn next_id_token(&mut self, change: impl FnMut(&mut Draft) + 'static) {
        self.id_token_amendments.push(Box::new(change));
    }

    /// Changes the parameters of the next authorization response.
    pub fn next_callback(&mut self, change: impl FnMut(&mut Parameters) + 'static) {
        self.callback_amendments.push(Box::new(change));
    }

    fn secret(&mut self, kind: &'static str) -> String {
        self.counter += 1;
        let text = format!("{kind}-{}", encode(&sha256(&self.counter.to_string())[..18]));
        self.secrets.push((kind, text.clone()));
        text
    }

    // What browsers visit.

    /// A person signs in: the browser has a cookie from now on.
    pub fn start_session(&mut self, user: &str, now: i64) {
        self.counter += 1;
        let sid = format!("sid-{}", self.counter);
        self.sessions.push(Sso { user: user.into(), sid, auth_time: now, ended: false });
        self.cookie = Some(self.sessions.len() - 1);
    }

    pub fn visit(&mut self, url: &str, now: i64) -> Visit {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        self.visits.push(url.into());
        let parameters: Parameters = form_urlencoded::parse(query.as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        if Some(path) == self.metadata["authorization_endpoint"].as_str() {
            self.authorize(parameters, now)
        } else if Some(path) == self.metadata["end_session_endpoint"].as_str() {
            self.end_session(&parameters)
        } else {
            Visit::Refused(format!("nothing at {path}"))
        }
    }

    fn authorize(&mut self, parameters: Parameters, now: i64) -> Visit {
        let mut names: Vec<_> = parameters.iter().map(|(name, _)| name).collect();
        names.sort();
        names.dedup();
        if names.len() != parameters.len() {
            return Visit::Refused("a parameter is repeated".into());
        }
        let redirect_uri = match get(&parameters, "redirect_uri") {
            uri if uri == self.silent => &self.silent,
            _ => &format!("{APP}/"),
        };
        for (name, expected) in [
            ("response_type", "code"),
            ("client_id", CLIENT),
            ("redirect_uri", redirect_uri),
            ("code_challenge_method", "S256"),
        ] {
            if get(&parameters, name) != expected {
                return Visit::Refused(format!("{name} is {:?}", get(&parameters, name)));
            }
        }
        for name in ["state", "nonce", "code_challenge"] {
            let value = get(&parameters, name);
            if value.strip_prefix("gatepass-popup-").unwrap_or(value).len() != 43 {
                return Visit::Refused(format!("{name} has not 32 bytes"));
            }
        }
        for name in ["state", "nonce"] {
            let value = get(&parameters, name).to_owned();
            self.secrets.push((if name == "state" { "state" } else { "nonce" }, value));
        }
        let session = self.cookie.filter(|at| !self.sessions[*at].ended);
        match (session, get(&parameters, "prompt")) {
            (None, "none") => self.answer(&parameters, &[("error", "login_required")]),
            (Some(_), "login") | (None, _) => {
                self.waiting.push(parameters);
                Visit::Login(self.waiting.len() - 1)
            }
            (Some(sso), _) => self.grant_code(&parameters, sso, now),
        }
    }

    fn grant_code(&mut self, parameters: &Parameters, sso: usize, _now: i64) -> Visit {
        let code = self.secret("code");
        let challenge = get(parameters, "code_challenge").to_owned();
        let nonce = get(parameters, "nonce").to_owned();
        let redirect_uri = get(parameters, "redirect_uri").to_owned();
        let given = Code { challenge, nonce, redirect_uri, sso, used_by: None };
        self.codes.insert(code.clone(), given);
        self.answer(parameters, &[("code", &code)])
    }

    /// The person signs in at the login page.
    pub fn submit_login(&mut self, request: usize, user: &str, now: i64) -> Visit {
        self.start_session(user, now);
        let sso = self.sessions.len() - 1;
        let parameters = self.waiting[request].clone();
        self.grant_code(&parameters, sso, now)
    }

    /// The person cancels at the login page.
    pub fn cancel_login(&mut self, request: usize) -> Visit {
        let parameters = self.waiting[request].clone();
        self.answer(&parameters, &[("error", "access_denied")])
    }

    fn answer(&mut self, request: &Parameters, parameters: &[(&str, &str)]) -> Visit {
        let mut answer: Parameters = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        answer.push(("state".into(), get(request, "state").into()));
        answer.push(("iss".into(), ISSUER.into()));
        if !self.callback_amendments.is_empty() {
            (self.callback_amendments.remove(0))(&mut answer);
        }
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(answer);
        Visit::Redirect(format!("{}?{}", get(request, "redirect_uri"), query.finish()))
    }

    fn end_session(&mut self, parameters: &Parameters) -> Visit {
        if let Some(at) = self.cookie.take() {
            self.end_sso(at);
        }
        let back = get(parameters, "post_logout_redirect_uri");
        if back != format!("{APP}/") || get(parameters, "id_token_hint").is_empty() {
            return Visit::SignedOut;
        }
        match get(parameters, "state") {
            "" => Visit::Redirect(back.into()),
            state => Visit::Redirect(format!("{back}?state={state}")),
        }
    }

    /// Its metadata does not name this.
    pub fn publishes_no(&mut self, member: &str) {
        self.metadata.as_object_mut().unwrap().remove(member);
    }

    /// The session is over and its grants are revoked.
    pub fn end_sso(&mut self, at: usize) {
        self.sessions[at].ended = true;
        for grant in &mut self.grants {
            grant.revoked |= grant.sso == at;
        }
    }

    // What scripts ask.

    pub fn answer_request(&mut self, request: Request, now: i64) -> Reply {
        let endpoint = request.endpoint;
        let mut reply = if self.is_down {
            let mut reply = Reply::json(200, &json!({}));
            reply.fail(Failure::Network);
            reply
        } else {
            match endpoint {
                Endpoint::Discovery => Reply::json(200, &self.metadata),
                Endpoint::Keys => Reply::json(200, &json!({ "keys": self.published })),
                Endpoint::Token => self.token(&request.form, now),
                Endpoint::UserInfo => self.user_info(&request, now),
                Endpoint::Events => self.events(&request, now),
                Endpoint::Revocation => self.revoke(&request.form),
                Endpoint::Frame | Endpoint::Gone | Endpoint::Vault => Reply::json(404, &json!({})),
            }
        };
        reply.has_date &= self.sends_date;
        self.requests.push(request);
        let mut done = None;
        for (at, (known, once, change)) in self.amendments.iter_mut().enumerate() {
            if *known == endpoint && done.is_none() {
                change(&mut reply);
                if *once {
                    done = Some(at);
                }
            }
        }
        if let Some(at) = done {
            drop(self.amendments.remove(at));
        }
        reply
    }

    fn token(&mut self, form: &BTreeMap<String, String>, now: i64) -> Reply {
        let get = |name: &str| form.get(name).map_or("", String::as_str);
        let refuse = |error: &str| Reply::json(400, &json!({ "error": error }));
        if get("client_id") != CLIENT {
            return refuse("invalid_client");
        }
        if form.contains_key("code_verifier") {
            self.secrets.push(("verifier", get("code_verifier").into()));
        }
        if let Some(name) = self.echoes {
            let said = format!("what is {}?", get(name));
            return Reply::json(400, &json!({ "error": "invalid", "error_description": said }));
        }
        match get("grant_type") {
            "authorization_code" => {
                let Some(code) = self.codes.get(get("code")) else {
                    return refuse("invalid_grant");
                };
                if let Some(grant) = code.used_by {
                    // RFC 6749, 4.1.2: a code that comes twice takes back what it gave.
                    self.grants[grant].revoked = true;
                    return refuse("invalid_grant");
                }
                let fits = get("redirect_uri") == code.redirect_uri
                    && encode(&sha256(get("code_verifier"))) == code.challenge;
                if !fits || self.sessions[code.sso].ended {
                    return refuse("invalid_grant");
                }
                let (sso, nonce) = (code.sso, Some(code.nonce.clone()));
                let at = self.grants.len();
                self.codes.get_mut(get("code")).unwrap().used_by = Some(at);
                self.grants.push(Grant {
                    sso,
                    nonce,
                    refresh_token: String::new(),
                    spent: Vec::new(),
                    access_tokens: Vec::new(),
                    revoked: false,
                });
                self.issue(at, true, now)
            }
            "refresh_token" => {
                let given = get("refresh_token");
                let replayed = self.grants.iter().position(|g| g.spent.iter().any(|t| t == given));
                if let Some(at) = replayed {
                    let grant = &mut self.grants[at];
                    let is_last = grant.spent.last().is_some_and(|spent| spent == given);
                    if self.has_grace && is_last && !grant.revoked {
                        return self.issue(at, false, now);
                    }
                    grant.revoked = true;
                }
                let known = self.grants.iter().position(|g| !g.revoked && g.refresh_token == given);
                let Some(at) = known else { return refuse("invalid_grant") };
                // RFC 8707, 2.
                if get("resource").contains("unknown") {
                    return refuse("invalid_target");
                }
                self.issue(at, false, now)
            }
            _ => refuse("unsupported_grant_type"),
        }
    }

    /// RFC 7009, 2: an unknown token is no error.
    fn revoke(&mut self, form: &BTreeMap<String, String>) -> Reply {
        assert_eq!(form["client_id"], CLIENT);
        let token = &form["token"];
        for grant in &mut self.grants {
            let has = match form["token_type_hint"].as_str() {
                "refresh_token" => grant.refresh_token == *token,
                _ => grant.access_tokens.iter().any(|(known, _)| known == token),
            };
            grant.revoked |= has;
        }
        Reply::json(200, &json!({}))
    }

    fn issue(&mut self, at: usize, first: bool, now: i64) -> Reply {
        let access_token = self.secret("access");
        let lifetime = self.access_token_lifetime;
        self.grants[at].access_tokens.push((access_token.clone(), now + lifetime));
        let mut body = json!({
            "access_token": access_token, "token_type": "Bearer", "expires_in": lifetime,
        });
        if self.gives_refresh_token && (first || self.rotates) {
            let fresh = self.secret("refresh");
            let spent = core::mem::replace(&mut self.grants[at].refresh_token, fresh.clone());
            if !spent.is_empty() {
                self.grants[at].spent.push(spent);
            }
            body["refresh_token"] = json!(fresh);
        }
        if first || self.gives_id_token_on_refresh {
            let grant = &self.grants[at];
            let sso = &self.sessions[grant.sso];
            let mut draft = Draft::new(
                self.key,
                json!({
                    "iss": ISSUER, "aud": CLIENT, "sub": sso.user, "sid": sso.sid,
                    "iat": now, "exp": now + self.id_token_lifetime, "auth_time": sso.auth_time,
                    "acr": "1", "amr": ["pwd"], "name": format!("The one called {}", sso.user),
                    "at_hash": at_hash(self.key.algorithm, &access_token),
                }),
            );
            if let (true, Some(nonce)) = (first, &grant.nonce) {
                draft.claim("nonce", json!(nonce));
            }
            if !self.id_token_amendments.is_empty() {
                (self.id_token_amendments.remove(0))(&mut draft);
            }
            let token = draft.sign();
            self.secrets.push(("id_token", token.clone()));
            body["id_token"] = json!(token);
        }
        Reply::json(200, &body)
    }

    fn grant_of(&self, authorization: Option<&str>) -> Option<(&Grant, i64)> {
        let token = authorization?.strip_prefix("Bearer ")?;
        self.grants.iter().find_map(|grant| {
            let (_, expires) = grant.access_tokens.iter().find(|(known, _)| known == token)?;
            Some((grant, *expires))
        })
    }

    /// Whether an access token is still worth something.
    pub fn accepts(&self, token: &str, now: i64) -> bool {
        self.grant_of(Some(&format!("Bearer {token}")))
            .is_some_and(|(grant, expires)| !grant.revoked && expires > now)
    }

    fn user_info(&self, request: &Request, now: i64) -> Reply {
        match self.grant_of(request.authorization.as_deref()) {
            Some((grant, expires)) if !grant.revoked && expires > now => {
                Reply::json(200, &json!({ "sub": self.sessions[grant.sso].user }))
            }
            _ => Reply::json(401, &json!({ "error": "invalid_token" })),
        }
    }

    fn events(&self, request: &Request, now: i64) -> Reply {
        let mut reply = match self.grant_of(request.authorization.as_deref()) {
            // A session that is over is told so, whatever its token is worth.
            Some((grant, _)) if self.sessions[grant.sso].ended => Reply::json(200, &json!({})),
            Some((grant, expires)) if !grant.revoked && expires > now => {
                Reply::json(200, &json!({}))
            }
            _ => return Reply::json(401, &json!({ "error": "invalid_token" })),
        };
        reply.content_type = Some("text/event-stream".into());
        reply.body.clear();
        reply
    }

    /// The SSO session that a stream's token belongs to.
    pub fn session_of(&self, authorization: &str) -> Option<usize> {
        self.grant_of(Some(authorization)).map(|(grant, _)| grant.sso)
    }

    pub fn logout_token(&mut self, sso: usize, now: i64) -> Draft {
        self.counter += 1;
        let session = &self.sessions[sso];
        let mut draft = Draft::new(
            self.key,
            json!({
                "iss": ISSUER, "aud": CLIENT, "iat": now, "exp": now + 120,
                "jti": format!("jti-{}", self.counter), "sub": session.user, "sid": session.sid,
                "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
            }),
        );
        draft.header("typ", json!("logout+jwt"));
        draft
    }

    /// A Security Event Token (docs/session-events.md, 4.4): the level of the session has changed.
    pub fn security_event(&mut self, sso: usize, now: i64) -> Draft {
        self.counter += 1;
        let session = &self.sessions[sso];
        let event = "https://schemas.openid.net/secevent/caep/event-type/assurance-level-change";
        let mut draft = Draft::new(
            self.key,
            json!({
                "iss": ISSUER, "aud": CLIENT, "iat": now, "jti": format!("jti-{}", self.counter),
                "sub_id": {
                    "format": "complex",
                    "user": { "format": "iss_sub", "iss": ISSUER, "sub": session.user },
                    "session": { "format": "opaque", "id": session.sid },
                },
                "events": { event: {
                    "namespace": ISSUER, "previous_level": "1", "current_level": "2",
                    "change_direction": "increase", "event_timestamp": now,
                } },
            }),
        );
        draft.header("typ", json!("secevent+jwt"));
        draft
    }

    pub fn count(&self, endpoint: Endpoint) -> usize {
        self.requests.iter().filter(|request| request.endpoint == endpoint).count()
    }

    pub fn refreshes(&self) -> usize {
        let is_refresh =
            |r: &&Request| r.form.get("grant_type").is_some_and(|g| g == "refresh_token");
        self.requests.iter().filter(is_refresh).count()
    }
}

fn get<'a>(parameters: &'a Parameters, name: &str) -> &'a str {
    parameters.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
}

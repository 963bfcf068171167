//! The simulated provider: one SSO session that both sites share, codes, grants, rotation, streams
//! and keys; and the lies that it tells when it is told to.

use std::collections::{BTreeMap, BTreeSet};

use gatepass_core::base64url::encode;
use serde_json::{Value, json};

use crate::{
    schedule::{CallbackLie, Lie, LogoutLie, Setup, TokenLie},
    token::{Draft, Key, STRANGER, grant_of, sha256},
};

pub(crate) const ISSUER: &str = "https://idp.example";

/// The sites, by number.
pub(crate) const CLIENTS: [&str; 2] = ["pied-piper", "hooli"];

/// Who never signs in: whoever is shown has been smuggled in.
pub(crate) const STRANGER_NAME: &str = "mallory";

/// What can be asked of the provider by script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Endpoint {
    Discovery,
    Keys,
    Token,
    UserInfo,
    Events,
    Revocation,
}

impl Endpoint {
    pub(crate) const ALL: [Self; 6] =
        [Self::Discovery, Self::Keys, Self::Token, Self::UserInfo, Self::Events, Self::Revocation];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::Keys => "jwks",
            Self::Token => "token",
            Self::UserInfo => "userinfo",
            Self::Events => "session_events",
            Self::Revocation => "revoke",
        }
    }

    pub(crate) fn of(url: &str) -> Option<Self> {
        if url == format!("{ISSUER}/.well-known/openid-configuration") {
            return Some(Self::Discovery);
        }
        let path = url.strip_prefix(ISSUER)?.strip_prefix('/')?;
        Self::ALL.into_iter().find(|endpoint| endpoint.name() == path)
    }
}

/// A request as it arrives.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) endpoint: Endpoint,
    pub(crate) form: BTreeMap<String, String>,
    pub(crate) authorization: Option<String>,
}

/// An answer as it leaves.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u32,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(status: u32, body: &Value) -> Self {
        Self { status, content_type: "application/json", body: body.to_string() }
    }

    fn refusal(error: &str) -> Self {
        Self::json(400, &json!({ "error": error }))
    }
}

/// What became of a visit to the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Visit {
    /// The browser is sent on to this address.
    Redirect(String),
    /// A login page, for the request with this number.
    Login(usize),
    /// A page of the provider, or of the browser, that leads nowhere.
    Page(&'static str),
}

pub(crate) struct Sso {
    pub(crate) user: &'static str,
    pub(crate) ended: bool,
    auth_time: i64,
}

/// Why a grant is worth nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Revoked {
    SessionEnded,
    ByTheApp,
    CodeUsedTwice,
    RefreshTokenUsedTwice,
}

pub(crate) struct Grant {
    pub(crate) site: usize,
    pub(crate) sso: usize,
    pub(crate) user: &'static str,
    pub(crate) revoked: Option<Revoked>,
    nonce: String,
    /// How many refresh tokens there were; the last counts.
    refresh_tokens: usize,
    /// The last one has been used, or was the first.
    last_was_used: bool,
    /// When each access token expires.
    access_tokens: Vec<i64>,
}

struct Code {
    site: usize,
    sso: usize,
    user: &'static str,
    challenge: String,
    nonce: String,
    redirect_uri: String,
    used_by: Option<usize>,
}

type Parameters = BTreeMap<String, String>;

pub(crate) struct Provider {
    setup: Setup,
    pub(crate) is_up: bool,
    /// The session that the browser's cookie names.
    pub(crate) cookie: Option<usize>,
    pub(crate) sessions: Vec<Sso>,
    pub(crate) grants: Vec<Grant>,
    /// The claims of all ID tokens that are no lies, by site.
    pub(crate) issued: BTreeSet<(usize, String)>,
    /// SSO sessions whose end was put on a stream, by a token that is no lie.
    pub(crate) told: BTreeSet<usize>,
    /// How many keys there have been.
    pub(crate) keys: u32,
    published: Vec<Key>,
    codes: Vec<Code>,
    waiting: Vec<Parameters>,
    lies: Vec<Lie>,
    logout_tokens: u64,
    last_logout_token: Option<String>,
}

impl Provider {
    pub(crate) fn new(setup: Setup) -> Self {
        Self {
            setup,
            is_up: true,
            cookie: None,
            sessions: Vec::new(),
            grants: Vec::new(),
            issued: BTreeSet::new(),
            told: BTreeSet::new(),
            keys: 1,
            published: vec![Key(0)],
            codes: Vec::new(),
            waiting: Vec::new(),
            lies: Vec::new(),
            logout_tokens: 0,
            last_logout_token: None,
        }
    }

    const fn key(&self) -> Key {
        Key(self.keys - 1)
    }

    pub(crate) fn rotate_keys(&mut self, keep_old: bool) {
        let old = self.key();
        self.keys += 1;
        self.published = vec![self.key()];
        if keep_old {
            self.published.push(old);
        }
    }

    /// It will lie once, at the next occasion.
    pub(crate) fn lie(&mut self, lie: Lie) {
        self.lies.push(lie);
    }

    /// From now on nothing but the truth.
    pub(crate) fn repent(&mut self) {
        self.lies.clear();
    }

    /// The first lie that `fits` is told now.
    fn next_lie<T>(&mut self, fits: impl Fn(Lie) -> Option<T>) -> Option<T> {
        let at = self.lies.iter().position(|lie| fits(*lie).is_some())?;
        fits(self.lies.remove(at))
    }

    // What browsers visit.

    fn start_session(&mut self, user: &'static str, now: i64) -> usize {
        self.sessions.push(Sso { user, ended: false, auth_time: now });
        self.sessions.len() - 1
    }

    pub(crate) fn visit(&mut self, url: &str, with_cookie: bool) -> Visit {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let parameters: Parameters =
            form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        match path.strip_prefix(ISSUER) {
            Some("/authorize") => self.authorize(parameters, with_cookie),
            Some("/end_session") => self.end_session(&parameters),
            _ => Visit::Page("nothing here"),
        }
    }

    fn authorize(&mut self, parameters: Parameters, with_cookie: bool) -> Visit {
        let get = |name: &str| parameters.get(name).map_or("", String::as_str);
        let site = CLIENTS.iter().position(|client| *client == get("client_id"));
        let is_registered = site.is_some_and(|site| {
            let origin = self.setup.origin(site);
            let path = get("redirect_uri").strip_prefix(origin);
            matches!(path, Some("/" | "/gatepass-silent.html"))
        });
        let is_whole =
            ["state", "nonce", "code_challenge"].iter().all(|name| get(name).len() == 43);
        let (Some(site), true, true) = (site, is_registered, is_whole) else {
            return Visit::Page("the request is refused");
        };
        let session = self.live_session().filter(|_| with_cookie);
        match (session, get("prompt")) {
            (None, "none") => self.answer(&parameters, ("error", "login_required".into())),
            (Some(sso), "none" | "") => self.grant_code(&parameters, site, sso),
            _ => {
                self.waiting.push(parameters);
                Visit::Login(self.waiting.len() - 1)
            }
        }
    }

    fn live_session(&self) -> Option<usize> {
        self.cookie.filter(|at| self.sessions.get(*at).is_some_and(|sso| !sso.ended))
    }

    fn add_code(&mut self, parameters: &Parameters, site: usize, sso: usize) -> String {
        let get = |name: &str| parameters.get(name).cloned().unwrap_or_default();
        self.codes.push(Code {
            site,
            sso,
            user: self.sessions.get(sso).map_or("", |sso| sso.user),
            challenge: get("code_challenge"),
            nonce: get("nonce"),
            redirect_uri: get("redirect_uri"),
            used_by: None,
        });
        format!("code-{}", self.codes.len() - 1)
    }

    fn grant_code(&mut self, parameters: &Parameters, site: usize, sso: usize) -> Visit {
        let code = self.add_code(parameters, site, sso);
        self.answer(parameters, ("code", code))
    }

    /// A code of a stranger, for a verifier that nobody else has.
    pub(crate) fn strangers_code(&mut self, site: usize, now: i64) -> String {
        let sso = self.start_session(STRANGER_NAME, now);
        let redirect_uri = format!("{}/", self.setup.origin(site));
        let challenge = encode(&sha256("a stranger's verifier"));
        let parameters = [
            ("code_challenge".to_owned(), challenge),
            ("nonce".to_owned(), "a stranger's nonce".to_owned()),
            ("redirect_uri".to_owned(), redirect_uri),
        ];
        self.add_code(&parameters.into(), site, sso)
    }

    /// Somebody signs in at the login page. A provider that knows the person already keeps the
    /// session; for somebody else it begins another.
    pub(crate) fn submit_login(&mut self, request: usize, user: &'static str, now: i64) -> Visit {
        let Some(parameters) = self.waiting.get(request).cloned() else {
            return Visit::Page("too late");
        };
        let same = self
            .live_session()
            .filter(|at| self.sessions.get(*at).is_some_and(|sso| sso.user == user));
        let sso = match same {
            Some(sso) => sso,
            None => {
                // One browser, one session: what another person had is over.
                if let Some(old) = self.cookie {
                    self.end_sso(old);
                }
                self.start_session(user, now)
            }
        };
        self.cookie = Some(sso);
        let client = parameters.get("client_id").map_or("", String::as_str);
        let site = CLIENTS.iter().position(|known| *known == client).unwrap_or_default();
        self.grant_code(&parameters, site, sso)
    }

    pub(crate) fn cancel_login(&mut self, request: usize) -> Visit {
        match self.waiting.get(request).cloned() {
            Some(parameters) => self.answer(&parameters, ("error", "access_denied".into())),
            None => Visit::Page("too late"),
        }
    }

    fn answer(&mut self, request: &Parameters, (name, value): (&str, String)) -> Visit {
        let get = |name: &str| request.get(name).cloned().unwrap_or_default();
        let lie = self.next_lie(|lie| match lie {
            Lie::Callback(lie) => Some(lie),
            _ => None,
        });
        let mut answer = vec![(name.to_owned(), value)];
        match lie {
            Some(CallbackLie::StrangersCode) => {
                let site = CLIENTS.iter().position(|known| *known == get("client_id"));
                let code = self.strangers_code(site.unwrap_or_default(), 0);
                answer = vec![("code".into(), code)];
            }
            Some(CallbackLie::Error) => {
                answer = vec![
                    ("error".into(), "server_error".into()),
                    ("error_description".into(), "<script>alert(1)</script>".into()),
                ];
            }
            _ => {}
        }
        answer.push(match lie {
            Some(CallbackLie::OtherState) => ("state".into(), encode(&sha256("another state"))),
            _ => ("state".into(), get("state")),
        });
        match lie {
            Some(CallbackLie::NoIssuer) => {}
            Some(CallbackLie::OtherIssuer) => {
                answer.push(("iss".into(), "https://evil.example".into()));
            }
            _ => answer.push(("iss".into(), ISSUER.into())),
        }
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(answer);
        Visit::Redirect(format!("{}?{}", get("redirect_uri"), query.finish()))
    }

    fn end_session(&mut self, parameters: &Parameters) -> Visit {
        if let Some(at) = self.cookie.take() {
            self.end_sso(at);
        }
        let get = |name: &str| parameters.get(name).map_or("", String::as_str);
        let back = get("post_logout_redirect_uri");
        let is_known =
            (0..CLIENTS.len()).any(|site| format!("{}/", self.setup.origin(site)) == back);
        if !is_known || get("id_token_hint").is_empty() {
            return Visit::Page("you are signed out");
        }
        match get("state") {
            "" => Visit::Redirect(back.into()),
            state => Visit::Redirect(format!("{back}?state={state}")),
        }
    }

    /// The session is over, and so are its grants.
    pub(crate) fn end_sso(&mut self, at: usize) {
        if let Some(sso) = self.sessions.get_mut(at) {
            sso.ended = true;
        }
        for grant in self.grants.iter_mut().filter(|grant| grant.sso == at) {
            grant.revoked.get_or_insert(Revoked::SessionEnded);
        }
    }

    // What scripts ask.

    pub(crate) fn answer_request(&mut self, request: &Request, now: i64) -> Reply {
        match request.endpoint {
            Endpoint::Discovery => Reply::json(200, &self.metadata()),
            Endpoint::Keys => {
                let keys: Vec<Value> = self.published.iter().map(|key| key.jwk()).collect();
                Reply::json(200, &json!({ "keys": keys }))
            }
            Endpoint::Token => self.token(&request.form, now),
            Endpoint::UserInfo => self.user_info(request, now),
            Endpoint::Events => self.events(request, now),
            Endpoint::Revocation => self.revoke(&request.form),
        }
    }

    fn metadata(&self) -> Value {
        let at = |path: &str| format!("{ISSUER}/{path}");
        let mut metadata = json!({
            "issuer": ISSUER,
            "authorization_endpoint": at("authorize"),
            "token_endpoint": at("token"),
            "jwks_uri": at("jwks"),
            "userinfo_endpoint": at("userinfo"),
            "end_session_endpoint": at("end_session"),
            "revocation_endpoint": at("revoke"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
        });
        if !self.setup.no_events {
            metadata["session_events_endpoint"] = json!(at("session_events"));
        }
        metadata
    }

    fn token(&mut self, form: &Parameters, now: i64) -> Reply {
        let get = |name: &str| form.get(name).map_or("", String::as_str);
        let Some(site) = CLIENTS.iter().position(|client| *client == get("client_id")) else {
            return Reply::refusal("invalid_client");
        };
        match get("grant_type") {
            "authorization_code" => {
                let number = grant_of(get("code"));
                let Some(code) = number.and_then(|at| self.codes.get_mut(at)) else {
                    return Reply::refusal("invalid_grant");
                };
                if let Some(at) = code.used_by {
                    // RFC 6749, 4.1.2: a code that comes twice takes back what it gave.
                    if let Some(grant) = self.grants.get_mut(at) {
                        grant.revoked.get_or_insert(Revoked::CodeUsedTwice);
                    }
                    return Reply::refusal("invalid_grant");
                }
                let fits = code.site == site
                    && code.redirect_uri == get("redirect_uri")
                    && code.challenge == encode(&sha256(get("code_verifier")));
                let is_over = self.sessions.get(code.sso).is_none_or(|sso| sso.ended);
                if !fits || is_over {
                    return Reply::refusal("invalid_grant");
                }
                code.used_by = Some(self.grants.len());
                self.grants.push(Grant {
                    site,
                    sso: code.sso,
                    user: code.user,
                    revoked: None,
                    nonce: code.nonce.clone(),
                    refresh_tokens: 0,
                    last_was_used: true,
                    access_tokens: Vec::new(),
                });
                self.issue(self.grants.len() - 1, true, now)
            }
            "refresh_token" => self.refresh(get("refresh_token"), now),
            _ => Reply::refusal("unsupported_grant_type"),
        }
    }

    fn refresh(&mut self, token: &str, now: i64) -> Reply {
        let number = token.rsplit('-').next().and_then(|text| text.parse::<usize>().ok());
        let at = grant_of(token);
        let (Some(at), Some(number), strict) = (at, number, self.setup.strict_rotation) else {
            return Reply::refusal("invalid_grant");
        };
        let Some(grant) = self.grants.get_mut(at).filter(|grant| grant.revoked.is_none()) else {
            return Reply::refusal("invalid_grant");
        };
        let last = grant.refresh_tokens;
        if number == last {
            grant.last_was_used = true;
        } else if strict || number + 1 < last || grant.last_was_used {
            grant.revoked = Some(Revoked::RefreshTokenUsedTwice);
            return Reply::refusal("invalid_grant");
        }
        self.issue(at, false, now)
    }

    fn issue(&mut self, at: usize, first: bool, now: i64) -> Reply {
        const LIFETIME: i64 = 300;
        let (no_tokens, no_rotation) = (self.setup.no_refresh_tokens, self.setup.no_rotation);
        let Some(grant) = self.grants.get_mut(at) else { return Reply::refusal("invalid_grant") };
        grant.access_tokens.push(now + LIFETIME);
        let access_token = format!("access-{at}-{}", grant.access_tokens.len());
        let mut body = json!({
            "access_token": access_token, "token_type": "Bearer", "expires_in": LIFETIME,
        });
        if !no_tokens && (first || !no_rotation) {
            // What was given out last, and never came, is replaced.
            if first || grant.last_was_used {
                grant.refresh_tokens += 1;
                grant.last_was_used = false;
            }
            body["refresh_token"] = json!(format!("refresh-{at}-{}", grant.refresh_tokens));
        }
        if first || !self.setup.no_refreshed_id_token {
            let nonce = first.then(|| grant.nonce.clone());
            body["id_token"] = json!(self.id_token(at, nonce, &access_token, now));
        }
        Reply::json(200, &body)
    }

    fn id_token(
        &mut self,
        at: usize,
        nonce: Option<String>,
        access_token: &str,
        now: i64,
    ) -> String {
        let key = self.key();
        let lie = self.next_lie(|lie| match lie {
            Lie::IdToken(lie) => Some(lie),
            _ => None,
        });
        let Some(grant) = self.grants.get(at) else { return String::new() };
        let (site, sso) = (grant.site, grant.sso);
        let hash = |text: &str| encode(sha256(text).get(..16).unwrap_or_default());
        let mut claims = json!({
            "iss": ISSUER, "aud": CLIENTS.get(site), "sub": grant.user, "sid": format!("sid-{sso}"),
            "iat": now, "exp": now + 300, "at_hash": hash(access_token), "grant": at,
            "auth_time": self.sessions.get(sso).map_or(0, |sso| sso.auth_time),
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = json!(nonce);
        }
        let mut draft = Draft::new(key, "JWT", claims);
        if let Some(lie) = lie {
            // So that whoever believes it is found out.
            draft.claims["lie"] = json!(format!("{lie:?}"));
            match lie {
                TokenLie::WrongKey => draft.key = Some(STRANGER),
                TokenLie::NoSignature => draft.key = None,
                TokenLie::OtherAudience => draft.claims["aud"] = json!("erlich"),
                TokenLie::OtherIssuer => draft.claims["iss"] = json!("https://evil.example"),
                TokenLie::Expired => draft.claims["exp"] = json!(now - 3600),
                TokenLie::FromTheFuture => draft.claims["iat"] = json!(now + 36_000),
                TokenLie::OtherNonce => draft.claims["nonce"] = json!("another"),
                TokenLie::OtherHash => draft.claims["at_hash"] = json!(hash("another")),
                TokenLie::OtherSubject => {
                    draft.claims["sub"] = json!(STRANGER_NAME);
                    // At a sign-in anybody may be who signs in: there it is the key that is wrong.
                    draft.key = Some(STRANGER);
                }
                TokenLie::LogoutType => draft.kind = "logout+jwt",
            }
            return draft.sign().0;
        }
        let (token, claims) = draft.sign();
        self.issued.insert((site, claims));
        token
    }

    fn grant_of_token(&self, authorization: Option<&str>, now: i64) -> Option<(usize, bool)> {
        let token = authorization?.strip_prefix("Bearer ")?;
        let at = grant_of(token)?;
        let grant = self.grants.get(at)?;
        let number: usize = token.rsplit('-').next()?.parse().ok()?;
        let expires = grant.access_tokens.get(number.checked_sub(1)?)?;
        Some((at, grant.revoked.is_none() && *expires > now))
    }

    /// Whether an access token is worth something.
    pub(crate) fn accepts(&self, token: &str, now: i64) -> bool {
        self.grant_of_token(Some(&format!("Bearer {token}")), now).is_some_and(|(_, good)| good)
    }

    fn user_info(&mut self, request: &Request, now: i64) -> Reply {
        match self.grant_of_token(request.authorization.as_deref(), now) {
            Some((at, true)) => {
                let lie = self.next_lie(|lie| (lie == Lie::UserInfo).then_some(STRANGER_NAME));
                let subject = lie.or(self.grants.get(at).map(|grant| grant.user));
                Reply::json(200, &json!({ "sub": subject }))
            }
            _ => Reply::json(401, &json!({ "error": "invalid_token" })),
        }
    }

    fn events(&self, request: &Request, now: i64) -> Reply {
        let known = self.grant_of_token(request.authorization.as_deref(), now);
        // A session that is over is told so, whatever its token is worth.
        let is_over = |at: usize| self.sso_of(at).is_some_and(|sso| sso.ended);
        match known {
            Some((at, good)) if good || is_over(at) => {
                Reply { status: 200, content_type: "text/event-stream", body: String::new() }
            }
            _ => Reply::json(401, &json!({ "error": "invalid_token" })),
        }
    }

    pub(crate) fn sso_of(&self, grant: usize) -> Option<&Sso> {
        self.sessions.get(self.grants.get(grant)?.sso)
    }

    /// RFC 7009, 2: an unknown token is no error.
    fn revoke(&mut self, form: &Parameters) -> Reply {
        let at = form.get("token").and_then(|token| grant_of(token));
        if let Some(grant) = at.and_then(|at| self.grants.get_mut(at)) {
            grant.revoked.get_or_insert(Revoked::ByTheApp);
        }
        Reply::json(200, &json!({}))
    }

    /// A logout token for the session of a grant.
    pub(crate) fn logout_token(&mut self, grant: usize, now: i64) -> String {
        let Some(sso) = self.grants.get(grant).map(|grant| grant.sso) else { return String::new() };
        let is_over = self.sessions.get(sso).is_none_or(|sso| sso.ended);
        let token = self.logout_draft(grant, now).sign().0;
        if is_over {
            self.told.insert(sso);
            self.last_logout_token = Some(token.clone());
        }
        token
    }

    fn logout_draft(&mut self, grant: usize, now: i64) -> Draft {
        self.logout_tokens += 1;
        let known = self.grants.get(grant);
        let claims = json!({
            "iss": ISSUER, "aud": known.and_then(|grant| CLIENTS.get(grant.site)),
            "sub": known.map(|grant| grant.user),
            "sid": known.map(|grant| format!("sid-{}", grant.sso)),
            "iat": now, "exp": now + 120, "jti": format!("jti-{}", self.logout_tokens),
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        });
        Draft::new(self.key(), "logout+jwt", claims)
    }

    /// A logout token that must sign nobody out.
    pub(crate) fn false_logout_token(&mut self, grant: usize, lie: LogoutLie, now: i64) -> String {
        if lie == LogoutLie::Replayed {
            return self.last_logout_token.clone().unwrap_or_default();
        }
        let mut draft = self.logout_draft(grant, now);
        match lie {
            LogoutLie::WrongKey => draft.key = Some(STRANGER),
            LogoutLie::OtherAudience => draft.claims["aud"] = json!("erlich"),
            LogoutLie::OtherSession => draft.claims["sid"] = json!("sid-of-another"),
            LogoutLie::WithNonce => draft.claims["nonce"] = json!("one"),
            LogoutLie::Late => draft.claims["exp"] = json!(now - 3600),
            LogoutLie::Replayed => {}
        }
        draft.sign().0
    }
}

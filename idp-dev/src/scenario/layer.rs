//! Stands before the honest provider: watches what comes, and changes what goes.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::authorization::{Answered, at_once};
use super::edit::Members;
use super::fault::{AnswerFault, Fault, ParamsFault, RequestFault, Turn};
use super::fill::{Fill, Honest};
use super::registry::Scenario;
use super::seen::{Place, Seen};
use super::verdict::{Verdict, Watch};
use super::{forge, key_set, wire};
use crate::http::{read_limited, see_other};
use crate::provider::{Provider, Shared};
use crate::secret::Digest;
use crate::timeline::{Step, StepName};

/// Tells the lies that are switched on for whoever asks. Nothing is read and nothing is changed
/// while there are none.
pub(crate) async fn lie(State(provider): State<Shared>, request: Request, next: Next) -> Response {
    let is_preflight = request.method() == Method::OPTIONS;
    if provider.scenarios.is_quiet() || is_preflight {
        return next.run(request).await;
    }
    let (request, seen, query) = match read(&provider, request).await {
        Ok(read) => read,
        Err(response) => return response,
    };
    observe(&provider, &seen);
    let active = provider.scenarios.active(seen.client_id.as_deref());
    for scenario in &active {
        if let Some(response) = before(&provider, scenario, &seen, &query) {
            return response;
        }
    }
    let mut response = next.run(request).await;
    for scenario in active {
        for (place, fault) in scenario.faults.iter().enumerate() {
            let lie = Lie { provider: &provider, scenario, place, seen: &seen };
            response = lie.told(fault, response).await;
        }
    }
    response
}

/// Takes from a request what verdicts need, and puts it together again.
async fn read(provider: &Provider, request: Request) -> Result<(Request, Seen, String), Response> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let (body, form) = if path == "/token" {
        let bytes = read_limited(body).await.map_err(crate::http::FormError::into_json)?;
        let form = String::from_utf8(bytes.to_vec()).ok();
        (Body::from(bytes), form)
    } else {
        (body, None)
    };
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let seen = Seen::read(provider, &parts.method, (path, &query), &parts.headers, form.as_deref());
    Ok((Request::from_parts(parts, body), seen, query))
}

fn observe(provider: &Provider, seen: &Seen) {
    let scenarios = &provider.scenarios;
    for (name, verdict, what) in scenarios.book.observe(scenarios.issuer_name(), seen) {
        let name_of_step = match verdict {
            Verdict::Refused => StepName::ScenarioRefused,
            Verdict::Accepted | Verdict::StillWaiting => StepName::ScenarioAccepted,
        };
        let mut step = Step::new(name_of_step, "", what).note("scenario", name);
        if let Some(client_id) = &seen.client_id {
            step = step.client(client_id);
        }
        provider.timeline.record(step);
    }
}

/// Answers in place of the provider, to a person who comes to sign in.
fn before(
    provider: &Provider,
    scenario: &'static Scenario,
    seen: &Seen,
    query: &str,
) -> Option<Response> {
    if seen.place != Place::Authorize {
        return None;
    }
    for (place, fault) in scenario.faults.iter().enumerate() {
        let lie = Lie { provider, scenario, place, seen };
        match fault {
            Fault::AuthorizationRequest(RequestFault { turn, to }) if lie.has_turn(*turn) => {
                lie.broke(Watch { codes: true, ..Watch::default() });
                let to = lie.fill(to, &|_| None);
                return Some(see_other(&format!("{to}?{query}")));
            }
            Fault::AuthorizationResponse(fault) if fault.at_once => {
                let location = at_once(provider, query)?;
                if lie.has_turn(fault.turn) {
                    return lie.params(fault, &location, false).map(|to| see_other(&to));
                }
            }
            _ => {}
        }
    }
    None
}

/// One fault of one scenario, at one request.
struct Lie<'a> {
    provider: &'a Provider,
    scenario: &'static Scenario,
    place: usize,
    seen: &'a Seen,
}

impl Lie<'_> {
    /// What the fault makes of an answer: mostly nothing, as it is about another kind.
    async fn told(&self, fault: &Fault, response: Response) -> Response {
        let place = self.seen.place;
        match fault {
            Fault::Discovery(fault) if place == Place::Discovery => {
                let (requests, codes) = (!fault.by_code, fault.by_code);
                let watch = Watch { requests, codes, ..Watch::default() };
                self.document(fault, response, watch).await
            }
            Fault::UserInfo(fault) if place == Place::UserInfo => {
                let watch = Watch { is_silent: true, ..Watch::default() };
                self.document(fault, response, watch).await
            }
            Fault::TokenResponse(fault) => match place {
                Place::Token { is_refresh } if fault.with.fits(is_refresh) => {
                    self.document(fault, response, Watch::default()).await
                }
                _ => response,
            },
            Fault::IdToken(fault) => match place {
                Place::Token { is_refresh } if fault.with.fits(is_refresh) => {
                    self.id_token(fault, response).await
                }
                _ => response,
            },
            Fault::KeySet(fault) if place == Place::KeySet => self.key_set(fault, response).await,
            Fault::AuthorizationResponse(fault) if !fault.at_once => {
                self.redirect(fault, response, false).await
            }
            Fault::LogoutResponse(fault) if place == Place::SignOut => {
                self.redirect(fault, response, true).await
            }
            _ => response,
        }
    }

    /// A JSON answer with changes to its members and to how it is sent.
    async fn document(&self, fault: &AnswerFault, response: Response, watch: Watch) -> Response {
        if !response.status().is_success() || !self.has_turn(fault.turn) {
            return response;
        }
        let (parts, body) = response.into_parts();
        let Some((members, text)) = read_object(body).await else { return failed() };
        let mut watch = watch;
        watch.secrets = self.secrets(&members);
        let honest = members.clone();
        let honest = move |name: &str| honest.word(name);
        let text = if fault.json.is_empty() {
            text
        } else {
            members.edited(&fault.json, |text| self.fill(text, &honest))
        };
        // Redirected elsewhere, the code must not come along.
        if fault.answer.status.is_some_and(|status| (300..400).contains(&status)) {
            watch.secrets.extend(self.seen.code);
        }
        self.broke(watch);
        wire::treated(parts, text, &fault.answer, |text| self.fill(text, &honest)).await
    }

    async fn id_token(&self, fault: &super::fault::TokenFault, response: Response) -> Response {
        if !response.status().is_success() || !self.has_turn(fault.turn) {
            return response;
        }
        let (mut parts, body) = response.into_parts();
        let Some((mut members, _)) = read_object(body).await else { return failed() };
        let (Some(token), Some(client_id)) = (members.word("id_token"), &self.seen.client_id)
        else {
            return failed();
        };
        let Ok(forged) = forge::forged(self.provider, fault, client_id, &token).await else {
            return failed();
        };
        members.set("id_token", serde_json::Value::from(forged).to_string());
        self.broke(Watch { secrets: self.secrets(&members), ..Watch::default() });
        parts.headers.remove(header::CONTENT_LENGTH);
        Response::from_parts(parts, Body::from(members.text()))
    }

    async fn key_set(&self, fault: &super::fault::KeySetFault, response: Response) -> Response {
        if !response.status().is_success() || !self.has_turn(fault.turn) {
            return response;
        }
        let (parts, _) = response.into_parts();
        let Ok(text) = key_set::treated(self.provider, fault).await else { return failed() };
        self.broke(Watch { bearers: true, ..Watch::default() });
        wire::treated(parts, text, &fault.answer, |text| self.fill(text, &|_| None)).await
    }

    /// A redirect that takes an answer to an app.
    async fn redirect(
        &self,
        fault: &ParamsFault,
        response: Response,
        is_sign_out: bool,
    ) -> Response {
        let location = response.headers().get(header::LOCATION);
        let Some(location) = location.and_then(|value| value.to_str().ok()) else {
            return response;
        };
        let location = location.to_owned();
        let answered = self.answered(&location, is_sign_out);
        let is_answer = answered.is_some_and(|answered| {
            is_sign_out || answered.get("code").is_some() || answered.get("error").is_some()
        });
        let is_meant = !fault.silent || self.seen.place == Place::Authorize;
        if !is_answer || !is_meant || !self.has_turn(fault.turn) {
            return response;
        }
        match self.params(fault, &location, is_sign_out).map(|to| HeaderValue::from_str(&to)) {
            Some(Ok(_)) if fault.silent => wire::silence().await,
            Some(Ok(to)) => {
                let mut response = response;
                response.headers_mut().insert(header::LOCATION, to);
                response
            }
            Some(Err(_)) | None => failed(),
        }
    }

    fn answered(&self, location: &str, is_sign_out: bool) -> Option<Answered<'_>> {
        Answered::read(self.provider, location, |client| {
            if is_sign_out { &client.post_logout_redirect_uris } else { &client.redirect_uris }
        })
    }

    fn params(&self, fault: &ParamsFault, location: &str, is_sign_out: bool) -> Option<String> {
        let answered = self.answered(location, is_sign_out)?;
        let client_id = answered.client.id.clone();
        let params = answered.params.clone();
        let honest = move |name: &str| {
            params.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone())
        };
        // The code as it goes out, and as it would have: neither is to be used.
        let mut secrets: Vec<Digest> =
            answered.get("code").map(|code| Digest::of(code.as_bytes())).into_iter().collect();
        let treated = answered.treated(fault, |text| self.fill(text, &honest));
        if let Some(sent) = self.answered(&treated, is_sign_out)
            && !fault.unseen
        {
            secrets.extend(sent.get("code").map(|code| Digest::of(code.as_bytes())));
        }
        let watch = Watch { secrets, is_silent: is_sign_out, ..Watch::default() };
        self.provider.scenarios.broke(self.provider, self.scenario, Some(&client_id), watch);
        Some(treated)
    }

    /// The tokens of a token response.
    fn secrets(&self, members: &Members) -> Vec<Digest> {
        let names = ["access_token", "refresh_token", "id_token"];
        let words = names.iter().filter_map(|name| members.word(name));
        words.map(|word| Digest::of(word.as_bytes())).collect()
    }

    fn has_turn(&self, turn: Turn) -> bool {
        turn.has(self.provider.scenarios.next_turn(self.scenario, self.place))
    }

    fn broke(&self, watch: Watch) {
        let client_id = self.seen.client_id.as_deref();
        self.provider.scenarios.broke(self.provider, self.scenario, client_id, watch);
    }

    fn fill(&self, text: &str, honest: Honest<'_>) -> String {
        let client_id = self.seen.client_id.as_deref();
        Fill { provider: self.provider, client_id, honest }.text(text)
    }
}

/// An honest JSON answer: its members, and its text.
async fn read_object(body: Body) -> Option<(Members, String)> {
    let bytes = to_bytes(body, MAX_ANSWER).await.ok()?;
    let members = Members::read(&bytes)?;
    Some((members, String::from_utf8(bytes.to_vec()).ok()?))
}

/// The lie could not be told. An honest answer in its place would look like a client that accepts.
fn failed() -> Response {
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

/// Far above any honest answer.
const MAX_ANSWER: usize = 1024 * 1024;

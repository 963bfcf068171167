//! Scenarios: which there are, which are told, and what clients made of them.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{read_json, refusal};
use crate::back_channel;
use crate::http::{SseEvent, json as respond_json};
use crate::provider::{Provider, Shared};
use crate::scenario::{self, Said, Scenario, Switch};
use crate::timeline::{Step, StepName};
use crate::tokens::{SignOut, issue_logout_token};

/// `GET /scenarios`
pub(super) async fn list(State(provider): State<Shared>) -> Response {
    let all: Vec<Value> = scenario::all().iter().map(|one| shown(&provider, one)).collect();
    respond_json(StatusCode::OK, &all)
}

/// `GET /scenarios/{name}`
pub(super) async fn get(State(provider): State<Shared>, Path(name): Path<String>) -> Response {
    match scenario::find(&name) {
        Some(scenario) => respond_json(StatusCode::OK, &shown(&provider, scenario)),
        None => unknown(),
    }
}

/// How a scenario is switched on.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Asked {
    /// For all without it.
    client_id: Option<String>,
    /// For good without it.
    requests: Option<u64>,
}

/// `POST /scenarios/{name}`: switches it on at the provider itself.
pub(super) async fn switch_on(
    State(provider): State<Shared>,
    Path(name): Path<String>,
    body: Body,
) -> Response {
    let Some(scenario) = scenario::find(&name) else { return unknown() };
    let asked: Asked = match read_optional(body).await {
        Ok(asked) => asked,
        Err(response) => return response,
    };
    if let Some(client_id) = &asked.client_id
        && provider.config.client(client_id).is_none()
    {
        let description = "no client has this client_id";
        return refusal(StatusCode::BAD_REQUEST, "invalid_request", description);
    }
    if asked.requests == Some(0) {
        let description = "requests must be 1 or more";
        return refusal(StatusCode::BAD_REQUEST, "invalid_request", description);
    }
    if asked.requests.is_some() && !scenario.is_countable() {
        let description = "the scenario needs several answers: no number of requests can end it";
        return refusal(StatusCode::BAD_REQUEST, "invalid_request", description);
    }
    provider.scenarios.switch_on(Switch {
        scenario,
        client_id: asked.client_id,
        left: asked.requests,
    });
    respond_json(StatusCode::OK, &shown(&provider, scenario))
}

/// `DELETE /scenarios/{name}`: switches it off and forgets its verdict.
pub(super) async fn switch_off(
    State(provider): State<Shared>,
    Path(name): Path<String>,
) -> Response {
    if scenario::find(&name).is_none() {
        return unknown();
    }
    provider.scenarios.switch_off(&name);
    StatusCode::NO_CONTENT.into_response()
}

/// `GET /scenarios/{name}/verdict`
pub(super) async fn verdict(State(provider): State<Shared>, Path(name): Path<String>) -> Response {
    match scenario::find(&name) {
        Some(scenario) => respond_json(StatusCode::OK, &judged(&provider, scenario)),
        None => unknown(),
    }
}

/// What a harness reports.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Reported {
    /// What the client says: `accepted` or `refused`. Without it, it was asked to use what it has.
    said: Option<Word>,
    /// The client's error code, for the timeline.
    code: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Accepted,
    Refused,
}

/// `POST /scenarios/{name}/asked`: the client was asked to use what it has, or has said what it
/// makes of it. Whatever it would send has come by then.
pub(super) async fn asked(
    State(provider): State<Shared>,
    Path(name): Path<String>,
    body: Body,
) -> Response {
    let Some(scenario) = scenario::find(&name) else { return unknown() };
    let reported: Reported = match read_optional(body).await {
        Ok(reported) => reported,
        Err(response) => return response,
    };
    let (said, step, detail) = match reported.said {
        None => (Said::Asked, StepName::ScenarioAsked, "the client was asked to use what it has"),
        Some(Word::Accepted) => {
            (Said::Accepted, StepName::ScenarioAccepted, "the client claims success")
        }
        Some(Word::Refused) => {
            (Said::Refused, StepName::ScenarioRefused, "the client says that it refused")
        }
    };
    if !provider.scenarios.book().report(&name, said) {
        let description = "no client has met this scenario yet";
        return refusal(StatusCode::CONFLICT, "not_told", description);
    }
    let mut step = Step::new(step, &scenario.spec, detail).note("scenario", name);
    if let Some(code) = reported.code {
        step = step.note("code", code.chars().take(64).collect::<String>());
    }
    provider.timeline.record(step);
    respond_json(StatusCode::OK, &judged(&provider, scenario))
}

/// `POST /scenarios/{name}/logout_token`: sends a logout token about each open stream of the
/// scenario's issuer, and to the servers of the apps that are in its sessions. The sessions go on: this is how to see who refuses it.
pub(super) async fn logout_token(
    State(provider): State<Shared>,
    Path(name): Path<String>,
) -> Response {
    if scenario::find(&name).is_none() {
        return unknown();
    }
    let (mut sent, mut servers) = (0, Vec::new());
    for provider in provider.scenarios.isolated(&name).into_iter().chain([provider]) {
        let is_told = |client_id: &str| provider.scenarios.tells(&name, client_id);
        let number = provider.scenarios.next_sign_out();
        for stream in provider.streams.list(|owner| is_told(&owner.client_id)) {
            let owner = &stream.owner;
            let (Some(client), Some(user)) =
                (provider.config.client(&owner.client_id), provider.people.user(&owner.user))
            else {
                continue;
            };
            let about = SignOut { sid: &owner.sid, number };
            let token = issue_logout_token(&provider, client, &user.sub, about).await;
            if let Ok(token) = token
                && provider.streams.send(stream.id, SseEvent::named("logout", token))
            {
                sent += 1;
            }
        }
        servers.extend(provider.store.sessions().into_iter().flat_map(|session| {
            let user = provider.people.user(&session.user);
            let told = session.joined.iter().filter(|(client_id, _)| is_told(client_id));
            let told = told.filter_map(|(client_id, sid)| {
                let client = provider.config.client(client_id)?;
                let about = SignOut { sid, number };
                back_channel::tell(&provider, client, &user.as_ref()?.sub, about)
            });
            told.collect::<Vec<_>>()
        }));
    }
    let count = servers.len();
    back_channel::wait_a_moment(servers).await;
    respond_json(StatusCode::OK, &json!({ "streams": sent, "servers": count }))
}

fn shown(provider: &Provider, scenario: &Scenario) -> Value {
    let switched: Vec<Value> = provider
        .scenarios
        .switches(&scenario.name)
        .into_iter()
        .map(|switch| json!({ "client_id": switch.client_id, "requests_left": switch.left }))
        .collect();
    json!({
        "name": scenario.name,
        "breaks": scenario.breaks,
        "rule": scenario.rule,
        "spec": scenario.spec,
        "outcome": scenario.outcome,
        "codes": scenario.codes,
        "reach": scenario.reach,
        "reason": scenario.reason,
        "faults": scenario.faults.len(),
        "issuer": format!("{}{}{}", provider.config.issuer(), scenario::isolated::PREFIX, scenario.name),
        "switched_on": switched,
    })
}

fn judged(provider: &Provider, scenario: &Scenario) -> Value {
    let judged = provider.scenarios.book().verdict(scenario);
    json!({
        "scenario": scenario.name,
        "verdict": judged.verdict.name(),
        "because": judged.because,
        "told": judged.told,
        "outcome": scenario.outcome,
        "as_expected": judged.verdict.fits(scenario.outcome),
    })
}

/// A JSON body, or none.
async fn read_optional<T: serde::de::DeserializeOwned + Default>(
    body: Body,
) -> Result<T, Response> {
    let bytes = crate::http::read_limited(body).await.map_err(crate::http::FormError::into_json)?;
    if bytes.is_empty() { Ok(T::default()) } else { read_json(Body::from(bytes)).await }
}

fn unknown() -> Response {
    refusal(StatusCode::NOT_FOUND, "no_such_scenario", "no scenario has this name")
}

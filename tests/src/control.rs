//! The provider's control API.

use anyhow::{Context, Result};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::timeline::Timeline;
use crate::wait::until;

/// A client of the control API of one stage.
#[derive(Clone, Debug)]
pub struct Control {
    origin: String,
    token: String,
    http: reqwest::Client,
}

impl Control {
    /// A client for the API at `origin`.
    #[must_use]
    pub fn new(origin: String, token: String, http: reqwest::Client) -> Self {
        Self { origin, token, http }
    }

    /// All steps so far.
    ///
    /// # Errors
    /// When the API does not answer.
    pub async fn timeline(&self) -> Result<Timeline> {
        self.timeline_after(0).await
    }

    /// The steps after a number.
    ///
    /// # Errors
    /// When the API does not answer.
    pub async fn timeline_after(&self, seq: u64) -> Result<Timeline> {
        let request = self.request(Method::GET, "/timeline").query(&[("after", seq)]);
        Ok(Timeline(serde_json::from_value(send(request).await?)?))
    }

    /// The number of the last step.
    ///
    /// # Errors
    /// When the API does not answer.
    pub async fn now(&self) -> Result<u64> {
        Ok(self.timeline().await?.0.last().map_or(0, |step| step.seq))
    }

    /// Waits until a step has happened so often since the provider's start.
    ///
    /// # Errors
    /// When it does not come; the timeline is in the error.
    pub async fn wait_for(&self, count: usize, wanted: &str) -> Result<Timeline> {
        let found = until(format!("step {wanted}, {count} times"), async || {
            let timeline = self.timeline().await?;
            Ok((timeline.count(wanted) >= count).then_some(timeline))
        });
        match found.await {
            Ok(timeline) => Ok(timeline),
            Err(error) => {
                let timeline = self.timeline().await.map(|found| found.to_string());
                Err(error.context(timeline.unwrap_or_else(|gone| format!("{gone:#}"))))
            }
        }
    }

    /// The single sign-on sessions.
    ///
    /// # Errors
    /// When the API does not answer with a list.
    pub async fn sessions(&self) -> Result<Vec<Value>> {
        let answer = send(self.request(Method::GET, "/sessions")).await?;
        let list = answer.get("sessions").unwrap_or(&answer).as_array();
        list.cloned().with_context(|| format!("sessions are no list: {answer}"))
    }

    /// Ends a session as an administrator does.
    ///
    /// # Errors
    /// When the API does not answer or knows no such session.
    pub async fn end_session(&self, id: &str) -> Result<()> {
        send(self.request(Method::DELETE, &format!("/sessions/{id}"))).await.map(drop)
    }

    /// Gives a session another level, of which its apps are told.
    ///
    /// # Errors
    /// When the API does not answer or knows no such session.
    pub async fn set_level(&self, id: &str, acr: &str) -> Result<()> {
        let body = json!({ "acr": acr });
        send(self.request(Method::POST, &format!("/sessions/{id}")).json(&body)).await.map(drop)
    }

    /// Puts a raw event on the open streams of a client.
    ///
    /// # Errors
    /// When the API does not answer.
    pub async fn put_event(&self, client_id: &str, event: &str, data: &str) -> Result<()> {
        let body = json!({ "client_id": client_id, "event": event, "data": data });
        send(self.request(Method::POST, "/events").json(&body)).await.map(drop)
    }

    /// All scenarios of the provider.
    ///
    /// # Errors
    /// When the API does not answer with a list.
    pub async fn scenarios(&self) -> Result<Vec<Value>> {
        let answer = send(self.request(Method::GET, "/scenarios")).await?;
        answer.as_array().cloned().with_context(|| format!("scenarios are no list: {answer}"))
    }

    /// Switches a scenario on at the provider itself, for one client.
    ///
    /// # Errors
    /// When the provider refuses.
    pub async fn tell_scenario(&self, name: &str, client_id: &str) -> Result<Value> {
        let request = self.request(Method::POST, &format!("/scenarios/{name}"));
        send(request.json(&json!({ "client_id": client_id }))).await
    }

    /// Forgets what came of a scenario.
    ///
    /// # Errors
    /// When the API does not answer.
    pub async fn forget_scenario(&self, name: &str) -> Result<()> {
        send(self.request(Method::DELETE, &format!("/scenarios/{name}"))).await.map(drop)
    }

    /// What the client made of a scenario.
    ///
    /// # Errors
    /// When the API does not answer.
    pub async fn verdict(&self, name: &str) -> Result<Value> {
        send(self.request(Method::GET, &format!("/scenarios/{name}/verdict"))).await
    }

    /// Reports that the client was asked to use what it has, and what it said.
    ///
    /// # Errors
    /// When the API does not answer, or the scenario was not met.
    pub async fn asked(&self, name: &str, report: &Value) -> Result<Value> {
        let request = self.request(Method::POST, &format!("/scenarios/{name}/asked"));
        send(request.json(report)).await
    }

    /// Sends a scenario's logout token; gives the number of streams and servers that it went to.
    ///
    /// # Errors
    /// When the API does not answer.
    pub async fn scenario_logout(&self, name: &str) -> Result<u64> {
        let request = self.request(Method::POST, &format!("/scenarios/{name}/logout_token"));
        let sent = send(request).await?;
        Ok(["streams", "servers"].iter().filter_map(|to| sent[*to].as_u64()).sum())
    }

    /// Changes an account.
    ///
    /// # Errors
    /// When the API does not answer, or refuses.
    pub async fn change_user(&self, name: &str, change: &Value) -> Result<()> {
        send(self.request(Method::POST, &format!("/users/{name}")).json(change)).await.map(drop)
    }

    /// Moves the provider's clock forward.
    ///
    /// # Errors
    /// When the API does not answer.
    pub async fn advance_clock(&self, seconds: i64) -> Result<()> {
        let body = json!({ "advance": seconds });
        send(self.request(Method::POST, "/clock").json(&body)).await.map(drop)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.origin)).bearer_auth(&self.token)
    }
}

/// Sends and reads JSON; an empty answer is `null`.
async fn send(request: RequestBuilder) -> Result<Value> {
    let response = request.send().await.context("the control API does not answer")?;
    let (status, text) = (response.status(), response.text().await?);
    anyhow::ensure!(status.is_success(), "the control API answered {status}: {text}");
    if text.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&text).with_context(|| format!("the control API sent no JSON: {text}"))
}

//! What went over the network, as the browser logged it.

use serde_json::Value;
use std::collections::BTreeMap;

/// A request that left the browser.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The tab that sent it, by its target.
    pub target: String,
    /// Its method.
    pub method: String,
    /// Its whole address.
    pub url: String,
    /// The page it came from, if it came from one.
    pub document: String,
    /// What asked for it: `Document`, `Fetch`, `Script` and so on.
    pub kind: String,
    /// The headers as sent, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The headers of the answer, names in lower case; several values are separated by newlines.
    pub answer: BTreeMap<String, String>,
    /// The answer's status, or zero if there was none.
    pub status: u64,
}

impl Request {
    /// The address without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.url.split(['?', '#']).next().unwrap_or_default()
    }

    /// The address's host, without port.
    #[must_use]
    pub fn host(&self) -> &str {
        let after = self.url.split_once("://").map_or("", |(_, rest)| rest);
        after.split(['/', ':', '?', '#']).next().unwrap_or_default()
    }

    /// The token that was sent as `Authorization: Bearer`.
    #[must_use]
    pub fn bearer(&self) -> Option<&str> {
        self.headers.get("authorization")?.strip_prefix("Bearer ")
    }
}

/// Builds requests from the events of the performance log.
///
/// A redirect repeats the request's id, so an id may stand for several requests in a row. The
/// events with the cookies ("extra info") come before or after the ones they complete.
#[derive(Debug, Default)]
pub struct Network {
    requests: Vec<Request>,
    /// The place of each id's requests.
    places: BTreeMap<String, Vec<usize>>,
    /// For each id, how many requests have their extra info already, and those that came early.
    sent: BTreeMap<String, Extras>,
    answered: BTreeMap<String, Extras>,
}

#[derive(Debug, Default)]
struct Extras {
    used: usize,
    early: Vec<BTreeMap<String, String>>,
}

impl Network {
    /// All requests so far, in order.
    #[must_use]
    pub fn requests(&self) -> &[Request] {
        &self.requests
    }

    /// Takes one entry of the log.
    pub fn take(&mut self, message: &str) {
        let Ok(entry) = serde_json::from_str::<Value>(message) else { return };
        let target = text(&entry, "/webview");
        let Some(event) = entry.get("message") else { return };
        let id = text(event, "/params/requestId");
        match text(event, "/method").as_str() {
            "Network.requestWillBeSent" => self.sent(id, target, event),
            "Network.requestWillBeSentExtraInfo" => {
                let headers = headers(event.pointer("/params/headers"));
                let extras = self.sent.entry(id.clone()).or_default();
                extras.early.push(headers);
                self.settle(&id);
            }
            "Network.responseReceived" => {
                if let Some(request) = self.last(&id) {
                    request.status = status(event, "/params/response/status");
                    for (name, value) in headers(event.pointer("/params/response/headers")) {
                        request.answer.entry(name).or_insert(value);
                    }
                }
            }
            "Network.responseReceivedExtraInfo" => {
                let headers = headers(event.pointer("/params/headers"));
                let extras = self.answered.entry(id.clone()).or_default();
                extras.early.push(headers);
                self.settle(&id);
            }
            _ => {}
        }
    }

    fn sent(&mut self, id: String, target: String, event: &Value) {
        if let Some(previous) = event.pointer("/params/redirectResponse")
            && let Some(request) = self.last(&id)
        {
            request.status = status(previous, "/status");
            for (name, value) in headers(previous.get("headers")) {
                request.answer.entry(name).or_insert(value);
            }
        }
        self.places.entry(id.clone()).or_default().push(self.requests.len());
        self.requests.push(Request {
            target,
            method: text(event, "/params/request/method"),
            url: format!(
                "{}{}",
                text(event, "/params/request/url"),
                text(event, "/params/request/urlFragment")
            ),
            document: text(event, "/params/documentURL"),
            kind: text(event, "/params/type"),
            headers: headers(event.pointer("/params/request/headers")),
            ..Request::default()
        });
        self.settle(&id);
    }

    /// Gives extra infos to the requests they belong to, in order.
    fn settle(&mut self, id: &str) {
        let places = self.places.get(id).map(Vec::as_slice).unwrap_or_default();
        for (extras, is_answer) in [(&mut self.sent, false), (&mut self.answered, true)] {
            let Some(extras) = extras.get_mut(id) else { continue };
            while extras.used < places.len() && extras.used < extras.early.len() {
                let found = extras.early.get(extras.used).cloned().unwrap_or_default();
                let place = places.get(extras.used).copied().unwrap_or_default();
                if let Some(request) = self.requests.get_mut(place) {
                    // What really went over the wire takes the place of what the page had planned:
                    // the plan shows a Referer that a policy then keeps back.
                    let into = if is_answer { &mut request.answer } else { &mut request.headers };
                    *into = found;
                }
                extras.used += 1;
            }
        }
    }

    fn last(&mut self, id: &str) -> Option<&mut Request> {
        let place = *self.places.get(id)?.last()?;
        self.requests.get_mut(place)
    }
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn status(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
}

fn headers(value: Option<&Value>) -> BTreeMap<String, String> {
    let members = value.and_then(Value::as_object).into_iter().flatten();
    members
        .map(|(name, value)| (name.to_lowercase(), value.as_str().unwrap_or_default().to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entry(method: &str, params: &Value) -> String {
        json!({ "webview": "T", "message": { "method": method, "params": params } }).to_string()
    }

    fn sent(id: &str, url: &str, redirect: Option<u64>) -> String {
        let mut params = json!({
            "requestId": id, "type": "Document", "documentURL": "",
            "request": { "method": "GET", "url": url, "headers": { "Accept": "x" } },
        });
        if let Some(status) = redirect {
            params["redirectResponse"] = json!({ "status": status, "headers": {} });
        }
        entry("Network.requestWillBeSent", &params)
    }

    fn extra(id: &str, cookie: &str) -> String {
        let params = json!({ "requestId": id, "headers": { "Cookie": cookie } });
        entry("Network.requestWillBeSentExtraInfo", &params)
    }

    #[test]
    fn gives_each_redirect_its_own_cookies() {
        let mut network = Network::default();
        network.take(&extra("1", "a=1"));
        network.take(&sent("1", "http://a.localhost:1/x?y", None));
        network.take(&sent("1", "http://b.localhost:1/", Some(303)));
        network.take(&extra("1", "b=1"));
        let cookies: Vec<_> =
            network.requests().iter().map(|r| r.headers["cookie"].as_str()).collect();
        assert_eq!(cookies, ["a=1", "b=1"]);
        assert_eq!(network.requests()[0].status, 303);
        assert_eq!(network.requests()[0].host(), "a.localhost");
        assert_eq!(network.requests()[0].path(), "http://a.localhost:1/x");
    }
}

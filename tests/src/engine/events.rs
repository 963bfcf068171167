//! What happens in a browser, as WebDriver BiDi tells it while it happens.

use anyhow::{Context, Result};
use futures_util::StreamExt;
use serde_json::Value;
use std::collections::BTreeMap;
use thirtyfour::WebDriver;
use thirtyfour::bidi::BiDi;
use tokio::sync::{mpsc, oneshot};

use super::Logged;
use crate::network::Request;

/// The events of one browser, gathered for as long as it runs.
#[derive(Debug)]
pub(crate) struct Events {
    bidi: BiDi,
    questions: mpsc::Sender<oneshot::Sender<Logged>>,
}

impl Events {
    /// Listens from now on.
    pub(super) async fn listen(driver: &WebDriver) -> Result<Self> {
        let bidi = driver.bidi().await?;
        let mut events = bidi.subscribe_raw();
        bidi.session().subscribe_many(WANTED.map(str::to_owned)).await?;
        let (questions, mut asked) = mpsc::channel::<oneshot::Sender<Logged>>(1);
        tokio::spawn(async move {
            let mut gathered = Gathered::default();
            loop {
                tokio::select! {
                    // Events first: an answer has all those that came before its question.
                    biased;
                    event = events.next() => match event {
                        Some(event) => gathered.take(&event.method, &event.params),
                        None => return,
                    },
                    question = asked.recv() => match question {
                        // Whoever asked may have gone away.
                        Some(answer) => drop(answer.send(gathered.logged.clone())),
                        None => return,
                    },
                }
            }
        });
        Ok(Self { bidi, questions })
    }

    /// All that has happened so far.
    pub(super) async fn read(&self) -> Result<Logged> {
        // The browser sends its events in order with its answers: after this one, all that it had
        // to tell before have come.
        self.bidi.session().status().await?;
        let (answer, answered) = oneshot::channel();
        self.questions.send(answer).await.context("nobody gathers events any more")?;
        answered.await.context("nobody gathers events any more")
    }
}

/// The events that are gathered.
const WANTED: [&str; 5] = [
    "browsingContext.contextCreated",
    "network.beforeRequestSent",
    "network.responseStarted",
    "network.responseCompleted",
    "log.entryAdded",
];

/// Builds the log from events.
#[derive(Debug, Default)]
struct Gathered {
    logged: Logged,
    /// The place of each request, by its id and how often it was redirected.
    places: BTreeMap<(String, u64), usize>,
    /// Each tab and each frame in one.
    frames: BTreeMap<String, Frame>,
}

/// A tab or a frame.
#[derive(Debug, Default)]
struct Frame {
    parent: Option<String>,
    /// The address of its document.
    url: String,
}

impl Gathered {
    fn take(&mut self, method: &str, event: &Value) {
        match method {
            "browsingContext.contextCreated" => {
                let parent = event["parent"].as_str().map(str::to_owned);
                let created = Frame { parent, url: text(&event["url"]) };
                self.frames.insert(text(&event["context"]), created);
            }
            "network.beforeRequestSent" => self.sent(event),
            "network.responseStarted" | "network.responseCompleted" => self.answered(event),
            "log.entryAdded" => self.logged.console.push(text(&event["text"])),
            _ => {}
        }
    }

    fn sent(&mut self, event: &Value) {
        let request = &event["request"];
        let context = text(&event["context"]);
        let url = text(&request["url"]);
        let is_navigation = event["navigation"].is_string();
        let document = match self.frames.get(&context) {
            Some(from) if !is_navigation => from.url.clone(),
            _ => url.clone(),
        };
        self.places.insert(key(event), self.logged.requests.len());
        self.logged.requests.push(Request {
            target: self.tab_of(context),
            method: text(&request["method"]),
            url,
            document,
            kind: kind(request, is_navigation),
            headers: sent_headers(request),
            ..Request::default()
        });
    }

    fn answered(&mut self, event: &Value) {
        let response = &event["response"];
        let status = response["status"].as_u64().unwrap_or_default();
        if event["navigation"].is_string() && !(300..400).contains(&status) {
            let context = self.frames.entry(text(&event["context"])).or_default();
            context.url = text(&event["request"]["url"]);
        }
        let place = self.places.get(&key(event)).copied();
        let found = place.and_then(|place| self.logged.requests.get_mut(place));
        if let Some(request) = found {
            request.status = status;
            // What went over the wire: before it was sent, the browser had not added everything.
            request.headers = sent_headers(&event["request"]);
            request.answer = headers(&response["headers"]);
        }
    }

    /// The tab that a frame belongs to.
    fn tab_of(&self, mut context: String) -> String {
        while let Some(parent) = self.frames.get(&context).and_then(|one| one.parent.clone()) {
            context = parent;
        }
        context
    }
}

fn key(event: &Value) -> (String, u64) {
    (text(&event["request"]["request"]), event["redirectCount"].as_u64().unwrap_or_default())
}

/// What asked for a request, in the words of the DevTools protocol.
fn kind(request: &Value, is_navigation: bool) -> String {
    let destination = request["destination"].as_str().unwrap_or_default();
    let word = match destination {
        _ if is_navigation => "Document",
        // A page cannot send this method by itself across origins: the browser asks before it does.
        _ if request["method"] == "OPTIONS" => "Preflight",
        "document" | "iframe" | "frame" => "Document",
        "script" | "worker" | "sharedworker" => "Script",
        "style" => "Stylesheet",
        "image" => "Image",
        "font" => "Font",
        "" => "Fetch",
        _ => "Other",
    };
    word.to_owned()
}

fn sent_headers(request: &Value) -> BTreeMap<String, String> {
    let mut headers = headers(&request["headers"]);
    let cookies = request["cookies"].as_array().into_iter().flatten();
    let pairs: Vec<_> = cookies
        .map(|cookie| format!("{}={}", text(&cookie["name"]), text(&cookie["value"]["value"])))
        .collect();
    if !pairs.is_empty() {
        headers.entry("cookie".to_owned()).or_insert_with(|| pairs.join("; "));
    }
    headers
}

/// Names in lower case; several values of one name are separated by newlines.
fn headers(list: &Value) -> BTreeMap<String, String> {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for header in list.as_array().into_iter().flatten() {
        let value = text(&header["value"]["value"]);
        headers
            .entry(text(&header["name"]).to_lowercase())
            .and_modify(|known| {
                known.push('\n');
                known.push_str(&value);
            })
            .or_insert(value);
    }
    headers
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request(url: &str, redirects: u64, navigation: Option<&str>, cookie: &str) -> Value {
        let string = |text: &str| json!({ "type": "string", "value": text });
        json!({
            "context": "frame", "navigation": navigation, "redirectCount": redirects,
            "request": {
                "request": "1", "method": "GET", "url": url, "destination": "",
                "headers": [{ "name": "Accept", "value": string("x") }],
                "cookies": [{ "name": "a", "value": string(cookie) }],
            },
            "response": {
                "status": if redirects == 0 { 303 } else { 200 },
                "headers": [
                    { "name": "Set-Cookie", "value": string("a=1") },
                    { "name": "Set-Cookie", "value": string("b=2") },
                ],
            },
        })
    }

    #[test]
    fn gives_each_redirect_its_own_cookies_and_answer() {
        let mut gathered = Gathered::default();
        for (context, parent) in [("tab", Value::Null), ("frame", json!("tab"))] {
            let created = json!({ "context": context, "parent": parent, "url": "about:blank" });
            gathered.take("browsingContext.contextCreated", &created);
        }
        for (redirects, cookie) in [(0, "1"), (1, "2")] {
            let event = request("http://a.localhost:1/x?y", redirects, Some("n"), cookie);
            gathered.take("network.beforeRequestSent", &event);
            gathered.take("network.responseCompleted", &event);
        }
        let [first, second] = gathered.logged.requests.as_slice() else {
            panic!("{:?}", gathered.logged.requests)
        };
        assert_eq!((first.status, second.status), (303, 200));
        assert_eq!((&*first.headers["cookie"], &*second.headers["cookie"]), ("a=1", "a=2"));
        assert_eq!(first.answer["set-cookie"], "a=1\nb=2");
        assert_eq!((&*first.target, &*first.kind), ("tab", "Document"));
    }

    #[test]
    fn tells_a_preflight_from_what_a_page_asks() {
        let mut gathered = Gathered::default();
        let mut asked = request("http://b.localhost:1/", 0, None, "1");
        gathered.take("network.beforeRequestSent", &asked);
        asked["request"]["method"] = json!("OPTIONS");
        gathered.take("network.beforeRequestSent", &asked);
        let kinds: Vec<_> = gathered.logged.requests.iter().map(|one| &*one.kind).collect();
        assert_eq!(kinds, ["Fetch", "Preflight"]);
    }

    #[test]
    fn knows_the_page_that_a_request_came_from() {
        let mut gathered = Gathered::default();
        let page = request("http://a.localhost:1/", 1, Some("n"), "1");
        gathered.take("network.beforeRequestSent", &page);
        gathered.take("network.responseStarted", &page);
        gathered.take("network.beforeRequestSent", &request("http://b.localhost:1/", 0, None, "1"));
        let fetched = &gathered.logged.requests[1];
        assert_eq!((&*fetched.document, &*fetched.kind), ("http://a.localhost:1/", "Fetch"));
    }
}

//! Responses.

use serde_json::Value;

use super::PIPER;

/// A response, read to its end.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    pub(super) async fn read(response: reqwest::Response) -> Self {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = response.text().await.unwrap();
        Self { status, headers, body }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        let values = self.headers.get_all(name).iter();
        values.map(|value| value.to_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn location(&self) -> String {
        self.header("location").to_owned()
    }

    /// A query parameter of the location.
    pub(crate) fn param(&self, name: &str) -> Option<String> {
        let location = url::Url::parse(&self.location()).ok()?;
        location.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned())
    }

    /// A parameter in the fragment of the location.
    pub(crate) fn fragment_param(&self, name: &str) -> Option<String> {
        let location = url::Url::parse(&self.location()).ok()?;
        let mut pairs = url::form_urlencoded::parse(location.fragment()?.as_bytes());
        pairs.find(|(n, _)| n == name).map(|(_, v)| v.into_owned())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    pub(crate) fn ok_json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.json()
    }

    /// The error code of a JSON error response.
    pub(crate) fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }

    /// The value of a hidden field.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let at = self.body.find(&mark).unwrap_or_else(|| panic!("no field {name}: {}", self.body));
        self.body[at + mark.len()..].split('"').next().unwrap().to_owned()
    }

    /// What stands in the username field of a sign-in page.
    pub(crate) fn username_field(&self) -> String {
        let mark = "name=\"username\" type=\"text\" required value=\"";
        let at = self.body.find(mark).unwrap_or_else(|| panic!("no username: {}", self.body));
        self.body[at + mark.len()..].split('"').next().unwrap().to_owned()
    }

    /// Is there an element with that test id?
    pub(crate) fn shows(&self, test_id: &str) -> bool {
        self.body.contains(&format!("data-testid=\"{test_id}\""))
    }

    /// The `href` of the element with that test id.
    pub(crate) fn href(&self, test_id: &str) -> String {
        let mark = format!("data-testid=\"{test_id}\"");
        let at = self.body.find(&mark).unwrap_or_else(|| panic!("no {test_id}: {}", self.body));
        let from = self.body[..at].rfind("href=\"").unwrap() + 6;
        self.body[from..].split('"').next().unwrap().replace("&amp;", "&")
    }

    /// An error page: no redirect, a test id, the status of a bad request.
    pub(crate) fn assert_error_page(&self, why: &str) {
        assert_eq!(self.status, 400, "{why}: {} {}", self.location(), self.body);
        assert!(!self.has("location"), "{why}");
        assert!(self.shows("error"), "{why}");
    }

    /// An error response by redirect, with `state` and `iss`.
    pub(crate) fn assert_error_redirect(&self, error: &str, issuer: &str, why: &str) {
        assert_eq!(self.status, 303, "{why}: {}", self.body);
        assert!(self.location().starts_with(PIPER), "{why}: {}", self.location());
        assert_eq!(self.param("error").as_deref(), Some(error), "{why}");
        assert_eq!(self.param("state").as_deref(), Some("the-state"), "{why}");
        assert_eq!(self.param("iss").as_deref(), Some(issuer), "{why}");
        assert_eq!(self.param("code"), None, "{why}");
    }
}

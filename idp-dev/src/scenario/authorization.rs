//! What is done to the parameters that a browser brings back to an app.

use url::Url;
use url::form_urlencoded;

use super::fault::ParamsFault;
use crate::config::{Client, RedirectUri};
use crate::provider::Provider;

/// An address with an answer for an app, taken apart.
pub(super) struct Answered<'a> {
    pub(super) client: &'a Client,
    before: String,
    mark: char,
    pub(super) params: Vec<(String, String)>,
}

impl<'a> Answered<'a> {
    /// Reads `location`, if it leads to one of the addresses that `of` names.
    pub(super) fn read(
        provider: &'a Provider,
        location: &str,
        of: impl Fn(&Client) -> &[RedirectUri],
    ) -> Option<Self> {
        let mark = if location.contains('#') { '#' } else { '?' };
        let (before, params) = location.split_once(mark)?;
        let client = provider.config.clients.iter().find(|client| {
            of(client)
                .iter()
                .any(|uri| uri.without_query() == before.split('?').next().unwrap_or_default())
        })?;
        let params = form_urlencoded::parse(params.as_bytes()).into_owned().collect();
        Some(Self { client, before: before.to_owned(), mark, params })
    }

    /// The value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The address with the changes.
    pub(super) fn treated(mut self, fault: &ParamsFault, fill: impl Fn(&str) -> String) -> String {
        for (name, value) in &fault.set {
            let value = fill(value);
            match self.params.iter_mut().find(|(own, _)| own == name) {
                Some((_, old)) => *old = value,
                None => self.params.push((name.clone(), value)),
            }
        }
        self.params.retain(|(name, _)| !fault.remove.contains(name));
        self.params.extend(fault.again.iter().map(|(name, value)| (name.clone(), fill(value))));
        let Self { before, mark, params, .. } = self;
        let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
        format!("{before}{mark}{text}")
    }
}

/// The address of an answer at once to a request with this query: to a registered address only, as
/// this provider would be everybody's open door otherwise.
pub(super) fn at_once(provider: &Provider, query: &str) -> Option<String> {
    let get = |name: &str| {
        form_urlencoded::parse(query.as_bytes()).find(|(own, _)| own == name).map(|(_, v)| v)
    };
    let client = provider.config.client(&get("client_id")?)?;
    let redirect_uri = get("redirect_uri")?;
    let uri = client.redirect_uris.iter().find(|uri| uri.as_str() == redirect_uri)?;
    let mut url = Url::parse(uri.as_str()).ok()?;
    if let Some(state) = get("state") {
        url.query_pairs_mut().append_pair("state", &state);
    }
    url.query_pairs_mut().append_pair("iss", provider.config.issuer());
    Some(url.into())
}

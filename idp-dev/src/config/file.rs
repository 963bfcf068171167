//! The TOML file, read and checked as a whole.

use std::sync::Arc;

use toml::Spanned;

use super::place::Place;
use super::shape::{File, FileScenario};
use super::{Client, Config, ConfigError, Origin, PORT_PLACEHOLDER, ResourceServer, User};
use crate::clock::Seconds;
use crate::scenario::{self, Switch};

pub(super) fn parse(name: &str, text: &str) -> Result<Config, ConfigError> {
    let place = Place { name, text };
    let file: File = toml::from_str(text).map_err(|error| place.syntax(&error))?;
    let issuer = place.issuer(&file.issuer)?;
    let observers =
        file.observers.iter().map(|origin| place.origin(origin)).collect::<Result<_, _>>()?;
    let idle_lifetime = place.lifetime(&file.idle_lifetime)?;
    let absolute_lifetime = place.lifetime(&file.absolute_lifetime)?;
    if absolute_lifetime < idle_lifetime {
        // The default has no line of its own.
        let said = if file.absolute_lifetime.span().is_empty() {
            &file.idle_lifetime
        } else {
            &file.absolute_lifetime
        };
        let found = format!("{idle_lifetime} and {absolute_lifetime}");
        let expected = "an idle_lifetime that is not longer than absolute_lifetime";
        return Err(place.value(said.span(), expected, &found));
    }
    let mut users: Vec<Arc<User>> = Vec::new();
    for user in &file.users {
        let user = place.user(user.get_ref(), &users)?;
        users.push(Arc::new(user));
    }
    let mut clients: Vec<Arc<Client>> = Vec::new();
    for client in &file.clients {
        let client = place.client(client.get_ref(), &file, &users, &clients)?;
        clients.push(Arc::new(client));
    }
    let mut resource_servers: Vec<ResourceServer> = Vec::new();
    for server in &file.resource_servers {
        let server = place.resource_server(server, &issuer, &resource_servers)?;
        resource_servers.push(server);
    }
    let scenarios = file
        .scenarios
        .iter()
        .map(|scenario| place.scenario(scenario, &clients))
        .collect::<Result<_, _>>()?;
    let logout_scope = place.logout_scope(&file)?;
    let limits = place.limits(&file.limits)?;
    Ok(Config {
        issuer,
        logout_scope,
        limits,
        has_session_events: file.session_events,
        speaks_http2: file.http2,
        delivers_anywhere: file.dangerously_deliver_anywhere,
        observers,
        idle_lifetime,
        absolute_lifetime,
        refresh_token_grace: place.grace(file.refresh_token_grace.as_ref())?,
        lists_demo_accounts: file.demo_accounts,
        users,
        clients,
        resource_servers,
        scenarios,
    })
}
impl Place<'_> {
    /// Discovery 3 and 4.1: a URL without query and fragment; no trailing slash, because clients
    /// compare the issuer byte for byte and put paths behind it.
    fn issuer(&self, issuer: &Spanned<String>) -> Result<String, ConfigError> {
        const EXPECTED: &str = "an http or https URL without path, query and fragment, such as http://idp.localhost:{port}";
        let text = issuer.get_ref();
        let filled = text.replace(PORT_PLACEHOLDER, "65535");
        match Origin::parse(&filled) {
            Ok(_) => Ok(text.clone()),
            Err(_) => Err(self.value(issuer.span(), EXPECTED, text)),
        }
    }

    fn origin(&self, origin: &Spanned<String>) -> Result<Origin, ConfigError> {
        Origin::parse(origin.get_ref())
            .map_err(|expected| self.value(origin.span(), expected, origin.get_ref()))
    }

    pub(super) fn lifetime(&self, seconds: &Spanned<i64>) -> Result<Seconds, ConfigError> {
        const TEN_YEARS: u32 = 10 * 366 * 24 * 60 * 60;
        match u32::try_from(*seconds.get_ref()) {
            Ok(count) if (1..=TEN_YEARS).contains(&count) => Ok(Seconds(count)),
            _ => Err(self.value(
                seconds.span(),
                "a number of seconds from 1 to ten years",
                &seconds.get_ref().to_string(),
            )),
        }
    }

    /// None by default: who presents a past refresh token has a copy.
    fn grace(&self, seconds: Option<&Spanned<i64>>) -> Result<Seconds, ConfigError> {
        const AN_HOUR: u32 = 60 * 60;
        let Some(seconds) = seconds else { return Ok(Seconds(0)) };
        match u32::try_from(*seconds.get_ref()) {
            Ok(count) if count <= AN_HOUR => Ok(Seconds(count)),
            _ => Err(self.value(
                seconds.span(),
                "a number of seconds from 0 to an hour",
                &seconds.get_ref().to_string(),
            )),
        }
    }

    fn scenario(
        &self,
        scenario: &FileScenario,
        clients: &[Arc<Client>],
    ) -> Result<Switch, ConfigError> {
        let name = scenario.name.get_ref();
        let Some(found) = scenario::find(name) else {
            let expected = "a name that `idp-dev scenarios` lists";
            return Err(self.value(scenario.name.span(), expected, name));
        };
        if let Some(client) = &scenario.client
            && !clients.iter().any(|known| known.id == *client.get_ref())
        {
            let expected = "the id of a client in this file";
            return Err(self.value(client.span(), expected, client.get_ref()));
        }
        if let Some(requests) = &scenario.requests
            && *requests.get_ref() == 0
        {
            return Err(self.value(requests.span(), "1 or more", "0"));
        }
        if let Some(requests) = &scenario.requests
            && !found.is_countable()
        {
            let expected = "no number of requests for a scenario that needs several answers";
            let found = requests.get_ref().to_string();
            return Err(self.value(requests.span(), expected, &found));
        }
        Ok(Switch {
            scenario: found,
            client_id: scenario.client.as_ref().map(|client| client.get_ref().clone()),
            left: scenario.requests.as_ref().map(|requests| *requests.get_ref()),
        })
    }

    /// Usernames and client ids: visible ASCII, so that they survive headers and logs.
    pub(super) fn plain_word(&self, word: &Spanned<String>, what: &str) -> Result<(), ConfigError> {
        let text = word.get_ref();
        let fits = (1..=100).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if fits {
            Ok(())
        } else {
            let expected = format!("{what} of 1 to 100 visible ASCII characters");
            Err(self.value(word.span(), &expected, text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl Fn(&str) -> String) -> ConfigError {
        parse("idp.toml", &change(Config::EXAMPLE)).unwrap_err()
    }

    /// As the example's resource server has them.
    const API_AUDIENCES: &str = "audiences = [\"http://api.localhost:8085\"]\nsecret";

    #[test]
    fn op20_never_prints_the_secret_of_a_resource_server() {
        for line in ["secret = 73911", "sercet = \"73911\"\nsecret = 1"] {
            let error = refused(|text| text.replacen("secret = \"demo-api-secret\"", line, 1));
            assert!(!error.to_string().contains("demo-api-secret"), "{error}");
        }
        let error =
            refused(|text| text.replacen("secret = \"demo-api-secret\"", "secret = 73911", 1));
        assert!(!error.to_string().contains("73911"), "{error}");
        let config = parse("idp.toml", Config::EXAMPLE).unwrap();
        assert!(!format!("{config:?}").contains("demo-api-secret"));
    }

    #[test]
    fn resource_servers_have_different_ids() {
        let again =
            "[[resource_servers]]\nid = \"demo-api\"\naudiences = [\"x\"]\nsecret = \"y\"\n";
        let error = refused(|text| format!("{text}\n{again}"));
        assert_eq!((error.code, &*error.found), ("config_value", "`demo-api`"));
    }

    #[test]
    fn example_is_good_and_has_the_demo_in_it() {
        let config = parse("idp.toml", Config::EXAMPLE).unwrap().with_port(8083);
        assert_eq!(config.issuer(), "http://idp.localhost:8083");
        assert!(config.client("pied-piper").unwrap().admits("dinesh"));
        assert!(!config.client("hooli").unwrap().admits("dinesh"));
        assert!(config.user("richard").unwrap().is_named("RICHARD@piedpiper.example"));
    }

    #[test]
    fn names_line_expectation_and_finding() {
        let error = refused(|text| format!("colour = \"red\"\n{text}"));
        assert_eq!((error.code, error.line), ("config_syntax", 1));
        assert!(error.expected.contains("colour"), "{error}");
        assert!(error.found.contains("red"), "{error}");

        let bad = "http://hooli.localhost:8082/#x";
        let error = refused(|text| text.replacen("http://hooli.localhost:8082/", bad, 1));
        assert_eq!(error.code, "config_value");
        assert!(error.found.contains(bad), "{error}");
        let line = Config::EXAMPLE.lines().position(|l| l.contains("http://hooli.localhost:8082/"));
        assert_eq!(Some(error.line - 1), line);
    }

    #[test]
    fn refuses_values_that_cannot_work() {
        for (good, bad) in [
            ("http://idp.localhost:{port}", "http://idp.localhost:{port}/"),
            ("http://idp.localhost:{port}", "idp.localhost"),
            ("idle_lifetime = 1800", "idle_lifetime = 0"),
            ("idle_lifetime = 1800", "idle_lifetime = -5"),
            ("idle_lifetime = 1800", "idle_lifetime = 99999999"),
            ("idle_lifetime = 1800", "idle_lifetime = \"1800\""),
            ("\"gavin\"]", "\"nobody\"]"),
            ("id = \"hooli\"", "id = \"pied-piper\""),
            ("username = \"gavin\"", "username = \"richard\""),
            ("gavin@hooli.example", "Richard@PiedPiper.example"),
            ("gavin@hooli.example", "gavin"),
            ("id = \"demo-api\"", "id = \"demo api\""),
            ("secret = \"demo-api-secret\"", "secret = \"\""),
            (API_AUDIENCES, "audiences = []\nsecret"),
            (API_AUDIENCES, "audiences = [\"http://idp.localhost:{port}\"]\nsecret"),
            (API_AUDIENCES, "audiences = [\"\"]\nsecret"),
            ("Gavin Belson", " "),
            (
                "password = \"password\"",
                "password = \"$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$AAAA\"",
            ),
            ("http://localhost:8080", "http://localhost:8080/"),
        ] {
            assert!(Config::EXAMPLE.contains(good), "{good}");
            let error = refused(|text| text.replacen(good, bad, 1));
            assert!(error.line > 1, "{bad}: {error}");
        }
    }

    #[test]
    fn op20_never_prints_a_password() {
        let error =
            refused(|text| text.replacen("password = \"password\"", "password = hunter2", 1));
        assert!(!error.to_string().contains("hunter2"), "{error}");
        for line in ["password = 73911", "passwort = \"73911\"", "PassWord = \"73911\""] {
            let error = refused(|text| text.replacen("password = \"password\"", line, 1));
            assert!(!error.to_string().contains("73911"), "{error}");
        }
    }

    #[test]
    fn default_is_not_blamed_for_a_line_that_is_there() {
        let text = "issuer = \"http://idp.localhost\"\nidle_lifetime = 40000\n";
        let error = parse("idp.toml", text).unwrap_err();
        assert_eq!((error.line, &*error.found), (2, "`40000 and 28800`"));
    }

    #[test]
    fn dates_in_claims_become_text() {
        let config = parse(
            "idp.toml",
            &Config::EXAMPLE.replacen(
                "claims = {",
                "claims = { birthdate = 1970-01-31, more = [{ at = 10:20:30 }],",
                1,
            ),
        )
        .unwrap();
        let claims = &config.user("richard").unwrap().claims;
        assert_eq!(claims["birthdate"], "1970-01-31");
        assert_eq!(claims["more"], serde_json::json!([{ "at": "10:20:30" }]));
    }
}

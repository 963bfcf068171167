//! The TOML file: its shape, and the checks that a shape cannot express.

use std::sync::Arc;

use argon2::PasswordHash;
use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use super::place::Place;
use super::{
    Client, Config, ConfigError, Origin, PORT_PLACEHOLDER, Password, RedirectUri, ResourceServer,
    User, default_sub,
};
use crate::clock::Seconds;
use crate::keys::SigningAlg;
use crate::scenario::{self, Switch};
use crate::secret::Secret;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    issuer: Spanned<String>,
    #[serde(default)]
    observers: Vec<Spanned<String>>,
    #[serde(default = "default_idle_lifetime")]
    idle_lifetime: Spanned<i64>,
    #[serde(default = "default_absolute_lifetime")]
    absolute_lifetime: Spanned<i64>,
    #[serde(default = "default_token_lifetime")]
    access_token_lifetime: Spanned<i64>,
    #[serde(default = "default_token_lifetime")]
    id_token_lifetime: Spanned<i64>,
    #[serde(default = "default_absolute_lifetime")]
    refresh_token_lifetime: Spanned<i64>,
    #[serde(default)]
    demo_accounts: bool,
    #[serde(default)]
    users: Vec<Spanned<FileUser>>,
    #[serde(default)]
    clients: Vec<Spanned<FileClient>>,
    #[serde(default)]
    resource_servers: Vec<FileResourceServer>,
    #[serde(default)]
    scenarios: Vec<FileScenario>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileUser {
    username: Spanned<String>,
    name: Spanned<String>,
    email: Spanned<String>,
    password: Spanned<String>,
    sub: Option<Spanned<String>>,
    #[serde(default)]
    claims: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileClient {
    id: Spanned<String>,
    name: Spanned<String>,
    redirect_uris: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    post_logout_redirect_uris: Vec<Spanned<String>>,
    #[serde(default)]
    audiences: Vec<String>,
    users: Option<Vec<Spanned<String>>>,
    id_token_signed_response_alg: Option<Spanned<String>>,
    access_token_lifetime: Option<Spanned<i64>>,
    id_token_lifetime: Option<Spanned<i64>>,
    refresh_token_lifetime: Option<Spanned<i64>>,
    #[serde(default = "yes")]
    sso: bool,
    #[serde(default)]
    offline_access: bool,
    #[serde(default = "yes")]
    id_token_claims: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileResourceServer {
    id: Spanned<String>,
    audiences: Spanned<Vec<Spanned<String>>>,
    secret: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileScenario {
    name: Spanned<String>,
    client: Option<Spanned<String>>,
    requests: Option<Spanned<u64>>,
}

fn default_idle_lifetime() -> Spanned<i64> {
    Spanned::new(0..0, 30 * 60)
}

fn default_absolute_lifetime() -> Spanned<i64> {
    Spanned::new(0..0, 8 * 60 * 60)
}

fn default_token_lifetime() -> Spanned<i64> {
    Spanned::new(0..0, 5 * 60)
}

/// The toml crate hands dates to other formats as an object with one private key; a claim such as
/// `birthdate` (OIDC Core 5.1) is a string.
fn plain_dates(value: Value) -> Value {
    match value {
        Value::Object(mut object) => match object.remove("$__toml_private_datetime") {
            Some(date) => date,
            None => object.into_iter().map(|(k, v)| (k, plain_dates(v))).collect(),
        },
        Value::Array(list) => list.into_iter().map(plain_dates).collect(),
        other => other,
    }
}

const fn yes() -> bool {
    true
}

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
    Ok(Config {
        issuer,
        observers,
        idle_lifetime,
        absolute_lifetime,
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

    fn lifetime(&self, seconds: &Spanned<i64>) -> Result<Seconds, ConfigError> {
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

    fn user(&self, user: &FileUser, others: &[Arc<User>]) -> Result<User, ConfigError> {
        let username = user.username.get_ref();
        self.plain_word(&user.username, "a username")?;
        if others.iter().any(|other| other.is_named(username)) {
            return Err(self.value(user.username.span(), "a username used once", username));
        }
        if user.name.get_ref().trim().is_empty() {
            return Err(self.value(user.name.span(), "a name that people recognise", ""));
        }
        let email = user.email.get_ref();
        if !email.contains('@') || email.contains(char::is_whitespace) {
            return Err(self.value(user.email.span(), "an e-mail address", email));
        }
        if others.iter().any(|other| other.is_named(email)) {
            return Err(self.value(user.email.span(), "an e-mail address used once", email));
        }
        let sub = match &user.sub {
            Some(sub) => {
                let text = sub.get_ref();
                // Core 2: at most 255 ASCII characters.
                if text.is_empty() || text.len() > 255 || !text.is_ascii() {
                    return Err(self.value(sub.span(), "a sub of 1 to 255 ASCII characters", text));
                }
                text.clone()
            }
            None => default_sub(username),
        };
        if let Some(other) = others.iter().find(|other| other.sub == sub) {
            let span = user.sub.as_ref().map_or(user.username.span(), Spanned::span);
            let expected = format!("a sub other than that of {}", other.username);
            return Err(self.value(span, &expected, &sub));
        }
        Ok(User {
            username: username.clone(),
            sub,
            name: user.name.get_ref().clone(),
            email: email.clone(),
            password: self.password(&user.password)?,
            claims: user.claims.clone().into_iter().map(|(k, v)| (k, plain_dates(v))).collect(),
        })
    }

    fn password(&self, password: &Spanned<String>) -> Result<Password, ConfigError> {
        let text = password.get_ref();
        if text.is_empty() {
            return Err(self.value(password.span(), "a password", ""));
        }
        if !text.starts_with("$argon2") {
            return Ok(Password::Plain(Secret::new(text.clone())));
        }
        let is_argon2id = PasswordHash::new(text)
            .is_ok_and(|hash| hash.algorithm.as_str() == "argon2id" && hash.hash.is_some());
        if is_argon2id {
            Ok(Password::Argon2id(text.clone()))
        } else {
            let found = "a string that begins with $argon2 but is not one";
            Err(self.value(password.span(), "an argon2id PHC string", found))
        }
    }

    fn client(
        &self,
        client: &FileClient,
        file: &File,
        users: &[Arc<User>],
        others: &[Arc<Client>],
    ) -> Result<Client, ConfigError> {
        let id = client.id.get_ref();
        self.plain_word(&client.id, "a client id")?;
        if others.iter().any(|other| other.id == *id) {
            return Err(self.value(client.id.span(), "a client id used once", id));
        }
        if client.name.get_ref().trim().is_empty() {
            return Err(self.value(client.name.span(), "a name that people recognise", ""));
        }
        if client.redirect_uris.get_ref().is_empty() {
            return Err(self.value(client.redirect_uris.span(), "at least one redirect URI", "[]"));
        }
        let assigned = match &client.users {
            Some(list) => Some(self.assigned(list, users)?),
            None => None,
        };
        let alg = match &client.id_token_signed_response_alg {
            Some(alg) => self.alg(alg)?,
            // OIDC Registration 2: the default of id_token_signed_response_alg.
            None => SigningAlg::Rs256,
        };
        let lifetime = |own: &Option<Spanned<i64>>, common: &Spanned<i64>| {
            self.lifetime(own.as_ref().unwrap_or(common))
        };
        Ok(Client {
            id: id.clone(),
            name: client.name.get_ref().clone(),
            redirect_uris: self.redirect_uris(client.redirect_uris.get_ref())?,
            post_logout_redirect_uris: self.redirect_uris(&client.post_logout_redirect_uris)?,
            audiences: client.audiences.clone(),
            users: assigned,
            id_token_signed_response_alg: alg,
            access_token_lifetime: lifetime(
                &client.access_token_lifetime,
                &file.access_token_lifetime,
            )?,
            id_token_lifetime: lifetime(&client.id_token_lifetime, &file.id_token_lifetime)?,
            refresh_token_lifetime: lifetime(
                &client.refresh_token_lifetime,
                &file.refresh_token_lifetime,
            )?,
            allows_sso: client.sso,
            allows_offline_access: client.offline_access,
            has_claims_in_id_token: client.id_token_claims,
        })
    }

    fn resource_server(
        &self,
        server: &FileResourceServer,
        issuer: &str,
        others: &[ResourceServer],
    ) -> Result<ResourceServer, ConfigError> {
        let id = server.id.get_ref();
        self.plain_word(&server.id, "a resource server's id")?;
        if others.iter().any(|other| other.id == *id) {
            return Err(self.value(server.id.span(), "a resource server's id used once", id));
        }
        let audiences = server.audiences.get_ref();
        if audiences.is_empty() {
            return Err(self.value(server.audiences.span(), "at least one audience", "[]"));
        }
        for audience in audiences {
            // Every access token is for the provider too: whoever had its name could ask about all.
            if audience.get_ref() == issuer || audience.get_ref().is_empty() {
                let expected = "an audience that is not the issuer";
                return Err(self.value(audience.span(), expected, audience.get_ref()));
            }
        }
        if server.secret.get_ref().is_empty() {
            return Err(self.value(server.secret.span(), "a secret", ""));
        }
        Ok(ResourceServer {
            id: id.clone(),
            audiences: audiences.iter().map(|audience| audience.get_ref().clone()).collect(),
            secret: Secret::new(server.secret.get_ref().clone()),
        })
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
        Ok(Switch {
            scenario: found,
            client_id: scenario.client.as_ref().map(|client| client.get_ref().clone()),
            left: scenario.requests.as_ref().map(|requests| *requests.get_ref()),
        })
    }

    fn redirect_uris(&self, uris: &[Spanned<String>]) -> Result<Vec<RedirectUri>, ConfigError> {
        uris.iter()
            .map(|uri| {
                RedirectUri::parse(uri.get_ref())
                    .map_err(|expected| self.value(uri.span(), expected, uri.get_ref()))
            })
            .collect()
    }

    fn assigned(
        &self,
        list: &[Spanned<String>],
        users: &[Arc<User>],
    ) -> Result<Vec<String>, ConfigError> {
        list.iter()
            .map(|name| {
                let is_known = users.iter().any(|user| user.username == *name.get_ref());
                if is_known {
                    Ok(name.get_ref().clone())
                } else {
                    Err(self.value(
                        name.span(),
                        "the username of a user in this file",
                        name.get_ref(),
                    ))
                }
            })
            .collect()
    }

    fn alg(&self, alg: &Spanned<String>) -> Result<SigningAlg, ConfigError> {
        SigningAlg::ALL
            .into_iter()
            .find(|known| known.name() == alg.get_ref())
            .ok_or_else(|| self.value(alg.span(), "RS256 or ES256", alg.get_ref()))
    }

    /// Usernames and client ids: visible ASCII, so that they survive headers and logs.
    fn plain_word(&self, word: &Spanned<String>, what: &str) -> Result<(), ConfigError> {
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
        assert_eq!(config.user_by_login("RICHARD@piedpiper.example").unwrap().username, "richard");
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

//! The users of the file: what their shape cannot express.

use std::sync::Arc;

use argon2::PasswordHash;
use serde_json::Value;
use toml::Spanned;

use super::place::Place;
use super::shape::FileUser;
use super::{ConfigError, Password, User, default_sub};
use crate::secret::Secret;

impl Place<'_> {
    pub(super) fn user(&self, user: &FileUser, others: &[Arc<User>]) -> Result<User, ConfigError> {
        let username = user.username.get_ref();
        self.plain_word(&user.username, "a username")?;
        if others.iter().any(|other| other.is_named(username)) {
            return Err(self.value(user.username.span(), "a username used once", username));
        }
        if user.name.get_ref().trim().is_empty() {
            return Err(self.value(user.name.span(), "a name that people recognise", ""));
        }
        let email = user.email.get_ref();
        if !is_email(email) {
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
            is_disabled: user.disabled,
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
}

/// Enough of one to send to; what more there is to know about it, only its server knows.
pub(crate) fn is_email(text: &str) -> bool {
    text.contains('@') && !text.contains(char::is_whitespace)
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

//! The people: as the configuration has them, and as an administrator has changed them since.

use std::sync::{Arc, PoisonError, RwLock};

use serde_json::{Map, Value};

use crate::config::{Config, User, is_email};

/// Everybody who has an account here. The issuers of scenarios share it with the provider.
pub(crate) struct People {
    at_start: Vec<Arc<User>>,
    now: RwLock<Vec<Arc<User>>>,
}

/// What an administrator changes about somebody; what is left out stays.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    pub(crate) is_disabled: Option<bool>,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    /// Further claims: each takes the place of the one of its name, `null` takes it away.
    pub(crate) claims: Map<String, Value>,
}

/// Why somebody stays as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotChanged {
    Nobody,
    Name,
    Email,
    EmailOfAnother,
}

impl People {
    pub(crate) fn of(config: &Config) -> Self {
        Self { at_start: config.users.clone(), now: RwLock::new(config.users.clone()) }
    }

    /// The one of that username.
    pub(crate) fn user(&self, username: &str) -> Option<Arc<User>> {
        self.find(|user| user.username == username)
    }

    /// The one whom a person means by what they typed: a username or an e-mail address.
    pub(crate) fn by_login(&self, typed: &str) -> Option<Arc<User>> {
        self.find(|user| user.is_named(typed))
    }

    /// The one whom clients know by this `sub`.
    pub(crate) fn by_sub(&self, sub: &str) -> Option<Arc<User>> {
        self.find(|user| user.sub == sub)
    }

    /// Is there such a person, and may they have access? (D1)
    pub(crate) fn is_enabled(&self, username: &str) -> bool {
        self.user(username).is_some_and(|user| !user.is_disabled)
    }

    /// Everybody, in the configuration's order.
    pub(crate) fn all(&self) -> Vec<Arc<User>> {
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes somebody, by the rules of the configuration; gives them as they were and as they
    /// are.
    ///
    /// # Errors
    /// [`NotChanged`].
    pub(crate) fn change(
        &self,
        username: &str,
        change: Change,
    ) -> Result<(Arc<User>, Arc<User>), NotChanged> {
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        if change.name.as_ref().is_some_and(|name| name.trim().is_empty()) {
            return Err(NotChanged::Name);
        }
        if let Some(email) = &change.email {
            if !is_email(email) {
                return Err(NotChanged::Email);
            }
            // It is a name to sign in with: of two people who have it one could not.
            if now.iter().any(|other| other.username != username && other.is_named(email)) {
                return Err(NotChanged::EmailOfAnother);
            }
        }
        let place = now.iter_mut().find(|user| user.username == username);
        let place = place.ok_or(NotChanged::Nobody)?;
        let old = place.clone();
        let mut user = User::clone(&old);
        user.is_disabled = change.is_disabled.unwrap_or(user.is_disabled);
        user.name = change.name.unwrap_or(user.name);
        user.email = change.email.unwrap_or(user.email);
        for (name, value) in change.claims {
            if value.is_null() {
                user.claims.remove(&name);
            } else {
                user.claims.insert(name, value);
            }
        }
        *place = Arc::new(user);
        Ok((old, place.clone()))
    }

    /// Everybody as at the start.
    pub(crate) fn reset(&self) {
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = self.at_start.clone();
    }

    fn find(&self, wanted: impl Fn(&User) -> bool) -> Option<Arc<User>> {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        now.iter().find(|user| wanted(user)).cloned()
    }
}

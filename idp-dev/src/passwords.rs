//! Whether a password is right, in the same time for everybody.

use std::sync::Arc;

use argon2::{Argon2, PasswordHash, PasswordVerifier};
use tokio::sync::Semaphore;

use crate::config::{Config, Password, User};
use crate::secret::equal_in_constant_time;

/// Checks passwords. If anybody's is hashed, every attempt costs one hash, also for unknown
/// usernames and plain passwords: the time taken tells nobody which usernames exist (OP19).
pub(crate) struct Passwords {
    /// A hash to work on where there is none.
    decoy: Option<Arc<str>>,
    /// Argon2 takes memory; a flood of attempts is to wait, not to take all of it.
    attempts: Semaphore,
}

impl Passwords {
    pub(crate) fn of(config: &Config) -> Self {
        let decoy = config.users.iter().find_map(|user| match &user.password {
            Password::Argon2id(phc) => Some(Arc::from(phc.as_str())),
            Password::Plain(_) => None,
        });
        Self { decoy, attempts: Semaphore::new(MAX_PARALLEL) }
    }

    /// Is this the password of `user`?
    pub(crate) async fn is_right(&self, user: Option<&Arc<User>>, typed: &str) -> bool {
        let (plain, hash) = match user.map(|user| &user.password) {
            Some(Password::Plain(secret)) => (Some(secret), self.decoy.clone()),
            Some(Password::Argon2id(phc)) => (None, Some(Arc::from(phc.as_str()))),
            None => (None, self.decoy.clone()),
        };
        let is_plain_right = match plain {
            Some(secret) => secret.is(typed),
            None => {
                let _same_work = equal_in_constant_time(b"decoy", typed.as_bytes());
                false
            }
        };
        let is_hash_right = match hash {
            Some(hash) => self.verify(hash, typed.to_owned()).await,
            None => false,
        };
        match user.map(|user| &user.password) {
            Some(Password::Plain(_)) => is_plain_right,
            Some(Password::Argon2id(_)) => is_hash_right,
            None => false,
        }
    }

    async fn verify(&self, phc: Arc<str>, typed: String) -> bool {
        let Ok(_permit) = self.attempts.acquire().await else { return false };
        tokio::task::spawn_blocking(move || {
            PasswordHash::new(&phc).is_ok_and(|hash| {
                Argon2::default().verify_password(typed.as_bytes(), &hash).is_ok()
            })
        })
        .await
        .unwrap_or(false)
    }
}

const MAX_PARALLEL: usize = 4;

//! UserInfo (OIDC Core 5.3): believed as far as it speaks of the person of the ID token.

use crate::{
    error::{Code, Error, Result},
    id_token::VerifiedIdToken,
    json::{Value, read},
    wire::Response,
};

/// An answer of the UserInfo endpoint of which nothing has been believed yet.
pub(crate) struct UntrustedUserInfo(Value);

/// The provider's word that the session of an ID token stands.
pub(crate) struct VerifiedUserInfo(());

impl UntrustedUserInfo {
    /// Reads an answer. A signed one (`application/jwt`) is none that was asked for.
    pub(crate) fn read(head: &Response, body: &[u8]) -> Result<Self> {
        if head.status != 200 {
            let status = crate::claims::number(head.status.into());
            return Err(Error::new(Code::IssuerUnreachable, "userinfo_endpoint", "200", &status));
        }
        read(body).map(Self).map_err(|_| invalid("something else"))
    }

    /// Applies the one rule.
    pub(crate) fn verify(self, session: &VerifiedIdToken) -> Result<VerifiedUserInfo> {
        self.same_sub(session)?;
        Ok(VerifiedUserInfo(()))
    }

    /// OIDC Core 5.3.2: `sub` is there and exactly that of the ID token, else nothing of the answer
    /// may be used.
    fn same_sub(&self, session: &VerifiedIdToken) -> Result<()> {
        match self.0.str("sub") {
            Some(subject) if subject == session.subject() => Ok(()),
            Some(subject) => {
                Err(Error::new(Code::UserInfoSubMismatch, "sub", session.subject(), subject))
            }
            None => Err(invalid("none")),
        }
    }
}

fn invalid(found: &str) -> Error {
    Error::new(Code::UserInfoInvalid, "userinfo_endpoint", "a JSON object with a sub", found)
}

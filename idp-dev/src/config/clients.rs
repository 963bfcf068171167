//! The clients and resource servers of the file: what their shape cannot express.

use std::sync::Arc;

use toml::Spanned;

use super::place::Place;
use super::shape::{File, FileClient, FileResourceServer};
use super::{Client, ConfigError, RedirectUri, ResourceServer, User};
use crate::keys::SigningAlg;
use crate::secret::Secret;

impl Place<'_> {
    pub(super) fn client(
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
        let redirect_uris = self.redirect_uris(client.redirect_uris.get_ref())?;
        Ok(Client {
            id: id.clone(),
            name: client.name.get_ref().clone(),
            backchannel_logout_uri: self.backchannel_logout_uri(client, file)?,
            frontchannel_logout_uri: self.frontchannel_logout_uri(client, &redirect_uris)?,
            initiate_login_uri: self.initiate_login_uri(client)?,
            logout_scope: self.client_logout_scope(client, file)?,
            redirect_uris,
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

    pub(super) fn resource_server(
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
}

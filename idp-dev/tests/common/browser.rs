//! A browser, as far as HTTP goes.

use std::collections::{BTreeMap, BTreeSet};

use super::{Ask, FORM, HOOLI, Reply, Tokens, World, encoded, fields};

/// A browser: a jar of cookies.
#[derive(Clone)]
pub(crate) struct Browser<'w> {
    pub(super) world: &'w World,
    pub(crate) jar: BTreeMap<String, String>,
    /// The cookies that frames of other sites send too.
    pub(super) crossing: BTreeSet<String>,
}

impl<'w> Browser<'w> {
    /// The same browser as a frame of another site sees it: with cookies of `SameSite=None` only.
    pub(crate) fn framed(&self) -> Browser<'w> {
        let mut framed = self.clone();
        framed.jar.retain(|name, _| self.crossing.contains(name));
        framed
    }

    pub(crate) async fn get(&mut self, path: &str) -> Reply {
        self.send("GET", path, &[], None).await
    }

    pub(crate) async fn ask(&mut self, ask: &Ask) -> Reply {
        self.get(&ask.path()).await
    }

    pub(crate) async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Reply {
        self.send("POST", path, &[FORM], Some(encoded(form))).await
    }

    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Reply {
        let cookie = fields::cookie_header(&self.jar);
        let mut all = headers.to_vec();
        if !cookie.is_empty() {
            all.push(("cookie", &cookie));
        }
        let reply = self.world.send(method, path, &all, body).await;
        for line in reply.all("set-cookie") {
            if line.contains("SameSite=None") {
                let (name, _) = line.split_once('=').unwrap();
                self.crossing.insert(name.to_owned());
            }
            fields::keep(&mut self.jar, &line);
        }
        reply
    }

    /// Follows our own redirects, as a browser does; stops at a page or at another site.
    pub(crate) async fn follow(&mut self, mut reply: Reply) -> Reply {
        while reply.status == 303 && reply.location().starts_with('/') {
            let location = reply.location();
            reply = self.get(&location).await;
        }
        reply
    }

    /// Sends the sign-in form of `page`.
    pub(crate) async fn sign_in_at(&mut self, page: &Reply, user: &str, password: &str) -> Reply {
        let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
        self.post("/login", &fields::sign_in(&r, &csrf, user, password)).await
    }

    /// Asks, signs in with the right password, and gives the redirect that follows.
    pub(crate) async fn sign_in(&mut self, ask: &Ask, user: &str) -> Reply {
        let page = self.ask(ask).await;
        assert_eq!(page.status, 200, "{}", page.body);
        self.sign_in_at(&page, user, "password").await
    }

    /// A code for Pied Piper: by the form, or silently if somebody is signed in.
    pub(crate) async fn code(&mut self, ask: &Ask, user: &str) -> String {
        let reply = self.ask(ask).await;
        let reply = if reply.status == 200 {
            self.sign_in_at(&reply, user, "password").await
        } else {
            reply
        };
        assert_eq!(reply.status, 303, "{}", reply.body);
        reply.param("code").unwrap_or_else(|| panic!("no code in {}", reply.location()))
    }

    /// Tokens of Pied Piper.
    pub(crate) async fn piper(&mut self, user: &str) -> Tokens {
        let code = self.code(&Ask::piper(), user).await;
        Tokens(self.world.redeem(&code).await.ok_json())
    }

    /// Tokens of Hooli.
    pub(crate) async fn hooli(&mut self, user: &str) -> Tokens {
        let code = self.code(&Ask::hooli(), user).await;
        Tokens(self.world.redeem_for("hooli", HOOLI, &code).await.ok_json())
    }

    /// The name and value of the session cookie.
    pub(crate) fn session_cookie(&self) -> Option<(&String, &String)> {
        self.jar.iter().find(|(name, _)| name.starts_with("__Host-sso-"))
    }

    /// The name and value of the silent cookie.
    pub(crate) fn silent_cookie(&self) -> Option<(&String, &String)> {
        self.jar.iter().find(|(name, _)| name.starts_with("__Host-silent-"))
    }

    /// The name and value of the cookie that tells frames whether the session changed.
    pub(crate) fn state_cookie(&self) -> Option<(&String, &String)> {
        self.jar.iter().find(|(name, _)| name.starts_with("__Host-state-"))
    }

    /// Answers the page that asks whether to sign out, and follows to the end.
    pub(crate) async fn confirm(&mut self, page: &Reply, action: &str) -> Reply {
        let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
        let form = [("r", &*r), ("csrf", &*csrf), ("action", action)];
        let reply = self.post("/end_session/confirm", &form).await;
        self.follow(reply).await
    }

    /// Signs out with a hint and follows to the end.
    pub(crate) async fn sign_out(&mut self, params: &[(&str, &str)]) -> Reply {
        let first = self.get(&format!("/end_session?{}", encoded(params))).await;
        assert_eq!(first.status, 303);
        self.follow(first).await
    }
}

//! A person with a browser, as far as raw requests go.

use std::collections::BTreeMap;

pub(crate) use crate::registered::{CHALLENGE, HOOLI, PIPER, VERIFIER};
pub(crate) use crate::token_response::{Tokens, part};
use crate::wire::{Answer, FORM, Op, encoded};

/// An authorization request's parameters, in an order.
#[derive(Clone)]
pub(crate) struct Ask(pub(crate) Vec<(String, String)>);

impl Ask {
    pub(crate) fn piper() -> Self {
        let params = [
            ("response_type", "code"),
            ("client_id", "pied-piper"),
            ("redirect_uri", PIPER),
            ("scope", "openid profile email"),
            ("state", "the-state"),
            ("nonce", "the-nonce"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        Self(params.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec())
    }

    pub(crate) fn set(self, name: &str, value: &str) -> Self {
        self.without(name).also(name, value)
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(n, _)| n != name);
        self
    }

    /// Adds a parameter even if it is there already.
    pub(crate) fn also(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn pairs(&self) -> Vec<(&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value)).collect()
    }

    pub(crate) fn path(&self) -> String {
        format!("/authorize?{}", encoded(&self.pairs()))
    }
}

/// A browser: a jar of cookies.
#[derive(Clone)]
pub(crate) struct Person<'a> {
    op: &'a Op,
    pub(crate) jar: BTreeMap<String, String>,
}

impl<'a> Person<'a> {
    pub(crate) fn new(op: &'a Op) -> Self {
        Self { op, jar: BTreeMap::new() }
    }

    /// Somebody who is signed in at Pied Piper.
    pub(crate) fn signed_in(op: &'a Op) -> (Self, Tokens) {
        let mut person = Self::new(op);
        let tokens = person.tokens(&Ask::piper());
        (person, tokens)
    }

    pub(crate) fn cookies(&self) -> String {
        let pairs: Vec<String> = self.jar.iter().map(|(n, v)| format!("{n}={v}")).collect();
        pairs.join("; ")
    }

    pub(crate) fn ask(&mut self, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let cookies = self.cookies();
        let mut all = headers.to_vec();
        if !cookies.is_empty() {
            all.push(("Cookie", &cookies));
        }
        let answer = self.op.ask(line, &all, body);
        for line in answer.all("set-cookie") {
            let (name, rest) = line.split_once('=').unwrap();
            if line.contains("Max-Age=0") {
                self.jar.remove(name);
            } else {
                let value = rest.split(';').next().unwrap();
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.ask(&format!("GET {path}"), &[], "")
    }

    pub(crate) fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.ask(&format!("POST {path}"), &[FORM], &encoded(form))
    }

    /// Follows the provider's own redirects.
    pub(crate) fn follow(&mut self, mut answer: Answer) -> Answer {
        while answer.status == 303 && answer.location().starts_with('/') {
            let location = answer.location().to_owned();
            answer = self.get(&location);
        }
        answer
    }

    pub(crate) fn authorize(&mut self, ask: &Ask) -> Answer {
        self.get(&ask.path())
    }

    /// Sends a sign-in page's form.
    pub(crate) fn fill(&mut self, page: &Answer, user: &str, password: &str) -> Answer {
        let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
        let form = [
            ("r", &*r),
            ("csrf", &*csrf),
            ("username", user),
            ("password", password),
            ("action", "sign-in"),
        ];
        self.post("/login", &form)
    }

    /// Asks, signs in if that is due, and gives the answer that goes to the app.
    pub(crate) fn answer(&mut self, ask: &Ask) -> Answer {
        let answer = self.authorize(ask);
        let answer = self.follow(answer);
        if answer.status != 200 {
            return answer;
        }
        self.fill(&answer, "richard", "password")
    }

    pub(crate) fn code(&mut self, ask: &Ask) -> String {
        let answer = self.answer(ask);
        answer.param("code").unwrap_or_else(|| panic!("no code: {answer:?}"))
    }

    pub(crate) fn tokens(&mut self, ask: &Ask) -> Tokens {
        let code = self.code(ask);
        let answer = self.op.redeem(&code);
        assert_eq!(answer.status, 200, "{}", answer.body);
        Tokens(answer.json())
    }
}

/// The form that redeems a code.
pub(crate) fn redemption<'a>(
    client: &'a str,
    redirect_uri: &'a str,
    code: &'a str,
) -> [(&'a str, &'a str); 5] {
    [
        ("grant_type", "authorization_code"),
        ("client_id", client),
        ("code", code),
        ("redirect_uri", redirect_uri),
        ("code_verifier", VERIFIER),
    ]
}

/// The form that refreshes.
pub(crate) fn renewal<'a>(client: &'a str, token: &'a str) -> [(&'a str, &'a str); 3] {
    [("grant_type", "refresh_token"), ("client_id", client), ("refresh_token", token)]
}

impl Op {
    pub(crate) fn redeem(&self, code: &str) -> Answer {
        self.post("/token", &redemption("pied-piper", PIPER, code))
    }

    pub(crate) fn refresh(&self, token: &str) -> Answer {
        self.post("/token", &renewal("pied-piper", token))
    }

    pub(crate) fn userinfo(&self, token: &str) -> Answer {
        self.ask("GET /userinfo", &[("Authorization", &format!("Bearer {token}"))], "")
    }
}

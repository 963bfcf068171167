//! A person with a browser, as far as raw requests go.

use std::collections::BTreeMap;

pub(crate) use crate::ask::Ask;
use crate::fields::{cookie_header, keep, sign_in};
pub(crate) use crate::fields::{redemption, renewal};
pub(crate) use crate::registered::{CHALLENGE, HOOLI, PIPER, VERIFIER};
pub(crate) use crate::token_response::{Tokens, part};
use crate::wire::{Answer, FORM, Op, encoded};

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
        cookie_header(&self.jar)
    }

    pub(crate) fn ask(&mut self, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let cookies = self.cookies();
        let mut all = headers.to_vec();
        if !cookies.is_empty() {
            all.push(("Cookie", &cookies));
        }
        let answer = self.op.ask(line, &all, body);
        for line in answer.all("set-cookie") {
            keep(&mut self.jar, line);
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
        self.post("/login", &sign_in(&r, &csrf, user, password))
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

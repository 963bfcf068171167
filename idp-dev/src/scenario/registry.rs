//! All scenarios, as their files describe them.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::fault::Fault;

/// A scenario: what a provider does wrong, and what a correct client makes of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The module's name in the conformance suite of the OpenID Foundation where there is one.
    pub name: String,
    /// What is wrong, as one plain sentence. What is right, where nothing is wrong.
    pub breaks: String,
    /// The rule that must catch it.
    pub rule: String,
    /// The specification and its section.
    pub spec: String,
    /// What a correct client does.
    pub outcome: Outcome,
    /// Error codes of Gatepass that are right, for what is refused with one.
    #[serde(default)]
    pub codes: Vec<String>,
    /// What the client has to do to meet the lie.
    #[serde(default)]
    pub reach: Reach,
    /// Why it cannot happen to a public client in a browser.
    pub reason: Option<String>,
    /// What is done to the provider's answers.
    #[serde(default)]
    pub(crate) faults: Vec<Fault>,
}

/// What a correct client makes of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It goes on: nothing is wrong, however odd it looks.
    Accept,
    /// It refuses the answer and uses nothing of it.
    Reject,
    /// It may fail, but the person can go on.
    Recover,
    /// There is nothing to meet: `reason` says why.
    NotApplicable,
}

impl Scenario {
    /// Can it be told a number of times? With several faults it cannot: the first answer would
    /// use up what the next one needs, a token and the key set that goes with it for instance.
    pub(crate) fn is_countable(&self) -> bool {
        self.faults.len() <= 1
    }
}

impl Outcome {
    /// The word in files and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Recover => "recover",
            Self::NotApplicable => "not_applicable",
        }
    }
}

/// What the client has to do to meet the lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Sign somebody in.
    #[default]
    SignIn,
    /// Sign in, out, and in again.
    SecondSignIn,
    /// Ask to sign in, stop waiting for an answer, and ask again.
    SecondTry,
    /// Sign in and read UserInfo.
    UserInfo,
    /// Sign in and refresh.
    Refresh,
    /// Sign in, then `POST /scenarios/NAME/logout_token` of the control API.
    LogoutToken,
    /// Sign in and out.
    SignOut,
}

/// All of them, by name.
pub(crate) fn all() -> &'static [Scenario] {
    static ALL: LazyLock<Vec<Scenario>> = LazyLock::new(|| {
        FILES
            .iter()
            .filter_map(|(name, text)| match toml::from_str::<Scenario>(text) {
                Ok(scenario) => Some(scenario),
                // A test reads every file: this is for whoever writes one.
                Err(error) => {
                    crate::log::line(&format!("scenarios/{name}.toml: {error}"));
                    None
                }
            })
            .collect()
    });
    &ALL
}

/// The one of that name.
pub(crate) fn find(name: &str) -> Option<&'static Scenario> {
    all().iter().find(|scenario| scenario.name == name)
}

/// Name and text of each file.
const FILES: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/scenarios.rs"));

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_can_be_read_and_is_named_after_its_scenario() {
        for (name, text) in FILES {
            match toml::from_str::<Scenario>(text) {
                Ok(scenario) => assert_eq!(scenario.name, *name),
                Err(error) => assert_eq!(error.to_string(), "", "{name}"),
            }
        }
        assert!(FILES.len() > 150, "{}", FILES.len());
    }

    #[test]
    fn every_scenario_says_what_it_is_about() {
        for scenario in all() {
            let Scenario { name, breaks, rule, spec, outcome, codes, reason, faults, .. } =
                scenario;
            for said in [breaks, rule, spec] {
                assert!(said.len() > 3, "{name}: {said:?}");
            }
            assert_eq!(reason.is_some(), *outcome == Outcome::NotApplicable, "{name}");
            assert!(*outcome != Outcome::NotApplicable || faults.is_empty(), "{name}");
            assert!(*outcome != Outcome::Accept || codes.is_empty(), "{name}");
            assert!(*outcome != Outcome::Reject || !faults.is_empty(), "{name}");
        }
    }

    /// The list of modules lies beside the scenarios, so that what is missing can be seen.
    #[test]
    fn oidcc_every_module_of_the_conformance_suite_is_here() {
        let known: BTreeSet<&str> = all().iter().map(|one| one.name.as_str()).collect();
        let modules: Vec<&str> = MODULES
            .lines()
            .map(str::trim)
            .filter(|l| !l.is_empty() && !l.starts_with('#'))
            .collect();
        assert!(modules.len() > 90, "{}", modules.len());
        for module in &modules {
            assert!(known.contains(module), "{module} is missing");
        }
        // And no scenario has a name of theirs that they do not know.
        for name in known {
            let is_theirs =
                ["oidcc-client-test", "fapi2-"].iter().any(|mark| name.starts_with(mark));
            assert!(!is_theirs || modules.contains(&name), "{name} is no module");
        }
    }

    const MODULES: &str = include_str!("../../scenarios/modules.txt");
}

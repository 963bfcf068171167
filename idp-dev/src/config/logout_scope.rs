//! How far a sign-out reaches (F8, F9, F10).

/// Who is told, and whose session ends, when an app signs out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LogoutScope {
    /// The app alone. The others go on, although this browser holds the session no longer.
    Initiator,
    /// The app and these.
    Apps(Vec<String>),
    /// All apps that hold the session.
    Session,
    /// Besides, the front-channel pages of all apps of the realm, whoever holds the session.
    Realm,
}

impl LogoutScope {
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        match word {
            "initiator" => Some(Self::Initiator),
            "session" => Some(Self::Session),
            "realm" => Some(Self::Realm),
            _ => None,
        }
    }

    /// What an app asks for in one request: a word, or client ids with a space between. It is
    /// meant itself whether it says so or not.
    pub(crate) fn of_request(text: &str, asking: &str) -> Self {
        if let Some(word) = Self::of_word(text) {
            return word;
        }
        let all: Vec<&str> = text.split(' ').filter(|id| !id.is_empty()).collect();
        let others = all.iter().filter(|id| **id != asking).map(|id| (*id).to_owned());
        match others.collect::<Vec<_>>() {
            others if others.is_empty() && !all.is_empty() => Self::Initiator,
            others => Self::Apps(others),
        }
    }

    /// Is `asked` no wider than this? An app may spare the others, but it signs nobody out whom
    /// its registration does not let it.
    pub(crate) fn allows(&self, asked: &Self) -> bool {
        match (self, asked) {
            (_, Self::Initiator) | (Self::Realm, _) => true,
            (Self::Session, asked) => *asked != Self::Realm,
            (Self::Apps(own), Self::Apps(asked)) => asked.iter().all(|app| own.contains(app)),
            (Self::Initiator | Self::Apps(_), _) => false,
        }
    }

    /// Does the session of this app end when `initiator` signs out?
    pub(crate) fn reaches(&self, initiator: &str, client_id: &str) -> bool {
        match self {
            Self::Session | Self::Realm => true,
            Self::Initiator => client_id == initiator,
            Self::Apps(apps) => client_id == initiator || apps.iter().any(|app| app == client_id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f10_an_app_may_ask_for_less_and_never_for_more() {
        let apps =
            |ids: &[&str]| LogoutScope::Apps(ids.iter().map(|id| (*id).to_owned()).collect());
        let all = [LogoutScope::Initiator, apps(&["a"]), LogoutScope::Session, LogoutScope::Realm];
        for (at, own) in all.iter().enumerate() {
            for (asked_at, asked) in all.iter().enumerate() {
                assert_eq!(own.allows(asked), asked_at <= at, "{own:?} {asked:?}");
            }
        }
        assert!(!apps(&["a"]).allows(&apps(&["a", "b"])));
        assert_eq!(LogoutScope::of_request("a  b", "c"), apps(&["a", "b"]));
        assert_eq!(LogoutScope::of_request("initiator", "c"), LogoutScope::Initiator);
        assert_eq!(LogoutScope::of_request("a c", "c"), apps(&["a"]));
        assert_eq!(LogoutScope::of_request("c", "c"), LogoutScope::Initiator);
        assert_eq!(LogoutScope::of_request(" ", "c"), apps(&[]));
    }
}

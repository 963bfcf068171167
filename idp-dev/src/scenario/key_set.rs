//! What is done to the key set.

use serde_json::{Value, json};

use super::edit::Members;
use super::fault::{KeyName, KeySetFault};
use super::fill::Fill;
use crate::keys::KeyError;
use crate::provider::Provider;
use crate::secret::random_id;

/// The honest key set made into the one that the fault describes, as text.
///
/// # Errors
/// When there is no honest one or no randomness.
pub(super) async fn treated(provider: &Provider, fault: &KeySetFault) -> Result<String, KeyError> {
    let honest = provider.keys.jwks().await?;
    let honest = honest["keys"].as_array().cloned().unwrap_or_default();
    let nothing = |_: &str| None;
    let fill = Fill { provider, client_id: None, honest: &nothing };
    let mut keys: Vec<String> = fault.first.iter().map(|text| fill.text(text)).collect();
    for key in honest {
        let is_wanted = match fault.only {
            None => true,
            Some(KeyName::Rs256) => key["alg"] == "RS256",
            Some(KeyName::Es256) => key["alg"] == "ES256",
        };
        if is_wanted && !fault.none {
            keys.push(of_honest(provider, fault, &key)?);
        }
    }
    keys.extend(fault.add.iter().map(|text| fill.text(text)));
    if fault.add_signed {
        keys.extend(provider.scenarios.lab.used().iter().map(Value::to_string));
    }
    keys.extend((0..fault.many).map(|number| {
        // Members that fit no signature: whoever tries them all is slow.
        format!(
            "{{\"kty\":\"EC\",\"crv\":\"P-256\",\"use\":\"sig\",\"kid\":\"many-{number}\",\
                 \"x\":\"AAAA\",\"y\":\"AAAA\"}}"
        )
    }));
    let document = format!("{{\"keys\":[{}]}}", keys.join(","));
    if fault.document.is_empty() {
        return Ok(document);
    }
    match Members::read(document.as_bytes()) {
        Some(members) => Ok(members.edited(&fault.document, |text| fill.text(text))),
        // The keys are no JSON any more: nothing to change around them.
        None => Ok(document),
    }
}

fn of_honest(provider: &Provider, fault: &KeySetFault, key: &Value) -> Result<String, KeyError> {
    let mut key = key.clone();
    if fault.changing {
        key["kid"] = json!(random_id().map_err(|_| KeyError::NotMade)?);
    }
    if fault.private {
        // Not the real ones: those never leave the library. A client sees that there are some.
        for name in if key["kty"] == "RSA" { &["d", "p", "q"][..] } else { &["d"][..] } {
            key[*name] = json!(random_id().map_err(|_| KeyError::NotMade)?);
        }
    }
    let text = key.to_string();
    let Some(members) = Members::read(text.as_bytes()) else { return Ok(text) };
    let honest = members.clone();
    let honest = move |name: &str| honest.word(name);
    let fill = Fill { provider, client_id: None, honest: &honest };
    Ok(members.edited(&fault.keys, |text| fill.text(text)))
}

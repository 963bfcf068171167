//! Tokens that are made by hand: header and claims are text, and the signature is what is asked for.

use aws_lc_rs::hmac;
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use serde_json::Value;

use super::edit::Members;
use super::fault::{Fault, Sign, TextFault, TokenFault};
use super::fill::Fill;
use super::lab::Lab;
use super::switches::LastSignOut;
use super::verdict::Watch;
use crate::keys::{KeyError, SigningAlg};
use crate::provider::Provider;
use crate::secret::base64url;
use crate::tokens::SignOut;

/// The honest token made into the one that the fault describes.
///
/// # Errors
/// When a key cannot be made or does not sign.
pub(super) async fn forged(
    provider: &Provider,
    fault: &TokenFault,
    client_id: &str,
    token: &str,
) -> Result<String, KeyError> {
    let mut parts = token.split('.');
    let (header, claims) = (decoded(parts.next()), decoded(parts.next()));
    let (Some(mut header), Some(claims)) = (header, claims) else {
        return Err(KeyError::NotSigned);
    };
    let lab = &provider.scenarios.lab;
    let alg = match (fault.key, header.word("alg").as_deref()) {
        (Some(key), _) => key.alg(),
        (None, Some("ES256")) => SigningAlg::Es256,
        (None, _) => SigningAlg::Rs256,
    };
    let kid = provider.keys.kid(alg).await?;
    let (name, kid) = match fault.sign {
        Sign::None => ("none", kid),
        Sign::Hs256PublicKey | Sign::Hs256ClientId => ("HS256", kid),
        Sign::Rs512SameKey => ("RS512", kid),
        Sign::Foreign => (alg.name(), kid),
        sign => match Lab::header(sign, alg) {
            Some((name, kid)) => (name, kid),
            None => (alg.name(), kid),
        },
    };
    header.set("alg", Value::from(name).to_string());
    header.set("kid", Value::from(kid).to_string());
    let jwk = match Lab::header(fault.sign, alg) {
        Some(_) => lab.jwk(fault.sign, alg).await?.to_string(),
        None => String::new(),
    };
    let (old_header, old_claims) = (header.clone(), claims.clone());
    let honest = move |name: &str| match name {
        "signing_jwk" => Some(jwk.clone()),
        _ => old_claims.word(name).or_else(|| old_header.word(name)),
    };
    let fill = Fill { provider, client_id: Some(client_id), honest: &honest };
    let header = header.edited(&fault.header, |text| fill.text(text));
    let honest_claims = claims.text();
    let claims = claims.edited(&fault.claims, |text| fill.text(text));
    let input = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()));
    let signature = sign(provider, fault.sign, alg, client_id, input.as_bytes()).await?;
    let signature = base64url(&signature);
    Ok(match fault.text {
        TextFault::Nothing => format!("{input}.{signature}"),
        TextFault::Tampered => {
            let head = base64url(header.as_bytes());
            let other = honest_claims.replacen('{', "{\"tampered\":true,", 1);
            format!("{head}.{}.{signature}", base64url(other.as_bytes()))
        }
        TextFault::TwoParts => input,
        TextFault::FourParts => format!("{input}.{signature}.{signature}"),
        TextFault::FiveParts => format!("{input}.{signature}.{signature}.{signature}"),
        TextFault::Padded => {
            let pad = |bytes: &[u8]| {
                let text = Base64::encode_string(bytes).replace('+', "-").replace('/', "_");
                // A multiple of three bytes needs no padding: it gets some that means nothing.
                if text.ends_with('=') { text } else { format!("{text}====") }
            };
            format!("{}.{}.{signature}", base64url(header.as_bytes()), pad(claims.as_bytes()))
        }
        TextFault::Spaced => format!("{}\n.{signature}", input),
    })
}

async fn sign(
    provider: &Provider,
    sign: Sign,
    alg: SigningAlg,
    client_id: &str,
    input: &[u8],
) -> Result<Vec<u8>, KeyError> {
    let keys = &provider.keys;
    let mac = |secret: &[u8]| {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input).as_ref().to_vec()
    };
    Ok(match sign {
        Sign::Honest => keys.sign_input(alg, input).await?,
        Sign::None | Sign::Empty => Vec::new(),
        Sign::Hs256PublicKey => mac(keys.public_pem().await?.as_bytes()),
        Sign::Hs256ClientId => mac(client_id.as_bytes()),
        Sign::Der => der(&keys.sign_input(alg, input).await?),
        Sign::Zero => vec![0; keys.sign_input(alg, input).await?.len()],
        Sign::Truncated => {
            let mut signature = keys.sign_input(alg, input).await?;
            signature.truncate(signature.len() / 2);
            signature
        }
        Sign::Flipped => {
            let mut signature = keys.sign_input(alg, input).await?;
            let middle = signature.len() / 2;
            if let Some(byte) = signature.get_mut(middle) {
                *byte ^= 1;
            }
            signature
        }
        Sign::Rs512SameKey => keys.sign_rs512(input).await?,
        Sign::Foreign
        | Sign::Next
        | Sign::Rs384
        | Sign::Rs512
        | Sign::Ps256
        | Sign::Es384
        | Sign::Es512
        | Sign::EdDsa
        | Sign::Es256OnP384
        | Sign::WeakRsa
        | Sign::RsaExponentOne => provider.scenarios.lab.sign(sign, alg, input).await?,
    })
}

/// The logout token that goes out: the honest one, or what a scenario makes of it.
///
/// # Errors
/// When the lie cannot be told. An honest token in its place would look like a client that accepts.
pub(crate) async fn logout_token(
    provider: &Provider,
    client_id: &str,
    about: SignOut<'_>,
    token: String,
) -> Result<String, KeyError> {
    let lies = provider.scenarios.active(Some(client_id)).into_iter().flat_map(|scenario| {
        let faults = scenario.faults.iter().enumerate();
        faults.filter_map(move |(place, fault)| match fault {
            Fault::LogoutToken(fault) => Some((scenario, place, fault)),
            _ => None,
        })
    });
    let lies: Vec<_> = lies.collect();
    if lies.is_empty() {
        return Ok(token);
    }
    // Once, whatever is told of it: the earlier one is that of the sign-out before.
    let LastSignOut { earlier, is_new, .. } =
        provider.scenarios.swap_logout_token(client_id, about, &token);
    let mut token = token;
    for (scenario, place, fault) in lies {
        // A sign-out is one turn of the client, wherever its tokens go.
        let turn = provider.scenarios.turn_of(scenario, place, client_id, is_new);
        if !fault.turn.has(turn) {
            continue;
        }
        token = if fault.replay {
            earlier.clone().ok_or(KeyError::NotSigned)?
        } else {
            forged(provider, fault, client_id, &token).await?
        };
        let watch = Watch { goes_on: true, ..Watch::default() };
        provider.scenarios.broke(provider, scenario, Some(client_id), watch);
    }
    Ok(token)
}

/// The members of one part of a token.
fn decoded(part: Option<&str>) -> Option<Members> {
    Members::read(&Base64UrlUnpadded::decode_vec(part?).ok()?)
}

/// The two numbers of an ECDSA signature as a DER sequence (RFC 3279, 2.2.3). Anything else is one
/// number.
fn der(fixed: &[u8]) -> Vec<u8> {
    let (r, s) = fixed.split_at(fixed.len() / 2);
    let body = [der_integer(r), der_integer(s)].concat();
    [&[0x30][..], &der_length(body.len()), &body].concat()
}

fn der_integer(number: &[u8]) -> Vec<u8> {
    let start = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    let digits = number.get(start..).unwrap_or_default();
    // The highest bit is the sign.
    let sign: &[u8] = if digits.first().is_none_or(|byte| *byte >= 0x80) { &[0] } else { &[] };
    [&[0x02][..], &der_length(sign.len() + digits.len()), sign, digits].concat()
}

fn der_length(length: usize) -> Vec<u8> {
    match u8::try_from(length) {
        Ok(short @ 0..=127) => vec![short],
        Ok(long) => vec![0x81, long],
        Err(_) => vec![0x82, (length >> 8) as u8, length as u8],
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::scenario::{Switch, find};
    use crate::{Clock, Config, MemoryStore, UnixTime};

    fn provider() -> Arc<Provider> {
        let config = Config::parse("idp.toml", Config::EXAMPLE).unwrap();
        let clock = Clock::frozen_at(UnixTime::from_seconds(1));
        Provider::start(config, clock, Arc::new(MemoryStore::new()), false).unwrap()
    }

    fn switch_on(provider: &Provider, scenario: &'static str) {
        let scenario = Box::leak(Box::new(toml::from_str(scenario).unwrap()));
        provider.scenarios.switch_on(Switch { scenario, client_id: None, left: None });
    }

    #[tokio::test]
    async fn lie_that_cannot_be_told_is_no_honest_token() {
        let provider = provider();
        let token = async |token: &str| {
            logout_token(&provider, "hooli", SignOut::of(token), token.to_owned()).await
        };
        assert_eq!(token("honest").await.as_deref(), Ok("honest"));
        // It has no parts, so that nothing can be forged from it.
        switch_on(
            &provider,
            "name = 'a'\nbreaks = ''\nrule = ''\nspec = ''\noutcome = 'reject'\n\
             [[faults]]\non = 'logout_token'\nsign = 'zero'",
        );
        assert_eq!(token("honest").await, Err(KeyError::NotSigned));
    }

    #[tokio::test]
    async fn replayed_token_is_of_the_sign_out_before_whatever_else_is_told() {
        let provider = provider();
        let replays = find("logout-token-replayed").unwrap();
        provider.scenarios.switch_on(Switch { scenario: replays, client_id: None, left: None });
        switch_on(
            &provider,
            "name = 'b'\nbreaks = ''\nrule = ''\nspec = ''\noutcome = 'reject'\n\
             [[faults]]\non = 'logout_token'\nturn.from = 2\nreplay = true",
        );
        let token = async |sid: &str, number, token: &str| {
            logout_token(&provider, "hooli", SignOut { sid, number }, token.to_owned()).await
        };
        assert_eq!(token("a", 0, "first").await.as_deref(), Ok("first"));
        // The other token of that sign-out, for a server besides a stream, is no sign-out.
        assert_eq!(token("a", 0, "also first").await.as_deref(), Ok("also first"));
        for other in ["second", "also second"] {
            assert_eq!(token("b", 0, other).await.as_deref(), Ok("first"));
        }
        // Another client's first.
        let other = SignOut::of("of piper");
        let other = logout_token(&provider, "pied-piper", other, "piper's".to_owned()).await;
        assert_eq!(other.as_deref(), Ok("piper's"));
        // A session that goes on is told of twice.
        assert_eq!(token("c", 1, "third").await.as_deref(), Ok("second"));
        assert_eq!(token("c", 2, "fourth").await.as_deref(), Ok("third"));
    }

    #[test]
    fn der_has_no_leading_zeros_and_no_negative_numbers() {
        let mut fixed = [0; 64];
        fixed[31] = 5;
        fixed[32] = 0x80;
        let made = der(&fixed);
        assert_eq!(made[..5], [0x30, 3 + 35, 2, 1, 5]);
        assert_eq!(made[5..9], [2, 33, 0, 0x80]);
        assert_eq!(made.len(), 40);
    }
}

//! One whole life, every signature checked with the published keys by code that is not ours.

#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod common;

use std::borrow::Cow;
use std::num::NonZeroUsize;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64ct::{Base64UrlUnpadded, Encoding};
use common::{Ask, PIPER, PIPER_ORIGIN, START, Tokens, World, jwt_header};
use jwt_compact::{Algorithm, AlgorithmExt, AlgorithmSignature, UntrustedToken};
use serde_json::Value;

/// A verifier of its own behind jwt-compact: it shares no line with the provider's signer.
struct Published(&'static str);

struct Bytes(Vec<u8>);

impl AlgorithmSignature for Bytes {
    const LENGTH: Option<NonZeroUsize> = None;

    fn try_from_slice(slice: &[u8]) -> anyhow::Result<Self> {
        Ok(Self(slice.to_vec()))
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }
}

impl Algorithm for Published {
    type SigningKey = ();
    type VerifyingKey = Value;
    type Signature = Bytes;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.0)
    }

    fn sign(&self, (): &(), _: &[u8]) -> Bytes {
        Bytes(Vec::new())
    }

    fn verify_signature(&self, signature: &Bytes, jwk: &Value, message: &[u8]) -> bool {
        let member =
            |name: &str| Base64UrlUnpadded::decode_vec(jwk[name].as_str().unwrap()).unwrap();
        if self.0 == "ES256" {
            let point = [vec![4], member("x"), member("y")].concat();
            let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
            key.verify(message, &signature.0).is_ok()
        } else {
            let key = RsaPublicKeyComponents { n: member("n"), e: member("e") };
            key.verify(&RSA_PKCS1_2048_8192_SHA256, message, &signature.0).is_ok()
        }
    }
}

/// The claims, if the published key of the token's `kid` and `alg` made the signature.
async fn verified(world: &World, token: &str, alg: &'static str) -> Value {
    let jwks = world.get("/jwks").await.ok_json();
    let header = jwt_header(token);
    assert_eq!(header["alg"], alg);
    let jwk = jwks["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]);
    let untrusted = UntrustedToken::new(token).unwrap();
    let algorithm = Published(alg);
    let token = algorithm.validator::<Value>(jwk.unwrap()).validate(&untrusted).unwrap();
    token.claims().custom.clone()
}

#[tokio::test]
async fn f1_f2_sign_in_refresh_listen_and_sign_out() {
    for alg in ["RS256", "ES256"] {
        let setting = format!("id = \"pied-piper\"\nid_token_signed_response_alg = \"{alg}\"");
        let world = World::with(|text| text.replacen("id = \"pied-piper\"", &setting, 1)).await;

        let document = world.get("/.well-known/openid-configuration").await.ok_json();
        assert_eq!(document["issuer"], world.issuer.as_str());

        let mut browser = world.browser();
        let back = browser.sign_in(&Ask::piper(), "richard").await;
        assert_eq!(back.param("iss").as_deref(), Some(world.issuer.as_str()));
        let code = back.param("code").unwrap();
        let tokens = Tokens(world.redeem(&code).await.ok_json());

        let id = verified(&world, tokens.id(), alg).await;
        assert_eq!(id["aud"], "pied-piper");
        assert_eq!(id["nonce"], "the-nonce");
        let digest =
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, tokens.access().as_bytes());
        let at_hash = Base64UrlUnpadded::encode_string(&digest.as_ref()[..16]);
        assert_eq!(id["at_hash"], at_hash);
        let access = verified(&world, tokens.access(), "ES256").await;
        assert_eq!(access["sid"], id["sid"]);

        let user = world.userinfo(tokens.access()).await.ok_json();
        assert_eq!(user["sub"], id["sub"]);

        world.advance(200);
        let tokens = Tokens(world.refresh("pied-piper", tokens.refresh()).await.ok_json());
        let renewed = verified(&world, tokens.id(), alg).await;
        assert_eq!((&renewed["sub"], &renewed["sid"]), (&id["sub"], &id["sid"]));
        assert_eq!(renewed["auth_time"], START);

        let mut events = world.events(tokens.access(), Some(PIPER_ORIGIN)).await;
        assert_eq!(events.next().await.unwrap().event, "open");
        let end = browser
            .sign_out(&[
                ("id_token_hint", tokens.id()),
                ("post_logout_redirect_uri", PIPER),
                ("state", "bye"),
            ])
            .await;
        assert_eq!(end.location(), format!("{PIPER}?state=bye"));
        let logout = events.next().await.unwrap();
        let logout = verified(&world, &logout.data, alg).await;
        assert_eq!((&logout["sub"], &logout["sid"]), (&id["sub"], &id["sid"]));
        assert_eq!(events.next().await, None);
        assert_eq!(world.userinfo(tokens.access()).await.status, 401);
        assert_eq!(world.refresh("pied-piper", tokens.refresh()).await.error(), "invalid_grant");
        let again = browser.ask(&Ask::piper().set("prompt", "none")).await;
        again.assert_error_redirect("login_required", &world.issuer, "signed out");
    }
}

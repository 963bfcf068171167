//! Tokens that break a rule although somebody signed them: what stands between the provider and the
//! app gives the app keys and tokens of its own.

use anyhow::ensure;
use gatepass_tests::pages::{App, SignInPage};
use gatepass_tests::stage::PASSWORD;
use gatepass_tests::{Client, Result, Stage, journey};

/// Signs the ID token anew, after a change to `header` and `claims`, and publishes the key: only the
/// rules about what a token says are left to refuse it.
const FORGER: &str = "
    const pair = crypto.subtle.generateKey(
      { name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
    const utf8 = new TextEncoder();
    const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
      .replace(/\\+/g, '-').replace(/\\//g, '_').replace(/=/g, '');
    const decode = (part) => JSON.parse(new TextDecoder().decode(Uint8Array.from(
      atob(part.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0))));
    const forge = async (token) => {
      const { privateKey } = await pair;
      const header = { alg: 'ES256', kid: 'forged' };
      const claims = decode(token.split('.')[1]);
      CHANGE;
      const input = [header, claims].map((part) =>
        base64url(utf8.encode(JSON.stringify(part)))).join('.');
      const signature = await crypto.subtle.sign(
        { name: 'ECDSA', hash: 'SHA-256' }, privateKey, utf8.encode(input));
      return input + '.' + base64url(signature);
    };
    const real = window.fetch;
    window.fetch = async (address, ...rest) => {
      const response = await real(address, ...rest);
      const path = new URL(String(address.url ?? address), location.href).pathname;
      if (path === '/jwks') {
        const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', (await pair).publicKey);
        return new Response(JSON.stringify({ keys: [{ kty, crv, x, y, kid: 'forged' }] }), response);
      }
      if (path !== '/token') return response;
      const tokens = await response.json();
      tokens.id_token = await forge(tokens.id_token);
      return new Response(JSON.stringify(tokens), response);
    };";

/// Signs in with a token that was changed so.
async fn sign_in<'a>(
    stage: &Stage,
    browser: &'a gatepass_tests::Browser,
    change: &str,
) -> Result<App<'a>> {
    let app = App::open(stage, Client::PiedPiper, browser).await?;
    app.wait_signed_out().await?;
    app.tab.preload(&FORGER.replace("CHANGE", change)).await?;
    app.tab.click("sign-in").await?;
    SignInPage::wait(app.tab.clone()).await?.submit("richard", PASSWORD).await?;
    Ok(app)
}

#[test]
fn f5_a_token_that_is_signed_but_wrong_never_creates_a_session() -> Result {
    let cases = [
        ("claims.iss = 'https://other.example'", "iss_invalid"),
        ("claims.aud = 'hooli'", "aud_invalid"),
        ("claims.aud = ['pied-piper', 'hooli']", "aud_invalid"),
        ("claims.nonce = 'another'", "nonce_invalid"),
        ("delete claims.nonce", "nonce_invalid"),
        ("claims.iat -= 7200; claims.exp = claims.iat + 300", "exp_invalid"),
        ("header.kid = 'nobody'", "key_not_found"),
    ];
    for (change, code) in cases {
        journey().go(async |stage, browser| {
            let app = sign_in(stage, browser, change).await?;
            let words = app.wait_notice(code).await?;
            ensure!(words.contains("Try again"), "no way forward: {words}");
            app.wait_signed_out().await?;
            app.shows_nothing_private().await?;
            app.has_clean_address().await?;
            // It is said once and not tried again.
            let timeline = stage.control.timeline().await?;
            timeline.exactly(2, "authorize.received@pied-piper")?;
            timeline.exactly(1, "token.received")
        })?;
    }
    Ok(())
}

/// Without this the refusals above could be of the forger's making.
#[test]
fn a_token_of_the_forger_that_is_right_is_accepted() -> Result {
    journey().go(async |stage, browser| {
        let app = sign_in(stage, browser, "claims.extra = 1").await?;
        app.wait_signed_in().await
    })
}

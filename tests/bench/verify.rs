//! The verification of one ID token, from JSON to the last rule: in a page and natively, beside other
//! people's libraries and the signature alone.

use anyhow::{Context, Result};
use gatepass_tests::environment;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{DecodingKey, Validation};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::process::Command;

use crate::arguments::Size;
use crate::browsing::Scene;
use crate::rows::{Row, progress};
use crate::server::Alg;

/// The page with all of them, and the client's id.
const PAGE: &str = "verify";

/// The signature alone: the least that there can be.
const ALONE: &str = "signature alone";

/// The rows, each with its values by algorithm.
type Found = BTreeMap<(&'static str, &'static str), BTreeMap<&'static str, Vec<f64>>>;

/// Measures both places with both algorithms.
///
/// # Errors
/// When somebody refuses the token.
pub(crate) async fn measure(size: Size) -> Result<Vec<Row>> {
    let mut found = Found::new();
    for alg in Alg::ALL {
        progress(&format!("{} in the page", alg.name()));
        in_the_page(size, alg, &mut found).await?;
        // New keys each time: how long an RSA key takes differs a little from key to key.
        for round in 1..=size.of(5, 1) {
            progress(&format!("{} natively, round {round}", alg.name()));
            natively(size, alg, &mut found).await?;
        }
    }
    let rows = found.into_iter().map(|((place, name), values)| {
        let mut row = Row::new("verify", name).note(place);
        for (alg, values) in &values {
            row = row.with(alg, "µs", values)?;
        }
        Ok(row)
    });
    rows.collect()
}

fn take(
    found: &mut Found,
    place: &'static str,
    name: &'static str,
    alg: Alg,
    values: impl IntoIterator<Item = f64>,
) {
    found.entry((place, name)).or_default().entry(alg.name()).or_default().extend(values);
}

/// What the page tells.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InThePage {
    gatepass: Vec<f64>,
    jose: Vec<f64>,
    jose_kept: Vec<f64>,
    alone: Vec<f64>,
}

async fn in_the_page(size: Size, alg: Alg, found: &mut Found) -> Result<()> {
    let scene = Scene::set_with(&[PAGE], Duration::ZERO, alg).await?;
    let page = scene.page(PAGE, scene.browser.first_tab());
    page.open_anew().await?;
    page.sign_in(true).await?;
    let script = "const [batches, size, done] = arguments;\
        measure(batches, size).then(done, (error) => done(String(error)))";
    let sizes = vec![json!(size.of(30, 3)), json!(size.of(50, 10))];
    let told = page.tab.run_async(script, sizes).await?;
    let shown = told.to_string();
    let told: InThePage = serde_json::from_value(told).context(shown)?;
    scene.browser.quit().await?;
    let place = "in the page";
    take(found, place, "gatepass", alg, told.gatepass);
    take(found, place, "jose", alg, told.jose);
    take(found, place, "jose, its key kept", alg, told.jose_kept);
    take(found, place, ALONE, alg, told.alone);
    Ok(())
}

/// What the client's own program tells, and the token that it measured.
#[derive(Deserialize)]
struct Natively {
    issuer: String,
    audience: String,
    key: Jwk,
    token: String,
    #[serde(rename = "jwt-compact")]
    jwt_compact: Times,
    #[serde(rename = "aws-lc-rs")]
    aws_lc: Times,
}

/// Microseconds.
#[derive(Deserialize)]
struct Times {
    whole: Vec<f64>,
    signature: Vec<f64>,
}

async fn natively(size: Size, alg: Alg, found: &mut Found) -> Result<()> {
    let batches = size.of(20, 3);
    let mut command = Command::new(environment::file("GATEPASS_NATIVE_VERIFIER")?);
    let told = command.args([alg.name(), &batches.to_string()]).output().await?;
    let told: Natively = serde_json::from_slice(&told.stdout)
        .with_context(|| String::from_utf8_lossy(&told.stderr).into_owned())?;
    let (portable, native) = ("natively, jwt-compact", "natively, aws-lc");
    take(found, portable, "gatepass", alg, told.jwt_compact.whole);
    take(found, portable, ALONE, alg, told.jwt_compact.signature);
    let mut rules = Validation::new(match alg {
        Alg::Es256 => jsonwebtoken::Algorithm::ES256,
        Alg::Rs256 => jsonwebtoken::Algorithm::RS256,
    });
    rules.set_audience(&[&told.audience]);
    rules.set_issuer(&[&told.issuer]);
    let key = DecodingKey::from_jwk(&told.key)?;
    let mut by_jsonwebtoken = Vec::new();
    for _ in 0..=batches {
        let began = Instant::now();
        for _ in 0..BATCH {
            jsonwebtoken::decode::<serde_json::Value>(&told.token, &key, &rules)?;
        }
        by_jsonwebtoken.push(began.elapsed().as_secs_f64() * 1e6 / f64::from(BATCH));
    }
    // As for ours: the first batch fills the processor's caches and is not counted.
    take(found, native, "jsonwebtoken", alg, by_jsonwebtoken.into_iter().skip(1));
    take(found, native, "gatepass", alg, told.aws_lc.whole);
    take(found, native, ALONE, alg, told.aws_lc.signature);
    Ok(())
}

/// As many as the client's own program times together.
const BATCH: u32 = 20;

//! Writes Wycheproof's vectors, as far as JOSE has the algorithm, in the lines that `src/lib.rs` reads.
//!
//! Done when the crate is built, so that the natively run tests and those in a browser hold the very
//! same set, and 30 MB of JSON stay out of a wasm module.

use std::{env, error::Error, fmt::Write as _, fs, path::Path};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::{Value, json};
use wycheproof::{TestResult, ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify};

/// By ECDSA's plain signatures, as JOSE has them (RFC 7518, 3.4): not those in DER.
const ECDSA: [(ecdsa::TestName, &str, &str); 3] = [
    (ecdsa::TestName::EcdsaSecp256r1Sha256P1363, "ES256", "P-256"),
    (ecdsa::TestName::EcdsaSecp384r1Sha384P1363, "ES384", "P-384"),
    (ecdsa::TestName::EcdsaSecp521r1Sha512P1363, "ES512", "P-521"),
];

/// RFC 7518, 3.3.
const PKCS1: [(rsa_pkcs1_verify::TestName, &str); 11] = [
    (rsa_pkcs1_verify::TestName::Rsa2048Sha256, "RS256"),
    (rsa_pkcs1_verify::TestName::Rsa2048Sha384, "RS384"),
    (rsa_pkcs1_verify::TestName::Rsa2048Sha512, "RS512"),
    (rsa_pkcs1_verify::TestName::Rsa3072Sha256, "RS256"),
    (rsa_pkcs1_verify::TestName::Rsa3072Sha384, "RS384"),
    (rsa_pkcs1_verify::TestName::Rsa3072Sha512, "RS512"),
    (rsa_pkcs1_verify::TestName::Rsa4096Sha256, "RS256"),
    (rsa_pkcs1_verify::TestName::Rsa4096Sha384, "RS384"),
    (rsa_pkcs1_verify::TestName::Rsa4096Sha512, "RS512"),
    (rsa_pkcs1_verify::TestName::Rsa8192Sha256, "RS256"),
    (rsa_pkcs1_verify::TestName::Rsa8192Sha512, "RS512"),
];

/// RFC 7518, 3.5: the salt is as long as the hash, and MGF1 takes the same hash.
const PSS: [(rsa_pss_verify::TestName, &str); 6] = [
    (rsa_pss_verify::TestName::RsaPss2048Sha256Mgf1SaltLen32, "PS256"),
    (rsa_pss_verify::TestName::RsaPss3072Sha256Mgf1SaltLen32, "PS256"),
    (rsa_pss_verify::TestName::RsaPss4096Sha256Mgf1SaltLen32, "PS256"),
    (rsa_pss_verify::TestName::RsaPss2048Sha384Mgf1SaltLen48, "PS384"),
    (rsa_pss_verify::TestName::RsaPss4096Sha384Mgf1SaltLen48, "PS384"),
    (rsa_pss_verify::TestName::RsaPss4096Sha512Mgf1SaltLen64, "PS512"),
];

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let mut lines = String::new();
    for (name, algorithm, curve) in ECDSA {
        for group in ecdsa::TestSet::load(name)?.test_groups {
            // An uncompressed point: 4, x, y (SEC 1, 2.3.3).
            let point = group.key.key.as_ref();
            let half = point.len() / 2;
            let (x, y) = (&point[1..=half], &point[half + 1..]);
            let key = json!({ "kty": "EC", "crv": curve, "x": encode(x), "y": encode(y) });
            for test in &group.tests {
                line(&mut lines, algorithm, &key, test.tc_id, &test.msg, &test.sig, test.result)?;
            }
        }
    }
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519)?.test_groups {
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(group.key.pk.as_ref()) });
        for test in &group.tests {
            line(&mut lines, "EdDSA", &key, test.tc_id, &test.msg, &test.sig, test.result)?;
        }
    }
    for (name, algorithm) in PKCS1 {
        for group in rsa_pkcs1_verify::TestSet::load(name)?.test_groups {
            let key = rsa(&group.key.n, &group.key.e);
            for test in &group.tests {
                line(&mut lines, algorithm, &key, test.tc_id, &test.msg, &test.sig, test.result)?;
            }
        }
    }
    for (name, algorithm) in PSS {
        for group in rsa_pss_verify::TestSet::load(name)?.test_groups {
            let key = rsa(&group.key.n, &group.key.e);
            for test in &group.tests {
                line(&mut lines, algorithm, &key, test.tc_id, &test.msg, &test.sig, test.result)?;
            }
        }
    }
    let directory = env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?;
    fs::write(Path::new(&directory).join("wycheproof.txt"), lines)?;
    Ok(())
}

fn rsa(n: impl AsRef<[u8]>, e: impl AsRef<[u8]>) -> Value {
    // RFC 7518, 6.3.1.1: no zeros in front, which Wycheproof writes to keep a number positive.
    let number = |bytes: &[u8]| {
        let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(0);
        encode(&bytes[start..])
    };
    json!({ "kty": "RSA", "n": number(n.as_ref()), "e": number(e.as_ref()) })
}

fn line(
    lines: &mut String,
    algorithm: &str,
    key: &Value,
    number: usize,
    input: impl AsRef<[u8]>,
    signature: impl AsRef<[u8]>,
    result: TestResult,
) -> Result<()> {
    let verdict = match result {
        TestResult::Valid => "right",
        TestResult::Invalid => "wrong",
        TestResult::Acceptable => "either",
    };
    let (input, signature) = (encode(input.as_ref()), encode(signature.as_ref()));
    writeln!(lines, "{number}\t{algorithm}\t{key}\t{input}\t{signature}\t{verdict}")?;
    Ok(())
}

fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

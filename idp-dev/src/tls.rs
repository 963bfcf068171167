//! Serving https: the certificate and its key, checked once at the start.
//!
//! A certificate that a browser would refuse is refused here, in words: the browser's own page says
//! little, and a `fetch` that fails for it says nothing at all.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::verify_server_name;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, ServerConfig};
use tokio_rustls::TlsAcceptor;
use url::Url;
use x509_parser::parse_x509_certificate;
use x509_parser::time::ASN1Time;

use idp_dev::Config;

use crate::cli::Arguments;

/// What makes TLS of connections, if the arguments ask for it.
///
/// # Errors
/// [`TlsError`] when a file is missing or wrong, or when no browser would accept the certificate at
/// the issuer's name now.
pub(crate) fn acceptor(
    arguments: &Arguments,
    config: &Config,
) -> Result<Option<TlsAcceptor>, TlsError> {
    // The arguments are read so that there are both or neither.
    let (Some(cert), Some(key)) = (&arguments.tls_cert, &arguments.tls_key) else {
        return Ok(None);
    };
    let mut server = server_config(cert, key, config.issuer())?;
    if config.speaks_http2() {
        server.alpn_protocols = vec![HTTP_2.to_vec(), HTTP_1.to_vec()];
    }
    Ok(Some(TlsAcceptor::from(Arc::new(server))))
}

/// RFC 7301, 6; RFC 9113, 3.2: what is spoken after the handshake, as both agree.
pub(crate) const HTTP_2: &[u8] = b"h2";
const HTTP_1: &[u8] = b"http/1.1";

fn server_config(cert: &Path, key: &Path, issuer: &str) -> Result<ServerConfig, TlsError> {
    let failed = |file: &Path, problem| TlsError { file: file.to_owned(), problem };
    let host = https_host(issuer)
        .ok_or_else(|| failed(cert, Problem::IssuerIsNotHttps(issuer.to_owned())))?;
    let chain = read_chain(cert).map_err(|problem| failed(cert, problem))?;
    let private = read_key(key).map_err(|problem| failed(key, problem))?;
    if let Some(leaf) = chain.first() {
        check_leaf(leaf, &host).map_err(|problem| failed(cert, problem))?;
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let certified = CertifiedKey::from_der(chain, private, &provider).map_err(|error| {
        failed(
            key,
            match error {
                rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                    Problem::KeyOfAnother
                }
                other => Problem::KeyUnusable(other.to_string()),
            },
        )
    })?;
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(cert, Problem::CertSyntax(error.to_string())))?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(certified)));
    Ok(config)
}

/// The host of an issuer, if browsers are to find it by https.
fn https_host(issuer: &str) -> Option<String> {
    let url = Url::parse(issuer).ok()?;
    let host = url.host_str()?;
    // An IPv6 address stands in brackets in an address, without them in a certificate.
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (url.scheme() == "https").then(|| host.to_owned())
}

fn read_chain(file: &Path) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let text = std::fs::read(file).map_err(Problem::CertFile)?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|error| Problem::CertSyntax(error.to_string()))?;
    if chain.is_empty() {
        return Err(Problem::CertSyntax("no certificate".to_owned()));
    }
    Ok(chain)
}

fn read_key(file: &Path) -> Result<PrivateKeyDer<'static>, Problem> {
    let text = std::fs::read(file).map_err(Problem::KeyFile)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| {
        Problem::KeySyntax(match error {
            pem::Error::NoItemsFound => "no private key".to_owned(),
            // It tells where the text stops to be PEM, never what stands there.
            other => other.to_string(),
        })
    })
}

/// What a browser asks of the server's own certificate before it asks who signed it.
fn check_leaf(leaf: &CertificateDer<'_>, host: &str) -> Result<(), Problem> {
    let syntax = |error: String| Problem::CertSyntax(error);
    let (_, parsed) = parse_x509_certificate(leaf).map_err(|error| syntax(error.to_string()))?;
    // RFC 5280, 4.1.2.5: both ends belong to the time of validity.
    let (validity, now) = (parsed.validity(), ASN1Time::now());
    if now < validity.not_before {
        return Err(Problem::NotYetValid(validity.not_before.to_string()));
    }
    if now > validity.not_after {
        return Err(Problem::Expired(validity.not_after.to_string()));
    }
    // RFC 9525, 6: the names are those of subjectAltName, never the common name.
    let parsed = ParsedCertificate::try_from(leaf).map_err(|error| syntax(error.to_string()))?;
    let fits =
        ServerName::try_from(host).is_ok_and(|name| verify_server_name(&parsed, &name).is_ok());
    if fits { Ok(()) } else { Err(Problem::OtherName(host.to_owned())) }
}

/// A certificate or key that cannot be served, and which file it is.
#[derive(Debug)]
pub(crate) struct TlsError {
    file: PathBuf,
    problem: Problem,
}

#[derive(Debug)]
enum Problem {
    CertFile(std::io::Error),
    KeyFile(std::io::Error),
    CertSyntax(String),
    KeySyntax(String),
    KeyUnusable(String),
    KeyOfAnother,
    NotYetValid(String),
    Expired(String),
    OtherName(String),
    IssuerIsNotHttps(String),
}

impl Problem {
    /// Stable; one for each thing that a person would have to change.
    fn code(&self) -> &'static str {
        match self {
            Self::CertFile(_) => "tls_cert_file",
            Self::KeyFile(_) => "tls_key_file",
            Self::CertSyntax(_) => "tls_cert_syntax",
            Self::KeySyntax(_) | Self::KeyUnusable(_) => "tls_key_syntax",
            Self::KeyOfAnother => "tls_key_mismatch",
            Self::NotYetValid(_) => "tls_cert_not_yet_valid",
            Self::Expired(_) => "tls_cert_expired",
            Self::OtherName(_) => "tls_cert_name",
            Self::IssuerIsNotHttps(_) => "tls_issuer",
        }
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, problem } = self;
        write!(f, "{}: expected ", file.display())?;
        match problem {
            Problem::CertFile(error) => {
                write!(f, "a readable file with the certificate, found: {error}")
            }
            Problem::KeyFile(error) => {
                write!(f, "a readable file with the certificate's key, found: {error}")
            }
            Problem::CertSyntax(found) => write!(f, "certificates in PEM, found: {found}"),
            Problem::KeySyntax(found) => write!(f, "a private key in PEM, found: {found}"),
            Problem::KeyUnusable(found) => {
                write!(f, "a private key of RSA, ECDSA or Ed25519, found: {found}")
            }
            Problem::KeyOfAnother => {
                write!(f, "the private key of the certificate in --tls-cert, found another's")
            }
            Problem::NotYetValid(from) => {
                write!(f, "a certificate that is valid now, found one that is from {from} on")
            }
            Problem::Expired(until) => {
                write!(f, "a certificate that is valid now, found one that was until {until}")
            }
            Problem::OtherName(host) => {
                write!(f, "a certificate for {host}, the issuer's host, found other names")
            }
            Problem::IssuerIsNotHttps(issuer) => {
                write!(f, "an issuer that begins with https:// to serve it for, found {issuer}")
            }
        }?;
        write!(f, " ({})", problem.code())
    }
}

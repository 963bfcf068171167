//! https: the certificate that this API shows, and the authority that it believes.

use anyhow::{Context, Result};
use axum_server::tls_rustls::RustlsConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::path::Path;
use std::sync::Arc;

/// What serves https.
///
/// # Errors
/// When a file cannot be read, or the key is not the certificate's.
pub(crate) fn server(cert: &Path, key: &Path) -> Result<RustlsConfig> {
    let chain = certificates(cert)?;
    let private = PrivateKeyDer::from_pem_file(key)
        .with_context(|| format!("no private key in {}", key.display()))?;
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, private)?;
    Ok(RustlsConfig::from_config(Arc::new(config)))
}

/// What asks by https: it believes the authority of that file, and without a file nobody.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn client(authority: Option<&Path>) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in authority.map(certificates).transpose()?.into_iter().flatten() {
        roots.add(certificate)?;
    }
    Ok(ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let read = || CertificateDer::pem_file_iter(file)?.collect::<Result<Vec<_>, _>>();
    let found = read().with_context(|| format!("no certificates in {}", file.display()))?;
    anyhow::ensure!(!found.is_empty(), "no certificates in {}", file.display());
    Ok(found)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

//! https for the demo: an authority of this working tree, and a certificate for each run.
//!
//! A person trusts the authority once, so its key stays, readable by its owner only. It can speak
//! for names under `localhost` and for nothing else, by name constraints, so that whoever steals
//! the key gains little. Nothing is ever trusted by this program: that is a person's decision, made
//! with a person's commands (docs/tls.md).

use anyhow::{Context, Result};
use axum_server::tls_rustls::RustlsConfig;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, PublicKeyData,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use time::{Duration, OffsetDateTime};
use x509_parser::parse_x509_certificate;

use crate::workspace;

/// How long a person's trust lasts.
const AUTHORITY_LIFE: Duration = Duration::days(365);

/// An authority that ends sooner is replaced at the start, not in the middle of a demo.
const AUTHORITY_REST: Duration = Duration::days(14);

/// A run's certificate is renewed at each start; a demo that runs for a week is started again.
const LEAF_LIFE: Duration = Duration::days(7);

/// Clocks of a machine and its virtual machines differ by some minutes.
const SLACK: Duration = Duration::hours(1);

/// The one name under which the authority may certify.
const NAME: &str = "localhost";

/// The certificate of one run, as files for the provider and as configuration for the pages.
pub(super) struct Tls {
    /// The run's certificate and the authority's after it.
    pub(super) cert: PathBuf,
    /// Its key.
    pub(super) key: PathBuf,
    /// What serves the pages.
    pub(super) config: RustlsConfig,
    /// Who has signed it.
    pub(super) authority: Authority,
}

/// Certifies the names for one run; its files go to `directory`.
///
/// # Errors
/// When a file cannot be read or written.
pub(super) fn certify(names: &[&str], directory: &Path) -> Result<Tls> {
    // Two demos may start at once and would make two authorities.
    let _lock = workspace::lock("demo/tls")?;
    let home = workspace::output("demo/tls");
    let (authority, issuer) = Authority::of(&home, OffsetDateTime::now_utc())?;
    fs::create_dir_all(directory)?;
    let (chain, private) = leaf(names, &authority, &issuer)?;
    let (cert, key) = (directory.join("cert.pem"), directory.join("key.pem"));
    write(&cert, &chain)?;
    write_secret(&key, &private)?;
    let config = RustlsConfig::from_config(Arc::new(server_config(&chain, &private)?));
    Ok(Tls { cert, key, config, authority })
}

/// What a person may trust.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Authority {
    /// Its certificate's file.
    pub(super) file: PathBuf,
    /// How stores of certificates call it: it tells this tree's authority from another's.
    pub(super) name: String,
    /// When its certificate ends.
    until: OffsetDateTime,
    /// Whether it was made just now.
    is_new: bool,
    pem: String,
}

impl Authority {
    /// The one kept in `home`, or a new one when there is none that will do.
    fn of(home: &Path, now: OffsetDateTime) -> Result<(Self, Issuer<'static, KeyPair>)> {
        match Self::kept(home, now) {
            Some(kept) => Ok(kept),
            None => Self::make(home, now),
        }
    }

    /// The one kept in `home`, unless it is not whole, or about to end.
    fn kept(home: &Path, now: OffsetDateTime) -> Option<(Self, Issuer<'static, KeyPair>)> {
        let (file, key_file) = files(home);
        let pem = fs::read_to_string(&file).ok()?;
        let key = KeyPair::from_pem(&fs::read_to_string(key_file).ok()?).ok()?;
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
        let (_, parsed) = parse_x509_certificate(&der).ok()?;
        let until = parsed.validity().not_after.to_datetime();
        // The key of another authority would sign what nobody trusts.
        let fits = parsed.public_key().raw == key.subject_public_key_info().as_slice();
        if !fits || until - now < AUTHORITY_REST {
            return None;
        }
        let name = parsed.subject().iter_common_name().next()?.as_str().ok()?.to_owned();
        let issuer = Issuer::from_ca_cert_der(&der, key).ok()?;
        Some((Self { file, name, until, is_new: false, pem }, issuer))
    }

    fn make(home: &Path, now: OffsetDateTime) -> Result<(Self, Issuer<'static, KeyPair>)> {
        let key = KeyPair::generate()?;
        let until = now + AUTHORITY_LIFE;
        let mut params = CertificateParams::default();
        let id: String =
            params.key_identifier(&key).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let name = format!("Gatepass demo authority {id}");
        params.distinguished_name = named(&name);
        (params.not_before, params.not_after) = (now - SLACK, until);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.name_constraints = Some(constraints());
        let pem = params.self_signed(&key)?.pem();
        let (file, key_file) = files(home);
        // The key first: a certificate without one is replaced at the next start.
        write_secret(&key_file, &key.serialize_pem())?;
        write(&file, &pem)?;
        let issuer = Issuer::new(params, key);
        Ok((Self { file, name, until, is_new: true, pem }, issuer))
    }

    /// Says where it is and how a person trusts it.
    pub(super) fn tell(&self) {
        let Self { name, until, .. } = self;
        let file = self.file.display();
        let made = if self.is_new { ", made just now" } else { "" };
        eprintln!(
            "https with a certificate of this tree's own authority{made}:
      {file}
      \"{name}\", until {}, for names under localhost only.
Browsers warn until you trust it, by one of these (docs/tls.md has the rest, and how to undo it):
      Chromium on Linux  certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n \"{name}\" -i \"{file}\"
      macOS              security add-trusted-cert -p ssl -k ~/Library/Keychains/login.keychain-db \"{file}\"
      Windows            certutil -user -addstore Root \"{file}\"
      Firefox            Settings, Certificates, View Certificates, Authorities, Import: this file",
            until.date()
        );
    }
}

/// The authority's certificate and key.
fn files(home: &Path) -> (PathBuf, PathBuf) {
    (home.join("authority.pem"), home.join("authority-key.pem"))
}

/// RFC 5280, 4.2.1.10: a permitted name restricts names of its own kind only. So addresses, which
/// are another kind, are excluded, all of them. `localhost` stands for the names below it too.
fn constraints() -> NameConstraints {
    let any = |address: IpAddr| GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, 0));
    NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName(NAME.to_owned())],
        excluded_subtrees: vec![
            any(Ipv4Addr::UNSPECIFIED.into()),
            any(Ipv6Addr::UNSPECIFIED.into()),
        ],
    }
}

/// A run's certificate with the authority's after it, and its key, both in PEM.
fn leaf(
    names: &[&str],
    authority: &Authority,
    issuer: &Issuer<'static, KeyPair>,
) -> Result<(String, String)> {
    let key = KeyPair::generate()?;
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = named("Gatepass demo");
    let now = OffsetDateTime::now_utc();
    (params.not_before, params.not_after) = (now - SLACK, now + LEAF_LIFE);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let cert = params.signed_by(&key, issuer)?;
    Ok((format!("{}{}", cert.pem(), authority.pem), key.serialize_pem()))
}

fn named(name: &str) -> rcgen::DistinguishedName {
    let mut distinguished = rcgen::DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn server_config(chain: &str, key: &str) -> Result<ServerConfig> {
    let chain = CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes())?;
    Ok(ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?)
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Writes what only its owner may read, from the first moment on.
fn write_secret(path: &Path, text: &str) -> Result<()> {
    use std::io::Write;
    // An older file would keep whatever rights it has.
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot replace {}", path.display()));
        }
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier;
    use rustls::pki_types::{ServerName, UnixTime};
    use rustls::{CertificateError, RootCertStore};

    fn home(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("gatepass-tls-{}-{name}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        dir
    }

    /// What a client that trusts the authority says to a certificate for `certified` at `visited`.
    fn judge(
        authority: &Authority,
        issuer: &Issuer<'static, KeyPair>,
        certified: &str,
        visited: &str,
        days: u64,
    ) -> Result<(), rustls::Error> {
        let (chain, _) = leaf(&[certified], authority, issuer).unwrap();
        let chain: Vec<_> =
            CertificateDer::pem_slice_iter(chain.as_bytes()).map(Result::unwrap).collect();
        let mut roots = RootCertStore::empty();
        roots.add(chain[1].clone()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let name = ServerName::try_from(visited.to_owned()).unwrap();
        let later = UnixTime::now().as_secs() + days * 24 * 60 * 60;
        let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(later));
        verifier.verify_server_cert(&chain[0], &chain[1..], &name, &[], at).map(drop)
    }

    #[test]
    fn certifies_names_under_localhost_and_nothing_else() {
        let home = home("names");
        let (authority, issuer) = Authority::of(&home, OffsetDateTime::now_utc()).unwrap();
        for name in ["localhost", "idp.localhost", "pied-piper.localhost"] {
            assert_eq!(judge(&authority, &issuer, name, name, 0), Ok(()), "{name}");
        }
        for name in ["example.com", "notlocalhost", "localhost.example", "127.0.0.1", "::1"] {
            let judged = judge(&authority, &issuer, name, name, 0);
            // Whoever has the key can sign it; whoever trusts the authority does not believe it.
            let refused = format!("{:?}", judged.unwrap_err());
            assert!(refused.contains("NameConstraintViolation"), "{name}: {refused}");
        }
        fs::remove_dir_all(home).unwrap();
    }

    #[test]
    fn certificate_of_a_run_ends_within_days() {
        let home = home("days");
        let (authority, issuer) = Authority::of(&home, OffsetDateTime::now_utc()).unwrap();
        let name = "idp.localhost";
        assert_eq!(judge(&authority, &issuer, name, name, 6), Ok(()));
        let late = judge(&authority, &issuer, name, name, 8).unwrap_err();
        let expired = |error: &CertificateError| {
            matches!(error, CertificateError::Expired | CertificateError::ExpiredContext { .. })
        };
        assert!(matches!(&late, rustls::Error::InvalidCertificate(why) if expired(why)), "{late}");
        fs::remove_dir_all(home).unwrap();
    }

    #[test]
    fn authority_stays_until_it_is_about_to_end_or_is_not_whole() {
        let home = home("stays");
        let now = OffsetDateTime::now_utc();
        let (first, _) = Authority::of(&home, now).unwrap();
        assert!(first.is_new);
        let (again, issuer) = Authority::of(&home, now + Duration::days(300)).unwrap();
        assert!(!again.is_new);
        assert_eq!((&again.name, &again.pem), (&first.name, &first.pem));
        // What it signs after it was read again is as good as before.
        assert_eq!(judge(&again, &issuer, "localhost", "localhost", 0), Ok(()));

        let (next, _) = Authority::of(&home, now + Duration::days(360)).unwrap();
        assert!(next.is_new && next.name != first.name);

        let (file, key) = files(&home);
        for break_it in [
            &|| fs::write(&key, KeyPair::generate().unwrap().serialize_pem()).unwrap(),
            &|| fs::write(&file, "nothing").unwrap(),
            &|| fs::remove_file(&key).unwrap(),
        ] as [&dyn Fn(); 3]
        {
            assert!(!Authority::of(&home, now).unwrap().0.is_new);
            break_it();
            assert!(Authority::of(&home, now).unwrap().0.is_new);
        }
        fs::remove_dir_all(home).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn keys_are_their_owners_only() {
        use std::os::unix::fs::PermissionsExt;
        let home = home("rights");
        let (_, key) = files(&home);
        fs::write(&key, "an older one that everybody may read").unwrap();
        Authority::of(&home, OffsetDateTime::now_utc()).unwrap();
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        fs::remove_dir_all(home).unwrap();
    }
}

use std::fmt;
use std::io;
use std::sync::Arc;
#[cfg(feature = "rustls-native-roots")]
use std::sync::OnceLock;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::{BoxedIo, Encrypt, Encrypting};
use crate::error::{BuildError, ConnectError};

#[derive(Clone, Copy)]
pub(super) enum Roots {
    #[cfg(feature = "rustls-native-roots")]
    Native,
    #[cfg(feature = "rustls-webpki-roots")]
    Webpki,
    None,
}

pub(super) fn connector(roots: Roots, more: &[Vec<u8>]) -> Result<Arc<dyn Encrypt>, BuildError> {
    let mut store = match roots {
        #[cfg(feature = "rustls-native-roots")]
        Roots::Native => native_roots().clone(),
        #[cfg(feature = "rustls-webpki-roots")]
        Roots::Webpki => RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        },
        Roots::None => RootCertStore::empty(),
    };
    for pem in more {
        add(&mut store, pem)?;
    }
    if store.is_empty() {
        return Err(BuildError::invalid(
            "tls",
            "there is no authority to trust: the operating system names none, and no root certificate was given",
        ));
    }
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| BuildError::Tls(Arc::new(error)))?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(Arc::new(Rustls(Arc::new(config).into())))
}

fn add(store: &mut RootCertStore, pem: &[u8]) -> Result<(), BuildError> {
    let mut found = false;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate
            .map_err(|error| BuildError::invalid("tls", format!("a root certificate: {error}")))?;
        store
            .add(certificate)
            .map_err(|error| BuildError::invalid("tls", format!("a root certificate: {error}")))?;
        found = true;
    }
    if !found {
        return Err(BuildError::invalid(
            "tls",
            "a root certificate that is not PEM",
        ));
    }
    Ok(())
}

/// Read once a process: that takes some time, and thousands of sockets may want them.
#[cfg(feature = "rustls-native-roots")]
fn native_roots() -> &'static RootCertStore {
    static ROOTS: OnceLock<RootCertStore> = OnceLock::new();
    ROOTS.get_or_init(|| {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "some of the operating system's root certificates can't be read");
        }
        let mut store = RootCertStore::empty();
        let (_, ignored) = store.add_parsable_certificates(found.certs);
        if ignored > 0 {
            tracing::debug!(ignored, "some of the operating system's root certificates are not usable");
        }
        store
    })
}

struct Rustls(TlsConnector);

impl fmt::Debug for Rustls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rustls")
    }
}

impl Encrypt for Rustls {
    fn encrypt<'a>(&'a self, server_name: &'a str, stream: BoxedIo) -> Encrypting<'a> {
        Box::pin(async move {
            let name = ServerName::try_from(server_name.to_owned())
                .map_err(|error| ConnectError::Tls(Arc::new(error)))?;
            let stream = self.0.connect(name, stream).await;
            let stream = stream.map_err(|error| match error.kind() {
                // rustls itself has something against it.
                io::ErrorKind::InvalidData => ConnectError::Tls(Arc::new(error)),
                _ => error.into(),
            })?;
            Ok(Box::new(stream) as BoxedIo)
        })
    }
}

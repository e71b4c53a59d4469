use std::fmt;
use std::sync::Arc;
#[cfg(feature = "__rustls")]
use std::sync::OnceLock;

use super::BoxedIo;
use crate::error::{BuildError, ConnectError};

/// How `wss://` is done, and whom it trusts.
///
/// The default is the first of the crate's features that is on: `rustls-native-roots` (what the operating system
/// trusts; the default feature), `rustls-webpki-roots` (Mozilla's list, compiled in), `native-tls` (the operating
/// system's own TLS). With none of them there is only `ws://`.
///
/// ```
/// # #[cfg(feature = "rustls-native-roots")] {
/// use presence_native::Tls;
///
/// // A private authority's certificate, in PEM, trusted beside the usual ones.
/// # let pem = "";
/// let tls = Tls::rustls_native_roots().with_root_certificate(pem);
/// # }
/// ```
#[derive(Clone)]
pub struct Tls {
    backend: Backend,
    roots: Vec<Vec<u8>>,
}

#[derive(Clone, Copy, Debug)]
enum Backend {
    #[cfg(feature = "rustls-native-roots")]
    RustlsNativeRoots,
    #[cfg(feature = "rustls-webpki-roots")]
    RustlsWebpkiRoots,
    #[cfg(feature = "__rustls")]
    RustlsNoRoots,
    #[cfg(feature = "native-tls")]
    NativeTls,
    None,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("backend", &self.backend)
            .field("root_certificates", &self.roots.len())
            .finish()
    }
}

impl Default for Tls {
    fn default() -> Self {
        let backends = [
            #[cfg(feature = "rustls-native-roots")]
            Backend::RustlsNativeRoots,
            #[cfg(feature = "rustls-webpki-roots")]
            Backend::RustlsWebpkiRoots,
            #[cfg(feature = "native-tls")]
            Backend::NativeTls,
            Backend::None,
        ];
        Self::new(backends[0])
    }
}

impl Tls {
    const fn new(backend: Backend) -> Self {
        Self {
            backend,
            roots: Vec::new(),
        }
    }

    /// rustls, trusting what the operating system trusts.
    #[cfg(feature = "rustls-native-roots")]
    pub const fn rustls_native_roots() -> Self {
        Self::new(Backend::RustlsNativeRoots)
    }

    /// rustls, trusting Mozilla's list of authorities.
    #[cfg(feature = "rustls-webpki-roots")]
    pub const fn rustls_webpki_roots() -> Self {
        Self::new(Backend::RustlsWebpkiRoots)
    }

    /// rustls, trusting nobody but the given
    /// [`with_root_certificate`](Self::with_root_certificate)s.
    #[cfg(any(feature = "rustls-native-roots", feature = "rustls-webpki-roots"))]
    pub const fn rustls_no_roots() -> Self {
        Self::new(Backend::RustlsNoRoots)
    }

    /// The operating system's own TLS.
    #[cfg(feature = "native-tls")]
    pub const fn native_tls() -> Self {
        Self::new(Backend::NativeTls)
    }

    /// Trusts these authorities too: one or more certificates in PEM. Read when the socket is built.
    #[must_use]
    pub fn with_root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    pub(crate) fn connector(&self) -> Result<TlsConnector, BuildError> {
        match self.backend {
            #[cfg(feature = "rustls-native-roots")]
            Backend::RustlsNativeRoots => rustls::connector(rustls::Roots::Native, &self.roots),
            #[cfg(feature = "rustls-webpki-roots")]
            Backend::RustlsWebpkiRoots => rustls::connector(rustls::Roots::Webpki, &self.roots),
            #[cfg(feature = "__rustls")]
            Backend::RustlsNoRoots => rustls::connector(rustls::Roots::None, &self.roots),
            #[cfg(feature = "native-tls")]
            Backend::NativeTls => native::connector(&self.roots),
            Backend::None => Err(BuildError::invalid(
                "endpoint",
                "wss:// needs one of presence-native's features rustls-native-roots, rustls-webpki-roots, native-tls",
            )),
        }
    }
}

/// Turns a stream into an encrypted one.
#[derive(Clone)]
pub(crate) enum TlsConnector {
    #[cfg(feature = "__rustls")]
    Rustls(tokio_rustls::TlsConnector),
    #[cfg(feature = "native-tls")]
    Native(tokio_native_tls::TlsConnector),
}

impl fmt::Debug for TlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsConnector")
    }
}

impl TlsConnector {
    pub(crate) async fn connect(
        &self,
        server_name: &str,
        stream: BoxedIo,
    ) -> Result<BoxedIo, ConnectError> {
        match *self {
            #[cfg(feature = "__rustls")]
            Self::Rustls(ref connector) => rustls::connect(connector, server_name, stream).await,
            #[cfg(feature = "native-tls")]
            Self::Native(ref connector) => native::connect(connector, server_name, stream).await,
        }
    }
}

#[cfg(feature = "__rustls")]
mod rustls {
    use tokio_rustls::rustls::crypto::ring;
    use tokio_rustls::rustls::pki_types::pem::PemObject as _;
    use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
    use tokio_rustls::rustls::{ClientConfig, RootCertStore};

    use super::{Arc, BoxedIo, BuildError, ConnectError, OnceLock, TlsConnector};

    #[derive(Clone, Copy)]
    pub(super) enum Roots {
        #[cfg(feature = "rustls-native-roots")]
        Native,
        #[cfg(feature = "rustls-webpki-roots")]
        Webpki,
        None,
    }

    pub(super) fn connector(roots: Roots, more: &[Vec<u8>]) -> Result<TlsConnector, BuildError> {
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
        Ok(TlsConnector::Rustls(Arc::new(config).into()))
    }

    fn add(store: &mut RootCertStore, pem: &[u8]) -> Result<(), BuildError> {
        let mut found = false;
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| {
                BuildError::invalid("tls", format!("a root certificate: {error}"))
            })?;
            store.add(certificate).map_err(|error| {
                BuildError::invalid("tls", format!("a root certificate: {error}"))
            })?;
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

    pub(super) async fn connect(
        connector: &tokio_rustls::TlsConnector,
        server_name: &str,
        stream: BoxedIo,
    ) -> Result<BoxedIo, ConnectError> {
        let name = ServerName::try_from(server_name.to_owned())
            .map_err(|error| ConnectError::Tls(Arc::new(error)))?;
        let stream = connector
            .connect(name, stream)
            .await
            .map_err(|error| ConnectError::Tls(Arc::new(error)))?;
        Ok(Box::new(stream))
    }
}

#[cfg(feature = "native-tls")]
mod native {
    use super::{Arc, BoxedIo, BuildError, ConnectError, TlsConnector};

    pub(super) fn connector(more: &[Vec<u8>]) -> Result<TlsConnector, BuildError> {
        let mut builder = native_tls::TlsConnector::builder();
        for pem in more {
            let certificates = native_tls::Certificate::stack_from_pem(pem).map_err(|error| {
                BuildError::invalid("tls", format!("a root certificate: {error}"))
            })?;
            for certificate in certificates {
                builder.add_root_certificate(certificate);
            }
        }
        let connector = builder
            .build()
            .map_err(|error| BuildError::Tls(Arc::new(error)))?;
        Ok(TlsConnector::Native(connector.into()))
    }

    pub(super) async fn connect(
        connector: &tokio_native_tls::TlsConnector,
        server_name: &str,
        stream: BoxedIo,
    ) -> Result<BoxedIo, ConnectError> {
        let stream = connector
            .connect(server_name, stream)
            .await
            .map_err(|error| ConnectError::Tls(Arc::new(error)))?;
        Ok(Box::new(stream))
    }
}

#[cfg(feature = "native-tls")]
mod native;
#[cfg(feature = "__rustls")]
mod rustls;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

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
/// use presence_native::{Socket, Tls};
///
/// // A private authority's certificate, in PEM, trusted beside the usual ones.
/// # let pem = "";
/// let tls = Tls::rustls_native_roots().with_root_certificate(pem);
/// let builder = Socket::builder("wss://chat.internal/socket").tls(tls);
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
    #[cfg(feature = "__rustls")]
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

    pub(crate) fn connector(&self) -> Result<Arc<dyn Encrypt>, BuildError> {
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

pub(crate) type Encrypting<'a> =
    Pin<Box<dyn Future<Output = Result<BoxedIo, ConnectError>> + Send + 'a>>;

/// Turns a stream into an encrypted one.
pub(crate) trait Encrypt: fmt::Debug + Send + Sync {
    fn encrypt<'a>(&'a self, server_name: &'a str, stream: BoxedIo) -> Encrypting<'a>;
}

use std::fmt;
use std::sync::Arc;

use tokio_native_tls::TlsConnector;

use super::{BoxedIo, Encrypt, Encrypting};
use crate::error::{BuildError, ConnectError};

pub(super) fn connector(more: &[Vec<u8>]) -> Result<Arc<dyn Encrypt>, BuildError> {
    let mut builder = native_tls::TlsConnector::builder();
    for pem in more {
        let certificates = native_tls::Certificate::stack_from_pem(pem)
            .map_err(|error| BuildError::invalid("tls", format!("a root certificate: {error}")))?;
        if certificates.is_empty() {
            return Err(BuildError::invalid(
                "tls",
                "a root certificate that is not PEM",
            ));
        }
        for certificate in certificates {
            builder.add_root_certificate(certificate);
        }
    }
    let connector = builder
        .build()
        .map_err(|error| BuildError::Tls(Arc::new(error)))?;
    Ok(Arc::new(Native(connector.into())))
}

struct Native(TlsConnector);

impl fmt::Debug for Native {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Native")
    }
}

impl Encrypt for Native {
    fn encrypt<'a>(&'a self, server_name: &'a str, stream: BoxedIo) -> Encrypting<'a> {
        Box::pin(async move {
            let stream = self.0.connect(server_name, stream).await;
            let stream = stream.map_err(|error| ConnectError::Tls(Arc::new(error)))?;
            Ok(Box::new(stream) as BoxedIo)
        })
    }
}

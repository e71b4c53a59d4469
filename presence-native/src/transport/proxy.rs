use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use tower_service::Service as _;

use super::BoxedIo;
use crate::error::{BuildError, ConnectError};

/// An HTTP proxy that opens tunnels by CONNECT.
pub(crate) struct Proxy(Tunnel<HttpConnector>);

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proxy")
    }
}

impl Proxy {
    pub(crate) fn new(url: &str, auth: Option<(String, String)>) -> Result<Self, BuildError> {
        let invalid = |problem: &str| BuildError::invalid("proxy", problem);
        let uri: Uri = url.parse().map_err(|_| invalid("it is no URL"))?;
        if uri.scheme_str() != Some("http") || uri.host().is_none() {
            return Err(invalid("expected http://HOST:PORT"));
        }
        if uri
            .authority()
            .is_some_and(|authority| authority.as_str().contains('@'))
        {
            return Err(invalid(
                "a user name or a password has no place in it; see `proxy_with_password`",
            ));
        }
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let mut tunnel = Tunnel::new(uri, connector);
        if let Some((user, password)) = auth {
            let credentials = STANDARD.encode(format!("{user}:{password}"));
            let value = HeaderValue::try_from(format!("Basic {credentials}"));
            tunnel =
                tunnel.with_auth(value.map_err(|_| invalid("its password can't be in a header"))?);
        }
        Ok(Self(tunnel))
    }

    /// A connection to `host:port` through the proxy.
    pub(super) async fn tunnel(&self, host: &str, port: u16) -> Result<BoxedIo, ConnectError> {
        let destination: Uri = format!("http://{host}:{port}")
            .parse()
            .map_err(|error| ConnectError::Proxy(Arc::new(error)))?;
        let mut tunnel = self.0.clone();
        let failed = |error| ConnectError::Proxy(Arc::new(error));
        poll_fn(|cx| tunnel.poll_ready(cx)).await.map_err(failed)?;
        let stream = tunnel.call(destination).await.map_err(failed)?;
        Ok(Box::new(stream.into_inner()))
    }
}

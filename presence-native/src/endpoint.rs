//! Where to connect, and as whom.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use futures_util::FutureExt as _;
use http::header::{self, HeaderName, HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use presence_core::message::Vsn;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use url::Url;

use crate::error::{BuildError, ConnectError};

pub(crate) type TokenFuture =
    Pin<Box<dyn Future<Output = Result<String, Arc<dyn StdError + Send + Sync>>> + Send>>;

/// Where the auth token comes from.
#[derive(Clone)]
pub(crate) enum Token {
    Fixed(String),
    Asked(Arc<dyn Fn() -> TokenFuture + Send + Sync>),
}

/// All that goes into the request of a connection. Its `Debug` shows no value that may be a secret.
#[derive(Clone)]
pub(crate) struct Endpoint {
    url: Url,
    headers: Vec<(HeaderName, HeaderValue)>,
    token: Option<Token>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The URL without its parameters, which may be secret.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authority = &self.url[url::Position::BeforeHost..url::Position::AfterPort];
        write!(f, "{}://{authority}{}", self.url.scheme(), self.url.path())
    }
}

impl Endpoint {
    pub(crate) fn new(
        endpoint: &str,
        params: &[(String, String)],
        vsn: Vsn,
        headers: &[(String, String)],
        token: Option<Token>,
    ) -> Result<Self, BuildError> {
        Ok(Self {
            url: socket_url(endpoint, params, vsn)?,
            headers: headers
                .iter()
                .map(parsed_header)
                .collect::<Result<_, _>>()?,
            token,
        })
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.url.scheme() == "wss"
    }

    /// The host, with the brackets that an IPv6 address has in a URL.
    pub(crate) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The host as TLS and the resolver want it.
    pub(crate) fn server_name(&self) -> &str {
        self.host().trim_start_matches('[').trim_end_matches(']')
    }

    pub(crate) fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(80)
    }

    /// The request of one attempt; asks for the token anew.
    pub(crate) async fn request(&self) -> Result<Request, ConnectError> {
        let token = match &self.token {
            None => None,
            Some(Token::Fixed(token)) => Some(token.clone()),
            Some(Token::Asked(provider)) => Some(asked(&**provider).await?),
        };
        let mut request = self
            .url
            .as_str()
            .into_client_request()
            .map_err(|error| ConnectError::Handshake(error.to_string()))?;
        let headers = request.headers_mut();
        if self.headers.iter().any(|(name, _)| name == header::HOST) {
            headers.remove(header::HOST);
        }
        for (name, value) in &self.headers {
            headers.append(name, value.clone());
        }
        if let Some(token) = token {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, protocols(&token));
        }
        Ok(request)
    }
}

/// The token of one attempt. A provider that panics must not take the socket's task with it.
async fn asked(provider: &(dyn Fn() -> TokenFuture + Send + Sync)) -> Result<String, ConnectError> {
    let token = AssertUnwindSafe(async { provider().await });
    match token.catch_unwind().await {
        Ok(token) => token.map_err(ConnectError::Token),
        Err(_) => {
            let panicked: Box<dyn StdError + Send + Sync> = "its provider panicked".into();
            Err(ConnectError::Token(panicked.into()))
        }
    }
}

/// How phoenix.js sends its `authToken`. Despite the name it is the standard alphabet, without padding.
fn protocols(token: &str) -> HeaderValue {
    let text = format!(
        "phoenix, base64url.bearer.phx.{}",
        STANDARD_NO_PAD.encode(token)
    );
    // Base64 has no character that a header can't have.
    let mut value =
        HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("phoenix"));
    value.set_sensitive(true);
    value
}

/// The URL of the WebSocket transport: `{endpoint}/websocket?{params}&vsn=…`, as phoenix.js forms it.
fn socket_url(endpoint: &str, params: &[(String, String)], vsn: Vsn) -> Result<Url, BuildError> {
    let invalid = |problem: &dyn fmt::Display| BuildError::invalid("endpoint", problem);
    let mut url = Url::parse(endpoint).map_err(|error| invalid(&error))?;
    let scheme = match url.scheme() {
        "ws" | "http" => "ws",
        "wss" | "https" => "wss",
        other => {
            let problem = format!("expected ws://, wss://, http:// or https://, not {other}://");
            return Err(invalid(&problem));
        }
    };
    if url.host_str().is_none_or(str::is_empty) {
        return Err(invalid(&"no host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid(
            &"a user name or a password has no place in it; see `header` and `auth_token`",
        ));
    }
    let refused = |()| BuildError::invalid("endpoint", "its scheme can't be changed");
    url.set_scheme(scheme).map_err(refused)?;
    url.set_fragment(None);
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix("/websocket").unwrap_or(path);
    let path = format!("{path}/websocket");
    url.set_path(&path);
    url.query_pairs_mut()
        .extend_pairs(params)
        .append_pair("vsn", vsn.as_str());
    Ok(url)
}

/// The headers that a connection can't choose.
const HANDSHAKE: [HeaderName; 5] = [
    header::CONNECTION,
    header::UPGRADE,
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_VERSION,
    header::SEC_WEBSOCKET_EXTENSIONS,
];

fn parsed_header(
    (name, value): &(String, String),
) -> Result<(HeaderName, HeaderValue), BuildError> {
    let name: HeaderName = name
        .parse()
        .map_err(|_| BuildError::invalid("header", format!("{name:?} is no header name")))?;
    if HANDSHAKE.contains(&name) {
        let problem = format!("{name} is the WebSocket handshake's own");
        return Err(BuildError::invalid("header", problem));
    }
    let mut value: HeaderValue = value.parse().map_err(|_| {
        BuildError::invalid(
            "header",
            format!("the value of {name} has characters a header can't have"),
        )
    })?;
    value.set_sensitive(true);
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(endpoint: &str, params: &[(&str, &str)], vsn: Vsn) -> String {
        let params: Vec<_> = params
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        match socket_url(endpoint, &params, vsn) {
            Ok(url) => url.into(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn urls_are_formed_as_phoenix_js_forms_them() {
        assert_eq!(
            url("ws://a.b/socket", &[("user_id", "x&y")], Vsn::V2),
            "ws://a.b/socket/websocket?user_id=x%26y&vsn=2.0.0"
        );
        assert_eq!(
            url("https://a.b:8443/socket/", &[], Vsn::V1),
            "wss://a.b:8443/socket/websocket?vsn=1.0.0"
        );
        assert_eq!(
            url("wss://a.b/socket/websocket?x=1#y", &[], Vsn::V2),
            "wss://a.b/socket/websocket?x=1&vsn=2.0.0"
        );
        assert_eq!(
            url(
                "ws://bücher.example/a%20b/websocket/",
                &[("", "ü=%")],
                Vsn::V2
            ),
            "ws://xn--bcher-kva.example/a%20b/websocket?=%C3%BC%3D%25&vsn=2.0.0"
        );
        assert_eq!(
            url("ws://[::1]:4000?vsn=1.0.0", &[("a[b]", "")], Vsn::V2),
            "ws://[::1]:4000/websocket?vsn=1.0.0&a%5Bb%5D=&vsn=2.0.0"
        );
    }

    #[test]
    fn what_is_no_endpoint_is_named() {
        for (endpoint, said) in [
            ("", "relative URL without a base"),
            ("ftp://a.b", "expected ws://"),
            ("ws://u:p@a.b", "a user name or a password"),
        ] {
            let error = url(endpoint, &[], Vsn::V2);
            assert!(
                error.starts_with("endpoint: ") && error.contains(said),
                "{error}"
            );
        }
    }

    #[test]
    fn headers_are_checked_without_being_shown() {
        let header = |name: &str, value: &str| parsed_header(&(name.into(), value.into()));
        assert!(header("x-key", "secret").is_ok());
        assert!(header("x key", "secret").is_err());
        assert!(header("Sec-WebSocket-Key", "secret").is_err());
        let error = header("x-key", "sec\nret").map_err(|error| error.to_string());
        assert!(error.is_err_and(|error| error.contains("x-key") && !error.contains("sec")));
    }

    #[test]
    fn the_token_goes_as_a_subprotocol() {
        // What phoenix.js 1.8.16 sends for the authToken "t0k?n>".
        assert_eq!(
            protocols("t0k?n>"),
            "phoenix, base64url.bearer.phx.dDBrP24+"
        );
    }
}

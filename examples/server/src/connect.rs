//! Who may connect, and as whom.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rand::Rng as _;
use thiserror::Error;

use crate::serializer::Vsn;

const AUTH_TOKEN_PREFIX: &str = "base64url.bearer.phx.";

/// What a client said when it connected.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectInfo {
    /// The key it is present under: the parameter `user_id`, or a made-up guest.
    pub user_id: String,
    /// The parameters of the URL. Of one given twice, the last.
    pub params: BTreeMap<String, String>,
    /// phoenix.js's `authToken`: from the WebSocket's subprotocols, or long polling's header.
    pub auth_token: Option<String>,
}

/// Why a connection was refused; the client sees a 403.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum Refused {
    #[error("unknown serializer version {0:?}")]
    UnknownVsn(String),
    #[error("an auth token that is not base64 of UTF-8")]
    BadAuthToken,
    #[error("none of the subprotocols is \"phoenix\"")]
    UnknownSubprotocol,
    #[error("the connect hook said no")]
    Hook,
}

/// Decides about a connection.
pub(crate) type ConnectHook = dyn Fn(&ConnectInfo) -> bool + Send + Sync;

pub(crate) struct Connected {
    pub(crate) vsn: Vsn,
    pub(crate) info: Arc<ConnectInfo>,
}

pub(crate) fn connect(
    params: BTreeMap<String, String>,
    auth_token: Option<String>,
    hook: Option<&ConnectHook>,
) -> Result<Connected, Refused> {
    let vsn = match params.get("vsn") {
        None => Vsn::V1,
        Some(text) => Vsn::parse(text).ok_or_else(|| Refused::UnknownVsn(text.clone()))?,
    };
    let user_id = params.get("user_id").cloned().unwrap_or_else(guest);
    let info = ConnectInfo {
        user_id,
        params,
        auth_token,
    };
    let rejected = info.params.contains_key("reject");
    if rejected || hook.is_some_and(|hook| !hook(&info)) {
        return Err(Refused::Hook);
    }
    Ok(Connected {
        vsn,
        info: Arc::new(info),
    })
}

fn guest() -> String {
    format!("guest-{:08x}", rand::rng().random::<u32>())
}

/// Reads `Sec-WebSocket-Protocol: phoenix, base64url.bearer.phx.TOKEN`. Despite the prefix the
/// token is in the standard alphabet, without padding: that is what phoenix.js sends.
pub(crate) fn auth_token_of(protocols: &str) -> Result<Option<String>, Refused> {
    let mut token = None;
    let mut others = Vec::new();
    for protocol in protocols.split(',').map(str::trim) {
        match protocol.strip_prefix(AUTH_TOKEN_PREFIX) {
            Some(encoded) => token = Some(encoded),
            None => others.push(protocol),
        }
    }
    if !others.is_empty() && !others.contains(&"phoenix") {
        return Err(Refused::UnknownSubprotocol);
    }
    let Some(encoded) = token else {
        return Ok(None);
    };
    let bytes = STANDARD_NO_PAD
        .decode(encoded)
        .map_err(|_| Refused::BadAuthToken)?;
    let token = String::from_utf8(bytes).map_err(|_| Refused::BadAuthToken)?;
    Ok(Some(token))
}

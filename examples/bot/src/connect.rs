//! From the command line to a joined room.

use anyhow::{Context as _, Result};
use presence_native::{Channel, ChannelOptions, Payload, Socket, SocketBuilder, Tls, Vsn};

use crate::cli::Server;

impl Server {
    /// The socket that the options describe, not built yet.
    pub(crate) fn builder(&self) -> Result<SocketBuilder> {
        let mut builder = Socket::builder(&self.url).vsn(Vsn::try_from(&*self.vsn)?);
        if let Some(user_id) = &self.user_id {
            builder = builder.param("user_id", user_id);
        }
        for param in &self.params {
            builder = builder.param(&param.name, &param.value);
        }
        for header in &self.headers {
            builder = builder.header(&header.name, &header.value);
        }
        if let Some(token) = &self.token {
            builder = builder.auth_token(token);
        }
        if let Some(proxy) = &self.proxy {
            builder = builder.proxy(proxy);
        }
        if let Some(path) = &self.ca {
            let pem =
                std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            builder = builder.tls(Tls::default().with_root_certificate(pem));
        }
        Ok(builder)
    }

    /// The room, not joined yet.
    pub(crate) fn channel(&self, socket: &Socket) -> Result<Channel> {
        Ok(socket.channel_with(&self.topic, self.channel_options()?))
    }

    /// How any room is to be joined.
    pub(crate) fn channel_options(&self) -> Result<ChannelOptions> {
        let options = ChannelOptions::new();
        Ok(match &self.join {
            Some(join) => options.params(Payload::json(join)?),
            None => options,
        })
    }
}

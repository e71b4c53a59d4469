//! `wss://`, with an authority of the test's own.
#![cfg(any(
    feature = "rustls-native-roots",
    feature = "rustls-webpki-roots",
    feature = "native-tls"
))]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod common;

use std::net::SocketAddr;
use std::sync::Arc;

#[cfg(any(feature = "rustls-native-roots", feature = "rustls-webpki-roots"))]
use common::rogue::Rogue;
use common::{builder, in_time, server};
use presence_native::{BuildError, ConnectError, Disconnect, StartError, Tls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A private authority.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Not the name of those it certifies, or OpenSSL takes them for self-signed.
        params
            .distinguished_name
            .push(DnType::CommonName, "a private authority");
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// A server's side of TLS, certified for one name.
    fn acceptor(&self, name: &str) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        Arc::new(config).into()
    }
}

/// Takes TLS in front of a server that speaks none; ends when dropped.
struct Front {
    addr: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Front {
    async fn start(server: SocketAddr, acceptor: TlsAcceptor) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                connections.spawn(async move {
                    // A client that does not trust us goes away.
                    if let Ok(mut stream) = acceptor.accept(stream).await
                        && let Ok(mut server) = TcpStream::connect(server).await
                    {
                        let _ = tokio::io::copy_bidirectional(&mut stream, &mut server).await;
                    }
                });
            }
        });
        Self {
            addr,
            _tasks: tasks,
        }
    }

    fn endpoint(&self, host: &str) -> String {
        format!("wss://{host}:{}/socket", self.addr.port())
    }
}

/// Every backend that is compiled in, trusting its own authorities.
fn backends() -> Vec<Tls> {
    vec![
        #[cfg(feature = "rustls-native-roots")]
        Tls::rustls_native_roots(),
        #[cfg(feature = "rustls-webpki-roots")]
        Tls::rustls_webpki_roots(),
        #[cfg(any(feature = "rustls-native-roots", feature = "rustls-webpki-roots"))]
        Tls::rustls_no_roots(),
        #[cfg(feature = "native-tls")]
        Tls::native_tls(),
    ]
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_given() {
    let server = server().await;
    let authority = Authority::new();
    for host in ["localhost", "127.0.0.1"] {
        let front = Front::start(server.addr(), authority.acceptor(host)).await;
        for tls in backends() {
            let shown = format!("{tls:?} at {host}");
            let socket = builder(&front.endpoint(host))
                .tls(tls.with_root_certificate(authority.pem()))
                .connect();
            let socket = in_time(socket)
                .await
                .unwrap_or_else(|error| panic!("{shown}: {error}"));
            let channel = socket.channel("room:lobby");
            in_time(channel.join()).await.unwrap();
            // Larger than a TLS record.
            let big = json!({"text": "x".repeat(100_000)});
            let reply = in_time(channel.push("echo", &big)).await.unwrap();
            assert_eq!(reply.decode::<serde_json::Value>().unwrap(), big);
            in_time(socket.shutdown()).await;
        }
    }
}

#[tokio::test]
async fn an_unknown_authority_or_another_s_name_is_refused() {
    let server = server().await;
    let authority = Authority::new();
    let ours = Front::start(server.addr(), authority.acceptor("localhost")).await;
    let others = Front::start(server.addr(), authority.acceptor("example.org")).await;
    let stranger = Authority::new();
    for tls in backends() {
        for (front, trusted) in [(&ours, &stranger), (&others, &authority)] {
            let connect = builder(&front.endpoint("localhost"))
                .tls(tls.clone().with_root_certificate(trusted.pem()))
                .connect();
            let error = in_time(connect).await.unwrap_err();
            assert!(
                matches!(
                    error,
                    StartError::Connect(Disconnect::Connect(ConnectError::Tls(_)))
                ),
                "{tls:?}: {error:?}"
            );
            assert!(!error.is_retryable());
            assert!(error.to_string().starts_with("TLS failed: "), "{error}");
        }
    }
}

#[cfg(any(feature = "rustls-native-roots", feature = "rustls-webpki-roots"))]
#[tokio::test]
async fn a_server_that_hangs_up_before_it_is_known_may_be_tried_again() {
    let rogue = Rogue::start().await;
    let endpoint = rogue.endpoint().replace("ws://", "wss://");
    let tls = Tls::rustls_no_roots().with_root_certificate(Authority::new().pem());
    let connect = builder(&endpoint).tls(tls).connect();
    let (outcome, ()) = tokio::join!(in_time(connect), rogue.hang_up());
    let error = outcome.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn root_certificates_are_checked_when_the_socket_is_built() {
    for tls in backends() {
        for pem in [
            "",
            "no PEM",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            let build = builder("wss://localhost:1/socket")
                .tls(tls.clone().with_root_certificate(pem))
                .build();
            let error = build.expect_err(pem);
            assert!(
                matches!(error, BuildError::Invalid { field: "tls", .. }),
                "{tls:?}: {error}"
            );
        }
    }
}

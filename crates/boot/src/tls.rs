//! TLS of the gRPC port, from files that may be renewed while it listens.

use std::convert::Infallible;
use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Args;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;

/// How long a client may take to agree on keys.
const HANDSHAKE_WAIT_MAX: Duration = Duration::from_secs(10);
/// How long the listener rests when the system has no place for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// How gRPC is protected on its way.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)]
pub struct TlsConfig {
    /// The certificate of the gRPC port and those that lead to its root, as PEM; with it, gRPC speaks TLS alone.
    #[arg(
        long = "grpc-tls-cert-file",
        env = "UPDRAFT_GRPC_TLS_CERT_FILE",
        value_name = "FILE",
        requires = "key_file"
    )]
    pub cert_file: Option<PathBuf>,
    /// The key of that certificate, as PEM.
    #[arg(
        long = "grpc-tls-key-file",
        env = "UPDRAFT_GRPC_TLS_KEY_FILE",
        value_name = "FILE",
        requires = "cert_file"
    )]
    pub key_file: Option<PathBuf>,
    /// Who signs the certificates of HR systems, as PEM; a client that has one needs no token.
    #[arg(
        long = "grpc-tls-client-ca-file",
        env = "UPDRAFT_GRPC_TLS_CLIENT_CA_FILE",
        value_name = "FILE",
        requires = "cert_file"
    )]
    pub client_ca_file: Option<PathBuf>,
    /// Lets gRPC listen without TLS on an address that is not loopback, for a proxy before it that ends TLS.
    #[arg(long = "grpc-plaintext", env = "UPDRAFT_GRPC_PLAINTEXT", default_value_t = false)]
    pub plaintext: bool,
}

/// Why the files of the gRPC port cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read as PEM.
    #[error("{} cannot be read", .path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: pem::Error,
    },
    /// A file holds no certificate.
    #[error("{} holds no certificate", .0.display())]
    NoCertificate(PathBuf),
    /// The certificate and the key do not fit.
    #[error("the certificate and the key of the gRPC port cannot be used")]
    Pair(#[source] rustls::Error),
    /// A certificate that should sign those of clients cannot.
    #[error("{} cannot sign the certificates of clients", .path.display())]
    ClientCa {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: rustls::Error,
    },
    /// No client could be verified.
    #[error("the certificates of clients cannot be verified")]
    Verifier(#[from] VerifierBuilderError),
}

/// TLS as it is spoken now.
#[derive(Clone)]
pub(crate) struct Tls(Arc<Port>);

struct Port {
    files: Files,
    now: Mutex<Now>,
}

struct Now {
    /// Of the files when they were looked at last, whether they could be used or not.
    stamps: Vec<Stamp>,
    config: Arc<ServerConfig>,
}

struct Files {
    cert: PathBuf,
    key: PathBuf,
    client_ca: Option<PathBuf>,
}

/// What differs once a file is written anew: its inode, length, and time of change in seconds and nanoseconds.
type Stamp = Option<(u64, u64, i64, i64)>;

impl Tls {
    /// Reads the files, if TLS is wanted.
    ///
    /// # Errors
    /// [`TlsError`] if one cannot be used.
    pub(crate) fn open(config: &TlsConfig) -> Result<Option<Self>, TlsError> {
        let (Some(cert), Some(key)) = (config.cert_file.clone(), config.key_file.clone()) else {
            return Ok(None);
        };
        let files = Files { cert, key, client_ca: config.client_ca_file.clone() };
        let now = Mutex::new(Now { stamps: files.stamps(), config: files.read()? });
        Ok(Some(Self(Arc::new(Port { files, now }))))
    }

    /// Connections over this listener, each once it has agreed on keys; it ends when nobody waits for the next.
    pub(crate) fn incoming(
        self,
        listener: TcpListener,
    ) -> ReceiverStream<Result<TlsStream<TcpStream>, Infallible>> {
        let (ready, connections) = mpsc::channel(1);
        tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = ready.closed() => break,
                };
                match accepted {
                    // One that takes its time holds up nobody else.
                    Ok((connection, _)) => {
                        let (tls, ready) = (self.clone(), ready.clone());
                        tokio::spawn(async move {
                            if let Some(connection) = tls.shake_hands(connection).await {
                                // Whoever comes too late is cut off.
                                let _ = ready.send(Ok(connection)).await;
                            }
                        });
                    }
                    // Such as too many open files: what is served goes on, and its end makes room.
                    Err(error) => {
                        tracing::error!(error = error.to_string(), "no connection can be accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                }
            }
        });
        ReceiverStream::new(connections)
    }

    async fn shake_hands(&self, connection: TcpStream) -> Option<TlsStream<TcpStream>> {
        // Without this an answer of several packets waits for the client's delayed acknowledgement, 40 ms.
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(error = error.to_string(), "a connection keeps its delay");
        }
        let agreed = TlsAcceptor::from(self.0.config()).accept(connection);
        match tokio::time::timeout(HANDSHAKE_WAIT_MAX, agreed).await {
            Ok(Ok(connection)) => return Some(connection),
            Ok(Err(error)) => tracing::info!(error = error.to_string(), "a client could not agree on keys"),
            Err(_) => tracing::debug!("a client took too long to agree on keys"),
        }
        None
    }
}

impl Port {
    /// What is spoken from now on: files that were renewed are read again, and those that cannot be used change nothing.
    fn config(&self) -> Arc<ServerConfig> {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = self.files.stamps();
        if stamps != now.stamps {
            now.stamps = stamps;
            match self.files.read() {
                Ok(config) => {
                    tracing::info!("the certificate of the gRPC port was renewed");
                    now.config = config;
                }
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(
                        error,
                        "the renewed files of the gRPC port cannot be used; it keeps the former"
                    );
                }
            }
        }
        Arc::clone(&now.config)
    }
}

impl Files {
    fn stamps(&self) -> Vec<Stamp> {
        let stamp = |path: &PathBuf| {
            let file = std::fs::metadata(path).ok()?;
            Some((file.ino(), file.size(), file.mtime(), file.mtime_nsec()))
        };
        [Some(&self.cert), Some(&self.key), self.client_ca.as_ref()]
            .into_iter()
            .flatten()
            .map(stamp)
            .collect()
    }

    fn read(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let verifier: Arc<dyn ClientCertVerifier> = match &self.client_ca {
            None => WebPkiClientVerifier::no_client_auth(),
            // Who has a token needs no certificate.
            Some(path) => WebPkiClientVerifier::builder_with_provider(roots(path)?, Arc::clone(&provider))
                .allow_unauthenticated()
                .build()?,
        };
        let key = PrivateKeyDer::from_pem_file(&self.key);
        let key = key.map_err(|source| TlsError::Pem { path: self.key.clone(), source })?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Pair)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(certificates(&self.cert)?, key)
            .map_err(TlsError::Pair)?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Arc::new(config))
    }
}

fn roots(path: &Path) -> Result<Arc<RootCertStore>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        let added = roots.add(certificate);
        added.map_err(|source| TlsError::ClientCa { path: path.to_owned(), source })?;
    }
    Ok(Arc::new(roots))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read.map_err(|source| TlsError::Pem { path: path.to_owned(), source })? {
        none if none.is_empty() => Err(TlsError::NoCertificate(path.to_owned())),
        some => Ok(some),
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tls").finish_non_exhaustive()
    }
}

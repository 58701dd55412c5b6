//! The addresses of a process, taken before anything else so that a taken one costs no time.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;

use crate::tls::Tls;
use crate::{Config, StartError};

/// The listeners of a process.
pub struct Ports {
    pub(crate) grpc: TcpListener,
    pub(crate) grpc_address: SocketAddr,
    pub(crate) tls: Option<Tls>,
    /// Where the process calls itself while the gRPC port speaks TLS.
    pub(crate) inner: Option<TcpListener>,
    pub(crate) inner_address: SocketAddr,
    pub(crate) admin: TcpListener,
    pub(crate) admin_address: SocketAddr,
}

impl Ports {
    /// Takes all of them.
    ///
    /// # Errors
    /// [`StartError::Taken`] if one is in use, [`StartError::Tls`] if TLS is wanted and cannot be spoken,
    /// [`StartError::Plaintext`] if gRPC would be open to the network without.
    pub async fn take(config: &Config) -> Result<Self, StartError> {
        let tls = Tls::open(&config.tls)?;
        let is_open = !config.grpc_listen.ip().is_loopback() && !config.tls.plaintext;
        if tls.is_none() && is_open {
            return Err(StartError::Plaintext(config.grpc_listen));
        }
        let (grpc, grpc_address) = take(config.grpc_listen, "UPDRAFT_GRPC_LISTEN").await?;
        let (admin, admin_address) = take(config.admin_listen, "UPDRAFT_ADMIN_LISTEN").await?;
        let mut ports =
            Self { grpc, grpc_address, tls, inner: None, inner_address: grpc_address, admin, admin_address };
        if ports.tls.is_some() {
            let (inner, address) = take((Ipv4Addr::LOCALHOST, 0).into(), "UPDRAFT_GRPC_LISTEN").await?;
            (ports.inner, ports.inner_address) = (Some(inner), address);
        }
        Ok(ports)
    }

    /// Where the process finds its own services, without TLS.
    #[must_use]
    pub fn inner(&self) -> SocketAddr {
        self.inner_address
    }
}

async fn take(address: SocketAddr, setting: &'static str) -> Result<(TcpListener, SocketAddr), StartError> {
    let listener = listen(address, setting).await?;
    let address = listener.local_addr().map_err(StartError::Io)?;
    Ok((listener, address))
}

/// Takes an address, or says which setting gives another.
///
/// # Errors
/// [`StartError::Taken`] if it is in use, [`StartError::Listen`] if it cannot be listened on otherwise.
pub async fn listen(address: SocketAddr, setting: &'static str) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => StartError::Taken { address, setting },
        _ => StartError::Listen { address, source },
    })
}

//! gRPC over TLS, and HR systems that identify themselves by a certificate.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use identity::{Caller, Role};
use proto::hris::hris_sync_service_client::HrisSyncServiceClient;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use serde_json::json;
use sha2::{Digest, Sha256};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Request};
use tonic_types::StatusExt;

use crate::crash::{Folder, program};
use crate::hris::example;
use crate::sources::{add, bearing, knock, opening};
use crate::world::World;

/// Somebody who signs certificates.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key.
struct Issued {
    cert: String,
    key: String,
    sha256: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn root(&self) -> String {
        pem("CERTIFICATE", self.0.der())
    }

    fn issue(&self, name: &str, usage: ExtendedKeyUsagePurpose) -> Issued {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        // By default everybody has the same name, and whoever is signed by a namesake seems to sign itself.
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().unwrap();
        let cert = params.signed_by(&key, &self.0).unwrap();
        let mut sha256 = String::new();
        for byte in Sha256::digest(cert.der()) {
            write!(sha256, "{byte:02x}").unwrap();
        }
        Issued { cert: pem("CERTIFICATE", cert.der()), key: pem("PRIVATE KEY", key.serialized_der()), sha256 }
    }

    fn server(&self) -> Issued {
        self.issue("localhost", ExtendedKeyUsagePurpose::ServerAuth)
    }

    fn client(&self) -> Issued {
        self.issue("payroll.example.com", ExtendedKeyUsagePurpose::ClientAuth)
    }
}

fn pem(tag: &str, der: &[u8]) -> String {
    pem::encode(&pem::Pem::new(tag, der))
}

/// What a system that speaks TLS reads, and who signs what.
struct Files {
    folder: Folder,
    servers: Authority,
    clients: Authority,
}

impl Files {
    fn new(name: &str) -> Self {
        let files = Self { folder: Folder::new(name), servers: Authority::new(), clients: Authority::new() };
        files.renew(&files.servers);
        std::fs::write(files.path("client-ca.pem"), files.clients.root()).unwrap();
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.0.join(name)
    }

    /// Puts a new certificate in place, as those who renew do: beside the old one, then over it.
    fn renew(&self, servers: &Authority) {
        let issued = servers.server();
        for (name, text) in [("key.pem", &issued.key), ("cert.pem", &issued.cert)] {
            std::fs::write(self.path("new.pem"), text).unwrap();
            std::fs::rename(self.path("new.pem"), self.path(name)).unwrap();
        }
    }

    async fn world(&self) -> World {
        let file = |name: &str| Path::display(&self.path(name)).to_string();
        let settings = [
            format!("--grpc-tls-cert-file={}", file("cert.pem")),
            format!("--grpc-tls-key-file={}", file("key.pem")),
            format!("--grpc-tls-client-ca-file={}", file("client-ca.pem")),
        ];
        World::with(&settings.each_ref().map(String::as_str)).await
    }
}

async fn connect(
    world: &World,
    servers: &Authority,
    client: Option<&Issued>,
) -> Result<HrisSyncServiceClient<Channel>, tonic::transport::Error> {
    let root = Certificate::from_pem(servers.root());
    let mut tls = ClientTlsConfig::new().ca_certificate(root).domain_name("localhost");
    if let Some(issued) = client {
        tls = tls.identity(Identity::from_pem(&issued.cert, &issued.key));
    }
    let endpoint = Endpoint::from_shared(format!("https://{}", world.grpc())).unwrap().tls_config(tls)?;
    Ok(HrisSyncServiceClient::new(endpoint.connect().await?))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_the_office_registered_is_enough() {
    let files = Files::new("registered");
    let world = files.world().await;
    let office = world.office(None);
    add(&office, "payroll", &[]).await;
    let client = files.clients.client();
    let mut payroll = connect(&world, &files.servers, Some(&client)).await.unwrap();
    let unknown = knock(&mut payroll, Request::new).await;
    assert_eq!(unknown.code(), Code::Unauthenticated);
    assert_eq!(unknown.get_details_error_info().unwrap().reason, "CERTIFICATE_UNKNOWN");

    let path = "/api/v1/sources/payroll/credentials";
    let registration = json!({ "kind": "KIND_CERTIFICATE", "certificateSha256": client.sha256 });
    let made = office.post(path, registration.clone()).await.ok();
    assert_eq!((&made["secret"], &made["credential"]["kind"]), (&json!(""), &json!("KIND_CERTIFICATE")));
    // The same connection; a certificate is looked up with every call.
    assert_eq!(knock(&mut payroll, Request::new).await.code(), Code::NotFound);
    let request = "0193a1b2-0000-7000-8000-000000000001";
    payroll.create_sync_run(Request::new(opening("payroll", request))).await.unwrap();
    let foreign = payroll.create_sync_run(Request::new(opening("roster", request))).await.unwrap_err();
    assert_eq!(foreign.code(), Code::PermissionDenied);
    office.post("/api/v1/sources/roster/credentials", registration).await.refused(409, "CERTIFICATE_TAKEN");
    let half = json!({ "kind": "KIND_CERTIFICATE", "certificateSha256": &client.sha256[..32] });
    office.post(path, half).await.refused(422, "INVALID_FIELDS");

    let credential = made["credential"]["credentialId"].as_str().unwrap();
    office.post(&format!("{path}/{credential}/revoke"), json!({})).await.ok();
    assert_eq!(knock(&mut payroll, Request::new).await.code(), Code::Unauthenticated);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_certificate_a_token_is_needed_and_a_strangers_certificate_ends_the_handshake() {
    let files = Files::new("strangers");
    let world = files.world().await;
    let mut nobody = connect(&world, &files.servers, None).await.unwrap();
    let refused = knock(&mut nobody, Request::new).await;
    assert_eq!(refused.get_details_error_info().unwrap().reason, "TOKEN_MISSING");
    let token = world.token(&Caller::system(Role::Hris));
    assert_eq!(knock(&mut nobody, |message| bearing(&token, message)).await.code(), Code::NotFound);

    // TLS 1.3 lets a client speak before it knows that it was refused, so that the first call finds out.
    let stranger = Authority::new().client();
    match connect(&world, &files.servers, Some(&stranger)).await {
        Err(_) => {}
        Ok(mut client) => {
            let broken = knock(&mut client, Request::new).await;
            assert!(broken.get_details_error_info().is_none(), "a stranger was answered: {broken}");
        }
    }
    let plain = Endpoint::from_shared(format!("http://{}", world.grpc())).unwrap();
    match plain.connect().await {
        Err(_) => {}
        Ok(channel) => {
            let mut client = HrisSyncServiceClient::new(channel);
            let broken = knock(&mut client, |message| bearing(&token, message)).await;
            assert!(
                broken.get_details_error_info().is_none(),
                "without TLS, somebody was answered: {broken}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_used_from_the_next_connection_on() {
    let files = Files::new("renewed");
    let world = files.world().await;
    let token = world.token(&Caller::system(Role::Hris));
    let mut early = connect(&world, &files.servers, None).await.unwrap();
    let renewed = Authority::new();
    files.renew(&renewed);
    let mut late = connect(&world, &renewed, None).await.unwrap();
    for client in [&mut early, &mut late] {
        assert_eq!(knock(client, |message| bearing(&token, message)).await.code(), Code::NotFound);
    }
    // What cannot be used changes nothing.
    std::fs::write(files.path("cert.pem"), "no certificate").unwrap();
    connect(&world, &renewed, None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_client_identifies_itself_by_its_certificate() {
    let files = Files::new("example");
    let world = files.world().await;
    let office = world.office(None);
    add(&office, "payroll", &[]).await;
    let client = files.clients.client();
    let registration = json!({ "kind": "KIND_CERTIFICATE", "certificateSha256": client.sha256 });
    office.post("/api/v1/sources/payroll/credentials", registration).await.ok();
    let written = [("ca", files.servers.root()), ("certificate", client.cert), ("key", client.key)].map(
        |(option, pem)| {
            let path = files.path(&format!("example-{option}.pem"));
            std::fs::write(&path, pem).unwrap();
            (format!("--{option}"), path)
        },
    );
    let mut sync = tokio::process::Command::new(example::python().await);
    sync.arg(example::folder().join("updraft_hris.py")).arg("sync");
    sync.arg(example::export("certificate", example::ADVENTUREWORKS));
    sync.args(["--source", "payroll", "--target", &format!("localhost:{}", world.grpc().port())]);
    for (option, path) in written {
        sync.arg(option).arg(path);
    }
    let output = sync.env("PYTHONDONTWRITEBYTECODE", "1").output().await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.contains("290 created"), "{said}");
}

#[test]
fn grpc_does_not_listen_to_the_network_without_tls() {
    let folder = Folder::new("plaintext");
    let refused = |arguments: &str| {
        let output = program(arguments).env("UPDRAFT_DATA_DIR", &folder.0).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let open = refused("run --grpc-listen 0.0.0.0:0 --admin-listen 127.0.0.1:0 --rest-listen 127.0.0.1:0");
    assert!(open.contains("without TLS: set UPDRAFT_GRPC_TLS_CERT_FILE"), "{open}");
    let ports = "--grpc-listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 --rest-listen 127.0.0.1:0";
    let missing = refused(&format!(
        "run {ports} --grpc-tls-cert-file {0}/cert.pem --grpc-tls-key-file {0}/key.pem",
        folder.0.display()
    ));
    assert!(missing.contains("key.pem cannot be read"), "{missing}");
    let half = refused(&format!("run {ports} --grpc-tls-cert-file {}/cert.pem", folder.0.display()));
    assert!(half.contains("--grpc-tls-key-file"), "{half}");
}

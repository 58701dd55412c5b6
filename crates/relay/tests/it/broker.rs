//! A NATS server of its own for each test, which can be killed and comes back at the same address.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use async_nats::header::NATS_MESSAGE_ID;
use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use async_nats::jetstream::{self, Message};
use futures::StreamExt;

pub(crate) struct Broker {
    folder: PathBuf,
    port: u16,
    server: Child,
}

impl Broker {
    pub(crate) fn start(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("updraft-nats-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = serve(&folder, port);
        Self { folder, port, server }
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Ends the server as a crash does.
    pub(crate) fn kill(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }

    /// Starts it again on the files that it left.
    pub(crate) fn restart(&mut self) {
        self.server = serve(&self.folder, self.port);
    }

    /// Keeps a copy of its files, while it is down.
    pub(crate) fn copy_files(&self) -> PathBuf {
        let copy = self.folder.with_extension("copy");
        copy_all(&self.folder, &copy);
        copy
    }

    /// Puts the files back to a copy, as if nothing since had reached the disk.
    pub(crate) fn put_back(&self, copy: &Path) {
        fs::remove_dir_all(&self.folder).unwrap();
        fs::rename(copy, &self.folder).unwrap();
    }

    pub(crate) async fn jetstream(&self) -> jetstream::Context {
        loop {
            if let Ok(client) = async_nats::connect(self.url()).await {
                return jetstream::new(client);
            }
            tokio::task::yield_now().await;
        }
    }

    /// Reads the stream until it has had a position, and returns everything in order.
    pub(crate) async fn read_until(&self, position: i64) -> Vec<Message> {
        let context = self.jetstream().await;
        let stream = loop {
            if let Ok(stream) = context.get_stream("UPDRAFT").await {
                break stream;
            }
            tokio::task::yield_now().await;
        };
        let consumer =
            pull::OrderedConfig { deliver_policy: DeliverPolicy::All, ..pull::OrderedConfig::default() };
        let mut messages = stream.create_consumer(consumer).await.unwrap().messages().await.unwrap();
        let mut read = Vec::new();
        while let Some(message) = messages.next().await {
            read.push(message.unwrap());
            if read.last().is_some_and(|last| position_of(last) >= position) {
                break;
            }
        }
        read
    }
}

pub(crate) fn position_of(message: &Message) -> i64 {
    message.headers.as_ref().unwrap().get(NATS_MESSAGE_ID).unwrap().as_str().parse().unwrap()
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn serve(folder: &Path, port: u16) -> Child {
    let tool = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/tool");
    let mut server = Command::new(tool);
    server.args(["nats-server", "--jetstream", "--addr", "127.0.0.1", "--port"]).arg(port.to_string());
    server.arg("--store_dir").arg(folder).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_all(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

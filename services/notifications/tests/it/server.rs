//! A mail server: the protocol is mailin's, the mood is the test's.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use mailin::{Action, Handler, Response, SessionBuilder, response};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What a test sees of the mail server, and how it behaves.
#[derive(Clone, Default)]
pub(crate) struct MailBoxes(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    refusals: Vec<Response>,
    arrived: Vec<Arrived>,
}

/// A mail that was taken.
#[derive(Clone)]
pub(crate) struct Arrived {
    /// To whom, by the envelope.
    pub(crate) to: Vec<String>,
    /// The mail.
    pub(crate) bytes: Vec<u8>,
}

impl MailBoxes {
    /// Serves on a port of its own until the test ends.
    pub(crate) async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let boxes = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, peer)) = listener.accept().await {
                tokio::spawn(boxes.clone().speak(stream, peer.ip()));
            }
        });
        format!("smtp://{address}")
    }

    /// Refuses the next mail in this way.
    pub(crate) fn refuse_next(&self, refusal: Response) {
        self.0.lock().unwrap().refusals.push(refusal);
    }

    /// The mails that were taken since the last time this was asked.
    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        std::mem::take(&mut self.0.lock().unwrap().arrived)
    }

    async fn speak(self, stream: TcpStream, peer: IpAddr) -> io::Result<()> {
        let handler = Post { boxes: self, to: Vec::new(), bytes: Vec::new() };
        let mut session = SessionBuilder::new("mail.test").build(peer, handler);
        let mut stream = BufReader::new(stream);
        answer(&mut stream, &session.greeting()).await?;
        let mut line = Vec::new();
        while stream.read_until(b'\n', &mut line).await? > 0 {
            let response = session.process(&line);
            line.clear();
            if response.action != Action::NoReply {
                answer(&mut stream, &response).await?;
            }
            if response.action == Action::Close {
                break;
            }
        }
        Ok(())
    }
}

async fn answer(stream: &mut BufReader<TcpStream>, response: &Response) -> io::Result<()> {
    let mut bytes = Vec::new();
    response.write_to(&mut bytes)?;
    stream.write_all(&bytes).await
}

/// One conversation.
struct Post {
    boxes: MailBoxes,
    to: Vec<String>,
    bytes: Vec<u8>,
}

impl Handler for Post {
    fn rcpt(&mut self, to: &str) -> Response {
        self.to.push(to.to_owned());
        self.boxes.0.lock().unwrap().refusals.pop().unwrap_or(response::OK)
    }

    fn data(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        let (to, bytes) = (std::mem::take(&mut self.to), std::mem::take(&mut self.bytes));
        self.boxes.0.lock().unwrap().arrived.push(Arrived { to, bytes });
        response::OK
    }
}

//! Event streams.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::time::timeout;

/// An event stream that is being read.
pub(crate) struct Events {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    chunks: BoxStream<'static, reqwest::Result<Vec<u8>>>,
    buffer: String,
}

/// One event: its name and its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) event: String,
    pub(crate) data: String,
}

impl Events {
    pub(super) fn of(response: reqwest::Response) -> Self {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let chunks = response.bytes_stream().map(|chunk| chunk.map(|bytes| bytes.to_vec())).boxed();
        Self { status, headers, chunks, buffer: String::new() }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The next event; comments are skipped. `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(end) = self.buffer.find("\n\n") {
                let block: String = self.buffer.drain(..end + 2).collect();
                let field = |name: &str| {
                    block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned)
                };
                if let (Some(event), Some(data)) = (field("event: "), field("data: ")) {
                    return Some(Event { event, data });
                }
                continue;
            }
            let chunk = timeout(Duration::from_secs(30), self.chunks.next());
            match chunk.await.expect("the stream says nothing") {
                Some(chunk) => self.buffer += std::str::from_utf8(&chunk.unwrap()).unwrap(),
                None => return None,
            }
        }
    }

    /// Reads until an event that `wanted` picks.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        loop {
            let event = self.next().await.expect("the stream ended");
            if wanted(&event) {
                return event;
            }
        }
    }
}

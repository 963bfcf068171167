//! A provider that is further away than the next process: what goes to it and what comes back
//! arrives later. On one machine a round trip costs next to nothing, and on a network it is most of
//! what a person waits for.

use anyhow::Result;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// The way to a server on this machine. Dropping it closes the way.
#[derive(Debug)]
pub(crate) struct Distance {
    listeners: Vec<TcpListener>,
    /// Where browsers find its beginning.
    pub(crate) port: u16,
    tasks: Vec<JoinHandle<()>>,
}

impl Distance {
    /// Takes a port, at which nobody is let through yet.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) async fn reserve() -> Result<Self> {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = first.local_addr()?.port();
        let mut listeners = vec![first];
        // Browsers try both addresses; a machine without the second has only one to try.
        listeners.extend(TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, port))).await);
        Ok(Self { listeners, port, tasks: Vec::new() })
    }

    /// Leads to a port of this machine, so that a round trip takes this much longer. Connecting
    /// itself does not: browsers keep connections open.
    pub(crate) fn lead_to(&mut self, port: u16, round_trip: Duration) {
        for listener in self.listeners.drain(..) {
            self.tasks.push(tokio::spawn(async move {
                while let Ok((near, _)) = listener.accept().await {
                    tokio::spawn(async move {
                        let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else {
                            return;
                        };
                        // Small writes must not wait for each other on top of it.
                        let _is_set = (near.set_nodelay(true), far.set_nodelay(true));
                        let (from_near, to_near) = near.into_split();
                        let (from_far, to_far) = far.into_split();
                        let late = round_trip / 2;
                        tokio::join!(
                            carry(from_near, to_far, late),
                            carry(from_far, to_near, late)
                        );
                    });
                }
            }));
        }
    }
}

impl Drop for Distance {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Hands on what comes, each piece so much later than it came.
async fn carry(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, late: Duration) {
    let (queue, mut queued) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let read = async move {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(length) = from.read(&mut buffer).await
            && length > 0
            && queue.send((Instant::now() + late, buffer[..length].to_vec())).is_ok()
        {}
    };
    let write = async move {
        while let Some((due, bytes)) = queued.recv().await {
            sleep_until(due).await;
            if to.write_all(&bytes).await.is_err() {
                break;
            }
        }
        // Whoever has gone away needs no end of the stream.
        let _is_told = to.shutdown().await;
    };
    tokio::join!(read, write);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_carried_arrives_whole_and_in_order() -> Result<()> {
        let (mut near, from) = tokio::io::duplex(64);
        let (to, mut far) = tokio::io::duplex(64);
        let carried = tokio::spawn(carry(from, to, Duration::from_millis(1)));
        let sent: Vec<u8> = (0..200).collect();
        let (written, read) = tokio::join!(
            async {
                near.write_all(&sent).await?;
                near.shutdown().await
            },
            async {
                let mut arrived = Vec::new();
                far.read_to_end(&mut arrived).await.map(|_| arrived)
            }
        );
        written?;
        anyhow::ensure!(read? == sent);
        carried.await?;
        Ok(())
    }
}

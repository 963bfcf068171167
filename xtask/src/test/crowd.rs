//! Connections that keep the first threads of the test runner's server busy.
//!
//! That server (tiny_http 0.12, inside wasm-bindgen's runner) starts with four threads and begins
//! another one only if none is idle. A thread that has been given a connection and has not woken
//! yet counts as idle, so a browser that opens six connections at once can leave two of them
//! waiting for a thread for ever, and with them the page. Four connections that were there first
//! and never say anything leave no thread idle: each one of the browser's gets its own.

use anyhow::{Context, Result};
use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// The threads that the server begins with.
const THREADS: usize = 4;

/// The connections, from the moment that the server listens until this is dropped.
pub(super) struct Crowd {
    /// Where the server is to listen.
    pub(super) address: SocketAddr,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Crowd {
    /// Chooses an address and waits beside for somebody to listen there: long before the browser
    /// has started.
    ///
    /// # Errors
    /// When the loopback interface has no free port.
    pub(super) fn before_the_browser() -> Result<Self> {
        // Below the ports that systems give to outgoing connections: one that got this very port
        // while nobody listens would be connected to itself.
        // Each program that runs tests begins elsewhere, so that two do not choose the same.
        let first = 21_000 + u16::try_from(process::id() % 100)? * 100;
        let free = (first..first + 1_000)
            .map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
            .find(|address| TcpListener::bind(address).is_ok());
        let address = free.with_context(|| format!("no free port from {first} on"))?;
        let is_over = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let is_over = Arc::clone(&is_over);
            move || {
                let mut held = Vec::new();
                while !is_over.load(Ordering::Relaxed) {
                    if held.len() < THREADS
                        && let Ok(connection) = TcpStream::connect(address)
                    {
                        held.push(connection);
                    } else {
                        thread::sleep(Duration::from_millis(20));
                    }
                }
            }
        });
        Ok(Self { address, is_over, thread: Some(thread) })
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It does nothing that could fail.
            drop(thread.join());
        }
    }
}

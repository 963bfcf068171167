//! Open files: each connection is one, and systems let a program have few unless it asks.

use idp_dev::{Limits, log_line};

use crate::cli::Failure;

/// Asks the system for as many files as connections and what is beside them want; gives the number
/// of connections that there may be.
pub(crate) fn for_connections(limits: Limits) -> Result<usize, Failure> {
    let wanted = limits.connections + BESIDE;
    let allowed = allowed(wanted);
    if allowed >= wanted {
        return Ok(limits.connections);
    }
    if limits.are_asked_for || allowed <= BESIDE {
        return Err(Failure::TooFewFiles { wanted, allowed });
    }
    let connections = allowed - BESIDE;
    log_line(&format!(
        "{connections} connections and not {}: the system gives {allowed} open files (ulimit -n)",
        limits.connections
    ));
    Ok(connections)
}

#[cfg(unix)]
fn allowed(wanted: usize) -> usize {
    let most = u64::try_from(wanted).unwrap_or(u64::MAX);
    // Where it cannot be raised, there is what there was.
    let now = || rlimit::Resource::NOFILE.get_soft();
    let allowed = rlimit::increase_nofile_limit(most).or_else(|_| now()).unwrap_or_default();
    usize::try_from(allowed).unwrap_or(usize::MAX)
}

/// Elsewhere memory is the limit.
#[cfg(not(unix))]
fn allowed(wanted: usize) -> usize {
    wanted
}

/// Deliveries to apps' servers (1,000), the control API (100), the process's own.
const BESIDE: usize = 1_200;

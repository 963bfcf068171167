//! The `idp-dev` binary: reads arguments and configuration, listens, says that it is ready.
#![forbid(unsafe_code)]

mod cli;
mod files;
mod places;
mod serve;
mod tls;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use idp_dev::{Clock, Config, MemoryStore, Provider, Secret, log_line};

use cli::{Arguments, Command, Failure};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.print_config {
        return say(Config::EXAMPLE);
    }
    if let Some(Command::Scenarios) = arguments.command {
        return say(&cli::scenarios());
    }
    match start(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            log_line(&failure.to_string());
            failure.exit_code()
        }
    }
}

fn start(arguments: &Arguments) -> Result<(), Failure> {
    let config = cli::read_config(arguments)?;
    cli::check_loopback("--listen", arguments.listen)?;
    cli::check_loopback("--control-listen", arguments.control_listen)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(Failure::Runtime)?;
    runtime.block_on(run(arguments, config))
}

async fn run(arguments: &Arguments, config: Config) -> Result<(), Failure> {
    let connections = files::for_connections(config.limits())?;
    let listeners = serve::bind_both("--listen", arguments.listen)?;
    let control = serve::bind_one("--control-listen", arguments.control_listen)?;
    let config = config.with_port(listeners.port());
    let tls = tls::acceptor(arguments, &config).map_err(Failure::Tls)?;
    for user in config.users_with_plain_password().take(1) {
        let others = config.users_with_plain_password().count() - 1;
        log_line(&format!(
            "plain-text passwords in the configuration ({user} and {others} more): \
             fine for people who do not exist"
        ));
    }
    if !config.keeps_secure_cookies() {
        log_line(&format!(
            "browsers drop `Secure` cookies at {}, so nobody can sign in there: use https or a \
             name under .localhost",
            config.issuer()
        ));
    }
    if config.delivers_anywhere() {
        log_line("dangerously_deliver_anywhere: logout tokens may leave this machine, unencrypted");
    }
    let token = match &arguments.control_token {
        Some(token) => Secret::new(token.clone()),
        None => Secret::random().map_err(|error| Failure::Start(error.into()))?,
    };
    let issuer = config.issuer().to_owned();
    let store = Arc::new(MemoryStore::keeping(config.limits().sessions));
    let provider = Provider::start(config, Clock::system(), store, !arguments.quiet)
        .map_err(Failure::Start)?;
    let ready = format!(
        "ready issuer={issuer} control=http://{} token={}",
        control.address(),
        token.expose()
    );
    serve::serve(listeners, provider.router(), tls, connections);
    // It is for programs on this machine: nothing that they send leaves it.
    serve::serve(control, provider.control_router(token), None, CONTROL_CONNECTIONS);
    // Whoever reads that it is ready may stop it at once.
    let told_to_stop = serve::told_to_stop();
    // Whoever closed our standard output does not want to know.
    let _said = say(&format!("{ready}\n"));
    told_to_stop.await;
    Ok(())
}

/// Writes to standard output at once. `println!` would panic when it is closed.
fn say(text: &str) -> ExitCode {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// For the programs that test something.
const CONTROL_CONNECTIONS: usize = 100;

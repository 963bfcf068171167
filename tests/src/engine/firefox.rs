//! Firefox by geckodriver, which holds one session: each browser has a driver of its own.

use anyhow::Result;
use std::ffi::OsString;
use thirtyfour::common::capabilities::firefox::FirefoxPreferences;
use thirtyfour::prelude::*;

use super::events::Events;
use super::{Log, Own, Started, address_of};
use crate::browser::Flavour;
use crate::environment;
use crate::process::Program;
use crate::trust::Store;
use crate::world::World;

/// Starts a browser with a fresh profile.
///
/// # Errors
/// When it does not start.
pub(super) async fn start(world: World, flavour: Flavour) -> Result<Started> {
    let mut options = DesiredCapabilities::firefox();
    let firefox = environment::file(environment::FIREFOX)?;
    options.set_firefox_binary(&firefox.to_string_lossy())?;
    for word in ["-headless", "--width=1280", "--height=900"] {
        options.add_arg(word)?;
    }
    let mut own = Own::default();
    if flavour.trusts_demo {
        let profile = Store::as_profile()?;
        options.add_arg("-profile")?;
        options.add_arg(&profile.path().to_string_lossy())?;
        own.store = Some(profile);
    } else if let Some(profile) = flavour.kept_profile() {
        std::fs::create_dir_all(&profile)?;
        options.add_arg("-profile")?;
        options.add_arg(&profile.to_string_lossy())?;
    }
    options.set_preferences(preferences(world, flavour)?)?;
    // Otherwise a wrong certificate would do: geckodriver asks for that unless told.
    options.accept_insecure_certs(false)?;
    options.enable_bidi()?;
    let (program, port) = start_driver()?;
    own.programs.push(program);
    let driver = WebDriver::new(address_of(port), options).await?;
    let log = if flavour.is_unlogged {
        Log::Nothing
    } else {
        Log::Events(Events::listen(&driver).await?)
    };
    Ok(Started { driver, log, own })
}

fn preferences(world: World, flavour: Flavour) -> Result<FirefoxPreferences> {
    let mut preferences = FirefoxPreferences::new();
    // 5: partitioned by site, as shipped. 1: none for other sites. 2: none at all, nor storage.
    let behaviour = match world {
        _ if flavour.blocks_storage.is_some() => 2,
        World::FirefoxBlockAll => 1,
        _ => 5,
    };
    preferences.set("network.cookie.cookieBehavior", behaviour)?;
    preferences.set("browser.privatebrowsing.autostart", flavour.is_private)?;
    // Otherwise popups without a click pass in tests and fail for people.
    preferences.set("dom.disable_open_during_load", true)?;
    // Each journey loads megabytes of WebAssembly anew, which would be compiled a second time, better,
    // for pages that are gone by then.
    preferences.set("javascript.options.wasm_optimizingjit", false)?;
    Ok(preferences)
}

fn start_driver() -> Result<(Program, u16)> {
    let program = environment::file(environment::GECKODRIVER)?;
    // The second port would be the same one for every driver.
    let words = [program.into_os_string(), "--port=0".into(), "--websocket-port=0".into()];
    let surroundings: [(&str, OsString); 1] = [
        // The handler of crashes leaves the group of processes that ends with the driver.
        ("MOZ_CRASHREPORTER_DISABLE", "1".into()),
    ];
    Program::start_group("geckodriver", words, &surroundings, |line| {
        line.split_once("Listening on 127.0.0.1:")?.1.trim().parse::<u16>().ok()
    })
}

//! What holds after every step of every machine, whatever happens around it.

use std::collections::BTreeSet;

use gatepass_core::wire::{Effect, Order, Outcome, write_orders};

/// The invariants of one page.
#[derive(Default)]
pub struct Rules {
    effects: BTreeSet<u32>,
    /// When it ordered to be left, and whether by itself.
    left: Option<(i64, bool)>,
}

impl Rules {
    /// The page came back from the cache: it may act again.
    pub fn returned(&mut self) {
        self.left = None;
    }

    pub fn check(&mut self, now_ms: i64, orders: &[Order], secrets: &[(&'static str, String)]) {
        // A navigation that does not begin within 10 s is taken for one that was stopped.
        let leaving = |left: Option<(i64, bool)>| left.filter(|(at, _)| now_ms - at < 10_000);
        for order in orders {
            if let Order::Effect { id, effect } = order {
                assert!(self.effects.insert(*id), "effect {id} was ordered before");
                // A page that is being left begins nothing that outlasts it, and leaves once; but a
                // person's click takes the place of what nobody clicked for.
                let begins = matches!(
                    effect,
                    Effect::Navigate { .. } | Effect::OpenStream { .. } | Effect::TakeLock { .. }
                );
                let is_click = matches!(effect, Effect::Navigate { replace: false, .. });
                let may = leaving(self.left).is_none_or(|(_, by_itself)| by_itself && is_click);
                assert!(!begins || may, "after navigate: {effect:?}");
                if let Effect::Navigate { replace, .. } = effect {
                    self.left = Some((now_ms, *replace));
                }
            }
            keeps_secrets(order, secrets);
            stores_no_token(order, secrets);
        }
    }
}

/// What is stored in the clear holds nothing that opens a door.
fn stores_no_token(order: &Order, secrets: &[(&'static str, String)]) {
    if let Order::Effect { effect: Effect::Save { value, .. }, .. } = order {
        let is_token = |kind: &str| matches!(kind, "access" | "refresh" | "id_token" | "code");
        let tokens = secrets.iter().filter(|(kind, _)| is_token(kind));
        for (kind, token) in tokens.filter(|(_, token)| !token.is_empty()) {
            assert!(!value.0.contains(token.as_str()), "{kind} is stored in the clear");
        }
    }
}

/// Nothing that people log holds a secret.
fn keeps_secrets(order: &Order, secrets: &[(&'static str, String)]) {
    let debug = format!("{order:?}");
    let visible = match order {
        Order::Session { .. } | Order::Completed { outcome: Outcome::Failed { .. }, .. } => {
            write_orders(std::slice::from_ref(order))
        }
        _ => String::new(),
    };
    // A record's place is named by its `state`.
    let names_place = matches!(
        order,
        Order::Effect {
            effect: Effect::Load { .. } | Effect::Save { .. } | Effect::Erase { .. },
            ..
        }
    );
    let shows_claims = matches!(order, Order::Session { session } if session.claims.is_some());
    for (kind, secret) in secrets {
        // The nonce is a claim, and used up when claims are shown.
        let allowed = (*kind == "state" && names_place) || (*kind == "nonce" && shows_claims);
        if !allowed && !secret.is_empty() {
            assert!(!debug.contains(secret.as_str()), "{kind} in {debug}");
            assert!(!visible.contains(secret.as_str()), "{kind} in {visible}");
        }
    }
}

//! What all clones of a client share: the machine, its driver, and those who wait.

use crate::{
    Session, Status,
    driver::{Driver, OpenDoor, Step, diagnose, keeper},
};
use futures_channel::oneshot;
use gatepass_core::{
    config::StorageKind,
    entropy::Entropy,
    json::Writer,
    machine::Machine,
    time::Now,
    wire::{Command, Order, Outcome, Write as _, read_fact, write_orders},
};
use js_sys::{Function, JSON, Object, Reflect, Uint8Array};
use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::BTreeMap,
    rc::{Rc, Weak},
};
use wasm_bindgen::{
    JsCast as _,
    prelude::{Closure, JsValue},
};

/// No cell stays borrowed while a subscriber or the driver is called: both may call back.
pub(crate) struct Shared {
    machine: RefCell<Machine>,
    session: RefCell<Session>,
    subscribers: RefCell<BTreeMap<u32, Rc<Subscriber>>>,
    waiting: RefCell<BTreeMap<u32, oneshot::Sender<Outcome>>>,
    last_number: Cell<u32>,
    /// Where the window of a sign-in stands.
    door: Object,
    /// Issuer and client id.
    client: String,
    /// What keeps a form; made when one is to be kept.
    keep: OnceCell<Function>,
    driver: Driver,
}

pub(crate) type Subscriber = dyn Fn(&Session);

impl Shared {
    /// Begins to drive `machine`; it has been told nothing yet.
    pub(crate) fn new(machine: Machine, client: String) -> Rc<Self> {
        let door = Object::new();
        Rc::new_cyclic(|shared: &Weak<Self>| {
            // Weak: a client that nobody holds any more must end.
            let shared = shared.clone();
            let step: Box<Step> = Box::new(move |wall_ms, monotonic_ms, entropy, fact, bytes| {
                let orders = shared.upgrade().and_then(|shared| {
                    let entropy = Entropy::new(random(&entropy)?);
                    Some(shared.step(now(wall_ms, monotonic_ms), entropy, &fact, &bytes.to_vec()))
                });
                write_orders(&orders.unwrap_or_default())
            });
            Self {
                machine: RefCell::new(machine),
                session: RefCell::default(),
                subscribers: RefCell::default(),
                waiting: RefCell::default(),
                last_number: Cell::new(0),
                driver: Driver::start(Closure::wrap(step), &door),
                door,
                client,
                keep: OnceCell::new(),
            }
        })
    }

    pub(crate) fn session(&self) -> Session {
        self.session.borrow().clone()
    }

    pub(crate) fn add_subscriber(&self, subscriber: Rc<Subscriber>) -> u32 {
        let number = self.number();
        self.subscribers.borrow_mut().insert(number, subscriber);
        number
    }

    pub(crate) fn remove_subscriber(&self, number: u32) {
        // Dropped after the borrow: a subscriber may own subscriptions, which end with it.
        let subscriber = self.subscribers.borrow_mut().remove(&number);
        drop(subscriber);
    }

    /// Tells the machine a command; the receiver gets what comes of it.
    pub(crate) fn tell(&self, command: &Command) -> oneshot::Receiver<Outcome> {
        let (sender, receiver) = oneshot::channel();
        let id = self.number();
        // The queue is JavaScript's: facts cross to it as the objects that its types describe.
        if let Ok(fact) = JSON::parse(&command_fact(id, command)) {
            self.waiting.borrow_mut().insert(id, sender);
            self.driver.tell(&fact);
        }
        receiver
    }

    /// Opens a window for a sign-in.
    pub(crate) fn open_door(&self) -> Option<OpenDoor> {
        OpenDoor::open(&self.door)
    }

    /// Keeps a form, or what has `read` and `restore`; gives what ends that.
    pub(crate) fn keep(&self, name: &str, what: &JsValue) -> Function {
        let keep = self.keep.get_or_init(|| {
            let keep = keeper(&self.client, &self.door);
            self.tell_keeper(&self.session());
            keep
        });
        let stop = keep.call2(&JsValue::UNDEFINED, &name.into(), what);
        stop.ok().and_then(|stop| stop.dyn_into().ok()).unwrap_or_else(|| Function::new_no_args(""))
    }

    /// Before the page hears of it: that may take away what is kept.
    fn tell_keeper(&self, session: &Session) {
        let hear = Reflect::get(&self.door, &"hear".into()).ok();
        if let Some(hear) = hear.and_then(|hear| hear.dyn_into::<Function>().ok()) {
            let status = session.status.as_str().into();
            let text = |text: Option<&str>| text.map_or(JsValue::UNDEFINED, JsValue::from);
            let subject = text(session.subject.as_deref());
            let ending = text(session.cause.as_ref().map(|cause| cause.ending.as_str()));
            // It has nothing to say.
            drop(hear.call3(&JsValue::UNDEFINED, &status, &subject, &ending));
        }
    }

    /// What the browser allows, beside what the machine has told.
    pub(crate) async fn diagnose(
        &self,
        told: &JsValue,
        status: Status,
        storage: StorageKind,
    ) -> Result<JsValue, JsValue> {
        diagnose(told, status.as_str(), storage.as_str(), &self.door).await
    }

    /// One step; keeps what is for the app and gives what is for the browser.
    fn step(&self, now: Now, entropy: Entropy, fact: &str, bytes: &[u8]) -> Vec<Order> {
        let Some(fact) = read_fact(fact) else { return Vec::new() };
        let orders = self.machine.borrow_mut().step(now, entropy, fact, bytes);
        orders.into_iter().filter_map(|order| self.obey(order)).collect()
    }

    fn obey(&self, order: Order) -> Option<Order> {
        match order {
            Order::Completed { command, outcome } => {
                let waiting = self.waiting.borrow_mut().remove(&command);
                // Whoever waited may have stopped to.
                drop(waiting.map(|sender| sender.send(outcome)));
                None
            }
            Order::Session { session } => {
                self.announce(&Session::new(session));
                None
            }
            for_the_browser @ (Order::Effect { .. }
            | Order::Cancel { .. }
            | Order::WakeAt { .. }) => Some(for_the_browser),
        }
    }

    fn announce(&self, session: &Session) {
        self.session.replace(session.clone());
        self.tell_keeper(session);
        let subscribers: Vec<_> = self.subscribers.borrow().keys().copied().collect();
        for number in subscribers {
            // One subscriber may have ended another's subscription.
            let subscriber = self.subscribers.borrow().get(&number).cloned();
            if let Some(subscriber) = subscriber {
                subscriber(session);
            }
        }
    }

    fn number(&self) -> u32 {
        let number = self.last_number.get().wrapping_add(1);
        self.last_number.set(number);
        number
    }
}

/// A command as the fact that the loop queues.
fn command_fact(id: u32, command: &Command) -> String {
    let mut writer = Writer::default();
    writer.open('{');
    writer.member("kind", "command");
    id.write_member("id", &mut writer);
    command.write_member("command", &mut writer);
    writer.close('}');
    writer.finish()
}

/// `None` unless there are exactly as many bytes as a step needs: a step without randomness could
/// be foreseen.
fn random(bytes: &Uint8Array) -> Option<[u8; Entropy::SIZE]> {
    bytes.to_vec().try_into().ok()
}

/// The clocks of a step; browsers give whole milliseconds below 2^53 here.
#[expect(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
fn now(wall_ms: f64, monotonic_ms: f64) -> Now {
    Now { wall_ms: wall_ms as i64, monotonic_ms: monotonic_ms as i64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatepass_core::wire::{Fact, Mode, OnLoad, Scope};

    #[test]
    fn commands_are_read_back_by_the_machine() {
        let commands = [
            Command::Resume {
                callback: Some("https://app.example/?code=c&state=s".into()),
                here: "/a?b#c".into(),
                on_load: OnLoad::Auto,
            },
            Command::SignIn {
                mode: Some(Mode::Popup),
                return_to: "/\"quoted\"".into(),
                prompt: None,
                login_hint: Some("richard".into()),
                acr_values: None,
                max_age: Some(300),
                ui_locales: None,
            },
            Command::CheckSession {},
            Command::Extend {},
            Command::GetToken {
                min_ttl: Some(60),
                origin: None,
                refused: None,
                resource: None,
                scope: None,
            },
            Command::SignOut { scope: Scope::Local },
        ];
        for (id, command) in (1..).zip(commands) {
            let text = command_fact(id, &command);
            assert_eq!(read_fact(&text), Some(Fact::Command { id, command }), "{text}");
        }
    }
}

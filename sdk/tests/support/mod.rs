//! A scripted machine between a test and the parts of the driver.
//!
//! The machine gives the orders that the test hands it, and keeps the facts that it is told. They
//! cross by the real loop and the real codec, so a fact that the real machine could not read fails.
#![allow(
    dead_code,
    unused_imports,
    reason = "each test file is a crate of its own and uses some of this"
)]

mod page;
pub(crate) use page::{Undo, ask, at, global, limit, lock_state, unique};

use futures_channel::mpsc::{self, UnboundedReceiver};
use futures_util::{
    StreamExt as _,
    future::{Either, select},
};
use gatepass_core::{
    time::Now,
    wire::{Answer, Effect, Fact, Failure, Order, Signal, read_fact, write_orders},
};
use js_sys::{Array, Function, Uint8Array};
use std::{
    cell::{Cell, RefCell},
    pin::pin,
    rc::Rc,
};
use wasm_bindgen::prelude::*;

/// What the machine is told in one step.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) now: Now,
    pub(crate) entropy: Vec<u8>,
    pub(crate) fact: Fact,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) struct World {
    queue: Loop,
    orders: Rc<RefCell<Vec<Order>>>,
    told: RefCell<UnboundedReceiver<Result<Told, String>>>,
    last_id: Cell<u32>,
    _step: Closure<Step>,
}

type Step = dyn Fn(f64, f64, Uint8Array, String, Uint8Array) -> String;

impl World {
    pub(crate) fn new(parts: impl IntoIterator<Item = Function>) -> Self {
        let orders = Rc::new(RefCell::new(Vec::new()));
        let (send, told) = mpsc::unbounded();
        let given = orders.clone();
        let step: Box<Step> = Box::new(move |wall_ms, monotonic_ms, entropy, text, bytes| {
            if text != GO {
                let now = Now { wall_ms: wall_ms as i64, monotonic_ms: monotonic_ms as i64 };
                let (entropy, bytes) = (entropy.to_vec(), bytes.to_vec());
                let told = read_fact(&text).map(|fact| Told { now, entropy, fact, bytes });
                let _ = send.unbounded_send(told.ok_or(text));
            }
            write_orders(&given.take())
        });
        let step = Closure::wrap(step);
        let queue = create_loop(&parts.into_iter().collect::<Array>(), &step);
        Self { queue, orders, told: RefCell::new(told), last_id: Cell::new(0), _step: step }
    }

    /// Has the machine give these orders now.
    pub(crate) fn order(&self, orders: impl IntoIterator<Item = Order>) {
        self.orders.borrow_mut().extend(orders);
        self.queue.tell(&js_sys::JSON::parse(GO).unwrap());
    }

    /// Has the machine order an effect; gives its number.
    pub(crate) fn begin(&self, effect: Effect) -> u32 {
        let id = self.last_id.get() + 1;
        self.last_id.set(id);
        self.order([Order::Effect { id, effect }]);
        id
    }

    /// Has the machine cancel an effect.
    pub(crate) fn cancel(&self, effect: u32) {
        self.order([Order::Cancel { effect }]);
    }

    /// What comes of an effect: the next that the machine is told must be its answer.
    pub(crate) async fn perform(&self, effect: Effect) -> Answer {
        let id = self.begin(effect);
        self.answer_of(id).await
    }

    /// The next that the machine is told, which must be the answer of this effect.
    pub(crate) async fn answer_of(&self, id: u32) -> Answer {
        let told = self.next().await;
        match told.fact {
            Fact::Answer { effect, answer } if effect == id => answer,
            other => panic!("expected the answer of {id}, was told {other:?}"),
        }
    }

    /// The next that the machine is told, which must be a signal.
    pub(crate) async fn signal(&self) -> Signal {
        match self.next().await.fact {
            Fact::Signal { signal } => signal,
            other => panic!("expected a signal, was told {other:?}"),
        }
    }

    /// The next that the machine is told.
    #[allow(clippy::await_holding_refcell_ref, reason = "a test waits at one place at a time")]
    pub(crate) async fn next(&self) -> Told {
        let mut told = self.told.borrow_mut();
        match select(told.next(), pin!(limit())).await {
            Either::Left((Some(Ok(told)), _)) => told,
            Either::Left((Some(Err(text)), _)) => panic!("the machine cannot read {text}"),
            _ => panic!("the machine was told nothing within ten seconds"),
        }
    }

    /// Fails if the machine has been told anything that the test has not looked at.
    pub(crate) fn assert_silence(&self) {
        if let Ok(told) = self.told.borrow_mut().try_recv() {
            panic!("expected silence, was told {told:?}");
        }
    }

    pub(crate) fn close(&self) {
        self.queue.close();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.queue.close();
    }
}

pub(crate) fn failed(reason: Failure) -> Answer {
    Answer::Failed { reason }
}

/// A fact that only makes the scripted machine give its orders.
const GO: &str = r#"{"kind":"command","id":0,"command":{"kind":"check_session"}}"#;

#[wasm_bindgen(module = "/driver/loop.js")]
extern "C" {
    type Loop;
    #[wasm_bindgen(js_name = createLoop)]
    fn create_loop(parts: &Array, step: &Closure<Step>) -> Loop;
    #[wasm_bindgen(method)]
    fn tell(this: &Loop, fact: &JsValue);
    #[wasm_bindgen(method)]
    fn close(this: &Loop);
}

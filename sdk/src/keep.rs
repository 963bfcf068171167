//! What a person has half filled in, over a sign-in that leaves the page (S11).

use crate::Client;
use js_sys::{Function, Object, Reflect};
use std::fmt;
use wasm_bindgen::prelude::{Closure, JsValue};
use web_sys::HtmlFormElement;

/// Something that is kept; dropping it ends that.
///
/// What is dropped because the page hides it when its session has run out still counts for the next
/// sign-in.
#[must_use = "nothing is kept any more once this is dropped"]
pub struct Kept {
    stop: Function,
    /// Called until then.
    _calls: Option<(Read, Restore)>,
}

type Read = Closure<dyn Fn() -> Option<String>>;
type Restore = Closure<dyn Fn(String)>;

impl Client {
    /// Keeps what is half filled in in a form, should the page be left to sign in, and fills it in
    /// again when the person comes back to this page, once, with `input` and `change` events.
    ///
    /// `name` is the form's own in the page. It lies encrypted in the tab meanwhile, for an hour at
    /// most, for the person whose session it was; a sign-out erases it. Passwords, one-time codes, card
    /// numbers, files and hidden fields are never kept.
    pub fn keep_form(&self, name: &str, form: &HtmlFormElement) -> Kept {
        Kept { stop: self.shared.keep(name, form), _calls: None }
    }

    /// The same for a state that no form holds: `read` gives it as text before the page is left,
    /// `restore` gets it back, once.
    pub fn keep(
        &self,
        name: &str,
        read: impl Fn() -> Option<String> + 'static,
        restore: impl Fn(String) + 'static,
    ) -> Kept {
        let read: Read = Closure::new(read);
        let restore: Restore = Closure::new(restore);
        let what = Object::new();
        // A fresh object takes any member.
        for (name, call) in [("read", read.as_ref()), ("restore", restore.as_ref())] {
            drop(Reflect::set(&what, &name.into(), call));
        }
        Kept { stop: self.shared.keep(name, &what), _calls: Some((read, restore)) }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // It has nothing to say.
        drop(self.stop.call0(&JsValue::UNDEFINED));
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}

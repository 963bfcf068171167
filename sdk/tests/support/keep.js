// Pages that keep what is half filled in: each `open` is a new page of the tab.

/**
 * A page with a text that it has kept under one name.
 *
 * @param {Function} keeper
 * @param {string} client
 */
export function openPage(keeper, client) {
  const door = {};
  const keep = keeper(client, door);
  const page = {
    text: "",
    /** From now on, or since it was `begun`. */
    mount(begun) {
      const kept = { read: () => page.text, restore: (text) => (page.text = text) };
      page.unmount = keep("words", kept, begun === undefined ? undefined : [begun]);
    },
    hear: (status, subject, ending) => door.hear(status, subject, ending),
    leave: () => door.leaving(),
    keepForm: (form, begun) => keep("form", form, begun),
  };
  return page;
}

/** A form of the document; `fill` is what a person does. */
export function openForm() {
  const form = document.createElement("form");
  form.innerHTML =
    '<input name="word" value="of the app"><input name="tick" type="checkbox"><input name="other">' +
    '<select name="choice"><option>one<option>two</select>' +
    '<select name="choices" multiple><option selected>one<option selected>two<option>three</select>';
  document.body.append(form);
  return {
    form,
    /** As the npm face takes it when a page asks. */
    begun: () =>
      Array.from(form.elements, (field) => [field, field.value, field.checked, field.selectedIndex]),
    fill() {
      form.elements.word.value = "of the person";
      form.elements.tick.checked = true;
      form.elements.choice.selectedIndex = 1;
    },
    write: (name, text) => (form.elements[name].value = text),
    get filled() {
      const { word, tick, other, choice, choices } = form.elements;
      const chosen = Array.from(choices.selectedOptions, ({ value }) => value);
      return [word.value, tick.checked, other.value, choice.value, ...chosen].join();
    },
    remove: () => form.remove(),
  };
}

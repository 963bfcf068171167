// What every file of the lobby needs of the page, and how times are said.

export const $ = (id) => document.getElementById(id);
export const byTest = (id) => document.querySelector(`[data-testid="${id}"]`);

export function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  // As text, never as markup: what the provider received may have come from anybody.
  if (text !== undefined) made.textContent = text;
  return made;
}

/** Changes a text only if it differs: what is read aloud is not repeated. */
export function set(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** A stretch of time: `04:11`, `1:02:03`. */
export function stretch(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return `${hours ? `${hours}:` : ""}${two(minutes)}:${two(whole % 60)}`;
}

export function clock(ms) {
  return new Date(ms).toLocaleTimeString([], { hour12: false });
}

/** The provider writes its steps as parts of a sentence; here each stands alone. */
export function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}

/** Shows a remedy under a name, or takes it away. */
export function remedy(name, title, text) {
  $(`remedy-${name}`)?.remove();
  if (!title) return;
  const box = element("div", "notice warn");
  box.id = `remedy-${name}`;
  box.append(element("h2", "", title), element("p", "", text));
  $("remedies").append(box);
}

// What the tests do to the browser. Each function gives how to undo it, where there is something.

/** Makes reading `target[name]` throw, as a browser does that blocks it. */
export function block(target, name) {
  return shadow(target, name, {
    get() {
      throw new DOMException("blocked", "SecurityError");
    },
  });
}

/** Makes `target[name]` another value. */
export function replace(target, name, value) {
  return shadow(target, name, { value, writable: true });
}

function shadow(target, name, property) {
  const before = Object.getOwnPropertyDescriptor(target, name);
  Object.defineProperty(target, name, { configurable: true, ...property });
  return () => {
    if (before) Object.defineProperty(target, name, before);
    else delete target[name];
  };
}

/** Rejects after ten seconds: a limit of waiting, far above what anything takes. */
export function limit() {
  return new Promise((_, reject) => setTimeout(reject, 10_000));
}

export async function text(url, method, body) {
  const response = await fetch(url, { method, body, cache: "no-store" });
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status}`);
  return response.text();
}

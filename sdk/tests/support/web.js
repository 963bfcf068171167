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

/** Somebody turns from the page to a frame in it, or in components of it. */
export function enterFrame(depth) {
  const top = document.body.appendChild(document.createElement("div"));
  let parent = top;
  for (let at = 0; at < depth; at++)
    parent = parent.attachShadow({ mode: "open" }).appendChild(document.createElement("div"));
  parent.appendChild(document.createElement("iframe")).focus();
  dispatchEvent(new Event("blur"));
  return () => top.remove();
}

/** For what comes after a while, or does not. */
export function pass(milliseconds) {
  return new Promise((done) => setTimeout(done, milliseconds));
}

export async function text(url, method, body) {
  const response = await fetch(url, { method, body, cache: "no-store" });
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status}`);
  return response.text();
}

/** A JSON Web Signature that WebCrypto makes with a fresh key. */
export async function sign(algorithm) {
  const [family, bits] = [algorithm.slice(0, 2), algorithm.slice(2)];
  const hash = `SHA-${bits}`;
  const rsa = { modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash };
  const parameters = {
    RS: { name: "RSASSA-PKCS1-v1_5", ...rsa },
    PS: { name: "RSA-PSS", ...rsa, saltLength: bits / 8 },
    ES: { name: "ECDSA", namedCurve: `P-${bits === "512" ? 521 : bits}`, hash },
    Ed: { name: "Ed25519" },
  }[family];
  const pair = await crypto.subtle.generateKey(parameters, true, ["sign", "verify"]);
  const input = `${btoa(JSON.stringify({ alg: algorithm }))}.${btoa("{}")}`.replace(/=/g, "");
  const signature = await crypto.subtle.sign(
    parameters,
    pair.privateKey,
    new TextEncoder().encode(input),
  );
  const base64 = btoa(String.fromCharCode(...new Uint8Array(signature)));
  return {
    key: await crypto.subtle.exportKey("jwk", pair.publicKey),
    input,
    signature: base64.replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, ""),
  };
}

/** How many hold a lock and how many wait for it. */
export async function lockState(name) {
  const { held, pending } = await navigator.locks.query();
  const count = (locks) => locks.filter((lock) => lock.name === name).length;
  return `${count(held)}+${count(pending)}`;
}

/** Lets an event happen at a target. */
export function happen(target, event, persisted) {
  const isShowing = event.startsWith("page");
  target.dispatchEvent(
    isShowing ? new PageTransitionEvent(event, { persisted }) : new Event(event),
  );
}

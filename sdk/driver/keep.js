/**
 * What a person has half filled in survives a sign-in that leaves the page. Few apps ask for it: the npm
 * face loads this when one does.
 *
 * Just before the page is left it is put into the tab's storage, encrypted under a key of its own, which
 * lies in IndexedDB and which no script can read. The page that the person comes back to takes that key
 * away and opens it with it, in one transaction: so nothing is filled in twice, not by a reload, not by
 * Back, not by a copy of the tab. It counts for one hour, at the same address, for the same person. What
 * nobody's session stood behind has no name in it: the end of the next session erases it, which the
 * machine does (`erase_forms`), for most pages do not load this file.
 */

/** @import { Door } from "./part.d.ts" */

import { done, withKeys } from "./vault.js";

/** How long it counts. */
const LIFETIME_MS = 3_600_000;

/** How long leaving the page may wait. */
const PATIENCE_MS = 1_000;

/** More than this is not kept: the storage holds five million characters for all of an origin. */
const LARGEST = 500_000;

/**
 * What ends more than a session: the person wanted it over here, or it is somebody else. A logout token is
 * not among them: it does not say whether a person or a clock has ended the session at the provider, and
 * of what this page has put away or shows nobody but the same person gets anything back.
 */
const FINAL = ["signed_out", "signed_out_here", "user_changed"];

/**
 * Reads something as JSON and puts it back.
 *
 * @typedef {{ read: () => string | undefined, restore: (text: string) => void }} Kept
 * @typedef {[field: unknown, value: string, checked: boolean, selectedIndex: number]} Begun
 * @typedef {{ id: string, at: number, path: string, bound: boolean, data: string }} Sealed
 */

/**
 * @param {string} client issuer and client id
 * @param {Door} door by which the page's navigation finds this
 */
export function keeper(client, door) {
  const key = `gatepass:1:${client}#forms`;
  /** What the page wants kept now, and how it was in the beginning. @type {Map<string, { kept: Kept, first?: string }>} */
  const wanted = new Map();
  /** The same of what the page no longer shows because its session has run out. @type {Map<string, string>} */
  let left = new Map();
  /** What was taken out of the storage, until it is put back. @type {Record<string, string>} */
  let found = {};
  /** Where that was. */
  let foundAt = "";
  /** Whose page this is; nobody's yet; or nothing of it is kept any more. @type {string | undefined | null} */
  let owner;
  let status = "restoring";
  /** How the last session ended, as it was told last. @type {string | undefined} */
  let told;

  const here = () => location.pathname + location.search;

  const offer = () => {
    // It may have been opened for somebody whose session has run out since.
    if (owner && status !== "authenticated") return;
    for (const [name, { kept }] of wanted) {
      const text = found[name];
      if (text === undefined || foundAt !== here()) continue;
      delete found[name];
      kept.restore(text);
    }
  };

  /** The session as it is now: told before the page draws it. @type {Door["hear"]} */
  const hear = async (now, subject, ending) => {
    status = now;
    if (status === "restoring") return;
    const before = owner;
    const isFinal = !subject && ending !== told && FINAL.includes(ending ?? "");
    told = ending;
    // The page that a sign-out ends on was nobody's, and what is written there is kept again.
    owner = subject ?? (isFinal && before ? null : before);
    const isOther = !!before && owner !== before;
    if (isFinal || isOther) forget();
    // What stands in the page by now is not the next person's.
    if (isOther) for (const entry of wanted.values()) entry.first = entry.kept.read();
    offer();
    await look();
  };

  /** Takes what is in the storage, if it is for this page and whoever is here. */
  const look = async () => {
    const sealed = stored(key);
    if (!sealed || status === "restoring") return;
    const age = Date.now() - sealed.at;
    // A time in the future is of a clock that was set back since.
    if (!(age >= 0 && age < LIFETIME_MS)) return forget();
    if (sealed.path !== here() || (sealed.bound && status !== "authenticated")) return;
    sessionStorage.removeItem(key);
    const before = owner;
    const opened = await open(key, sealed);
    // Somebody else has signed in, or somebody has signed out meanwhile: it is gone.
    if (!opened || (opened.owner ?? before ?? owner) !== owner) return;
    foundAt = sealed.path;
    found = { ...opened.values, ...found };
    offer();
  };

  const forget = () => {
    left = new Map();
    found = {};
    const sealed = stored(key);
    if (!sealed) return;
    sessionStorage.removeItem(key);
    withKeys("readwrite", (keys) => done(keys.delete(sealed.id))).catch(() => {});
  };

  const putAway = async () => {
    const [whose, path] = [owner, here()];
    // What could not be put back yet is still to come.
    const values = { ...(foundAt === path ? found : {}), ...Object.fromEntries(left) };
    for (const [name, { kept, first }] of wanted) {
      const text = kept.read();
      if (text !== undefined && text !== first) values[name] = text;
    }
    const text = JSON.stringify({ owner, values });
    // Nothing new: what an earlier trip has put away still counts.
    if (owner === null || !Object.keys(values).length || text.length > LARGEST) return;
    forget();
    const at = Date.now();
    const id = `forms:${at}:${crypto.getRandomValues(new Uint32Array(2)).join("")}`;
    const sealer = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
    await withKeys("readwrite", async (keys) => {
      // Of pages that nobody came back to.
      for (const old of await done(keys.getAllKeys(IDBKeyRange.bound("forms:", "forms;")))) {
        if (!(at - +String(old).split(":")[1] < LIFETIME_MS)) keys.delete(old);
      }
      await done(keys.put(sealer, id));
    });
    const bytes = await crypto.subtle.encrypt(algorithm(key, id, path), sealer, new TextEncoder().encode(text));
    const data = btoa(Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join(""));
    // Whoever has signed out meanwhile, in another tab, has nothing put away any more.
    if (owner === whose) sessionStorage.setItem(key, JSON.stringify({ id, at, path, bound: !!whose, data }));
  };

  door.hear = hear;
  // Whatever fails (storage blocked or full, no WebCrypto) keeps nobody from signing in.
  door.leaving = () =>
    Promise.race([putAway().catch(() => {}), new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);

  /**
   * Keeps something under a name that the page has once, until the returned function is called.
   *
   * @param {string} name
   * @param {HTMLFormElement | Kept} what
   * @param {any[]} [begun] how it was when the page asked for this, if that is a while ago: what is read of
   *   it, or the state of each field ({@link Begun})
   */
  return (name, what, begun) => {
    const isForm = what instanceof HTMLFormElement;
    const entry = isForm ? form(what, begun) : { kept: what, first: begun ? begun[0] : what.read() };
    const { kept } = entry;
    wanted.set(name, entry);
    left.delete(name);
    offer();
    look();
    return () => {
      if (wanted.get(name) !== entry) return;
      wanted.delete(name);
      // A page that hides what is private when its session has run out is to be filled in again.
      const text = kept.read();
      if (status !== "authenticated" && owner && text !== undefined && text !== entry.first) left.set(name, text);
    };
  };
}

/**
 * @param {string} key
 * @returns {Sealed | undefined}
 */
const stored = (key) => {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? "null") ?? undefined;
  } catch {
    // Blocked, or somebody else's.
  }
};

/**
 * Opens it with the key that it takes away: a second one finds none.
 *
 * @param {string} name
 * @param {Sealed} sealed
 * @returns {Promise<{ owner?: string, values: Record<string, string> } | undefined>}
 */
const open = async (name, { id, path, data }) => {
  try {
    const key = await withKeys("readwrite", async (keys) => {
      const found = await done(keys.get(id));
      await done(keys.delete(id));
      return found;
    });
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt(algorithm(name, id, path), key, bytes)));
  } catch {
    // Its key is gone, or it was altered.
  }
};

/**
 * Each key is used once, so that any vector will do. What stands beside the data is authenticated.
 *
 * @param {string[]} beside
 */
const algorithm = (...beside) => ({
  name: "AES-GCM",
  iv: new Uint8Array(12),
  additionalData: new TextEncoder().encode(JSON.stringify(beside)),
});

/**
 * A form's fields, by name and by place among those of one name.
 *
 * @param {HTMLFormElement} element
 * @param {Begun[]} [begun]
 * @returns {{ kept: Kept, first?: string }}
 */
const form = (element, begun = []) => {
  const fields = () => {
    /** @type {Record<string, number>} */
    const seen = {};
    return [...element.elements].flatMap((field) => {
      if (!(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement || field instanceof HTMLSelectElement))
        return [];
      if (!field.name || NEVER.test(field.type) || SECRET.test(field.getAttribute("autocomplete") ?? "")) return [];
      const place = (seen[field.name] = (seen[field.name] ?? -1) + 1);
      return [{ id: `${field.name}/${place}/${field.type}`, field }];
    });
  };
  /** @param {Map<unknown, State>} [states] */
  const read = (states) =>
    JSON.stringify(Object.fromEntries(fields().map(({ id, field }) => [id, valueOf(field, states?.get(field))])));
  const first = read(
    new Map(begun.map(([field, value, checked, selectedIndex]) => [field, { value, checked, selectedIndex }])),
  );
  /** @param {string} text */
  const restore = (text) => {
    const [kept, before] = [JSON.parse(text), JSON.parse(first)];
    for (const { id, field } of fields()) {
      const [now, then] = [JSON.stringify(valueOf(field)), JSON.stringify(before[id])];
      // What the person has typed meanwhile is newer.
      if (id in kept && now === then && JSON.stringify(kept[id]) !== now) fill(field, kept[id]);
    }
  };
  return { kept: { read: () => read(), restore }, first };
};

/** Nothing of it is for anybody to keep, or it is not the person's (a hidden field may hold a token). */
const NEVER = /^(password|file|hidden|submit|reset|button|image)$/;

/** What HTML calls a credential, a one-time code, and all of a payment card. */
const SECRET = /(^|\s)(current-password|new-password|one-time-code|cc-[a-z-]+)(\s|$)/i;

/** @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Field */

/** @param {Field} field */
const isTicked = (field) => field.type === "checkbox" || field.type === "radio";

/** @typedef {{ value: string, checked?: boolean, selectedIndex?: number }} State */

/**
 * @param {Field} field
 * @param {State} [state] an earlier one
 * @returns {string | boolean | string[]}
 */
const valueOf = (field, state = field) => {
  if (!(field instanceof HTMLSelectElement)) return isTicked(field) ? !!state.checked : state.value;
  const { selectedIndex: index = -1 } = state;
  const chosen = index === field.selectedIndex ? [...field.selectedOptions] : [...field.options].slice(index, index + 1);
  return chosen.map(({ value }) => value);
};

/**
 * As the person would: an app of any framework hears of it.
 *
 * @param {Field} field
 * @param {any} value
 */
const fill = (field, value) => {
  // A click tells by itself; a radio button that is off goes off by another one's click.
  if (isTicked(field)) {
    if (value || field.type === "checkbox") field.click();
    return;
  }
  if (field instanceof HTMLSelectElement) {
    for (const option of field.options) option.selected = value.includes(option.value);
  } else {
    // React replaces the property on the element, and would take the change for its own.
    const { set } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), "value") ?? {};
    set?.call(field, value);
  }
  for (const event of ["input", "change"]) field.dispatchEvent(new Event(event, { bubbles: true }));
};

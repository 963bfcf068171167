// What a script of the page can do with the vault's database.

/** @param {string} name */
export async function keysOf(name) {
  const key = await inKeys("readonly", (keys) => keys.get(name));
  const exported = await crypto.subtle.exportKey("raw", key).then(
    () => "exported",
    (error) => error.name,
  );
  return [key.extractable, key.usages.join(), exported];
}

/** @param {string} name */
export const forgetKey = (name) => inKeys("readwrite", (keys) => keys.delete(name));

/** From now on no database opens. */
export const hangingDatabase = () => replaced(IDBFactory.prototype, "open", () => ({}));

/** From now on keys cannot be stored. */
export const databaseWithoutKeys = () =>
  replaced(IDBObjectStore.prototype, "put", () => {
    throw new DOMException("a key cannot be cloned", "DataCloneError");
  });

function replaced(of, name, by) {
  const before = of[name];
  of[name] = by;
  return () => {
    of[name] = before;
  };
}

function inKeys(mode, use) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("gatepass:1");
    opening.onerror = reject;
    opening.onsuccess = () => {
      const database = opening.result;
      const request = use(database.transaction("keys", mode).objectStore("keys"));
      request.onsuccess = () => {
        database.close();
        resolve(request.result);
      };
      request.onerror = reject;
    };
  });
}

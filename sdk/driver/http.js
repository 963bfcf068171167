/** Requests by `fetch`. */

/** @import { Response as Head } from "./wire.d.ts" */
/** @import { Part, Reply } from "./part.d.ts" */

import { failed } from "./loop.js";

/** @returns {Part} */
export function http() {
  return {
    effects: {
      fetch: (_, effect, abort) =>
        request(effect, abort, async (head, response) => {
          const chunks = [];
          let length = 0;
          const reader = response.body?.getReader();
          for (let chunk; (chunk = (await reader?.read())?.value); ) {
            length += chunk.length;
            if (length > effect.limit) {
              abort.abort();
              return failed("too_large");
            }
            chunks.push(chunk);
          }
          // Not decoded: that would drop byte order marks and mend bad UTF-8. And not a blob's: those
          // live in the browser's main process, half a millisecond away.
          const bytes = new Uint8Array(length);
          length = 0;
          for (const chunk of chunks) {
            bytes.set(chunk, length);
            length += chunk.length;
          }
          return { ...head, bytes };
        }),
    },
  };
}

/**
 * Sends a request and gives its response to `use`; the time limit holds until that is done.
 *
 * No cookies go with it, no address of the page, nothing is cached, and a redirect is not followed:
 * it could carry a code or a token to another server.
 *
 * @param {{ method?: string, url: string, authorization?: string, form?: string, timeout_ms: number }} effect
 * @param {AbortController} abort
 * @param {(head: Reply, response: Response) => Reply | void | Promise<Reply | void>} use
 */
export async function request(effect, abort, use) {
  const { method, url, authorization, form: body, timeout_ms } = effect;
  const { signal } = abort;
  const timer = setTimeout(() => abort.abort(), timeout_ms);
  const headers = new Headers();
  if (authorization) headers.set("authorization", authorization);
  if (body !== undefined) headers.set("content-type", "application/x-www-form-urlencoded");
  try {
    const response = await fetch(url, {
      method,
      headers,
      body,
      signal,
      cache: "no-store",
      credentials: "omit",
      mode: "cors",
      redirect: "manual",
      referrerPolicy: "no-referrer",
    });
    if (response.type === "opaqueredirect") return failed("redirected");
    return await use({ kind: "response", response: head(response) }, response);
  } catch {
    return failed(signal.aborted ? "timeout" : "network");
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param {Response} response
 * @returns {Head}
 */
const head = ({ status, headers }) => {
  /** @param {string} name */
  const header = (name) => headers.get(name) ?? undefined;
  const date = Date.parse(header("date") ?? "") || undefined;
  const wait = header("retry-after") ?? "";
  // Seconds or a date (RFC 9110 10.2.3). The machine reads integers only.
  const seconds = /^\d+$/.test(wait) ? +wait : (Date.parse(wait) - (date ?? Date.now())) / 1000;
  return {
    status,
    date_ms: date,
    content_type: header("content-type")?.split(";")[0].trim().toLowerCase(),
    retry_after: seconds >= 0 ? Math.ceil(Math.min(seconds, 1e9)) : undefined,
    www_authenticate: header("www-authenticate"),
  };
};

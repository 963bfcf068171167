/** Requests with the access token. */

import { type Send, tokenOf } from "./commands.js";
import type { Client } from "./types.js";

export function fetchWith(send: Send): Client["fetch"] {
  return async (input, init) => {
    const request = new Request(input, init);
    // The app has put its own there.
    if (request.headers.has("authorization")) return fetch(request);
    const { origin } = new URL(request.url);
    const tokenOtherThan = async (refused?: string) =>
      tokenOf(await send({ kind: "get_token", origin, refused }));

    const token = await tokenOtherThan();
    const response = await fetchAs(token, request);
    if (!token || !refusesToken(response) || isSpent(input, init)) return response;

    // Without another token the resource's own answer is the best one; the session tells the rest.
    const fresh = await tokenOtherThan(token).catch(() => undefined);
    if (!fresh) return response;
    // Unread, it would keep a connection.
    void response.body?.cancel();
    return fetchAs(fresh, new Request(input, init));
  };
}

/** The browser takes the header off again when a redirect leaves the origin (Fetch 4.4). */
function fetchAs(token: string | undefined, request: Request): Promise<Response> {
  if (token) request.headers.set("authorization", "Bearer " + token);
  return fetch(request);
}

/** RFC 6750 3.1. A resource of another origin has to expose the header to scripts. */
function refusesToken({ status, headers }: Response): boolean {
  return status === 401 && /\berror="?invalid_token\b/i.test(headers.get("www-authenticate") ?? "");
}

/** Whether the body was one that can be read only once. */
function isSpent(input: RequestInfo | URL, init?: RequestInit): boolean {
  return (
    init?.body instanceof ReadableStream || (input instanceof Request && input.bodyUsed)
  );
}

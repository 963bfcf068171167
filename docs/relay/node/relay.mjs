// The relay for Node, without packages: see docs/relay.md.

import { createServer } from "node:http";

const { USERINFO_ENDPOINT, APP_ORIGIN, LISTEN } = process.env;
if (!USERINFO_ENDPOINT || !APP_ORIGIN || !LISTEN) throw new Error("USERINFO_ENDPOINT, APP_ORIGIN or LISTEN is not set");

/** Seconds between two signs of life. */
const HEARTBEAT = 15;
/** Back-Channel Logout 1.0, 4: a logout token is good for two minutes at most. */
const LIFETIME_MS = 120_000;
/** A logout token has a few hundred bytes. */
const MAX_FORM = 16 * 1024;
const MAX_TABS = 10_000;
const MAX_RECENT = 1_000;
/** What a tab that does not read may leave waiting. */
const MAX_UNREAD = 256 * 1024;

/** The open streams. @type {Set<(token: LogoutToken) => void>} */
const tabs = new Set();
/** For tabs that are between two streams. @type {{ at: number, token: LogoutToken }[]} */
let recent = [];

/**
 * A logout token as it came, and whom it is about. Nothing of it is believed here: each tab verifies
 * it. One with a `sid` only names a session and nobody: it goes to all tabs.
 * @typedef {{ text: string, sub?: string }} LogoutToken
 */

/** Reads whom a token is about; `undefined` if it is no JWT that says so. */
function read(text) {
  try {
    const [, payload, ...rest] = text.split(".");
    const { sub, sid } = JSON.parse(Buffer.from(payload, "base64url").toString());
    const named = [sub, sid].some((name) => typeof name === "string");
    if (rest.length === 1 && named) return { text, sub };
  } catch {
    // It is no logout token.
  }
  return undefined;
}

/** Back-Channel Logout 1.0, 2.5: the provider says that a session is over. */
async function backchannelLogout(request, response) {
  let form = "";
  for await (const chunk of request) {
    form += chunk;
    if (form.length > MAX_FORM) return answer(response, 413);
  }
  const token = read(new URLSearchParams(form).get("logout_token") ?? "");
  if (!token) return answer(response, 400, { "cache-control": "no-store" });
  const at = Date.now();
  recent = [...recent.filter((it) => at - it.at < LIFETIME_MS), { at, token }].slice(-MAX_RECENT);
  for (const tell of tabs) tell(token);
  answer(response, 200, { "cache-control": "no-store" });
}

/** docs/session-events.md: a tab listens. */
async function sessionEvents(request, response) {
  const { authorization } = request.headers;
  if (!authorization) return answer(response, 401);
  if (tabs.size >= MAX_TABS) return answer(response, 429, LATER);
  // From before the question whose it is, so that nothing falls between.
  const waiting = [];
  let tell = (token) => waiting.push(token);
  const tab = (token) => tell(token);
  tabs.add(tab);
  response.on("close", () => tabs.delete(tab));

  let sub;
  try {
    const info = await fetch(USERINFO_ENDPOINT, { headers: { authorization }, signal: AbortSignal.timeout(10_000) });
    if (info.status >= 400 && info.status < 500) return answer(response, 401);
    ({ sub } = await info.json());
  } catch {
    return answer(response, 503, LATER);
  }
  if (typeof sub !== "string") return answer(response, 401);

  response.writeHead(200, {
    ...CORS,
    "content-type": "text/event-stream",
    "cache-control": "no-store, no-transform",
    "x-accel-buffering": "no",
  });
  const send = (text) => {
    response.write(text);
    // A tab that is too far behind is let go: it comes again and is told what it missed.
    if (response.writableLength > MAX_UNREAD) response.destroy();
  };
  send(`event: open\ndata: {"heartbeat":${HEARTBEAT}}\n\n`);
  const heartbeat = setInterval(() => send(": heartbeat\n\n"), HEARTBEAT * 1000);
  response.on("close", () => clearInterval(heartbeat));
  tell = (token) => {
    if (token.sub === undefined || token.sub === sub) send(`event: logout\ndata: ${token.text}\n\n`);
  };
  const missed = recent.filter((it) => Date.now() - it.at < LIFETIME_MS).map((it) => it.token);
  for (const token of new Set([...missed, ...waiting])) tell(token);
}

const CORS = {
  "access-control-allow-origin": APP_ORIGIN,
  "access-control-allow-headers": "authorization",
  "access-control-expose-headers": "retry-after",
  vary: "origin",
};
const LATER = { "retry-after": "15" };

function answer(response, status, headers = {}) {
  response.writeHead(status, { ...CORS, ...headers }).end();
}

const server = createServer((request, response) => {
  const handlers = {
    "POST /backchannel-logout": backchannelLogout,
    "GET /session-events": sessionEvents,
    "OPTIONS /session-events": () => answer(response, 204),
  };
  const handle = handlers[`${request.method} ${request.url}`];
  if (!handle) return answer(response, 404);
  // Whoever hangs up in the middle needs no answer.
  handle(request, response)?.catch(() => response.destroy());
});
const [, host, port] = /^(.*):(\d+)$/.exec(LISTEN);
server.listen(Number(port), host, () => console.log(`ready http://${host}:${server.address().port}`));

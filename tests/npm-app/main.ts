import {
  createClient,
  GatepassError,
  type Client,
  type OnLoad,
  type Session,
  type SignInOptions,
  type StorageKind,
} from "gatepass";
import { initiatedSignIn } from "gatepass/initiated";

interface Config {
  issuer: string;
  clientId: string;
  /** The stream of the app's own server, if it has one. */
  sessionEventsEndpoint?: string;
  /** Its page for hidden frames, if it is to have one. */
  silentRedirectUri?: string;
  /** The API's origin: besides the provider, the only one that gets the token. */
  api: string;
  /** An origin that is on no list. */
  elsewhere: string;
}

const { api, elsewhere, ...config }: Config = await (await fetch("/config.json")).json();
const asked = new URLSearchParams(location.search);
// Where the browser keeps no storage, a page remembers for itself.
const kept: Record<string, any> = (() => {
  try {
    return sessionStorage;
  } catch {
    return {};
  }
})();
// A provider that lies is asked for by the address; the provider brings the person back without it.
kept.issuer = asked.get("issuer") ?? kept.issuer ?? config.issuer;
config.issuer = kept.issuer;
// Who this app is, in the provider's eyes.
kept.client = asked.get("client") ?? kept.client ?? config.clientId;
config.clientId = kept.client;
// Where the session is kept is asked for likewise, and by each tab for itself.
kept.storage = asked.get("storage") ?? kept.storage ?? "memory";
kept.onLoad = asked.get("onLoad") ?? kept.onLoad ?? "auto";
kept.lifetime = asked.get("lifetime") ?? kept.lifetime ?? "";
const count = Number(asked.get("clients") ?? kept.clients ?? 1);
// The provider brings the person back without the query.
kept.clients = count;

// A lifetime is asked for where time is moved: the provider's clock is the one to follow then.
const lifetime = Number(kept.lifetime);
const make = (): Client =>
  createClient({
    ...config,
    onLoad: kept.onLoad as OnLoad,
    storage: kept.storage as StorageKind,
    tokenOrigins: [new URL(config.issuer).origin, api],
    ...(lifetime ? { sessionLifetime: lifetime, dangerouslyFollowProviderClock: true } : {}),
  });
// Two clients on one page, as React's strict mode makes them: the first one draws.
const [auth] = Array.from({ length: count }, make) as [Client, ...Client[]];

// Another client of the same provider, which has begun after it.
kept.other = asked.get("other") ?? kept.other ?? "";
const other = kept.other && createClient({ ...config, clientId: kept.other, onLoad: "manual" });

// For tests that ask the client without a person.
Object.assign(window, { auth, other });

// Somebody else has led the person here to sign in.
const initiated = initiatedSignIn(location.href, config.issuer);
if (initiated) auth.signIn(initiated);

const find = (id: string): HTMLElement => {
  const found = document.querySelector<HTMLElement>(`[data-testid="${id}"]`);
  if (!found) throw new Error(`the page has no ${id}`);
  return found;
};

auth.subscribe((session: Session) => {
  find("status").textContent = session.status;
  find("user-name").textContent = session.user?.name ?? "";
  const code = session.error?.code ?? session.cause?.ending ?? "";
  find("notice").dataset.code = code;
  find("notice").textContent = code;
  find("notice").dataset.found = session.error?.evidence?.found ?? "";
});

setInterval(() => {
  find("left").textContent = String(auth.sessionExpiresIn());
}, 100);

/** Shows the code of what was refused; anything else is a defect and stays an error. */
const attempt = (id: string, act: () => Promise<unknown>): void => {
  find(id).onclick = async () => {
    find("refused").textContent = "";
    try {
      await act();
    } catch (error) {
      if (!(error instanceof GatepassError)) throw error;
      find("refused").textContent = error.code;
    }
  };
};

attempt("sign-in", () => auth.signIn());
// Somebody who clicks while the page is about to be left by itself: drivers wait for it to be gone.
const clickAfter = asked.get("clickAfter");
if (clickAfter && !kept.hasClicked) {
  kept.hasClicked = true;
  setTimeout(() => find("sign-in").click(), Number(clickAfter));
}
// What becomes of a window that is blocked.
const mode = (asked.get("mode") ?? "popup") as NonNullable<SignInOptions["mode"]>;
attempt("sign-in-window", () => auth.signIn({ mode }));
// A window that nobody has clicked for: browsers block it.
if (asked.has("unclicked")) find("sign-in-window").click();
attempt("sign-out", () => auth.signOut());
attempt("sign-out-here", () => auth.signOut({ scope: "local" }));
attempt("extend", () => auth.extend());
attempt("fetch-userinfo", async () => {
  const response = await auth.fetch(`${config.issuer}/userinfo`);
  find("userinfo").textContent = JSON.stringify(await response.json());
});
attempt("fetch-api", async () => {
  const response = await auth.fetch(`${api}/files?strict=1`);
  find("api").textContent = JSON.stringify(await response.json());
});
attempt("fetch-elsewhere", async () => {
  try {
    await auth.fetch(`${elsewhere}/config.json`);
  } catch (error) {
    // It answers no other site's pages; what counts is what it was sent.
    if (!(error instanceof TypeError)) throw error;
  }
  find("elsewhere").textContent = "done";
});

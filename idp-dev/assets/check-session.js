// The provider's frame (Session Management 1.0, 3.2): an app asks "client_id session_state" and is
// told "unchanged", "changed" or "error". Where the browser keeps our cookie from frames the answer
// is "error": a frame that sees nothing must sign nobody out.
// In a window of its own it says nothing: any site can open one.
const { cookie } = document.body.dataset;

function browserState() {
  const pairs = document.cookie.split("; ").map((pair) => pair.split("="));
  return pairs.find(([name]) => name === cookie)?.[1];
}

async function digest(text) {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const letters = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return letters.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

async function answer(asked, origin) {
  const state = browserState();
  const words = typeof asked === "string" ? asked.split(" ") : [];
  const [clientId, sessionState] = words;
  const [hash, salt] = sessionState?.split(".") ?? [];
  if (words.length !== 2 || !clientId || !hash || !salt || !state || !globalThis.crypto?.subtle) {
    return "error";
  }
  return (await digest(`${clientId} ${origin} ${state} ${salt}`)) === hash ? "unchanged" : "changed";
}

addEventListener("message", async ({ data, origin, source }) => {
  if (parent !== window) source?.postMessage(await answer(data, origin), origin);
});

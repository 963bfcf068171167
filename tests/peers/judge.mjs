// Other people's clients against a provider that lies: each scenario of idp-dev, each client, and
// what idp-dev says of it. `cargo xtask peers` runs this and keeps docs/peers.md.
//
// node judge.mjs IDP_DEV FILE [NAME]: the provider's program, the table to write, and perhaps one
// scenario alone, which is printed and not written.
//
// The clients run in Node with their own defaults; a few lines play the browser and the person.
// After every success that a client claims it is asked to use its access token at UserInfo, so that
// accepting quietly does not look like refusing.

import { spawn } from "node:child_process";
import { readFile, writeFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { InMemoryWebStorage, OidcClient, WebStorageStateStore } from "oidc-client-ts";
import * as openid from "openid-client";

const [program, file, only] = process.argv.slice(2);

/** Nobody listens there: the answers are read off the redirects. */
const HOME = "http://app.localhost/";
const SCOPE = "openid profile email";
const SECONDS = 8;
/** A client that has not come to an end by then is not waited for. */
const PATIENCE_MS = 45_000;

const CONFIG = `issuer = "http://localhost:{port}"
[[users]]
username = "richard"
name = "Richard Hendricks"
email = "richard@piedpiper.example"
password = "password"
[[clients]]
id = "app"
name = "App"
redirect_uris = ["${HOME}"]
post_logout_redirect_uris = ["${HOME}"]
`;

/** A browser in which a person signs in. */
class Browser {
  jar = new Map();

  async send(url, options = {}) {
    const cookie = [...this.jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { ...options.headers, ...(cookie && { cookie }) };
    const signal = AbortSignal.timeout(SECONDS * 1000);
    const response = await fetch(url, { ...options, headers, redirect: "manual", signal });
    for (const line of response.headers.getSetCookie()) {
      const [name, value] = line.split(";")[0].split(/=(.*)/s);
      if (line.includes("Max-Age=0")) this.jar.delete(name);
      else this.jar.set(name, value);
    }
    return response;
  }

  /** Where the browser lands outside of the provider. */
  async visit(address) {
    let url = new URL(address);
    const { origin } = url;
    let response = await this.send(url);
    for (let hops = 0; hops < 10; hops += 1) {
      const location = response.headers.get("location");
      if (location) {
        url = new URL(location, url);
        if (url.origin !== origin) return url;
        response = await this.send(url);
        continue;
      }
      const page = await response.text();
      const action = /<form[^>]* action="([^"]+)"/.exec(page)?.[1];
      if (!action) throw new Error(`the provider shows a page with status ${response.status}`);
      const hidden = page.matchAll(/type="hidden" name="([^"]+)" value="([^"]*)"/g);
      const form = new URLSearchParams([...hidden].map(([, name, value]) => [name, value]));
      const isLogin = action.endsWith("/login");
      for (const [name, value] of Object.entries(
        isLogin
          ? { username: "richard", password: "password", action: "sign-in" }
          : { action: "sign-out" },
      )) {
        form.set(name, value);
      }
      url = new URL(action, url);
      response = await this.send(url, { method: "POST", body: form });
    }
    throw new Error("the provider leads nowhere");
  }
}

const lists = {};
for (const name of ["oidc-client-ts", "openid-client"]) {
  const path = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  lists[name] = JSON.parse(await readFile(path, "utf8")).version;
}

/** The first sign-in; where no answer comes to it, the person stops waiting and tries again. */
const firstOf = (signIn, reach) => (reach === "second_try" ? signIn().catch(signIn) : signIn());

async function useOidcClientTs({ issuer, reach }) {
  const browser = new Browser();
  const client = new OidcClient({
    authority: issuer,
    client_id: "app",
    redirect_uri: HOME,
    post_logout_redirect_uri: HOME,
    scope: SCOPE,
    loadUserInfo: true,
    requestTimeoutInSeconds: SECONDS,
    stateStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
  });
  const signIn = async () => {
    const request = await client.createSigninRequest({});
    return client.processSigninResponse((await browser.visit(request.url)).href);
  };
  const use = async (token) => {
    const endpoint = await client.metadataService.getUserInfoEndpoint();
    await browser.send(endpoint, { headers: { authorization: `Bearer ${token}` } });
  };
  let tokens = await firstOf(signIn, reach);
  if (reach === "second_sign_in") tokens = await signIn();
  await use(tokens.access_token);
  if (reach === "refresh") {
    // What its UserManager keeps of a user for this, a type that the package does not export.
    const { access_token, refresh_token, id_token, session_state, scope, profile } = tokens;
    const state = { access_token, refresh_token, id_token, session_state, scope, profile };
    const renewed = await client.useRefreshToken({ state, timeoutInSeconds: SECONDS });
    await use(renewed.access_token);
  }
  if (reach === "sign_out") {
    const request = await client.createSignoutRequest({
      id_token_hint: tokens.id_token,
      post_logout_redirect_uri: HOME,
      state: { from: "judge" },
    });
    await client.processSignoutResponse((await browser.visit(request.url)).href);
  }
}

async function useOpenidClient({ issuer, reach }, isStrict) {
  const browser = new Browser();
  const execute = [openid.allowInsecureRequests];
  if (isStrict) execute.push(openid.enableNonRepudiationChecks);
  const config = await openid.discovery(new URL(issuer), "app", undefined, openid.None(), {
    execute,
    timeout: SECONDS,
  });
  const signIn = async () => {
    const pkceCodeVerifier = openid.randomPKCECodeVerifier();
    const checks = {
      pkceCodeVerifier,
      expectedState: openid.randomState(),
      expectedNonce: openid.randomNonce(),
      idTokenExpected: true,
    };
    const address = openid.buildAuthorizationUrl(config, {
      redirect_uri: HOME,
      scope: SCOPE,
      code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: "S256",
      state: checks.expectedState,
      nonce: checks.expectedNonce,
    });
    return openid.authorizationCodeGrant(config, await browser.visit(address), checks);
  };
  let tokens = await firstOf(signIn, reach);
  if (reach === "second_sign_in") tokens = await signIn();
  const { sub } = tokens.claims();
  await openid.fetchUserInfo(config, tokens.access_token, sub);
  if (reach === "refresh") {
    const renewed = await openid.refreshTokenGrant(config, tokens.refresh_token);
    await openid.fetchUserInfo(config, renewed.access_token, sub);
  }
  if (reach === "sign_out") {
    const state = openid.randomState();
    const address = openid.buildEndSessionUrl(config, {
      id_token_hint: tokens.id_token,
      post_logout_redirect_uri: HOME,
      state,
    });
    // It has no function for the return; this is what an app would have to do.
    await browser.visit(address);
  }
}

const CLIENTS = [
  [`oidc-client-ts ${lists["oidc-client-ts"]}`, useOidcClientTs],
  [`openid-client ${lists["openid-client"]}`, (scenario) => useOpenidClient(scenario, false)],
  [
    `openid-client ${lists["openid-client"]}, signatures checked`,
    (scenario) => useOpenidClient(scenario, true),
  ],
];

async function start() {
  const directory = await mkdtemp(join(tmpdir(), "judge-"));
  const config = join(directory, "idp.toml");
  await writeFile(config, CONFIG);
  const words = ["--config", config, "--listen", "127.0.0.1:0", "--quiet"];
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ready = (await lines.next()).value;
  const field = (name) => new RegExp(`${name}=(\\S+)`).exec(ready)[1];
  const headers = { authorization: `Bearer ${field("token")}` };
  const control = async (method, path, body) => {
    const url = `${field("control")}${path}`;
    const response = await fetch(url, { method, headers, body: body && JSON.stringify(body) });
    const text = await response.text();
    return text && JSON.parse(text);
  };
  const stop = async () => {
    child.kill();
    await rm(directory, { recursive: true });
  };
  return { control, stop };
}

function inTime(promise) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("no end in time")), PATIENCE_MS);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Whether a client gave up waiting, or this machine was too slow for it. */
const isLate = (error) => /time/i.test(`${error.name} ${error.code} ${error.message}`);

async function judge(control, scenario, use) {
  const { name } = scenario;
  let report;
  // A refusal must not be this machine's fault: who was late may try again.
  for (let tries = 0; tries < 2; tries += 1) {
    await control("DELETE", `/scenarios/${name}`);
    try {
      await inTime(use(scenario));
      report = { said: "accepted" };
      break;
    } catch (error) {
      report = { said: "refused", code: String(error.code ?? error.name) };
      if (only) console.error(error);
      if (!isLate(error)) break;
    }
  }
  await control("POST", `/scenarios/${name}/asked`, report);
  const verdict = await control("GET", `/scenarios/${name}/verdict`);
  verdict.code = report.code;
  // Some break nothing: there the provider has nothing to look out for, and the client's word counts.
  if (verdict.told > 0 || scenario.faults > 0) return verdict;
  return { ...verdict, told: 1, verdict: report.said, as_expected: report.said === "accepted" };
}

const rows = new Map();

/** Judges all clients by the scenarios that are asked for, and gives all that there are. */
async function judgeAll(control) {
  const all = await control("GET", "/scenarios");
  // These clients have no session-events stream that a logout token could come by.
  const judged = all.filter(
    (one) => one.outcome !== "not_applicable" && one.reach !== "logout_token" && (!only || one.name === only),
  );
  const queue = [...judged];
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      for (let one = queue.shift(); one; one = queue.shift()) {
        const verdicts = [];
        for (const [, use] of CLIENTS) verdicts.push(await judge(control, one, use));
        rows.set(one.name, verdicts);
        console.error(one.name, verdicts.map((verdict) => `${verdict.verdict} (${verdict.code})`).join(", "));
      }
    }),
  );
  return { all, judged };
}

const { control, stop } = await start();
// Whatever goes wrong, no provider stays behind.
const { all, judged } = await judgeAll(control).finally(stop);

if (only) {
  console.log(JSON.stringify(rows.get(only), null, 2));
  process.exit(0);
}

const mark = (verdict) =>
  verdict.told === 0 ? "not met" : verdict.as_expected ? verdict.verdict : `**${verdict.verdict}**`;
const table = (some) =>
  some
    .map((one) => `| \`${one.name}\` | ${one.breaks.replaceAll("|", "\\|")} | ${rows.get(one.name).map(mark).join(" | ")} |`)
    .join("\n");
const head = `| scenario | what it breaks | ${CLIENTS.map(([name]) => name).join(" | ")} |\n|---|---|---|---|---|`;
const count = (outcome, at) => {
  const some = judged.filter((one) => one.outcome === outcome);
  const met = some.filter((one) => rows.get(one.name)[at].told > 0);
  const good = met.filter((one) => rows.get(one.name)[at].as_expected);
  return `${good.length} of ${met.length}`;
};
const outcomes = [
  ["reject", "Lies that a correct client refuses"],
  ["accept", "Unusual answers that a correct client takes"],
  ["recover", "Accidents after which the next try works"],
];
const text = `# Other clients and the scenarios

<!-- Written by \`cargo xtask peers\` (tests/peers/judge.mjs). -->

Made on ${new Date().toISOString().slice(0, 10)} with the packages as npm has them, each with its own defaults, in Node ${process.versions.node}; a script plays the
browser. idp-dev judges by what it was sent afterwards, so a verdict is about one scenario in one setting and not about a library's worth. Read it so:

* **oidc-client-ts** leaves the signature and most claims of an ID token that came from the token endpoint to TLS, which OIDC Core 3.1.3.7 (6) permits
  for the signature. It sends a nonce only if the app gives one; here the app gives none.
* **openid-client** leaves that signature to TLS too, unless the app asks for \`enableNonRepudiationChecks\`, which is the third column. Here it was
  given \`state\`, \`nonce\` and PKCE, as its documentation shows.
* "accepted" means that a code or token of the lie was used, or that the client reported success. "not met" means that the client never came to the lie.
  Words in bold are not what the scenario's file expects of a client with a browser's possibilities.
* The ${all.filter((one) => one.reach === "logout_token").length} scenarios about logout tokens are left out: neither client reads idp-dev's session-events stream. So are the ${all.filter((one) => one.outcome === "not_applicable").length} conformance modules that no public
  browser client can meet.

| as expected | ${CLIENTS.map(([name]) => name).join(" | ")} |
|---|---|---|---|
${outcomes.map(([outcome, title]) => `| ${title} | ${CLIENTS.map((_, at) => count(outcome, at)).join(" | ")} |`).join("\n")}

${outcomes.map(([outcome, title]) => `## ${title}\n\n${head}\n${table(judged.filter((one) => one.outcome === outcome))}`).join("\n\n")}
`;
await writeFile(file, text);

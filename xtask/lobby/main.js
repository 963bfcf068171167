// The lobby: a tour through single sign-on, drawn live, as told by the provider's timeline and by
// the apps that this page opened.

import { $, remedy, set } from "./dom.js";
import { demo } from "./demo.js";
import * as picture from "./picture.js";
import { probe } from "./probes.js";
import { listen } from "./reports.js";
import { forget, notice } from "./seen.js";
import * as sessions from "./sessions.js";
import { follow } from "./timeline.js";
import * as tour from "./tour.js";

/** So soon after the connection only what happened before comes. */
const HISTORY_MS = 500;
let isLive = false;

function link(state) {
  if (state === "open") setTimeout(() => (isLive = true), HISTORY_MS);
  $("link-dot").dataset.state = state;
  set($("link-text"), state === "open" ? "Live" : "No connection");
  if (state === "open") remedy("provider");
  sessions.setUp(state === "open");
}

function heard() {
  tour.judge();
  sessions.refresh();
}

tour.begin();
let timeline;
sessions.begin({
  tellStep: (step, received) => picture.take({ step, received, at: sessions.providerNow() }),
  started: () => timeline?.reconnect(),
});
if (demo) {
  listen({
    session: heard,
    deed: (app, step, facts, age) => {
      const received = Object.fromEntries(facts);
      const told = { step, client_id: app, received, at: sessions.providerNow(age) };
      notice(told, true);
      picture.take(told);
      heard();
    },
  });
  timeline = follow({
    step: (step) => {
      notice(step, isLive);
      picture.take(step);
      heard();
    },
    restarted: forget,
    link,
  });
} else {
  set($("link-text"), "Not running");
}
await probe();

// A frame of this origin, for what a test cannot do to its own page.

export async function openFrame(path) {
  const frame = document.createElement("iframe");
  frame.src = path;
  const loaded = next(frame, "load");
  document.body.append(frame);
  await loaded;
  return {
    async part(file, name) {
      const address = performance
        .getEntriesByType("resource")
        .map((entry) => entry.name)
        .find((entry) => entry.endsWith(file));
      // Imported by the frame's own script: a module belongs to one page.
      const module = await frame.contentWindow.eval(`import(${JSON.stringify(address)})`);
      return module[name];
    },
    moved: () => next(frame, "load").then(() => frame.contentWindow.location.href),
    get address() {
      return frame.contentWindow.location.href;
    },
    get window() {
      return frame.contentWindow;
    },
    /** Somebody has read on, and the app has written something beside the page's address. */
    read(y, state) {
      const { document, history } = frame.contentWindow;
      document.documentElement.style = "display: block; height: 5000px";
      frame.contentWindow.scrollTo(0, y);
      history.replaceState(state, "");
      return frame.contentWindow.scrollY;
    },
    remove: () => frame.remove(),
  };
}

/** Resolves to the next message to this page. */
export const message = () => next(window, "message").then(({ data }) => data);

const next = (target, event) =>
  new Promise((resolve, reject) => {
    target.addEventListener(event, resolve, { once: true });
    setTimeout(() => reject(new Error(`no ${event} within ten seconds`)), 10_000);
  });

// Hidden frames, as a test sees them from outside.

/** The hidden frames of this page. */
export const hidden = () => [...document.querySelectorAll("iframe[hidden]")];

/** Resolves when a hidden frame has loaded what it was opened for: until then it is `about:blank`, whose origin is "null". */
export const loaded = (index) => within("load", hidden()[index], () => {});

/** Has a hidden frame's own script tell this page something; resolves when it was heard here. */
export const tell = (index, words) =>
  within("message", window, () =>
    hidden()[index].contentWindow.eval(`parent.postMessage(${words}, location.origin)`),
  );

/** Has this page tell itself something; resolves when it was heard. */
export const tellOneself = (words) =>
  within("message", window, () => window.postMessage(words, location.origin));

/** Resolves to the origin of the next message. */
export const foreign = () => within("message", window, () => {}).then(({ origin }) => origin);

const within = (event, target, action) =>
  new Promise((resolve, reject) => {
    target.addEventListener(event, resolve, { once: true });
    setTimeout(() => reject(new Error(`no ${event} within ten seconds`)), 10_000);
    action();
  });

// Starts the app; when it cannot start, says why in words instead of leaving the skeleton.

const $ = (id) => document.getElementById(id);

/** What is most likely wrong, and what to do about it. */
function reason(error) {
  if (typeof WebAssembly !== "object") {
    return "This browser does not run WebAssembly, or it was switched off (Safari's Lockdown Mode does that). Use another browser, or allow it for this site.";
  }
  const text = String(error);
  if (/Content Security Policy|unsafe-eval/i.test(text)) {
    return "The page's Content-Security-Policy does not let WebAssembly run: script-src needs 'wasm-unsafe-eval'.";
  }
  if (/mime/i.test(text)) {
    return "The server sent a file under a wrong type: scripts must be text/javascript and wasm must be application/wasm.";
  }
  if (/fetch|import|network|load|status/i.test(text)) {
    return "A part of the app could not be loaded. Check the connection, and load the page again.";
  }
  return "Load the page again; if it stays like this, tell the people who run this app the line below.";
}

try {
  const { default: start } = await import("/app.js");
  await start();
} catch (error) {
  // The app is gone from the page only after it has replaced the skeleton; then there is nobody
  // left to tell here, and the browser's console has the error.
  if (!$("boot")) throw error;
  $("boot-placeholder").hidden = true;
  $("boot-reason").textContent = reason(error);
  $("boot-detail").textContent = String(error);
  $("boot-failure").hidden = false;
}

// Goes on when the apps' sign-out pages have loaded, and after a moment whatever they do: an app that
// hangs holds nobody up. Without this script the link does.
const MOMENT_MS = 3000;
const { href } = document.querySelector("[data-testid=continue]");
let hasLeft = false;

function leave() {
  if (hasLeft) return;
  hasLeft = true;
  // Back must not come here again.
  location.replace(href);
}

setTimeout(leave, MOMENT_MS);
// Frames that failed have loaded too, as far as the page is told. One that hangs keeps this back.
if (document.readyState === "complete") leave();
else addEventListener("load", leave);

// The page around each client: the same for all, with nothing else in it.

/** Opens a client, shows what it says, and lets a person sign in and out. */
export async function page(open) {
  // Until here it is the browser's work, whatever the page asks.
  performance.mark("script");
  const find = (id) => document.querySelector(`[data-testid="${id}"]`);
  const show = (status) => {
    performance.mark(`status:${status}`);
    find("status").textContent = status;
  };
  const config = JSON.parse(document.querySelector("meta[name=config]").content);
  try {
    const client = await open(config, show);
    // For measurements that ask the client without a person.
    window.client = client;
    if (!client) return;
    find("sign-in").onclick = () => client.signIn();
    find("sign-out").onclick = (event) => {
      // When the person clicked; what follows leaves this page.
      sessionStorage.setItem("bench:clicked", performance.timeOrigin + event.timeStamp);
      client.signOut();
    };
    find("ready").textContent = "ready";
  } catch (error) {
    find("status").textContent = `failed: ${error}`;
  }
}

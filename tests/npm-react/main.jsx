// The npm package in React's strict mode, which mounts everything twice: two clients on one page, the
// first of which has lost its listener before it has anything to tell.
import { createClient } from "gatepass";
import { StrictMode, useEffect, useRef, useState } from "react";
import { createRoot } from "react-dom/client";

const { issuer, clientId } = await (await fetch("/config.json")).json();

let mounts = 0;

function App() {
  const [session, setSession] = useState({ status: "restoring" });
  const client = useRef();
  useEffect(() => {
    mounts += 1;
    client.current = createClient({ issuer, clientId, onLoad: "auto" });
    return client.current.subscribe(setSession);
  }, []);
  return (
    <main>
      <p data-testid="mounts">{mounts}</p>
      <p data-testid="status">{session.status}</p>
      <p data-testid="user-name">{session.user?.name}</p>
      <p data-testid="notice">{session.error?.code}</p>
      <button data-testid="sign-in" onClick={() => client.current.signIn()}>
        Sign in
      </button>
      <button data-testid="sign-out" onClick={() => client.current.signOut()}>
        Sign out
      </button>
    </main>
  );
}

createRoot(document.body).render(
  <StrictMode>
    <App />
  </StrictMode>,
);

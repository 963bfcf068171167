// oidc-provider without a consent page, its documentation's way.

/** The grant of a person who is signed in: all that an app of these tests asks for. */
export async function loadExistingGrant(context) {
  const { client, session, provider } = context.oidc;
  const known = session.grantIdFor(client.clientId);
  if (known) return provider.Grant.find(known);
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope("openid profile email");
  await grant.save();
  return grant;
}

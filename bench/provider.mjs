// An OpenID Connect provider for bench/sso.py: authorization code with PKCE alone; who signs in as "unverified" has no verified address.
import Provider from "oidc-provider";

const port = Number(process.env.PROVIDER_PORT);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: "newsroom", client_secret: "a secret between the two", redirect_uris: [process.env.REDIRECT_URI],
    grant_types: ["authorization_code"], response_types: ["code"],
  }],
  pkce: { required: () => true },
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  features: { devInteractions: { enabled: true } },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, name: id, email: `${id}@newsroom.example`, email_verified: id !== "unverified" }),
  }),
});
provider.on("grant.success", (ctx) => console.log(`granted verifier=${Boolean(ctx.oidc.params.code_verifier)}`));
provider.listen(port, "127.0.0.1");

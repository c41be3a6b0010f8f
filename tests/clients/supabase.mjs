// Drives the gateway with the official client of Supabase. One line a step; the first thing that is not
// as it should be ends it with status 1.
//
// Wants BASE_URL, EMAIL, PASSWORD, ANON_KEY and SERVICE_KEY in the environment, and in
// NODE_EXTRA_CA_CERTS the certificate of the gateway.

import assert from "node:assert/strict";
import { createClient } from "@supabase/supabase-js";

const names = ["BASE_URL", "EMAIL", "PASSWORD", "ANON_KEY", "SERVICE_KEY"];
const [baseUrl, email, password, anonKey, serviceKey] = names.map((name) => {
  assert.ok(process.env[name], `${name} is not set`);
  return process.env[name];
});

async function step(name, action) {
  try {
    const result = await action();
    console.log(`ok   ${name}`);
    return result;
  } catch (error) {
    console.log(`FAIL ${name}: ${error.stack}`);
    process.exit(1);
  }
}

function succeeded({ data, error }) {
  assert.equal(error, null, `${error?.status} ${error?.code} ${error?.message}`);
  return data;
}

function failed({ error }, expected) {
  assert.ok(error, "it succeeded");
  for (const [name, value] of Object.entries(expected)) {
    assert.equal(error[name], value, `${name} of ${error.message}`);
  }
}

// Older releases of Node have no WebSocket, and the client wants one even where it opens none.
class NoTransport {}

function client({ key = anonKey, token, auth } = {}) {
  return createClient(baseUrl, key, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false, ...auth },
    global: token ? { headers: { Authorization: `Bearer ${token}` } } : {},
    realtime: { transport: NoTransport },
  });
}

async function signedIn(options) {
  const supabase = client(options);
  const data = succeeded(await supabase.auth.signInWithPassword({ email, password }));
  return { supabase, ...data };
}

await step("a wrong password is the error that the client maps", async () => {
  const answer = await client().auth.signInWithPassword({ email, password: `${password}x` });
  failed(answer, { name: "AuthApiError", status: 400, code: "invalid_credentials" });
});

await step("a wrong API key is refused", async () => {
  const answer = await client({ key: "wrong" }).auth.signInWithPassword({ email, password });
  failed(answer, { status: 401, message: "Invalid API key" });
});

await step("before the sign-in, only what is public is read", async () => {
  const supabase = client();
  succeeded(await supabase.from("countries").select());
  failed(await supabase.from("users").select(), { code: "PGRST302" });
});

const { supabase, session, user } = await step("signs in", async () => {
  const found = await signedIn();
  assert.equal(found.user.email, email);
  assert.equal(found.session.token_type, "bearer");
  assert.ok(found.session.expires_in > 90);
  assert.equal(found.user.role, "authenticated");
  return found;
});

await step("reads the user", async () => {
  const { user: found } = succeeded(await supabase.auth.getUser());
  assert.deepEqual(found, user);
});

await step("reads the claims", async () => {
  const { claims } = succeeded(await supabase.auth.getClaims());
  assert.equal(claims.sub, user.id);
  assert.equal(claims.iss, `${baseUrl}/auth/v1`);
});

await step("reads data through the gateway", async () => {
  const rows = succeeded(await supabase.from("users").select());
  assert.deepEqual(rows, [{ id: user.id, role: "authenticated" }]);
  succeeded(await supabase.schema("users").from("users").select().eq("id", user.id));
});

await step("changes the metadata of the user", async () => {
  const { user: changed } = succeeded(await supabase.auth.updateUser({ data: { name: "Ann" } }));
  assert.deepEqual(changed.user_metadata, { name: "Ann" });
});

const refreshed = await step("refreshes", async () => {
  const { session: next } = succeeded(await supabase.auth.refreshSession());
  assert.notEqual(next.refresh_token, session.refresh_token);
  assert.equal(next.user.user_metadata.name, "Ann");
  return next;
});

await step("gets the active token again for a lost answer", async () => {
  const { refresh_token } = session;
  const { session: again } = succeeded(await client().auth.refreshSession({ refresh_token }));
  assert.equal(again.refresh_token, refreshed.refresh_token);
});

await step("takes over a session", async () => {
  const other = client();
  const { session: taken } = succeeded(await other.auth.setSession(refreshed));
  assert.equal(taken.user.id, user.id);
  succeeded(await other.from("users").select());
});

await step("refreshes by itself when its access token has run out", async () => {
  const fresh = await signedIn();
  const stored = { ...fresh.session, expires_at: Math.floor(Date.now() / 1000) - 10, expires_in: 0 };
  const items = new Map([["kept", JSON.stringify(stored)]]);
  const storage = {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  };
  const auth = { persistSession: true, autoRefreshToken: true, storage, storageKey: "kept" };
  const other = client({ auth });
  const events = [];
  other.auth.onAuthStateChange((event) => void events.push(event));
  const { session: renewed } = succeeded(await other.auth.getSession());
  assert.notEqual(renewed.refresh_token, fresh.session.refresh_token);
  assert.equal(JSON.parse(items.get("kept")).refresh_token, renewed.refresh_token);
  assert.ok(events.includes("TOKEN_REFRESHED"), events.join());
  await other.auth.stopAutoRefresh();
  assert.equal((await other.auth.signOut({ scope: "local" })).error, null);
});

await step("ends the other sessions", async () => {
  const other = await signedIn();
  assert.equal((await supabase.auth.signOut({ scope: "others" })).error, null);
  failed(await other.supabase.auth.getUser(), { name: "AuthSessionMissingError" });
  const gone = client({ token: other.session.access_token });
  failed(await gone.from("users").select(), { code: "PGRST301" });
  succeeded(await supabase.auth.getUser());
});

await step("ends its own session and no other", async () => {
  const other = await signedIn();
  assert.equal((await other.supabase.auth.signOut({ scope: "local" })).error, null);
  const { refresh_token } = other.session;
  const answer = await client().auth.refreshSession({ refresh_token });
  failed(answer, { status: 400, code: "refresh_token_not_found" });
  succeeded(await supabase.auth.getUser());
});

await step("ends all sessions", async () => {
  const other = await signedIn();
  assert.equal((await supabase.auth.signOut()).error, null);
  failed(await other.supabase.auth.getUser(), { name: "AuthSessionMissingError" });
  const gone = client({ token: refreshed.access_token });
  failed(await gone.from("users").select(), { code: "PGRST301" });
});

await step("administers users with the service key", async () => {
  const { admin } = client({ key: serviceKey }).auth;
  const made = { email: "new@example.com", password: "a long password", email_confirm: true };
  const { user: added } = succeeded(await admin.createUser(made));
  failed(await admin.createUser(made), { status: 422, code: "email_exists" });
  const page = succeeded(await admin.listUsers({ page: 1, perPage: 1 }));
  assert.deepEqual([page.users.length, page.total, page.nextPage, page.lastPage], [1, 3, 2, 3]);
  const banned = succeeded(await admin.updateUserById(added.id, { ban_duration: "1h" }));
  assert.ok(banned.user.banned_until);
  const { email, password } = made;
  const refused = await client().auth.signInWithPassword({ email, password });
  failed(refused, { status: 400, code: "user_banned" });
  assert.equal(succeeded(await admin.getUserById(added.id)).user.email, email);
  succeeded(await admin.deleteUser(added.id));
  failed(await admin.getUserById(added.id), { status: 404, code: "user_not_found" });
  failed(await client().auth.admin.listUsers(), { status: 403 });
});

console.log("all is well");

// Drives what stands for a Supabase project in the tests with the official client of Supabase. One line a
// step; the first thing that is not as it should be ends it with status 1.
//
// Wants BASE_URL, KEY, EMAIL and PASSWORD in the environment, and in NODE_EXTRA_CA_CERTS the certificate
// of the project.

import assert from "node:assert/strict";
import { createClient } from "@supabase/supabase-js";

// Older releases of Node have no WebSocket, and the client wants one even where it opens none.
class NoTransport {}

const names = ["BASE_URL", "KEY", "EMAIL", "PASSWORD"];
const [baseUrl, key, email, password] = names.map((name) => {
  assert.ok(process.env[name], `${name} is not set`);
  return process.env[name];
});

async function step(name, action) {
  try {
    const result = await action();
    console.log(`ok   ${name}`);
    return result;
  } catch (error) {
    console.log(`FAIL ${name}: ${error.message}`);
    process.exit(1);
  }
}

function succeeded({ data, error }) {
  assert.equal(error, null, `${error?.status} ${error?.code} ${error?.message}`);
  return data;
}

const client = createClient(baseUrl, key, {
  auth: { persistSession: false, autoRefreshToken: false },
  realtime: { transport: NoTransport },
});

await step("a wrong password is told by its code", async () => {
  const { error } = await client.auth.signInWithPassword({ email, password: "wrong" });
  assert.deepEqual([error?.status, error?.code], [400, "invalid_credentials"]);
});

const user = await step("sign in with a password", async () => {
  const { user, session } = succeeded(await client.auth.signInWithPassword({ email, password }));
  assert.equal(user.email, email);
  assert.ok(session.access_token && session.refresh_token);
  return user;
});

await step("the user is who signed in", async () => {
  assert.equal(succeeded(await client.auth.getUser()).user.id, user.id);
});

await step("the row of the user is theirs alone to see", async () => {
  const rows = (id) => client.schema("users").from("users").select().eq("id", id);
  const [row] = succeeded(await rows(user.id));
  assert.deepEqual([row.id, row.is_admin], [user.id, true]);
  assert.deepEqual(succeeded(await rows("00000000-0000-0000-0000-000000000000")), []);
});

await step("a schema that is not exposed is an error", async () => {
  const { error } = await client.from("users").select().eq("id", user.id);
  assert.equal(error?.code, "PGRST106");
});

await step("a refresh changes the tokens", async () => {
  const before = (await client.auth.getSession()).data.session;
  const { session } = succeeded(await client.auth.refreshSession());
  assert.notEqual(session.access_token, before.access_token);
  assert.notEqual(session.refresh_token, before.refresh_token);
});

await step("after signing out nobody is signed in", async () => {
  const { session } = (await client.auth.getSession()).data;
  assert.equal((await client.auth.signOut()).error, null);
  const { error } = await client.auth.getUser(session.access_token);
  assert.ok(error, "the session goes on");
});

// The realtime part would keep the process.
process.exit(0);

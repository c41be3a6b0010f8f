// Drives the gateway with the official client of Supabase. One line a step; the first thing that is not
// as it should be ends it with status 1.
//
// Wants BASE_URL, EMAIL, PASSWORD, ANON_KEY, SERVICE_KEY, APP (the page that links in mails lead to) and
// MAILS (the directory that they are written to) in the environment, and in NODE_EXTRA_CA_CERTS the
// certificate of the gateway.

import assert from "node:assert/strict";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createClient } from "@supabase/supabase-js";

const names = ["BASE_URL", "EMAIL", "PASSWORD", "ANON_KEY", "SERVICE_KEY", "APP", "MAILS"];
const [baseUrl, email, password, anonKey, serviceKey, app, mails] = names.map((name) => {
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

// The next mail to this address, taken out of the directory.
async function mailTo(address) {
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline) {
    for (const name of await readdir(mails).catch(() => [])) {
      if (!name.endsWith(".eml")) continue;
      const path = join(mails, name);
      const encoded = (await readFile(path, "utf8")).replace(/=\r?\n/g, "");
      if (!encoded.includes(`To: ${address}`)) continue;
      await rm(path);
      return encoded.replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
    }
    await pause(20);
  }
  throw new Error(`no mail to ${address}`);
}

const codeTo = async (address) => /Your code: (\d{6})/.exec(await mailTo(address))[1];
const linkTo = async (address) => /https:\/\/\S+verify\?\S+/.exec(await mailTo(address))[0];

const person = { email: "mail@example.com", password: "a long password" };

await step("signs up, and confirms the address with the code of the mail", async () => {
  const supabase = client();
  const options = { data: { name: "Mail" }, emailRedirectTo: app };
  const made = succeeded(await supabase.auth.signUp({ ...person, options }));
  assert.equal(made.session, null);
  assert.equal(made.user.email, person.email);
  assert.equal(made.user.identities.length, 1);
  failed(await supabase.auth.signInWithPassword(person), { code: "email_not_confirmed" });
  const first = await codeTo(person.email);
  failed(await supabase.auth.verifyOtp({ email: person.email, token: "12345", type: "email" }), {
    status: 403,
    code: "otp_expired",
  });
  const proof = { email: person.email, token: first, type: "email" };
  const { session, user } = succeeded(await supabase.auth.verifyOtp(proof));
  assert.deepEqual([user.id, user.user_metadata.name], [made.user.id, "Mail"]);
  assert.ok(session.access_token);
  succeeded(await supabase.auth.getUser());
  succeeded(await client().auth.signInWithPassword(person));
});

await step("hears the same of an address that has an account", async () => {
  const made = succeeded(await client().auth.signUp({ email: person.email, password: "another one" }));
  assert.equal(made.session, null);
  assert.equal(made.user.identities.length, 1);
  assert.match(await mailTo(person.email), /There is one already/);
});

await step("gets the mail of the sign-up again", async () => {
  const other = { email: "again@example.com", password: "a long password" };
  succeeded(await client().auth.signUp(other));
  await mailTo(other.email);
  succeeded(await client().auth.resend({ type: "signup", email: other.email }));
  const proof = { email: other.email, token: await codeTo(other.email), type: "signup" };
  succeeded(await client().auth.verifyOtp(proof));
  succeeded(await client().auth.resend({ type: "signup", email: "nobody@example.com" }));
});

await step("sets a forgotten password", async () => {
  const supabase = client();
  const events = [];
  supabase.auth.onAuthStateChange((event) => void events.push(event));
  succeeded(await supabase.auth.resetPasswordForEmail(person.email));
  succeeded(await supabase.auth.resetPasswordForEmail("nobody@example.com"));
  const proof = { email: person.email, token: await codeTo(person.email), type: "recovery" };
  succeeded(await supabase.auth.verifyOtp(proof));
  assert.ok(events.includes("PASSWORD_RECOVERY"), events.join());
  failed(await supabase.auth.updateUser({ password: "short" }), { code: "weak_password" });
  succeeded(await supabase.auth.updateUser({ password: "the new password" }));
  failed(await client().auth.signInWithPassword(person), { code: "invalid_credentials" });
  person.password = "the new password";
  succeeded(await client().auth.signInWithPassword(person));
});

await step("signs in with a code", async () => {
  const { data, error } = await client().auth.signInWithOtp({ email: person.email });
  assert.deepEqual([data, error], [{ user: null, session: null }, null]);
  const proof = { email: person.email, token: await codeTo(person.email), type: "email" };
  const { user } = succeeded(await client().auth.verifyOtp(proof));
  assert.equal(user.email, person.email);
  const options = { shouldCreateUser: false };
  succeeded(await client().auth.signInWithOtp({ email: "nobody@example.com", options }));
});

await step("follows the link of a mail, and takes the session out of the page's address", async () => {
  const options = { emailRedirectTo: app };
  const fresh = "link@example.com";
  succeeded(await client().auth.signInWithOtp({ email: fresh, options }));
  const link = await linkTo(fresh);
  assert.ok(link.startsWith(`${baseUrl}/auth/v1/verify?`), link);
  const answer = await fetch(link, { redirect: "manual" });
  assert.equal(answer.status, 303);
  const page = new URL(answer.headers.get("location"));
  assert.equal(page.origin + page.pathname, app);
  const brought = Object.fromEntries(new URLSearchParams(page.hash.slice(1)));
  assert.equal(brought.type, "magiclink");
  const { session } = succeeded(await client().auth.setSession(brought));
  assert.equal(session.user.email, fresh);
});

await step("shows the token of a link itself", async () => {
  const fresh = "hash@example.com";
  succeeded(await client().auth.signInWithOtp({ email: fresh }));
  const token_hash = new URL(await linkTo(fresh)).searchParams.get("token");
  const { user } = succeeded(await client().auth.verifyOtp({ token_hash, type: "email" }));
  assert.equal(user.email, fresh);
});

await step("moves to another address", async () => {
  const supabase = client();
  succeeded(await supabase.auth.signInWithPassword(person));
  const next = "moved@example.com";
  const { user } = succeeded(await supabase.auth.updateUser({ email: next }));
  assert.deepEqual([user.email, user.new_email], [person.email, next]);
  const proof = { email: next, token: await codeTo(next), type: "email_change" };
  const moved = succeeded(await supabase.auth.verifyOtp(proof));
  assert.equal(moved.user.email, next);
  assert.match(await mailTo(person.email), /has another email address/);
  person.email = next;
  succeeded(await client().auth.signInWithPassword(person));
});

await step("is asked to prove itself by mail, and does", async () => {
  const supabase = client();
  succeeded(await supabase.auth.signInWithPassword(person));
  succeeded(await supabase.auth.reauthenticate());
  const nonce = await codeTo(person.email);
  succeeded(await supabase.auth.updateUser({ password: "yet another password", nonce }));
  failed(await supabase.auth.updateUser({ password: "a password again", nonce }), {
    status: 422,
    code: "reauthentication_not_valid",
  });
});

await step("invites somebody with the service key", async () => {
  const { admin } = client({ key: serviceKey }).auth;
  const invited = "invited@example.com";
  const { user } = succeeded(await admin.inviteUserByEmail(invited, { data: { team: "a" } }));
  assert.ok(user.invited_at);
  const link = new URL(await linkTo(invited));
  const { searchParams } = link;
  assert.equal(searchParams.get("type"), "invite");
  const proof = { token_hash: searchParams.get("token"), type: "invite" };
  const supabase = client();
  succeeded(await supabase.auth.verifyOtp(proof));
  succeeded(await supabase.auth.updateUser({ password: "a chosen password" }));
  failed(await admin.inviteUserByEmail(invited), { status: 422, code: "email_exists" });
  const chosen = { email: invited, password: "a chosen password" };
  succeeded(await client().auth.signInWithPassword(chosen));
});

await step("is told what is off as by the original", async () => {
  failed(await client().auth.signUp({ phone: "+49123", password: "a long password" }), {
    status: 400,
    code: "phone_provider_disabled",
  });
  failed(await client().auth.signInAnonymously(), {
    status: 422,
    code: "anonymous_provider_disabled",
  });
});

console.log("all is well");

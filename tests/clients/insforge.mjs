// Drives the gateway with the official SDK of InsForge: as a program on a server, and as a page in a
// browser. One line a step; the first thing that is not as it should be ends it with status 1.
//
// Wants BASE_URL, EMAIL, PASSWORD, ADMIN_USERNAME, ADMIN_PASSWORD, ANON_KEY and ADMIN_KEY in the environment,
// in MAILS the directory where mails are written, and in NODE_EXTRA_CA_CERTS the certificate of the gateway.

import assert from "node:assert/strict";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createAdminClient, createClient } from "@insforge/sdk";

const names = [
  "BASE_URL", "EMAIL", "PASSWORD", "ADMIN_USERNAME", "ADMIN_PASSWORD", "ANON_KEY", "ADMIN_KEY", "MAILS",
];
const [
  baseUrl, email, password, adminUsername, adminPassword, anonKey, adminKey, mails,
] = names.map((name) => {
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
  assert.equal(error, null, `${error?.statusCode} ${error?.error} ${error?.message}`);
  return data;
}

function failed({ error }, statusCode, code, message) {
  assert.ok(error, "it succeeded");
  assert.deepEqual([error.statusCode, error.error, error.message], [statusCode, code, message]);
}

// The six digits of the only mail, which is taken out of the directory; waits for it.
async function nextCode() {
  for (let tries = 0; tries < 1000; tries += 1) {
    const found = (await readdir(mails).catch(() => [])).find((name) => name.endsWith(".eml"));
    if (found) {
      const text = await readFile(join(mails, found), "utf8");
      await rm(join(mails, found));
      return text.match(/Your code: (\d{6})/)[1];
    }
    await pause(20);
  }
  throw new Error("no mail came");
}

// What a browser does for a page: it keeps the cookies that scripts cannot read ...
function browser() {
  const jar = new Map();
  const seen = [];
  const keep = (line) => {
    const [pair, ...attributes] = line.split(";").map((part) => part.trim());
    const [name, value] = pair.split(/=(.*)/s);
    const found = (key) => attributes.find((it) => it.toLowerCase().startsWith(`${key}=`));
    const path = found("path")?.slice("path=".length) ?? "/";
    if (found("max-age")?.slice("max-age=".length) === "0") {
      jar.delete(name);
    } else {
      jar.set(name, { value, path });
    }
  };
  const isBelow = (path, parent) => path === parent || path.startsWith(parent.replace(/\/?$/, "/"));
  const fetchWithCookies = async (url, options = {}) => {
    const { pathname } = new URL(url);
    const headers = new Headers(options.headers);
    const cookies = [...jar].filter(([, { path }]) => isBelow(pathname, path));
    if (cookies.length > 0 && options.credentials === "include") {
      headers.set("Cookie", cookies.map(([name, { value }]) => `${name}=${value}`).join("; "));
    }
    const response = await fetch(url, { ...options, headers });
    response.headers.getSetCookie().forEach(keep);
    seen.push({ path: pathname, status: response.status });
    return response;
  };
  return { jar, seen, fetch: fetchWithCookies };
}

// ... and those that scripts read and write.
function document() {
  const cookies = new Map();
  return {
    get cookie() {
      return [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    },
    set cookie(line) {
      const [name, value] = line.split(";")[0].split(/=(.*)/s);
      if (/max-age=0(;|$)/.test(line)) {
        cookies.delete(name.trim());
      } else {
        cookies.set(name.trim(), value);
      }
    },
  };
}

async function server() {
  const client = createClient({ baseUrl, isServerMode: true });
  const withToken = (accessToken) => createClient({ baseUrl, isServerMode: true, accessToken });
  const current = async (accessToken) => succeeded(await withToken(accessToken).auth.getCurrentUser());

  await step("server: a wrong password is the error that the SDK maps", async () => {
    const answer = await client.auth.signInWithPassword({ email, password: `${password}x` });
    failed(answer, 401, "AUTH_UNAUTHORIZED", "Invalid credentials");
  });
  const signedIn = await step("server: signs in", async () => {
    const data = succeeded(await client.auth.signInWithPassword({ email, password }));
    assert.ok(data.accessToken && data.refreshToken);
    assert.equal(data.user.email, email);
    return data;
  });
  await step("server: reads the current user", async () => {
    const { user } = await current(signedIn.accessToken);
    assert.deepEqual(user, signedIn.user);
  });
  const refreshed = await step("server: refreshes", async () => {
    const { refreshToken } = signedIn;
    const data = succeeded(await client.auth.refreshSession({ refreshToken }));
    assert.notEqual(data.refreshToken, refreshToken);
    assert.equal(data.user.id, signedIn.user.id);
    return data;
  });
  await step("server: signs out", async () => {
    assert.equal((await client.auth.signOut()).error, null);
  });
  await step("server: the old access tokens are refused", async () => {
    for (const { accessToken } of [signedIn, refreshed]) {
      const answer = await withToken(accessToken).auth.getCurrentUser();
      failed(answer, 401, "AUTH_UNAUTHORIZED", "Invalid token");
    }
  });
  await step("server: the old refresh token is refused", async () => {
    const answer = await client.auth.refreshSession({ refreshToken: refreshed.refreshToken });
    failed(answer, 401, "AUTH_UNAUTHORIZED", "Invalid or expired refresh token");
  });
}

async function web() {
  globalThis.document = document();
  const { jar, seen, fetch } = browser();
  const client = createClient({ baseUrl, fetch });

  await step("web: a wrong password is the error that the SDK maps", async () => {
    const answer = await client.auth.signInWithPassword({ email, password: `${password}x` });
    failed(answer, 401, "AUTH_UNAUTHORIZED", "Invalid credentials");
    assert.equal(jar.size, 0);
  });
  const signedIn = await step("web: signs in", async () => {
    const data = succeeded(await client.auth.signInWithPassword({ email, password }));
    assert.ok(data.accessToken && data.csrfToken);
    assert.equal(data.refreshToken ?? null, null);
    assert.equal(jar.get("insforge_refresh_token")?.path, "/api/auth");
    assert.match(globalThis.document.cookie, /^insforge_csrf_token=/);
    return data;
  });
  const refreshed = await step("web: refreshes by its cookie", async () => {
    const before = jar.get("insforge_refresh_token").value;
    const data = succeeded(await client.auth.refreshSession());
    assert.equal(data.csrfToken, signedIn.csrfToken);
    assert.notEqual(jar.get("insforge_refresh_token").value, before);
    return data;
  });
  await step("web: refreshes by itself when its access token is refused", async () => {
    client.setAccessToken(`${refreshed.accessToken}x`);
    seen.length = 0;
    const { user } = await client.getHttpClient().get("/api/auth/sessions/current");
    assert.equal(user.id, signedIn.user.id);
    const expected = ["sessions/current 401", "refresh 200", "sessions/current 200"];
    const told = seen.map(({ path, status }) => `${path.slice("/api/auth/".length)} ${status}`);
    assert.deepEqual(told, expected);
  });
  await step("web: refreshes by itself when a service is asked with a token that is refused", async () => {
    client.setAccessToken(`${refreshed.accessToken}x`);
    seen.length = 0;
    await client.getHttpClient().get("/notes");
    const told = seen.map(({ path, status }) => `${path} ${status}`);
    assert.deepEqual(told, ["/notes 401", "/api/auth/refresh 200", "/notes 200"]);
  });
  await step("web: signs out", async () => {
    seen.length = 0;
    assert.equal((await client.auth.signOut()).error, null);
    assert.deepEqual(seen, [{ path: "/api/auth/logout", status: 200 }]);
    assert.equal(jar.size, 0);
    assert.equal(globalThis.document.cookie, "");
  });
  await step("web: the old access token is refused", async () => {
    const old = createClient({ baseUrl, isServerMode: true, accessToken: refreshed.accessToken });
    failed(await old.auth.getCurrentUser(), 401, "AUTH_UNAUTHORIZED", "Invalid token");
  });
  delete globalThis.document;
}

// From the sign-up to a new password, with a client of either mode.
async function account(mode, address, client) {
  const secret = "quiet river under stones";
  await step(`${mode}: reads the public configuration`, async () => {
    const config = succeeded(await client.auth.getPublicAuthConfig());
    assert.equal(config.requireEmailVerification, true);
    assert.equal(config.verifyEmailMethod, "code");
    assert.equal(config.disableSignup, false);
    assert.deepEqual(config.oAuthProviders, []);
  });
  await step(`${mode}: signs up, and must verify`, async () => {
    const answer = await client.auth.signUp({ email: address, password: secret, name: "Nora" });
    const data = succeeded(answer);
    assert.equal(data.accessToken, null);
    assert.equal(data.requireEmailVerification, true);
    const early = await client.auth.signInWithPassword({ email: address, password: secret });
    failed(early, 403, "FORBIDDEN", "Email verification required");
  });
  const verified = await step(`${mode}: verifies by the code of the mail, and is signed in`, async () => {
    const otp = await nextCode();
    const data = succeeded(await client.auth.verifyEmail({ email: address, otp }));
    assert.equal(data.user.emailVerified, true);
    assert.equal(data.user.profile.name, "Nora");
    assert.ok(data.accessToken);
    const again = await client.auth.verifyEmail({ email: address, otp });
    failed(again, 400, "INVALID_INPUT", "Invalid or expired verification code");
    return data;
  });
  await step(`${mode}: changes the profile, and anybody reads it`, async () => {
    const signedIn = mode === "server"
      ? createClient({ baseUrl, isServerMode: true, accessToken: verified.accessToken })
      : client;
    const changed = succeeded(await signedIn.auth.setProfile({ colour: "green" }));
    assert.deepEqual(changed.profile, { name: "Nora", colour: "green" });
    const { id } = verified.user;
    const anybody = createClient({ baseUrl, anonKey, isServerMode: true });
    assert.deepEqual(succeeded(await anybody.auth.getProfile(id)), changed);
  });
  await step(`${mode}: resets the password by the code of the mail`, async () => {
    const sent = succeeded(await client.auth.sendResetPasswordEmail({ email: address }));
    assert.equal(sent.success, true);
    const code = await nextCode();
    const exchanged = await client.auth.exchangeResetPasswordToken({ email: address, code });
    const { token } = succeeded(exchanged);
    const newPassword = "loud river over stones";
    succeeded(await client.auth.resetPassword({ newPassword, otp: token }));
    const old = await client.auth.signInWithPassword({ email: address, password: secret });
    failed(old, 401, "AUTH_UNAUTHORIZED", "Invalid credentials");
    succeeded(await client.auth.signInWithPassword({ email: address, password: newPassword }));
  });
  await step(`${mode}: signs in by the code of a mail`, async () => {
    succeeded(await client.auth.signInWithOtp({ email: address }));
    const otp = await nextCode();
    const data = succeeded(await client.auth.verifyOtp({ email: address, otp }));
    assert.equal(data.user.email, address);
  });
}

async function accounts() {
  await account("server", "server@example.com", createClient({ baseUrl, anonKey, isServerMode: true }));
  globalThis.document = document();
  const { jar, fetch } = browser();
  await account("web", "web@example.com", createClient({ baseUrl, anonKey, fetch }));
  assert.ok(jar.has("insforge_refresh_token"));
  delete globalThis.document;
}

async function keys() {
  await step("keys: without a key nobody signs up", async () => {
    const answer = await createClient({ baseUrl, isServerMode: true }).auth.signUp({ email: "a@example.com", password });
    failed(answer, 401, "AUTH_INVALID_CREDENTIALS", "No token provided");
  });
  await step("keys: the key of an app is nobody for a service", async () => {
    const client = createClient({ baseUrl, anonKey, isServerMode: true });
    await assert.rejects(client.getHttpClient().get("/notes"), { error: "AUTH_INVALID_CREDENTIALS" });
    await client.getHttpClient().get("/public/notes");
  });
  await step("keys: an admin key opens services and the directory", async () => {
    const client = createAdminClient({ baseUrl, apiKey: adminKey });
    await client.getHttpClient().get("/admin/notes");
    const { data, pagination } = await client.getHttpClient().get("/api/auth/users?search=server@");
    assert.deepEqual(data.map((user) => user.email), ["server@example.com"]);
    assert.deepEqual(pagination, { offset: 0, limit: 10, total: 1 });
  });
  await step("keys: another admin key opens nothing, and nothing is refreshed", async () => {
    const other = `ik_${"0".repeat(64)}`;
    const client = createAdminClient({ baseUrl, apiKey: other });
    for (const path of ["/admin/notes", "/api/auth/users"]) {
      await assert.rejects(client.getHttpClient().get(path), { error: "AUTH_INVALID_API_KEY" });
    }
  });
}

// The SDK has no admin sign-in; the dashboard calls the API itself, in this way.
async function admin() {
  const { jar, fetch } = browser();
  const call = async (method, path, body, headers = {}) => {
    const response = await fetch(`${baseUrl}/api/auth/admin/${path}`, {
      method,
      credentials: "include",
      headers: body ? { "Content-Type": "application/json", ...headers } : headers,
      body: body && JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  };
  const sub = `local:${adminUsername}`;

  const signedIn = await step("admin: signs in", async () => {
    const body = { username: adminUsername, password: adminPassword };
    const answer = await call("POST", "sessions", body);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.equal(answer.body.admin.sub, sub);
    assert.deepEqual(answer.body.projectAdmin, { subject: sub, username: adminUsername });
    assert.equal(jar.get("insforge_admin_refresh_token")?.path, "/api/auth/admin");
    return answer.body;
  });
  await step("admin: a user is none", async () => {
    const answer = await call("POST", "sessions", { email, password });
    assert.equal(answer.status, 403);
  });
  const refreshed = await step("admin: refreshes", async () => {
    const headers = { "X-CSRF-Token": signedIn.csrfToken };
    const answer = await call("POST", "refresh", undefined, headers);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body;
  });
  await step("admin: reads the current session", async () => {
    const headers = { Authorization: `Bearer ${refreshed.accessToken}` };
    const answer = await call("GET", "sessions/current", undefined, headers);
    assert.equal(answer.body.admin.sub, sub);
  });
  await step("admin: logs out", async () => {
    const headers = { "X-CSRF-Token": refreshed.csrfToken };
    const answer = await call("POST", "logout", undefined, headers);
    assert.deepEqual(answer.body, { success: true, message: "Logged out successfully" });
    assert.equal(jar.size, 0);
  });
}

await server();
await web();
await admin();
await accounts();
await keys();
console.log("all is well");

// Drives the gateway with the official SDK of InsForge: as a program on a server, and as a page in a
// browser. One line a step; the first thing that is not as it should be ends it with status 1.
//
// Wants BASE_URL, EMAIL, PASSWORD, ADMIN_USERNAME and ADMIN_PASSWORD in the environment, and in
// NODE_EXTRA_CA_CERTS the certificate of the gateway.

import assert from "node:assert/strict";
import { createClient } from "@insforge/sdk";

const names = ["BASE_URL", "EMAIL", "PASSWORD", "ADMIN_USERNAME", "ADMIN_PASSWORD"];
const [baseUrl, email, password, adminUsername, adminPassword] = names.map((name) => {
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
console.log("all is well");

// The official SDK of InsForge on a page in a real browser: its cookies, and its going on after a reload.
import assert from 'node:assert/strict';
import { build } from 'esbuild';
import { launch } from './chromium.mjs';

const { BASE_URL, EMAIL, PASSWORD } = process.env;
const bundle = await build({
  stdin: { contents: 'export { createClient } from "@insforge/sdk";', resolveDir: import.meta.dirname },
  bundle: true,
  format: 'iife',
  globalName: 'InsForge',
  platform: 'browser',
  external: ['crypto'],
  write: false,
});
const sdk = bundle.outputFiles[0].text;
const browser = await launch();

try {
  // The test's own authority is not in the browser's store.
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  const asked = [];
  page.on('response', (response) => {
    const { pathname } = new URL(response.url());
    asked.push(`${pathname} ${response.status()}`);
  });
  const open = async () => {
    await page.goto(`${BASE_URL}/public/`);
    await page.addScriptTag({ content: sdk });
    await page.evaluate((baseUrl) => { window.client = InsForge.createClient({ baseUrl }); }, BASE_URL);
    asked.length = 0;
  };
  const refreshCookie = async () => {
    const cookies = await context.cookies(`${BASE_URL}/api/auth`);
    return cookies.find(({ name }) => name === 'insforge_refresh_token');
  };
  const current = () => page.evaluate(async () => (await client.auth.getCurrentUser()).data.user?.email ?? null);
  const ok = (what) => console.log(`ok   ${what}`);

  await open();
  const wrong = await page.evaluate(
    async ([email, password]) => {
      const { error } = await client.auth.signInWithPassword({ email, password });
      return [error?.statusCode, error?.error];
    },
    [EMAIL, `${PASSWORD}x`],
  );
  assert.deepEqual(wrong, [401, 'AUTH_UNAUTHORIZED']);
  assert.equal(await refreshCookie(), undefined);
  ok('a wrong password is the error that the SDK maps');

  const signedIn = await page.evaluate(
    async ([email, password]) => {
      const { data, error } = await client.auth.signInWithPassword({ email, password });
      return { error: error?.message, email: data?.user?.email, shown: document.cookie };
    },
    [EMAIL, PASSWORD],
  );
  assert.equal(signedIn.error, undefined);
  assert.equal(signedIn.email, EMAIL);
  assert.match(signedIn.shown, /^insforge_csrf_token=[0-9a-f]+$/, 'a script sees the CSRF value alone');
  const cookie = await refreshCookie();
  assert.deepEqual(
    [cookie.httpOnly, cookie.secure, cookie.sameSite, cookie.path],
    [true, true, 'None', '/api/auth'],
  );
  ok('signs in');

  await open();
  assert.equal(await current(), EMAIL);
  assert.ok(asked.includes('/api/auth/refresh 200'), asked.join());
  assert.notEqual((await refreshCookie()).value, cookie.value);
  ok('goes on after the page was loaded anew');

  asked.length = 0;
  const passed = await page.evaluate(async () => {
    client.setAccessToken('junk');
    await client.getHttpClient().get('/notes');
    return true;
  });
  assert.ok(passed);
  assert.deepEqual(asked, ['/notes 401', '/api/auth/refresh 200', '/notes 200']);
  ok('refreshes by itself when a service is asked with a token that is refused');

  const out = await page.evaluate(async () => [(await client.auth.signOut()).error, document.cookie]);
  assert.deepEqual(out, [null, '']);
  assert.equal(await refreshCookie(), undefined);
  await open();
  assert.equal(await current(), null);
  ok('signs out, also for the page that is loaded anew');
} finally {
  await browser.close();
}

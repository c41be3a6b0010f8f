// A real browser before the gateway: sign-in by fetch, cookies, the wall, a WebSocket, an event stream.
import assert from 'node:assert/strict';
import { launch } from './chromium.mjs';

const { BASE_URL, EMAIL, PASSWORD, ADMIN_EMAIL } = process.env;
const browser = await launch();

try {
  // The test's own authority is not in the browser's store.
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  await page.goto(`${BASE_URL}/public/`);

  const call = (path, options = {}) =>
    page.evaluate(
      async ([path, options]) => {
        const response = await fetch(path, options);
        return { status: response.status, text: await response.text() };
      },
      [path, options],
    );
  const post = (path, body) =>
    call(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
  const step = async (what, promise, status) => {
    const answer = await promise;
    console.log(`${what}: ${answer.status}`);
    assert.equal(answer.status, status, `${what}: ${answer.text}`);
    return answer;
  };

  await step('admin page without a session', call('/admin/x'), 401);
  await step('wrong password', post('/.doorward/api/sign-in', { login: EMAIL, password: 'no' }), 401);
  await step('sign-in as user', post('/.doorward/api/sign-in', { login: EMAIL, password: PASSWORD }), 200);
  await step('admin page as user', call('/admin/x'), 403);
  await step('api as user', call('/api/x', { method: 'POST', body: 'hello' }), 200);
  await step('sign-out', post('/.doorward/api/sign-out', {}), 204);
  await step('api after sign-out', call('/api/x'), 401);

  await step(
    'sign-in as admin',
    post('/.doorward/api/admin/sign-in', { login: ADMIN_EMAIL, password: PASSWORD }),
    200,
  );
  assert.equal(await page.evaluate(() => document.cookie), '', 'a script can read a cookie');
  const cookies = await context.cookies();
  assert.ok(cookies.length >= 2 && cookies.every((c) => c.httpOnly && c.secure), JSON.stringify(cookies));
  await step('admin page as admin', call('/admin/x'), 200);
  const loaded = await page.goto(`${BASE_URL}/admin/page`);
  assert.equal(loaded.status(), 200, 'a page load as admin');
  await step('refresh', post('/.doorward/api/refresh', {}), 200);
  await step('admin page after the refresh', call('/admin/x'), 200);

  const echoed = await page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(`wss://${location.host}/ws`);
        socket.onopen = () => socket.send('hello');
        socket.onmessage = (message) => resolve(message.data);
        socket.onerror = () => reject(new Error('the web socket failed'));
        socket.onclose = () => reject(new Error('the web socket closed'));
        window.socket = socket;
      }),
  );
  assert.equal(echoed, 'hello');
  console.log('web socket: echoed');

  // The socket lives no longer than the session.
  const closed = page.evaluate(
    () => new Promise((resolve) => { window.socket.onclose = () => resolve(true); }),
  );
  await step('sign-out everywhere', post('/.doorward/api/sign-out', { scope: 'all' }), 204);
  assert.equal(await closed, true);
  console.log('web socket: closed with the session');
  await step('admin page after sign-out', call('/admin/x'), 401);
} finally {
  await browser.close();
}

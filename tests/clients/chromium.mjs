// Starts the browser of this machine, or the one that CHROMIUM names.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

export function launch() {
  return chromium.launch({
    executablePath: browserPath(),
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
    ],
  });
}

function browserPath() {
  const known = ['/usr/bin/chromium', '/usr/bin/google-chrome', '/usr/bin/google-chrome-stable'];
  const path = process.env.CHROMIUM ?? known.find((path) => existsSync(path));
  if (!path) throw new Error('no browser: install Chromium, or name one in CHROMIUM');
  return path;
}

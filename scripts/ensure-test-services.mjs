// Installs the programs that the tests need, if they are missing: redis-server and chromium. Starts neither.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const PROGRAMS = ['redis-server', 'chromium'];
// Debian runs this script before a package starts its service; exit code 101 prevents that.
const POLICY = '/usr/sbin/policy-rc.d';

const missing = PROGRAMS.filter((name) => !isInstalled(name));
if (missing.length > 0) {
  if (!canInstall()) giveUp(missing);
  console.log(`Installing ${missing.join(' and ')} with apt-get.`);
  install(missing);
  const stillMissing = missing.filter((name) => !isInstalled(name));
  if (stillMissing.length > 0) giveUp(stillMissing);
}

function isInstalled(name) {
  if (name === 'chromium' && process.env.CHROMIUM_PATH) return isExecutable(process.env.CHROMIUM_PATH);
  return (process.env.PATH ?? '').split(delimiter).some((folder) => isExecutable(join(folder, name)));
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function canInstall() {
  return existsSync('/etc/debian_version') && process.getuid?.() === 0 && isInstalled('apt-get');
}

function install(packages) {
  const policyIsOurs = !existsSync(POLICY);
  if (policyIsOurs) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    aptGet('update');
    aptGet('install', '-y', '--no-install-recommends', ...packages);
  } finally {
    if (policyIsOurs) rmSync(POLICY, { force: true });
  }
}

function aptGet(...args) {
  const { status } = spawnSync('apt-get', ['-qq', ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (status !== 0) console.error(`apt-get ${args[0]} failed.`);
}

function giveUp(names) {
  console.error(`The tests need ${names.join(' and ')} in PATH: install with your system's package manager.`);
  process.exit(1);
}

#!/usr/bin/env node
// In front of the bundle, whose libraries do not even load on an older Node and would say so in a megabyte of code.
const needed = [22, 19];
const found = process.versions.node.split('.').map(Number);
if (found[0] < needed[0] || (found[0] === needed[0] && found[1] < needed[1])) {
  process.stderr.write(
    `gated-rollout needs Node ${needed.join('.')} or newer; this is Node ${process.versions.node}.\n`,
  );
  process.exitCode = 2;
} else {
  await import('../dist/cli/index.js');
}

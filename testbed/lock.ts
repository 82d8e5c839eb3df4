import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Runs `work` while no other process of this machine runs something under the same name. The lock is a listening
 * socket: the kernel lets go of it when its holder ends, however that happens, and who waits is told by its connection.
 *
 * @param onWait called once when another one holds it.
 */
export async function withLock<T>(
  name: string,
  on: { readonly onWait: () => void; readonly work: () => Promise<T> },
): Promise<T> {
  const address = addressOf(name);
  let server = await listen(address);
  if (!server) on.onWait();
  while (!server) {
    await untilClosed(address);
    server = await listen(address);
  }
  const held = server;
  const waiting = new Set<Socket>();
  held.on('connection', socket => waiting.add(socket.on('error', () => {})));
  try {
    return await on.work();
  } finally {
    await new Promise(resolve => {
      held.close(resolve);
      for (const socket of waiting) socket.destroy();
    });
  }
}

/** An abstract address is gone with its holder; elsewhere a file is left, to which nobody answers. */
function addressOf(name: string): string {
  const key = createHash('sha256').update(name).digest('hex').slice(0, 24);
  return process.platform === 'linux' ? `\0gated-rollout-${key}` : join(tmpdir(), `gated-rollout-${key}`);
}

function listen(address: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(address, () => resolve(server));
  });
}

/** Resolves when the holder is gone. */
function untilClosed(address: string): Promise<void> {
  return new Promise(resolve => {
    const socket = connect(address);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNREFUSED' || address.startsWith('\0')) return;
      void rm(address, { force: true });
    });
    socket.on('close', () => resolve());
    socket.resume();
  });
}

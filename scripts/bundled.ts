import type { InputOptions } from 'rolldown';

/** The programs that are bundled into dist. */
export const ENTRIES = {
  action: 'src/index.ts',
  cli: 'src/cli.ts',
  worker: 'src/build/build-worker.ts',
} as const;

/** How rolldown takes them in; the same for dist and for the list of what is in it. */
export function bundled(input: InputOptions['input']): InputOptions {
  return {
    ...(input === undefined ? {} : { input }),
    platform: 'node',
    logLevel: 'warn',
    // Of these only what is used: they say of themselves nothing about side effects, and have none. client-node would
    // bring 700 classes of its API otherwise, all made at every start; @actions/github a second Octokit.
    treeshake: {
      moduleSideEffects: id =>
        !/node_modules\/(?:@kubernetes\/client-node|@actions\/github|zod|yaml|js-yaml)\//.test(id),
    },
  };
}

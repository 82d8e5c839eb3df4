/** The tree is more than is built here. */
export class TooLarge extends Error {}

const MEGABYTE = 1_000_000;

/** What one build may take. A tree that needs more is most likely none that somebody wrote. */
export class BuildLimits {
  readonly files = 5_000;
  readonly fileBytes = 10 * MEGABYTE;
  readonly bytes = 40 * MEGABYTE;
  /** Builds of one run that are not the same. */
  readonly builds = 500;
  /** What the process may grow by while it builds. */
  readonly memoryBytes = 1_500 * MEGABYTE;
  /** Loading the builder, which is the same for every tree. */
  readonly startMs = 60_000;

  /**
   * Milliseconds of this process's processor time, for what was read so far: a machine that is busy with other things
   * builds no less. kustomize takes some 15 ms a manifest in a large folder (it is quadratic); what is small and takes
   * long does so on purpose.
   */
  buildMs(bytes: number): number {
    return Math.min(7_000 + (bytes / MEGABYTE) * 60_000, 90_000);
  }

  /** @throws TooLarge */
  checkFile(path: string, bytes: number): void {
    if (bytes <= this.fileBytes) return;
    throw new TooLarge(`${path} has ${megabytes(bytes)}, and at most ${megabytes(this.fileBytes)} are built`);
  }

  /** @throws TooLarge */
  checkAll(files: number, bytes: number): void {
    if (files > this.files) throw new TooLarge(`it reads more than ${this.files} files`);
    if (bytes > this.bytes) throw new TooLarge(`it reads more than ${megabytes(this.bytes)} of files`);
  }
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / MEGABYTE)} MB`;
}

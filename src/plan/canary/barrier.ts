import type { TargetKey } from '../../rollout/target.ts';
import { Refusal } from '../../rollout/verdict.ts';
import type { Edits } from '../../edit/edits.ts';
import type { Ground } from '../changes/wanted.ts';
import type { Manifest } from '../tree/manifests.ts';
import { record } from '../../build/json.ts';
import { YamlText } from '../../edit/yaml-text.ts';

/**
 * The barrier of several canaries: a confirm-promotion gate that nobody answers. Flagger then waits in
 * WaitingPromotion, which costs no failed check (Flagger scheduler_hooks.go), until the gate is taken out of Git.
 */
export const BARRIER = {
  name: 'gated-rollout-barrier',
  type: 'confirm-promotion',
  // The domain .invalid never resolves (RFC 2606).
  url: 'http://barrier.gated-rollout.invalid/',
} as const;

/**
 * Puts the barrier before every canary of a release.
 * @throws Refusal where a Canary is out of our reach, or would be promoted without asking.
 */
export async function raiseBarrier(
  { edits, sharers, settings }: Ground,
  canaries: readonly { readonly target: TargetKey; readonly site?: Manifest }[],
): Promise<void> {
  for (const { target, site } of canaries) {
    if (!site) {
      throw new Refusal(
        'change-not-found',
        `The barrier is a gate in the Canary of ${target}, which is not in the folder that applies the target.`,
        { remedy: 'Take barrier out of rollout.yaml, or move the Canary beside its target.' },
      );
    }
    const others = await sharers.of(site.file.path);
    if (others.length > 0 && settings.write !== 'base') {
      throw new Refusal(
        'shared-line',
        `The Canary of ${target} is in ${site.file.path}, which is also built by ${others.map(({ words }) => words).join(', ')}; the barrier would stop them, too.`,
        { remedy: 'Take barrier out of rollout.yaml, or say write: base.' },
      );
    }
    if (site.root.length > 0) {
      throw new Refusal(
        'unsupported-file',
        `The Canary of ${target} is in a List (${site.file.path}), where the barrier cannot be put.`,
        { remedy: 'Write the Canary as a document of its own.' },
      );
    }
    if (skipsAnalysis(edits, site)) {
      throw new Refusal(
        'bad-config',
        `The Canary of ${target} has skipAnalysis: Flagger promotes it without asking the barrier.`,
        { remedy: 'Take barrier out of rollout.yaml, or skipAnalysis out of the Canary.' },
      );
    }
    edits.update(site.file, file => withBarrier(file, site.document));
  }
}

function skipsAnalysis(edits: Edits, site: Manifest): boolean {
  return record(record(edits.current(site.file).data(site.document))['spec'])['skipAnalysis'] === true;
}

/** A Canary's file with the barrier, which is the last of its webhooks; as it is when it has one already. */
export function withBarrier(file: YamlText, document: number): YamlText {
  const path = webhooksPath(file, document);
  if (barrierIndex(file, document) >= 0) return file;
  return file.append(document, path, BARRIER);
}

/** The text of a file without any barrier; the same text when there is none. */
export function withoutBarrier(path: string, text: string): string {
  if (!text.includes(BARRIER.name)) return text;
  let file = new YamlText(path, text);
  for (const document of file.documents.keys()) {
    const index = barrierIndex(file, document);
    if (index >= 0) file = file.deleteItem(document, webhooksPath(file, document), index);
  }
  return file.text;
}

function webhooksPath(file: YamlText, document: number): readonly string[] {
  const spec = record(record(file.data(document))['spec']);
  return ['spec', spec['canaryAnalysis'] === undefined ? 'analysis' : 'canaryAnalysis', 'webhooks'];
}

function barrierIndex(file: YamlText, document: number): number {
  const [spec, analysis, webhooks] = webhooksPath(file, document);
  const list = record(record(record(file.data(document))[spec ?? ''])[analysis ?? ''])[webhooks ?? ''];
  return Array.isArray(list) ? list.findIndex(each => record(each)['name'] === BARRIER.name) : -1;
}

import type license from 'rollup-plugin-license';
import { z } from 'zod';

/** The text of a licence, with its notices, and what is under it: "name version", and its SPDX name where one is told. */
const licenceSchema = z.object({ names: z.array(z.string()), text: z.string() });
export type Licence = z.infer<typeof licenceSchema>;
export const licencesSchema = z.array(licenceSchema);

/**
 * What a bundled npm package is under. Throws when it comes without the text of its licence: it must not be
 * redistributed like that.
 */
export function licenceOf(found: license.Dependency): Licence {
  const name = `${found.name} ${found.version}`;
  if (!found.license || !found.licenseText)
    throw new Error(`${name} is bundled, but has no text of a licence.`);
  return { names: [`${name} (${found.license})`], text: plain(found.licenseText, found.noticeText ?? '') };
}

/** Texts one after the other, with the line ends of every other file here. */
export function plain(...texts: readonly string[]): string {
  return texts
    .map(text => text.replaceAll('\r\n', '\n').trim())
    .filter(Boolean)
    .join('\n\n');
}

/** Each text once, and all in the order of their names, so that the same things give the same bytes. */
export function grouped(licences: readonly Licence[]): Licence[] {
  return [...Map.groupBy(licences, ({ text }) => text)]
    .map(([text, same]) => ({ names: [...new Set(same.flatMap(({ names }) => names))].sort(), text }))
    .sort((a, b) => (a.names.join() < b.names.join() ? -1 : 1));
}

export function licensesText(licences: readonly Licence[]): string {
  const sections = grouped(licences).map(
    ({ names, text }) => `\n${'-'.repeat(80)}\n${names.join('\n')}\n\n${text}\n`,
  );
  return `Gated Rollout is under the licence in the file LICENSE. dist contains the following as well.\n${sections.join('')}`;
}

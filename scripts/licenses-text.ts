import type license from 'rollup-plugin-license';

/**
 * The licences of what is bundled, in the order of its names, so that dist is the same byte for byte each time.
 * Throws when a package comes without the text of its licence: it must not be redistributed like that.
 */
export function licensesText(packages: readonly license.Dependency[]): string {
  const byName = new Map(packages.map(found => [`${found.name} ${found.version}`, found]));
  const sections = [...byName]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, found]) => section(name, found));
  return `Gated Rollout is under the licence in the file LICENSE. dist contains the following as well.\n${sections.join('')}`;
}

function section(name: string, found: license.Dependency): string {
  if (!found.license || !found.licenseText)
    throw new Error(`${name} is bundled, but has no text of a licence.`);
  const texts = [found.licenseText, found.noticeText ?? '']
    .map(text => text.replaceAll('\r\n', '\n').trim())
    .filter(Boolean);
  return `\n${'-'.repeat(80)}\n${name} (${found.license})\n\n${texts.join('\n\n')}\n`;
}

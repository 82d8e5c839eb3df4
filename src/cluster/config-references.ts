/** Names of the ConfigMaps that a pod template refers to: in variables, as variables, and as volumes. */
export function configMapsOf(template: unknown): readonly string[] {
  return [...new Set(namesIn(template))];
}

const REFERENCES = ['configMapRef', 'configMapKeyRef', 'configMap'];

function namesIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]: [string, unknown]) => {
    const named = typeof item === 'object' && item !== null && 'name' in item ? item.name : undefined;
    return REFERENCES.includes(key) && typeof named === 'string' ? [named] : namesIn(item);
  });
}

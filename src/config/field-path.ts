/** `data.checkout`, `data["app.properties"]`, `spec.rules[0].host` → keys and indices. */
export function fieldPath(text: string): readonly (string | number)[] {
  const parts: (string | number)[] = [];
  for (const match of text.matchAll(/\["([^"]*)"\]|\['([^']*)'\]|\[(\d+)\]|([^.[\]]+)/g)) {
    const [, double, single, index, plain] = match;
    if (index !== undefined) parts.push(Number(index));
    else parts.push(double ?? single ?? plain ?? '');
  }
  return parts;
}

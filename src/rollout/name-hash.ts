/** A generated object's name without the hash of its content (kustomize api/hasher/hasher.go: ten after a dash). */
export function unhashed(name: string): string {
  return name.replace(/-[0-9a-z]{10}$/, '');
}

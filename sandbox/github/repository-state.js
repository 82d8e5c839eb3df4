export function ownerOf(repository) {
  return repository.fullName.split('/')[0] ?? '';
}
export function nameOf(repository) {
  return repository.fullName.split('/')[1] ?? '';
}
export function bypassOf(ruleset, identity) {
  return (identity === undefined ? undefined : ruleset.bypass?.[identity.login]) ?? 'never';
}

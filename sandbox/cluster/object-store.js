import { randomUUID } from 'node:crypto';
import { canonical, fieldsAt, isFields, merged, pluralOf } from './kube-object.js';
/** etcd and the API server's rules about versions, in memory. */
export class ObjectStore {
  clock;
  objects = new Map();
  /** What each manager applied last, so that a field it leaves out is taken away. */
  applied = new Map();
  listeners = new Set();
  version = 1;
  constructor(clock) {
    this.clock = clock;
  }
  /** By the cluster's clock; Kubernetes has whole seconds. */
  timestamp() {
    return `${new Date(this.clock.now()).toISOString().slice(0, 19)}Z`;
  }
  get resourceVersion() {
    return String(this.version);
  }
  get(kind, namespace, name) {
    return this.objects.get(keyOf(kind, namespace, name));
  }
  list(kind, namespace) {
    const plural = pluralOf(kind) ?? kind;
    return [...this.objects.entries()]
      .filter(
        ([key, { metadata }]) =>
          key.startsWith(`${plural}/`) && (namespace === undefined || metadata.namespace === namespace),
      )
      .map(([, object]) => object);
  }
  onChange(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
  /** Server-side apply: fields of this manager's last apply that are left out go away; others stay. */
  apply(wanted, manager) {
    const namespace = wanted.metadata.namespace ?? 'default';
    const key = keyOf(wanted.kind, namespace, wanted.metadata.name);
    const managed = `${manager} ${key}`;
    const old = this.objects.get(key);
    const left = old ? without(old, this.applied.get(managed), wanted) : undefined;
    this.applied.set(managed, wanted);
    const next = merged(left ?? {}, { ...wanted, metadata: { ...wanted.metadata, namespace } });
    return this.put(key, asObject(next), { manager, operation: 'Apply' });
  }
  /** Sets what is given, keeps the rest. */
  patch(object, change, by) {
    const key = keyOf(object.kind, object.metadata.namespace, object.metadata.name);
    const old = this.objects.get(key) ?? object;
    return this.put(key, asObject(merged(old, change)), { ...by, operation: 'Update' });
  }
  /** Replaces one field whole, which a merge could not. */
  replace(object, field, value, by) {
    const key = keyOf(object.kind, object.metadata.namespace, object.metadata.name);
    const old = this.objects.get(key) ?? object;
    const subresource = field === 'status' ? { subresource: 'status' } : {};
    return this.put(key, { ...old, [field]: value }, { ...by, ...subresource, operation: 'Update' });
  }
  delete(kind, namespace, name) {
    const key = keyOf(kind, namespace, name);
    const object = this.objects.get(key);
    if (!object) return;
    this.objects.delete(key);
    for (const managed of [...this.applied.keys()])
      if (managed.endsWith(` ${key}`)) this.applied.delete(managed);
    this.version += 1;
    this.tell({ type: 'DELETED', object: withVersion(object, this.version) });
    for (const owned of [...this.objects.values()]) {
      const mine = owned.metadata.ownerReferences?.some(({ uid }) => uid === object.metadata.uid);
      if (mine) this.delete(owned.kind, owned.metadata.namespace, owned.metadata.name);
    }
  }
  put(key, wanted, by) {
    const old = this.objects.get(key);
    if (old && content(old) === content(wanted)) return old;
    const specChanged = !old || canonical(old['spec']) !== canonical(wanted['spec']);
    this.version += 1;
    const metadata = {
      ...wanted.metadata,
      uid: old?.metadata.uid ?? randomUUID(),
      creationTimestamp: old?.metadata.creationTimestamp ?? this.timestamp(),
      generation: (old?.metadata.generation ?? 0) + (specChanged ? 1 : 0),
      resourceVersion: String(this.version),
      managedFields: [
        ...(old?.metadata.managedFields ?? []).filter(
          each =>
            each.manager !== by.manager ||
            each.operation !== by.operation ||
            each.subresource !== by.subresource,
        ),
        { ...by, time: this.timestamp() },
      ],
    };
    const object = { ...wanted, metadata };
    this.objects.set(key, object);
    this.tell({ type: old ? 'MODIFIED' : 'ADDED', object });
    return object;
  }
  tell(change) {
    for (const listener of [...this.listeners]) listener(change);
  }
}
function keyOf(kind, namespace, name) {
  return `${pluralOf(kind) ?? kind}/${namespace}/${name}`;
}
function content({ metadata, ...rest }) {
  const { labels, annotations, ownerReferences } = metadata;
  return canonical({ ...rest, labels, annotations, ownerReferences });
}
function withVersion(object, version) {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
}
function asObject(value) {
  const { apiVersion, kind, metadata } = fieldsAt({ value }, 'value');
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || !isFields(metadata)) {
    throw new Error('An object has apiVersion, kind and metadata.');
  }
  const { name, namespace } = metadata;
  return {
    ...fieldsAt({ value }, 'value'),
    apiVersion,
    kind,
    metadata: { ...metadata, name: String(name), namespace: String(namespace) },
  };
}
/** `live` without the fields that `before` set and `after` no longer sets. */
function without(live, before, after) {
  return asObject(prune(live, before, after));
}
function prune(live, before, after) {
  if (!isFields(live) || !isFields(before)) return live;
  const kept = { ...live };
  for (const [key, old] of Object.entries(before)) {
    const next = isFields(after) ? after[key] : undefined;
    if (next === undefined) {
      const rest = isFields(old) ? prune(kept[key], old, {}) : undefined;
      if (isFields(rest) && Object.keys(rest).length > 0) kept[key] = rest;
      else delete kept[key];
    } else kept[key] = prune(kept[key], old, next);
  }
  return kept;
}

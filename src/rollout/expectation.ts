import type { FieldInText } from './text-field.ts';
import type { ObjectRef, TargetKey } from './target.ts';

/**
 * A value that must be live before a release counts as delivered. An id proves that a commit arrived; only the value
 * proves that nothing else (an image override, a patch, a substitution) won over it.
 */
export type Expectation =
  | {
      readonly kind: 'image';
      readonly target: TargetKey;
      /** Container name; absent: the containers whose image has this repository. */
      readonly container?: string;
      /** Repository without tag and digest. */
      readonly repository: string;
      /** Tag, digest, or both (`6.1.0@sha256:…`), as asked for. */
      readonly version: string;
    }
  | {
      readonly kind: 'env';
      readonly target: TargetKey;
      readonly container?: string;
      readonly name: string;
      readonly value: string;
    }
  | {
      readonly kind: 'arg';
      readonly target: TargetKey;
      readonly container?: string;
      /** `--ui-logo`. */
      readonly name: string;
      readonly value: string;
    }
  | {
      readonly kind: 'field';
      readonly target: TargetKey;
      /** The object that carries the field; looked up in Observation.objects, or the target itself. */
      readonly object: ObjectRef;
      readonly path: readonly (string | number)[];
      /** The field is a text, and the value stands in it. */
      readonly within?: FieldInText;
      readonly value: string;
    }
  | {
      /** The version of the chart that a HelmRelease brings the target from. */
      readonly kind: 'chart';
      readonly target: TargetKey;
      readonly release: { readonly namespace: string; readonly name: string };
      readonly chart: string;
      readonly version: string;
    }
  | {
      /** A value of a Secret: neither read nor kept. That it arrived is told by what is around it. */
      readonly kind: 'secret';
      readonly target: TargetKey;
      /** `Secret/creds data.password`. */
      readonly what: string;
      /** The Secret that must have been written since; absent where a new content gives it a new name. */
      readonly written?: {
        readonly object: ObjectRef;
        /** Its resourceVersion before; '' = there was none. */
        readonly since: string;
      };
    };

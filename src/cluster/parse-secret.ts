import { z } from 'zod';
import { metadataSchema } from '../flux/kube-shapes.ts';

const secretSchema = z.looseObject({ metadata: metadataSchema });

/** What is known of a Secret: that it is there, and when it was written last. */
export interface SecretView {
  /** resourceVersion. */
  readonly version: string;
}

export function parseSecret(object: unknown): SecretView {
  return { version: secretSchema.parse(object).metadata.resourceVersion };
}

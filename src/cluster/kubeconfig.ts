import { existsSync } from 'node:fs';
import { KubeConfig } from '@kubernetes/client-node';
import { Refusal } from '../rollout/verdict.ts';

export interface KubeconfigChoice {
  /** Text of a kubeconfig, or the path of one; undefined = KUBECONFIG, ~/.kube/config, or the pod's own account. */
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
}

/**
 * Loads the credentials of the cluster as kubectl would: exec plugins, OIDC and client certificates included.
 * @throws Refusal `bad-config` when there are none, or the context does not exist.
 */
export function loadKubeconfig({ kubeconfig, context }: KubeconfigChoice): KubeConfig {
  const config = new KubeConfig();
  try {
    if (kubeconfig === undefined) config.loadFromDefault();
    else if (kubeconfig.includes('\n') || kubeconfig.trimStart().startsWith('{'))
      config.loadFromString(kubeconfig);
    else if (existsSync(kubeconfig)) config.loadFromFile(kubeconfig);
    // What was given may be a secret in another form (base64): it is never shown, because reports are public.
    else
      throw new Error(
        'it is neither the text of a kubeconfig nor the path of a file (base64 must be decoded first)',
      );
  } catch (error) {
    throw invalid(firstLine(error));
  }
  if (context !== undefined) {
    const names = config.getContexts().map(({ name }) => name);
    if (!names.includes(context))
      throw invalid(`it has no context ${context}; it has ${names.join(', ') || 'none'}`);
    config.setCurrentContext(context);
  }
  // client-node falls back to this address when it finds no credentials anywhere.
  if (kubeconfig === undefined && config.getCurrentCluster()?.server === 'http://localhost:8080') {
    throw invalid('none was given, and none was found in KUBECONFIG, ~/.kube/config or a pod');
  }
  if (!config.getCurrentCluster()) throw invalid('it names no cluster for its current context');
  return config;
}

/** The lines after the first one of a YAML error quote the kubeconfig, credentials included. */
function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}

function invalid(what: string): Refusal {
  return new Refusal('bad-config', `The kubeconfig cannot be used: ${what}.`, {
    remedy: 'Give the input kubeconfig the text of a kubeconfig (a secret), or the path of one.',
  });
}

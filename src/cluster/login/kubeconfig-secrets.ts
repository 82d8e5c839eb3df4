import type { KubeConfig } from '@kubernetes/client-node';
import { z } from 'zod';

/** Shorter texts are no secrets, and masked they would make others unreadable. */
const SHORTEST = 4;

const PROVIDER_SECRETS = ['id-token', 'refresh-token', 'client-secret', 'access-token'];

/** Variables of exec plugins that say where and as whom, and prove nothing. Masked, a region would vanish everywhere. */
const NO_SECRET =
  /(?:PROFILE|REGION|REGIONAL_ENDPOINTS|ROLE_ARN|CONFIG|CONFIG_FILE|CREDENTIALS_FILE|PROJECT|ACCOUNT|ACCOUNT_ID|TENANT_ID|CLIENT_ID|SUBSCRIPTION_ID|ENVIRONMENT|AUTHORITY_HOST|NAMESPACE|CLUSTER|CLUSTER_ID|AUTH_PLUGIN|LOGIN_METHOD|HOME|PATH|DIR|LANG)$/i;
const SECRET_FLAG = /(?:secret|password|token|api-?key)$/i;

const execSchema = z.object({
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
});

/** Every leaf of a kubeconfig that must never be shown, of all users and clusters in it. */
export function secretsIn(config: KubeConfig): readonly string[] {
  const ofUsers = config
    .getUsers()
    .flatMap(user => [
      user.token,
      user.password,
      user.keyData,
      ...providerSecrets(user.authProvider),
      ...execSecrets(user.exec),
    ]);
  const ofClusters = config
    .getClusters()
    .flatMap(({ server, proxyUrl }) => [passwordIn(server), passwordIn(proxyUrl)]);
  const found = [...ofUsers, ...ofClusters].flatMap(secret =>
    typeof secret === 'string' ? [secret.trim()] : [],
  );
  return [...new Set(found)].filter(secret => secret.length >= SHORTEST);
}

function providerSecrets(provider: unknown): readonly unknown[] {
  const { config } = z.object({ config: z.record(z.string(), z.unknown()) }).safeParse(provider).data ?? {
    config: {},
  };
  return PROVIDER_SECRETS.map(key => config[key]);
}

function execSecrets(exec: unknown): readonly string[] {
  const { args, env } = execSchema.safeParse(exec).data ?? {};
  const values = (env ?? []).filter(({ name }) => !NO_SECRET.test(name)).map(({ value }) => value);
  const flags = (args ?? []).map((arg, index, all) => {
    const [flag = '', value] = arg.split(/=(.*)/s, 2);
    return flag.startsWith('-') && SECRET_FLAG.test(flag) ? (value ?? all[index + 1] ?? '') : '';
  });
  return [...values, ...flags].filter(value => !/^(?:true|false|-.*|)$/i.test(value));
}

function passwordIn(url: unknown): string | undefined {
  if (typeof url !== 'string' || !URL.canParse(url)) return undefined;
  return decodeURIComponent(new URL(url).password);
}

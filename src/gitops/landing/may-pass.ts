import { httpFailure } from '../../github/http-errors.ts';
import { limitHit } from '../../github/http-errors.ts';
import { isRuleMessage } from '../../github/refusal.ts';

/**
 * Whether a failure may pass by itself although GitHub answered. Only a rule, a right or a sign-on that GitHub names
 * stays: bursts of 404, 422 "Reference cannot be updated", 403 without a reason and 401 of a token that is fresh have
 * been seen to end within a minute or two. Lost answers, 5xx and limits always may.
 */
export function mayPass(error: unknown): boolean {
  const failure = httpFailure(error);
  if (failure === undefined) return false;
  if (failure.kind === 'no-answer' || failure.status >= 500 || limitHit(failure, 0) !== undefined)
    return true;
  const { status, message, headers } = failure;
  switch (status) {
    case 401:
    case 404:
      return true;
    case 409:
    case 422:
      return !isRuleMessage(message);
    case 403:
      return !(
        isRuleMessage(message) ||
        headers['x-github-sso'] !== undefined ||
        /resource not accessible|saml|single sign-on|archived|ip allow list|must have .* (?:access|rights)/i.test(
          message,
        )
      );
    default:
      return false;
  }
}

/** What a request to Bedrock carries of its credentials: a signature, an API key, or nothing. */
import type { AwsCredentials } from '../../../config/index';
import { signedGetHeaders, signedPostHeaders } from './signature';

type Headers = Readonly<Record<string, string>>;

const SERVICE = 'bedrock';

export function getHeaders(url: URL, aws: AwsCredentials | undefined): Headers {
  if (!aws) return {};
  return 'apiKey' in aws ? bearer(aws.apiKey) : signedGetHeaders(url, SERVICE, aws);
}

export function postHeaders(url: URL, body: string, aws: AwsCredentials | undefined): Headers {
  if (!aws) return {};
  return 'apiKey' in aws ? bearer(aws.apiKey) : signedPostHeaders(url, body, SERVICE, aws);
}

/** What error messages must never repeat. */
export function secretOf(aws: AwsCredentials | undefined): string | undefined {
  return aws && ('apiKey' in aws ? aws.apiKey : aws.secretAccessKey);
}

function bearer(apiKey: string): Headers {
  return { authorization: `Bearer ${apiKey}` };
}

import { ProviderError, type ProviderFault } from '../../../src/providers/index';
import { PROVIDER_FAILURES } from '../../../src/scoring/performance/provider-failures';

/** Does it speak against the model? Every fault has its line. */
const SPEAKS: Readonly<Record<ProviderFault, boolean>> = {
  connect: true,
  timeout: true,
  overdue: true,
  cut: true,
  overloaded: true,
  rate_limited: true,
  malformed: true,
  not_found: true,
  rejected: false,
  invalid_request: false,
  context_length: false,
  content_filter: false,
  too_large: false,
  aborted: false,
};

describe('failures that count against a model', () => {
  it.each(Object.entries(SPEAKS))('%s: %s', (fault, speaks) => {
    const { code } = new ProviderError('It failed', {
      provider: 'openai',
      fault: fault as ProviderFault,
      mayBeBilled: false,
    });
    expect((PROVIDER_FAILURES as readonly string[]).includes(code)).toBe(speaks);
  });
});

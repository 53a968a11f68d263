import { ProviderUnavailableError } from '../../../errors/index';

/**
 * Loads an optional package at its first use; a failure is not remembered, so that an installation helps at once.
 * @throws ProviderUnavailableError
 */
export function lazyPackage<T>(name: string, load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined;
  const loaded = async (): Promise<T> => {
    try {
      return await load();
    } catch (error) {
      loading = undefined;
      throw new ProviderUnavailableError(
        'package_missing',
        `The package ${name} cannot be loaded: run npm install`,
        { cause: error },
      );
    }
  };
  return () => (loading ??= loaded());
}

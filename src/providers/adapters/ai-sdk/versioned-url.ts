/** Documentation names the base URLs of providers without the version, the library with it; both are taken. */
export function versionedUrl(baseUrl: string, version: string): string {
  const trimmed = baseUrl.replace(/\/+$/, '');
  return /\/v\d+(?:(?:alpha|beta)\d*)?$/.test(trimmed) ? trimmed : `${trimmed}/${version}`;
}

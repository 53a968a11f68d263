import { commaList } from '../../common/index';

const EVERY_HOST = '*';
const SUBDOMAINS = '*.';
const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

interface HostPattern {
  /** As URLs name it; without the `*.`. */
  readonly host: string;
  /** Undefined: every port. */
  readonly port?: string;
  /** Hosts below it, and not itself. */
  readonly isBelow: boolean;
}

/** An administrator's list of hosts: `api.example.com`, `api.example.com:8080`, `*.example.com` (all below it) or `*`. */
export class HostList {
  readonly isEmpty: boolean;
  /** The first entry that is no host. */
  readonly wrongEntry?: string;
  private readonly hasEvery: boolean;
  private readonly patterns: readonly HostPattern[];

  constructor(text: string | undefined) {
    const entries = commaList(text);
    const parsed = entries.filter((entry) => entry !== EVERY_HOST).map(patternOf);
    this.isEmpty = entries.length === 0;
    this.hasEvery = entries.includes(EVERY_HOST);
    this.patterns = parsed.filter((pattern) => typeof pattern !== 'string');
    this.wrongEntry = parsed.find((pattern) => typeof pattern === 'string');
  }

  allows(url: URL): boolean {
    const urlPort = url.port || DEFAULT_PORTS[url.protocol];
    return (
      this.hasEvery ||
      this.patterns.some(
        (pattern) => covers(pattern, hostOf(url)) && (pattern.port === undefined || pattern.port === urlPort),
      )
    );
  }

  /** Of these hosts (`host` or `host:port`), what is covered by an entry that is not just `*`. */
  named(hosts: readonly string[]): string[] {
    return hosts.map(patternOf).flatMap((wanted) => {
      if (typeof wanted === 'string') return [];
      const ports = this.patterns
        .filter((pattern) => covers(pattern, wanted.host))
        .filter(({ port }) => port === undefined || wanted.port === undefined || port === wanted.port)
        .map(({ port }) => wanted.port ?? port);
      return ports.map((port) => (port === undefined ? wanted.host : `${wanted.host}:${port}`));
    });
  }
}

function covers({ host, isBelow }: HostPattern, name: string): boolean {
  return isBelow ? name.endsWith(`.${host}`) : name === host;
}

/** The entry itself when it is no host. */
function patternOf(entry: string): HostPattern | string {
  const isBelow = entry.startsWith(SUBDOMAINS);
  const name = isBelow ? entry.slice(SUBDOMAINS.length) : entry;
  const url = /[/?#@*\\\s]/.test(name) ? null : URL.parse(`https://${name}`);
  if (!url) return entry;
  const port = /:(\d+)$/.exec(name)?.[1];
  return { host: hostOf(url), port, isBelow };
}

function hostOf(url: URL): string {
  return url.hostname.replace(/\.$/, '');
}

/** Required before the service in a test: it ends when the pipe on its standard input closes, so with its parent. */
process.stdin.once('close', () => process.exit(1)).resume();
process.stdin.unref?.();

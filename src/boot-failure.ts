import { AppError } from './errors/index';
import { redactText } from './observability/index';

/** The line that a failed start ends with: for known causes the remedy, for others the stack for a report. */
export function bootFailure(error: unknown): string {
  if (error instanceof AppError) return `Lattice did not start: ${redactText(error.message)}`;
  const { code, message, stack } = error as { code?: string; message?: string; stack?: string };
  if (code === 'EADDRINUSE') return 'Lattice did not start: the port is taken; set PORT to another one';
  return `Lattice did not start: ${redactText(stack ?? message ?? String(error))}`;
}

/** What ComfyUI answers, read. Pure. */
import { isJsonObject, type JsonObject, type JsonValue, type OutboundAnswer } from '../../common/index';

const MAX_REASON_LENGTH = 500;

/** An image as ComfyUI names it. */
export interface RemoteImage {
  readonly filename: string;
  readonly subfolder: string;
  readonly type: string;
}

export function parsed(body: Buffer): JsonObject {
  try {
    const value: unknown = JSON.parse(body.toString());
    if (isJsonObject(value)) return value;
  } catch {
    // The same as any other JSON that is no object.
  }
  throw new Error('ComfyUI answered with something that is no JSON object');
}

/** Of what was put into the queue. @throws Error with the reason why it was not */
export function idOf({ status, body }: OutboundAnswer): string {
  const answer = parsed(body);
  if (typeof answer.prompt_id === 'string') return answer.prompt_id;
  throw new Error(refusal(status, answer));
}

/** Of an entry of the history. @throws Error when drawing failed */
export function isOver({ status, outputs }: JsonObject): boolean {
  if (!isJsonObject(status)) return isJsonObject(outputs) && Object.keys(outputs).length > 0;
  if (status.status_str === 'error') throw new Error(`ComfyUI could not draw it${problemOf(status)}`);
  return status.completed === true;
}

/** What was kept, or else previews. */
export function imagesOf({ outputs }: JsonObject): readonly RemoteImage[] {
  const nodes = isJsonObject(outputs) ? Object.values(outputs) : [];
  const images = nodes
    .flatMap((node) => (isJsonObject(node) ? listOf(node.images) : []))
    .filter(isJsonObject)
    .map(({ filename, subfolder, type }): RemoteImage => ({
      filename: text(filename),
      subfolder: text(subfolder),
      type: text(type) || 'output',
    }));
  const kept = images.filter(({ type }) => type === 'output');
  return kept.length > 0 ? kept : images;
}

/** Is it in this part of the queue? Entries are `[number, id, …]`. */
export function isAmong(entries: JsonValue | undefined, id: string): boolean {
  return listOf(entries).some((entry) => listOf(entry)[1] === id);
}

/** Why a workflow was not taken, with what is said of the nodes. */
function refusal(status: number, { error, node_errors: nodes }: JsonObject): string {
  const { message, details } = isJsonObject(error) ? error : { message: error ?? String(status) };
  const ofNodes = isJsonObject(nodes) && Object.keys(nodes).length > 0 ? JSON.stringify(nodes) : '';
  const reason = [text(message), text(details), ofNodes].filter((part) => part !== '').join(' ');
  return `ComfyUI refused the workflow: ${reason}`.slice(0, MAX_REASON_LENGTH);
}

/** Events are `[kind, data]`. */
function problemOf({ messages }: JsonObject): string {
  const events = listOf(messages).map(listOf);
  const data = events.find(([kind]) => kind === 'execution_error')?.[1];
  if (isJsonObject(data)) {
    return `: ${text(data.node_type)} ${text(data.exception_message)}`.slice(0, MAX_REASON_LENGTH);
  }
  return events.some(([kind]) => kind === 'execution_interrupted') ? ': it was interrupted' : '';
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

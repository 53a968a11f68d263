import { Clock, type JsonObject, type JsonValue, type RequestContext } from '../../common/index';
import type { Tool } from '../tool.port';

/** Tells the time, which no model knows by itself. */
export class CurrentTimeTool implements Tool {
  readonly name = 'current_time';
  readonly description = 'The current date and time, in UTC or in a time zone.';
  readonly parameters: JsonObject = {
    type: 'object',
    properties: {
      timezone: {
        type: 'string',
        description: 'IANA name of a time zone, for instance Europe/Berlin. Default UTC.',
      },
    },
    additionalProperties: false,
  };

  constructor(private readonly clock: Clock) {}

  /** @throws RangeError naming a time zone that does not exist. */
  async run(_ctx: RequestContext, args: JsonObject): Promise<JsonValue> {
    const timezone = typeof args.timezone === 'string' ? args.timezone : 'UTC';
    return { time: isoIn(timezone, new Date(this.clock.now())), timezone };
  }
}

/** ISO 8601 with the zone's offset at that moment, to the second. */
function isoIn(timeZone: string, date: Date): string {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'longOffset',
  });
  const part = Object.fromEntries(format.formatToParts(date).map(({ type, value }) => [type, value]));
  const offset = part.timeZoneName?.replace('GMT', '') || '+00:00';
  return `${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}:${part.second}${offset}`;
}

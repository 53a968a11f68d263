import { DeadlineExceededError } from '../../../../src/execution/index';
import { Flight } from '../../../../src/execution/response-cache/flight';
import { ClientGoneError } from '../../../../src/observability/index';

const forever = new AbortController().signal;

describe(Flight.name, () => {
  it('tells everybody who waits how it ended, once', async () => {
    const flight = new Flight();
    const waiting = [flight.outcome(forever), flight.outcome(forever)];
    const fault = new DeadlineExceededError('x');
    flight.end({ fault });
    flight.end({});
    expect(await Promise.all(waiting)).toEqual([{ fault }, { fault }]);
    expect(flight.isOpen).toBe(false);
  });

  it('lets each wait as long as its own signal allows', async () => {
    const flight = new Flight();
    const mine = new AbortController();
    const waiting = flight.outcome(mine.signal);
    const other = flight.outcome(forever);
    mine.abort(new DeadlineExceededError('too long'));
    await expect(waiting).rejects.toThrow('too long');
    await expect(flight.outcome(mine.signal)).rejects.toThrow('too long');
    flight.end({});
    expect(await other).toEqual({});
  });

  it('ends with its leader when nobody waits', () => {
    const flight = new Flight();
    flight.join();
    flight.leave();
    expect(flight.signal.aborted).toBe(false);
    const reason = new ClientGoneError();
    expect(flight.leaderLeaves(reason)).toBe(false);
    expect(flight.signal.reason).toBe(reason);
    expect(flight.isOpen).toBe(false);
  });

  it('goes on for others after its leader left, until the last of them leaves', () => {
    const flight = new Flight();
    flight.join();
    flight.join();
    expect(flight.leaderLeaves(new ClientGoneError())).toBe(true);
    flight.leave();
    expect([flight.signal.aborted, flight.isOpen]).toEqual([false, true]);
    flight.leave();
    expect(flight.signal.aborted).toBe(true);
  });

  it('is not kept up by those whom it has told already', () => {
    const flight = new Flight();
    flight.join();
    flight.end({});
    expect(flight.leaderLeaves(new ClientGoneError())).toBe(false);
    expect(flight.signal.aborted).toBe(true);
  });
});

// Quiet hours: a time of the day without notifications, also over midnight.

export interface QuietHours {
  on: boolean;
  /** `22:00`, by this machine's clock. */
  from: string;
  to: string;
}

/** Whether it is quiet at this time. From and to alike: all day. */
export function isQuiet(hours: QuietHours, now: Date): boolean {
  const from = minutes(hours.from);
  const to = minutes(hours.to);
  if (!hours.on || from === null || to === null) return false;
  const at = now.getHours() * 60 + now.getMinutes();
  return from < to ? at >= from && at < to : at >= from || at < to;
}

const TIME = /^([01]\d|2[0-3]):([0-5]\d)$/;

export const isTime = (value: unknown): value is string => typeof value === 'string' && TIME.test(value);

function minutes(time: string): number | null {
  const match = TIME.exec(time);
  return match ? Number(match[1]) * 60 + Number(match[2]) : null;
}

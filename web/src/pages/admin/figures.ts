// The server's figures, checked: an older or newer server may leave some out.
import type { Json } from '../../lib/client';
import { formatBytes, formatDateTime, formatNumber, formatRelative, t } from '../../lib/i18n';

export interface Figure {
  name: string;
  value: string;
  /** More about it; null: nothing. */
  detail: string | null;
}

type Answer = { [key: string]: Json };

/** What there is to show, in groups, each with what is known only. */
export function figuresOf(answer: Answer, now: number): { title: string; figures: Figure[] }[] {
  const number = (key: string): number | null => (typeof answer[key] === 'number' ? answer[key] : null);
  const text = (key: string): string | null => (typeof answer[key] === 'string' ? answer[key] : null);
  const started = Date.parse(text('started') ?? '');
  const rooms = (answer['rooms'] ?? {}) as Answer;
  const count = (key: string): number => (typeof rooms[key] === 'number' ? rooms[key] : 0);
  const groups = [
    {
      title: t('admin.figures_now'),
      figures: [
        figure(t('admin.users_online'), number('users_online'), formatNumber),
        figure(t('admin.connections'), number('connections'), formatNumber),
        figure(t('admin.rate'), number('entries_per_second'), formatNumber),
        figure(t('admin.lag'), number('lag_seconds'), milliseconds, commit(number('commit_seconds'))),
      ],
    },
    {
      title: t('admin.figures_kept'),
      figures: [
        figure(t('admin.accounts'), number('users'), formatNumber),
        figure(t('admin.rooms'), count('public') + count('private'), formatNumber, t('admin.rooms_detail', { private: formatNumber(count('private')), archived: formatNumber(count('archived')) })),
        figure(t('admin.conversations'), count('direct'), formatNumber),
        figure(t('admin.messages'), number('messages'), formatNumber),
        figure(t('admin.database'), number('database_bytes'), formatBytes),
        figure(t('admin.disk_free'), number('disk_free_bytes'), formatBytes),
      ],
    },
    {
      title: t('admin.figures_program'),
      figures: [
        text('version') === null ? null : { name: t('admin.version'), value: text('version') ?? '', detail: null },
        Number.isNaN(started) ? null : { name: t('admin.uptime'), value: formatRelative(started, now), detail: formatDateTime(started) },
      ],
    },
  ];
  return groups.map(({ title, figures }) => ({ title, figures: figures.filter((one) => one !== null) })).filter(({ figures }) => figures.length > 0);
}

function figure(name: string, value: number | null, write: (value: number) => string, detail: string | null = null): Figure | null {
  return value === null ? null : { name, value: write(value), detail };
}

const commit = (seconds: number | null): string | null => (seconds === null ? null : t('admin.lag_detail', { time: milliseconds(seconds) }));
const milliseconds = (seconds: number): string => t('admin.milliseconds', { count: formatNumber(Math.round(seconds * 10_000) / 10) });

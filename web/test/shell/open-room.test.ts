import { expect, test } from 'vitest';
import { roomKey, roomRenamed } from '../../src/shell/open-room';

test('another room is another key, a new name for the open one is not', () => {
  const general = roomKey('general');
  expect(roomKey('general')).toBe(general);
  roomRenamed('lobby');
  expect(roomKey('lobby')).toBe(general);
  expect(roomKey('general')).not.toBe(general);
});

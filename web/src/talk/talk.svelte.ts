// What the parts of a room's pane share: the room, who reads, what is being answered or edited.
import { getContext, setContext } from 'svelte';
import type { Message, RoomView } from '../lib/client';

export type PickFor = { kind: 'react'; message: Message; near: Element } | { kind: 'write'; near: Element };

const MOST_ASKED = 200;

export class Talk {
  replyTo = $state.raw<Message | null>(null);
  editing = $state.raw<Message | null>(null);
  picking = $state.raw<PickFor | null>(null);
  /** The message that arrow keys are at. */
  current = $state<number | null>(null);
  /** The message that was jumped to, for the moment in which that is shown. */
  linked = $state<number | null>(null);
  /** Said by a screen reader, and shown for a moment. */
  status = $state('');
  private readonly asked = new Map<number, Promise<Message | null>>();
  private statusTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly view: RoomView,
    readonly me: () => string,
    /** To a message of this room by its number. */
    readonly jump: (seq: number) => void,
  ) {}

  /** Set by the composer: the caret into it; a text into it if it is empty. */
  focusComposer: () => void = () => {};
  putBack: (text: string, replyTo: number | null) => boolean = () => false;

  /** A message that may be far from what is shown; asked for once. */
  message(seq: number): Promise<Message | null> {
    let asked = this.asked.get(seq);
    if (!asked) {
      if (this.asked.size >= MOST_ASKED) this.asked.clear();
      asked = this.view.message(seq).catch((error: unknown) => {
        this.asked.delete(seq);
        throw error;
      });
      this.asked.set(seq, asked);
    }
    return asked;
  }

  reply(message: Message): void {
    this.editing = null;
    this.replyTo = message;
    this.focusComposer();
  }

  edit(message: Message): void {
    this.replyTo = null;
    this.editing = message;
    this.focusComposer();
  }

  say(words: string): void {
    clearTimeout(this.statusTimer);
    this.status = words;
    this.statusTimer = setTimeout(() => (this.status = ''), 4000);
  }
}

const KEY = Symbol('talk');
export const provideTalk = (talk: Talk): Talk => setContext(KEY, talk);
export const useTalk = (): Talk => getContext<Talk>(KEY);

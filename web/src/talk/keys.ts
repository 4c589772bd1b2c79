// Arrow keys in the list: up and down from message to message, right and left along what can be done with one.

/** On a key in the list. Tab goes on as ever. */
export function moveFocus(event: KeyboardEvent): void {
  if (isModified(event) || !(event.target instanceof HTMLElement)) return;
  const message = event.target.closest<HTMLElement>('[data-testid="message"]');
  if (!message) return;
  const to = event.target === message ? fromMessage(event.key, message) : fromAction(event.key, event.target, message);
  if (!to) return;
  event.preventDefault();
  event.stopPropagation();
  to.focus({ preventScroll: true });
  to.scrollIntoView({ block: 'nearest' });
}

/** Whether a key, pressed on a message, means the last one. */
export function isToEnd(event: KeyboardEvent): boolean {
  return event.key === 'End' && !isModified(event) && event.target instanceof HTMLElement && event.target.dataset['testid'] === 'message';
}

function isModified(event: KeyboardEvent): boolean {
  return event.ctrlKey || event.metaKey || event.altKey || event.shiftKey;
}

function fromMessage(key: string, message: HTMLElement): HTMLElement | null {
  const all = (): HTMLElement[] => [...(message.closest('[role="log"]')?.querySelectorAll<HTMLElement>('[data-testid="message"]') ?? [])];
  switch (key) {
    case 'ArrowUp':
    case 'ArrowDown': {
      const messages = all();
      return messages[messages.indexOf(message) + (key === 'ArrowUp' ? -1 : 1)] ?? null;
    }
    case 'Home':
      return all()[0] ?? null;
    case 'End':
      return all().at(-1) ?? null;
    case 'ArrowRight':
    case 'Enter':
      return message.querySelector<HTMLElement>('[role="toolbar"] [data-act]') ?? actionsOf(message)[0] ?? null;
    default:
      return null;
  }
}

function fromAction(key: string, at: HTMLElement, message: HTMLElement): HTMLElement | null {
  const actions = actionsOf(message);
  const index = actions.indexOf(at);
  switch (key) {
    case 'ArrowLeft':
      return actions[(index - 1 + actions.length) % actions.length] ?? null;
    case 'ArrowRight':
      return actions[(index + 1) % actions.length] ?? null;
    case 'Escape':
    case 'ArrowUp':
    case 'ArrowDown':
      return message;
    default:
      return null;
  }
}

function actionsOf(message: HTMLElement): HTMLElement[] {
  return [...message.querySelectorAll<HTMLElement>('[data-act]')];
}

// How wide the window is, and whether its keyboard is a Mac's.

const query = window.matchMedia('(max-width: 767.98px)');
const state = $state({ phone: query.matches });
query.addEventListener('change', (event) => {
  state.phone = event.matches;
});

/** Whether the list of rooms and the room are two screens. */
export const isPhone = (): boolean => state.phone;

export const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent);
/** How the jump dialog is opened. */
export const JUMP_KEYS = isMac ? '⌘K' : 'Ctrl K';
